package main

// A half-year of 120, 0, 90, 60, 150 and 180 is 100.00 a month: 15.00 or 300
// points, as the member chooses, points after 30 days.
var sc18 = Scenario{"SC18 reward for a half-year's use", "the average of a period gives a choice, and what comes back later counts in the next", func(s *shop) {
	program := `{"wallets": [{"id": "money", "kind": "bonus"}],
		"automatic_rewards": [{"id": "half-year", "every": "P6M", "average_per": "P1M", "choose_within": "P30D", "brackets": [
			{"from": 5000, "choices": [{"id": "points", "points": 100}, {"id": "cash", "wallet": "money", "points": 500}]},
			{"from": 10000, "choices": [{"id": "points", "points": 300}, {"id": "cash", "wallet": "money", "points": 1500}]}]}],
		"earning": {"rules": []}, "expiry": "none"}`
	months := []string{"2026-01-10", "2026-02-10", "2026-03-10", "2026-04-10", "2026-05-10", "2026-06-10"}
	use := func() string {
		s.needsClock()
		s.program(program)
		s.clock("2026-01-05T08:00:00Z")
		m := s.enrol("SC18")
		for i, amount := range []int64{12000, 0, 9000, 6000, 15000, 18000} {
			if amount > 0 {
				s.clock(months[i] + "T08:00:00Z")
				s.earn(s.order(months[i], m, amount))
			}
		}
		return m
	}
	offer := func(m string, average int) answer {
		a := s.member(m)
		s.eq(a, "choices.0.id", "half-year")
		s.eq(a, "choices.0.average", average)
		return a
	}
	s.part("the default after 30 days", func() {
		m := use()
		s.clock("2026-06-30T20:59:59Z")
		s.eq(s.member(m), "choices.0.id", nil)
		s.clock("2026-06-30T21:00:00Z") // the 1st of July there
		a := offer(m, 10000)
		s.eq(a, "choices.0.until", "2026-07-30T21:00:00Z")
		s.eq(a, "choices.0.choices.0.points", 300)
		s.eq(a, "choices.0.choices.1.points", 1500)
		s.must("POST", "/_local/schedules/expire/run", nil)
		s.once("reward.choice_offered", m)
		s.clock("2026-07-30T20:59:59Z")
		s.points(m, 0)
		s.clock("2026-07-30T21:00:00Z")
		s.points(m, 300, wrong{0: "nothing is given until a job runs", 100: "of the lower bracket"})
		s.eq(s.member(m), "choices.0.id", nil)
		s.must("POST", "/_local/schedules/expire/run", nil)
		s.points(m, 300, wrong{600: "given twice"})
	})
	s.part("the member's choice", func() {
		m := use()
		s.clock("2026-07-05T08:00:00Z")
		s.eq(s.must("POST", "/v1/members/"+m+"/choices", object{"id": "half-year", "choice": "cash"}), "points", 1500)
		a := s.member(m)
		s.eq(a, "wallets.money.available", 1500)
		s.eq(a, "points.available", 0)
		s.refused(422, "no_choice_open", "POST", "/v1/members/"+m+"/choices", object{"id": "half-year", "choice": "points"})
		s.clock("2026-09-01T08:00:00Z")
		s.points(m, 0, wrong{300: "the default was given beside the choice"})
	})
	s.part("a refund before the period closes", func() {
		m := use()
		s.clock("2026-06-20T08:00:00Z")
		s.earn(s.order(months[5], m, 18000, object{"version": 2, "refunded": 3000}))
		s.clock("2026-07-05T08:00:00Z")
		s.eq(offer(m, 9500), "choices.0.choices.0.points", 100)
	})
	s.part("a refund after it has closed", func() {
		m := use()
		s.clock("2026-07-05T08:00:00Z")
		s.must("POST", "/v1/members/"+m+"/choices", object{"id": "half-year", "choice": "points"})
		s.earn(s.order(months[5], m, 18000, object{"version": 2, "refunded": 3000}))
		s.points(m, 300, wrong{100: "what was given was priced anew"})
		s.earn(s.order("next", m, 60000))
		s.clock("2027-01-05T08:00:00Z")
		s.eq(offer(m, 9500), "choices.0.choices.0.points", 100, wrong{300: "what came back was forgotten"})
	})
}}
