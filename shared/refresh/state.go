package refresh

import (
	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// State is what a run knows after a pass over its rows. The last one of a run
// is Done, and has what decides about every member.
type State struct {
	Pass     int                      `json:"pass"`
	Searches [figures]*segment.Search `json:"searches"`
	Ties     *segment.Ties            `json:"ties,omitempty"` // what the next pass looks for, once all ranks are found
	Done     bool                     `json:"done"`

	Members int64                `json:"members"`
	Buyers  int64                `json:"buyers"`
	Balance int64                `json:"balance"`
	Cohorts *segment.Cohorts     `json:"cohorts"`
	Deciles [10]segment.Decile   `json:"deciles"`
	Treated Arm                  `json:"treated"`
	Control Arm                  `json:"control"`
	Friends int64                `json:"friends"` // network value from which a member with a qualified friend is an advocate; minor units
	Cuts    Cuts                 `json:"cuts"`
	Took    map[string]int64     `json:"took"` // milliseconds by stage
	Holdout []segment.HoldoutBin `json:"holdout,omitempty"`
	Fits    Fits                 `json:"fits"`
}

// Cuts are what a run judges its members by: with them, what a member bought
// says which groups she is in, and what she is worth.
type Cuts struct {
	At         int64              `json:"at"` // unix seconds
	Today      int32              `json:"today"`
	Thresholds segment.Thresholds `json:"thresholds"`
	RFM        *segment.RFMCuts   `json:"rfm,omitempty"` // nil: nobody ever bought
	Models     Models             `json:"models"`
	Yearly     float64            `json:"yearly"`
	Currency   string             `json:"currency"`
}

// Models are the last that converged; nil where none ever did.
type Models struct {
	Buying   *segment.BGNBD      `json:"buying,omitempty"`
	Spending *segment.GammaGamma `json:"spending,omitempty"`
	At       int64               `json:"at,omitempty"` // of the run that fitted the older of the two, unix seconds
}

// Fits are what a run tried.
type Fits struct {
	Buying   Tried[segment.BGNBD]      `json:"buying"`
	Spending Tried[segment.GammaGamma] `json:"spending"`
}

// Tried is a fit, or why there is none. Kept says that an earlier run's model
// is used in its place.
type Tried[M any] struct {
	Fit    *segment.Fit[M] `json:"fit,omitempty"`
	Reason string          `json:"reason,omitempty"`
	Kept   bool            `json:"kept"`
}

// figuresOf calls add with what a member counts in each histogram.
func figuresOf(m *segment.Member, t *segment.Thresholds, add func(figure int, v int64)) {
	if m.Days == 0 {
		return
	}
	add(recency, int64(t.Today-m.Last))
	add(frequency, m.Orders)
	add(monetary, m.Spent)
	if t.Present(m) {
		add(present, m.WindowSpent)
	}
	if m.WindowSpent > 0 {
		add(window, m.WindowSpent)
	}
}

// Estimate is what a member's purchases say by the cuts of a run, as of its
// instant. All of it is nothing for one who never bought.
type Estimate struct {
	RFM    segment.RFM
	Active *float64       // nil without a model
	Value  *segment.Value // nil without both models
}

// Of a member's purchases. orders is how many of hers count.
func (c *Cuts) Of(p *loyalty.Purchases, orders int64) Estimate {
	m := MemberOf(p, orders, c.Today)
	var e Estimate
	if m.Days == 0 {
		return e
	}
	if c.RFM != nil {
		e.RFM = c.RFM.ScoreOf(&m, c.Today)
	}
	if b := c.Models.Buying; b != nil {
		q, _ := m.Purchases(c.Today)
		active := b.Active(q.X, q.Tx, q.T)
		e.Active = &active
		if l := c.lifetime(); l != nil {
			v := l.Of(&m, c.Today)
			e.Value = &v
		}
	}
	return e
}

// lifetime is of both models, nil without.
func (c *Cuts) lifetime() *segment.Lifetime {
	if c.Models.Buying == nil || c.Models.Spending == nil {
		return nil
	}
	return segment.NewLifetime(*c.Models.Buying, *c.Models.Spending, c.Yearly)
}

// MemberOf has the figures of a member on a day, as a run takes them.
func MemberOf(p *loyalty.Purchases, orders int64, today int32) segment.Member {
	g := glanceOf(p, orders)
	c := newCalendar(int64(segment.Month(today)) + monthZero)
	var m segment.Member
	c.figures(g, &m)
	return m
}

func glanceOf(p *loyalty.Purchases, orders int64) *loyalty.Glance {
	g := &loyalty.Glance{Orders: orders, Spent: p.Spent, Away: p.Away, Oldest: p.Oldest, Next: p.Next, From: p.From, Months: p.Months, Newest: p.Newest, Stores: int64(len(p.Stores))}
	if p.Elsewhere > 0 {
		g.Stores++
	}
	return g
}
