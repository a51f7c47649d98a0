package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// Points are kept for a basket.
var holdPoints = Kind{Name: "hold", Weight: 8, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	return drawSpending(w, p, r, "/v1/holds")
}}

// Points pay at once.
var redeemPoints = Kind{Name: "redemption", Weight: 5, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	return drawSpending(w, p, r, "/v1/redemptions")
}}

// A hold is captured or released, in time or too late.
var endHold = Kind{Name: "end of a hold", Weight: 9, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	if id := w.oneOf(p, "hold", r); id != "" {
		return w.end(p, id, r)
	}
	return nil
}}

func (w *world) end(p *programme, id string, r *rand.Rand) *message {
	what := []string{"capture", "capture", "release"}[r.IntN(3)]
	return &message{kind: "end of a hold", op: &endSpending{id: id, path: "/v1/holds/hld_" + id + "/" + what, what: what}, program: p, key: w.key(what), acked: func(body map[string]any) {
		if id, ok := body["redemption"].(string); ok {
			w.remember(p, "redemption", id[len("rdm_"):])
		}
	}}
}

// A redemption is undone.
var cancelRedemption = Kind{Name: "cancellation", Weight: 2, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	id := w.oneOf(p, "redemption", r)
	if id == "" {
		return nil
	}
	return &message{op: &endSpending{id: id, path: "/v1/redemptions/rdm_" + id + "/cancel", what: "cancel"}, program: p, key: w.key("cancel")}
}}

type spend struct {
	path   string
	member string
	points int64
	wallet string // "" is points
}

func drawSpending(w *world, p *programme, r *rand.Rand, path string) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	s := &spend{path: path, member: m.id}
	if r.IntN(3) == 0 {
		s.wallet = []string{"cash", "cash", "gift"}[r.IntN(3)]
	}
	most := max(1, m.in(s.wallet).usable())
	s.points = 1 + r.Int64N(most+most/4+1)
	if r.IntN(5) == 0 {
		s.points = most
	}
	soon := rand.New(rand.NewPCG(r.Uint64(), 0))
	return &message{op: s, program: p, key: w.key("spend"), acked: func(body map[string]any) {
		if id, ok := body["hold"].(string); ok && body["status"] == "held" {
			id = id[len("hld_"):]
			w.remember(p, "hold", id)
			for range soon.IntN(3) { // the till goes on, most often in time; now and then it does so twice
				end := w.end(p, id, soon)
				w.deliver(end, w.clock+soon.Int64N(1+int64(p.rules().hold.Seconds())))
			}
		} else if id, ok := body["redemption"].(string); ok {
			w.remember(p, "redemption", id[len("rdm_"):])
		}
	}}
}

func (s *spend) Request(p *programme, _ time.Time) *http.Request {
	wallet := ""
	if s.wallet != "" {
		wallet = fmt.Sprintf(`,"wallet":%q`, s.wallet)
	}
	return request(p, "POST", s.path, fmt.Sprintf(`{"member":"mem_%s","points":%d%s}`, s.member, s.points, wallet))
}

func (s *spend) Decide(p *programme, now time.Time, id string) (answer, func()) {
	m := p.holder(s.member)
	t, known := p.pick(m.id, "").in(s.wallet)
	if !known {
		return refuse(422, "unknown_wallet"), nil
	}
	w := m.settled(s.wallet, now, p)
	if have := w.usable(); s.points > have {
		available, _ := w.shown(t)
		return refuse(422, "insufficient_points", value{"details.available", available}), nil
	}
	if s.points < t.minimum {
		return refuse(422, "below_minimum", value{"details.missing", t.minimum - s.points}), nil
	}
	red := &redemption{id: id, member: m.id, wallet: s.wallet, points: s.points, value: s.points, stage: "held", until: now.Add(t.hold).Unix()}
	if s.wallet == "" {
		red.value *= pointWorth
	}
	red.parts = w.take(s.points)
	status, name := "held", "hold"
	if s.path == "/v1/redemptions" {
		status, name = "captured", "redemption"
		red.stage = "captured"
		w.write("redeem", -s.points)
		w.pay(t)
	} else {
		w.holds = append(w.holds, hold{id, red.until, red.parts})
	}
	w.at = now.Unix()
	prefix := map[string]string{"hold": "hld_", "redemption": "rdm_"}[name]
	return answer{201, "", []value{{"id", prefix + id}, {"status", status}, {"points", s.points}, {"value.amount", red.value}, {"member", "mem_" + m.id}}}, func() {
		p.store(m)
		p.spent[id] = red
	}
}

// settled is what a member has of a wallet once the clock's decisions are made.
func (m *member) settled(wallet string, now time.Time, p *programme) *pot {
	t, _ := p.pick(m.id, "").in(wallet)
	if wallet == "" {
		m.settle(now, t)
		return &m.pot
	}
	w := m.in(wallet)
	w.settle(now, t)
	return w
}

// endSpending ends a hold or undoes a redemption.
type endSpending struct{ id, path, what string }

func (e *endSpending) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", e.path, "{}")
}

func (e *endSpending) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	red := p.spent[e.id].copy()
	m := p.holder(red.member)
	t, _ := p.pick(m.id, "").in(red.wallet)
	red.member = m.id
	stage := red.stage
	if stage == "held" && red.until <= now.Unix() {
		stage = "expired"
	}
	w := m.settled(red.wallet, now, p)
	is := func() answer {
		return answer{200, "", []value{{"status", stage}, {"points", red.points}, {"restored", red.restored}}}
	}
	change := func() func() {
		w.at = now.Unix()
		return func() {
			p.store(m)
			p.spent[e.id] = red
		}
	}
	drop := func() bool { return w.drop(e.id) }
	switch e.what {
	case "capture":
		switch {
		case stage == "captured" || stage == "cancelled":
			return is(), nil
		case stage == "released":
			return refuse(409, "hold_released"), nil
		case stage == "expired" || !drop():
			return refuse(409, "hold_expired"), nil
		}
		w.write("redeem", -red.points)
		w.pay(t)
		stage, red.stage = "captured", "captured"
	case "release":
		switch {
		case stage == "captured" || stage == "cancelled":
			return refuse(409, "hold_captured"), nil
		case stage == "expired" || stage == "released" || !drop():
			return is(), nil
		}
		w.putBack(red.parts)
		w.pay(t)
		stage, red.stage = "released", "released"
		done := change()
		m.settled(red.wallet, now, p)
		return is(), done
	case "cancel":
		if stage == "cancelled" {
			return is(), nil
		}
		w.restore(red, red.points, t, now)
		w.pay(t)
		stage, red.stage = "cancelled", "cancelled"
	}
	done := change()
	return is(), done
}

// drop ends a hold.
func (m *pot) drop(id string) bool {
	for i, h := range m.holds {
		if h.id == id {
			m.holds = append(m.holds[:i:i], m.holds[i+1:]...)
			return true
		}
	}
	return false
}
