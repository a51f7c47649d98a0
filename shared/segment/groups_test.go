package segment_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/shared/segment"
)

// SC16: shares to the minor unit, ties by first purchase and then id, and after a refund
// exactly four changes.
func TestSC16(t *testing.T) {
	spends := []int64{5200, 4100, 1500, 900, 900, 700, 700, 300, 200, 100}
	members := make([]segment.Member, len(spends))
	for i, spent := range spends {
		members[i] = segment.Member{ID: fmt.Sprintf("m%02d", i), First: int32(100 + i), Days: 1, WindowSpent: spent}
	}
	run := func() (segment.Shares, []segment.Groups) {
		s, err := segment.SharesOf(members)
		if err != nil {
			t.Fatal(err)
		}
		var groups []segment.Groups
		for i := range members {
			groups = append(groups, s.Of(&members[i]))
		}
		return s, groups
	}
	const top, next, rest = segment.Top20, segment.Next40, segment.Groups(0)
	shares, before := run()
	if d := cmp.Diff([]segment.Groups{top, top, next, next, next, next, rest, rest, rest, rest}, before); d != "" {
		t.Error(d)
	}
	var figures []string
	for _, p := range []segment.Part{shares.Top, shares.Next, shares.Rest} {
		figures = append(figures, fmt.Sprint(p.Members, " ", p.Spent, " ", segment.Percent(p.Spent, 14_600)))
	}
	if d := cmp.Diff([]string{"2 9300 63.70", "4 4000 27.40", "4 1300 8.90"}, figures); d != "" {
		t.Error(d)
	}

	// Of the two 700s the earlier first purchase is in, then the lower id.
	members[6].First = members[5].First - 1
	if _, g := run(); g[5] != rest || g[6] != next {
		t.Error("the later first purchase is in: ", g)
	}
	members[6].First = members[5].First
	if _, g := run(); g[5] != next || g[6] != rest {
		t.Error("the higher id is in: ", g)
	}

	members[1].WindowSpent -= 3000
	shares, after := run()
	if d := cmp.Diff([]segment.Groups{top, next, top, next, next, next, rest, rest, rest, rest}, after); d != "" {
		t.Error(d)
	}
	if shares.Top.Spent != 5200+1500 || shares.Next.Spent != 1100+900+900+700 {
		t.Errorf("%+v", shares)
	}
	changes := 0
	for i := range members {
		left, entered := before[i].Changes(after[i])
		changes += bits.OnesCount16(uint16(left)) + bits.OnesCount16(uint16(entered))
	}
	if changes != 4 {
		t.Errorf("%d changes", changes)
	}
}

func TestShareSizes(t *testing.T) {
	want := [][3]int64{{0, 0, 0}, {1, 0, 0}, {1, 0, 1}, {1, 1, 1}, {1, 1, 2}, {1, 2, 2}, {1, 3, 2}, {1, 3, 3}, {2, 3, 3}, {2, 3, 4}, {2, 4, 4}, {2, 5, 4}, {2, 5, 5}}
	for n, w := range want {
		top, next := segment.ShareSizes(int64(n))
		if got := [3]int64{top, next, int64(n) - top - next}; got != w {
			t.Errorf("%d members: %v, want %v", n, got, w)
		}
	}
}

func anyone() *rapid.Generator[segment.Member] {
	return rapid.Custom(func(t *rapid.T) segment.Member {
		return segment.Member{
			First: rapid.Int32Range(1, 3).Draw(t, "first"), Days: 1,
			WindowSpent: rapid.OneOf(rapid.Int64Range(-1, 2), rapid.SampledFrom([]int64{990, 5_000_000, 5_000_001}), rapid.Int64Range(0, 1<<45)).Draw(t, "spent"),
		}
	})
}

// Shares by shards are those of sorting everyone, and so is what they spent.
func TestSharesByShardsAreThoseOfTheSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.SliceOfN(anyone(), 0, 60).Draw(t, "members")
		order := rapid.Permutation(slices.Collect(func(yield func(int) bool) {
			for i := range members {
				if !yield(i) {
					return
				}
			}
		})).Draw(t, "ids")
		for i := range members {
			members[i].ID = fmt.Sprintf("m%03d", order[i])
		}
		shards := slices.Collect(slices.Chunk(members, rapid.IntRange(1, 25).Draw(t, "shard")))

		// By shards: spends first, then who is tied.
		merged := segment.NewHistogram()
		for _, shard := range shards {
			h := segment.NewHistogram()
			for i := range shard {
				if k, spent := shard[i].Key(); spent {
					h.Add(k.Spent)
				}
			}
			if err := merged.Merge(h); err != nil {
				t.Fatal(err)
			}
		}
		count, total := merged.Count()
		s, err := segment.NewSearch(merged, segment.ShareRanks(count)...)
		for err == nil && !s.Done() {
			if merged, err = s.Histogram(); err == nil {
				for _, shard := range shards {
					h, _ := s.Histogram()
					for i := range shard {
						if k, spent := shard[i].Key(); spent {
							h.Add(k.Spent)
						}
					}
					if err := merged.Merge(h); err != nil {
						t.Fatal(err)
					}
				}
				err = s.Refine(merged)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(segment.NewTies(s))
		if err != nil {
			t.Fatal(err)
		}
		all := segment.NewTies(s)
		for _, shard := range shards {
			var part segment.Ties
			if err := json.Unmarshal(data, &part); err != nil {
				t.Fatal(err)
			}
			for i := range shard {
				part.Add(&shard[i])
			}
			all.Merge(&part)
		}
		got := all.Done()

		// All at once.
		sorted := slices.Clone(members)
		sorted = slices.DeleteFunc(sorted, func(m segment.Member) bool { return m.WindowSpent <= 0 })
		slices.SortFunc(sorted, func(a, b segment.Member) int {
			switch {
			case a.WindowSpent != b.WindowSpent:
				return int(min(max(b.WindowSpent-a.WindowSpent, -1), 1))
			case a.First != b.First:
				return int(a.First - b.First)
			case a.ID < b.ID:
				return -1
			}
			return 1
		})
		top, next := segment.ShareSizes(int64(len(sorted)))
		want := map[string]segment.Groups{}
		var spent [3]int64
		for i, m := range sorted {
			at := 2
			switch {
			case int64(i) < top:
				want[m.ID], at = segment.Top20, 0
			case int64(i) < top+next:
				want[m.ID], at = segment.Next40, 1
			}
			spent[at] += m.WindowSpent
		}
		for i := range members {
			if g := got.Of(&members[i]); g != want[members[i].ID] {
				t.Fatalf("%+v is in %v, want %v; %+v", members[i], g.Names(), want[members[i].ID].Names(), got)
			}
		}
		if d := cmp.Diff(spent, [3]int64{got.Top.Spent, got.Next.Spent, got.Rest.Spent}); d != "" || count != int64(len(sorted)) || total != spent[0]+spent[1]+spent[2] {
			t.Fatal(d)
		}
		inMemory, err := segment.SharesOf(members)
		if d := cmp.Diff(got, inMemory); d != "" || err != nil {
			t.Fatal(d, err)
		}
	})
}

// Many members of one spend are not all kept.
func TestTiesKeepFew(t *testing.T) {
	h := segment.NewHistogram()
	for range 100_000 {
		h.Add(990)
	}
	h.Add(slices.Repeat([]int64{2000}, 19_990)...)
	s, err := segment.NewSearch(h, segment.ShareRanks(119_990)...)
	if err != nil {
		t.Fatal(err)
	}
	ties := segment.NewTies(s)
	most := 0
	for i := 99_999; i >= 0; i-- { // the last come first
		ties.Add(&segment.Member{ID: fmt.Sprint(100_000 + i), First: 7, WindowSpent: 990})
		most = max(most, len(ties.Top.Keys))
	}
	// The top are 23,998: those of 2000, and 4,008 of the tied.
	if got := ties.Done().Top.Last.ID; got != "104007" || most > 2*4008+64 {
		t.Errorf("the last is %s, %d keys were kept", got, most)
	}
}

func at(y int, m time.Month, d int) int32 {
	return int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func TestFormerByTheCalendar(t *testing.T) {
	for _, c := range []struct {
		today, lapsed int32
		months        int
	}{
		{at(2026, 3, 15), at(2025, 3, 15), 12},
		{at(2028, 2, 29), at(2027, 2, 28), 12},
		{at(2026, 5, 31), at(2026, 2, 28), 3},
		{at(2026, 1, 31), at(2025, 12, 31), 1},
		{at(2026, 1, 1), at(2024, 12, 1), 13},
	} {
		r := segment.DefaultRules()
		r.LapseMonths = c.months
		if got := r.On(c.today).Lapsed; got != c.lapsed {
			t.Errorf("%d months before %d: %d, want %d", c.months, c.today, got, c.lapsed)
		}
	}
}

func TestGroups(t *testing.T) {
	today := at(2026, 3, 15)
	thresholds := segment.DefaultRules().On(today)
	spends, err := segment.Ranks([]int64{10, 90, 100, 200}, segment.Median.Ranks(4)...)
	if err != nil {
		t.Fatal(err)
	}
	thresholds.FindHeavy(spends)
	if thresholds.Heavy != 95 {
		t.Fatalf("the median is %d", thresholds.Heavy)
	}
	half, under := .5, .499
	for _, c := range []struct {
		name   string
		m      segment.Member
		active *float64
		want   segment.Groups
	}{
		{"never bought", segment.Member{}, nil, 0},
		{"never bought, with a model", segment.Member{}, &under, 0},
		{"regular heavy", segment.Member{First: today - 200, Last: today, Days: 4, WindowDays: 4, WindowSpent: 95}, nil, segment.RegularHeavy | segment.Repeat},
		{"regular light", segment.Member{First: today - 200, Last: today, Days: 4, WindowDays: 4, WindowSpent: 94}, nil, segment.RegularLight | segment.Repeat},
		{"infrequent heavy", segment.Member{First: today - 200, Last: today, Days: 40, WindowDays: 3, WindowSpent: 95}, nil, segment.InfrequentHeavy | segment.Repeat},
		{"infrequent light", segment.Member{First: today - 31, Last: today - 31, Days: 1, WindowDays: 1, WindowSpent: 94}, nil, segment.InfrequentLight},
		{"new on day 30", segment.Member{First: today - 30, Last: today - 30, Days: 1, WindowDays: 1, WindowSpent: 94}, nil, segment.InfrequentLight | segment.New},
		{"no longer new with a second day", segment.Member{First: today - 30, Last: today, Days: 2, WindowDays: 2, WindowSpent: 94}, nil, segment.InfrequentLight | segment.Repeat},
		{"the last day before the lapse", segment.Member{First: at(2025, 3, 16), Last: at(2025, 3, 16), Days: 1, WindowSpent: 500}, nil, segment.InfrequentHeavy},
		{"former", segment.Member{First: at(2025, 3, 15), Last: at(2025, 3, 15), Days: 1, WindowSpent: 500, WindowDays: 9}, nil, segment.Former},
		{"two stores", segment.Member{First: today - 31, Last: today - 31, Days: 1, Stores: 2}, nil, segment.InfrequentLight | segment.MultiStore},
		{"half is not declining", segment.Member{First: today - 200, Last: today, Days: 2, Before: 101, Recent: 51}, nil, segment.InfrequentLight | segment.Repeat},
		{"under half is", segment.Member{First: today - 200, Last: today, Days: 2, Before: 101, Recent: 50}, nil, segment.InfrequentLight | segment.Repeat | segment.Declining},
		{"half of an even sum is not", segment.Member{First: today - 200, Last: today, Days: 2, Before: 100, Recent: 50}, nil, segment.InfrequentLight | segment.Repeat},
		{"of one purchase day nothing declines", segment.Member{First: today - 200, Last: today - 200, Days: 1, Before: 100}, nil, segment.InfrequentLight},
		{"more came back than was bought", segment.Member{First: today - 200, Last: today, Days: 2, Before: 0, Recent: -50}, nil, segment.InfrequentLight | segment.Repeat},
		{"twice her gap", segment.Member{First: today - 60, Last: today - 30, Days: 3}, nil, segment.InfrequentLight | segment.Repeat},
		{"longer", segment.Member{First: today - 60, Last: today - 31, Days: 3}, nil, segment.InfrequentLight | segment.Repeat | segment.AtRisk},
		{"the model has the word", segment.Member{First: today - 60, Last: today - 31, Days: 3}, &half, segment.InfrequentLight | segment.Repeat},
		{"and says less than half", segment.Member{First: today - 60, Last: today, Days: 3}, &under, segment.InfrequentLight | segment.Repeat | segment.AtRisk},
		{"but not of one purchase day", segment.Member{First: today - 60, Last: today - 60, Days: 1}, &under, segment.InfrequentLight},
	} {
		if got := thresholds.Groups(&c.m, c.active); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got.Names(), c.want.Names())
		}
		if thresholds.Former(&c.m) && thresholds.Present(&c.m) || c.m.Days > 0 && !thresholds.Former(&c.m) && !thresholds.Present(&c.m) {
			t.Errorf("%s: former and present", c.name)
		}
	}

	fixed := segment.Rules{LapseMonths: 12, HeavySpent: 7}.On(today)
	fixed.FindHeavy(spends)
	if fixed.Heavy != 7 {
		t.Errorf("a fixed amount became %d", fixed.Heavy)
	}
	thresholds.FindHeavy(&segment.Search{}) // of nobody
	only := segment.Member{ID: "a", First: today, Last: today, Days: 1, WindowSpent: 1}
	if thresholds.Shares, err = segment.SharesOf([]segment.Member{only}); err != nil {
		t.Fatal(err)
	}
	if got := thresholds.Groups(&only, nil); got&segment.Top20 == 0 {
		t.Error("the only one is not at the top: ", got.Names())
	}
}

func TestGroupNames(t *testing.T) {
	all := segment.Groups(math.MaxUint16 >> 4)
	names := all.Names()
	if d := cmp.Diff([]string{"top_20", "next_40", "regular_heavy", "regular_light", "infrequent_heavy", "infrequent_light", "former", "declining", "at_risk", "new", "repeat", "multi_store"}, names); d != "" {
		t.Error(d)
	}
	if got := segment.GroupsOf(append(names, "advocates")...); got != all {
		t.Errorf("%v", got.Names())
	}
	left, entered := segment.GroupsOf("new", "top_20").Changes(segment.GroupsOf("repeat", "top_20"))
	if d := cmp.Diff([][]string{{"new"}, {"repeat"}}, [][]string{left.Names(), entered.Names()}); d != "" {
		t.Error(d)
	}
}

// The five groups are one for whoever has bought, whatever the figures.
func TestFiveGroupsPartition(t *testing.T) {
	five := segment.RegularHeavy | segment.RegularLight | segment.InfrequentHeavy | segment.InfrequentLight | segment.Former
	rapid.Check(t, func(t *rapid.T) {
		today := rapid.Int32Range(5000, 30_000).Draw(t, "today")
		r := segment.Rules{LapseMonths: rapid.IntRange(1, 40).Draw(t, "lapse"), RegularDays: rapid.Int64Range(0, 9).Draw(t, "regular"), HeavySpent: rapid.Int64Range(0, 100).Draw(t, "heavy"), NewDays: 30}
		m := segment.Member{Days: rapid.Int64Range(0, 5).Draw(t, "days"), Last: today - rapid.Int32Range(0, 2000).Draw(t, "ago"), WindowDays: rapid.Int64Range(0, 10).Draw(t, "window"), WindowSpent: rapid.Int64Range(-5, 200).Draw(t, "spent")}
		m.First = m.Last
		in := bits.OnesCount16(uint16(r.On(today).Groups(&m, nil) & five))
		if in > 1 || (in == 1) != (m.Days > 0) {
			t.Fatalf("%+v is in %d of five", m, in)
		}
	})
}
