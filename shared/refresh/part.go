package refresh

import (
	"cmp"
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

// key packs purchase days after the first, days from the first to the last,
// and to the end.
func key(x, tx, t int64) uint64 { return uint64(x)<<44 | uint64(t)<<22 | uint64(tx) }

func (c counted) purchases() segment.Purchases {
	days := func(n uint64) float64 { return float64(n&(1<<22-1)) / 7 }
	return segment.Purchases{X: int64(c.Key >> 44), Tx: days(c.Key), T: days(c.Key >> 22), N: c.N}
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

func compactCounted(all counts) counts {
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
