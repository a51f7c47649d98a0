package segment

import "math"

// The forecast goes by steps of thirty days, the last one shorter: 30, 60, 90, ..., 360, 365.
const (
	steps   = 13
	step90  = 2
	perYear = 365
)

func stepEnd(i int) int { return min(30*(i+1), perYear) }

// Lifetime forecasts what members will spend, from both models.
type Lifetime struct {
	Buying   BGNBD
	Spending GammaGamma
	discount [steps]float64
}

// Value is what a member is expected to do and to be worth. Estimates: floats, in minor units.
type Value struct {
	Active    float64 `json:"p_active"`  // the probability that she still buys
	Purchases float64 `json:"purchases"` // purchase days expected in 365 days
	Days90    float64 `json:"days_90"`   // spend expected in 90 days, discounted
	Days365   float64 `json:"days_365"`
}

// NewLifetime with a discount rate a year: 0.1 makes 110 in a year 100 today.
//
// In steps that end t_i days from now,
//
//	value = E[M] · Σ (E[Y(t_i)] - E[Y(t_{i-1})]) / (1 + yearly)^(t_i/365)
//
// with E[Y] of BG/NBD and E[M] of Gamma-Gamma: each step's purchases count as at its end.
// The formula of the Python package lifetimes, whose monthly rate is
// (1 + yearly)^(30/365) - 1. It is of spend; times the margin it is profit.
func NewLifetime(buying BGNBD, spending GammaGamma, yearly float64) *Lifetime {
	l := &Lifetime{Buying: buying, Spending: spending}
	for i := range l.discount {
		l.discount[i] = math.Pow(1+yearly, -float64(stepEnd(i))/perYear)
	}
	return l
}

// Outlook is what is to come of a member who still buys. It is the same for all who
// have as many purchase days and began on the same day: when she bought last says only
// whether she still does (the last factor of the paper's formula 10).
type Outlook struct {
	Purchases float64 // expected in 365 days
	Sum90     float64 // expected in 90 days, discounted
	Sum365    float64
}

// Outlook of x purchase days after the first, which was so many weeks ago.
func (l *Lifetime) Outlook(x int64, weeks float64) (o Outlook) {
	var ends, expected [steps]float64
	for i := range ends {
		ends[i] = float64(stepEnd(i)) / 7
	}
	l.Buying.future(x).over(ends[:], l.Buying.Alpha+weeks, expected[:])
	for i, e := range expected {
		o.Sum365 += (e - o.Purchases) * l.discount[i]
		o.Purchases = e
		if i == step90 {
			o.Sum90 = o.Sum365
		}
	}
	return o
}

// Mean is what a member is expected to spend on a purchase day to come, in minor units.
func (l *Lifetime) Mean(m *Member) float64 {
	x := m.Days - 1
	if x == 0 {
		return l.Spending.Mean(0, 0) // of all
	}
	// Where all came back, she has a mean of nothing rather than none.
	return l.Spending.Mean(x, max(float64(m.Spent-m.FirstSpent), 0)/float64(x))
}

// Of a member on a day; nothing of one who never bought.
func (l *Lifetime) Of(m *Member, today int32) Value {
	p, bought := m.Purchases(today)
	if !bought {
		return Value{}
	}
	active, mean, o := l.Buying.Active(p.X, p.Tx, p.T), l.Mean(m), l.Outlook(p.X, p.T)
	return Value{Active: active, Purchases: active * o.Purchases, Days90: mean * active * o.Sum90, Days365: mean * active * o.Sum365}
}
