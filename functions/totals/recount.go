package totals

import (
	"context"
	"maps"
	"slices"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Sums are the totals of a wallet of a program ("" is points). Days are UTC.
type Sums struct {
	Days   map[string]loyalty.Totals // 2026-11-28 -> what its entries come to; the stocks are not here
	Ended  map[string]loyalty.Ended  // 2026-11 -> what became of the lots that die in that month
	Stocks loyalty.Totals            // what the accounts hold; all else is 0
}

// NewSums are of nothing.
func NewSums() *Sums {
	return &Sums{Days: map[string]loyalty.Totals{}, Ended: map[string]loyalty.Ended{}}
}

// Equal tells whether two are of the same entries and stocks. The day on which a
// stock changed is only known to the stream: what they come to is compared.
func (s *Sums) Equal(o *Sums) bool {
	return maps.Equal(s.Days, o.Days) && maps.Equal(s.Ended, o.Ended) && s.Stocks == o.Stocks
}

// All is what all days come to, stocks among it.
func (s *Sums) All() loyalty.Totals {
	sum := s.Stocks
	for _, t := range s.Days {
		sum.Add(t)
	}
	return sum
}

func (s *Sums) day(day string, t loyalty.Totals) {
	stocks := loyalty.Totals{Pending: t.Pending, Owed: t.Owed, Orders: t.Orders, Revenue: t.Revenue}
	s.Stocks.Add(stocks)
	t.Pending, t.Owed, t.Orders, t.Revenue = 0, 0, 0, 0
	if t.Add(s.Days[day]); t != (loyalty.Totals{}) {
		s.Days[day] = t
	}
}

func (s *Sums) ended(month string, e loyalty.Ended) {
	e.Add(s.Ended[month])
	s.Ended[month] = e
	if e == (loyalty.Ended{}) {
		delete(s.Ended, month)
	}
}

// Stored reads the totals of a wallet as they were counted.
func Stored(ctx context.Context, store *table.Store, program, wallet string) (*Sums, error) {
	s := NewSums()
	err := store.View(ctx, program, func(tx *table.Tx) error {
		s = NewSums()
		err := tx.Totals(wallet, func(day time.Time, t loyalty.Totals) error {
			s.day(day.Format(time.DateOnly), t)
			return nil
		})
		if err != nil {
			return err
		}
		return tx.Ended(wallet, func(month time.Time, e loyalty.Ended) error {
			s.ended(month.Format("2006-01"), e)
			return nil
		})
	})
	return s, err
}

// Book is a wallet of a program.
type Book struct{ Program, Wallet string }

// Recount finds the totals of all by the ledgers alone.
func (c *Counter) Recount(ctx context.Context) (map[Book]*Sums, error) {
	out := map[Book]*Sums{}
	err := c.walk(ctx, func(program string, told []table.Told) error {
		for _, a := range told {
			of := Book{program, a.Wallet}
			if out[of] == nil {
				out[of] = NewSums()
			}
			err := c.Store.View(ctx, program, func(tx *table.Tx) error {
				ledger, err := tx.Ledger(a.Account)
				if err == nil {
					out[of].post(a.Account, ledger)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// post adds the ledger of an account.
func (s *Sums) post(a *loyalty.Account, ledger []loyalty.Entry) {
	for e := range slices.Values(ledger) {
		var t loyalty.Totals
		t.Enter(&e)
		s.day(time.Unix(e.At, 0).UTC().Format(time.DateOnly), t)
		e.Ends(func(expires int64, end loyalty.Ended) {
			s.ended(time.Unix(expires, 0).UTC().Format("2006-01"), end)
		})
	}
	s.Stocks.Add(a.Stocks().Since(loyalty.Stocks{}))
}
