package reports

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"regulars/shared/chart"
	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Month is what became of the referrals that were made in a month.
type Month struct {
	Month      string           `json:"month"`    // 2026-11
	Clicks     int64            `json:"clicks"`   // on links, by people
	Visitors   int64            `json:"visitors"` // people who followed one, each once a day
	Bots       int64            `json:"bots"`     // clicks by what is no person
	Referrals  int64            `json:"referrals"`
	ByWay      map[string]int64 `json:"by_way"`
	ByStatus   map[string]int64 `json:"by_status"`
	ByReason   map[string]int64 `json:"by_reason"`   // of those blocked, under review or cancelled; one may have several
	Qualified  int64            `json:"qualified"`   // friends acquired, those not counted whose order came back
	Points     int64            `json:"points"`      // that both sides hold for them
	Cost       int64            `json:"cost"`        // what these points pay, minor units
	CostEach   *int64           `json:"cost_each"`   // of a friend acquired, rounded up; null: none was
	Revenue    int64            `json:"revenue"`     // of the orders that qualified them, minor units
	SpentSince int64            `json:"spent_since"` // by the friends acquired, ever, minor units
}

// Months is the months that were asked for, the newest first.
type Months struct {
	Currency string  `json:"currency"`
	Data     []Month `json:"data"`
}

// referralMonths is how many months a report of referrals may be of: each
// reads all of its referrals.
const referralMonths = 24

// referrals counts referrals by the month in which they were made.
func (h *Handler) referrals(ctx context.Context, q *query) (report, error) {
	until, err := month("until", cmp.Or(q.text("until"), q.now.Format("2006-01")))
	if err != nil {
		return report{}, err
	}
	from, err := month("from", cmp.Or(q.text("from"), until.Format("2006-01")))
	if err != nil {
		return report{}, err
	}
	if from.After(until) || !from.AddDate(0, referralMonths, 0).After(until) {
		return report{}, loyalty.Malformed("from", q.text("from"), "must be at most 24 months before until, and not after it")
	}
	var out Months
	err = h.Gate.Store.View(ctx, q.Program, func(tx *table.Tx) error {
		out = Months{Data: []Month{}}
		t, err := tx.Terms()
		if err != nil {
			return err
		}
		out.Currency = t.Currency
		for m := until; !m.Before(from); m = m.AddDate(0, -1, 0) {
			counted, err := h.month(tx, m, t)
			if err != nil {
				return err
			}
			out.Data = append(out.Data, counted)
		}
		return nil
	})
	return report{out, out.sheet(), out.picture()}, err
}

func month(name, s string) (time.Time, error) {
	m, err := time.Parse("2006-01", s)
	if err != nil || m.Year() < 1970 {
		return m, loyalty.Malformed(name, s, "must be a month such as 2026-11")
	}
	return m, nil
}

func (h *Handler) month(tx *table.Tx, at time.Time, t *loyalty.Terms) (Month, error) {
	m := Month{Month: at.Format("2006-01"), ByWay: map[string]int64{}, ByStatus: map[string]int64{}, ByReason: map[string]int64{}}
	clicks, err := tx.Clicks(at.Format("200601"), "")
	if err != nil {
		return m, err
	}
	m.Clicks, m.Visitors, m.Bots = clicks.Clicks, clicks.Visitors, clicks.Bots
	err = tx.Referrals(at.Format("200601"), func(r *loyalty.Referral) error {
		stage, why := r.StageAt(h.Gate.Clock())
		m.Referrals++
		m.ByWay[string(r.Way)]++
		m.ByStatus[string(stage)]++
		for _, reason := range why {
			m.ByReason[reason]++
		}
		m.Points += r.ToAdv.Points + r.ToFri.Points
		if stage != loyalty.Qualified {
			return nil
		}
		m.Qualified++
		m.Revenue += r.Revenue
		friend, err := tx.Holder(r.Friend)
		if err == nil {
			m.SpentSince += friend.Purchases.Spent
		}
		return err
	})
	if err != nil {
		return m, err
	}
	if m.Cost, err = t.Value(max(0, m.Points)); err != nil {
		return m, err
	}
	if m.Qualified > 0 {
		each := (m.Cost + m.Qualified - 1) / m.Qualified
		m.CostEach = &each
	}
	return m, nil
}

// sheet is the report as a table, a month a line. Maps are one column each, as
// "name=number" parted by spaces.
func (r *Months) sheet() sheet {
	s := sheet{{"month", "currency", "clicks", "visitors", "bots", "referrals", "by_way", "by_status", "by_reason", "qualified", "points", "cost", "cost_each", "revenue", "spent_since"}}
	for _, m := range r.Data {
		s.row(m.Month, r.Currency, m.Clicks, m.Visitors, m.Bots, m.Referrals, counts(m.ByWay), counts(m.ByStatus), counts(m.ByReason), m.Qualified, m.Points, m.Cost, m.CostEach, m.Revenue, m.SpentSince)
	}
	return s
}

// picture is the way from a click to a customer, the oldest month first.
func (r *Months) picture() chart.Bars {
	c := chart.Bars{
		Frame:  chart.Frame{Title: "Friends that members brought", About: "By the month in which they came", X: "month", Y: "people"},
		Series: []chart.Series{{Name: "followed a link"}, {Name: "referrals"}, {Name: "acquired"}},
	}
	for _, m := range slices.Backward(r.Data) {
		c.Labels = append(c.Labels, m.Month)
		for i, n := range []int64{m.Visitors, m.Referrals, m.Qualified} {
			c.Series[i].Values = append(c.Series[i].Values, n)
		}
	}
	return c
}

func counts(m map[string]int64) string {
	var parts []string
	for name, n := range m {
		parts = append(parts, name+"="+strconv.FormatInt(n, 10))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
