package reports

import (
	"context"
	"math/big"
	"time"

	"github.com/bojanz/currency"

	"regulars/shared/chart"
	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// moved is what the totals say of a time.
type moved struct {
	terms  *loyalty.Terms
	before loyalty.Totals            // of all days before it
	months map[string]loyalty.Totals // of it
	after  loyalty.Totals            // of all days after it
	ended  map[string]loyalty.Ended  // of lots whose month is over, ever, by month
}

// moved reads the totals of points.
func (h *Handler) moved(ctx context.Context, q *query) (m moved, err error) {
	err = h.Gate.Store.View(ctx, q.Program, func(tx *table.Tx) (err error) {
		m = moved{months: map[string]loyalty.Totals{}, ended: map[string]loyalty.Ended{}}
		if m.terms, err = tx.Terms(); err != nil {
			return err
		}
		err = tx.Totals("", func(day time.Time, t loyalty.Totals) error {
			switch {
			case day.Before(q.from):
				m.before.Add(t)
			case day.After(q.until):
				m.after.Add(t)
			default:
				month := day.Format("2006-01")
				t.Add(m.months[month])
				m.months[month] = t
			}
			return nil
		})
		if err != nil {
			return err
		}
		return tx.Ended("", func(month time.Time, e loyalty.Ended) error {
			if month.AddDate(0, 1, 0).After(q.now) {
				return nil
			}
			name := month.Format("2006-01")
			e.Add(m.ended[name])
			m.ended[name] = e
			return nil
		})
	})
	return m, err
}

// expected is which part of points is expected to be redeemed, in millionths:
// what was asked for, or what became of the lots whose time is over. With no
// such lot it is all of them: nothing is known of breakage yet.
func (m *moved) expected(q *query) (part int64, basis string, err error) {
	var all loyalty.Ended
	for _, e := range m.ended {
		all.Add(e)
	}
	part, basis = millionth, "none"
	if spent := max(all.Spent, 0); spent+all.Expired > 0 {
		part, basis = rate(spent, spent+all.Expired), "ended_lots"
	}
	if q.text("expected_redemption") != "" {
		basis = "asked"
	}
	part, err = q.ratio("expected_redemption", part)
	return part, basis, err
}

// priced reads the totals of points, and which part of points counts as a cost.
func (h *Handler) priced(ctx context.Context, q *query) (m moved, part int64, basis string, err error) {
	if m, err = h.moved(ctx, q); err == nil {
		part, basis, err = m.expected(q)
	}
	return m, part, basis, err
}

// rate is a part of a whole in millionths, rounded down; 0 of nothing, and at
// most all.
func rate(part, whole int64) int64 {
	if part <= 0 || whole <= 0 {
		return 0
	}
	n := new(big.Int).Mul(big.NewInt(min(part, whole)), big.NewInt(millionth))
	return n.Div(n, big.NewInt(whole)).Int64()
}

// money is what points cost at what they pay for, as far as so many of a
// million are expected to be redeemed: minor units, to the nearest, halves up
// (segment.Liability, at a price of several points). Members who owe points
// are owed nothing.
func money(t *loyalty.Terms, points, part int64) (int64, error) {
	cost := new(big.Int).Mul(big.NewInt(max(points, 0)), big.NewInt(t.Point.Amount))
	cost.Mul(cost, big.NewInt(2*part))
	whole := new(big.Int).Mul(big.NewInt(t.Point.Points), big.NewInt(millionth))
	cost.Add(cost, whole).Div(cost, whole.Lsh(whole, 1))
	if !cost.IsInt64() {
		return 0, loyalty.Refuse("points_out_of_range", "that many points would pay more money than can be counted")
	}
	return cost.Int64(), nil
}

// digits is how many decimals a currency has.
func digits(code string) int {
	d, _ := currency.GetDigits(code) // a program's currency is a known one
	return int(d)
}

// amount is money for people.
func amount(minor int64, code string) string {
	return chart.Number(minor, digits(code)) + " " + code
}
