package local_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// The scenarios are a programme's promises with exact numbers. The base
// programme is the default one: 1 point per 1.00 of net goods, 100 points pay
// 5.00, 12 months to the end of the local day, zone Asia/Jerusalem.

// SC1: whatever the order of deliveries, the newest state decides.
func TestSC1DuplicatesAndDisorder(t *testing.T) {
	version := func(member string, n int) object {
		o := order("1001", member, 12000, object{"version": n, "paid_at": "2026-03-15T08:00:00Z", "tip": n - 1})
		if n == 3 {
			o["refunded"] = 4500
		}
		return o
	}
	engines(t, func(t *testing.T, s *shop) {
		n := 0
		permutations([]int{1, 1, 2, 3, 3}, func(deliveries []int) {
			n++
			if strings.Contains(t.Name(), "dynamodb") && n%6 != 0 {
				return // every order on the embedded table, each sixth over the wire
			}
			m := s.enrol(fmt.Sprint("order of deliveries ", n))
			for _, v := range deliveries {
				o := version(m, v)
				o["id"] = fmt.Sprint("p", n)
				a := s.standard(o)
				if st := a.str("status"); st != "applied" && st != "duplicate" && st != "stale" {
					t.Fatalf("%v: %s", deliveries, a.raw)
				}
			}
			s.points(m, 75)
			s.holds(m)
		})
		m := s.enrol("as told")
		want := []struct {
			version int
			status  string
		}{{3, "applied"}, {1, "stale"}, {1, "stale"}, {2, "stale"}, {3, "duplicate"}}
		for _, w := range want {
			if a := s.standard(version(m, w.version)); a.str("status") != w.status || a.num("points") != 75 {
				t.Errorf("version %d: %s, want %s with 75 points", w.version, a.raw, w.status)
			}
		}
		s.ledger(m, "earn 75")
	})
}

// SC1, the refund alone: it waits for its order.
func TestSC1RefundBeforeItsOrder(t *testing.T) {
	const ordered = `{"id": 820982911946154508, "updated_at": "2026-03-15T10:00:00+02:00", "created_at": "2026-03-15T10:00:00+02:00",
		"processed_at": "2026-03-15T10:00:00+02:00", "currency": "ILS", "financial_status": "paid", "test": false,
		"customer": {"id": 207119551, "email": "noa@example.com"},
		"line_items": [{"id": 1, "title": "קפה", "quantity": 1, "price": "120.00", "discount_allocations": []}], "refunds": []}`
	const refund = `{"id": 509562969, "order_id": 820982911946154508, "created_at": "2026-03-16T10:00:00+02:00",
		"refund_line_items": [{"id": 1, "line_item_id": 1, "quantity": 1, "subtotal": 45.00, "total_tax": 0}],
		"transactions": [{"amount": "45.00", "kind": "refund", "status": "success", "currency": "ILS"}]}`
	engines(t, func(t *testing.T, s *shop) {
		if a := s.shopify("refunds/create", refund); a.str("status") != "parked" {
			t.Fatalf("the refund: %s", a.raw)
		}
		if a := s.shopify("refunds/create", refund); a.str("status") != "parked" {
			t.Fatalf("the refund again: %s", a.raw)
		}
		a := s.shopify("orders/paid", ordered)
		if a.str("status") != "applied" || a.num("points") != 75 || a.str("order.id") != "820982911946154508" {
			t.Fatalf("the order: %s", a.raw)
		}
		if a := s.shopify("refunds/create", refund); a.str("status") != "duplicate" || a.num("points") != 75 {
			t.Errorf("the refund after the order: %s", a.raw)
		}
		s.ledger(a.str("member"), "earn 120", "clawback -45")
	})
}

// SC3: refunds are valued by the rule that earned, and sum exactly.
func TestSC3PartialRefundsWithARuleChangeBetween(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		m := s.enrol("m")
		if a := s.earn(order("1", m, 4995)); a.num("points") != 49 {
			t.Fatalf("%s", a.raw)
		}
		s.program("earning: {rules: [{id: base, on: order, rate: {points: 2, amount: 100}}]}")
		for i, want := range []int64{33, 16, 0} {
			a := s.earn(order("1", m, 4995, object{"version": i + 2, "refunded": 1665 * (i + 1)}))
			if a.num("points") != want {
				t.Errorf("after refund %d the order is worth %d, want %d", i+1, a.num("points"), want)
			}
		}
		s.ledger(m, "earn 49", "clawback -16", "clawback -17", "clawback -16")
		if a := s.earn(order("2", m, 4995)); a.num("points") != 99 {
			t.Errorf("a new order earns by the new rule: %s", a.raw)
		}
	})
}

// SC4: a refund after the points were spent.
func TestSC4RefundAfterSpending(t *testing.T) {
	for _, policy := range []string{"negative", "clamp", "debt"} {
		t.Run(policy, func(t *testing.T) {
			engines(t, func(t *testing.T, s *shop) {
				s.program("clawback: " + policy)
				m := s.enrol("m")
				s.earn(order("O1", m, 20000))
				s.earn(order("O2", m, 30000))
				rdm := s.redeem(m, 400)
				if a := s.earn(order("O3", m, 10000, object{"redemption": rdm})); a.num("points") != 80 {
					t.Fatalf("on the 80.00 that money paid: %s", a.raw)
				}
				s.points(m, 180)
				s.earn(order("O2", m, 30000, object{"version": 2, "refunded": 30000}))
				history := []string{"earn 200", "earn 300", "redeem -400", "earn 80", "clawback -300"}
				switch policy {
				case "negative":
					s.points(m, -120, "debt", 0)
					s.ledger(m, history...)
					s.refused(422, "insufficient_points", "POST", "/v1/holds", object{"member": m, "points": 1})
				case "clamp":
					s.points(m, 0, "debt", 0)
					s.ledger(m, append(history, "writeoff 120")...)
				case "debt":
					s.points(m, 0, "debt", 120)
					if a := s.refused(422, "insufficient_points", "POST", "/v1/holds", object{"member": m, "points": 1}); a.num("details.available") != 0 {
						t.Errorf("%s", a.raw)
					}
					s.earn(order("O4", m, 10000))
					s.points(m, 0, "debt", 20)
					s.earn(order("O5", m, 5000))
					s.points(m, 30, "debt", 0)
					s.ledger(m, append(history, "earn 100", "earn 50")...)
				}
			})
		})
	}
}

// SC5: the return of an order that points paid in part.
func TestSC5ReturnOfAnOrderPartlyPaidWithPoints(t *testing.T) {
	start := func(s *shop) (member, rdm string) {
		s.clock("2026-01-01T08:00:00Z")
		m := s.enrol("m")
		s.program("expiry: {after: P100D, to_end_of: none}")
		s.earn(order("L1", m, 20000, object{"paid_at": "2026-01-01T08:00:00Z"}))
		s.program("expiry: {after: P200D, to_end_of: none}")
		s.earn(order("L2", m, 30000, object{"paid_at": "2026-01-01T08:00:00Z"}))
		s.program("expiry: {after: P12M, to_end_of: day}")
		rdm = s.redeem(m, 400)
		a := s.earn(order("O", m, 10000, object{"redemption": rdm}))
		if a.num("points") != 80 {
			s.t.Fatalf("%s", a.raw)
		}
		s.wantLots(m, "2026-07-20T07:00:00Z 100", "2027-01-01T22:00:00Z 80")
		return m, rdm
	}
	back := func(s *shop, m, rdm string, version int, refunded int64) answer {
		return s.earn(order("O", m, 10000, object{"version": version, "redemption": rdm, "refunded": refunded}))
	}
	engines(t, func(t *testing.T, s *shop) {
		m, rdm := start(s)
		if a := back(s, m, rdm, 2, 5000); a.num("points") != 40 {
			t.Errorf("%s", a.raw)
		}
		s.wantLots(m, "2026-07-20T07:00:00Z 300", "2027-01-01T22:00:00Z 40")
		if a := back(s, m, rdm, 3, 10000); a.num("points") != 0 {
			t.Errorf("%s", a.raw)
		}
		s.wantLots(m, "2026-04-11T07:00:00Z 200", "2026-07-20T07:00:00Z 300")
		s.ledger(m, "earn 200", "earn 300", "redeem -400", "earn 80", "restore 200", "clawback -40", "restore 200", "clawback -40")
		s.must("POST", "/v1/redemptions/"+rdm+"/cancel", nil)
		s.points(m, 500)
	})
	t.Run("after the lot is over", func(t *testing.T) {
		engines(t, func(t *testing.T, s *shop) {
			m, rdm := start(s)
			back(s, m, rdm, 2, 5000)
			s.clock("2026-04-21T08:00:00Z") // day 110
			back(s, m, rdm, 3, 10000)
			s.wantLots(m, "2026-05-21T08:00:00Z 200", "2026-07-20T07:00:00Z 300")
			all := s.entries(m)
			if e := all[len(all)-2]; e["type"] != "restore" || e["reason"] != "restored_after_expiry" {
				t.Errorf("the second restore says %v", e)
			}
			s.holds(m)
		})
	})
}

// SC6: points die at their instant, in the shop's zone, with no job.
func TestSC6ExpiryAtTheInstant(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.clock("2026-03-15T08:00:00Z")
		m := s.enrol("m")
		s.earn(order("1", m, 10000, object{"paid_at": "2026-03-15T10:00:00+02:00"}))
		s.wantLots(m, "2027-03-15T22:00:00Z 100")
		s.clock("2027-03-15T21:59:59Z")
		s.redeem(m, 10)
		s.clock("2027-03-15T22:00:00Z")
		s.refused(422, "insufficient_points", "POST", "/v1/redemptions", object{"member": m, "points": 1})
		s.points(m, 0)
		s.ledger(m, "earn 100", "redeem -10")
		if a := s.must("POST", "/_local/schedules/expire/run", nil); a.num("expired") != 90 || a.num("entries") != 1 {
			t.Errorf("%s", a.raw)
		}
		if a := s.must("POST", "/_local/schedules/expire/run", nil); a.num("entries") != 0 {
			t.Errorf("the second run: %s", a.raw)
		}
		s.ledger(m, "earn 100", "redeem -10", "expire -90")
		if at := s.entries(m)[2]["at"]; at != "2027-03-15T22:00:00Z" {
			t.Errorf("the entry is of %v", at)
		}
		if n := s.events()["points.expired"]; n != 1 {
			t.Errorf("%d events points.expired", n)
		}
	})
	t.Run("double day of 23 hours", func(t *testing.T) {
		engines(t, func(t *testing.T, s *shop) {
			s.clock("2027-04-01T00:00:00Z")
			s.program(`earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}, {id: double-day, on: order, multiplier: "2", during: {dates: ["2027-03-26"]}}]}`)
			m := s.enrol("m")
			for at, want := range map[string]int64{"2027-03-25T21:59:59Z": 100, "2027-03-25T22:00:00Z": 200, "2027-03-26T20:59:59Z": 200, "2027-03-26T21:00:00Z": 100} {
				if a := s.earn(order(strings.NewReplacer(":", "").Replace(at), m, 10000, object{"paid_at": at})); a.num("points") != want {
					t.Errorf("paid at %s: %d points, want %d", at, a.num("points"), want)
				}
			}
		})
	})
	t.Run("a month from the 31st", func(t *testing.T) {
		engines(t, func(t *testing.T, s *shop) {
			s.program("expiry: {after: P1M, to_end_of: day}")
			for _, c := range []struct{ now, dies string }{{"2026-01-31T10:00:00Z", "2026-02-28T22:00:00Z"}, {"2028-01-31T10:00:00Z", "2028-02-29T22:00:00Z"}} {
				s.clock(c.now)
				m := s.enrol("m")
				s.earn(order(c.now[:4], m, 10000))
				s.wantLots(m, c.dies+" 100")
			}
		})
	})
}

// SC7: what dies first is spent first.
func TestSC7LotsEarliestFirst(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.clock("2026-01-01T08:00:00Z")
		m := s.enrol("m")
		for i, lot := range []struct {
			expiry string
			amount int64
		}{{"none", 5000}, {"{after: P44D, to_end_of: none}", 20000}, {"{after: P30D, to_end_of: none}", 10000}} {
			s.program("expiry: " + lot.expiry)
			s.earn(order(fmt.Sprint(i), m, lot.amount))
		}
		s.clock("2026-01-21T08:00:00Z") // day 20
		s.redeem(m, 180)
		s.points(m, 170)
		s.wantLots(m, "2026-02-14T08:00:00Z 120")
		s.clock("2026-02-14T08:00:00Z") // day 44
		s.points(m, 50)
		s.refused(422, "insufficient_points", "POST", "/v1/holds", object{"member": m, "points": 51})
		s.redeem(m, 50)
		s.must("POST", "/_local/schedules/expire/run", nil)
		s.ledger(m, "earn 50", "earn 200", "earn 100", "redeem -180", "expire -120", "redeem -50")
	})
}

// SC8: parallel holds never promise a point twice, and time frees them.
func TestSC8TenParallelHolds(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.clock("2026-01-01T08:00:00Z")
		m := s.enrol("m")
		s.earn(order("1", m, 25000))
		answers := make([]answer, 10)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { answers[i] = s.do("POST", "/v1/holds", object{"member": m, "points": 100}) })
		}
		wg.Wait()
		var held []string
		for _, a := range answers {
			switch {
			case a.status == 201:
				held = append(held, a.str("id"))
			case a.str("code") != "insufficient_points":
				t.Errorf("%d %s", a.status, a.raw)
			}
		}
		if len(held) != 2 {
			t.Fatalf("%d holds, want 2", len(held))
		}
		s.points(m, 50, "held", 200)
		s.ledger(m, "earn 250")

		captured := s.must("POST", "/v1/holds/"+held[0]+"/capture", nil, "Idempotency-Key", "capture-1")
		if captured.str("redemption") == "" {
			t.Errorf("%s", captured.raw)
		}
		s.ledger(m, "earn 250", "redeem -100")
		again := s.must("POST", "/v1/holds/"+held[0]+"/capture", nil, "Idempotency-Key", "capture-1")
		if string(again.raw) != string(captured.raw) || again.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("captured again: %s", again.raw)
		}
		s.clock("2026-01-01T08:15:00Z")
		s.points(m, 150, "held", 0)
		s.refused(409, "hold_expired", "POST", "/v1/holds/"+held[1]+"/capture", nil)
		s.must("POST", "/_local/schedules/expire/run", nil)
		s.points(m, 150, "held", 0)
		if n := s.events(); n["hold.expired"] != 1 || n["redemption.captured"] != 1 {
			t.Errorf("events: %v", n)
		}
		s.holds(m)
	})
}

// SC14, the merge: a guest's points keep their own dates.
func TestSC14GuestBecomesMember(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.clock("2026-02-10T08:00:00Z")
		a := s.enrol("A")
		s.earn(order("a1", a, 12000, object{"paid_at": "2026-01-30T08:00:00Z"}))
		guest := object{"external_id": "g-1", "email": "guest@example.com"}
		g := s.earn(order("g1", "", 8000, object{"member": nil, "customer": guest, "paid_at": "2026-02-01T08:00:00Z"})).str("member")
		if got := s.earn(order("g2", "", 15000, object{"member": nil, "customer": guest, "paid_at": "2026-02-02T08:00:00Z"})).str("member"); got != g {
			t.Fatalf("the guest's second order is of %s, want %s", got, g)
		}
		for range 2 {
			if m := s.must("POST", "/v1/members/"+g+"/merge", object{"into": a}); m.str("id") != a || m.num("points.available") != 350 {
				t.Fatalf("%s", m.raw)
			}
		}
		s.wantLots(a, "2027-01-30T22:00:00Z 120", "2027-02-01T22:00:00Z 80", "2027-02-02T22:00:00Z 150")
		s.ledger(a, "earn 120", "merge 230")
		if m := s.member(g); m.str("id") != a {
			t.Errorf("the guest's id leads to %s", m.str("id"))
		}
		if next := s.earn(order("g3", "", 1000, object{"member": nil, "customer": guest})); next.str("member") != a {
			t.Errorf("the guest's next order is of %s", next.str("member"))
		}
		s.earn(order("g2", "", 15000, object{"version": 2, "member": nil, "customer": guest, "paid_at": "2026-02-02T08:00:00Z", "refunded": 15000}))
		s.points(a, 210)
		s.refused(422, "cannot_merge", "POST", "/v1/members/"+a+"/merge", object{"into": a})
		if n := s.events(); n["member.merged"] != 1 {
			t.Errorf("events: %v", n)
		}
	})
}

func permutations(xs []int, visit func([]int)) {
	seen := map[string]bool{}
	var walk func(k int)
	walk = func(k int) {
		if k == len(xs) {
			if name := fmt.Sprint(xs); !seen[name] {
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
