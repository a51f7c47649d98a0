package refresh

import (
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

func TestNetworks(t *testing.T) {
	for _, c := range []struct {
		name   string
		edges  []edge
		merged []moved
		want   []valued
	}{
		{
			"each generation is worth less, down to the depth",
			[]edge{{Member: "B", Advocate: "A", Spent: 100}, {Member: "C", Advocate: "B", Spent: 101}, {Member: "D", Advocate: "C", Spent: 1000}},
			nil,
			[]valued{{Member: "A", Value: 151, Members: 2}, {Member: "B", Value: 601, Members: 2}, {Member: "C", Value: 1000, Members: 1}},
		},
		{"who was merged brings for whom she is", []edge{{Member: "B", Advocate: "OLD", Spent: 100}}, []moved{{From: "OLD", Into: "OLDER"}, {From: "OLDER", Into: "A"}}, []valued{{Member: "A", Value: 100, Members: 1}}},
		{
			"a circle ends",
			[]edge{{Member: "A", Advocate: "B", Spent: 10}, {Member: "B", Advocate: "A", Spent: 20}},
			[]moved{{From: "X", Into: "Y"}, {From: "Y", Into: "X"}},
			[]valued{{Member: "A", Value: 20, Members: 1}, {Member: "B", Value: 10, Members: 1}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, network(c.edges, c.merged, 2, big.NewRat(1, 2)), cmp.AllowUnexported(valued{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConditions(t *testing.T) {
	two, ten := int64(2), int64(10)
	defined := []Definition{
		{ID: "list", Members: []string{"M"}},
		{ID: "haifa", Where: &Condition{Attributes: map[string][]string{"city": {"Haifa", "Akko"}}}},
		{ID: "not-haifa", Where: &Condition{Not: &Condition{Attributes: map[string][]string{"city": {"Haifa"}}}}},
		{ID: "few", Where: &Condition{Statistics: map[string]Between{"orders": {From: &two, To: &ten}}}},
		{ID: "either", Where: &Condition{Any: []Condition{{Segments: []string{"top_20"}}, {Statistics: map[string]Between{"points": {From: &ten}}}}}},
		{ID: "both", Where: &Condition{All: []Condition{{Segments: []string{"new"}}, {Statistics: map[string]Between{"points": {From: &ten}}}}}},
	}
	for _, d := range defined {
		if err := d.Check(); err != nil {
			t.Errorf("%s: %v", d.ID, err)
		}
	}
	c, err := compile(defined, 100)
	if err != nil {
		t.Fatal(err)
	}
	r := row{balance: 11}
	r.m.Orders = 10
	r.leaves = c.hold("M", map[string]string{"city": "Haifa"})
	// In the list, of Haifa, few orders, enough points for either, and new besides.
	if got, want := c.of(&r, loyalty.SegmentBit("new"), segment.RFM{}), uint64(0b111011); got != want {
		t.Errorf("holds %06b, want %06b", got, want)
	}
	for name, d := range map[string]Definition{
		"built in":          {ID: "former", Members: []string{}},
		"neither":           {ID: "x"},
		"asks for nothing":  {ID: "x", Where: &Condition{}},
		"unknown segment":   {ID: "x", Where: &Condition{Segments: []string{"vip"}}},
		"unknown statistic": {ID: "x", Where: &Condition{Statistics: map[string]Between{"shoe_size": {From: &two}}}},
		"no bound":          {ID: "x", Where: &Condition{Statistics: map[string]Between{"orders": {}}}},
	} {
		if d.Check() == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
