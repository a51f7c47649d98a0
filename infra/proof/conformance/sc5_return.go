package main

import (
	"fmt"
	"time"
)

// Lots L1 of 200 (day 100) and L2 of 300 (day 200). An order of 100.00 is paid
// with 400 points (20.00) and 80.00, which earn 80. It comes back in halves.
var sc5 = Scenario{"SC5 return of an order partly paid with points", "points that paid come back to their lots, with their dates, last used first restored", func(s *shop) {
	const hundredDays = 2400 * time.Hour // exact: days of the calendar have 23 to 25 hours
	var l1, l2 string                    // when they are over
	buy := func(day0 time.Time, day100, day200 string) (member, redemption string) {
		m := s.enrol("SC5")
		s.program(`{"expiry": {"after": "` + day100 + `", "to_end_of": "none"}}`)
		s.eq(s.earn(s.order("L1", m, 20000, object{"paid_at": stamp(day0)})), "points", 200)
		s.program(`{"expiry": {"after": "` + day200 + `", "to_end_of": "none"}}`)
		s.eq(s.earn(s.order("L2", m, 30000, object{"paid_at": stamp(day0)})), "points", 300)
		s.program(`{"expiry": "none"}`)
		s.dying(m, l1+" 200", l2+" 300")
		rdm := s.redeem(m, 400)
		s.dying(m, l2+" 100")
		s.eq(s.earn(s.order("O", m, 10000, object{"redemption": rdm})), "points", 80, wrong{100: "earned on what points paid"})
		s.points(m, 180)
		return m, rdm
	}
	refund := func(m, rdm string, version int, refunded int64) answer {
		return s.earn(s.order("O", m, 10000, object{"version": version, "redemption": rdm, "refunded": refunded}))
	}
	s.part("both halves in time", func() {
		day0 := s.now().Truncate(time.Second)
		l1, l2 = stamp(day0.Add(hundredDays)), stamp(day0.Add(2*hundredDays))
		m, rdm := buy(day0, "PT2400H", "PT4800H")
		s.eq(refund(m, rdm, 2, 5000), "points", 40, wrong{30: "the whole 20.00 that points paid was taken off what is left"})
		s.dying(m, l2+" 300") // the last used was restored first
		s.points(m, 340, wrong{140: "the restored points are lost"})
		s.eq(refund(m, rdm, 3, 10000), "points", 0)
		s.dying(m, l1+" 200", l2+" 300") // a system whose restored points never die has none of them here
		s.points(m, 500, "debt", 0, wrong{100: "the restored points are lost"})
		s.ledger(m, "earn 200", "earn 300", "redeem -400", "earn 80", "restore 200", "clawback -40", "restore 200", "clawback -40")
		s.must("POST", "/v1/redemptions/"+rdm+"/cancel", nil)
		s.points(m, 500, wrong{900: "refund and cancellation both gave back"})
	})
	grace := func(m string, earliest, latest time.Time) {
		lots := s.lots(m)
		var at string
		var n int64
		if len(lots) != 2 || lots[1] != l2+" 300" {
			s.fail("points.expiring: want a grace lot of 200 and %s 300, got %v (points that came back to a dead lot never die, or are lost)", l2, lots)
		}
		fmt.Sscan(lots[0], &at, &n)
		if from, to := stamp(earliest), stamp(latest); n != 200 || at < from || at > to {
			s.differs("points.expiring: want a grace lot of 200 from %s to %s, got %s", from, to, lots[0])
		}
		s.points(m, 500, "debt", 0, wrong{300: "points that came back to a dead lot are lost"})
		all := s.entries(m)
		for _, e := range all {
			if e.str("type") == "restore" && e.str("reason") == "restored_after_expiry" {
				s.eq(e, "points", 200)
				s.holds(m)
				return
			}
		}
		s.differs("ledger of %s: want a restore with the reason restored_after_expiry, got none", m)
	}
	s.part("the second half after L1 is over", func() {
		over := s.soon()
		day0 := over.Add(-hundredDays)
		l1, l2 = stamp(over), stamp(day0.Add(2*hundredDays))
		m, rdm := buy(day0, "PT2400H", "PT4800H")
		s.eq(refund(m, rdm, 2, 5000), "points", 40)
		s.before(over)
		s.until(over)
		earliest := s.now().Add(-3 * time.Second).In(jerusalem())
		s.eq(refund(m, rdm, 3, 10000), "points", 0)
		grace(m, earliest.AddDate(0, 0, 30), s.now().Add(3*time.Second).In(jerusalem()).AddDate(0, 0, 30))
	})
	s.part("the second half on day 110, to the second", func() {
		s.needsClock()
		day0 := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
		s.clock(stamp(day0))
		l1, l2 = "2026-04-11T07:00:00Z", "2026-07-20T07:00:00Z" // days of the calendar: an hour less by UTC
		m, rdm := buy(day0, "P100D", "P200D")
		s.eq(refund(m, rdm, 2, 5000), "points", 40)
		s.dying(m, l2+" 300")
		s.clock("2026-04-21T08:00:00Z")
		s.eq(refund(m, rdm, 3, 10000), "points", 0)
		day140 := time.Date(2026, 5, 21, 8, 0, 0, 0, time.UTC)
		grace(m, day140, day140)
	})
}}
