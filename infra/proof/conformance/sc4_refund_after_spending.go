package main

// Lots of 200 and 300. A basket of 100.00 is paid with 400 points (20.00) and
// 80.00, which earn 80. Then the order that gave 300 comes back whole, and
// only 180 are there.
var sc4 = Scenario{"SC4 refund after spending", "points that are gone are owed, below zero or written off, as the program says", func(s *shop) {
	spent := func() (member string) {
		m := s.enrol("SC4")
		s.eq(s.earn(s.order("O1", m, 20000)), "points", 200)
		s.eq(s.earn(s.order("O2", m, 30000)), "points", 300)
		rdm := s.must("POST", "/v1/redemptions", object{"member": m, "points": 400})
		s.eq(rdm, "value.amount", 2000)
		s.eq(s.earn(s.order("O3", m, 10000, object{"redemption": s.text(rdm, "id")})), "points", 80, wrong{100: "earned on what points paid"})
		s.points(m, 180)
		s.eq(s.earn(s.order("O2", m, 30000, object{"version": 2, "refunded": 30000})), "points", 0)
		return m
	}
	history := func(more ...string) []string {
		return append([]string{"earn 200", "earn 300", "redeem -400", "earn 80", "clawback -300"}, more...)
	}
	s.part("negative", func() {
		s.program(`{"clawback": "negative"}`)
		m := spent()
		s.points(m, -120, "debt", 0, wrong{0: "what is missing is not shown"})
		s.ledger(m, history()...)
		s.refused(422, "insufficient_points", "POST", "/v1/holds", object{"member": m, "points": 1})
	})
	s.part("clamp", func() {
		s.program(`{"clawback": "clamp"}`)
		m := spent()
		s.points(m, 0, "debt", 0, wrong{-120: "what is missing is not written off"})
		s.ledger(m, history("writeoff 120")...)
		s.refused(422, "insufficient_points", "POST", "/v1/holds", object{"member": m, "points": 1})
		v := s.must("GET", "/v1/members/"+m+"/ledger/verification", nil)
		if n := s.number(v, "books.written_off"); n != 120 && n != -120 {
			s.differs("books.written_off: want 120 borne by the program, got %d\n%v", n, v)
		}
	})
	s.part("debt", func() {
		s.program(`{"clawback": "debt"}`)
		m := spent()
		s.points(m, 0, "debt", 120)
		for _, path := range []string{"/v1/holds", "/v1/redemptions"} {
			s.eq(s.refused(422, "insufficient_points", "POST", path, object{"member": m, "points": 1}), "details.available", 0)
		}
		s.eq(s.earn(s.order("O4", m, 10000)), "points", 100)
		s.points(m, 0, "debt", 20)
		s.eq(s.earn(s.order("O5", m, 5000)), "points", 50)
		s.points(m, 30, "debt", 0, wrong{50: "the debt was forgotten"})
		s.ledger(m, history("earn 100", "earn 50")...)
	})
}}
