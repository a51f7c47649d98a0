package loyalty_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

// A glance says what a summary says, also when it is not the first.
func TestAGlanceIsASummary(t *testing.T) {
	var g loyalty.Glance
	rapid.Check(t, func(t *rapid.T) {
		a := loyalty.Account{
			Member: "M", Orders: rapid.Int64Range(0, 1<<40).Draw(t, "orders"), Balance: rapid.Int64().Draw(t, "balance"), Born: rapid.Int64Range(0, 12).Draw(t, "born"),
			Segmented: rapid.Int64Range(0, 1<<40).Draw(t, "segmented"), SegmentSeq: rapid.Int64Range(0, 1<<20).Draw(t, "seq"),
			Segments: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"former", "top_20", "new", "advocates", "own", "vip", "regular_heavy"}), 0, 5, rapid.ID).Draw(t, "segments"),
		}
		a.Advocacy.Friends = rapid.Int64Range(0, 100).Draw(t, "friends")
		switch rapid.IntRange(0, 2).Draw(t, "who") {
		case 1:
			a.Referred = &loyalty.Referred{Advocate: "ADVOCATE"}
		case 2:
			a.Into = "ANOTHER"
		}
		years := map[int64]loyalty.Spans{}
		for i := range rapid.IntRange(0, 60).Draw(t, "purchases") {
			y := &loyalty.Years{Read: func(year int64) (loyalty.Spans, error) { return years[year], nil }}
			b := loyalty.Bought{Day: rapid.Int64Range(18000, 20500).Draw(t, "day"), Orders: 1, Spent: rapid.Int64Range(0, 1<<40).Draw(t, "spent"), Store: fmt.Sprint("s", i%rapid.IntRange(1, 12).Draw(t, "stores"))}
			if err := a.Purchases.Replace(loyalty.Bought{}, b, y); err != nil {
				t.Fatal(err)
			}
			y.Changed(func(year int64, days loyalty.Spans) { years[year] = days })
		}
		side := a.Side()
		s, err := loyalty.ReadSummary(side)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Read(side); err != nil {
			t.Fatal(err)
		}
		other, stores := s.Advocate+s.Into, int64(len(s.Stores))
		if s.Elsewhere > 0 {
			stores++
		}
		var names []string
		names = append(names, loyalty.SegmentNames(g.Shipped)...)
		for _, n := range g.Named {
			names = append(names, string(n))
		}
		slices.Sort(names)
		slices.Sort(s.Segments)
		if !slices.Equal(names, s.Segments) {
			t.Fatalf("segments %v, want %v", names, s.Segments)
		}
		got := []any{g.Merged, g.Born, g.Orders, g.Friends, g.Segmented, g.Seq, g.Balance, string(g.Other), g.Spent, g.Away, g.Oldest, g.Next, g.From, g.Days(), g.Stores, len(g.Months), len(g.Newest)}
		want := []any{s.Merged, s.Born, s.Orders, s.Friends, s.Segmented, s.SegmentSeq, s.Balance, other, s.Spent, s.Away, s.Oldest, s.Next, s.From, s.Days(), stores, len(s.Months), len(s.Newest)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if !slices.Equal(g.Newest, s.Newest) || !slices.Equal(g.Months, s.Months) {
			t.Fatal("other days or months")
		}
		for n := range side { // whatever ends early is refused or is a shorter truth, and never panics
			_, refused := loyalty.ReadSummary(side[:n])
			if err := g.Read(side[:n]); (err == nil) != (refused == nil) {
				t.Fatalf("%d bytes: %v, and of a summary %v", n, err, refused)
			}
		}
	})
}

func TestAGlanceAllocatesNothing(t *testing.T) {
	a := loyalty.Account{Member: "M", Orders: 9, Segments: []string{"former", "own"}}
	y := &loyalty.Years{Read: func(int64) (loyalty.Spans, error) { return nil, nil }}
	for day := range int64(40) {
		if err := a.Purchases.Replace(loyalty.Bought{}, loyalty.Bought{Day: 20000 + 3*day, Orders: 1, Spent: 100, Store: "s"}, y); err != nil {
			t.Fatal(err)
		}
	}
	side := a.Side()
	var g loyalty.Glance
	if n := testing.AllocsPerRun(100, func() {
		if err := g.Read(side); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
