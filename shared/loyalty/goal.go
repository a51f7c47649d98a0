package loyalty

import (
	"slices"
	"strings"
	"time"
)

// Goal is something to reach: so many stamps on a card, so much spent, so
// many stores, so many weeks in a row. Reaching it gives points, a voucher
// for a reward, a badge. What takes a member below it again (a refund) takes
// back what it gave; what is used already has to be made up for first: the
// card has a debt of stamps (SC17).
type Goal struct {
	ID       string
	Count    Counting
	Activity string // the type that is counted, for Activities
	Streak   Period // counts periods in a row in which something counted; zero: no streak
	Reach    int64
	Repeat   bool // again after every Reach; what is beyond it is carried over

	Points int64  // given each time, in points
	Reward string // voucher given each time; "" is none
	Badge  bool   // awards a badge of the goal's id

	Where  Filter
	When   Condition
	During Schedule
}

// Counting is what a goal counts.
type Counting string

// What goals count: orders, pieces, minor units of the program's currency
// after refunds, different stores, activities.
const (
	Orders     Counting = "orders"
	Pieces     Counting = "quantity"
	Spending   Counting = "amount"
	Stores     Counting = "stores"
	Activities Counting = "activities"
)

// LongestStreak is the longest streak that a goal can ask for: its periods
// are all on the account.
const LongestStreak = 60

// Reached is how far a member is with a goal.
type Reached struct {
	_       struct{} `cbor:",toarray"`
	Goal    string
	Given   int64 // how often it gave, less what was taken back
	Through int64 // of a streak: the last period that an award used up, unix seconds
	Badge   bool  // the goal awards one
}

// uses is what an order adds to goals and to limits.
func (t *Terms) uses(s *scene) []Use {
	var out []Use
	hits := make(lines, len(s.Order.Lines)/64+1)
	for i := range t.Goals {
		g := &t.Goals[i]
		if g.Count == Activities {
			continue
		}
		clear(hits)
		if s.matches(&g.Where, g.When, &g.During, hits) != Met {
			continue
		}
		u := Use{ID: g.ID, Period: g.Streak.start(s.At, t.Zone, t.Week), N: s.counted(g.Count, hits)}
		switch {
		case g.Count == Stores && s.Order.Store == "":
			continue
		case g.Count == Stores:
			u.ID += "/" + s.Order.Store
		}
		if u.N > 0 {
			out = append(out, u)
		}
	}
	for i := range t.Boards {
		b := &t.Boards[i]
		clear(hits)
		if s.matches(&b.Where, b.When, &Schedule{}, hits) != Met {
			continue
		}
		if n := s.counted(b.Count, hits); n > 0 {
			out = append(out, Use{ID: boardTally + b.ID, Period: b.Per.start(s.At, t.Zone, t.Week), N: n})
		}
	}
	return out
}

// counted is what the lines that count come to.
func (s *scene) counted(what Counting, hits lines) (n int64) {
	for j := range s.Order.Lines {
		if !hits.has(j) {
			continue
		}
		switch what {
		case Pieces:
			n += s.pieces(j)
		case Spending:
			n += s.pays[j]
		default:
			if s.Left[j] > 0 {
				n = 1
			}
		}
	}
	if what == Spending {
		return s.ours(n)
	}
	return n
}

// progress is how much of what a goal counts a member has.
func (a *Account) progress(g *Goal) (n int64) {
	for i := range a.Tallies {
		t := &a.Tallies[i]
		switch {
		case g.Count == Stores && strings.HasPrefix(t.ID, g.ID+"/") && t.N > 0:
			n++
		case t.ID == g.ID && g.Streak.IsZero():
			n += t.N
		}
	}
	return n
}

// streak is how many periods in a row counted, after the last that an award
// used up, up to the newest one.
func (a *Account) streak(g *Goal, through int64, t *Terms) (n, newest int64) {
	var periods []int64
	for _, x := range a.Tallies {
		if x.ID == g.ID && x.N > 0 {
			periods = append(periods, x.Period)
		}
	}
	slices.Sort(periods)
	for i, p := range periods {
		if p <= through {
			continue
		}
		if n > 0 && g.Streak.next(periods[i-1], t.Zone) == p {
			n++
		} else {
			n = 1
		}
		newest = p
	}
	return n, newest
}

// Given is what goals gave, or took back, in one decision.
type Given struct {
	Points   int64
	Vouchers []Voucher // as they are now: issued, or withdrawn
}

func (a *Account) reached(goal string) *Reached {
	for i := range a.Goals {
		if a.Goals[i].Goal == goal {
			return &a.Goals[i]
		}
	}
	a.Goals = append(a.Goals, Reached{Goal: goal})
	return &a.Goals[len(a.Goals)-1]
}

// pursue gives what goals are reached, and takes back what of them no longer
// is. seed makes the codes of new vouchers; it is secret and used once.
func (a *Account) pursue(t *Terms, seed string, now time.Time) Given {
	var out Given
	for i := range t.Goals {
		g := &t.Goals[i]
		r := a.reached(g.ID)
		for a.due(g, r, t) {
			r.Given++
			r.Badge = g.Badge
			out.Points += g.Points
			if g.Reward != "" {
				out.Vouchers = append(out.Vouchers, a.issue(g, code(seed, len(out.Vouchers)), t, now))
			}
		}
		for r.Given > 0 && a.lost(g, r, t) && a.takeBack(g, r, t, &out) {
			r.Given--
			out.Points -= g.Points
		}
	}
	a.Goals = slices.DeleteFunc(a.Goals, func(r Reached) bool { return r.Given == 0 && r.Through == 0 })
	return out
}

// due tells whether a goal is reached once more than it gave.
func (a *Account) due(g *Goal, r *Reached, t *Terms) bool {
	if !g.Repeat && r.Given > 0 {
		return false
	}
	if !g.Streak.IsZero() {
		n, newest := a.streak(g, r.Through, t)
		if n < g.Reach {
			return false
		}
		r.Through = newest
		return true
	}
	return a.progress(g) >= g.Reach*(r.Given+1)
}

// lost tells whether a goal gave more than is reached now.
func (a *Account) lost(g *Goal, r *Reached, t *Terms) bool {
	if g.Streak.IsZero() {
		return a.progress(g) < g.Reach*r.Given
	}
	// The periods that the last award used up all have to count.
	for i, p := int64(0), r.Through; i < g.Reach; i++ {
		if x := a.tally(g.ID, p); x == nil || x.N <= 0 {
			return !a.forgotten(g.ID, p, t)
		}
		p = g.Streak.start(time.Unix(p, 0).Add(-time.Hour), t.Zone, t.Week)
	}
	return false
}

// takeBack withdraws a voucher of the goal that is not used. Without one, of
// a goal that gives vouchers, there is nothing to take: the goal is owed.
func (a *Account) takeBack(g *Goal, r *Reached, t *Terms, out *Given) bool {
	if g.Reward != "" {
		v := a.withdraw(g.ID)
		if v == nil {
			return false
		}
		out.Vouchers = append(out.Vouchers, *v)
	}
	if !g.Streak.IsZero() { // the periods before it count again
		for range g.Reach {
			r.Through = g.Streak.start(time.Unix(r.Through, 0).Add(-time.Hour), t.Zone, t.Week)
		}
	}
	return true
}

// Toward is how far a member is toward a goal's next reward. Have may be
// below zero: a debt of stamps.
type Toward struct {
	Goal  string
	Have  int64
	Reach int64
	Given int64
	Badge bool // the goal awards one

	Repeat bool   // it can be reached again
	Of     string // what is counted: orders, quantity, minor_units, stores, activities, periods
}

func (g *Goal) unit() string {
	switch {
	case !g.Streak.IsZero():
		return "periods"
	case g.Count == Spending:
		return "minor_units"
	}
	return string(g.Count)
}

// Toward answers for every goal of the terms.
func (a *Account) Toward(t *Terms) []Toward {
	out := make([]Toward, 0, len(t.Goals))
	for i := range t.Goals {
		g := &t.Goals[i]
		r := Reached{}
		if j := slices.IndexFunc(a.Goals, func(r Reached) bool { return r.Goal == g.ID }); j >= 0 {
			r = a.Goals[j]
		}
		x := Toward{Goal: g.ID, Reach: g.Reach, Given: r.Given, Badge: g.Badge, Repeat: g.Repeat, Of: g.unit()}
		switch {
		case !g.Streak.IsZero():
			x.Have, _ = a.streak(g, r.Through, t)
		case g.Repeat:
			x.Have = a.progress(g) - g.Reach*r.Given
		default:
			x.Have = a.progress(g)
		}
		out = append(out, x)
	}
	return out
}
