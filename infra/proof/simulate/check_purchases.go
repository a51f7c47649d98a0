package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// bought is what an order counts as a purchase; the zero value is none.
type bought struct {
	day    string // of the calendar
	spent  int64
	counts bool
	store  string
}

// buys says what an order is as a purchase by its newest state, of which
// points paid so much.
func (o *order) buys(byPoints, at int64) bought {
	left := sumOf(o.left())
	if !o.counts() || left == 0 && o.goods() > 0 {
		return bought{}
	}
	return bought{dateOf(at), left - min(byPoints, left), true, o.store}
}

// checkPurchases recomputes every member's purchases from the records of the
// orders, which it holds against the model, and compares them with what the
// account and its years have.
func (w *world) checkPurchases(step int) {
	years := map[string]loyalty.Spans{} // by the member's partition
	for it, err := range w.items() {
		if err != nil {
			w.violated(step, "%v", err)
			return
		}
		if !strings.HasPrefix(it.SK, "DAYS#") {
			continue
		}
		days, err := table.Decode[loyalty.Spans](it)
		if err != nil {
			w.violated(step, "%v", err)
			return
		}
		for _, d := range *days {
			if it.SK != "DAYS#"+dayNamed(d.Number)[:4] {
				w.violated(step, "%s %s has the day %s", it.PK, it.SK, dayNamed(d.Number))
			}
		}
		years[it.PK] = append(years[it.PK], *days...)
	}
	store := table.NewStore(w.base)
	today := time.Unix(w.clock, 0).Add(time.Hour).In(zone) // by the fastest of the clocks
	since := time.Date(today.Year()-2, today.Month(), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
	for _, p := range w.programmes {
		if err := store.View(context.Background(), p.name, func(tx *table.Tx) error { return p.checkPurchases(tx, years, since) }); err != nil {
			w.violated(step, "program %s: %v", p.name, err)
		}
	}
}

func (p *programme) checkPurchases(tx *table.Tx, years map[string]loyalty.Spans, since string) error {
	of := map[string][]bought{}
	for ref, o := range p.orders {
		source, id, _ := strings.Cut(ref, "/")
		rec, err := tx.Record(loyalty.OrderRef{Source: source, ID: id})
		if err != nil {
			return err
		}
		got := bought{spent: rec.Bought.Spent, store: rec.Bought.Store, counts: rec.Bought.Orders == 1}
		if got.counts {
			got.day = dayNamed(rec.Bought.Day)
		}
		if got != o.bought {
			return fmt.Errorf("order %s counts as %+v, and should as %+v", ref, got, o.bought)
		}
		if got.counts {
			member := p.holder(rec.Member).id
			of[member] = append(of[member], got)
		}
	}
	for _, id := range p.people {
		a, err := tx.Account(id)
		if err != nil {
			return err
		}
		days := slices.Concat(years[p.name+"#MEMBER#"+id], a.Purchases.Newest)
		slices.SortFunc(days, func(x, y loyalty.Span) int { return cmp.Compare(x.Number, y.Number) })
		if got, want := purchases(a, days, since), total(of[id], since); got != want {
			return fmt.Errorf("the purchases of %s are\n%s\nand should be\n%s", id, got, want)
		}
	}
	return nil
}

// purchases is what the product has, and total what the orders come to, in
// the same words.
func purchases(a *loyalty.Account, days loyalty.Spans, since string) string {
	byDay, byStore := map[string][2]int64{}, map[string]int64{}
	for _, d := range days {
		byDay[dayNamed(d.Number)] = [2]int64{d.Orders, d.Spent}
	}
	p := &a.Purchases
	for _, v := range p.Stores {
		byStore[v.Store] = v.Orders
	}
	first, second, last := "", "", ""
	if p.Days() > 0 {
		first, last = fmt.Sprint(dayNamed(p.First().Number), p.First().Spent), dayNamed(p.Last())
	}
	if p.Days() > 1 {
		second = dayNamed(p.Second())
	}
	byMonth := map[string][3]int64{}
	for _, d := range days {
		if month := dayNamed(d.Number)[:7]; byMonth[month] == [3]int64{} {
			number := loyalty.MonthOf(dayTime(d.Number), time.UTC)
			n, orders, spent := p.Between(number, number)
			byMonth[month] = [3]int64{n, orders, spent}
		}
	}
	return words(since, p.Days(), a.Orders, p.Spent, first, second, last, byDay, byMonth, byStore)
}

func total(of []bought, since string) string {
	byDay, byMonth, byStore := map[string][2]int64{}, map[string][3]int64{}, map[string]int64{}
	spent := int64(0)
	for _, b := range of {
		d, m := byDay[b.day], byMonth[b.day[:7]]
		if d[0] == 0 {
			m[0]++
		}
		byDay[b.day] = [2]int64{d[0] + 1, d[1] + b.spent}
		byMonth[b.day[:7]] = [3]int64{m[0], m[1] + 1, m[2] + b.spent}
		if b.store != "" {
			byStore[b.store]++
		}
		spent += b.spent
	}
	days := slices.Sorted(maps.Keys(byDay))
	first, second, last := "", "", ""
	if len(days) > 0 {
		first, last = fmt.Sprint(days[0], byDay[days[0]][1]), days[len(days)-1]
	}
	if len(days) > 1 {
		second = days[1]
	}
	return words(since, int64(len(days)), int64(len(of)), spent, first, second, last, byDay, byMonth, byStore)
}

// words leaves out months before those that are promised.
func words(since string, days, orders, spent int64, first, second, last string, byDay map[string][2]int64, byMonth map[string][3]int64, byStore map[string]int64) string {
	maps.DeleteFunc(byMonth, func(month string, _ [3]int64) bool { return month < since })
	return fmt.Sprintf("%d days, %d orders, %d; from %s, then %s, to %s; %v; %v; %v", days, orders, spent, first, second, last, byDay, byMonth, byStore)
}

func dateOf(at int64) string { return time.Unix(at, 0).In(zone).Format(time.DateOnly) }

func dayTime(day int64) time.Time { return time.Unix(day*24*60*60, 0).UTC() }

func dayNamed(day int64) string { return dayTime(day).Format(time.DateOnly) }
