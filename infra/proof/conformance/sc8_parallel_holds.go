package main

import (
	"fmt"
	"math"
	"time"
)

// Of a balance of 250, ten try to hold 100 at the same time.
var sc8 = Scenario{"SC8 ten parallel holds", "no point is promised twice, and time frees what was held", func(s *shop) {
	contend := func() (m string, held []answer) {
		m = s.enrol("SC8")
		s.eq(s.earn(s.order("1", m, 25000)), "points", 250)
		for _, a := range s.parallel(10, "POST", "/v1/holds", object{"member": m, "points": 100}) {
			if a.status == 201 {
				held = append(held, a)
				continue
			}
			if a.status != 422 || a.str("code") != "insufficient_points" {
				s.differs("%v, want 201 or 422 insufficient_points", a)
			}
		}
		if len(held) != 2 {
			s.fail("holds that succeed: want 2 of 10, got %d", len(held))
		}
		for _, a := range held {
			s.eq(a, "status", "held")
			s.eq(a, "points", 100)
			s.eq(a, "value.amount", 500)
		}
		s.points(m, 50, "held", 200)
		s.ledger(m, "earn 250")
		return m, held
	}
	capture := func(m string, hold answer) {
		path, key := "/v1/holds/"+s.text(hold, "id")+"/capture", s.id("capture")
		first := s.must("POST", path, nil, "Idempotency-Key", key)
		s.text(first, "redemption")
		s.ledger(m, "earn 250", "redeem -100")
		s.replayed(first, s.do("POST", path, nil, "Idempotency-Key", key))
		s.ledger(m, "earn 250", "redeem -100")
	}
	timedOut := func(m string, hold answer) {
		s.points(m, 150, "held", 0, wrong{50: "the hold lives on until a job runs", 250: "the capture was forgotten"})
		s.refused(409, "hold_expired", "POST", "/v1/holds/"+s.text(hold, "id")+"/capture", nil)
		s.points(m, 150, "held", 0)
		s.ledger(m, "earn 250", "redeem -100")
	}
	// soonOver is two holds, one captured and one that has just timed out.
	soonOver := func() (m string, held []answer) {
		lasts := time.Duration(math.Ceil(s.soon().Sub(s.now()).Seconds())) * time.Second
		s.program(fmt.Sprintf(`{"hold": {"timeout": "PT%dS"}}`, int(lasts.Seconds())))
		m, held = contend()
		ends := s.ends(held[1], lasts)
		capture(m, held[0])
		s.before(ends)
		s.until(ends)
		return m, held
	}
	s.part("a hold lasts 15 minutes", func() {
		m := s.enrol("SC8")
		s.earn(s.order("1", m, 25000))
		a := s.must("POST", "/v1/holds", object{"member": m, "points": 100})
		s.ends(a, 15*time.Minute)
		s.must("POST", "/v1/holds/"+s.text(a, "id")+"/release", nil)
		s.points(m, 250, "held", 0)
	})
	s.part("in real time", func() {
		m, held := soonOver()
		timedOut(m, held[1])
	})
	s.part("the job tells of it once", func() {
		s.needsSchedules()
		m, held := soonOver()
		for range 2 {
			s.must("POST", "/_local/schedules/expire/run", nil)
			timedOut(m, held[1])
		}
		s.once("hold.expired", m)
		s.once("redemption.captured", m)
	})
	s.part("after 15 minutes, to the second", func() {
		s.needsClock()
		s.clock("2026-01-01T08:00:00Z")
		m, held := contend()
		s.eq(held[1], "expires_at", "2026-01-01T08:15:00Z")
		capture(m, held[0])
		s.clock("2026-01-01T08:14:59Z")
		s.points(m, 50, "held", 100)
		s.clock("2026-01-01T08:15:00Z")
		timedOut(m, held[1])
	})
}}

// ends is when a hold that was just made ends: after as long as the program says.
func (s *shop) ends(hold answer, lasts time.Duration) time.Time {
	at, err := time.Parse(time.RFC3339, hold.str("expires_at"))
	if err != nil || (at.Sub(s.now())-lasts).Abs() > 5*time.Second {
		s.fail("expires_at: want in %v, at about %s, got %s\n%v", lasts, stamp(s.now().Add(lasts)), shown(hold.at("expires_at")), hold)
	}
	return at
}
