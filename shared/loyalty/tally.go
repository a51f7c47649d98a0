package loyalty

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Tally is what a member has come to under a rule or a goal in one period.
// Every order keeps what it added (Use), so that a refund takes exactly that
// away again: a tally is always the sum of the uses of the member's orders
// and activities.
type Tally struct {
	ID     string // of the rule or goal; of a store: the goal's, '/', the store's
	Period int64  // when the period began, unix seconds; 0: ever
	N      int64  // what is counted: times, pieces, minor units, orders
	Points int64  // points that the rule gave
}

// Use is what one order or activity added to a tally.
type Use = Tally

// keptPeriods is how many periods of a limit's tally an account remembers.
// What comes late for an earlier one finds no room.
const keptPeriods = 8

// kept is how many periods of a tally are remembered.
func (t *Terms) kept(id string) int {
	if strings.HasPrefix(id, boardTally) {
		return boardPeriods
	}
	for i := range t.Goals {
		if g := &t.Goals[i]; g.ID == id && !g.Streak.IsZero() {
			return 2 * int(g.Reach)
		}
	}
	return keptPeriods
}

// tally finds a tally; nil for none.
func (a *Account) tally(id string, period int64) *Tally {
	for i := range a.Tallies {
		if t := &a.Tallies[i]; t.ID == id && t.Period == period {
			return t
		}
	}
	return nil
}

// add brings tallies from what an order added before to what it adds now.
func (a *Account) add(before, now []Use, t *Terms) {
	for _, u := range before {
		if t := a.tally(u.ID, u.Period); t != nil {
			t.N -= u.N
			t.Points -= u.Points
		}
	}
	for _, u := range now {
		t := a.tally(u.ID, u.Period)
		if t == nil {
			a.Tallies = append(a.Tallies, Tally{ID: u.ID, Period: u.Period})
			t = &a.Tallies[len(a.Tallies)-1]
		}
		t.N += u.N
		t.Points += u.Points
	}
	a.tidy(t)
}

// tidy drops of each tally the earliest beyond what is kept, and those of
// nothing. Where some may have been dropped one of nothing stays: without it
// an earlier period would no longer be known to be forgotten.
func (a *Account) tidy(t *Terms) {
	kept := make(Tallies, 0, len(a.Tallies))
	for _, x := range a.Tallies {
		all, later := 0, 0
		for _, o := range a.Tallies {
			if o.ID == x.ID {
				all++
				if o.Period > x.Period {
					later++
				}
			}
		}
		most := t.kept(x.ID)
		if later < most && (x.N != 0 || x.Points != 0 || all >= most) {
			kept = append(kept, x)
		}
	}
	slices.SortFunc(kept, func(x, y Tally) int { return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Period, y.Period)) })
	a.Tallies = kept
}

// forgotten tells whether a period is so early that its tally may have been dropped.
func (a *Account) forgotten(id string, period int64, t *Terms) bool {
	later := 0
	for _, x := range a.Tallies {
		if x.ID == id && x.Period > period {
			later++
		}
	}
	return later >= t.kept(id)
}

// start is when the period of the calendar that holds an instant began. Days,
// weeks and months are counted in whole steps from 1970; a week begins on
// week. Zero for a period of no length, which is ever.
func (p Period) start(at time.Time, zone *time.Location, week time.Weekday) int64 {
	at = at.In(zone)
	y, m, d := at.Date()
	switch {
	case p.Months > 0:
		n := (12*(y-1970) + int(m) - 1) / p.Months * p.Months
		return StartOfDay(1970+n/12, time.Month(n%12+1), 1, zone).Unix()
	case p.Days > 0:
		from := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
		if p.Days%7 == 0 { // the first such day of 1970
			from = from.AddDate(0, 0, (int(week)-int(from.Weekday())+7)%7-7)
		}
		days := int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(from) / (24 * time.Hour))
		day := from.AddDate(0, 0, days/p.Days*p.Days)
		return StartOfDay(day.Year(), day.Month(), day.Day(), zone).Unix()
	case p.Exact > 0:
		step := int64(p.Exact / time.Second)
		return at.Unix() / step * step
	}
	return 0
}

// next is when the period after the one that began at start begins.
func (p Period) next(start int64, zone *time.Location) int64 {
	if p.Months == 0 && p.Days == 0 {
		return start + int64(p.Exact/time.Second)
	}
	y, m, d := time.Unix(start, 0).In(zone).Date()
	return StartOfDay(y, m+time.Month(p.Months), d+p.Days, zone).Unix()
}

// roomOf is what a rule's limit leaves a member at an instant, without what
// `own` already took of it; the second answer is false when nothing bounds it.
func (a *Account) roomOf(r *Rule, at time.Time, own []Use, t *Terms) (int64, bool) {
	if r.Limit == nil {
		return 0, false
	}
	period := r.Limit.Per.start(at, t.Zone, t.Week)
	if a.forgotten(r.ID, period, t) { // what has its part keeps it
		var had int64
		for _, u := range own {
			if u.ID == r.ID && u.Period == period {
				had += u.Points
			}
		}
		return had, true
	}
	var times, points int64
	if had := a.tally(r.ID, period); had != nil {
		times, points = had.N, had.Points
	}
	for _, u := range own {
		if u.ID == r.ID && u.Period == period {
			times, points = times-u.N, points-u.Points
		}
	}
	switch {
	case r.Limit.Times > 0 && times >= r.Limit.Times:
		return 0, true
	case r.Limit.Points > 0:
		return max(0, r.Limit.Points-points), true
	}
	return 0, false
}
