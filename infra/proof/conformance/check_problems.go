package main

import "strings"

// Convention 6: every refusal is a problem document with a stable code. What
// refused compares is its status, code and shape.
var problems = Scenario{"problem documents", "every refusal is a problem document with its status and a stable code", func(s *shop) {
	s.part("401: who are you", func() {
		for _, sent := range []string{"", "Bearer ", "Bearer sk_" + s.run, "Bearer a.b.c", "Basic " + s.target.Key} {
			s.refused(401, "unauthorized", "GET", "/v1/program", nil, "Authorization", sent)
		}
	})
	s.part("403: not with this token", func() {
		m, other := s.enrol("problems"), s.enrol("problems")
		token := "Bearer " + s.text(s.must("POST", "/v1/members/"+m+"/tokens", nil), "token")
		s.eq(s.must("GET", "/v1/members/"+m, nil, "Authorization", token), "id", m)
		s.refused(403, "forbidden", "PUT", "/v1/program", `{}`, "Authorization", token)
		s.refused(403, "forbidden", "POST", "/v1/members/"+m+"/adjustments", object{"points": 5, "reason": "mine"}, "Authorization", token)
		s.refused(404, "not_found", "GET", "/v1/members/"+other, nil, "Authorization", token)
	})
	s.part("404: no such thing", func() {
		for _, path := range []string{"/v1/members/mem_NONE", "/v1/orders/" + source + "/" + s.id("none"), "/v1/holds/hld_NONE", "/v1/redemptions/rdm_NONE"} {
			s.refused(404, "not_found", "GET", path, nil)
		}
		s.refused(404, "not_found", "POST", "/v1/webhooks/"+s.id("none"), `{}`)
	})
	s.part("404: nothing answers there", func() {
		for _, path := range []string{"/", "/no/such/place", "/v1", "/v2/members", "/v1/members/a/b/c/d"} {
			s.refused(404, "not_found", "GET", path, nil)
		}
		if !s.settable {
			s.refused(404, "not_found", "GET", "/_local/clock", nil)
			s.refused(404, "not_found", "GET", "/_local/events", nil)
		}
	})
	s.part("409, 413 and 422", func() {
		email := s.id("problems") + "@example.com"
		m := s.text(s.must("POST", "/v1/members", object{"email": email}), "id")
		s.refused(409, "member_exists", "POST", "/v1/members", object{"email": email})
		s.eq(s.refused(422, "insufficient_points", "POST", "/v1/holds", object{"member": m, "points": 1}), "details.available", 0)
		s.must("POST", "/v1/orders", s.order("1", m, 10000))
		s.refused(409, "version_conflict", "POST", "/v1/orders", s.order("1", m, 20000))
		s.refused(413, "body_too_large", "POST", "/v1/members", `{"name": "`+strings.Repeat("x", 1<<20)+`"}`)
	})
	s.part("a refused program says where and why", func() {
		a := s.refused(400, "invalid_program", "PUT", "/v1/program", `{"clawback": "sometimes"}`)
		s.eq(a, "details.path", "/clawback")
		s.eq(a, "details.value", "sometimes")
		s.text(a, "details.reason")
		s.eq(s.must("GET", "/v1/program", nil), "version", s.version)
	})
}}
