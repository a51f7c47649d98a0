package main

import (
	"maps"
	"time"
)

// order is what the model knows of an order: its newest state as told, and
// what the ledger holds for it.
type order struct {
	parked bool // only refunds came so far
	told   *edition

	version     int64
	state       string
	paidAt      int64
	fulfilledAt int64
	placedAt    int64
	goods       int64            // that can earn, after discounts
	refunded    int64            // total as told
	units       int64            // pieces that came back, as told
	refunds     map[string]int64 // single refunds by id
	waiting     map[string]int64 // those that were here before the order
	redemption  string

	member     string
	rules      rules
	at         int64 // when it counts as earned; 0: not yet
	ripe, end  int64
	points     int64
	writtenOff int64
}

func (o *order) copy() *order {
	c := *o
	c.refunds, c.waiting = maps.Clone(o.refunds), maps.Clone(o.waiting)
	return &c
}

// left is what the order still holds of its goods.
func (o *order) left() int64 {
	if o.state == "cancelled" {
		return 0
	}
	single := int64(0)
	for _, n := range o.refunds {
		single += n
	}
	return o.goods - min(max(o.refunded, single), o.goods)
}

func (o *order) counts() bool {
	return o.state == "fulfilled" || o.state == "paid" && !o.rules.fulfilled
}

var rank = map[string]int{"placed": 1, "paid": 2, "fulfilled": 3, "cancelled": 4}

// join adds single refunds; of one id the larger amount stays.
func (o *order) join(refunds map[string]int64) (changed bool) {
	for id, n := range refunds {
		if had, ok := o.refunds[id]; !ok || n > had {
			if o.refunds == nil {
				o.refunds = map[string]int64{}
			}
			o.refunds[id], changed = n, true
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
	if e.units > o.units {
		o.units, changed = e.units, true
	}
	if !changed {
		return "duplicate", ""
	}
	return "applied", ""
}

func (o *order) set(e *edition) {
	o.told, o.version, o.state = e, e.version, e.state
	o.placedAt, o.paidAt, o.fulfilledAt = e.placedAt, e.paidAt, e.fulfilledAt
	o.goods, o.refunded, o.units, o.redemption = e.goods, e.refunded, e.units, e.redemption
	o.refunds = maps.Clone(e.refunds)
}

// apply brings a member's points to what the order is worth now.
func (m *member) apply(o *order, paid *redemption, today rules, now time.Time) {
	m.settle(now, today)
	m.bring(o, paid, today, now)
	if o.join(o.waiting) {
		o.waiting = nil
		m.bring(o, paid, today, now)
	}
	m.at = now.Unix()
	m.settle(now, today)
}

func (m *member) bring(o *order, paid *redemption, today rules, now time.Time) {
	first := o.at == 0 && o.counts()
	if first || o.at != 0 {
		m.date(o, now, first)
	}
	byPoints := int64(0)
	if paid != nil {
		back := paid.points
		if o.state != "cancelled" {
			back = paid.points * (o.goods - o.left()) / o.goods
		}
		m.restore(paid, back, today, now)
		byPoints = paid.value - paid.value*back/paid.points
	}
	worth := int64(0)
	if o.counts() {
		left := o.left()
		worth = (left - min(byPoints, left)) * o.rules.points / o.rules.amount
	}
	change := worth - o.points
	switch {
	case change > 0 || first:
		m.earn(o, change, now)
	case change < 0:
		m.clawBack(o, -change)
	}
	o.points = worth
	m.die(now.Unix())
	if bears := m.pay(today); change < 0 {
		o.writtenOff += min(bears, -change)
	}
}

// date says when the order counts as earned, and moves its points when
// another version tells of another time.
func (m *member) date(o *order, now time.Time, first bool) {
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
	ripe := int64(0)
	if o.rules.pending > 0 { // no days are no time, also in the hour that the autumn has twice
		if t := time.Unix(at, 0).In(zone).AddDate(0, 0, o.rules.pending); t.After(now) {
			ripe = t.Unix()
		}
	}
	end := o.rules.end(time.Unix(at, 0))
	if !first && (end != o.end || ripe > 0 && ripe != o.ripe) {
		moved := m.takeFrom(o.ripe, o.end, o.points)
		moved += m.takeFrom(0, o.end, o.points-moved)
		m.put(ripe, end, moved)
	}
	if first || at != o.at {
		o.at, o.ripe, o.end = at, ripe, end
	}
}

func (m *member) earn(o *order, points int64, now time.Time) {
	ripe := o.ripe
	if ripe <= now.Unix() {
		ripe = 0
	}
	m.put(ripe, o.end, points)
	m.write("earn", points)
	if back := min(points, o.writtenOff); back > 0 {
		m.takeFrom(ripe, o.end, back)
		o.writtenOff -= back
		m.write("writeoff", -back)
	}
}

func (m *member) clawBack(o *order, points int64) {
	points -= m.exhume(o.end, points)
	left := points
	if o.ripe > 0 {
		left -= m.takeFrom(o.ripe, o.end, left)
	}
	left -= m.takeFrom(0, o.end, left)
	left -= sum(m.take(min(left, m.usable())))
	m.owed += left
	m.write("clawback", -points)
}

// redemption is points that pay, held first.
type redemption struct {
	id, member    string
	points, value int64
	parts         []part
	stage         string // held, captured, released, cancelled
	until         int64
	restored      int64
	order         string
}

func (r *redemption) copy() *redemption {
	c := *r
	return &c
}

// restore gives points back until so many are back, the lot used last first.
func (m *member) restore(r *redemption, upTo int64, today rules, now time.Time) {
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
