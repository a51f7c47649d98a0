package segment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/shared/segment"
)

// amounts are drawn from stretches in which many are equal, near, or of any size.
func amounts() *rapid.Generator[[]int64] {
	return rapid.SliceOfN(rapid.OneOf(
		rapid.Int64Range(-3, 3),
		rapid.SampledFrom([]int64{990, 1990, 4_294_967_296, math.MinInt64, math.MaxInt64}),
		rapid.Int64Range(2040, 2060),
		rapid.Int64Range(1<<40, 1<<40+100_000),
		rapid.Int64Range(-1<<33, -1<<33+9000),
		rapid.Int64(),
	), 1, 80)
}

// sent is a histogram after a journey as JSON or as bytes.
func sent(t *rapid.T, h *segment.Histogram) *segment.Histogram {
	var back segment.Histogram
	if rapid.Bool().Draw(t, "json") {
		data, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		return &back
	}
	data, err := h.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := back.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	return &back
}

// Ranks by shards are those of the sorted whole.
func TestRanksByShardsAreThoseOfTheSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := amounts().Draw(t, "values")
		shards := make([][]int64, rapid.IntRange(1, 4).Draw(t, "shards"))
		for i, v := range values {
			shards[i%len(shards)] = append(shards[i%len(shards)], v)
		}
		ranks := rapid.SliceOfN(rapid.Int64Range(1, int64(len(values))), 0, 12).Draw(t, "ranks")

		pass := func(empty func() *segment.Histogram) *segment.Histogram {
			merged := empty()
			for _, shard := range shards {
				h := empty()
				h.Add(shard...)
				if err := merged.Merge(sent(t, h)); err != nil {
					t.Fatal(err)
				}
			}
			return sent(t, merged)
		}
		s, err := segment.NewSearch(pass(segment.NewHistogram), ranks...)
		if err != nil {
			t.Fatal(err)
		}
		passes := 1
		for ; !s.Done(); passes++ {
			data, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			s = &segment.Search{}
			if err := json.Unmarshal(data, s); err != nil {
				t.Fatal(err)
			}
			err = s.Refine(pass(func() *segment.Histogram {
				h, err := s.Histogram()
				if err != nil {
					t.Fatal(err)
				}
				return h
			}))
			if err != nil {
				t.Fatal(err)
			}
		}
		if passes > 5 {
			t.Fatalf("%d passes", passes)
		}

		sorted := slices.Sorted(slices.Values(values))
		want := []segment.Rank(nil)
		for _, at := range slices.Compact(slices.Sorted(slices.Values(ranks))) {
			r := segment.Rank{At: at, Value: sorted[at-1]}
			for i, v := range sorted {
				if v < r.Value {
					r.Below++
				}
				if v == r.Value {
					r.Equal++
				}
				if int64(i) < at {
					r.Sum += v
				}
			}
			want = append(want, r)
		}
		if d := cmp.Diff(want, s.Found); d != "" || s.Count != int64(len(values)) {
			t.Fatal(d)
		}
	})
}

// Money takes two passes, as the comment says; any value at most five.
func TestPasses(t *testing.T) {
	for _, c := range []struct {
		value  int64
		passes int
	}{{2047, 1}, {-2048, 1}, {2048, 2}, {1<<25 - 1, 2}, {-1 << 25, 2}, {1 << 25, 3}, {math.MaxInt64, 5}, {math.MinInt64, 5}} {
		h := segment.NewHistogram()
		h.Add(c.value, c.value)
		s, err := segment.NewSearch(h, 2)
		passes := 1
		for ; err == nil && !s.Done(); passes++ {
			if h, err = s.Histogram(); err == nil {
				h.Add(c.value, c.value)
				err = s.Refine(h)
			}
		}
		if err != nil || passes != c.passes || s.Rank(2).Value != c.value {
			t.Errorf("%d: %d passes, %+v, %v", c.value, passes, s, err)
		}
	}
}

// Quantiles are those of R: quantile(x, type = 7), rounded up.
func TestQuantiles(t *testing.T) {
	for _, c := range []struct {
		values []int64
		q      segment.Quantile
		want   int64
	}{
		{[]int64{7}, segment.Quantile{Num: 1, Den: 2}, 7},
		{[]int64{1, 2}, segment.Quantile{Num: 1, Den: 2}, 2},    // 1.5
		{[]int64{-2, -1}, segment.Quantile{Num: 1, Den: 2}, -1}, // -1.5
		{[]int64{3, 1, 2}, segment.Quantile{Num: 1, Den: 2}, 2},
		{[]int64{10, 20, 30, 40, 50, 60}, segment.Quantile{Num: 1, Den: 5}, 20},
		{[]int64{10, 20, 30, 40, 50, 60, 70}, segment.Quantile{Num: 1, Den: 5}, 22},
		{[]int64{10, 20, 30}, segment.Quantile{Num: 0, Den: 5}, 10},
		{[]int64{10, 20, 30}, segment.Quantile{Num: 5, Den: 5}, 30},
		{[]int64{math.MinInt64, math.MaxInt64}, segment.Quantile{Num: 1, Den: 2}, 0}, // -0.5
	} {
		s, err := segment.Ranks(c.values, c.q.Ranks(int64(len(c.values)))...)
		if err != nil || c.q.Of(s) != c.want {
			t.Errorf("%v: %v, want %v (%v)", c.values, c.q.Of(s), c.want, err)
		}
	}
}

// What is not a histogram, or not of this pass, is refused.
func TestHistogramsThatCannotBe(t *testing.T) {
	for _, text := range []string{
		`{"cells":[[-1,1,1]]}`, `{"cells":[[999999999,1,1]]}`, `{"cells":[[5,0,1]]}`, `{"cells":[[5,1,1],[5,1,1]]}`, `{"cells":[[5,-1,1]]}`,
		`{"ranges":[{"low":0,"width":3}],"cells":[]}`, `{"ranges":[{"low":1048577,"width":3}],"cells":[]}`, `{"ranges":[{"low":1048576,"width":40}],"cells":[]}`,
		`{"ranges":[{"low":1048576,"width":3},{"low":1048576,"width":3}],"cells":[]}`, `{"ranges":[{"low":2097152,"width":3},{"low":1048576,"width":3}],"cells":[]}`,
		`{"ranges":[{"low":1048576,"width":3}],"cells":[[8,1,1]]}`,
	} {
		var h segment.Histogram
		if err := json.Unmarshal([]byte(text), &h); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
	good := segment.NewHistogram()
	good.Add(5000, 1<<50, -7)
	data, _ := good.MarshalBinary()
	var cut segment.Histogram
	if err := cut.UnmarshalBinary(data[:len(data)-1]); err == nil {
		t.Error("half a number was taken")
	}
	if err := cut.UnmarshalBinary(nil); err == nil {
		t.Error("nothing was taken")
	}
	s, err := segment.NewSearch(good, 2)
	if err != nil {
		t.Fatal(err)
	}
	next, err := s.Histogram()
	if err != nil {
		t.Fatal(err)
	}
	if good.Merge(next) == nil || s.Refine(good) == nil {
		t.Error("passes were mixed")
	}
	if err := s.Refine(next); err == nil {
		t.Error("nothing was counted in the range that holds the rank, and nobody noticed")
	}
	if _, err := segment.NewSearch(next, 1); err == nil {
		t.Error("a search began with a later pass")
	}
	if _, err := segment.NewSearch(good, 4); err == nil {
		t.Error("rank 4 of 3 values")
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		part, whole int64
		want        string
	}{{9300, 14600, "63.70"}, {1, 3, "33.33"}, {2, 3, "66.67"}, {1, 20_000, "0.01"}, {1, 20_001, "0.00"}, {0, 0, "0.00"}, {-1, 3, "-33.33"}, {1, -3, "-33.33"}, {-1, -3, "33.33"}, {7, 2, "350.00"}, {math.MaxInt64, math.MaxInt64, "100.00"}, {math.MinInt64, math.MaxInt64, "-100.00"}} {
		if got := segment.Percent(c.part, c.whole); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.part, c.whole, got, c.want)
		}
	}
}

// tenMillion are spends as shops have them: log-normal, about 300.00.
func tenMillion() []int64 {
	chance := rand.New(rand.NewPCG(1, 2))
	values := make([]int64, 10_000_000)
	for i := range values {
		values[i] = int64(30_000 * math.Exp(chance.NormFloat64()))
	}
	return values
}

// BenchmarkQuintiles finds the ranks of the four quintile cuts.
func BenchmarkQuintiles(b *testing.B) {
	values := tenMillion()
	n := int64(len(values))
	var ranks []int64
	for i := range int64(4) {
		ranks = append(ranks, segment.Quantile{Num: i + 1, Den: 5}.Ranks(n)...)
	}
	var found *segment.Search
	b.Run("histograms", func(b *testing.B) {
		for b.Loop() {
			s, err := segment.Ranks(values, ranks...)
			if err != nil {
				b.Fatal(err)
			}
			found = s
		}
	})
	sorted := make([]int64, n)
	b.Run("sort", func(b *testing.B) {
		for b.Loop() {
			copy(sorted, values)
			slices.Sort(sorted)
		}
	})
	for _, r := range found.Found {
		if sorted[r.At-1] != r.Value {
			b.Error(fmt.Sprint(r, " is not ", sorted[r.At-1]))
		}
	}
}

// What a shard packed merges into others as itself does, of this pass and of a later one.
func TestPackedHistogramsMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(-1<<40, 1<<40), 1, 50)
		a, b := values.Draw(t, "a"), values.Draw(t, "b")
		first := segment.NewHistogram()
		first.Add(a...)
		search, err := segment.NewSearch(first, int64(len(a)+1)/2)
		if err != nil {
			t.Fatal(err)
		}
		fresh := func() *segment.Histogram {
			if search.Done() || rapid.Bool().Draw(t, "first pass") {
				return segment.NewHistogram()
			}
			h, err := search.Histogram()
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		one := fresh()
		packed, err := one.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		another := func(values []int64) *segment.Histogram {
			h := new(segment.Histogram)
			if err := h.UnmarshalBinary(packed); err != nil {
				t.Fatal(err)
			}
			h.Add(values...)
			return h
		}
		both, plain, other := another(a), another(a), another(b)
		raw, err := other.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(both.MergeBinary(raw), plain.Merge(other)); err != nil {
			t.Fatal(err)
		}
		got, _ := both.MarshalBinary()
		want, _ := plain.MarshalBinary()
		if !bytes.Equal(got, want) {
			t.Fatal("packed, another histogram")
		}
		if len(raw) > 1 && both.MergeBinary(raw[:len(raw)-1]) == nil {
			t.Fatal("a histogram that ends early is taken")
		}
	})
}
