// Package totals keeps what the ledgers of a program come to, by day: a reader
// of the change stream counts every entry once (Follow), and a walk over all
// accounts counts what no change told (Rebuild) or finds it by the ledgers
// alone (Recount). How it is stored is in package table; what is made of it, in
// package reports.
//
// Why each account has its own mark of how far it was counted, and not the
// stream one for all: Lambda gives changes again in other batches, ten batches
// of a shard at once, a set-aside change days later, and says of no change
// which shard it is from. A mark beside the account, written with the sums,
// holds against all of it and needs nothing of the stream but that it tells of
// an account now and then. It costs a write of its own: 2 units for an account
// of a batch, and some 4 for the sums of the batch.
package totals

import (
	"context"
	"fmt"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Counter counts.
type Counter struct {
	Store *table.Store
}

// Follow counts the entries that changes tell of. It answers how many changes,
// from the first on, are counted; to count one again changes nothing.
func (c *Counter) Follow(ctx context.Context, changes []table.Change) (int, error) {
	told := map[string][]table.Told{} // by program
	var programs []string
	for i, change := range changes {
		a, err := moved(change)
		if err != nil {
			return c.oneByOne(ctx, changes[:i], err)
		}
		if a == nil {
			continue
		}
		program := table.ProgramOf(change.Key)
		if told[program] == nil {
			programs = append(programs, program)
		}
		told[program] = append(told[program], *a)
	}
	for _, program := range programs {
		if err := c.count(ctx, program, told[program]); err != nil {
			return c.oneByOne(ctx, changes, err)
		}
	}
	return len(changes), nil
}

// oneByOne counts as many changes as it can, so that one that cannot be
// counted is set aside alone. It fails as counting them together did.
func (c *Counter) oneByOne(ctx context.Context, changes []table.Change, failed error) (int, error) {
	for i, change := range changes {
		a, err := moved(change)
		if err == nil && a != nil {
			err = c.count(ctx, table.ProgramOf(change.Key), []table.Told{*a})
		}
		if err != nil {
			return i, err
		}
	}
	return len(changes), failed
}

// moved is the account of a change that has something to count; nil when
// nothing moved, as with a hold.
func moved(change table.Change) (*table.Told, error) {
	if wallet := table.WalletOf(change.Key); change.New.Version == 0 || change.SK != "ACCOUNT" && change.SK != "ACCOUNT#"+wallet {
		return nil, nil
	}
	old, now, err := table.Both[loyalty.Account](change)
	if err != nil {
		return nil, err
	}
	if change.Old.Version > 0 && old.Seq == now.Seq && old.Stocks() == now.Stocks() {
		return nil, nil
	}
	return &table.Told{Account: now, Version: change.New.Version}, nil
}

func (c *Counter) count(ctx context.Context, program string, told []table.Told) error {
	stuck := 0
	for len(told) > 0 {
		done, err := c.Store.CountTotals(ctx, program, told)
		if err != nil {
			return fmt.Errorf("count %d accounts of program %s: %w", len(told), program, err)
		}
		// One with a long history is counted in several transactions, at
		// least one entry each.
		if stuck++; done > 0 {
			stuck = 0
		}
		if int64(stuck) > told[0].Seq+1 {
			return fmt.Errorf("member %s of program %s: an entry is too large to be counted", told[0].Member, program)
		}
		told = told[done:]
	}
	return nil
}

// Rebuild counts everything anew, into sums beside those there are, while the
// stream goes on. Reports are short of what is not counted yet until it ends.
// What is cut short is done by the next.
func (c *Counter) Rebuild(ctx context.Context) error {
	before := map[string]int64{}
	err := c.walk(ctx, func(program string, told []table.Told) error {
		if _, begun := before[program]; !begun {
			g, err := c.Store.BeginTotals(ctx, program)
			if err != nil {
				return err
			}
			before[program] = g
		}
		return c.count(ctx, program, told)
	})
	for program, last := range before {
		for g := int64(0); g <= last && err == nil; g++ {
			err = c.Store.DropTotals(ctx, program, g)
		}
	}
	return err
}

// walk calls visit with all accounts of the table, some of one program at a time.
func (c *Counter) walk(ctx context.Context, visit func(program string, told []table.Told) error) error {
	for cursor := ""; ; {
		page, err := c.Store.Engine.Scan(ctx, cursor, 500)
		if err != nil {
			return err
		}
		told := map[string][]table.Told{}
		for _, it := range page.Items {
			if it.SK != "ACCOUNT" && !strings.HasPrefix(it.SK, "ACCOUNT#") {
				continue
			}
			a, err := table.Decode[loyalty.Account](it)
			if err != nil {
				return err
			}
			program := table.ProgramOf(it.Key)
			told[program] = append(told[program], table.Told{Account: a, Version: it.Version})
		}
		for program, accounts := range told {
			if err := visit(program, accounts); err != nil {
				return err
			}
		}
		if cursor = page.Cursor; cursor == "" {
			return nil
		}
	}
}
