package main

import (
	"fmt"
	"strings"
)

// Order 1001 is worth 120.00, its second version is edited, of its third
// 45.00 are refunded. Five deliveries, in whatever order, end at 75 points.
var sc1 = Scenario{"SC1 duplicates and disorder", "the newest state decides, however often and in whatever order it comes", func(s *shop) {
	version := func(name, member string, n int) object {
		o := s.order(name, member, 12000, object{"version": n, "paid_at": "2026-03-15T08:00:00Z"})
		switch n {
		case 2:
			o["channel"] = "edited"
		case 3:
			o["channel"], o["refunded"] = "edited", 4500
		}
		return o
	}
	asTold := func(deliver func(object) answer) {
		m := s.enrol("SC1")
		for _, d := range []struct {
			version int
			status  string
		}{{3, "applied"}, {1, "stale"}, {1, "stale"}, {2, "stale"}, {3, "duplicate"}} {
			a := deliver(version("1001", m, d.version))
			if a.status != 200 { // or the storefront sends it again
				s.differs("%v, want 200", a)
			}
			s.eq(a, "status", d.status)
			s.eq(a, "points", 75, wrong{120: "an older version was taken", 30: "the refund counted twice", 150: "the order counted twice"})
		}
		s.points(m, 75)
		s.ledger(m, "earn 75")
	}
	everyOrder := func(deliver func(object) answer) {
		n := 0
		permutations([]int{1, 1, 2, 3, 3}, func(deliveries []int) {
			n++
			m := s.enrol(fmt.Sprint("SC1 ", deliveries))
			for _, v := range deliveries {
				a := deliver(version(fmt.Sprint("p", n), m, v))
				if st := a.str("status"); st != "applied" && st != "duplicate" && st != "stale" {
					s.differs("deliveries %v: status: want applied, duplicate or stale, got %s\n%v", deliveries, st, a)
				}
			}
			before := len(s.differing)
			s.points(m, 75)
			s.holds(m)
			if len(s.differing) > before {
				s.fail("so it is after the deliveries %v", deliveries)
			}
		})
		if n != 30 {
			s.fail("the kit tried %d orders of delivery, there are 30", n)
		}
	}
	s.part("as told, by the API", func() { asTold(s.earn) })
	s.part("as told, by webhook", func() {
		s.needsSecret()
		asTold(s.standard)
	})
	s.part("each of the 30 orders of delivery, by the API", func() { everyOrder(s.earn) })
	s.part("each of the 30 orders of delivery, by webhook", func() {
		s.needsSecret()
		everyOrder(s.standard)
	})
	s.part("a refund that comes alone waits for its order", func() {
		s.needsSecret()
		s.needsCents()
		order, line := s.shopifyID(), s.shopifyID()
		paid := s.shopifyOrder(order, line, "120.00")
		refund := fmt.Sprintf(`{"id": %s, "order_id": %s, "created_at": "2026-03-16T10:00:00+02:00",
			"refund_line_items": [{"id": 1, "line_item_id": %s, "quantity": 1, "subtotal": 45.00, "total_tax": 0}],
			"transactions": [{"amount": "45.00", "kind": "refund", "status": "success", "currency": %q}]}`, s.shopifyID(), order, line, s.currency)
		s.eq(s.shopify("refunds/create", refund), "status", "parked")
		s.eq(s.shopify("refunds/create", refund), "status", "parked")
		a := s.shopify("orders/paid", paid)
		s.eq(a, "status", "applied")
		s.eq(a, "points", 75, wrong{120: "the refund was forgotten"})
		again := s.shopify("refunds/create", refund)
		s.eq(again, "status", "duplicate")
		s.eq(again, "points", 75, wrong{30: "the refund counted twice"})
		s.ledger(s.text(a, "member"), "earn 120", "clawback -45")
	})
}}

// permutations visits each distinct order once.
func permutations(xs []int, visit func([]int)) {
	seen := map[string]bool{}
	var walk func(k int)
	walk = func(k int) {
		if k == len(xs) {
			if name := strings.Trim(fmt.Sprint(xs), "[]"); !seen[name] {
				seen[name] = true
				visit(xs)
			}
			return
		}
		for i := k; i < len(xs); i++ {
			xs[k], xs[i] = xs[i], xs[k]
			walk(k + 1)
			xs[k], xs[i] = xs[i], xs[k]
		}
	}
	walk(0)
}
