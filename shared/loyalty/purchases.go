package loyalty

import (
	"cmp"
	"slices"
	"time"
)

// Bought is what one order counts as a purchase. The zero value is an order
// that does not count: not far enough yet, cancelled, or come back whole.
type Bought struct {
	_      struct{} `cbor:",toarray"`
	Day    int64    // on which it counts as earned, see DayOf
	Orders int64    // 1
	Spent  int64    // minor units of the program's currency: Worth.Paid
	Store  string   // "" where its source names none
}

// Span is what was bought on a day or in a month.
type Span struct {
	Number int64 // of the day (DayOf) or of the month (MonthOf)
	Days   int64 // on which something was bought
	Orders int64
	Spent  int64 // minor units of the program's currency
}

// Visits are the orders of one store.
type Visits struct {
	Store  string
	Orders int64
}

// Purchases are the statistics of what a member bought, the number of orders
// apart, which is the account's own. All of it is a sum over the Bought of the
// member's orders, so it comes to the same however and in whatever order they
// are told. It is bounded: days beyond the newest are kept by calendar year
// outside of the account (Years), and here only as months.
type Purchases struct {
	Spent     int64    // ever, minor units of the program's currency
	Newest    Spans    // the newest days with a purchase, oldest first; never empty while there are others
	Away      int64    // how many earlier days are in the years
	Oldest    Span     // the first day of those
	Next      int64    // the second; 0 is none
	From      int64    // the earliest month that Months tells of
	Months    Spans    // what the days in the years come to, by month, oldest first
	Stores    []Visits // at most storesKept, in the order of the first visit
	Elsewhere int64    // orders of all other stores
}

const (
	daysMost   = 32 // on the account; when there are more, those of the first year leave it,
	daysLeft   = 4  // but not the last of all: one write for some 25 days
	monthsKept = 25 // the month of the newest purchase, and two years before it
	storesKept = 8
)

// DayOf is the calendar day of an instant, counted from 1970-01-01, which is
// 0. Whatever is earlier counts there: no shop's history is that long.
func DayOf(at time.Time, zone *time.Location) int64 {
	y, m, d := at.In(zone).Date()
	return max(0, time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()/secondsOfDay)
}

const secondsOfDay = 24 * 60 * 60

// date is a day as midnight in UTC.
func date(day int64) time.Time { return time.Unix(day*secondsOfDay, 0).UTC() }

func monthOfDay(day int64) int64 { return MonthOf(date(day), time.UTC) }

// Days is on how many days the member bought something.
func (p *Purchases) Days() int64 { return p.Away + int64(len(p.Newest)) }

// First is the first day on which the member bought something, and what on
// it; the zero Span when there is none.
func (p *Purchases) First() Span {
	if p.Away > 0 || len(p.Newest) == 0 {
		return p.Oldest
	}
	return p.Newest[0]
}

// Second is the second such day, 0 when there is none.
func (p *Purchases) Second() int64 {
	switch i := max(0, 2-p.Away); {
	case i == 0:
		return p.Next
	case int(i) <= len(p.Newest):
		return p.Newest[i-1].Number
	}
	return 0
}

// Last is the last day on which the member bought something, 0 when there is none.
func (p *Purchases) Last() int64 {
	if len(p.Newest) == 0 {
		return 0
	}
	return p.Newest[len(p.Newest)-1].Number
}

// Between is what was bought in the months from first to last (MonthOf), both
// included. It is exact from the 24th month before today's on; what lies
// earlier may be missing, also where it is told late.
func (p *Purchases) Between(first, last int64) (days, orders, spent int64) {
	add := func(month int64, s Span) {
		if month >= first && month <= last {
			days, orders, spent = days+s.Days, orders+s.Orders, spent+s.Spent
		}
	}
	for _, m := range p.Months {
		add(m.Number, m)
	}
	for _, d := range p.Newest {
		add(monthOfDay(d.Number), d)
	}
	return days, orders, spent
}

// Window is what was bought in the month now (MonthOf) and in so many months
// before it, at most 24: stretched to whole months as the window of tiers is.
func (p *Purchases) Window(months int, now int64) (days, orders, spent int64) {
	return p.Between(now-int64(months), now)
}

// Recent and before are what was spent in the last three whole months before
// the month now (MonthOf), and in the three before those.
func (p *Purchases) Recent(now int64) (recent, before int64) {
	_, _, recent = p.Between(now-3, now-1)
	_, _, before = p.Between(now-6, now-4)
	return recent, before
}

// Replace takes away what an order counted before and adds what it counts
// now. An error is one of reading a year; then nothing may be stored.
func (p *Purchases) Replace(was, now Bought, y *Years) error {
	if was == now {
		return nil
	}
	p.Spent += now.Spent - was.Spent
	p.visit(now.Store, now.Orders)
	p.visit(was.Store, -was.Orders)
	if was.Orders > 0 && was.Day == now.Day { // the day does not vanish in between
		now.Orders, now.Spent, was = now.Orders-was.Orders, now.Spent-was.Spent, Bought{}
	}
	// Added first: while a day is there, it says which days are earlier.
	if now.Orders != 0 || now.Spent != 0 {
		if err := p.change(Span{Number: now.Day, Orders: now.Orders, Spent: now.Spent}, y); err != nil {
			return err
		}
	}
	if was.Orders != 0 {
		if err := p.change(Span{Number: was.Day, Orders: -was.Orders, Spent: -was.Spent}, y); err != nil {
			return err
		}
	}
	return p.tidy(y)
}

// Join takes over another's purchases, which are none then. mine and theirs
// are the years of each. An error is one of reading a year.
func (p *Purchases) Join(o *Purchases, mine, theirs *Years) error {
	p.Spent += o.Spent
	p.Elsewhere += o.Elsewhere
	for _, v := range o.Stores {
		p.visit(v.Store, v.Orders)
	}
	if o.Away > 0 {
		earlier := 0 // than what is on the other's account
		for earlier < len(p.Newest) && p.Newest[earlier].Number < o.Newest[0].Number {
			earlier++
		}
		if err := p.shelve(earlier, mine); err != nil {
			return err
		}
		for year := yearOf(o.Oldest.Number); year <= yearOf(o.Newest[0].Number); year++ {
			days, err := theirs.of(year)
			if err != nil {
				return err
			}
			for _, d := range days {
				if err := p.file(d, mine); err != nil {
					return err
				}
			}
			if len(days) > 0 {
				theirs.keep(year, nil)
			}
		}
	}
	for _, d := range o.Newest {
		if err := p.change(d, mine); err != nil {
			return err
		}
	}
	*o = Purchases{}
	return p.tidy(mine)
}

// visit adds to the orders of a store. A store that has no place is counted
// with the others, and taken from there: which stores have one depends on
// what came first, the sum does not.
func (p *Purchases) visit(store string, orders int64) {
	if store == "" || orders == 0 {
		return
	}
	i := slices.IndexFunc(p.Stores, func(v Visits) bool { return v.Store == store })
	switch {
	case i < 0 && orders > 0 && len(p.Stores) < storesKept:
		p.Stores = append(p.Stores, Visits{store, orders})
	case i < 0:
		p.Elsewhere += orders
	default:
		p.Stores = slices.Clone(p.Stores)
		if p.Stores[i].Orders += orders; p.Stores[i].Orders <= 0 {
			p.Stores = slices.Delete(p.Stores, i, i+1)
		}
	}
}

// change adds to a day, wherever it is.
func (p *Purchases) change(s Span, y *Years) error {
	if p.Away > 0 && len(p.Newest) > 0 && s.Number < p.Newest[0].Number {
		return p.file(s, y)
	}
	if p.Newest = p.Newest.onDay(s); len(p.Newest) == 0 && p.Away > 0 {
		return p.fetch(s.Number, y)
	}
	return nil
}

// tidy keeps the account small.
func (p *Purchases) tidy(y *Years) error {
	for len(p.Newest) > daysMost {
		p.forgetBefore(monthOfDay(p.Last()) - monthsKept + 1)
		n, year := 1, yearOf(p.Newest[0].Number)
		for n < len(p.Newest)-daysLeft && yearOf(p.Newest[n].Number) == year {
			n++
		}
		if err := p.shelve(n, y); err != nil {
			return err
		}
	}
	if len(p.Months) > monthsKept {
		p.forgetBefore(monthOfDay(p.Last()) - monthsKept + 1)
	}
	return nil
}

// forgetBefore drops months. What is dropped once stays so, whatever is
// cancelled later: a month is told of whole or not at all.
func (p *Purchases) forgetBefore(month int64) {
	p.From = max(p.From, month)
	p.Months = slices.DeleteFunc(slices.Clone(p.Months), func(m Span) bool { return m.Number < p.From })
}

// shelve moves the first n days of the account into their years.
func (p *Purchases) shelve(n int, y *Years) error {
	leaving := p.Newest[:n]
	p.Newest = slices.Clone(p.Newest[n:])
	for _, d := range leaving {
		if err := p.file(d, y); err != nil {
			return err
		}
	}
	return nil
}

// file adds to a day that is in a year, or comes into one.
func (p *Purchases) file(s Span, y *Years) error {
	year := yearOf(s.Number)
	had, err := y.of(year)
	if err != nil {
		return err
	}
	has := had.onDay(s)
	y.keep(year, has)
	p.leave(s, int64(len(has)-len(had)))
	switch i, there := has.find(s.Number); {
	case p.Away == 0:
		p.none()
	case !there:
		if s.Number == p.Oldest.Number || s.Number == p.Next {
			return p.search(y)
		}
	case p.Away == 1, s.Number == p.Oldest.Number:
		p.Oldest = has[i]
	case s.Number < p.Oldest.Number:
		p.Oldest, p.Next = has[i], p.Oldest.Number
	case p.Next == 0 || s.Number < p.Next:
		p.Next = s.Number
	}
	return nil
}

// leave counts what a change of the years comes to; days is how many more
// they hold after it.
func (p *Purchases) leave(s Span, days int64) {
	p.Away += days
	if month := monthOfDay(s.Number); month >= p.From {
		p.Months = p.Months.add(Span{month, days, s.Orders, s.Spent})
	}
}

// none is when no day is in the years any more.
func (p *Purchases) none() { p.Oldest, p.Next, p.From, p.Months = Span{}, 0, 0, nil }

// search looks for the first two days in the years, from the year of what was
// the first.
func (p *Purchases) search(y *Years) error {
	var first Spans
	for year := yearOf(p.Oldest.Number); len(first) < 2 && int64(len(first)) < p.Away && year <= yearOf(p.Last()); year++ {
		days, err := y.of(year)
		if err != nil {
			return err
		}
		first = append(first, days[:min(2, len(days))]...)
	}
	p.Oldest, p.Next = Span{}, 0
	if len(first) > 0 {
		p.Oldest = first[0]
	}
	if len(first) > 1 {
		p.Next = first[1].Number
	}
	return nil
}

// fetch brings the newest days of the years back, when all that were later
// vanished, the last of them being day.
func (p *Purchases) fetch(day int64, y *Years) error {
	for year := yearOf(day); p.Away > 0 && len(p.Newest) < daysLeft && year >= yearOf(p.Oldest.Number); year-- {
		days, err := y.of(year)
		if err != nil {
			return err
		}
		n := max(0, len(days)-daysLeft+len(p.Newest))
		if n == len(days) {
			continue
		}
		for _, d := range days[n:] {
			p.leave(Span{Number: d.Number, Orders: -d.Orders, Spent: -d.Spent}, -1)
		}
		p.Newest = slices.Concat(days[n:], p.Newest)
		y.keep(year, days[:n:n])
	}
	switch p.Away {
	case 0:
		p.none()
	case 1:
		p.Next = 0
	}
	return nil
}

// Years are the purchase days of a member that are not on the account, by the
// calendar year. Each is read when it is asked for first.
type Years struct {
	Read func(year int64) (Spans, error) // none where nothing is kept

	known   map[int64]Spans
	changed []int64
}

func yearOf(day int64) int64 { return int64(date(day).Year()) }

func (y *Years) of(year int64) (Spans, error) {
	if days, ok := y.known[year]; ok {
		return days, nil
	}
	days, err := y.Read(year)
	if err != nil {
		return nil, err
	}
	if y.known == nil {
		y.known = map[int64]Spans{}
	}
	y.known[year] = days
	return days, nil
}

// keep is for a year that was read.
func (y *Years) keep(year int64, days Spans) {
	y.known[year] = days
	if !slices.Contains(y.changed, year) {
		y.changed = append(y.changed, year)
	}
}

// Changed calls visit with every year that changed, and the days that it has
// now; a year without any is to be forgotten.
func (y *Years) Changed(visit func(year int64, days Spans)) {
	for _, year := range y.changed {
		visit(year, y.known[year])
	}
}

// Spans are what was bought on some days or in some months, the earliest first.
type Spans []Span

func (s Spans) find(number int64) (int, bool) {
	return slices.BinarySearchFunc(s, number, func(x Span, n int64) int { return cmp.Compare(x.Number, n) })
}

// add is s with so much more; what comes to no order is left out.
func (s Spans) add(x Span) Spans {
	i, had := s.find(x.Number)
	if !had {
		return slices.Insert(slices.Clone(s), i, x)
	}
	out := slices.Clone(s)
	if o := &out[i]; o.Orders+x.Orders != 0 {
		*o = Span{x.Number, o.Days + x.Days, o.Orders + x.Orders, o.Spent + x.Spent}
		return out
	}
	if len(out) == 1 {
		return nil
	}
	return slices.Delete(out, i, i+1)
}

// onDay is add for days: each is one.
func (s Spans) onDay(x Span) Spans {
	x.Days = 1
	if _, had := s.find(x.Number); had {
		x.Days = 0
	}
	return s.add(x)
}
