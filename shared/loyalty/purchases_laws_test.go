package loyalty_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

// buyer is a member with the years that left the account.
type buyer struct {
	account *loyalty.Account
	years   map[int64]loyalty.Spans
	records []*loyalty.Record
}

func newBuyer(id string) *buyer {
	return &buyer{account: &loyalty.Account{Member: id}, years: map[int64]loyalty.Spans{}}
}

func (b *buyer) reading() *loyalty.Years {
	return &loyalty.Years{Read: func(year int64) (loyalty.Spans, error) { return b.years[year], nil }}
}

func (b *buyer) write(y *loyalty.Years) {
	y.Changed(func(year int64, days loyalty.Spans) {
		if b.years[year] = days; len(days) == 0 {
			delete(b.years, year)
		}
	})
}

// tell lets account and purchases follow a state of an order, as package
// orders does.
func (b *buyer) tell(t rapid.TB, rec *loyalty.Record, o *loyalty.Order, tm *loyalty.Terms, now time.Time) {
	t.Helper()
	if !slices.Contains(b.records, rec) {
		b.records = append(b.records, rec)
		rec.Member = b.account.Member
	}
	switch status, err := rec.Receive(o, true); {
	case err != nil:
		t.Fatal(err)
	case status != loyalty.Applied:
		return
	}
	was := rec.Bought
	if _, err := b.account.Apply(rec, loyalty.Telling{Pinned: tm, Current: tm, Now: now}); err != nil {
		t.Fatal(err)
	}
	b.account.Tail = b.account.Tail[len(b.account.Tail)-1:]
	y := b.reading()
	if err := b.account.Purchases.Replace(was, rec.Bought, y); err != nil {
		t.Fatal(err)
	}
	b.write(y)
}

func (b *buyer) join(t rapid.TB, from *buyer, tm *loyalty.Terms, now time.Time) {
	t.Helper()
	if _, err := b.account.Merge(from.account, "seed", tm, now); err != nil {
		t.Fatal(err)
	}
	mine, theirs := b.reading(), from.reading()
	if err := b.account.Purchases.Join(&from.account.Purchases, mine, theirs); err != nil {
		t.Fatal(err)
	}
	b.write(mine)
	from.write(theirs)
	b.records = append(b.records, from.records...)
	from.records = nil
}

// plainly is what orders come to by their own content: days with orders and
// what was spent, orders by store, all of them.
func (b *buyer) plainly() (days loyalty.Spans, stores map[string]int64, orders int64) {
	byDay := map[int64]loyalty.Span{}
	stores = map[string]int64{}
	for _, r := range b.records {
		o := r.Order
		amount, refunded := o.Lines[0].Amount, min(o.Refunded, o.Lines[0].Amount)
		if o.State != loyalty.Paid || amount > 0 && amount == refunded {
			continue
		}
		local := o.PaidAt.In(jerusalem)
		n := int64(time.Date(local.Year(), local.Month(), local.Day(), 12, 0, 0, 0, time.UTC).Sub(time.Unix(0, 0)).Hours()) / 24
		d := byDay[n]
		byDay[n] = loyalty.Span{Number: n, Days: 1, Orders: d.Orders + 1, Spent: d.Spent + amount - refunded}
		if o.Store != "" {
			stores[o.Store]++
		}
		orders++
	}
	return slices.SortedFunc(maps.Values(byDay), func(x, y loyalty.Span) int { return cmp.Compare(x.Number, y.Number) }), stores, orders
}

// holds compares the statistics with what orders come to, and checks their bounds.
func (b *buyer) holds(t rapid.TB, now time.Time) {
	t.Helper()
	days, stores, orders := b.plainly()
	p := &b.account.Purchases
	var got loyalty.Spans
	for _, year := range slices.Sorted(maps.Keys(b.years)) {
		for _, d := range b.years[year] {
			if y := int64(time.Unix(d.Number*86400, 0).UTC().Year()); y != year {
				t.Fatalf("day %d is in %d", d.Number, year)
			}
		}
		got = append(got, b.years[year]...)
	}
	if int64(len(got)) != p.Away {
		t.Fatalf("%d days are away, and should be %d", len(got), p.Away)
	}
	got = append(got, p.Newest...)
	if diff := gocmp.Diff(append(loyalty.Spans{}, days...), append(loyalty.Spans{}, got...)); diff != "" {
		t.Fatal("days: ", diff)
	}
	var spent int64
	var first loyalty.Span
	var second, last int64
	months := map[int64]loyalty.Span{}
	for i, d := range days {
		spent += d.Spent
		switch i {
		case 0:
			first = d
		case 1:
			second = d.Number
		}
		last = d.Number
		n := loyalty.MonthOf(time.Unix(d.Number*86400, 0), time.UTC)
		m := months[n]
		months[n] = loyalty.Span{Days: m.Days + 1, Orders: m.Orders + d.Orders, Spent: m.Spent + d.Spent}
	}
	if p.Spent != spent || p.Days() != int64(len(days)) || p.First() != first || p.Second() != second || p.Last() != last || b.account.Orders != orders {
		t.Fatalf("spent %d on %d days, first %v, second %d, last %d, %d orders; should be %d on %d, %v, %d, %d, %d",
			p.Spent, p.Days(), p.First(), p.Second(), p.Last(), b.account.Orders, spent, len(days), first, second, last, orders)
	}
	today := loyalty.MonthOf(now, jerusalem)
	var all loyalty.Span
	for back := range int64(25) {
		want := months[today-back]
		if d, o, s := p.Between(today-back, today-back); d != want.Days || o != want.Orders || s != want.Spent {
			t.Fatalf("in month %d: %d days, %d orders, %d spent; should be %+v; %+v", today-back, d, o, s, want, p)
		}
		all = loyalty.Span{Days: all.Days + want.Days, Orders: all.Orders + want.Orders, Spent: all.Spent + want.Spent}
		if d, o, s := p.Window(int(back), today); d != all.Days || o != all.Orders || s != all.Spent {
			t.Fatalf("in %d months: %d days, %d orders, %d spent; should be %+v", back, d, o, s, all)
		}
	}
	recent, before := p.Recent(today)
	if want := months[today-1].Spent + months[today-2].Spent + months[today-3].Spent; recent != want {
		t.Fatalf("recent %d, should be %d", recent, want)
	}
	if want := months[today-4].Spent + months[today-5].Spent + months[today-6].Spent; before != want {
		t.Fatalf("before %d, should be %d", before, want)
	}
	if len(p.Newest) > 32 || len(p.Months) > 25 || len(p.Stores) > 8 {
		t.Fatalf("%d days, %d months, %d stores", len(p.Newest), len(p.Months), len(p.Stores))
	}
	b.visited(t, stores)
	again := loyalty.Purchases{}
	if err := again.UnmarshalBinary(must(p.MarshalBinary())); err != nil || fmt.Sprint(again) != fmt.Sprint(*p) {
		t.Fatalf("%+v is unpacked as %+v: %v", *p, again, err)
	}
}

// visited checks the stores: exactly where there never were more than have a
// place, else that no order is lost and no store has too many.
func (b *buyer) visited(t rapid.TB, stores map[string]int64) {
	t.Helper()
	p, left := &b.account.Purchases, maps.Clone(stores)
	for _, v := range p.Stores {
		if v.Orders <= 0 || v.Orders > stores[v.Store] || p.Elsewhere == 0 && v.Orders != stores[v.Store] {
			t.Fatalf("%d orders of %s, there are %d", v.Orders, v.Store, stores[v.Store])
		}
		left[v.Store] -= v.Orders
	}
	var elsewhere int64
	for _, n := range left {
		elsewhere += n
	}
	if elsewhere != p.Elsewhere {
		t.Fatalf("%d orders elsewhere, should be %d", p.Elsewhere, elsewhere)
	}
}

// ago is an instant of the last six years.
func ago(t *rapid.T, now time.Time) time.Time {
	years := rapid.SampledFrom([]int64{0, 1, 2, 3, 5}).Draw(t, "years ago")
	return now.Add(-time.Duration(years*365*24+rapid.Int64Range(1, 365*24).Draw(t, "hours ago")) * time.Hour)
}

// Whatever happens to orders of several years, in whatever order it is told,
// the statistics are those that the orders as they are come to.
func TestPurchasesAreTheSumOfOrders(t *testing.T) {
	mostDays, mostYears, joined := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		tm := terms(func(tm *loyalty.Terms) { tm.Earning.When = loyalty.Paid })
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		stores := rapid.SampledFrom([]int{0, 3, 12}).Draw(t, "stores")
		people := []*buyer{newBuyer("A"), newBuyer("B"), newBuyer("C")}
		id := 0
		anyone := func(t *rapid.T) *buyer { return rapid.SampledFrom(people).Draw(t, "who") }
		change := func(t *rapid.T, how func(o *loyalty.Order)) {
			b := anyone(t)
			if len(b.records) == 0 {
				t.Skip("no order")
			}
			i := rapid.IntRange(0, len(b.records)-1).Draw(t, "order")
			o := b.records[i].Order
			o.Lines = slices.Clone(o.Lines)
			o.Version.N++
			how(&o)
			b.tell(t, b.records[i], &o, tm, now)
		}
		buy := func(t *rapid.T, b *buyer, n int) {
			at, step := ago(t, now), rapid.SampledFrom([]int64{24, 0, 20, 7 * 24, 31 * 24}).Draw(t, "hours between")
			for ; n > 0 && at.Before(now); n-- {
				id++
				o := sale(fmt.Sprint(id), rapid.Int64Range(0, 20_000).Draw(t, "amount"))
				o.PaidAt = at
				if stores > 0 {
					o.Store = fmt.Sprint("store-", rapid.IntRange(1, stores).Draw(t, "store"))
				}
				b.tell(t, &loyalty.Record{}, o, tm, now)
				at = at.Add(time.Duration(step) * time.Hour)
			}
			mostDays = max(mostDays, int(b.account.Purchases.Days()))
			mostYears = max(mostYears, len(b.years))
		}
		for _, b := range people {
			buy(t, b, rapid.SampledFrom([]int{0, 60, 150}).Draw(t, "at first"))
		}
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.Int64Range(1, 200*86400).Draw(t, "s")) * time.Second)
			},
			"orders": func(t *rapid.T) { buy(t, anyone(t), rapid.SampledFrom([]int{1, 2, 12, 45}).Draw(t, "orders")) },
			"refund": func(t *rapid.T) {
				change(t, func(o *loyalty.Order) { o.Refunded += rapid.Int64Range(0, 20_000).Draw(t, "refunded") })
			},
			"refunds taken back": func(t *rapid.T) { change(t, func(o *loyalty.Order) { o.Refunded = 0 }) },
			"another date": func(t *rapid.T) {
				change(t, func(o *loyalty.Order) { o.PaidAt = ago(t, now) })
			},
			"another store": func(t *rapid.T) {
				change(t, func(o *loyalty.Order) {
					o.Store = fmt.Sprint("store-", rapid.IntRange(1, max(1, stores)).Draw(t, "store"))
				})
			},
			"cancel":         func(t *rapid.T) { change(t, func(o *loyalty.Order) { o.State = loyalty.Cancelled }) },
			"paid after all": func(t *rapid.T) { change(t, func(o *loyalty.Order) { o.State = loyalty.Paid }) },
			"the same again": func(t *rapid.T) { change(t, func(o *loyalty.Order) { o.Version.N-- }) },
			// From one end on, so that days on the account vanish, or the first ones.
			"most are cancelled": func(t *rapid.T) {
				b := anyone(t)
				some := slices.SortedFunc(slices.Values(b.records), func(x, y *loyalty.Record) int { return cmp.Compare(x.At, y.At) })
				if rapid.Bool().Draw(t, "newest first") {
					slices.Reverse(some)
				}
				for _, rec := range some[:rapid.IntRange(0, len(some)).Draw(t, "how many")] {
					o := rec.Order
					o.Version.N++
					o.State = loyalty.Cancelled
					b.tell(t, rec, &o, tm, now)
				}
			},
			"merge": func(t *rapid.T) {
				if len(people) == 1 {
					t.Skip("one is left")
				}
				from := people[len(people)-1]
				people = people[:len(people)-1]
				into := anyone(t)
				if into.account.Purchases.Away > 0 && from.account.Purchases.Away > 0 {
					joined++
				}
				into.join(t, from, tm, now)
				if fmt.Sprint(from.account.Purchases) != fmt.Sprint(loyalty.Purchases{}) || len(from.years) > 0 {
					t.Fatalf("the other keeps %+v, %v", from.account.Purchases, from.years)
				}
			},
			"": func(t *rapid.T) {
				for _, b := range people {
					b.holds(t, now)
				}
			},
		})
	})
	t.Logf("at most %d days in %d years; %d merges of two that had years", mostDays, mostYears, joined)
	if mostDays < 200 || mostYears < 4 || joined == 0 {
		t.Error("that is too little")
	}
}

// Orders that are told in any order end at the same.
func TestPurchasesDoNotDependOnTheOrderOfDeliveries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := terms()
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		var told []loyalty.Order
		for i := range rapid.IntRange(1, 80).Draw(t, "orders") {
			o := sale(fmt.Sprint(i), rapid.Int64Range(0, 20_000).Draw(t, "amount"))
			o.PaidAt = now.AddDate(0, 0, -rapid.IntRange(0, 1000).Draw(t, "days ago"))
			told = append(told, *o)
			if rapid.IntRange(0, 3).Draw(t, "changes") == 0 {
				later := *o
				later.Version.N, later.Refunded = 2, rapid.Int64Range(0, 20_000).Draw(t, "refunded")
				told = append(told, later)
			}
		}
		var ends []string
		for _, which := range []string{"one", "another"} {
			b, recs := newBuyer("A"), map[string]*loyalty.Record{}
			for _, i := range rapid.Permutation(indexes(len(told))).Draw(t, which) {
				o := told[i]
				if recs[o.ID] == nil {
					recs[o.ID] = &loyalty.Record{}
				}
				b.tell(t, recs[o.ID], &o, tm, now)
			}
			b.holds(t, now)
			p := &b.account.Purchases
			w1, w2, w3 := p.Window(24, loyalty.MonthOf(now, jerusalem))
			ends = append(ends, fmt.Sprint(p.Spent, p.Days(), p.First(), p.Second(), p.Last(), w1, w2, w3))
		}
		if ends[0] != ends[1] {
			t.Fatalf("%s, and then %s", ends[0], ends[1])
		}
	})
}

// What cannot be read is an error, and no answer.
func TestAYearThatCannotBeReadIsAnError(t *testing.T) {
	lost := fmt.Errorf("no table")
	var p loyalty.Purchases
	y := &loyalty.Years{Read: func(int64) (loyalty.Spans, error) { return nil, lost }}
	for day := range int64(40) {
		if err := p.Replace(loyalty.Bought{}, loyalty.Bought{Day: 20_000 + day, Orders: 1, Spent: 1}, y); (err != nil) != (day >= 32) {
			t.Fatalf("day %d: %v", day, err)
		}
		if day == 32 {
			break
		}
	}
}
