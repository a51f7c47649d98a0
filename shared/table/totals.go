package table

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"regulars/shared/loyalty"
)

// A program's totals lie in 16 lanes, so that no item is written with every
// order: whoever counts writes many accounts at once into one lane. Beside each
// account an item says up to which entry it has been counted. Both are written
// in one transaction, so every entry is counted once, however often, late or
// out of order a change is told, and one that was never told is counted with
// the next. A rebuild begins a new generation, into which every account is
// counted from its first entry on.
func totalsKey(program string) Key { return Key{program + "#TOTALS", "CURRENT"} }

func totalsPK(program string, generation int64, lane int) string {
	return fmt.Sprintf("%s#TOTALS#%d#%02d", program, generation, lane)
}

func countedKey(program, member, wallet string) Key {
	if wallet == "" {
		return Key{memberPK(program, member), "COUNTED"}
	}
	return Key{memberPK(program, member), "COUNTED#" + wallet}
}

// TotalsLanes is how many lanes the totals of a program have.
const TotalsLanes = ReferralShards

type generation struct {
	Number int64 `cbor:"1,keyasint"`
}

// counted is what of an account has been counted.
type counted struct {
	Generation int64          `cbor:"1,keyasint"`
	Version    int64          `cbor:"2,keyasint"` // of the account, when its stocks were counted
	Seq        int64          `cbor:"3,keyasint"` // its last entry that was
	Stocks     loyalty.Stocks `cbor:"4,keyasint"`
}

// ends are what became of the lots that die in a year, by month (1 to 12).
type ends map[int64]loyalty.Ended

func (e ends) add(month int64, o loyalty.Ended) {
	sum := e[month]
	sum.Add(o)
	e[month] = sum
}

// Told is an account as a change, or a walk, tells it.
type Told struct {
	*loyalty.Account
	Version int64 // of the item
}

// CountTotals counts what the ledgers of a program's accounts have beyond
// what was counted of them, in one transaction. An account that changed more
// than once is told more than once, in that order. It answers how many of them, from the first on, are counted whole: what does
// not fit into the transaction is for the next.
func (s *Store) CountTotals(ctx context.Context, program string, told []Told) (done int, err error) {
	err = s.Update(ctx, program, func(tx *Tx) error {
		done = 0
		g, err := fresh[generation](tx, totalsKey(program))
		if err != nil {
			return err
		}
		c := counter{tx: tx, days: map[Key]*loyalty.Totals{}, lots: map[Key]ends{}, had: map[Key]*counted{}}
		if g != nil {
			c.generation = g.Number
		}
		if len(told) > 0 {
			c.pk = totalsPK(program, c.generation, spread(told[0].Member))
		}
		for _, a := range told {
			whole, err := c.account(a)
			if err != nil {
				return err
			}
			if !whole {
				break
			}
			done++
		}
		return c.write()
	})
	return done, err
}

// counter is one transaction that counts.
type counter struct {
	tx         *Tx
	generation int64
	pk         string // of the lane
	days       map[Key]*loyalty.Totals
	lots       map[Key]ends
	order      []Key // of both
	had        map[Key]*counted
}

// account counts an account, as far as its sums fit into the transaction.
func (c *counter) account(a Told) (whole bool, err error) {
	k := countedKey(c.tx.program, a.Member, a.Wallet)
	had := c.had[k]
	if had == nil {
		if had, err = c.mark(k); err != nil {
			return false, err
		}
	}
	if a.Version <= had.Version {
		return true, nil
	}
	if c.had[k] == nil {
		if c.room() < 1 {
			return false, nil
		}
		c.had[k] = had
	}
	entries, err := c.tx.Entries(a.Account, 0, int(a.Seq-had.Seq))
	if err != nil {
		return false, err
	}
	for _, e := range slices.Backward(entries) {
		if !c.enter(a.Wallet, &e.Entry) {
			c.tx.put(k, encode(had))
			return false, nil
		}
		had.Seq = e.Seq
		// Pending points leave on the day on which they become usable; those that came
		// since the account was counted last have come and gone.
		if e.Type == loyalty.Activate {
			var t loyalty.Totals
			t.Enter(&e.Entry)
			gone := min(t.Activated, had.Stocks.Pending)
			had.Stocks.Pending -= gone
			c.sum(c.day(a.Wallet, e.At)).Pending -= gone
		}
	}
	day := c.day(a.Wallet, a.At)
	if c.room() < 1 && c.days[day] == nil {
		c.tx.put(k, encode(had))
		return false, nil
	}
	stocks := a.Stocks()
	if change := stocks.Since(had.Stocks); change != (loyalty.Totals{}) {
		c.sum(day).Add(change)
	}
	had.Version, had.Stocks = a.Version, stocks
	c.tx.put(k, encode(had))
	return true, nil
}

// mark is what has been counted of an account in this generation.
func (c *counter) mark(k Key) (*counted, error) {
	had, err := get[counted](c.tx, k)
	switch {
	case err != nil:
		return nil, err
	case had != nil && had.Generation > c.generation: // a rebuild has begun since the generation was read
		return nil, ErrConflict
	case had == nil || had.Generation < c.generation:
		had = &counted{Generation: c.generation}
	}
	return had, nil
}

// mostSums leaves a transaction room for one more of each than is asked for.
const mostSums = MaxWrites - 2

// room is how many more items the transaction may write.
func (c *counter) room() int { return mostSums - len(c.had) - len(c.order) }

// enter counts an entry; false when it does not fit any more.
func (c *counter) enter(wallet string, e *loyalty.Entry) bool {
	keys := map[Key]bool{c.day(wallet, e.At): true}
	e.Ends(func(expires int64, _ loyalty.Ended) { keys[c.year(wallet, expires)] = true })
	more := 0
	for k := range keys {
		if c.days[k] == nil && c.lots[k] == nil {
			more++
		}
	}
	if more > c.room() {
		return false
	}
	c.sum(c.day(wallet, e.At)).Enter(e)
	e.Ends(func(expires int64, end loyalty.Ended) {
		k := c.year(wallet, expires)
		if c.lots[k] == nil {
			c.lots[k] = ends{}
			c.order = append(c.order, k)
		}
		c.lots[k].add(int64(time.Unix(expires, 0).UTC().Month()), end)
	})
	return true
}

// day is the item of a calendar day in UTC: the zone of the program is
// another with another version of it, and a day that was counted stays.
func (c *counter) day(wallet string, at int64) Key {
	return Key{c.pk, "DAY#" + time.Unix(at, 0).UTC().Format(time.DateOnly) + "#" + wallet}
}

func (c *counter) year(wallet string, at int64) Key {
	return Key{c.pk, "LOTS#" + time.Unix(at, 0).UTC().Format("2006") + "#" + wallet}
}

func (c *counter) sum(day Key) *loyalty.Totals {
	if c.days[day] == nil {
		c.days[day] = &loyalty.Totals{}
		c.order = append(c.order, day)
	}
	return c.days[day]
}

func (c *counter) write() error {
	for _, k := range c.order {
		var body []byte
		if sum := c.days[k]; sum != nil {
			had, err := get[loyalty.Totals](c.tx, k)
			if err != nil {
				return err
			}
			if had != nil {
				sum.Add(*had)
			}
			body = encode(sum)
		} else {
			had, err := get[ends](c.tx, k)
			if err != nil {
				return err
			}
			if had != nil {
				for month, e := range *had {
					c.lots[k].add(month, e)
				}
			}
			body = encode(c.lots[k])
		}
		c.tx.put(k, body)
	}
	return nil
}

// Totals calls visit with the totals of a wallet ("" is points), day by day as
// the lanes have them: a day may come up to 16 times, in no stated order of lanes.
func (tx *Tx) Totals(wallet string, visit func(day time.Time, t loyalty.Totals) error) error {
	return tx.lanes("DAY#", wallet, time.DateOnly, func(day time.Time, it Item) error {
		t, err := Decode[loyalty.Totals](it)
		if err != nil {
			return err
		}
		return visit(day, *t)
	})
}

// Ended calls visit with what became of the lots that die in a month (its
// first day), as Totals does.
func (tx *Tx) Ended(wallet string, visit func(month time.Time, e loyalty.Ended) error) error {
	return tx.lanes("LOTS#", wallet, "2006", func(year time.Time, it Item) error {
		months, err := Decode[ends](it)
		if err != nil {
			return err
		}
		for month, e := range *months {
			if err := visit(year.AddDate(0, int(month)-1, 0), e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *Tx) lanes(prefix, wallet, layout string, visit func(time.Time, Item) error) error {
	g, err := fresh[generation](tx, totalsKey(tx.program))
	if err != nil {
		return err
	}
	if g == nil {
		g = &generation{}
	}
	for lane := range TotalsLanes {
		for after := ""; ; {
			page, err := tx.store.Engine.Query(tx.ctx, Query{PK: totalsPK(tx.program, g.Number, lane), Prefix: prefix, After: after, Limit: MaxPage, Consistent: true})
			if err != nil {
				return err
			}
			for _, it := range page.Items {
				at, of, _ := strings.Cut(it.SK[len(prefix):], "#")
				if of != wallet {
					continue
				}
				when, err := time.Parse(layout, at)
				if err == nil {
					err = visit(when, it)
				}
				if err != nil {
					return err
				}
			}
			if after = page.Cursor; after == "" {
				break
			}
		}
	}
	return nil
}

// BeginTotals begins a new generation of a program's totals, and answers the
// one before: its sums are for DropTotals, once every account is counted.
func (s *Store) BeginTotals(ctx context.Context, program string) (before int64, err error) {
	err = s.Update(ctx, program, func(tx *Tx) error {
		k := totalsKey(program)
		g, err := fresh[generation](tx, k)
		if err != nil {
			return err
		}
		if before = 0; g != nil {
			before = g.Number
		}
		tx.put(k, encode(&generation{Number: before + 1}))
		return nil
	})
	return before, err
}

// DropTotals removes the sums of a generation that is over.
func (s *Store) DropTotals(ctx context.Context, program string, over int64) error {
	for lane := range TotalsLanes {
		for {
			page, err := s.Engine.Query(ctx, Query{PK: totalsPK(program, over, lane), Limit: MaxWrites, Consistent: true})
			if err != nil {
				return err
			}
			if len(page.Items) == 0 && page.Cursor == "" {
				break
			}
			var gone []Write
			for _, it := range page.Items {
				gone = append(gone, Write{Item: it, Delete: true})
			}
			if len(gone) == 0 {
				continue
			}
			if err := s.Engine.Write(ctx, gone...); err != nil {
				return err
			}
		}
	}
	return nil
}
