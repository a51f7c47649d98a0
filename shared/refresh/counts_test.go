package refresh

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Lists of shards come to what one list of all would.
func TestCountsOfShards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 1<<(64-actualBits)-1), 1, 8, rapid.ID).Draw(t, "keys")
		all := map[uint64]counted{}
		var lists []counts
		for range rapid.IntRange(0, 9).Draw(t, "shards") {
			var gathered []uint64
			for range rapid.IntRange(0, 20).Draw(t, "members") {
				c := counted{Key: rapid.SampledFrom(keys).Draw(t, "key"), Actual: rapid.Int64Range(0, 1<<actualBits-1).Draw(t, "actual")}
				gathered = append(gathered, c.Key<<actualBits|uint64(c.Actual))
				before := all[c.Key]
				all[c.Key] = counted{c.Key, before.N + 1, before.Actual + c.Actual}
			}
			lists = append(lists, countAll(gathered, make([]uint64, len(gathered)+1), actualBits))
		}
		got := map[uint64]counted{}
		var last uint64
		if err := eachCounted(lists, func(c counted) {
			if len(got) > 0 && c.Key <= last {
				t.Fatalf("%d after %d", c.Key, last)
			}
			got[c.Key], last = c, c.Key
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Fatal(diff)
		}
	})
	if err := eachCounted([]counts{{1, 0x80}}, func(counted) {}); err == nil {
		t.Error("a list that ends early was read")
	}
}

func TestNumbersAreSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := rapid.SliceOf(rapid.Uint64()).Draw(t, "numbers")
		want := slices.Sorted(slices.Values(got))
		if got = sortNumbers(got, make([]uint64, len(got))); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// A key says what the models take, whatever order it sorts in.
func TestKeysAreWhatTheyAreOf(t *testing.T) {
	c := counted{Key: key(3, 21, 28), N: 5}
	if p := c.purchases(); p.X != 3 || p.Tx != 3 || p.T != 4 || p.N != 5 {
		t.Errorf("%+v", p)
	}
	c.Key = spendKey(4, 1001)
	if s := c.spend(); s.X != 4 || s.Mean != 250.25 || s.N != 5 {
		t.Errorf("%+v", s)
	}
}
