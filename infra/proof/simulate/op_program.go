package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// The merchant publishes other rules: orders that were seen keep theirs.
var publishRules = Kind{Name: "rules", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	if r.IntN(4) > 0 {
		return nil
	}
	return &message{op: &publish{draw(r)}, program: p, alone: true}
}}

// draw makes up rules.
func draw(r *rand.Rand) rules {
	pick := func(of ...int) int { return of[r.IntN(len(of))] }
	return rules{
		points: int64(pick(1, 1, 2, 3)), amount: int64(pick(100, 100, 10, 1, 70)), fulfilled: r.IntN(4) == 0,
		pending: pick(0, 0, 2, 14), life: pick(0, 10, 45, 180), wholeDays: r.IntN(2) == 0,
		clawback: []string{"debt", "clamp", "negative"}[r.IntN(3)], hold: time.Duration(pick(1, 15, 600)) * time.Minute,
		minimum: int64(pick(1, 1, 20)), grace: pick(1, 30),
	}
}

type publish struct{ rules rules }

func (d rules) document() string {
	when, expiry, end := "paid", `"none"`, "none"
	if d.fulfilled {
		when = "fulfilled"
	}
	if d.wholeDays {
		end = "day"
	}
	if d.life > 0 {
		expiry = fmt.Sprintf(`{"after":"P%dD","to_end_of":%q}`, d.life, end)
	}
	return fmt.Sprintf(`{"currency":"ILS","time_zone":"Asia/Jerusalem","point_value":{"points":1,"amount":%d},
 "earning":{"when":%q,"pending":"P%dD","rules":[{"id":"base","on":"order","rate":{"points":%d,"amount":%d}}]},
 "expiry":%s,"clawback":%q,"hold":{"timeout":"PT%dM"},"redemption":{"minimum":%d,"restore_grace":"P%dD"}}`,
		pointWorth, when, d.pending, d.points, d.amount, expiry, d.clawback, int(d.hold.Minutes()), d.minimum, d.grace)
}

func (d *publish) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "PUT", "/v1/program", d.rules.document())
}

func (d *publish) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	next := d.rules
	next.version = int64(len(p.versions) + 1)
	return answer{200, "", []value{{"version", next.version}}}, func() { p.versions = append(p.versions, next) }
}

// simulateDraft asks what a draft would have given: that changes no points.
type simulateDraft struct{}

func (*simulateDraft) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/simulations", `{"program": {}}`)
}

func (*simulateDraft) Decide(*programme, time.Time, string) (answer, func()) {
	return answer{202, "", []value{{"status", "running"}}}, func() {}
}

// A schedule starts: what the clock has decided is written down.
var runSchedule = Kind{Name: "schedule", Weight: 3, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	return &message{program: nil}
}}
