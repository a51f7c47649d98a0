package segment_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/shared/segment"
)

func cuts(t testing.TB, values []int64) segment.Cuts {
	t.Helper()
	s, err := segment.Ranks(values, segment.CutRanks(int64(len(values)))...)
	if err != nil {
		t.Fatal(err)
	}
	return segment.CutsOf(s)
}

// From the orders to the scores of the R package rfm, for all 995 customers.
func TestRFMIsThatOfR(t *testing.T) {
	type figures struct{ last, orders, amount int64 }
	was := map[string]*figures{}
	today := day(t, "20061231")
	for _, row := range readTable(t, "rfm/rfm_data_orders.csv") {
		f := was[row["customer_id"]]
		if f == nil {
			f = &figures{}
			was[row["customer_id"]] = f
		}
		f.last = max(f.last, int64(day(t, strings.ReplaceAll(row["order_date"], "-", ""))))
		f.orders++
		f.amount += whole(t, row["revenue"])
	}
	var recency, orders, amount []int64
	for _, f := range was {
		recency, orders, amount = append(recency, int64(today)-f.last), append(orders, f.orders), append(amount, f.amount)
	}
	by := segment.RFMCuts{Recency: cuts(t, recency), Frequency: cuts(t, orders), Monetary: cuts(t, amount)}
	t.Logf("cuts: %+v", by)
	golden := readTable(t, "rfm/rfm_data_orders_golden_995.csv")
	if len(golden) != 995 || len(was) != 995 {
		t.Fatalf("%d of %d customers", len(golden), len(was))
	}
	for _, row := range golden {
		f := was[row["customer_id"]]
		got := []string{fmt.Sprint(int64(today) - f.last), fmt.Sprint(f.orders), fmt.Sprint(f.amount)}
		s := by.Score(int64(today)-f.last, f.orders, f.amount)
		got = append(got, fmt.Sprint(s.R), fmt.Sprint(s.F), fmt.Sprint(s.M))
		want := []string{row["recency_days"], row["transaction_count"], row["amount"], row["recency_score"], row["frequency_score"], row["monetary_score"]}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", row["customer_id"], d)
		}
	}
}

func TestRFMOfTies(t *testing.T) {
	// Three of four members bought once: they are together, and lowest.
	c := cuts(t, []int64{1, 1, 1, 1, 1, 1, 2, 5})
	by := segment.RFMCuts{Recency: cuts(t, []int64{0, 0, 0, 0, 0, 9, 9, 40}), Frequency: c, Monetary: c}
	got := map[int64]segment.RFM{}
	for _, v := range []int64{1, 2, 5} {
		got[v] = by.Score(0, v, v)
	}
	// Most were here today: that is as recent as can be.
	if d := cmp.Diff(map[int64]segment.RFM{1: {R: 5, F: 1, M: 1}, 2: {R: 5, F: 4, M: 4}, 5: {R: 5, F: 5, M: 5}}, got); d != "" {
		t.Error(d)
	}
}

func TestRFMGroups(t *testing.T) {
	members := map[string]int{}
	for r := range 5 {
		for f := range 5 {
			for m := range 5 {
				members[segment.RFM{R: r + 1, F: f + 1, M: m + 1}.Group()]++
			}
		}
	}
	names := slices.Sorted(maps.Keys(members))
	if want := []string{"about_to_sleep", "at_risk", "cant_lose", "champions", "hibernating", "lost", "loyal", "need_attention", "new_customers", "potential_loyalists", "promising"}; !cmp.Equal(names, want) {
		t.Error(cmp.Diff(want, names))
	}
	for s, want := range map[segment.RFM]string{{5, 5, 5}: "champions", {1, 5, 4}: "cant_lose", {1, 1, 1}: "lost", {5, 1, 1}: "new_customers", {3, 3, 2}: "need_attention", {4, 4, 3}: "loyal", {1, 1, 2}: "hibernating", {}: ""} {
		if got := s.Group(); got != want {
			t.Errorf("%v is %s, want %s", s, got, want)
		}
	}
	by := segment.RFMCuts{}
	if got := by.ScoreOf(&segment.Member{}, 100); got != (segment.RFM{}) {
		t.Error("one who never bought has a score: ", got)
	}
	if got := by.ScoreOf(&segment.Member{Days: 1, Orders: 1, Spent: 1, Last: 100}, 100); got != (segment.RFM{R: 5, F: 5, M: 5}) {
		t.Error(got)
	}
}

// A better value never scores lower, and equal values score the same.
func TestScoresFollowValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := amounts().Draw(t, "values")
		s, err := segment.Ranks(values, segment.CutRanks(int64(len(values)))...)
		if err != nil {
			t.Fatal(err)
		}
		by := segment.RFMCuts{Recency: segment.CutsOf(s), Frequency: segment.CutsOf(s), Monetary: segment.CutsOf(s)}
		slices.Sort(values)
		was := segment.RFM{R: 5, F: 1, M: 1}
		for _, v := range values {
			got := by.Score(v, v, v)
			if got.F < was.F || got.M < was.M || got.R > was.R || got.F != got.M || got.R != 6-got.F || got.F > 5 {
				t.Fatalf("%d scores %v after %v", v, got, was)
			}
			was = got
		}
	})
}
