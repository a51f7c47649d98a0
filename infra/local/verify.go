package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Verify recomputes every ledger of a table: the hashes, the balances, the
// accounts, and the books of each program, which sum to zero. It writes what
// it finds to w and fails when anything does not hold.
func Verify(ctx context.Context, engine table.Engine, w io.Writer) error {
	store := table.NewStore(engine)
	books := map[string]*loyalty.Books{}
	var members, entries, bad int64
	for cursor := ""; ; {
		page, err := engine.Scan(ctx, cursor, 500)
		if err != nil {
			return err
		}
		for _, it := range page.Items {
			if it.SK != "ACCOUNT" {
				continue
			}
			program, member := table.ProgramOf(it.Key), it.PK[strings.LastIndexByte(it.PK, '#')+1:]
			var v loyalty.Verification
			err := store.View(ctx, program, func(tx *table.Tx) error {
				a, err := tx.Account(member)
				if err != nil {
					return err
				}
				ledger, err := tx.Ledger(a)
				v = loyalty.Verify(a, ledger)
				return err
			})
			if err != nil {
				return err
			}
			members++
			entries += v.Entries
			if !v.Valid {
				bad++
				fmt.Fprintf(w, "mem_%s of program %s does not hold from entry %d on\n", member, program, v.FirstBad)
			}
			if books[program] == nil {
				books[program] = &loyalty.Books{}
			}
			books[program].Add(v.Books)
			if members%1000 == 0 {
				fmt.Fprintf(w, "%d members, %d entries so far\n", members, entries)
			}
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	for program, b := range books {
		fmt.Fprintf(w, "program %s: issued %d, redeemed %d, expired %d, written off %d | in lots %d, held %d, owed %d | sum %d\n",
			program, b.Issued, b.Redeemed, b.Expired, b.WrittenOff, b.Points, b.Held, b.Owed, b.Sum())
		if b.Sum() != 0 || b.Merged != 0 {
			bad++
		}
	}
	fmt.Fprintf(w, "%d members, %d entries, %d do not hold\n", members, entries, bad)
	if bad > 0 {
		return errors.New("the table does not hold")
	}
	return nil
}
