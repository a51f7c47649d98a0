package main

// A basket of 49.95 and three times 19.99 with a gift card of 50.00 and a
// coupon of 10 % on the goods, bought by a Gold member (x1.5) on a double day
// (x2): 98.93 are left to earn on.
var sc2 = Scenario{"SC2 stacking and rounding", "multipliers stack as the program says, and all is rounded once", func(s *shop) {
	for _, c := range []struct {
		stacking      string
		points, a, b  int
		floored, line int
	}{
		{"multiply", 296, 135, 161, 294, 295},
		{"add", 247, 112, 135, 245, 246},
		{"best", 197, 90, 107, 196, 196},
	} {
		s.part(c.stacking, func() {
			s.program(`{"earning": {"stacking": "` + c.stacking + `", "rules": [
				{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}},
				{"id": "double-day", "on": "order", "multiplier": "2", "during": {"dates": ["2026-03-13"]}}]},
				"tiers": {"levels": [{"id": "gold", "from": 100, "multiplier": "1.5"}]}}`)
			m := s.enrol("SC2")
			s.eq(s.earn(s.order("0", m, 10000, object{"paid_at": "2026-03-12T08:00:00Z"})), "points", 100)
			s.eq(s.member(m), "tier.id", "gold")
			basket := s.order("1", m, 0, object{
				"paid_at": "2026-03-13T08:00:00Z",
				"lines": []object{
					{"id": "A", "sku": "A", "quantity": 1, "unit_price": 4995, "amount": 4995},
					{"id": "B", "sku": "B", "quantity": 3, "unit_price": 1999, "amount": 5997},
					{"id": "G", "quantity": 1, "unit_price": 5000, "amount": 5000, "gift_card": true},
				},
				"discounts": []object{{"code": "TEN", "amount": 1099, "lines": []string{"A", "B"}}},
			})
			e := s.must("POST", "/v1/orders/evaluate", basket)
			catch := wrong{int64(c.floored): "floored before it was multiplied", int64(c.line): "floored per line", 446: "the gift card earned", 101: "nothing stacked", 98: "nothing stacked"}
			s.eq(e, "points", c.points, catch)
			for i, want := range []int{c.a, c.b, 0} {
				line := []string{"lines.0.", "lines.1.", "lines.2."}[i]
				s.eq(e, line+"points", want)
				s.eq(e, line+"net", []int{4496, 5397, 0}[i])
			}
			s.eq(s.earn(basket), "points", c.points, catch)
			s.ledger(m, "earn 100", "earn "+digits(c.points))
		})
	}
}}
