package main

import (
	"maps"
	"math/big"
	"slices"
	"time"
)

// order is what the model knows of an order: its newest state as told, and
// what the ledgers hold for it.
type order struct {
	parked bool // only refunds came so far
	told   *edition

	version     int64
	state       string
	paidAt      int64
	fulfilledAt int64
	placedAt    int64
	lines       []line0
	store       string
	refunded    int64             // total as told
	back        []int64           // of each line as told; nil: not by line
	pieces      []int64           // that came back of each line, as told
	refunds     map[string]refund // single refunds by id
	waiting     map[string]refund // those that were here before the order
	redemption  string
	codes       []string // vouchers that are shown with it, each for the line of its place

	ofMany int64 // 1: it is one of the member's orders
	member string
	rules  rules
	at     int64  // when it counts as earned; 0: not yet
	tier   string // before it
	lodged        // in points
	cash   lodged

	byGoals     int64 // of its points
	uses        []use
	drawn       int64            // of the budget
	rooms       map[string]int64 // of limits and the budget, when it first counted
	qualifies   int64
	qualifiedIn int // which month
	spent       int64
	gifts       []int64 // pieces of each line that a voucher paid
	bought      bought
}

// line0 is a line of goods after discounts.
type line0 struct {
	net, quantity int64
	sku           string
}

type refund struct {
	line   int
	amount int64
}

// lodged is what a wallet holds for an order.
type lodged struct {
	ripe, end  int64
	points     int64
	writtenOff int64
}

func (o *order) copy() *order {
	c := *o
	c.refunds, c.waiting, c.rooms = maps.Clone(o.refunds), maps.Clone(o.waiting), maps.Clone(o.rooms)
	return &c
}

func (o *order) goods() (n int64) {
	for _, l := range o.lines {
		n += l.net
	}
	return n
}

// left is what the order still holds of each line.
func (o *order) left() []int64 {
	left := make([]int64, len(o.lines))
	if o.state == "cancelled" {
		return left
	}
	single := make([]int64, len(o.lines))
	for _, r := range o.refunds {
		single[r.line] += r.amount
	}
	for i, l := range o.lines {
		gone := single[i]
		if o.back != nil {
			gone = max(gone, o.back[i])
		}
		if o.pieces != nil {
			gone = max(gone, l.net*min(o.pieces[i], l.quantity)/l.quantity)
		}
		left[i] = l.net - min(gone, l.net)
	}
	if o.refunded > 0 { // a total alone falls on all lines
		for i, n := range shares(min(o.refunded, sumOf(left)), left) {
			left[i] -= n
		}
	}
	return left
}

func sumOf(list []int64) (n int64) {
	for _, x := range list {
		n += x
	}
	return n
}

// shares splits a total by weights: everyone's whole part, and what is left
// one by one to the largest remainders, the first of equal ones first.
func shares(total int64, weights []int64) []int64 {
	parts := make([]int64, len(weights))
	all := sumOf(weights)
	if all == 0 {
		return parts
	}
	rest := total
	var order []int
	remainder := make([]int64, len(weights))
	for i, w := range weights {
		parts[i], remainder[i] = total*w/all, total*w%all
		rest -= parts[i]
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(max(-1, min(1, remainder[b]-remainder[a]))) })
	for _, i := range order[:rest] {
		parts[i]++
	}
	return parts
}

func (o *order) counts() bool {
	return o.state == "fulfilled" || o.state == "paid" && !o.rules.fulfilled
}

var rank = map[string]int{"placed": 1, "paid": 2, "fulfilled": 3, "cancelled": 4}

// join adds single refunds; of one id the larger amount stays.
func (o *order) join(refunds map[string]refund) (changed bool) {
	for id, r := range refunds {
		if had, ok := o.refunds[id]; !ok || r.amount > had.amount {
			if o.refunds == nil {
				o.refunds = map[string]refund{}
			}
			o.refunds[id], changed = r, true
		}
	}
	return changed
}

// take takes a told state into the order and says what became of it.
func (o *order) take(e *edition, webhook bool) (status, refused string) {
	switch {
	case o.told == nil: // never seen, or parked
		o.waiting, o.refunds, o.parked = o.refunds, nil, false
		o.set(e)
		return "applied", ""
	case e.version < o.version:
		return "stale", ""
	case e.version > o.version:
		known, paidWith := o.refunds, o.redemption
		if e.redemption != "" && paidWith != "" && e.redemption != paidWith {
			return "", "redemption_not_usable"
		}
		o.refunds = nil
		o.set(e)
		if paidWith != "" {
			o.redemption = paidWith
		}
		o.join(known)
		return "applied", ""
	case e == o.told:
		return "duplicate", ""
	case !webhook:
		return "", "version_conflict"
	}
	changed := o.join(e.refunds)
	if rank[e.state] > rank[o.state] {
		o.state, changed = e.state, true
		if o.paidAt == 0 {
			o.paidAt = e.paidAt
		}
		if o.fulfilledAt == 0 {
			o.fulfilledAt = e.fulfilledAt
		}
	}
	if e.refunded > o.refunded {
		o.refunded, changed = e.refunded, true
	}
	for i, n := range e.pieces {
		if n > o.pieces[i] {
			o.pieces = slices.Clone(o.pieces)
			o.pieces[i], changed = n, true
		}
	}
	if !changed {
		return "duplicate", ""
	}
	return "applied", ""
}

func (o *order) set(e *edition) {
	o.told, o.version, o.state = e, e.version, e.state
	o.placedAt, o.paidAt, o.fulfilledAt = e.placedAt, e.paidAt, e.fulfilledAt
	o.refunded, o.redemption, o.store, o.codes = e.refunded, e.redemption, e.store, e.codes
	o.back, o.pieces = e.back, e.pieces
	o.refunds = maps.Clone(e.refunds)
	o.lines = nil
	nets := make([]int64, len(e.lines))
	for i, l := range e.lines {
		nets[i] = l.amount
	}
	for i, n := range shares(e.discount, nets) {
		o.lines = append(o.lines, line0{nets[i] - n, e.lines[i].quantity, e.lines[i].sku})
	}
	if e.back != nil || e.pieces != nil {
		o.refunded = 0 // stated by line
	}
}

// apply brings a member's points to what the order is worth now.
func (p *programme) apply(m *member, o *order, paid *redemption, now time.Time) (used int64) {
	today := p.pick(m.id, "")
	p.gifts(m, o, now)
	m.settle(now, today)
	used = p.used
	cash, moved := m.bring(o, paid, today, now, &used)
	if o.join(o.waiting) {
		o.waiting = nil
		var again bool
		cash, again = m.bring(o, paid, today, now, &used)
		moved = moved || again
	}
	m.ask(today, now)
	m.stand(now, today)
	m.at = now.Unix()
	m.settle(now, today)
	m.atOnce(now)
	if touched := paid != nil && paid.wallet == "cash"; cash != o.cash.points || touched || moved && cash > 0 {
		w := m.in("cash")
		in, _ := today.in("cash")
		pinned, _ := o.rules.in("cash")
		w.settle(now, in)
		w.post(&o.cash, o, "cash", cash, false, moved || o.cash.points == 0, pinned, in, paid, now)
		w.at = now.Unix()
		w.settle(now, in)
		m.openWallet("cash", w)
	}
	if paid != nil && paid.wallet == "gift" {
		w := m.in("gift")
		in, _ := today.in("gift")
		w.settle(now, in)
		w.post(&lodged{}, o, "gift", 0, false, false, in, in, paid, now)
		w.at = now.Unix()
		w.settle(now, in)
		m.openWallet("gift", w)
	}
	return used
}

// gifts uses the vouchers that are shown with an order; what they paid for
// gives no stamp. A cancelled order gives them back.
func (p *programme) gifts(m *member, o *order, now time.Time) {
	o.gifts = make([]int64, len(o.lines))
	for i, code := range o.codes {
		v := p.vouchers[code]
		ref := o.told.order
		switch {
		case v == nil || v.order != ref && !slices.Contains(m.open, v):
		case o.state == "cancelled":
			if v.order == ref {
				m.giveBack(v, now)
			}
		default:
			if _, refused := m.use(v, ref, now); refused == "" {
				o.gifts[i]++
			}
		}
	}
}

// bring values the order and lets points, goals and tiers follow. It answers
// what the order is worth in cash, and whether it counts from another time.
func (m *member) bring(o *order, paid *redemption, today rules, now time.Time, used *int64) (cash int64, moved bool) {
	first, was := o.at == 0 && o.counts(), o.at
	if first || o.at != 0 {
		moved = o.date(now, first)
	}
	if first {
		o.tier = m.tier(o.rules)
	}
	byPoints := int64(0)
	if paid != nil {
		byPoints = paid.value - paid.value*o.returned(paid.points)/paid.points
	}
	worth, qualifies, cash := m.weigh(o, byPoints, was, first, now, used)
	o.byGoals += m.pursue(today, now)
	bought := int64(0)
	if o.counts() && (sumOf(o.left()) > 0 || o.goods() == 0) {
		bought = 1
	}
	m.orders += bought - o.ofMany
	o.ofMany = bought
	at := now
	if o.at != 0 {
		at = time.Unix(o.at, 0)
	}
	m.qualify(-o.qualifies, o.qualifiedIn)
	o.qualifies, o.qualifiedIn = 0, 0
	if len(o.rules.levels) > 0 && len(today.levels) > 0 {
		o.qualifies, o.qualifiedIn = qualifies, month(at)
		m.qualify(o.qualifies, o.qualifiedIn)
	}
	before := o.bought
	o.bought = o.buys(byPoints, at.Unix())
	m.basket = m.bag().with(before, o.bought)
	if o.rules.usual > 0 {
		spent := int64(0)
		if o.counts() {
			spent = sumOf(o.left()) - min(byPoints, sumOf(o.left()))
		}
		m.spend(spent-o.spent, at, today)
		o.spent = spent
	}
	m.post(&o.lodged, o, "", worth+o.byGoals, first, moved, o.rules, today, paid, now)
	return cash, moved
}

// weigh is what the order is worth by the rules that it keeps: in points,
// toward the next tier, in cash. What it adds to limits, the budget and goals
// is counted. was is when it counted before.
func (m *member) weigh(o *order, byPoints, was int64, first bool, now time.Time, used *int64) (worth, qualifies, cash int64) {
	r := o.rules
	at := now
	if o.at != 0 {
		at = time.Unix(o.at, 0)
	}
	left := o.left()
	goods, all := o.goods(), sumOf(left)
	pays := all - min(byPoints, all)
	rooms := map[string]int64{}
	if r.perOrder > 0 {
		rooms["visit"], _ = m.room("visit", midnight(at), 0, r.perDay, o.uses)
	}
	if r.launch > 0 {
		rooms["launch"] = max(0, r.budget-*used+o.drawn)
	}
	for id, room := range rooms { // what was left when it first counted, of a limit in that day
		moved := id == "visit" && was != 0 && midnight(time.Unix(was, 0)) != midnight(at)
		had, pinned := o.rooms[id]
		switch {
		case first || moved:
			if o.rooms == nil {
				o.rooms = map[string]int64{}
			}
			o.rooms[id] = room
		case pinned:
			rooms[id] = min(room, had)
		}
	}
	var uses []use
	drawn := int64(0)
	if o.counts() {
		rate := big.NewRat(pays*r.points, r.amount)
		switch r.qualifyBy {
		case "base_points":
			qualifies = r.whole(rate)
		case "spend":
			qualifies = pays
		case "orders":
			qualifies = min(pays, 1)
		}
		names, parts := []string{"base"}, []*big.Rat{rate}
		for _, fixed := range []struct {
			id     string
			points int64
		}{{"visit", r.perOrder}, {"launch", r.launch}} {
			if fixed.points > 0 && goods > 0 && rooms[fixed.id] > 0 && all > 0 {
				x := big.NewRat(fixed.points*all, goods)
				if most := big.NewRat(rooms[fixed.id], 1); x.Cmp(most) > 0 {
					x = most
				}
				names, parts = append(names, fixed.id), append(parts, x)
			}
		}
		if i := r.place(o.tier); i >= 0 {
			names, parts = append(names, "tier"), append(parts, new(big.Rat).Mul(rate, big.NewRat(r.levels[i].times-100, 100)))
		}
		total := new(big.Rat)
		for _, x := range parts {
			total.Add(total, x)
		}
		worth = r.whole(total)
		for i, n := range wholes(worth, parts) {
			switch names[i] {
			case "visit":
				uses = append(uses, use{id: "visit", day: midnight(at), n: 1, points: n})
			case "launch":
				drawn = n
			}
		}
		cash = r.whole(big.NewRat(pays*r.cashback, 100))
		uses = append(uses, o.toward(left, pays)...)
	}
	m.count(o.uses, uses)
	*used += drawn - o.drawn
	o.uses, o.drawn = uses, drawn
	return worth, qualifies, cash
}

// toward is what the order adds to goals.
func (o *order) toward(left []int64, pays int64) (uses []use) {
	beans, some := int64(0), int64(0)
	for i, l := range o.lines {
		if left[i] == 0 {
			continue
		}
		some = 1
		if l.sku == "beans" {
			beans += max(0, (2*l.quantity*left[i]+l.net)/(2*l.net)-o.gifts[i]) // to the nearest
		}
	}
	for _, g := range o.rules.goals() {
		n := map[string]int64{"card": beans, "every": pays, "fan": some}[g.id]
		if n > 0 {
			uses = append(uses, use{id: g.id, n: n})
		}
	}
	return uses
}

// whole is a ratio as the rules round it.
func (d rules) whole(x *big.Rat) int64 {
	switch d.rounding {
	case "half_up":
		return whole(new(big.Rat).Add(x, big.NewRat(1, 2)))
	case "ceil":
		return -whole(new(big.Rat).Neg(x))
	}
	return whole(x)
}

// whole is a ratio rounded down.
func whole(x *big.Rat) int64 { return new(big.Int).Div(x.Num(), x.Denom()).Int64() }

// wholes makes parts whole that sum to a total, by the largest remainder.
func wholes(total int64, exact []*big.Rat) []int64 {
	parts := make([]int64, len(exact))
	var order []int
	remainder := make([]*big.Rat, len(exact))
	for i, x := range exact {
		parts[i] = whole(x)
		remainder[i] = new(big.Rat).Sub(x, big.NewRat(parts[i], 1))
		total -= parts[i]
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return remainder[b].Cmp(remainder[a]) })
	for _, i := range order[:total] {
		parts[i]++
	}
	return parts
}

// returned is how much of what points paid the order gives back.
func (o *order) returned(points int64) int64 {
	if o.state == "cancelled" {
		return points
	}
	return points * (o.goods() - sumOf(o.left())) / o.goods()
}

// date says when the order counts as earned, and whether that is new.
func (o *order) date(now time.Time, first bool) (moved bool) {
	told := o.paidAt
	if o.rules.fulfilled && o.fulfilledAt != 0 {
		told = o.fulfilledAt
	}
	if told == 0 {
		told = o.placedAt
	}
	at := o.at
	if first || told != 0 && told < now.Unix() {
		at = told
		if at == 0 || at > now.Unix() {
			at = now.Unix()
		}
	}
	moved = first || at != o.at
	o.at = at
	return moved
}

// post brings what a wallet holds for an order to what it is worth there.
func (m *pot) post(l *lodged, o *order, wallet string, worth int64, first, moved bool, pinned, today rules, paid *redemption, now time.Time) {
	if moved {
		at := time.Unix(o.at, 0)
		ripe := int64(0)
		if pinned.pending > 0 { // no days are no time, also in the hour that the autumn has twice
			if t := at.In(zone).AddDate(0, 0, pinned.pending); t.After(now) {
				ripe = t.Unix()
			}
		}
		end := pinned.end(at)
		if l.points > 0 && (end != l.end || ripe > 0 && ripe != l.ripe) {
			n := m.takeFrom(l.ripe, l.end, l.points)
			n += m.takeFrom(0, l.end, l.points-n)
			m.put(ripe, end, n)
		}
		l.ripe, l.end = ripe, end
	}
	if paid != nil && paid.wallet == wallet {
		m.restore(paid, o.returned(paid.points), today, now)
	}
	change := worth - l.points
	if change > 0 || first {
		m.earn(l, "earn", max(change, 0), now)
	}
	if change < 0 {
		m.clawBack(l, -change)
	}
	l.points = worth
	m.die(now.Unix())
	if bears := m.pay(today); change < 0 {
		l.writtenOff += min(bears, -change)
	}
}

func (m *pot) earn(l *lodged, kind string, points int64, now time.Time) {
	ripe := l.ripe
	if ripe <= now.Unix() {
		ripe = 0
	}
	m.put(ripe, l.end, points)
	m.write(kind, points)
	if back := min(points, l.writtenOff); back > 0 {
		m.takeFrom(ripe, l.end, back)
		l.writtenOff -= back
		m.write("writeoff", -back)
	}
}

func (m *pot) clawBack(l *lodged, points int64) {
	points -= m.exhume(l.end, points)
	left := points
	if l.ripe > 0 {
		left -= m.takeFrom(l.ripe, l.end, left)
	}
	left -= m.takeFrom(0, l.end, left)
	left -= sum(m.take(min(left, m.usable())))
	m.owed += left
	m.write("clawback", -points)
}

// gain gives points that no order earned, of a wallet whose rules these are.
func (m *pot) gain(points int64, at, now time.Time, r rules) {
	m.put(0, r.end(at), points)
	m.write("earn", points)
	m.die(now.Unix())
	m.pay(r)
	m.at = now.Unix()
}

// redemption is points that pay, held first; or money that is paid out.
type redemption struct {
	id, member    string
	wallet        string // "" is points
	payout        bool
	points, value int64
	parts         []part
	stage         string // held, captured, released, cancelled
	until         int64  // 0: people end it
	restored      int64
	order         string
}

func (r *redemption) copy() *redemption {
	c := *r
	return &c
}

// restore gives points back until so many are back, the lot used last first.
func (m *pot) restore(r *redemption, upTo int64, today rules, now time.Time) {
	if upTo <= r.restored {
		return
	}
	skip, need := r.restored, upTo-r.restored
	for i := len(r.parts) - 1; i >= 0; i-- {
		p := r.parts[i]
		before := min(skip, p.points)
		skip -= before
		n := min(p.points-before, need)
		need -= n
		if p.end > 0 && p.end <= now.Unix() {
			p.end = now.In(zone).AddDate(0, 0, today.grace).Unix()
		}
		m.put(0, p.end, n)
	}
	m.write("restore", upTo-r.restored)
	r.restored = upTo
}
