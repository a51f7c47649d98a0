package refresh

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

// The figures of a row are those that package loyalty gives, and a row is what
// was written of it.
func TestARowHasTheFiguresOfTheAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const today = 20500
		a := loyalty.Account{Member: rapid.StringMatching(`[0-9A-Z]{1,40}`).Draw(t, "member"), Balance: rapid.Int64().Draw(t, "balance")}
		years := map[int64]loyalty.Spans{}
		for range rapid.IntRange(0, 80).Draw(t, "purchases") {
			y := &loyalty.Years{Read: func(year int64) (loyalty.Spans, error) { return years[year], nil }}
			b := loyalty.Bought{Day: rapid.Int64Range(today-800, today+20).Draw(t, "day"), Orders: 1, Spent: rapid.Int64Range(0, 1<<40).Draw(t, "spent"), Store: fmt.Sprint("s", rapid.IntRange(1, 12).Draw(t, "store"))}
			if err := a.Purchases.Replace(loyalty.Bought{}, b, y); err != nil {
				t.Fatal(err)
			}
			a.Orders++
			y.Changed(func(year int64, days loyalty.Spans) { years[year] = days })
		}
		p := &a.Purchases
		var g loyalty.Glance
		if err := g.Read(a.Side()); err != nil {
			t.Fatal(err)
		}
		plan := &Plan{Today: today}
		cal := newCalendar(plan.month())
		c := &conditions{}
		var r row
		c.row(&g, &cal, a.Member, nil, &r)
		m := r.m
		days, orders, spent := p.Window(12, plan.month())
		recent, before := p.Recent(plan.month())
		got := []int64{int64(m.First), int64(m.Second), int64(m.Last), m.Days, m.Orders, m.Spent, m.FirstSpent, m.WindowDays, m.WindowOrders, m.WindowSpent, m.Recent, m.Before}
		want := []int64{p.First().Number, p.Second(), p.Last(), p.Days(), a.Orders, p.Spent, p.First().Spent, days, orders, spent, recent, before}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if other := MemberOf(p, a.Orders, today); other != m {
			t.Fatalf("a member's answer takes %+v, the run %+v", other, m)
		}
		r.friends, r.shipped, r.custom, r.leaves, r.born, r.sent, r.foreign = 7, 1<<13|5, 1<<63|3, 1<<40, 12, true, true
		var back row
		back.read(r.append(nil))
		if string(back.id) != a.Member || back.m != r.m || back.balance != r.balance || back.friends != 7 || back.shipped != r.shipped || back.custom != r.custom || back.leaves != r.leaves || back.born != 12 || !back.sent || !back.foreign {
			t.Fatalf("%+v came back as %+v", r, back)
		}
	})
}
