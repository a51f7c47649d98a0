package orders_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/orders"
	"regulars/shared/program"
	"regulars/shared/table"
	"regulars/shared/table/embedded"
)

// till tells orders of members to a table.
type till struct {
	*testing.T
	engine *embedded.Engine
	store  *table.Store
	now    time.Time
	states map[string]loyalty.Order
}

func newTill(t *testing.T) *till {
	e, err := embedded.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	w := &till{T: t, engine: e, store: table.NewStore(e), now: time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC), states: map[string]loyalty.Order{}}
	w.update(func(tx *table.Tx) error {
		raw := []byte(`{}`)
		doc, err := program.Parse(raw, nil)
		if err != nil {
			return err
		}
		_, err = tx.Publish(doc, raw, w.now)
		return err
	})
	for _, m := range []string{"A", "B"} {
		w.update(func(tx *table.Tx) error { return tx.Enrol(&table.Profile{Member: m, CreatedAt: 1}) })
	}
	return w
}

func (w *till) update(decide func(tx *table.Tx) error) {
	w.Helper()
	if err := w.store.Update(w.Context(), "p", decide); err != nil {
		w.Fatal(err)
	}
}

// sell tells an order of 10.00, or its next state.
func (w *till) sell(member, id string, at time.Time, change func(*loyalty.Order)) {
	w.Helper()
	o, told := w.states[id]
	if !told {
		o = loyalty.Order{
			Source: "till", ID: id, State: loyalty.Paid, Currency: "ILS", PaidAt: at, Member: "mem_" + member, Store: "tlv-1",
			Lines: []loyalty.Line{{ID: "1", Quantity: 1, UnitPrice: 1000, Amount: 1000}},
		}
	}
	o.Version.N++
	if change != nil {
		change(&o)
	}
	w.states[id] = o
	w.update(func(tx *table.Tx) error {
		_, err := orders.Take(tx, &o, orders.Teller{Now: w.now, Seed: fmt.Sprint(id, o.Version.N)})
		return err
	})
}

// has is what the table has of a member: the statistics, and the years beside.
func (w *till) has(member string) (p loyalty.Purchases, years map[string]loyalty.Spans) {
	w.Helper()
	if err := w.store.View(w.Context(), "p", func(tx *table.Tx) error {
		a, err := tx.Account(member)
		if err == nil {
			p = a.Purchases
		}
		return err
	}); err != nil {
		w.Fatal(err)
	}
	years = map[string]loyalty.Spans{}
	page, err := w.engine.Query(w.Context(), table.Query{PK: "p#MEMBER#" + member, Prefix: "DAYS#", Limit: 100})
	if err != nil {
		w.Fatal(err)
	}
	for _, it := range page.Items {
		days, err := table.Decode[loyalty.Spans](it)
		if err != nil {
			w.Fatal(err)
		}
		years[strings.TrimPrefix(it.SK, "DAYS#")] = *days
	}
	return p, years
}

func cancelled(o *loyalty.Order) { o.State = loyalty.Cancelled }

// Early days leave the account for their years; there they change, and from
// there they come back.
func TestDaysLeaveTheAccountAndAreFoundAgain(t *testing.T) {
	w := newTill(t)
	week := func(i int) time.Time { return w.now.AddDate(0, 0, -7*(99-i)) }
	for i := range 99 {
		w.sell("A", fmt.Sprint(i), week(i), nil)
	}
	day := func(i int) int64 { return loyalty.DayOf(week(i), time.UTC) }
	p, years := w.has("A")
	if p.Days() != 99 || p.Spent != 99_000 || p.First() != (loyalty.Span{Number: day(0), Days: 1, Orders: 1, Spent: 1000}) || p.Second() != day(1) || p.Last() != day(98) || len(p.Newest) > 32 || len(years) != 2 {
		t.Fatalf("%+v, %v", p, years)
	}
	if diff := cmp.Diff([]loyalty.Visits{{Store: "tlv-1", Orders: 99}}, p.Stores); diff != "" {
		t.Error(diff)
	}
	w.sell("A", "0", time.Time{}, cancelled)
	w.sell("A", "1", time.Time{}, func(o *loyalty.Order) { o.Refunded = 400 })
	if p, _ = w.has("A"); p.First() != (loyalty.Span{Number: day(1), Days: 1, Orders: 1, Spent: 600}) || p.Second() != day(2) || p.Days() != 98 || p.Spent != 97_600 {
		t.Errorf("%+v", p)
	}
	for i := range 60 { // all of the first year
		w.sell("A", fmt.Sprint(i), time.Time{}, cancelled)
	}
	if p, years = w.has("A"); p.First().Number != day(60) || p.Second() != day(61) || p.Days() != 39 || len(years) != 1 {
		t.Errorf("%+v, %v", p, years)
	}
	for i := range 38 { // all but one of those
		w.sell("A", fmt.Sprint(98-i), time.Time{}, cancelled)
	}
	if p, years = w.has("A"); p.Last() != day(60) || p.Second() != 0 || p.Days() != 1 || p.Spent != 1000 || len(years) != 0 {
		t.Errorf("%+v, %v", p, years)
	}
}

// Of two members who are one all days are joined, those of one date to one.
func TestYearsOfTwoMembersAreJoined(t *testing.T) {
	w := newTill(t)
	for i := range 80 {
		w.sell("A", fmt.Sprint("a", i), w.now.AddDate(0, 0, -7*(99-i)), nil)
		w.sell("B", fmt.Sprint("b", i), w.now.AddDate(0, 0, -14*(99-i)), nil)
	}
	w.update(func(tx *table.Tx) error {
		a, err := tx.Account("A")
		if err != nil {
			return err
		}
		b, err := tx.Account("B")
		if err != nil {
			return err
		}
		if err := tx.JoinPurchases(a, b); err != nil {
			return err
		}
		if err := tx.PutAccount(a); err != nil {
			return err
		}
		return tx.PutAccount(b)
	})
	want := map[int64]loyalty.Span{}
	for i := range 80 {
		for _, days := range []int{7 * (99 - i), 14 * (99 - i)} {
			n := loyalty.DayOf(w.now.AddDate(0, 0, -days), time.UTC)
			want[n] = loyalty.Span{Number: n, Days: 1, Orders: want[n].Orders + 1, Spent: want[n].Spent + 1000}
		}
	}
	p, years := w.has("A")
	got := slices.Clone(p.Newest)
	for _, days := range years {
		got = append(got, days...)
	}
	for _, d := range got {
		if want[d.Number] != d {
			t.Errorf("day %d is %+v, should be %+v", d.Number, d, want[d.Number])
		}
	}
	if len(got) != len(want) || p.Days() != int64(len(want)) || p.Spent != 160_000 || len(years) < 4 {
		t.Errorf("%d days, should be %d: %+v", len(got), len(want), p)
	}
	if p, years := w.has("B"); p.Days() != 0 || p.Spent != 0 || len(years) != 0 {
		t.Errorf("the other keeps %+v, %v", p, years)
	}
}
