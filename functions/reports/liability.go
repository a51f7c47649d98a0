package reports

import (
	"context"
	"fmt"

	"regulars/shared/chart"
	"regulars/shared/loyalty"
)

// Liability is the roll-forward of points (SC15 b). Points that are pending
// stand apart until they can be used.
type Liability struct {
	span
	Currency   string `json:"currency"`
	Expected   string `json:"expected_redemption"`       // of the points, that will be spent: a decimal
	ExpectedBy string `json:"expected_redemption_basis"` // asked, ended_lots, or none: no lot has ended yet
	Months     []Roll `json:"months"`
	Total      Roll   `json:"total"` // of the whole time

	Ties       *bool  `json:"ties"`       // all entries come to all balances; null: not looked at
	Counted    int64  `json:"counted"`    // what all entries come to, of all time
	Balances   *int64 `json:"balances"`   // of all members, as they are now
	Difference *int64 `json:"difference"` // balances less counted: what is being counted just now, or a fault
	Unchecked  string `json:"unchecked,omitempty"`
}

// Roll is how points went from opening to closing in a month: closing is
// opening + earned + referred + adjusted + restored + merged + written_off
// - spent - expired - clawed_back.
type Roll struct {
	Month      string `json:"month,omitempty"`
	Opening    int64  `json:"opening"`
	Earned     int64  `json:"earned"` // and usable: what is still pending is not in it
	Referred   int64  `json:"referred"`
	Adjusted   int64  `json:"adjusted"` // by people; opening balances of another system among it
	Spent      int64  `json:"spent"`
	Restored   int64  `json:"restored"`
	Expired    int64  `json:"expired"`
	ClawedBack int64  `json:"clawed_back"`
	WrittenOff int64  `json:"written_off"` // debts that the program bears
	Merged     int64  `json:"merged"`      // 0: what a member brings into another
	Closing    int64  `json:"closing"`     // less what members owe
	Pending    int64  `json:"pending"`     // at the end
	Owed       int64  `json:"owed"`        // by members, at the end

	Value       int64 `json:"value"`        // of closing at what points pay for, minor units
	Cost        int64 `json:"cost"`         // of closing, as far as it is expected to be redeemed
	WithPending int64 `json:"with_pending"` // the same of closing and pending
}

// roll rolls points forward over what moved.
func (m *moved) roll(before, t loyalty.Totals, part int64) (r Roll, err error) {
	after := before
	after.Add(t)
	r = Roll{
		Opening: before.Balance() - before.Pending, Earned: t.Earned - t.Pending, Referred: t.Referred, Adjusted: t.Adjusted, Spent: -t.Spent, Restored: t.Restored,
		Expired: -t.Expired, ClawedBack: -t.ClawedBack, WrittenOff: t.WrittenOff, Merged: t.Merged,
		Closing: after.Balance() - after.Pending, Pending: after.Pending, Owed: after.Owed,
	}
	for _, cost := range []struct {
		of     *int64
		points int64
		part   int64
	}{{&r.Value, r.Closing, millionth}, {&r.Cost, r.Closing, part}, {&r.WithPending, r.Closing + r.Pending, part}} {
		if *cost.of, err = money(m.terms, cost.points, cost.part); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (h *Handler) liability(ctx context.Context, q *query) (report, error) {
	m, part, basis, err := h.priced(ctx, q)
	if err != nil {
		return report{}, err
	}
	l := Liability{span: q.span(), Currency: m.terms.Currency, Expected: written(part), ExpectedBy: basis}
	at, all := m.before, loyalty.Totals{}
	for _, month := range q.months() {
		t := m.months[month]
		r, err := m.roll(at, t, part)
		if err != nil {
			return report{}, err
		}
		r.Month = month
		l.Months = append(l.Months, r)
		at.Add(t)
		all.Add(t)
	}
	if l.Total, err = m.roll(m.before, all, part); err != nil {
		return report{}, err
	}
	at.Add(m.after)
	l.Counted = at.Balance()
	if err := h.tie(ctx, q, &l); err != nil {
		return report{}, err
	}
	return report{l, l.sheet(), l.picture()}, nil
}

func (l *Liability) sheet() (s sheet) {
	s.row("month", "currency", "opening", "earned", "referred", "adjusted", "spent", "restored", "expired", "clawed_back", "written_off", "merged", "closing", "pending", "owed", "value", "cost", "with_pending")
	for _, r := range append(l.Months[:len(l.Months):len(l.Months)], l.Total) {
		if r.Month == "" {
			r.Month = "total"
		}
		s.row(r.Month, l.Currency, r.Opening, r.Earned, r.Referred, r.Adjusted, r.Spent, r.Restored, r.Expired, r.ClawedBack, r.WrittenOff, r.Merged, r.Closing, r.Pending, r.Owed, r.Value, r.Cost, r.WithPending)
	}
	return s
}

func (l *Liability) picture() chart.Waterfall {
	t := l.Total
	w := chart.Waterfall{
		Frame: chart.Frame{
			Title: "Points that members hold", Y: "points",
			About: fmt.Sprintf("%s: closing %s points, %s; with %s pending, %s", l.span, chart.Number(t.Closing, 0), amount(t.Cost, l.Currency), chart.Number(t.Pending, 0), amount(t.WithPending, l.Currency)),
		},
		Steps: []chart.Step{{Name: "opening", Value: t.Opening, Total: true}},
	}
	for _, s := range []chart.Step{
		{Name: "earned", Value: t.Earned},
		{Name: "for friends", Value: t.Referred},
		{Name: "adjusted", Value: t.Adjusted},
		{Name: "spent", Value: -t.Spent},
		{Name: "restored", Value: t.Restored},
		{Name: "expired", Value: -t.Expired},
		{Name: "clawed back", Value: -t.ClawedBack},
		{Name: "written off", Value: t.WrittenOff},
		{Name: "merged", Value: t.Merged},
	} {
		if s.Value != 0 {
			w.Steps = append(w.Steps, s)
		}
	}
	w.Steps = append(w.Steps, chart.Step{Name: "closing", Value: t.Closing, Total: true})
	return w
}
