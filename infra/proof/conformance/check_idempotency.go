package main

import "bytes"

// Convention 1: the Idempotency-Key of a POST.
var idempotency = Scenario{"idempotency keys", "a repeated request is answered as the first time, and done once", func(s *shop) {
	s.part("replayed byte for byte", func() {
		m := s.enrol("keys")
		s.earn(s.order("0", m, 50000))
		for _, r := range []struct {
			path string
			body object
		}{
			{"/v1/members", object{"name": "keys of conformance run " + s.run}},
			{"/v1/orders", s.order("1", m, 10000)},
			{"/v1/holds", object{"member": m, "points": 100}},
			{"/v1/redemptions", object{"member": m, "points": 50}},
			{"/v1/members/" + m + "/adjustments", object{"points": 5, "reason": "conformance"}},
		} {
			key := s.id(r.path)
			first := s.must("POST", r.path, r.body, "Idempotency-Key", key)
			if h := first.header.Get("Idempotent-Replayed"); h != "" {
				s.differs("POST %s: Idempotent-Replayed: want none the first time, got %s", r.path, h)
			}
			s.replayed(first, s.do("POST", r.path, r.body, "Idempotency-Key", key))
		}
		s.points(m, 455, "held", 100) // 500 + 100 - 50 + 5 - 100 held
		s.ledger(m, "earn 500", "earn 100", "redeem -50", "adjust 5")
	})
	s.part("another body under the same key", func() {
		m := s.enrol("keys")
		s.earn(s.order("0", m, 50000))
		key := s.id("hold")
		s.must("POST", "/v1/holds", object{"member": m, "points": 100}, "Idempotency-Key", key)
		s.refused(422, "idempotency_key_reused", "POST", "/v1/holds", object{"member": m, "points": 101}, "Idempotency-Key", key)
		s.refused(422, "idempotency_key_reused", "POST", "/v1/redemptions", object{"member": m, "points": 100}, "Idempotency-Key", key)
		s.points(m, 400, "held", 100)
	})
	s.part("a refusal is kept too", func() {
		m := s.enrol("keys")
		body, key := object{"member": m, "points": 100}, s.id("refused")
		first := s.refused(422, "insufficient_points", "POST", "/v1/holds", body, "Idempotency-Key", key)
		s.earn(s.order("0", m, 50000))
		s.replayed(first, s.do("POST", "/v1/holds", body, "Idempotency-Key", key))
	})
}}

// replayed checks that a request was answered as it was the first time.
func (s *shop) replayed(first, again answer) {
	if again.status != first.status || !bytes.Equal(again.raw, first.raw) {
		s.differs("replay of %s: want %d %s\ngot %d %s", first.asked, first.status, first.raw, again.status, again.raw)
	}
	if h := again.header.Get("Idempotent-Replayed"); h != "true" {
		s.differs("replay of %s: Idempotent-Replayed: want true, got %q", first.asked, h)
	}
}
