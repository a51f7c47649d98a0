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
	m, t := p.holder(l.member), p.rules()
	m.settle(now, t)
	available, debt := m.shown(t)
	return answer{200, "", []value{
		{"id", "mem_" + m.id}, {"points.available", available}, {"points.pending", m.pending()}, {"points.held", m.held()}, {"points.debt", debt},
	}}, nil
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

// A basket asks what it would earn.
var evaluateOrder = Kind{Name: "evaluation", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	return &message{op: &evaluate{amount: money(r), id: fmt.Sprint("basket", w.number())}, program: p}
}}

type evaluate struct {
	amount int64
	id     string
}

func (e *evaluate) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/orders/evaluate", fmt.Sprintf(
		`{"source":"till","id":%q,"version":1,"state":"placed","currency":"ILS","lines":[{"id":"1","amount":%d}]}`, e.id, e.amount))
}

func (e *evaluate) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	t := p.rules()
	return answer{200, "", []value{{"points", e.amount * t.points / t.amount}}}, nil
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
