package main

import (
	"encoding/json"
	"time"
)

// A draft of 1 point per 0.80, for orders of 10.00 and more, over three
// orders that were recorded under 1 point per 1.00.
var sc19 = Scenario{"SC19 simulation of a draft", "what a draft would have given is what the rules of today would give, to the point, and the same each time", func(s *shop) {
	s.part("49.95, 120.00 and 9.99", func() {
		s.needsCents()
		m := s.enrol("SC19")
		for i, amount := range []int64{4995, 12000, 999} {
			s.earn(s.order(digits(i), m, amount, object{"paid_at": stamp(s.now().Add(-time.Hour))}))
		}
		s.points(m, 178)
		ask := object{
			"program": object{
				"currency": s.currency, "point_value": object{"points": 100, "amount": 500}, "earning": object{"rules": []object{{"id": "base", "on": "order", "rate": object{"points": 1, "amount": 80}, "where": object{"minimum_amount": 1000}}}},
			},
			"expected_redemption": "0.8", "members": []string{m}, "until": stamp(s.now().Add(-time.Minute)),
		}
		a := s.simulated(ask)
		s.eq(a, "report.points.base", 178, wrong{179: "floored once for all orders"})
		s.eq(a, "report.points.draft", 212, wrong{224: "the minimum of an order is not asked for"})
		s.eq(a, "report.points.delta", 34)
		s.eq(a, "report.money.delta", 136, wrong{170: "all points are expected to be redeemed", 1: "in whole units"})
		s.eq(a, "report.gainers.0.member", m)
		s.points(m, 178) // nothing was given
		if again := s.simulated(ask); s.told(again) != s.told(a) {
			s.differs("the same question twice: want the same bytes, got\n%s\n%s", s.told(a), s.told(again))
		}
	})
	s.part("a bad draft is refused as it would be published", func() {
		bad := object{"redemption": object{"minimum": 0}}
		s.refused(400, "invalid_program", "PUT", "/v1/program", bad)
		a := s.refused(400, "invalid_program", "POST", "/v1/simulations", object{"program": bad})
		s.eq(a, "details.path", "/program/redemption/minimum")
	})
}}

// simulated asks what a draft would have given, and waits for the report.
func (s *shop) simulated(ask object) answer {
	id := s.text(s.must("POST", "/v1/simulations", ask), "id")
	patience := 10 * time.Second
	if !s.target.loopback {
		patience = 30 * time.Minute // an export of a table takes some minutes
	}
	for end := time.Now().Add(patience); ; {
		a := s.must("GET", "/v1/simulations/"+id, nil)
		switch a.at("status") {
		case "done":
			return a
		case "running":
		default:
			s.fail("%v, want a report", a)
		}
		if time.Now().After(end) {
			s.fail("%v: not done after %v", a, patience)
		}
		select {
		case <-time.After(patience / 200):
		case <-s.ctx.Done():
			s.goOn()
		}
	}
}

// told is the report of a simulation as it was sent.
func (s *shop) told(a answer) string {
	var in struct {
		Report json.RawMessage `json:"report"`
	}
	if err := json.Unmarshal(a.raw, &in); err != nil {
		s.fail("%v: %v", a, err)
	}
	return string(in.Report)
}
