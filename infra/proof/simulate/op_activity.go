package main

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// A member does something beside buying: she writes a review, or tops up.
var recordActivity = Kind{Name: "activity", Weight: 6, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	a := &activity{kind: "review", key: fmt.Sprint(w.number()), member: m.id, at: w.clock - r.Int64N(3*24*3600)}
	switch r.IntN(10) {
	case 0, 1, 2:
		a.kind, a.amount = "top_up", money(r)
	case 3:
		a.kind = "dance"
	case 5, 6:
		a.kind, a.score = []string{"feedback", "feedback", "feedback", "complaint_opened", "complaint_resolved"}[r.IntN(5)], 6+r.Int64N(5)
	case 4:
		a.key = w.oneOf(p, "activity", r) // told again, perhaps otherwise
	}
	if a.key == "" {
		return nil
	}
	w.remember(p, "activity", a.key)
	out := &message{op: a, program: p}
	if r.IntN(2) == 0 {
		out.key = w.key("activity")
	}
	return out
}}

// act is an activity that was rewarded, or looked at and not.
type act struct {
	member       string
	points, gift int64
	reason       string
}

type activity struct {
	kind, key, member string
	at, amount, score int64
}

func (a *activity) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/activities", fmt.Sprintf(`{"type":%q,"key":%q,"member":"mem_%s","at":%q,"data":{"amount":%d,"score":%d}}`, a.kind, a.key, a.member, stamp(a.at), a.amount, a.score))
}

func (a *activity) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	is := func(status string, x *act) answer {
		out := answer{200, "", []value{{"status", status}, {"points", x.points}, {"member", "mem_" + p.holder(x.member).id}, {"reason", orNull(x.reason)}}}
		if x.gift > 0 {
			at := "awards.0."
			if x.points > 0 {
				at = "awards.1."
			}
			out.values = append(out.values, value{at + "wallet", "gift"}, value{at + "points", x.gift})
		}
		return out
	}
	natural := a.kind + "/" + a.key
	if had := p.acts[natural]; had != nil {
		return is("duplicate", had), nil
	}
	m := p.holder(a.member)
	t := p.pick(m.id, "")
	x := &act{member: m.id}
	said := slices.Contains([]string{"feedback", "complaint_opened", "complaint_resolved"}, a.kind)
	if a.kind == "review" && !t.greeted || a.kind == "top_up" && t.topUp == 0 || said && t.asksAfter() == 0 || a.kind == "dance" {
		x.reason = "no_rule"
		return is("ignored", x), nil
	}
	m.settle(now, t)
	at := time.Unix(min(a.at, now.Unix()), 0)
	if a.kind == "review" {
		if room, bound := m.room("review", midnight(at), reviewsADay, 0, nil); bound && room == 0 {
			x.reason = "limit"
		} else {
			x.points = reviewPoints
			m.count(nil, []use{{id: "review", day: midnight(at), n: 1, points: reviewPoints}})
		}
	} else if said {
		m.hear(a)
		x.reason = "no_rule"
	} else {
		x.gift = t.whole(big.NewRat(a.amount*t.topUp, 100))
	}
	x.points += max(0, m.pursue(t, now)) // by rules that are newer than what she bought; an activity takes nothing
	if x.points > 0 {
		m.gain(x.points, at, now, t)
	}
	switch {
	case said || x.points > 0 || x.gift > 0 || len(m.made)+len(m.change) > 0:
		x.reason = ""
	case x.reason == "":
		x.reason = "no_rule_matched" // of so little
	}
	m.ask(t, now)
	m.stand(now, t)
	m.at = now.Unix()
	m.settle(now, t)
	if x.gift > 0 {
		w := m.settled("gift", now, p)
		in, _ := t.in("gift")
		w.gain(x.gift, at, now, in)
		m.openWallet("gift", w)
	}
	return is("applied", x), func() {
		p.store(m)
		p.acts[natural] = x
	}
}
