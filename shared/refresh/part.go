package refresh

import (
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

// part is what a shard comes to. Parts add up in any order, see sum.
type part struct {
	Members    int64
	Buyers     int64
	Balance    int64           // points
	Histograms [figures][]byte // each of package segment's, packed
	Bought     counts          // for BG/NBD, by key
	Spends     counts          // for Gamma-Gamma, by spendKey
	Held       counts          // for the holdout, by key
	Cohorts    *segment.Cohorts
	Edges      []edge
	Moved      []moved
	Treated    Arm // see Lift
	Control    Arm
	Took       int64 // milliseconds
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

// sum is what parts come to together.
type sum struct {
	part
	histograms           [figures]*segment.Histogram
	bought, spends, held []counts // of each part
}

func newSum(month int64) *sum {
	return &sum{part: *newPart(month), histograms: newHistograms()}
}

func newHistograms() (all [figures]*segment.Histogram) {
	for i := range all {
		all[i] = segment.NewHistogram()
	}
	return all
}

func (p *sum) merge(o *part) error {
	p.Members += o.Members
	p.Buyers += o.Buyers
	p.Balance += o.Balance
	p.Took += o.Took
	for i, packed := range o.Histograms {
		if err := p.histograms[i].MergeBinary(packed); err != nil {
			return err
		}
	}
	p.bought, p.spends, p.held = append(p.bought, o.Bought), append(p.spends, o.Spends), append(p.held, o.Held)
	p.Treated.merge(o.Treated)
	p.Control.merge(o.Control)
	p.Edges, p.Moved = append(p.Edges, o.Edges...), append(p.Moved, o.Moved...)
	return p.Cohorts.Merge(o.Cohorts)
}

// months in which a member bought, ascending, her first ever at the front,
// counted from January 1970 as cohorts do.
func (c *calendar) months(g *loyalty.Glance, first int32, into []int32) []int32 {
	last := c.monthOf(first)
	into = append(into, last)
	for i := range g.Months {
		if month := int32(g.Months[i].Number - monthZero); last < month {
			into, last = append(into, month), month
		}
	}
	for i := range g.Newest {
		if month := c.monthOf(int32(g.Newest[i].Number)); last < month {
			into, last = append(into, month), month
		}
	}
	return into
}
