package main

import "time"

// A has 120 points; a guest G bought for 80.00 and 150.00. G turns out to be
// A. (Tiers have their own scenario.)
var sc14 = Scenario{"SC14 guest becomes member", "a merge moves a guest's points with their own dates, once, and leads the old id on", func(s *shop) {
	guest := func() object {
		return object{"external_id": s.id("guest"), "email": s.id("guest") + "@example.com"}
	}
	bought := func(name string, amount int64, paidAt string, more ...object) object {
		more = append([]object{{"customer": guest(), "paid_at": paidAt}}, more...)
		o := s.order(name, "", amount, more...)
		delete(o, "member")
		return o
	}
	merged := func() (a, g string) {
		s.program(`{"expiry": {"after": "P10Y", "to_end_of": "day"}}`)
		a = s.enrol("SC14")
		s.eq(s.earn(s.order("a1", a, 12000, object{"paid_at": "2026-01-31T10:00:00+02:00"})), "points", 120)
		first := s.earn(bought("g1", 8000, "2026-02-01T08:00:00Z"))
		second := s.earn(bought("g2", 15000, "2026-02-02T08:00:00Z"))
		s.eq(first, "points", 80)
		s.eq(second, "points", 150)
		g = s.text(first, "member")
		s.eq(second, "member", g)
		s.points(g, 230)
		s.points(a, 120)
		for range 2 {
			m := s.must("POST", "/v1/members/"+g+"/merge", object{"into": a})
			s.eq(m, "id", a)
			s.eq(m, "points.available", 350, wrong{580: "the merge counted twice", 120: "the guest's points are lost"})
		}
		return a, g
	}
	s.part("three lots with their own dates", func() {
		a, _ := merged()
		s.dying(a, "2036-01-31T22:00:00Z 120", "2036-02-01T22:00:00Z 80", "2036-02-02T22:00:00Z 150")
		s.ledger(a, "earn 120", "merge 230")
	})
	s.part("what happens to G happens to A", func() {
		a, g := merged()
		s.eq(s.member(g), "id", a)
		s.eq(s.earn(bought("g3", 1000, "2026-02-03T08:00:00Z")), "member", a)
		s.points(a, 360)
		s.earn(bought("g2", 15000, "2026-02-02T08:00:00Z", object{"version": 2, "refunded": 15000}))
		s.points(a, 210)
		s.dying(a, "2036-01-31T22:00:00Z 120", "2036-02-01T22:00:00Z 80", "2036-02-03T22:00:00Z 10")
		s.holds(a)
	})
	s.part("nobody merges into themselves", func() {
		a := s.enrol("SC14")
		s.refused(422, "cannot_merge", "POST", "/v1/members/"+a+"/merge", object{"into": a})
		s.refused(404, "not_found", "POST", "/v1/members/"+a+"/merge", object{"into": "mem_NONE"})
	})
	s.part("one event", func() {
		s.needsSchedules()
		a, g := merged()
		n := s.events("member.merged", a) + s.events("member.merged", g)
		if n != 1 {
			s.differs("events member.merged: want 1, got %d", n)
		}
	})
	s.part("A had referred G", func() {
		s.needsSchedules()
		s.program(`{"referral": {"advocate": [{"rank": 1, "points": 100}], "friend": {"points": 50}, "hold": "PT1H"}, "clawback": "debt"}`)
		a, code := s.advocate("")
		id := s.register(code, s.friend("guest"), object{"clicked_at": s.ago(5 * time.Hour)})
		g := s.text(s.earn(s.brought("g", s.friend("guest"), 15000, s.ago(2*time.Hour))), "member")
		s.qualify()
		s.points(a, 100)
		s.points(g, 200)
		s.redeem(a, 100)
		s.redeem(g, 180)
		for range 2 {
			s.must("POST", "/v1/members/"+g+"/merge", object{"into": a})
			s.stands(id, "blocked", "self_referral")
			s.worth(id, 1, 0, 0)
			s.points(a, 0, "debt", 130, wrong{20: "both rewards stay"}) // 20 were left to take 150 from
		}
		s.ledger(a, "refer 100", "redeem -100", "merge 20", "clawback -100", "clawback -50")
	})
}}
