package loyalty

import "time"

// Apply brings a member's ledger to what an order is worth now, by the terms
// pinned to it: the ledger gets the difference, and the redemption that paid
// a part (nil for none) gets back the share of the goods that came back.
// current are the terms of today; they only settle what the member owes.
// Refused with points_out_of_range, currency_not_accepted or
// redemption_not_usable; then nothing may be stored.
func (a *Account) Apply(r *Record, red *Redemption, pinned, current *Terms, now time.Time) error {
	a.Settle(now, current)
	from := a.Seq
	if err := a.bring(r, red, pinned, current, now); err != nil {
		return err
	}
	if r.addRefunds(r.waiting) { // as if it had come after its order (SC1)
		r.waiting = nil
		if err := a.bring(r, red, pinned, current, now); err != nil {
			return err
		}
	}
	a.At = now.Unix()
	a.Settle(now, current) // an order that comes late may bring points that are over
	r.own(a, from)
	return a.sane()
}

func (a *Account) bring(r *Record, red *Redemption, pinned, current *Terms, now time.Time) error {
	first := r.At == 0 && pinned.counts(&r.Order)
	at := a.date(r, pinned, now, first)
	cause := Entry{At: now.Unix(), Source: r.Order.Source, Order: r.Order.ID, Terms: pinned.Version}
	var paid int64
	if red != nil {
		if err := red.use(r.Order.Ref(), a.Member); err != nil {
			return err
		}
		a.restore(red, returned(&r.Order, red.Points), cause, current, now)
		paid = red.Paying(&r.Order)
	}
	w, err := pinned.Worth(&r.Order, paid, at)
	if err != nil {
		return err
	}
	change := w.Points - r.Points
	switch {
	case change > 0 || first:
		a.earn(r, change, cause)
	case change < 0:
		a.clawBack(r, -change, cause)
	}
	r.Points = w.Points
	a.expire(now.Unix(), now.Unix()) // what was over when it came pays no debt
	seq := a.Seq
	a.payOwed(now.Unix(), current)
	if a.Seq > seq && change < 0 { // the program bears it, until the order counts again
		r.WrittenOff += min(a.Tail[len(a.Tail)-1].Points, -change)
	}
	return nil
}

// date is when the order counts as earned by its newest state. It sets when
// its points ripen and die, and moves those that are still in their lot there
// when another version tells of another time.
func (a *Account) date(r *Record, pinned *Terms, now time.Time, first bool) time.Time {
	if !first && r.At == 0 {
		return now
	}
	at := time.Unix(r.At, 0)
	if told := pinned.EarnedAt(&r.Order, time.Time{}); first || !told.IsZero() && told.Before(now) {
		at = pinned.EarnedAt(&r.Order, now)
	}
	active, dies := int64(0), int64(0)
	if ripe := pinned.Earning.Pending.After(at, pinned.Zone); !pinned.Earning.Pending.IsZero() && ripe.After(now) {
		active = ripe.Unix() // without a period nothing waits, even for a clock that is behind
	}
	if end := pinned.expires(at); !end.IsZero() {
		dies = end.Unix()
	}
	if !first && (dies != r.Expires || active > 0 && active != r.Active) {
		moved := a.takeFrom(r.Active, r.Expires, r.Points)
		moved += a.takeFrom(0, r.Expires, r.Points-moved)
		a.put(active, dies, moved)
	}
	if first || at.Unix() != r.At {
		r.At, r.Active, r.Expires = at.Unix(), active, dies
	}
	return at
}

// EarnedAt is when an order counts as earned: when it was paid (fulfilled,
// where the program says so), never when it arrived. A time after now, or
// none, is taken as now.
func (t *Terms) EarnedAt(o *Order, now time.Time) time.Time {
	at := o.PaidAt
	if t.Earning.When == Fulfilled && !o.FulfilledAt.IsZero() {
		at = o.FulfilledAt
	}
	if at.IsZero() {
		at = o.PlacedAt
	}
	if at.IsZero() || !now.IsZero() && at.After(now) {
		return now
	}
	return at
}

// earn puts points into the order's lot. What the program bore for the order
// when it took points back is paid first: being refunded and not refunded in
// turn makes no points.
func (a *Account) earn(r *Record, points int64, e Entry) {
	active := r.Active
	if active <= e.At {
		active = 0
	}
	a.put(active, r.Expires, points)
	e.Type, e.Points = Earn, points
	if points > 0 {
		e.Lots = []Part{{Expires: r.Expires, Points: points}}
	}
	a.append(e)
	if back := min(points, r.WrittenOff); back > 0 {
		a.takeFrom(active, r.Expires, back)
		r.WrittenOff -= back
		e.Type, e.Points, e.Lots = WriteOff, -back, []Part{{Expires: r.Expires, Points: -back}}
		a.append(e)
	}
}

// ExpiredBefore is the reason of a clawback that took less than the order had
// earned, because the rest had died unspent: nobody owes what they never had.
const ExpiredBefore = "expired_before"

// clawBack takes points from the order's own lot first, then from what can be
// spent, earliest expiry first. What is left is owed.
func (a *Account) clawBack(r *Record, points int64, e Entry) {
	if died := a.undie(r.Expires, points); died > 0 {
		points -= died
		e.Reason = ExpiredBefore
	}
	e.Type, e.Points = Clawback, -points
	left := points
	taken := func(expires, n int64) {
		if n > 0 {
			e.Lots = append(e.Lots, Part{Expires: expires, Points: -n})
			left -= n
		}
	}
	if r.Active > 0 {
		taken(r.Expires, a.takeFrom(r.Active, r.Expires, left))
	}
	taken(r.Expires, a.takeFrom(0, r.Expires, left))
	for _, p := range a.take(min(left, a.usable())) {
		taken(p.Expires, p.Points)
	}
	a.Owed += left
	a.append(e)
}

// Adjust moves points by hand: a gift, a correction, a deduction. A deduction
// beyond what can be spent is refused with insufficient_points. ref names the
// request, reason is for people.
func (a *Account) Adjust(points int64, ref, reason string, t *Terms, now time.Time) error {
	a.Settle(now, t)
	e := Entry{Type: Adjust, Points: points, At: now.Unix(), Ref: ref, Terms: t.Version, Reason: reason}
	if points < 0 {
		if have := a.usable(); -points > have {
			return insufficient(have-a.shown(t), -points)
		}
		for _, p := range a.take(-points) {
			e.Lots = append(e.Lots, Part{Expires: p.Expires, Points: -p.Points})
		}
	} else {
		var dies int64
		if at := t.expires(now); !at.IsZero() {
			dies = at.Unix()
		}
		a.put(0, dies, points)
		e.Lots = []Part{{Expires: dies, Points: points}}
	}
	a.append(e)
	a.payOwed(now.Unix(), t)
	a.At = now.Unix()
	return a.sane()
}

// shown is what the policy Negative shows below zero.
func (a *Account) shown(t *Terms) int64 {
	if t.Clawback == Negative {
		return a.Owed
	}
	return 0
}

// sane refuses a balance that nobody can have honestly, long before an int64 ends.
func (a *Account) sane() error {
	if a.Balance > 1000*MaxPoints || a.Balance < -1000*MaxPoints {
		return Refuse("points_out_of_range", "the balance would be beyond what can be counted")
	}
	return nil
}
