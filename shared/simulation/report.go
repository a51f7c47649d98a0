package simulation

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"regulars/shared/loyalty"
)

// Report is the answer to a Question, for people. Encoded as JSON it is the
// same bytes for the same history and question, however the work was split.
type Report struct {
	Until    time.Time `json:"until"`
	Currency string    `json:"currency"`
	Redeemed string    `json:"expected_redemption"` // decimal
	Reach    int       `json:"reach_months"`

	Orders  Orders  `json:"orders"`
	Members Members `json:"members"`
	Points  Figure  `json:"points"`
	Money   Figure  `json:"money"` // what the points are expected to cost, minor units of Currency

	Rules   []Line     `json:"rules"`   // points by what gave them, most first
	Goals   []GoalLine `json:"goals"`   // times that they were reached, and so rewards that they gave
	Wallets []Line     `json:"wallets"` // minor units
	Tiers   []Move     `json:"tiers"`   // at the end of history, lowest first
	Gainers []Change   `json:"gainers"`
	Losers  []Change   `json:"losers"`

	FirstReward FirstRewards `json:"first_reward"`
	Refused     []Line       `json:"refused"` // orders by why the engine refuses them
	Warnings    []Note       `json:"warnings"`
	Assumptions []Note       `json:"assumptions"` // what this does not look at
}

// Orders are how many were told of, and how many of them count.
type Orders struct {
	Told  int64 `json:"told"`
	Base  int64 `json:"base"`
	Draft int64 `json:"draft"`
}

// Members are how they fare under the draft.
type Members struct {
	All  int64 `json:"all"`
	Gain int64 `json:"gain"`
	Lose int64 `json:"lose"`
	Same int64 `json:"same"`
}

// Figure is a number under both programs.
type Figure struct {
	Base  int64 `json:"base"`
	Draft int64 `json:"draft"`
	Delta int64 `json:"delta"`
}

// Line is a named figure.
type Line struct {
	ID string `json:"id"`
	Figure
}

// GoalLine is how often a goal was reached; Reward is what it gives each time.
type GoalLine struct {
	Goal   string `json:"goal"`
	Reward string `json:"reward,omitempty"`
	Figure
}

// Move is how many members of one tier would be in another; "" is none.
type Move struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Members int64  `json:"members"`
}

// FirstRewards is how long a first reward takes under both programs.
type FirstRewards struct {
	Base  FirstReward `json:"base"`
	Draft FirstReward `json:"draft"`
}

// FirstReward is the time from a member's first order to when they could
// first redeem the program's minimum or had a voucher.
type FirstReward struct {
	Members  int64  `json:"members"` // with an order that counts
	Reached  int64  `json:"reached"` // of them, who had one before history ends
	Median   *int64 `json:"median_days"`
	P90      *int64 `json:"p90_days"` // null: who was not there yet counts as longer than all
	Observed int64  `json:"observed"` // members whom history shows for reach_months at least
	InTime   int64  `json:"in_time"`  // of them, who had one by then
}

// Note is a sentence for people and its code.
type Note struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Report answers the question from what all members came to. Refused with
// points_out_of_range when a sum cannot be counted.
func (q *Question) Report(p *Partial) (Report, error) {
	if p.Base.Over || p.Draft.Over {
		return Report{}, loyalty.Refuse("points_out_of_range", "the history earns more points than can be counted")
	}
	r := Report{
		Until: q.Until.UTC(), Currency: q.Draft.Currency, Redeemed: decimal(q.Redeemed), Reach: q.Reach,
		Orders:  Orders{p.Orders, p.Base.Orders, p.Draft.Orders},
		Members: Members{p.Members, p.Gain, p.Lose, p.Members - p.Gain - p.Lose},
		Points:  figure(p.Base.Points, p.Draft.Points),
		Rules:   lines(p.Base.Rules, p.Draft.Rules),
		Goals:   []GoalLine{},
		Wallets: lines(p.Base.Wallets, p.Draft.Wallets),
		Tiers:   []Move{},
		Gainers: append([]Change{}, p.Gainers...),
		Losers:  append([]Change{}, p.Losers...),
		Refused: lines(p.Base.Refused, p.Draft.Refused),
		FirstReward: FirstRewards{
			Base: first(&p.Base), Draft: first(&p.Draft),
		},
		Warnings:    q.warnings(p),
		Assumptions: q.assumptions(),
	}
	for _, l := range lines(p.Base.Goals, p.Draft.Goals) {
		r.Goals = append(r.Goals, GoalLine{Goal: l.ID, Reward: q.reward(l.ID), Figure: l.Figure})
	}
	for from, row := range p.Tiers {
		for to, members := range row {
			r.Tiers = append(r.Tiers, Move{from, to, members})
		}
	}
	slices.SortFunc(r.Tiers, func(a, b Move) int {
		return cmp.Or(cmp.Compare(q.rank(a.From), q.rank(b.From)), strings.Compare(a.From, b.From), cmp.Compare(q.rank(a.To), q.rank(b.To)), strings.Compare(a.To, b.To))
	})
	base, draft := q.cost(p.Base.Points, q.Base), q.cost(p.Draft.Points, q.Draft)
	delta := new(big.Rat).Sub(draft, base)
	for _, x := range []struct {
		into  *int64
		exact *big.Rat
	}{{&r.Money.Base, base}, {&r.Money.Draft, draft}, {&r.Money.Delta, delta}} {
		n, fits := halfUp(x.exact)
		if !fits {
			return Report{}, loyalty.Refuse("points_out_of_range", "the points would cost more money than can be counted")
		}
		*x.into = n
	}
	return r, nil
}

// cost is what points are expected to cost under a program, minor units.
func (q *Question) cost(points int64, t *loyalty.Terms) *big.Rat {
	x := big.NewRat(t.Point.Amount, t.Point.Points)
	x.Mul(x, new(big.Rat).SetInt64(points))
	return x.Mul(x, q.Redeemed)
}

// halfUp is floor(x + 1/2).
func halfUp(x *big.Rat) (int64, bool) {
	num := new(big.Int).Lsh(x.Num(), 1)
	num.Add(num, x.Denom()).Div(num, new(big.Int).Lsh(x.Denom(), 1)) // Div is Euclid's: it rounds down
	return num.Int64(), num.IsInt64()
}

// decimal writes a ratio of at most nine decimals.
func decimal(x *big.Rat) string {
	s := x.FloatString(9) // exact, in spite of its name
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func figure(base, draft int64) Figure { return Figure{base, draft, draft - base} }

// lines are the figures of two sides by name, largest first.
func lines(base, draft map[string]int64) []Line {
	out := []Line{}
	for id, n := range base {
		out = append(out, Line{id, figure(n, draft[id])})
	}
	for id, n := range draft {
		if _, both := base[id]; !both {
			out = append(out, Line{id, figure(0, n)})
		}
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(cmp.Compare(max(b.Base, b.Draft), max(a.Base, a.Draft)), strings.Compare(a.ID, b.ID))
	})
	return out
}

// rank is the place of a level, by the draft or else by the base; no tier is first.
func (q *Question) rank(level string) int {
	for _, t := range []*loyalty.Terms{q.Draft, q.Base} {
		if t.Tiers == nil {
			continue
		}
		if i := slices.IndexFunc(t.Tiers.Levels, func(l loyalty.Level) bool { return l.ID == level }); i >= 0 {
			return i
		}
	}
	return -1
}

// reward is what a goal gives, by the draft or else by the base.
func (q *Question) reward(goal string) string {
	for _, t := range []*loyalty.Terms{q.Draft, q.Base} {
		for i := range t.Goals {
			if t.Goals[i].ID == goal {
				return t.Goals[i].Reward
			}
		}
	}
	return ""
}

func first(s *Side) FirstReward {
	f := FirstReward{Members: s.Buyers, Observed: s.Observed, InTime: s.InTime}
	for _, n := range s.Days {
		f.Reached += n
	}
	f.Median, f.P90 = s.percentile(50), s.percentile(90)
	return f
}

// percentile is the fewest days within which so many of a hundred members had
// a reward (the nearest rank); nil when they had none.
func (s *Side) percentile(hundredth int64) *int64 {
	rank := (s.Buyers*hundredth + 99) / 100
	for _, days := range slices.Sorted(maps.Keys(s.Days)) {
		if rank -= s.Days[days]; rank <= 0 {
			return &days
		}
	}
	return nil
}

// warnings are what should be thought over before the draft is published.
func (q *Question) warnings(p *Partial) []Note {
	out := []Note{}
	if d := &p.Draft; d.Observed > 0 && 2*d.InTime < d.Observed {
		out = append(out, Note{"reward.out_of_reach", fmt.Sprintf(
			"the median member needs more than %d months to the first reward: of %d members whom history shows for so long, %d had one by then", q.Reach, d.Observed, d.InTime)})
	}
	return out
}

// assumptions are what a report cannot say without, in this program's case.
func (q *Question) assumptions() []Note {
	out := []Note{
		{"orders_as_they_stand", "every order counts as it stands today, from the day it counts: what came back was never earned"},
		{"nothing_is_spent", "no points are redeemed, held or adjusted, and no part of an order is paid by points: what is told is what orders give"},
		{"for_everyone", "both programs hold for all members and all of history: rollouts and earlier versions are not looked at"},
		{"merged_members_apart", "members who were merged later count as they bought, each alone"},
	}
	if either(q, func(t *loyalty.Terms) bool {
		return slices.ContainsFunc(t.Earning.Rules, func(r loyalty.Rule) bool { return r.Budget > 0 })
	}) {
		out = append(out, Note{"budgets_unlimited", "rules with a budget give as if it had no end: who comes first would have to be known over all members"})
	}
	if either(q, func(t *loyalty.Terms) bool {
		return slices.ContainsFunc(t.Earning.Rules, func(r loyalty.Rule) bool { return r.Activity != "" }) ||
			slices.ContainsFunc(t.Goals, func(g loyalty.Goal) bool { return g.Count == loyalty.Activities }) || len(t.Plans) > 0
	}) {
		out = append(out, Note{"activities_left_out", "history has orders only: activities, memberships and subscriptions give nothing"})
	}
	if either(q, func(t *loyalty.Terms) bool { return t.Needs.Attributes || t.Needs.Segments }) {
		out = append(out, Note{"members_unknown", "attributes and segments of members are not known: rules that ask for them apply to nobody"})
	}
	return out
}

func either(q *Question, holds func(*loyalty.Terms) bool) bool {
	return holds(q.Base) || holds(q.Draft)
}
