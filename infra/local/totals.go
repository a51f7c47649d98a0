package local

import (
	"context"
	"errors"
	"fmt"
	"io"

	"regulars/functions/totals"
	"regulars/shared/table"
)

// Totals holds what was counted for reports against what the ledgers say, after
// counting it anew if rebuild is set. It writes what it finds to w and fails when
// they differ: while members move points, by what is being counted just then.
func Totals(ctx context.Context, engine table.Engine, rebuild bool, w io.Writer) error {
	c := totals.Counter{Store: table.NewStore(engine)}
	if rebuild {
		if err := c.Rebuild(ctx); err != nil {
			return err
		}
	}
	ledgers, err := c.Recount(ctx)
	if err != nil {
		return err
	}
	differ := false
	for of, want := range ledgers {
		got, err := totals.Stored(ctx, c.Store, of.Program, of.Wallet)
		if err != nil {
			return err
		}
		verdict := "counted"
		if !got.Equal(want) {
			verdict, differ = "DIFFERS", true
		}
		name := "points"
		if of.Wallet != "" {
			name = of.Wallet
		}
		have, all := got.All(), want.All()
		fmt.Fprintf(w, "%s: program %s, %s: %d entries come to %d; the ledgers have %d, which come to %d\n", verdict, of.Program, name, have.Entries, have.Balance(), all.Entries, all.Balance())
	}
	if differ {
		return errors.New("the totals are not what the ledgers say; count them anew with -rebuild")
	}
	return nil
}
