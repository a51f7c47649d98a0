package refresh

import (
	"cmp"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// The figures whose ranks a run looks for.
const (
	recency   = iota // days since the last purchase, of who ever bought
	frequency        // orders, of the same
	monetary         // spend, of the same
	present          // spend in the window, of who is not former
	window           // spend in the window, of who spent any
	figures
)

// part is what a shard comes to. Parts add up in any order.
type part struct {
	Members    int64
	Buyers     int64
	Balance    int64                       // points
	Histograms [figures]*segment.Histogram // nil where there is no value
	Bought     []counted                   // for BG/NBD
	Spends     []spend                     // for Gamma-Gamma
	Held       []counted                   // for the holdout
	Cohorts    *segment.Cohorts
	Edges      []edge
	Moved      []moved
	Treated    Arm // see Lift
	Control    Arm
	Took       int64 // milliseconds
}

// counted are members with the same purchases, and how often they bought in
// the months of the holdout.
type counted struct {
	_      struct{} `cbor:",toarray"`
	Key    uint64   // see key
	N      int64
	Actual int64
}

// key packs purchase days after the first, days from the first to the last,
// and to the end.
func key(x, tx, t int64) uint64 { return uint64(x)<<44 | uint64(t)<<22 | uint64(tx) }

func (c counted) purchases() segment.Purchases {
	days := func(n uint64) float64 { return float64(n&(1<<22-1)) / 7 }
	return segment.Purchases{X: int64(c.Key >> 44), Tx: days(c.Key), T: days(c.Key >> 22), N: c.N}
}

// spend are members with the same spend on purchase days after the first.
type spend struct {
	_   struct{} `cbor:",toarray"`
	X   int64    // of these days
	Sum int64    // minor units
	N   int64
}

// edge leads from a member to who sent her.
type edge struct {
	_        struct{} `cbor:",toarray"`
	Member   string
	Advocate string
	Spent    int64 // ever, minor units
}

// moved is a member who was merged into another.
type moved struct {
	_    struct{} `cbor:",toarray"`
	From string
	Into string
}

var (
	encoder = must(cbor.EncOptions{}.EncMode())
	decoder = must(cbor.DecOptions{MaxArrayElements: 1<<31 - 1, MaxMapPairs: 1<<31 - 1}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// cohortMonths is how far back cohorts go: as far as months of a purchase are known.
const cohortMonths = 24

func newPart(month int64) *part {
	return &part{Cohorts: segment.NewCohorts(int32(month-monthZero)-cohortMonths, int32(month-monthZero))}
}

func (p *part) merge(o *part) error {
	p.Members += o.Members
	p.Buyers += o.Buyers
	p.Balance += o.Balance
	p.Took += o.Took
	for i, h := range o.Histograms {
		switch {
		case h == nil:
		case p.Histograms[i] == nil:
			p.Histograms[i] = h
		default:
			if err := p.Histograms[i].Merge(h); err != nil {
				return err
			}
		}
	}
	p.Bought, p.Held, p.Spends = append(p.Bought, o.Bought...), append(p.Held, o.Held...), append(p.Spends, o.Spends...)
	p.Treated.merge(o.Treated)
	p.Control.merge(o.Control)
	p.Edges, p.Moved = append(p.Edges, o.Edges...), append(p.Moved, o.Moved...)
	return p.Cohorts.Merge(o.Cohorts)
}

// compact makes one of what is the same.
func (p *part) compact() {
	p.Bought, p.Held = compactCounted(p.Bought), compactCounted(p.Held)
	slices.SortFunc(p.Spends, func(a, b spend) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Sum, b.Sum)) })
	out := p.Spends[:0]
	for _, s := range p.Spends {
		if n := len(out) - 1; n >= 0 && out[n].X == s.X && out[n].Sum == s.Sum {
			out[n].N += s.N
		} else {
			out = append(out, s)
		}
	}
	p.Spends = out
}

func compactCounted(all []counted) []counted {
	slices.SortFunc(all, func(a, b counted) int { return cmp.Compare(a.Key, b.Key) })
	out := all[:0]
	for _, c := range all {
		if n := len(out) - 1; n >= 0 && out[n].Key == c.Key {
			out[n].N += c.N
			out[n].Actual += c.Actual
		} else {
			out = append(out, c)
		}
	}
	return out
}

// months in which a member bought, ascending, her first ever at the front,
// counted from January 1970 as cohorts do.
func months(g *loyalty.Glance, first int32, into []int32) []int32 {
	into = append(into, segment.Month(first))
	add := func(month int32) {
		if into[len(into)-1] < month {
			into = append(into, month)
		}
	}
	for i := range g.Months {
		add(int32(g.Months[i].Number - monthZero))
	}
	var month int32
	end := int64(-1) // of the days of month
	for i := range g.Newest {
		if day := g.Newest[i].Number; day >= end {
			month = segment.Month(int32(day))
			end = firstDay(int64(month) + monthZero + 1)
		}
		add(month)
	}
	return into
}
