package main

// The tenth coffee is free. Eight are bought, then five; then four of the
// five come back, once while the free coffee is not drunk yet and once when it is.
var sc17 = Scenario{"SC17 punch card of 10", "a card carries over, gives its reward back with a refund, or owes stamps", func(s *shop) {
	card := `{"earning": {"rules": [
		{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}},
		{"id": "card", "on": "order", "punch_card": {"size": 10, "when": "line.category == 'coffee'", "reward": "free-coffee"}}]}}`
	coffees := func(name, m string, n int, more ...object) object {
		o := s.order(name, m, 0, more...)
		line := object{"id": "1", "category": "coffee", "quantity": n, "unit_price": 1200, "amount": 1200 * n}
		for _, x := range more {
			if back, ok := x["back"]; ok {
				line["refunded_quantity"] = back
				delete(o, "back")
			}
		}
		o["lines"] = []object{line, {"id": "2", "category": "bakery", "quantity": 7, "unit_price": 100, "amount": 700}}
		return o
	}
	have := func(m string, stamps, given int) answer {
		a := s.member(m)
		s.eq(a, "goals.0.id", "card")
		s.eq(a, "goals.0.have", stamps, wrong{0: "what is beyond a card is lost", 13: "the reward took no stamps", 14: "other goods gave stamps"})
		s.eq(a, "goals.0.given", given)
		return a
	}
	bought := func() (m, code string) {
		s.program(card)
		m = s.enrol("SC17")
		s.earn(coffees("1", m, 8))
		have(m, 8, 0)
		s.earn(coffees("2", m, 5))
		have(m, 3, 1)
		list := s.must("GET", "/v1/members/"+m+"/vouchers", nil)
		s.eq(list, "data.0.reward", "free-coffee")
		if s.settable {
			s.once("reward.issued", m)
		}
		return m, s.text(list, "data.0.code")
	}
	back := func(m string) { s.earn(coffees("2", m, 5, object{"version": 2, "back": 4})) }

	s.part("the reward is not used", func() {
		m, code := bought()
		back(m)
		have(m, 9, 0)
		s.eq(s.must("GET", "/v1/members/"+m+"/vouchers", nil), "data.0.code", nil)
		s.refused(422, "voucher_not_usable", "POST", "/v1/vouchers/redeem", object{"code": code})
		if s.settable {
			s.once("reward.withdrawn", m)
		}
		s.earn(coffees("3", m, 1))
		have(m, 0, 1)
	})
	s.part("the reward is used", func() {
		m, code := bought()
		s.must("POST", "/v1/vouchers/redeem", object{"code": code})
		back(m)
		have(m, -1, 1)
		s.earn(coffees("3", m, 10))
		have(m, 9, 1)
		s.earn(coffees("4", m, 1))
		have(m, 0, 2)
	})
	s.part("the free coffee gives no stamp", func() {
		m, code := bought()
		free := coffees("3", m, 1)
		free["discounts"] = []object{{"code": code, "amount": 1200, "lines": []string{"1"}}}
		s.earn(free)
		have(m, 3, 1)
		s.refused(422, "voucher_not_usable", "POST", "/v1/vouchers/redeem", object{"code": code})
	})
	s.part("of two coffees one is free", func() {
		m, code := bought()
		two := coffees("3", m, 2)
		two["discounts"] = []object{{"code": code, "amount": 1200, "lines": []string{"1"}}}
		s.earn(two)
		have(m, 4, 1)
	})
}}
