package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// A member looks at her points.
var readMember = Kind{Name: "balance", Weight: 4, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	return &message{op: &look{member: m.id}, program: p}
}}

type look struct{ member string }

func (l *look) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "GET", "/v1/members/mem_"+l.member, "")
}

func (l *look) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	m := p.holder(l.member)
	t := p.pick(m.id, "")
	m.settle(now, t)
	available, debt := m.shown(t)
	a := answer{200, "", []value{
		{"id", "mem_" + m.id}, {"points.available", available}, {"points.pending", m.pending()}, {"points.held", m.held()}, {"points.debt", debt},
	}}
	for _, wallet := range []string{"cash", "gift"} {
		w := m.wallets[wallet]
		if w == nil {
			a.values = append(a.values, value{"wallets." + wallet, nil})
			continue
		}
		in, known := t.in(wallet)
		w.settle(now, in)
		available, debt := w.shown(in)
		withdrawable := int64(0)
		if known && wallet == "cash" {
			withdrawable = max(0, available)
		}
		for name, n := range map[string]int64{"available": available, "pending": w.pending(), "held": w.held(), "debt": debt, "withdrawable": withdrawable} {
			a.values = append(a.values, value{"wallets." + wallet + "." + name, n})
		}
	}
	a.values = append(a.values, m.tierShown(t, now)...)
	for i, g := range t.goals() {
		have := int64(0)
		if s := m.tally(g.id, 0); s != nil {
			have = s.n
		}
		if !g.once {
			have -= m.filled[g.id]
		}
		at := fmt.Sprint("goals.", i, ".")
		a.values = append(a.values, value{at + "id", g.id}, value{at + "have", have}, value{at + "reach", g.reach}, value{at + "given", m.given[g.id]})
	}
	a.values = append(a.values, value{fmt.Sprint("goals.", len(t.goals())), nil})
	var badge any
	if t.badge > 0 && m.given["fan"] > 0 {
		badge = "fan"
	}
	a.values = append(a.values, value{"badges.0", badge}, value{"choices.0.until", nil})
	if o := m.spell.offer; o.period != 0 && t.usual > 0 {
		a.values[len(a.values)-1].want = stamp(o.until)
		a.values = append(a.values, value{"choices.0.average", o.average})
	}
	return a, nil
}

// tierShown is where a member stands, as it is shown.
func (m *member) tierShown(t rules, now time.Time) []value {
	if len(t.levels) == 0 {
		return []value{{"tier", nil}}
	}
	have := m.qualifying(now, t)
	out := []value{{"tier.qualifying", have}, {"tier.id", orNull(m.tier(t))}, {"tier.until", nil}, {"tier.next", nil}}
	if m.until > 0 {
		out[2].want = stamp(m.until)
	}
	if next := t.place(m.tier(t)) + 1; next < len(t.levels) {
		l := t.levels[next]
		out = append(out[:3], value{"tier.next.id", l.id}, value{"tier.next.missing", max(0, l.from-have)})
	}
	return out
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// A member reads her statement: the newest entry has her balance.
var readLedger = Kind{Name: "ledger", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	return &message{op: &statement{m.id}, program: p}
}}

type statement struct{ member string }

func (s *statement) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "GET", "/v1/members/mem_"+s.member+"/ledger?limit=1", "")
}

func (s *statement) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	m := p.members[s.member]
	a := answer{status: 200}
	if n := len(m.ledger); n > 0 {
		a.values = []value{{"data.0.seq", int64(n)}, {"data.0.type", m.ledger[n-1].kind}, {"data.0.points", m.ledger[n-1].points}, {"data.0.balance", m.balance}}
	}
	return a, nil
}

// A shop reads an order back.
var readOrder = Kind{Name: "order read", Weight: 2, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	o := w.anOrder(p, r.IntN(3) == 0, r)
	if o == nil {
		return nil
	}
	return &message{op: &readBack{o}, program: p}
}}

type readBack struct{ order *shopOrder }

func (b *readBack) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "GET", "/v1/orders/"+b.order.ref(), "")
}

func (b *readBack) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	o := p.orders[b.order.ref()]
	switch {
	case o == nil:
		return refuse(404, "not_found"), nil
	case o.told == nil:
		return answer{200, "", []value{{"state", "parked"}, {"points", int64(0)}}}, nil
	}
	return answer{200, "", []value{{"state", o.state}, {"points", o.points}, {"member", "mem_" + p.holder(o.member).id}, {"rule_version", o.rules.version}}}, nil
}

// A basket asks what it would earn, a member's or nobody's.
var evaluateOrder = Kind{Name: "evaluation", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	e := &evaluate{amount: money(r), id: fmt.Sprint("basket", w.number())}
	if m := w.someone(p, r); m != nil && r.IntN(3) > 0 {
		e.member = m.id
	}
	return &message{op: e, program: p}
}}

type evaluate struct {
	amount int64
	id     string
	member string
}

func (e *evaluate) Request(p *programme, _ time.Time) *http.Request {
	member := ""
	if e.member != "" {
		member = fmt.Sprintf(`"member":"mem_%s",`, e.member)
	}
	return request(p, "POST", "/v1/orders/evaluate", fmt.Sprintf(
		`{"source":"till","id":%q,"version":1,"state":"placed","currency":"ILS",%s"lines":[{"id":"1","sku":"beans","quantity":2,"amount":%d}]}`, e.id, member, e.amount))
}

func (e *evaluate) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	m := &member{}
	if e.member != "" {
		m = p.holder(e.member)
	}
	told := &edition{version: 1, state: "fulfilled", lines: []goodsLine{{e.amount, 2, "beans"}}, order: "till/" + e.id}
	o := &order{rules: p.pick(m.id, "")}
	o.take(told, false)
	p.apply(m, o, nil, now)
	a := answer{200, "", []value{{"points", o.points}, {"tier", orNull(m.tier(p.pick(m.id, "")))}, {"rule_version", o.rules.version}}}
	if o.cash.points > 0 {
		a.values = append(a.values, value{"wallets.0.wallet", "cash"}, value{"wallets.0.points", o.cash.points})
	}
	for i := range m.made {
		a.values = append(a.values, value{fmt.Sprint("rewards.", i), "coffee"})
	}
	return a, nil
}

// A caller names a member of another program: for this one there is none.
var strangeMember = Kind{Name: "stranger", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	for _, other := range w.programmes {
		if m := w.someone(other, r); other != p && m != nil {
			path := []string{"", "/ledger", "/orders", "/ledger/verification"}[r.IntN(4)]
			return &message{op: &stranger{"/v1/members/mem_" + m.id + path}, program: p}
		}
	}
	return nil
}}

type stranger struct{ path string }

func (s *stranger) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "GET", s.path, "")
}

func (s *stranger) Decide(*programme, time.Time, string) (answer, func()) {
	return refuse(404, "not_found"), nil
}
