package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// A member chooses her automatic reward.
var chooseReward = Kind{Name: "choice", Weight: 2, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	for range 20 {
		m := w.someone(p, r)
		if m != nil && (m.spell.offer.period != 0 || r.IntN(100) == 0) {
			msg := &message{op: &choose{m.id, []string{"points", "money", "coffee"}[r.IntN(3)]}, program: p}
			if r.IntN(2) == 0 && msg.op.(*choose).choice != "money" { // a 400 is not kept
				msg.key = w.key("choice")
			}
			return msg
		}
	}
	return nil
}}

type choose struct{ member, choice string }

func (c *choose) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/members/mem_"+c.member+"/choices", fmt.Sprintf(`{"id":"usual","choice":%q}`, c.choice))
}

func (c *choose) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	m := p.holder(c.member)
	t := p.pick(m.id, "")
	m.settle(now, t)
	if t.usual == 0 || m.spell.offer.period == 0 {
		return refuse(422, "no_choice_open"), nil
	}
	if c.choice == "money" && t.cashback == 0 {
		return refuse(400, ""), nil
	}
	m.spell.offer = offer{}
	m.at = now.Unix()
	a := answer{status: 200}
	switch c.choice {
	case "points":
		m.gain(usualPoints, now, now, t)
		a.values = []value{{"wallet", "points"}, {"points", int64(usualPoints)}}
	case "money":
		w := m.settled("cash", now, p)
		in, _ := t.in("cash")
		w.gain(usualCash, now, now, in)
		m.openWallet("cash", w)
		a.values = []value{{"wallet", "cash"}, {"points", int64(usualCash)}}
	case "coffee":
		m.issue(goal{id: "usual"}, t, now)
		a.values = []value{{"voucher.reward", "coffee"}, {"voucher.goal", "usual"}, {"voucher.status", "issued"}}
	}
	return a, func() { p.store(m) }
}
