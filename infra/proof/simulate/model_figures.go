package main

// figures are what a run knows of a member on a day. The window is twelve
// whole months and this one.
type figures struct {
	id          string
	today       string
	first, last string // "": she never bought
	days        int64

	orders, spent                   int64
	yearDays, yearOrders, yearSpent int64 // in the window
	recent, before                  int64 // spent in the last three whole months, and in the three before
	stores, friends, points         int64
	born                            int64
}

func (m *member) figures(today string) *figures {
	b := m.bag()
	f := &figures{id: m.id, today: today, days: int64(len(b.days)), stores: int64(len(b.stores)), friends: m.friends, points: m.balance, born: int64(m.born)}
	if f.days == 0 {
		return f
	}
	f.first, f.last = b.days[0].date, b.days[f.days-1].date
	next, this, three, six, year := monthsBefore(today, -1), monthsBefore(today, 0), monthsBefore(today, 3), monthsBefore(today, 6), monthsBefore(today, 12)
	for _, d := range b.days {
		f.orders += d.orders
		f.spent += d.spent
		if d.date >= year && d.date < next {
			f.yearDays++
			f.yearOrders += d.orders
			f.yearSpent += d.spent
		}
		if d.date >= three && d.date < this {
			f.recent += d.spent
		}
		if d.date >= six && d.date < three {
			f.before += d.spent
		}
	}
	return f
}

// since is how long ago a day was; -1 of who never bought.
func (f *figures) since(date string) int64 {
	if date == "" {
		return -1
	}
	return daysBetween(date, f.today)
}

func (f *figures) statistic(name string) int64 {
	switch name {
	case "orders":
		return f.orders
	case "purchase_days":
		return f.days
	case "spent":
		return f.spent
	case "year_orders":
		return f.yearOrders
	case "year_days":
		return f.yearDays
	case "year_spent":
		return f.yearSpent
	case "stores":
		return f.stores
	case "friends":
		return f.friends
	case "points":
		return f.points
	case "birth_month":
		return f.born
	case "days_since_last":
		return f.since(f.last)
	case "days_since_first":
		return f.since(f.first)
	}
	panic("there is no statistic " + name)
}
