package main

// A top-up of 10,000.00 brings 5 % as a bonus, which can be spent and not be
// paid out. Cashback can.
var sc22 = Scenario{"SC22 cashback is not bonus", "of several wallets, only that which can be withdrawn is paid out", func(s *shop) {
	s.part("a payout", func() {
		s.program(`{"wallets": [{"id": "cashback", "kind": "cashback"}, {"id": "bonus", "kind": "bonus", "expiry": {"after": "P6M"}}],
			"earning": {"rules": [
				{"id": "back", "on": "order", "rate": {"points": 3, "amount": 100}, "wallet": "cashback"},
				{"id": "top-up", "on": "activity", "activity": "topup", "rate": {"points": 5, "amount": 100}, "wallet": "bonus"}]}}`)
		m := s.enrol("SC22")
		topUp := object{"type": "topup", "key": s.id("t1"), "member": m, "data": object{"amount": 1000000}}
		a := s.must("POST", "/v1/activities", topUp)
		s.eq(a, "status", "applied")
		s.eq(a, "awards.0.wallet", "bonus")
		s.eq(a, "awards.0.points", 50000)
		s.eq(s.must("POST", "/v1/activities", topUp), "status", "duplicate")
		s.eq(s.earn(s.order("1", m, 1000000)), "points", 0)
		has := func(cashback, held, bonus int) {
			a := s.member(m)
			s.eq(a, "wallets.cashback.available", cashback)
			s.eq(a, "wallets.cashback.withdrawable", cashback)
			s.eq(a, "wallets.cashback.held", held)
			s.eq(a, "wallets.cashback.expiring.0.at", nil) // no breakage
			s.eq(a, "wallets.bonus.available", bonus, wrong{100000: "the top-up was rewarded twice"})
			s.eq(a, "wallets.bonus.withdrawable", 0)
		}
		has(30000, 0, 50000)
		ask := func(wallet string, amount int) object { return object{"member": m, "wallet": wallet, "amount": amount} }
		s.eq(s.refused(422, "insufficient_points", "POST", "/v1/payouts", ask("cashback", 60000)), "details.withdrawable", 30000)
		s.eq(s.refused(422, "not_withdrawable", "POST", "/v1/payouts", ask("bonus", 100)), "details.withdrawable", 0)
		has(30000, 0, 50000)

		first := s.must("POST", "/v1/payouts", ask("cashback", 30000))
		s.eq(first, "status", "requested")
		has(0, 30000, 50000)
		id := s.text(first, "id")
		s.eq(s.must("POST", "/v1/payouts/"+id+"/reject", nil), "status", "rejected")
		has(30000, 0, 50000)
		second := s.text(s.must("POST", "/v1/payouts", ask("cashback", 30000)), "id")
		for range 2 {
			s.eq(s.must("POST", "/v1/payouts/"+second+"/approve", nil), "status", "approved")
			has(0, 0, 50000)
		}
		s.refused(409, "payout_decided", "POST", "/v1/payouts/"+id+"/approve", nil)
		s.eq(s.must("GET", "/v1/members/"+m+"/ledger?wallet=cashback", nil), "data.0.points", -30000)
		s.eq(s.must("GET", "/v1/members/"+m+"/ledger/verification?wallet=cashback", nil), "valid", true)

		// Bonus pays for goods, and comes back with them.
		rdm := s.text(s.must("POST", "/v1/redemptions", object{"member": m, "wallet": "bonus", "points": 20000}), "id")
		s.eq(s.earn(s.order("2", m, 100000, object{"redemption": rdm})), "points", 0)
		has(2400, 0, 30000)
		s.earn(s.order("2", m, 100000, object{"redemption": rdm, "version": 2, "refunded": 50000}))
		has(1200, 0, 40000)
		if s.settable {
			s.once("payout.approved", m)
			s.once("payout.rejected", m)
		}
	})
}}
