package loyalty

import (
	"slices"
	"time"
)

// Merge moves all that from has into a: lots with their own dates, holds,
// what is owed. from keeps its ledger, closed by an entry that takes its
// balance to zero, and points to a. Merging again changes nothing. A member
// cannot be merged into itself.
//
// What was counted of both is one: together they may reach a tier or a goal.
// The vouchers are those that this made; seed makes their codes.
func (a *Account) Merge(from *Account, seed string, t *Terms, now time.Time) ([]Voucher, error) {
	if from.Into == a.Member {
		return nil, nil
	}
	if from.Member == a.Member || from.Into != "" || a.Into != "" {
		return nil, &Error{Kind: Refused, Code: "cannot_merge", Detail: "a member cannot be merged into itself or into one that was merged away"}
	}
	a.Settle(now, t)
	from.Settle(now, t)

	e := Entry{Type: MergeInto, At: now.Unix(), Terms: t.Version}
	out, in := e, e
	out.Points, out.Ref = -from.Balance, "mem_"+a.Member
	in.Points, in.Ref = from.Balance, "mem_"+from.Member
	for _, l := range from.Lots {
		a.put(l.Active, l.Expires, l.Points)
		out.Lots = append(out.Lots, Part{Expires: l.Expires, Points: -l.Points})
		in.Lots = append(in.Lots, Part{Expires: l.Expires, Points: l.Points})
	}
	for _, d := range from.Dead {
		a.die(d.Expires, d.Points)
	}
	a.Holds = append(a.Holds, from.Holds...)
	a.Owed += from.Owed
	from.Lots, from.Holds, from.Dead, from.Owed, from.Into = nil, nil, nil, 0, a.Member
	from.append(out)
	a.append(in)
	a.payOwed(now.Unix(), t)
	a.takeCounts(from, t, now)
	given := a.pursue(t, seed, now)
	if given.Points > 0 {
		a.Post(given.Points, Entry{Ref: "mem_" + from.Member, Reason: "goal", At: now.Unix(), Terms: t.Version}, now, t)
	}
	a.stand(now, t)
	a.At, from.At = now.Unix(), now.Unix()
	return given.Vouchers, a.sane()
}

// takeCounts moves what was counted of from into a.
func (a *Account) takeCounts(from *Account, t *Terms, now time.Time) {
	a.Orders += from.Orders
	a.add(nil, from.Tallies, t)
	for _, r := range from.Goals {
		mine := a.reached(r.Goal)
		if t.reachedOnce(r.Goal) {
			mine.Given, mine.Used = max(mine.Given, r.Given), max(mine.Used, r.Used)
		} else {
			mine.Given += r.Given
			mine.Used += r.Used
		}
		mine.Ends = append(slices.Clone(mine.Ends), r.Ends...)
		slices.Sort(mine.Ends)
		mine.Ends = mine.Ends[max(0, len(mine.Ends)-endsKept):]
	}
	for i := range t.Goals { // what both counted is one now, and nothing is taken for that
		if g := &t.Goals[i]; g.Streak.IsZero() {
			mine := a.reached(g.ID)
			mine.Used = min(mine.Used, max(0, a.progress(g)))
		}
	}
	a.takeReferred(from)
	a.Vouchers = append(a.Vouchers, from.Vouchers...)
	for _, m := range from.Memberships {
		if mine := a.membership(m.ID); mine != nil {
			mine.Until = max(mine.Until, m.Until)
		} else {
			a.Memberships = append(a.Memberships, m)
		}
	}
	for _, s := range from.Spells {
		a.takeSpell(s, t, now)
	}
	for _, m := range from.Standing.Months {
		a.qualifyIn(m.Number, m.Points)
	}
	a.takeLevel(&from.Standing, t, now)
	changed := int64(0)
	for _, s := range from.Segments {
		if !slices.Contains(a.Segments, s) {
			a.Segments = append(slices.Clone(a.Segments), s)
			changed = 1
		}
	}
	a.SegmentSeq += changed
	from.Orders, from.Tallies, from.Goals, from.Vouchers, from.Memberships, from.Spells, from.Standing, from.Segments = 0, nil, nil, nil, nil, nil, Standing{}, nil
}

// takeLevel gives a member the other's level if it is the higher one, or the
// same for longer.
func (a *Account) takeLevel(other *Standing, t *Terms, now time.Time) {
	if t.Tiers == nil {
		return
	}
	mine := &a.Standing
	switch has, comes := t.Tiers.place(mine.Level), t.Tiers.place(other.Level); {
	case comes > has:
		mine.Changes++
		mine.Since = now.Unix()
	case comes < 0 || comes < has || other.Until <= mine.Until:
		return
	}
	mine.Level, mine.Rank, mine.Until, mine.Warn, mine.Late = other.Level, other.Rank, other.Until, other.Warn, other.Late
}

// reachedOnce tells of a goal that is not reached again, however much is counted.
func (t *Terms) reachedOnce(goal string) bool {
	return slices.ContainsFunc(t.Goals, func(g Goal) bool { return g.ID == goal && !g.Repeat })
}

// takeSpell adds another's period of a bonus to the member's own. Of two
// choices the member keeps the own, and has the default of the other at once.
func (a *Account) takeSpell(s Spell, t *Terms, now time.Time) {
	mine := a.spell(s.Bonus)
	if mine == nil {
		a.Spells = append(a.Spells, s)
		return
	}
	mine.Spent += s.Spent
	if mine.Start == 0 {
		mine.Start, mine.Ends = s.Start, s.Ends
	}
	if mine.Offer.Period == 0 {
		mine.Offer = s.Offer
		return
	}
	for i := range t.Bonuses {
		b := &t.Bonuses[i]
		if c := b.choice(s.Offer.From, ""); b.ID == s.Bonus && s.Offer.Period != 0 && c != nil {
			a.Post(c.Points, Entry{Ref: b.ref(s.Offer.Period), Reason: c.ID, At: now.Unix(), Terms: t.Version}, now, t)
		}
	}
}
