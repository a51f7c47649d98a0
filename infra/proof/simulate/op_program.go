package main

import (
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

type publish struct{ rules rules }

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
