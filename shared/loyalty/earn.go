package loyalty

import (
	"cmp"
	"slices"
	"time"
)

// Telling is what a decision about an order is made with, beside the order.
type Telling struct {
	Redemption *Redemption // that paid a part; nil for none
	Pinned     *Terms      // that the order keeps
	Current    *Terms      // of today: what is owed, tiers and goals go by them
	Attributes map[string]string
	Budgets    []*Budget // of the pinned rules that have one; what the order draws is taken from them
	Lead       *Lead     // what it says of who sent its buyer; nil: nothing
	Marks      []Mark    // what it tells of the person
	Seed       string    // secret and used once: makes the codes of vouchers
	Now        time.Time
}

// Budget is what the whole program has given by one rule.
type Budget struct {
	Rule string `cbor:"1,keyasint"`
	Used int64  `cbor:"2,keyasint"` // points
}

// Lodged is what a wallet holds for an order.
type Lodged struct {
	Active     int64 `cbor:"6,keyasint,omitempty"`  // when its points become usable, unix seconds; 0: at once
	Expires    int64 `cbor:"7,keyasint,omitempty"`  // when its points die; 0: never
	Points     int64 `cbor:"8,keyasint,omitempty"`  // what the ledger holds for it
	WrittenOff int64 `cbor:"10,keyasint,omitempty"` // of a clawback, what the program bore
}

// Apply brings a member's ledger to what an order is worth now, by the terms
// pinned to it: the ledger gets the difference, and the redemption that paid
// a part gets back the share of the goods that came back. Tiers, goals and
// limits follow. It answers the vouchers that changed. What the order is
// worth in other wallets is posted by ApplyIn, afterwards. Refused with
// points_out_of_range, currency_not_accepted or redemption_not_usable; then
// nothing may be stored.
func (a *Account) Apply(r *Record, c Telling) ([]Voucher, error) {
	a.Settle(c.Now, c.Current)
	from := a.Seq
	vouchers, err := a.bring(r, c)
	if err != nil {
		return nil, err
	}
	if r.addRefunds(r.waiting) { // as if it had come after its order (SC1)
		r.waiting = nil
		c.Seed += "/"
		more, err := a.bring(r, c)
		if err != nil {
			return nil, err
		}
		vouchers = newest(append(vouchers, more...))
	}
	a.invite(c.Current, c.Now)
	a.stand(c.Now, c.Current)
	a.At = c.Now.Unix()
	a.Settle(c.Now, c.Current) // an order that comes late may bring points that are over
	r.own(a, from)
	return vouchers, a.sane()
}

// newest leaves out vouchers that were made and withdrawn in one decision.
func newest(vs []Voucher) []Voucher {
	var out []Voucher
	for _, v := range vs {
		i := slices.IndexFunc(out, func(o Voucher) bool { return o.Code == v.Code })
		if v.Stage == VoucherWithdrawn && i >= 0 {
			out = slices.Delete(out, i, i+1)
			continue
		}
		out = append(out, v)
	}
	return out
}

func (a *Account) bring(r *Record, c Telling) ([]Voucher, error) {
	t := c.Pinned
	first := r.At == 0 && t.counts(&r.Order)
	was := r.At
	at, moved := r.date(t, c.Now, first)
	if first {
		r.Facts.Attributes = c.Attributes
		a.know(&r.Facts, c.Now, t)
	}
	var paid int64
	if c.Redemption != nil {
		if err := c.Redemption.use(r.Order.Ref(), a.Member); err != nil {
			return nil, err
		}
		paid = c.Redemption.Paying(&r.Order)
	}
	w, err := a.weigh(r, paid, at, was, first, c)
	if err != nil {
		return nil, err
	}
	given := a.pursue(c.Current, c.Seed, c.Now)
	r.ByGoals += given.Points
	if w[""].Points+r.ByGoals > MaxPoints {
		return nil, tooMany("the order")
	}
	a.count(r, w, at, c)
	if err := a.refer(r, w[""].Paid, c); err != nil {
		return nil, err
	}
	return newest(given.Vouchers), a.post(r, &r.Lodged, w[""].Points+r.ByGoals, first, moved, t, c)
}

// weigh values the order in every wallet and notes what it adds to limits,
// budgets and goals. was is when it counted before, unix seconds.
func (a *Account) weigh(r *Record, paid int64, at time.Time, was int64, first bool, c Telling) (map[string]Worth, error) {
	t := c.Pinned
	k := Case{Paid: paid, At: at, Facts: r.Facts, gifts: r.gifts}
	k.Facts.Rooms = a.rooms(r, at, was, first, c)
	s, err := t.scene(&r.Order, k)
	if err != nil {
		return nil, err
	}
	all := map[string]Worth{}
	var uses, drawn []Use
	for _, wallet := range t.WalletIDs() {
		w, shares, err := t.worth(s, wallet)
		if err != nil {
			return nil, err
		}
		all[wallet] = w
		for _, sh := range shares {
			if l := sh.rule.Limit; l != nil {
				uses = append(uses, Use{ID: sh.Rule, Period: l.Per.start(at, t.Zone, t.Week), N: 1, Points: sh.Points})
			}
			if sh.rule.Budget > 0 {
				drawn = append(drawn, Use{ID: sh.Rule, Points: sh.Points})
			}
		}
		if wallet != "" {
			r.lodged(wallet).due = w.Points
		}
	}
	if t.counts(&r.Order) {
		uses = append(uses, t.uses(s)...)
	}
	a.add(r.Uses, uses, c.Current)
	for _, b := range c.Budgets {
		b.Used += given(drawn, b.Rule) - given(r.Drawn, b.Rule)
	}
	r.Uses, r.Drawn = uses, drawn
	return all, nil
}

func given(uses []Use, rule string) (points int64) {
	for _, u := range uses {
		if u.ID == rule {
			points += u.Points
		}
	}
	return points
}

// rooms is what limits and budgets leave of the rules for an order: never
// more than when it first counted in the period, and never so much that
// others' would be passed.
func (a *Account) rooms(r *Record, at time.Time, was int64, first bool, c Telling) []Room {
	var out []Room
	for i := range c.Pinned.Earning.Rules {
		rule := &c.Pinned.Earning.Rules[i]
		if rule.Activity != "" || rule.Limit == nil && rule.Budget == 0 {
			continue
		}
		room, bound := a.roomOf(rule, at, r.Uses, c.Pinned)
		for _, b := range c.Budgets {
			if left := max(0, rule.Budget-b.Used+given(r.Drawn, rule.ID)); b.Rule == rule.ID && (!bound || left < room) {
				room, bound = left, true
			}
		}
		per := func(at time.Time) int64 { return rule.Limit.Per.start(at, c.Pinned.Zone, c.Pinned.Week) }
		switch had, pinned := r.Facts.room(rule.ID); {
		case first, was != 0 && rule.Limit != nil && per(time.Unix(was, 0)) != per(at): // new in the period
			r.Facts.pin(rule.ID, room, bound)
		case pinned && (!bound || had < room):
			room, bound = had, true
		}
		if bound {
			out = append(out, Room{Rule: rule.ID, Points: room})
		}
	}
	return out
}

// count brings what is counted of the order for tiers, bonuses and the number
// of the member's orders to its newest state.
func (a *Account) count(r *Record, w map[string]Worth, at time.Time, c Telling) {
	counts := c.Pinned.counts(&r.Order)
	spent, had := int64(0), r.Bought.Orders
	r.Bought = Bought{}
	if counts {
		spent = w[""].Paid
		if w[""].Returned < w[""].Goods || w[""].Goods == 0 {
			r.Bought = Bought{Day: DayOf(at, c.Current.Zone), Orders: 1, Spent: spent, Store: r.Order.Store}
		}
	}
	a.qualifyIn(r.QualifiedIn, -r.Qualifies)
	r.Qualifies, r.QualifiedIn = 0, 0
	if c.Pinned.Tiers != nil && c.Current.Tiers != nil {
		n := w[""]
		r.Qualifies, r.QualifiedIn = c.Pinned.Tiers.measure(&n, counts), MonthOf(at, c.Current.Zone)
		a.qualifyIn(r.QualifiedIn, r.Qualifies)
	}
	if len(c.Pinned.Bonuses) > 0 { // or what comes back was never counted
		a.spend(spent-r.Spent, at, c.Current)
		r.Spent = spent
	}
	a.Orders += r.Bought.Orders - had
}

// ApplyIn posts what an order is worth in another wallet than points, into
// the member's account there. Apply has decided it.
func (a *Account) ApplyIn(r *Record, c Telling) error {
	pinned, was := c.Pinned.In(a.Wallet)
	current, _ := c.Current.In(a.Wallet)
	if !was { // the wallet is younger than the order, and paid a part of it
		pinned = current
	}
	c.Pinned, c.Current = pinned, current
	a.Settle(c.Now, current)
	from := a.Seq
	l := r.lodged(a.Wallet)
	if err := a.post(r, &l.Lodged, l.due, false, r.moved || l.Points == 0, pinned, c); err != nil {
		return err
	}
	a.At = c.Now.Unix()
	a.Settle(c.Now, current)
	r.own(a, from)
	return a.sane()
}

// post brings what a wallet holds for an order to what it is worth now.
func (a *Account) post(r *Record, l *Lodged, worth int64, first, moved bool, pinned *Terms, c Telling) error {
	if moved {
		a.move(l, time.Unix(r.At, 0), pinned, c.Now)
	}
	cause := Entry{At: c.Now.Unix(), Source: r.Order.Source, Order: r.Order.ID, Terms: pinned.Version}
	if red := c.Redemption; red != nil && red.Wallet == a.Wallet {
		a.restore(red, returned(&r.Order, red.Points), cause, c.Current, c.Now)
	}
	change := worth - l.Points
	if change > 0 || first {
		a.earn(l, max(change, 0), cause)
	}
	if change < 0 { // of a first order too: a goal can be lost with it
		a.clawBack(l, -change, cause)
	}
	l.Points = worth
	a.expire(c.Now.Unix(), c.Now.Unix()) // what was over when it came pays no debt
	seq := a.Seq
	a.payOwed(c.Now.Unix(), c.Current)
	if a.Seq > seq && change < 0 { // the program bears it, until the order counts again
		l.WrittenOff += min(a.Tail[len(a.Tail)-1].Points, -change)
	}
	return nil
}

// date is when the order counts as earned by its newest state. The second
// answer tells whether that is new, or another time than before.
func (r *Record) date(pinned *Terms, now time.Time, first bool) (time.Time, bool) {
	if !first && r.At == 0 {
		return now, false
	}
	at := time.Unix(r.At, 0)
	if told := pinned.EarnedAt(&r.Order, time.Time{}); first || !told.IsZero() && told.Before(now) {
		at = pinned.EarnedAt(&r.Order, now)
	}
	moved := first || at.Unix() != r.At
	r.At, r.moved = at.Unix(), r.moved || moved
	return at, moved
}

// move sets when an order's points ripen and die, and moves those that are
// still in their lot there.
func (a *Account) move(l *Lodged, at time.Time, pinned *Terms, now time.Time) {
	active, dies := int64(0), int64(0)
	if ripe := pinned.Earning.Pending.After(at, pinned.Zone); !pinned.Earning.Pending.IsZero() && ripe.After(now) {
		active = ripe.Unix() // without a period nothing waits, even for a clock that is behind
	}
	if end := pinned.expires(at); !end.IsZero() {
		dies = end.Unix()
	}
	if l.Points > 0 && (dies != l.Expires || active > 0 && active != l.Active) {
		moved := a.takeFrom(l.Active, l.Expires, l.Points)
		moved += a.takeFrom(0, l.Expires, l.Points-moved)
		a.put(active, dies, moved)
	}
	l.Active, l.Expires = active, dies
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
func (a *Account) earn(r *Lodged, points int64, e Entry) {
	active := r.Active
	if active <= e.At {
		active = 0
	}
	a.put(active, r.Expires, points)
	e.Type, e.Points = cmp.Or(e.Type, Earn), points
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
func (a *Account) clawBack(r *Lodged, points int64, e Entry) {
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
