package main

import "time"

// Points die at the end of a local day, at that very instant, whether or not a
// job has run; windows are local days too, of 23 hours when the clocks change.
var sc6 = Scenario{"SC6 expiry at the instant, zone and daylight saving", "points die and windows open at their instant, in the shop's own zone", func(s *shop) {
	earned := func(m, name, paidAt string) answer {
		a := s.earn(s.order(name, m, 10000, object{"paid_at": paidAt}))
		s.eq(a, "points", 100)
		return a
	}
	s.part("the date of a lot", func() {
		m := s.enrol("SC6")
		s.eq(earned(m, "1", "2026-03-15T10:00:00+02:00"), "entries.0.lots.0.expires_at", "2027-03-15T22:00:00Z")
		s.eq(earned(m, "2", "2025-07-15T23:30:00Z"), "entries.0.lots.0.expires_at", "2026-07-16T21:00:00Z") // the 16th there, in summer
	})
	s.part("a month from the 31st", func() {
		s.program(`{"expiry": {"after": "P1M", "to_end_of": "day"}}`)
		m := s.enrol("SC6")
		s.eq(earned(m, "1", "2026-01-31T10:00:00+02:00"), "entries.0.lots.0.expires_at", "2026-02-28T22:00:00Z")
		s.eq(earned(m, "2", "2024-01-31T10:00:00+02:00"), "entries.0.lots.0.expires_at", "2024-02-29T22:00:00Z")
		s.points(m, 0)
	})
	s.part("at its instant, in real time", func() {
		s.program(`{"expiry": {"after": "PT8760H", "to_end_of": "none"}}`)
		m := s.enrol("SC6")
		dies := s.soon()
		a := earned(m, "1", stamp(dies.Add(-8760*time.Hour)))
		s.eq(a, "entries.0.lots.0.expires_at", stamp(dies))
		s.redeem(m, 10)
		s.dying(m, stamp(dies)+" 90")
		s.before(dies)
		s.until(dies)
		s.points(m, 0, wrong{90: "points live on until a job runs"})
		s.eq(s.refused(422, "insufficient_points", "POST", "/v1/redemptions", object{"member": m, "points": 1}), "details.available", 0)
		s.program(`{"expiry": "none"}`)
		earned(m, "2", stamp(s.now())) // who is written to has everything written down that time decided
		s.ledger(m, "earn 100", "redeem -10", "expire -90", "earn 100")
	})
	s.part("the job writes it down once", func() {
		s.needsSchedules()
		s.program(`{"expiry": {"after": "PT8760H", "to_end_of": "none"}}`)
		m := s.enrol("SC6")
		dies := s.soon()
		earned(m, "1", stamp(dies.Add(-8760*time.Hour)))
		s.redeem(m, 10)
		s.before(dies)
		s.until(dies)
		for range 2 {
			s.must("POST", "/_local/schedules/expire/run", nil)
			s.ledger(m, "earn 100", "redeem -10", "expire -90")
		}
		if all := s.entries(m); len(all) == 3 {
			s.eq(all[2], "at", stamp(dies))
		}
		s.once("points.expired", m)
	})
	s.part("a second before, and at the instant", func() {
		s.needsClock()
		s.clock("2026-03-15T08:00:00Z")
		m := s.enrol("SC6")
		earned(m, "1", "2026-03-15T10:00:00+02:00")
		s.dying(m, "2027-03-15T22:00:00Z 100")
		s.clock("2027-03-15T21:59:59Z")
		s.redeem(m, 10)
		s.points(m, 90)
		s.clock("2027-03-15T22:00:00Z")
		s.refused(422, "insufficient_points", "POST", "/v1/redemptions", object{"member": m, "points": 1})
		s.points(m, 0)
	})
	// The Friday before Israel's clocks go forward: midnight to midnight is 23 hours.
	doubled := func(date string, at map[string]int) {
		s.program(`{"earning": {"rules": [{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}},
			{"id": "double-day", "on": "order", "multiplier": "2", "during": {"dates": ["` + date + `"]}}]}}`)
		m := s.enrol("SC6")
		for paidAt, want := range at {
			a := s.earn(s.order(paidAt, m, 10000, object{"paid_at": paidAt}))
			s.eq(a, "points", want, wrong{100: "at " + paidAt + ", which is inside the local day", 200: "at " + paidAt + ", which is outside the local day"})
		}
	}
	s.part("a double day of 23 hours, in the past", func() {
		doubled("2026-03-27", map[string]int{"2026-03-26T21:59:59Z": 100, "2026-03-26T22:00:00Z": 200, "2026-03-27T20:59:59Z": 200, "2026-03-27T21:00:00Z": 100})
	})
	s.part("the double day 2027-03-26", func() {
		s.needsClock()
		s.clock("2027-04-01T00:00:00Z")
		doubled("2027-03-26", map[string]int{"2027-03-25T21:59:59Z": 100, "2027-03-25T22:00:00Z": 200, "2027-03-26T20:59:59Z": 200, "2027-03-26T21:00:00Z": 100})
	})
}}
