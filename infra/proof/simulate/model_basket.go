package main

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// basket is what a member bought that still counts: the sum over her orders of
// what each is bought as. It does not change; with and and make another.
type basket struct {
	days   []shopping // the earliest first
	stores map[string]int64
}

// shopping is what was bought on a day.
type shopping struct {
	date          string
	orders, spent int64
}

var nothing = &basket{}

// with is the basket after an order counted as one purchase and counts as another now.
func (b *basket) with(was, now bought) *basket {
	if was == now {
		return b
	}
	c := &basket{slices.Clone(b.days), maps.Clone(b.stores)}
	if was.counts {
		c.add(shopping{was.day, -1, -was.spent}, was.store)
	}
	if now.counts {
		c.add(shopping{now.day, 1, now.spent}, now.store)
	}
	return c
}

// and is what two members bought who are one.
func (b *basket) and(o *basket) *basket {
	c := &basket{slices.Clone(b.days), maps.Clone(b.stores)}
	for _, d := range o.days {
		c.add(d, "")
	}
	for store, n := range o.stores {
		c.visit(store, n)
	}
	return c
}

func (b *basket) add(s shopping, store string) {
	i, there := slices.BinarySearchFunc(b.days, s.date, func(d shopping, date string) int { return cmp.Compare(d.date, date) })
	if !there {
		b.days = slices.Insert(b.days, i, shopping{date: s.date})
	}
	d := &b.days[i]
	if d.orders, d.spent = d.orders+s.orders, d.spent+s.spent; d.orders == 0 {
		b.days = slices.Delete(b.days, i, i+1)
	}
	if store != "" {
		b.visit(store, s.orders)
	}
}

func (b *basket) visit(store string, orders int64) {
	if b.stores == nil {
		b.stores = map[string]int64{}
	}
	if b.stores[store] += orders; b.stores[store] == 0 {
		delete(b.stores, store)
	}
}

// daysBetween is how many days lie between two dates.
func daysBetween(first, last string) int64 {
	return numbered(last) - numbered(first)
}

// numbered is a date's number since 1970.
func numbered(date string) int64 {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return t.Unix() / (24 * 60 * 60)
}

// monthsBefore is the first day of the month that is so many before a date's.
func monthsBefore(date string, months int) string {
	t := dayTime(numbered(date))
	return time.Date(t.Year(), t.Month()-time.Month(months), 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// lapsed is the same day of the year before, or the last of its month there:
// who bought last on it, or earlier, is former.
func lapsed(today string) string {
	t := dayTime(numbered(today))
	if t.Month() == time.February && t.Day() == 29 {
		t = t.AddDate(0, 0, -1)
	}
	return t.AddDate(-1, 0, 0).Format(time.DateOnly)
}
