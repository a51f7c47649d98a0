package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"regulars/events"
)

// A member asks for her cash.
var askPayout = Kind{Name: "payout", Weight: 3, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	q := &payout{member: m.id, wallet: "cash"}
	if r.IntN(6) == 0 {
		q.wallet = "gift"
	}
	most := max(1, m.in(q.wallet).usable())
	q.amount = 1 + r.Int64N(most+most/4+1)
	return &message{op: q, program: p, key: w.key("payout"), acked: func(body map[string]any) {
		if id, ok := body["id"].(string); ok {
			w.remember(p, "payout", id[len("pay_"):])
		}
	}}
}}

type payout struct {
	member, wallet string
	amount         int64
}

func (q *payout) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/payouts", fmt.Sprintf(`{"member":"mem_%s","wallet":%q,"amount":%d}`, q.member, q.wallet, q.amount))
}

func (q *payout) Decide(p *programme, now time.Time, id string) (answer, func()) {
	m := p.holder(q.member)
	t := p.pick(m.id, "")
	if _, known := t.in(q.wallet); !known {
		return refuse(422, "unknown_wallet"), nil
	}
	w := m.settled(q.wallet, now, p)
	switch have := w.usable(); {
	case q.wallet != "cash":
		return refuse(422, "not_withdrawable", value{"details.withdrawable", int64(0)}), nil
	case q.amount < t.least:
		return refuse(422, "below_minimum", value{"details.missing", t.least - q.amount}), nil
	case q.amount > have:
		return refuse(422, "insufficient_points", value{"details.withdrawable", have}), nil
	}
	red := &redemption{id: id, member: m.id, wallet: q.wallet, payout: true, points: q.amount, value: q.amount, stage: "held", parts: w.take(q.amount)}
	w.holds = append(w.holds, hold{id, 0, red.parts})
	w.at = now.Unix()
	return answer{201, "", []value{{"id", "pay_" + id}, {"status", "requested"}, {"amount.amount", q.amount}, {"member", "mem_" + m.id}}}, func() {
		p.store(m)
		p.spent[id] = red
		p.happened["evt_payout_"+id+"_requested"] = events.PayoutRequested + " mem_" + m.id
	}
}

// People decide about a payout.
var decidePayout = Kind{Name: "payout decided", Weight: 3, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	id := w.oneOf(p, "payout", r)
	if id == "" {
		return nil
	}
	d := &decision{id, []string{"approve", "approve", "reject"}[r.IntN(3)]}
	m := &message{op: d, program: p}
	if r.IntN(2) == 0 {
		m.key = w.key(d.what)
	}
	return m
}}

type decision struct{ id, what string }

func (d *decision) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/payouts/pay_"+d.id+"/"+d.what, "{}")
}

func (d *decision) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	red := p.spent[d.id].copy()
	m := p.holder(red.member)
	stage := map[string]string{"approve": "captured", "reject": "released"}[d.what]
	status, kind := "approved", events.PayoutApproved
	if d.what == "reject" {
		status, kind = "rejected", events.PayoutRejected
	}
	a := answer{200, "", []value{{"id", "pay_" + red.id}, {"status", status}, {"amount.amount", red.value}, {"member", "mem_" + m.id}}}
	switch red.stage {
	case stage:
		return a, nil
	case "held":
	default:
		return refuse(409, "payout_decided"), nil
	}
	t, _ := p.pick(m.id, "").in(red.wallet)
	w := m.settled(red.wallet, now, p)
	w.drop(red.id)
	if stage == "captured" {
		w.write("redeem", -red.points)
	} else {
		w.putBack(red.parts)
	}
	w.pay(t)
	w.at = now.Unix()
	if stage == "released" {
		w.settle(now, t)
	}
	red.stage, red.member = stage, m.id
	return a, func() {
		p.store(m)
		p.spent[red.id] = red
		p.happened["evt_payout_"+red.id+"_"+status] = kind + " mem_" + m.id
	}
}
