package main

// Two points instead of one, in the stores of the north first. Whoever buys
// in two stores is invited to the third, once.
var sc21 = Scenario{"SC21 two versions by store", "a version can be for some stores, and an order keeps the one that earned it", func(s *shop) {
	settings := func(points, more string) string {
		return `{"earning": {"rules": [{"id": "base", "on": "order", "rate": {"points": ` + points + `, "amount": 100}}]},
			"achievements": [{"id": "third-store", "count": "stores", "reach": 2, "reward": "invitation"}]` + more + `}`
	}
	order := func(name, m, store string, amount int64, more ...object) object {
		return s.order(name, m, amount, append([]object{{"store": store}}, more...)...)
	}
	s.part("store 1 has the new rule, store 4 the old", func() {
		s.program(settings("1", ""))
		old := s.version
		s.program(settings("2", `, "rollout": {"stores": ["1", "2", "3"]}`))
		m := s.enrol("SC21")
		s.eq(s.earn(order("1", m, "1", 10000)), "points", 200, wrong{100: "the new version is not in force in store 1"})
		s.eq(s.earn(order("2", m, "4", 10000)), "points", 100, wrong{200: "the new version is in force everywhere"})
		s.eq(s.must("GET", "/v1/orders/"+source+"/"+s.id("1"), nil), "rule_version", s.version)
		s.eq(s.must("GET", "/v1/orders/"+source+"/"+s.id("2"), nil), "rule_version", old)
		list := s.must("GET", "/v1/members/"+m+"/vouchers", nil)
		s.eq(list, "data.0.reward", "invitation")
		s.earn(order("3", m, "2", 10000))
		s.eq(s.must("GET", "/v1/members/"+m+"/vouchers", nil), "data.1.reward", nil)
		if s.settable {
			s.once("reward.issued", m)
		}
		s.eq(s.earn(order("1", m, "1", 10000, object{"version": 2, "refunded": 5000})), "points", 100, wrong{50: "valued by the version of the store it came back to"})
	})
	s.part("later for all", func() {
		s.program(settings("2", ""))
		m := s.enrol("SC21")
		s.eq(s.earn(order("4", m, "4", 10000)), "points", 200)
	})
	s.part("a part of the members, always the same", func() {
		s.program(settings("1", ""))
		s.program(settings("2", `, "rollout": {"percent": 50}`))
		in, out := 0, 0
		for i := range 24 {
			m := s.enrol("SC21")
			first := s.number(s.earn(order("a"+digits(i), m, "9", 10000)), "points")
			s.eq(s.earn(order("b"+digits(i), m, "8", 10000)), "points", first)
			switch first {
			case 200:
				in++
			case 100:
				out++
			}
		}
		if in == 0 || out == 0 || in+out != 24 {
			s.differs("members with the new version: want some of 24, got %d with it and %d without", in, out)
		}
	})
}}
