package local_test

import (
	"strings"
	"testing"
)

// Expressions are read where programs are published and orders valued.
func TestExpressionsDecide(t *testing.T) {
	s := embedded(t)
	rule := func(when string) object {
		return object{"earning": object{"rules": []any{
			object{"id": "base", "on": "order", "rate": object{"points": 1, "amount": 100}},
			object{"id": "tea", "on": "order", "multiplier": "2", "when": when},
		}}}
	}
	if a := s.refused(400, "invalid_program", "PUT", "/v1/program", rule("line.categry == 'چای'")); !strings.Contains(string(a.raw), "line.categry is not known; the nearest is line.category") ||
		!strings.Contains(string(a.raw), "/earning/rules/1/when") {
		t.Errorf("%s", a.raw)
	}
	s.must("PUT", "/v1/program", rule("line.category == 'چای' && order.number == 1"))
	m := s.enrol("m")
	lines := object{"lines": []any{
		object{"id": "1", "category": "چای", "quantity": 1, "unit_price": 1000, "amount": 1000},
		object{"id": "2", "category": "קפה", "quantity": 1, "unit_price": 2000, "amount": 2000},
	}}
	s.earn(order("1", m, 3000, lines))
	s.points(m, 40) // the tea twice
	s.earn(order("2", m, 3000, lines))
	s.points(m, 70)
	s.earn(order("1", m, 3000, lines, object{"version": 2, "refunded": 3000}))
	s.points(m, 30)
}
