package refresh

import (
	"encoding/binary"
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

// part is what a shard comes to. Parts add up in any order, see sum.
type part struct {
	Members    int64
	Buyers     int64
	Balance    int64           // points
	Histograms [figures][]byte // each of package segment's, packed; nothing where there is no value
	Bought     counts          // for BG/NBD
	Spends     spends          // for Gamma-Gamma
	Held       counts          // for the holdout
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
	Key    uint64 // see key
	N      int64
	Actual int64
}

// key packs purchase days after the first (17 bits), days from the first to the
// end (16, until the year 2149), and to the last (16): numbers sort by themselves.
func key(x, tx, t int64) uint64 {
	return uint64(min(x, 1<<17-1))<<32 | uint64(min(t, 1<<16-1))<<16 | uint64(min(tx, 1<<16-1))
}

// actualBits are those of an Actual behind a key: days of some months.
const actualBits = 15

func (c counted) purchases() segment.Purchases {
	days := func(n uint64) float64 { return float64(uint16(n)) / 7 }
	return segment.Purchases{X: int64(c.Key >> 32), Tx: days(c.Key), T: days(c.Key >> 16), N: c.N}
}

// countAll makes lists of what was gathered: keys with an Actual behind.
func countAll(gathered []uint64) (out counts) {
	slices.Sort(gathered)
	for _, g := range gathered {
		k, actual := g>>actualBits, int64(g&(1<<actualBits-1))
		if n := len(out) - 1; n >= 0 && out[n].Key == k {
			out[n].N++
			out[n].Actual += actual
		} else {
			out = append(out, counted{k, 1, actual})
		}
	}
	return out
}

// sumBits are those of a Sum behind an X where spends are gathered: more than
// 175 billion of a currency's larger unit are taken for so many.
const sumBits = 44

func gatheredSpend(x, sum int64) uint64 {
	return uint64(min(x, 1<<(64-sumBits)-1))<<sumBits | uint64(min(sum, 1<<sumBits-1))
}

func spendAll(gathered []uint64) (out spends) {
	slices.Sort(gathered)
	var last uint64
	for _, g := range gathered {
		if n := len(out) - 1; n >= 0 && last == g {
			out[n].N++
		} else {
			out = append(out, spend{int64(g >> sumBits), int64(g & (1<<sumBits - 1)), 1})
		}
		last = g
	}
	return out
}

// spend are members with the same spend on purchase days after the first.
type spend struct {
	X   int64 // of these days
	Sum int64 // minor units
	N   int64
}

// counts and spends are lists in order, packed as distances.
type (
	counts []counted
	spends []spend
)

// MarshalBinary implements encoding.BinaryMarshaler.
func (l counts) MarshalBinary() ([]byte, error) {
	var b []byte
	var last uint64
	for _, c := range l {
		b = binary.AppendUvarint(b, c.Key-last)
		b = binary.AppendUvarint(b, uint64(c.N))
		b = binary.AppendUvarint(b, uint64(c.Actual))
		last = c.Key
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (l *counts) UnmarshalBinary(b []byte) error {
	var last uint64
	return triples(b, func(key, n, actual uint64) {
		last += key
		*l = append(*l, counted{last, int64(n), int64(actual)})
	})
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (l spends) MarshalBinary() ([]byte, error) {
	var b []byte
	var last spend
	for _, s := range l {
		if s.X != last.X {
			last.Sum = 0
		}
		b = binary.AppendUvarint(b, uint64(s.X-last.X))
		b = binary.AppendUvarint(b, uint64(s.Sum-last.Sum))
		b = binary.AppendUvarint(b, uint64(s.N))
		last = s
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (l *spends) UnmarshalBinary(b []byte) error {
	var last spend
	return triples(b, func(x, sum, n uint64) {
		if x != 0 {
			last.Sum = 0
		}
		last = spend{last.X + int64(x), last.Sum + int64(sum), int64(n)}
		*l = append(*l, last)
	})
}

// triples calls visit with each three numbers.
func triples(b []byte, visit func(x, y, z uint64)) error {
	var n [3]uint64
	for len(b) > 0 {
		for i := range n {
			v, size := binary.Uvarint(b)
			if size <= 0 {
				return errShort
			}
			n[i], b = v, b[size:]
		}
		visit(n[0], n[1], n[2])
	}
	return nil
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
	histograms [figures]*segment.Histogram
}

func newSum(month int64) *sum {
	s := &sum{part: *newPart(month)}
	for i := range s.histograms {
		s.histograms[i] = segment.NewHistogram()
	}
	return s
}

func (p *sum) merge(o *part) error {
	p.Members += o.Members
	p.Buyers += o.Buyers
	p.Balance += o.Balance
	p.Took += o.Took
	for i, packed := range o.Histograms {
		if len(packed) > 0 {
			if err := p.histograms[i].MergeBinary(packed); err != nil {
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
