package reports

import (
	"context"
	"maps"
	"slices"

	"regulars/shared/chart"
	"regulars/shared/segment"
)

// Breakage is what became of the points of lots whose time is over.
type Breakage struct {
	Expected   string    `json:"expected_redemption"`
	ExpectedBy string    `json:"expected_redemption_basis"`
	Spent      int64     `json:"spent"`
	Expired    int64     `json:"expired"`
	Percent    string    `json:"expired_percent"` // of both
	Months     []LotsEnd `json:"months"`          // in which lots ended; all there are, whatever time was asked for
}

// LotsEnd is what became of the lots that ended in a month.
type LotsEnd struct {
	Month   string `json:"month"`
	Spent   int64  `json:"spent"` // less what was given back
	Expired int64  `json:"expired"`
	Percent string `json:"expired_percent"`
}

func (h *Handler) breakage(ctx context.Context, q *query) (report, error) {
	m, part, basis, err := h.priced(ctx, q)
	if err != nil {
		return report{}, err
	}
	b := Breakage{Expected: written(part), ExpectedBy: basis, Months: []LotsEnd{}}
	s := sheet{{"month", "spent", "expired", "expired_percent"}}
	c := chart.Bars{
		Frame: chart.Frame{Title: "What became of points whose time is over", About: "By the month in which they ended", X: "month", Y: "points"}, Stacked: true,
		Series: []chart.Series{{Name: "spent"}, {Name: "expired"}},
	}
	for _, month := range slices.Sorted(maps.Keys(m.ended)) {
		e := m.ended[month]
		end := LotsEnd{month, e.Spent, e.Expired, segment.Percent(e.Expired, e.Spent+e.Expired)}
		b.Spent, b.Expired, b.Months = b.Spent+e.Spent, b.Expired+e.Expired, append(b.Months, end)
		s.row(month, e.Spent, e.Expired, end.Percent)
		c.Labels = append(c.Labels, month)
		c.Series[0].Values, c.Series[1].Values = append(c.Series[0].Values, e.Spent), append(c.Series[1].Values, e.Expired)
	}
	b.Percent = segment.Percent(b.Expired, b.Spent+b.Expired)
	c.About += "; of all of them " + b.Percent + " % expired"
	return report{b, s, c}, nil
}

// Redemption is points given and points spent.
type Redemption struct {
	span
	Months []Given `json:"months"`
	Total  Given   `json:"total"`
}

// Given is what was given and spent in a month, points.
type Given struct {
	Month   string `json:"month,omitempty"`
	Given   int64  `json:"given"`              // earned, for friends, by hand, less what was clawed back
	Spent   int64  `json:"spent"`              // less what was given back
	Percent string `json:"redemption_percent"` // spent of given
}

func (h *Handler) redemption(ctx context.Context, q *query) (report, error) {
	m, err := h.moved(ctx, q)
	if err != nil {
		return report{}, err
	}
	r := Redemption{span: q.span(), Months: []Given{}}
	s := sheet{{"month", "given", "spent", "redemption_percent"}}
	c := chart.Bars{Frame: chart.Frame{Title: "Points given and spent", X: "month", Y: "points"}, Labels: q.months(), Series: []chart.Series{{Name: "given"}, {Name: "spent"}}}
	for _, month := range q.months() {
		t := m.months[month]
		g := Given{month, t.Earned + t.Referred + t.Adjusted + t.ClawedBack, -t.Spent - t.Restored, ""}
		g.Percent = segment.Percent(g.Spent, g.Given)
		r.Months = append(r.Months, g)
		r.Total.Given, r.Total.Spent = r.Total.Given+g.Given, r.Total.Spent+g.Spent
		s.row(month, g.Given, g.Spent, g.Percent)
		c.Series[0].Values, c.Series[1].Values = append(c.Series[0].Values, g.Given), append(c.Series[1].Values, g.Spent)
	}
	r.Total.Percent = segment.Percent(r.Total.Spent, r.Total.Given)
	s.row("total", r.Total.Given, r.Total.Spent, r.Total.Percent)
	c.About = r.span.String() + ": " + r.Total.Percent + " % of what was given was spent"
	return report{r, s, c}, nil
}

// ROI is what members bought and what their points cost. The purchases are
// all of theirs, not those that the program brought about: how many these are
// only a rollout to a part of the members tells (lift).
type ROI struct {
	span
	Currency   string  `json:"currency"`
	Expected   string  `json:"expected_redemption"`
	ExpectedBy string  `json:"expected_redemption_basis"`
	Margin     string  `json:"margin"` // of revenue, that is profit before points
	Months     []Yield `json:"months"`
	Total      Yield   `json:"total"`
}

// Yield is of a month; money in minor units.
type Yield struct {
	Month   string `json:"month,omitempty"`
	Orders  int64  `json:"orders"`
	Revenue int64  `json:"revenue"`      // of members, less refunds; on the day on which it was known here
	Points  int64  `json:"points"`       // given, less what was clawed back
	Cost    int64  `json:"cost"`         // of those, as far as they are expected to be redeemed
	Paid    int64  `json:"paid"`         // what points that were spent have paid, less what came back
	Percent string `json:"cost_percent"` // cost of revenue
	Profit  int64  `json:"profit"`       // revenue times margin, less cost
}

func (h *Handler) roi(ctx context.Context, q *query) (report, error) {
	m, part, basis, err := h.priced(ctx, q)
	if err != nil {
		return report{}, err
	}
	margin, err := q.ratio("margin", millionth)
	if err != nil {
		return report{}, err
	}
	r := ROI{span: q.span(), Currency: m.terms.Currency, Expected: written(part), ExpectedBy: basis, Margin: written(margin), Months: []Yield{}}
	s := sheet{{"month", "currency", "orders", "revenue", "points", "cost", "paid", "cost_percent", "profit"}}
	c := chart.Bars{Frame: chart.Frame{Title: "What members bought, and what their points cost", X: "month", Y: m.terms.Currency, Decimals: digits(m.terms.Currency)}, Labels: q.months(), Series: []chart.Series{{Name: "revenue"}, {Name: "cost of points"}}}
	yield := func(orders, revenue, points, spent int64) (y Yield, err error) {
		y = Yield{Orders: orders, Revenue: revenue, Points: points}
		if y.Cost, err = money(m.terms, points, part); err != nil {
			return y, err
		}
		if y.Paid, err = money(m.terms, spent, millionth); err != nil {
			return y, err
		}
		y.Percent = segment.Percent(y.Cost, y.Revenue)
		kept, err := segment.Liability(max(revenue, 0), 1, segment.Ratio{Num: margin, Den: millionth})
		y.Profit = kept - y.Cost
		return y, err
	}
	var orders, revenue, points, spent int64
	for _, month := range q.months() {
		t := m.months[month]
		given, used := t.Earned+t.Referred+t.Adjusted+t.ClawedBack, -t.Spent-t.Restored
		y, err := yield(t.Orders, t.Revenue, given, used)
		if err != nil {
			return report{}, err
		}
		y.Month = month
		r.Months = append(r.Months, y)
		orders, revenue, points, spent = orders+t.Orders, revenue+t.Revenue, points+given, spent+used
		s.row(month, r.Currency, y.Orders, y.Revenue, y.Points, y.Cost, y.Paid, y.Percent, y.Profit)
		c.Series[0].Values, c.Series[1].Values = append(c.Series[0].Values, y.Revenue), append(c.Series[1].Values, y.Cost)
	}
	if r.Total, err = yield(orders, revenue, points, spent); err != nil {
		return report{}, err
	}
	y := r.Total
	s.row("total", r.Currency, y.Orders, y.Revenue, y.Points, y.Cost, y.Paid, y.Percent, y.Profit)
	c.About = r.span.String() + ": points cost " + y.Percent + " % of what members bought"
	return report{r, s, c}, nil
}
