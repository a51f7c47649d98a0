package main

import "time"

// X 100 (day 30), Y 200 (day 44), Z 50 (never). 180 are spent on day 20: all
// of X and 80 of Y. On day 44 what is left of Y dies.
var sc7 = Scenario{"SC7 lots, earliest first", "what dies first is spent first", func(s *shop) {
	const day = 24 * time.Hour
	lots := func(m string, x, y time.Time, xLives, yLives string) {
		s.program(`{"expiry": "none"}`) // the last to die is earned first, so that age tells nothing
		s.earn(s.order("Z", m, 5000))
		s.program(`{"expiry": {"after": "` + yLives + `", "to_end_of": "none"}}`)
		s.earn(s.order("Y", m, 20000, object{"paid_at": stamp(y)}))
		s.program(`{"expiry": {"after": "` + xLives + `", "to_end_of": "none"}}`)
		s.earn(s.order("X", m, 10000, object{"paid_at": stamp(x)}))
		s.points(m, 350)
	}
	after := func(m string) {
		s.points(m, 50, wrong{170: "Y lives on until a job runs", 0: "Z, which never dies, was spent or died"})
		s.eq(s.refused(422, "insufficient_points", "POST", "/v1/holds", object{"member": m, "points": 51}), "details.available", 50)
		s.redeem(m, 50)
		s.points(m, 0)
		s.ledger(m, "earn 50", "earn 200", "earn 100", "redeem -180", "expire -120", "redeem -50") // nothing of X was left to die
	}
	s.part("in real time", func() {
		m := s.enrol("SC7")
		xDies := s.soon()
		yDies := xDies.Add(time.Second)
		lots(m, xDies.Add(-30*day), yDies.Add(-44*day), "PT720H", "PT1056H")
		s.redeem(m, 180)
		s.points(m, 170)
		s.dying(m, stamp(yDies)+" 120") // of X nothing; Z is not among what dies
		s.before(xDies)
		s.until(yDies)
		after(m)
	})
	s.part("on days 20 and 44", func() {
		s.needsClock()
		day0 := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
		s.clock(stamp(day0))
		m := s.enrol("SC7")
		lots(m, day0, day0, "P30D", "P44D")
		s.dying(m, "2026-01-31T08:00:00Z 100", "2026-02-14T08:00:00Z 200")
		s.clock("2026-01-21T08:00:00Z")
		s.redeem(m, 180)
		s.points(m, 170)
		s.dying(m, "2026-02-14T08:00:00Z 120")
		s.clock("2026-02-14T08:00:00Z")
		after(m)
	})
}}
