// Package simulation answers what a draft of the program would have given for
// recorded history: every member's orders are played from the first on a
// fresh account, once under the terms in force and once under the draft, by
// the same engine that decides in production (loyalty.Account.Apply, Settle
// between). It has no arithmetic of its own but sums.
//
// A Partial is what some of the members came to. Partials merge in any order
// and any grouping to the same bytes, so a history can be split by member over
// as many workers as there are. Report turns the whole into figures for people.
//
// It does not know where orders come from beside the lines of a history, and
// neither table nor clock: Until is when history ends.
package simulation

import (
	"cmp"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"

	"regulars/shared/loyalty"
)

// Question is what is asked of a history.
type Question struct {
	Base, Draft *loyalty.Terms
	Until       time.Time // the end of history: what is later is not looked at, and standings are those of then
	Redeemed    *big.Rat  // which part of points people are expected to spend, 0 to 1
	Reach       int       // months within which the median member should have a first reward
}

// What a question asks unless it says otherwise.
const (
	DefaultRedeemed = "0.8"
	DefaultReach    = 6
)

// Play adds a member to a Partial. All orders of the member have to be there
// at once, in any order; of one that is told several times the newest counts,
// as in production. A member is played once.
func (q *Question) Play(member string, orders []loyalty.Order, into *Partial) {
	orders = newest(orders)
	base := q.live(q.Base, member, orders, &into.Base)
	draft := q.live(q.Draft, member, orders, &into.Draft)
	into.Orders += int64(len(orders))
	into.compare(member, base, draft)
}

// newest is every order once, in its newest state.
func newest(orders []loyalty.Order) []loyalty.Order {
	slices.SortStableFunc(orders, func(a, b loyalty.Order) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.ID, b.ID), a.Version.Compare(b.Version))
	})
	out := orders[:0]
	for i := 0; i < len(orders); {
		j := i + 1
		for j < len(orders) && orders[j].Ref() == orders[i].Ref() {
			j++
		}
		o := orders[i]
		if j > i+1 { // rarely: then as the record of an order takes them
			rec := loyalty.Record{Order: o}
			for k := i + 1; k < j; k++ {
				_, _ = rec.Receive(&orders[k], true) // what cannot be taken changes nothing
			}
			o = rec.Order
		}
		out = append(out, o)
		i = j
	}
	return out
}

// lived is what one member came to under one program.
type lived struct {
	points int64
	tier   string
}

// life is a member's account under one program while history runs.
type life struct {
	terms   *loyalty.Terms
	account loyalty.Account
	wallets map[string]*loyalty.Account
	side    *Side
	only    string // the one rule by which orders earn points; "" where there are several

	points   int64
	first    int64 // when the first order counted, unix seconds; 0: none yet
	rewarded int64 // when the member could first have a reward; 0: not yet
}

// live lets a member live through the orders under one program.
func (q *Question) live(t *loyalty.Terms, member string, orders []loyalty.Order, side *Side) lived {
	l := life{terms: t, account: loyalty.Account{Member: member}, side: side, only: only(t)}
	type dated struct {
		at int64
		*loyalty.Order
	}
	in := make([]dated, 0, len(orders))
	for i := range orders {
		at := t.EarnedAt(&orders[i], time.Time{})
		if at.IsZero() || at.After(q.Until) {
			continue
		}
		in = append(in, dated{at.Unix(), &orders[i]})
	}
	slices.SortStableFunc(in, func(a, b dated) int { return cmp.Compare(a.at, b.at) }) // at one instant by source and id
	for _, o := range in {
		l.advance(o.at)
		l.take(o.Order, o.at)
	}
	l.advance(q.Until.Unix())
	for _, g := range l.account.Goals {
		side.add(&side.Goals, g.Goal, g.Given)
	}
	side.reward(l.first, l.rewarded, q.inTime(l.first, t.Zone), q.Until.Unix())
	return lived{points: l.points, tier: l.account.Tier(q.Until, t)}
}

// inTime is until when a member who began at an instant should have a reward.
func (q *Question) inTime(first int64, zone *time.Location) int64 {
	return loyalty.Period{Months: q.Reach}.After(time.Unix(first, 0), zone).Unix()
}

// advance lets the clock run to an instant. As long as the member had no
// reward it stops wherever something is due: points that ripen may be enough.
func (l *life) advance(to int64) {
	for l.rewarded == 0 {
		due := l.account.NextDue()
		if due == 0 || due > to {
			break
		}
		l.account.Settle(time.Unix(due, 0), l.terms)
		l.collect()
		l.look(due)
	}
	l.account.Settle(time.Unix(to, 0), l.terms)
	l.collect()
}

// take applies an order that is told when it counts. It begins with Settle,
// as every decision.
func (l *life) take(o *loyalty.Order, at int64) {
	now := time.Unix(at, 0)
	rec := loyalty.Record{Order: *o, Member: l.account.Member, Terms: l.terms.Version}
	telling := loyalty.Telling{Pinned: l.terms, Current: l.terms, Seed: o.Source + "/" + o.ID, Now: now}
	if !l.terms.Accepts(o.Currency) {
		l.side.add(&l.side.Refused, "currency_not_accepted", 1)
		return
	}
	if _, err := l.account.Apply(&rec, telling); err != nil {
		var refused *loyalty.Error
		if !errors.As(err, &refused) {
			panic("simulation: the engine refuses with its own error only: " + err.Error())
		}
		l.side.add(&l.side.Refused, refused.Code, 1)
		return
	}
	l.collect()
	if rec.At == 0 { // it has not come far enough to count
		return
	}
	l.side.Orders++
	if l.first == 0 {
		l.first = at
	}
	l.credit(rec.Points)
	l.byRule(&rec)
	for _, wallet := range rec.Due() {
		w := l.wallets[wallet]
		if w == nil {
			w = &loyalty.Account{Member: l.account.Member, Wallet: wallet}
			if l.wallets == nil {
				l.wallets = map[string]*loyalty.Account{}
			}
			l.wallets[wallet] = w
		}
		if err := w.ApplyIn(&rec, telling); err != nil {
			l.side.add(&l.side.Refused, "points_out_of_range", 1)
			continue
		}
		w.Tail = w.Tail[:0]
	}
	for i := range rec.Others {
		l.side.add(&l.side.Wallets, rec.Others[i].Wallet, rec.Others[i].Points)
	}
	l.look(at)
}

// byRule notes which rule gave what of an order's points. An explanation takes
// several times what the decision takes, so where one rule alone can have
// given them none is asked for.
func (l *life) byRule(rec *loyalty.Record) {
	if rec.ByGoals != 0 {
		l.side.add(&l.side.Rules, OfGoals, rec.ByGoals)
	}
	byRules := rec.Points - rec.ByGoals
	if byRules == 0 {
		return
	}
	if l.only != "" {
		l.side.add(&l.side.Rules, l.only, byRules)
		return
	}
	_, d, err := l.terms.Explain(&rec.Order, "", rec.Case(nil))
	if err != nil {
		panic("simulation: what was valued can be explained: " + err.Error())
	}
	for i := range d.Shares {
		l.side.add(&l.side.Rules, d.Shares[i].Rule, d.Shares[i].Points)
	}
}

// only is the id of the one rule by which orders earn points; "" where there
// is none, or more than one.
func only(t *loyalty.Terms) (id string) {
	for i := range t.Earning.Rules {
		r := &t.Earning.Rules[i]
		if r.Activity != "" || r.Wallet != "" {
			continue
		}
		if id != "" {
			return ""
		}
		id = r.ID
	}
	if t.Tiers != nil && slices.ContainsFunc(t.Tiers.Levels, func(l loyalty.Level) bool { return l.Multiplier != nil }) {
		return "" // a level with a multiplier is a rule too
	}
	return id
}

// What gives points beside the rules, as it is named among them.
const (
	OfGoals     = "goals"
	OfAutomatic = "automatic_rewards"
)

// collect takes what the newest entries say that orders do not, and lets the
// entries go: no simulated ledger is kept.
func (l *life) collect() {
	for i := range l.account.Tail {
		if e := &l.account.Tail[i]; e.Type == loyalty.Earn && e.Ref != "" {
			l.credit(e.Points)
			l.side.add(&l.side.Rules, OfAutomatic, e.Points)
		}
	}
	l.account.Tail = l.account.Tail[:0]
}

func (l *life) credit(points int64) {
	l.points += points
	l.side.Points = plus(l.side.Points, points, &l.side.Over)
}

// look notes when the member could first have a reward: redeem the fewest
// points that the program lets redeem, or use a voucher.
func (l *life) look(at int64) {
	if l.rewarded != 0 || l.first == 0 {
		return
	}
	if len(l.account.Vouchers) > 0 ||
		l.points >= l.terms.Minimum && l.account.BalanceAt(time.Unix(at, 0), l.terms).Available >= l.terms.Minimum {
		l.rewarded = at
	}
}
