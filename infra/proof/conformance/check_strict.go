package main

import (
	"fmt"
	"strings"
)

// Convention 7: JSON is read strictly, and what is refused wrote nothing.
var strictness = Scenario{"strict JSON", "what is not exactly as described is refused with its path, and nothing is written", func(s *shop) {
	s.part("refused by the API", func() {
		m := s.enrol("strict")
		id := s.id("1")
		order := func(rest string) string {
			return fmt.Sprintf(`{"source": %q, "id": %q, "version": 1, "state": "paid", "currency": %q, "member": %q, %s`, source, id, s.currency, m, rest)
		}
		const lines = `"lines": [{"id": "1", "amount": 1000}]`
		for _, c := range []struct{ body, path string }{
			{order(lines + `, "colour": "red"}`), "/colour"},
			{order(lines + `, "state": "paid"}`), "/state"},
			{order(lines + `, "State": "placed"}`), "/State"},
			{order(`"lines": [{"id": "1", "amount": NaN}]}`), ""},
			{order(`"lines": [{"id": "1", "amount": 10.5}]}`), "/lines/0/amount"},
			{order(`"lines": [{"id": "1", "amount": 9223372036854775808}]}`), "/lines/0/amount"},
			{order(`"lines": [{"id": "1", "amount": "1000"}]}`), "/lines/0/amount"},
			{order(`"lines": [{"id": "1", "amount": -1000}]}`), "/lines/0/amount"},
			{order(`"lines": ` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `}`), ""},
			{order(lines + `} {}`), ""},
			{order(lines), ""}, // cut off
			{`[]`, ""},
			{``, ""},
			{strings.Replace(order(lines+`}`), `"paid"`, `"posted"`, 1), "/state"},
			{strings.Replace(order(lines+`}`), source, "a/b", 1), "/source"},
			{strings.Replace(order(lines+`}`), id, "a#b", 1), "/id"},
		} {
			a := s.do("POST", "/v1/orders", c.body)
			if a.status != 400 {
				s.differs("%v, want 400 for %.300s", a, c.body)
				continue
			}
			s.problem(a)
			if c.path != "" {
				s.eq(a, "details.path", c.path)
			}
			if a.at("details.path") == nil {
				s.differs("details.path: want where it is, got nothing\n%v", a)
			}
		}
		s.refused(404, "not_found", "GET", "/v1/orders/"+source+"/"+id, nil)
		s.points(m, 0)
		s.ledger(m)
		s.eq(s.must("POST", "/v1/orders", order(lines+`}`)), "points", 10) // but for what was wrong it was fine
	})
	s.part("a storefront may send keys that nobody knows, and nothing else", func() {
		s.needsSecret()
		m := s.enrol("strict")
		o := s.order("1", m, 1000, object{"colour": "red"})
		s.eq(s.standard(o), "status", "applied")
		for _, body := range []string{`{"id": "1", "id": "2"}`, `{"id": "1", "ID": "2"}`, `{"id": NaN}`, `{`} {
			s.refused(400, "invalid_request", "POST", "/v1/webhooks/standard", body, signedStandard(s.target.Secret, []byte(body), s.now())...)
		}
		s.ledger(m, "earn 10")
	})
}}
