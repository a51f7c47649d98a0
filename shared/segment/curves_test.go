package segment_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/shared/segment"
)

// The 80/20 curve of SC16: ten members, a decile each.
func TestDeciles(t *testing.T) {
	spends := []int64{700, 5200, 100, 4100, 900, 1500, 900, 300, 700, 200}
	s, err := segment.Ranks(spends, segment.DecileRanks(10)...)
	if err != nil {
		t.Fatal(err)
	}
	var spent []int64
	var curve []string
	for _, d := range segment.Deciles(s) {
		if d.Members != 1 {
			t.Errorf("%+v", d)
		}
		spent, curve = append(spent, d.Spent), append(curve, d.Cumulative)
	}
	if d := cmp.Diff([]int64{5200, 4100, 1500, 900, 900, 700, 700, 300, 200, 100}, spent); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"35.62", "63.70", "73.97", "80.14", "86.30", "91.10", "95.89", "97.95", "99.32", "100.00"}, curve); d != "" {
		t.Error(d)
	}
	none, err := segment.Ranks(nil, segment.DecileRanks(0)...)
	if err != nil || segment.Deciles(none)[9] != (segment.Decile{Share: "0.00", Cumulative: "0.00"}) {
		t.Error(segment.Deciles(none), err)
	}
}

// Deciles are tenths of the sorted spends, and sum to all of it.
func TestDecilesAreThoseOfTheSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spends := rapid.SliceOfN(rapid.Int64Range(1, 9000), 1, 80).Draw(t, "spends")
		n := len(spends)
		s, err := segment.Ranks(spends, segment.DecileRanks(int64(n))...)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(spends)
		slices.Reverse(spends)
		from := 0
		for i, d := range segment.Deciles(s) {
			to := int(math.Floor(float64(n*(i+1))/10 + .5))
			var sum int64
			for _, v := range spends[from:to] {
				sum += v
			}
			if d.Members != int64(to-from) || d.Spent != sum {
				t.Fatalf("decile %d is %+v, want %d of %d", i+1, d, sum, to-from)
			}
			from = to
		}
		if from != n {
			t.Fatal(from)
		}
	})
}

func TestMigration(t *testing.T) {
	m, other := segment.NewMigration("a", "b"), segment.NewMigration("a", "b")
	for _, move := range [][2]string{{"a", "b"}, {"a", "a"}, {"", "b"}} {
		if err := m.Add(move[0], move[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Add("a", "b"); err != nil {
		t.Fatal(err)
	}
	if err := m.Merge(other); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&segment.Migration{Groups: []string{"", "a", "b"}, Counts: [][]int64{{0, 0, 1}, {0, 1, 2}, {0, 0, 0}}}, m); d != "" {
		t.Error(d)
	}
	if m.Add("a", "c") == nil || m.Merge(segment.NewMigration("b", "a")) == nil {
		t.Error("another group was counted")
	}
}

func TestCohorts(t *testing.T) {
	january := segment.Month(at(2026, 1, 31))
	if january != 56*12 || segment.Month(at(2025, 12, 1)) != january-1 || segment.Month(0) != 0 {
		t.Fatalf("January 2026 is month %d", january)
	}
	c, other := segment.NewCohorts(january, january+2), segment.NewCohorts(january, january+2)
	c.Add(january, january, january+2, january+3)
	c.Add(january + 1)
	c.Add(january-1, january) // of an earlier cohort
	c.Add(january + 3)        // of a later one
	c.Add()
	other.Add(january, january+1, january+1)
	if err := c.Merge(other); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]int64{{2, 1, 1}, {1, 0}, {0}}, c.Active); d != "" {
		t.Error(d)
	}
	if c.Merge(segment.NewCohorts(january+1, january+3)) == nil {
		t.Error("other months were merged")
	}
}

func TestDistribution(t *testing.T) {
	d, other := segment.NewDistribution(), segment.NewDistribution()
	for _, v := range []float64{0, 99.9, 100, 250, 1e9} {
		d.Add(v)
	}
	other.Add(100)
	if err := d.Merge(other); err != nil {
		t.Fatal(err)
	}
	last := len(d.Bounds)
	if d.Members[0] != 2 || d.Members[1] != 2 || d.Members[2] != 1 || d.Members[last] != 1 || d.Values[1] != 200 || d.Bounds[last-1] != 100_000_000 || len(d.Members) != last+1 || !slices.IsSorted(d.Bounds) {
		t.Errorf("%+v", d)
	}
	if d.Merge(&segment.Distribution{}) == nil {
		t.Error("other bounds were merged")
	}
}
