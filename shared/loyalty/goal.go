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
	_     struct{} `cbor:",toarray"`
	Goal  string
	Given int64   // how often it gave, less what was taken back
	Used  int64   // what that used up of what is counted; more than there is: a debt
	Ends  []int64 // of a streak: the last period that each of its newest awards used up, unix seconds
	Badge bool    // the goal awards one
}

// through is the last period of a streak that is used up.
func (r *Reached) through() int64 {
	if len(r.Ends) == 0 {
		return 0
	}
	return r.Ends[len(r.Ends)-1]
}

// endsKept is how many awards of a streak are remembered: the periods of an
// earlier one are forgotten, so it cannot be lost.
const endsKept = 3

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

// streak is how many periods in a row counted after the last that an award
// used up, and which was the last of them: the first row that is long enough,
// else the newest.
func (a *Account) streak(g *Goal, through int64, t *Terms) (n, last int64) {
	var periods []int64
	for _, x := range a.Tallies {
		if x.ID == g.ID && x.N > 0 && x.Period > through {
			periods = append(periods, x.Period)
		}
	}
	slices.Sort(periods)
	for _, p := range periods {
		if n == 0 || g.Streak.next(last, t.Zone) != p {
			n = 0
		}
		if n, last = n+1, p; n == g.Reach {
			break
		}
	}
	return n, last
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

// mostVouchers bounds what one decision issues or withdraws: each is an item
// of its transaction. What is beyond follows with the next.
const mostVouchers = 25

// pursue gives what goals are reached, and takes back what of them no longer
// is. seed makes the codes of new vouchers; it is secret and used once.
func (a *Account) pursue(t *Terms, seed string, now time.Time) Given {
	var out Given
	for i := range t.Goals {
		g := &t.Goals[i]
		r := a.reached(g.ID)
		r.Badge = g.Badge
		if g.Streak.IsZero() {
			a.pursueCount(g, r, seed, t, now, &out)
		} else {
			a.pursueStreak(g, r, seed, t, now, &out)
		}
	}
	a.Goals = slices.DeleteFunc(a.Goals, func(r Reached) bool { return r.Given == 0 && r.Used == 0 && len(r.Ends) == 0 })
	return out
}

func (a *Account) pursueCount(g *Goal, r *Reached, seed string, t *Terms, now time.Time, out *Given) {
	have := a.progress(g)
	if n := (have - r.Used) / g.Reach; n > 0 {
		if !g.Repeat {
			n = min(n, max(0, 1-r.Given))
		}
		n = a.give(g, n, seed, t, now, out)
		r.Given += n
		r.Used += n * g.Reach
	}
	if have < r.Used && r.Given > 0 {
		each := max(1, r.Used/r.Given)
		n := a.takeBack(g, min(r.Given, (r.Used-have+each-1)/each), out)
		if r.Given -= n; r.Given == 0 {
			r.Used = 0
		} else {
			r.Used -= n * each
		}
	}
}

func (a *Account) pursueStreak(g *Goal, r *Reached, seed string, t *Terms, now time.Time, out *Given) {
	for g.Repeat || r.Given == 0 {
		n, last := a.streak(g, r.through(), t)
		if n < g.Reach || a.give(g, 1, seed, t, now, out) == 0 {
			break
		}
		r.Given++
		r.Ends = append(r.Ends, last)
		r.Ends = r.Ends[max(0, len(r.Ends)-endsKept):]
	}
	for i := len(r.Ends) - 1; i >= 0; i-- {
		if r.Given > 0 && a.broken(g, r.Ends[i], t) && a.takeBack(g, 1, out) > 0 {
			r.Given--
			r.Ends = slices.Delete(r.Ends, i, i+1) // the periods after the award before it count again
		}
	}
}

// broken tells whether a period that an award used up no longer counts.
func (a *Account) broken(g *Goal, end int64, t *Terms) bool {
	for range g.Reach {
		if x := a.tally(g.ID, end); (x == nil || x.N <= 0) && !a.forgotten(g.ID, end, t) {
			return true
		}
		end = g.Streak.start(time.Unix(end, 0).Add(-time.Hour), t.Zone, t.Week)
	}
	return false
}

// give gives what a goal does n times, and answers how often it did.
func (a *Account) give(g *Goal, n int64, seed string, t *Terms, now time.Time, out *Given) int64 {
	if g.Reward != "" {
		n = min(n, mostVouchers-int64(len(out.Vouchers)))
	}
	if n > 0 && g.Points > (MaxPoints-out.Points)/n {
		out.Points = MaxPoints + 1 // refused by who asked
		return n
	}
	out.Points += n * g.Points
	for range n {
		if g.Reward == "" {
			break
		}
		out.Vouchers = append(out.Vouchers, a.issue(g, code(seed, len(out.Vouchers)), t, now))
	}
	return n
}

// takeBack takes back what a goal gave n times, and answers how often it
// could: of a goal that gives vouchers, only those that are not used. The rest
// is owed.
func (a *Account) takeBack(g *Goal, n int64, out *Given) int64 {
	if g.Reward != "" {
		done := int64(0)
		for ; done < n && len(out.Vouchers) < 2*mostVouchers; done++ {
			v := a.withdraw(g.ID)
			if v == nil {
				break
			}
			out.Vouchers = append(out.Vouchers, *v)
		}
		n = done
	}
	out.Points -= n * g.Points
	return n
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
			x.Have, _ = a.streak(g, r.through(), t)
		case g.Repeat:
			x.Have = a.progress(g) - r.Used
		default:
			x.Have = a.progress(g)
		}
		out = append(out, x)
	}
	return out
}
