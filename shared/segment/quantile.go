package segment

import (
	"fmt"
	"slices"
)

// Rank is an exact order statistic: the value at a place in ascending order.
type Rank struct {
	At    int64 `json:"at"` // 1 is the smallest value
	Value int64 `json:"value"`
	Below int64 `json:"below"` // how many values are smaller
	Equal int64 `json:"equal"` // how many are equal to it
	Sum   int64 `json:"sum"`   // of the At smallest values
}

// Search finds ranks of values that lie in shards, exactly and without sorting or
// sampling. It is plain data that can be handed from one pass to the next as JSON:
//
//	pass 1       every shard fills a NewHistogram; they merge; NewSearch asks for ranks
//	each next    while not Done: every shard fills a Histogram of the search; they merge; Refine
//
// A pass after the first looks only into the stretches that hold a wanted rank, 2^14
// values or parts at a time: values under 2^25 (335 544.31 in minor units) take two
// passes in all, any int64 at most five.
type Search struct {
	Count int64  `json:"count"` // of all values
	Sum   int64  `json:"sum"`   // of all values
	Found []Rank `json:"found"` // ascending
	Open  []Open `json:"open,omitempty"`
}

// Open is a range that holds ranks which are still to be found.
type Open struct {
	Range
	Below    int64   `json:"below"`     // values under the range
	SumBelow int64   `json:"sum_below"` // and their sum
	Ranks    []int64 `json:"ranks"`
}

// NewSearch asks a merged histogram of the first pass for ranks, from 1 to its count.
func NewSearch(h *Histogram, ranks ...int64) (*Search, error) {
	if h.owner != nil {
		return nil, fmt.Errorf("not a histogram of the first pass")
	}
	s := &Search{}
	s.Count, s.Sum = h.Count()
	ranks = slices.Compact(slices.Sorted(slices.Values(ranks)))
	if len(ranks) > mostRanges || len(ranks) > 0 && (ranks[0] < 1 || ranks[len(ranks)-1] > s.Count) {
		return nil, fmt.Errorf("ranks %v of %d values, at most %d ranks", ranks, s.Count, mostRanges)
	}
	s.look(h.cells, func(i int) Range {
		low, width := bucketRange(h.first + i)
		return Range{low, width}
	}, Open{Ranks: ranks})
	return s, nil
}

// look finds ranks in cells: in a cell of one value they are found, in another
// they stay open within it.
func (s *Search) look(cells []cell, of func(int) Range, in Open) {
	below, sum, ranks := in.Below, in.SumBelow, in.Ranks
	for i, c := range cells {
		n := 0
		for n < len(ranks) && ranks[n] <= below+c.count {
			n++
		}
		if n > 0 {
			r := of(i)
			if r.Width > 0 {
				s.Open = append(s.Open, Open{r, below, sum, ranks[:n]})
			} else {
				for _, at := range ranks[:n] {
					s.Found = append(s.Found, Rank{At: at, Value: r.Low, Below: below, Equal: c.count, Sum: sum + (at-below)*r.Low})
				}
			}
			if ranks = ranks[n:]; len(ranks) == 0 {
				return
			}
		}
		below += c.count
		sum += c.sum
	}
}

// Done is true when every rank is found.
func (s *Search) Done() bool { return len(s.Open) == 0 }

// Histogram is an empty one for the next pass over a shard.
func (s *Search) Histogram() (*Histogram, error) {
	ranges := make([]Range, len(s.Open))
	for i, o := range s.Open {
		ranges[i] = o.Range
	}
	return refining(ranges)
}

// Refine takes the merged histogram of a pass. The error is of one from another pass.
func (s *Search) Refine(h *Histogram) error {
	if !slices.EqualFunc(s.Open, h.ranges, func(o Open, r Range) bool { return o.Range == r }) {
		return fmt.Errorf("not a histogram of this pass")
	}
	wanted, open := s.ranks(), s.Open
	s.Open = nil
	for i, o := range open {
		cells := h.cells[h.starts[i]:]
		if i+1 < len(open) {
			cells = h.cells[h.starts[i]:h.starts[i+1]]
		}
		s.look(cells, func(at int) Range {
			return Range{o.Low + int64(at)<<o.coarser(), o.coarser()}
		}, o)
	}
	if s.ranks() != wanted {
		return fmt.Errorf("the values have changed since the last pass")
	}
	slices.SortFunc(s.Found, func(a, b Rank) int { return int(min(max(a.At-b.At, -1), 1)) })
	return nil
}

// ranks that are searched for or found.
func (s *Search) ranks() int {
	n := len(s.Found)
	for _, o := range s.Open {
		n += len(o.Ranks)
	}
	return n
}

// Rank that was found. It panics when it was not asked for or is still open: that is the
// caller's error.
func (s *Search) Rank(at int64) Rank {
	for _, r := range s.Found {
		if r.At == at {
			return r
		}
	}
	panic(fmt.Sprintf("segment: rank %d was not found", at))
}

// Ranks finds ranks of values that are all in memory, in as many passes as it takes.
func Ranks(values []int64, ranks ...int64) (*Search, error) {
	h := NewHistogram()
	h.Add(values...)
	s, err := NewSearch(h, ranks...)
	for err == nil && !s.Done() {
		if h, err = s.Histogram(); err != nil {
			break
		}
		h.Add(values...)
		err = s.Refine(h)
	}
	return s, err
}

// A Quantile is a fraction Num/Den of a population, from 0 to 1, as R's type 7 has
// it (Hyndman and Fan 1996; the default of R and NumPy): at 1 + (n-1)·Num/Den in
// ascending order, between two values in proportion. Here it is rounded up to a whole number.
type Quantile struct{ Num, Den int64 }

// place is the rank at or under the quantile, and how many Den-ths it lies above it.
func (q Quantile) place(n int64) (at, above int64) {
	// (n-1)·Num fits: populations have under 2^50 members and fractions small terms.
	return 1 + (n-1)*q.Num/q.Den, (n - 1) * q.Num % q.Den
}

// Ranks that the quantile of n values needs; of none, none.
func (q Quantile) Ranks(n int64) []int64 {
	if n == 0 {
		return nil
	}
	at, above := q.place(n)
	if above == 0 {
		return []int64{at}
	}
	return []int64{at, at + 1}
}

// Of a search that has found its ranks in values that there are.
func (q Quantile) Of(s *Search) int64 {
	at, above := q.place(s.Count)
	low := s.Rank(at).Value
	if above == 0 {
		return low
	}
	gap := uint64(s.Rank(at+1).Value) - uint64(low)
	return low + int64(portion(gap, uint64(above), uint64(q.Den), up))
}
