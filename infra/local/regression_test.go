package local_test

import (
	"fmt"
	"testing"
)

// What was once wrong, or would be in a system less careful.

func TestPointsThatDiedUnspentAreNotOwed(t *testing.T) {
	s := embedded(t)
	s.program("expiry: {after: P30D, to_end_of: none}")
	s.clock("2026-01-01T08:00:00Z")
	m := s.enrol("m")
	s.earn(order("1", m, 10000))
	s.clock("2026-02-15T08:00:00Z")
	s.earn(order("1", m, 10000, object{"version": 2, "refunded": 10000}))
	s.points(m, 0, "debt", 0)
	s.ledger(m, "earn 100", "expire -100", "clawback 0")
	s.earn(order("2", m, 5000))
	s.points(m, 50)
}

func TestRefundedAndNotRefundedInTurnMakesNoPoints(t *testing.T) {
	s := embedded(t)
	s.program("clawback: clamp")
	m := s.enrol("m")
	version := 0
	tell := func(refunded int64) {
		version++
		s.earn(order("1", m, 30000, object{"version": version, "refunded": refunded}))
	}
	tell(0)
	s.redeem(m, 300)
	for range 3 {
		tell(30000)
		s.points(m, 0, "debt", 0)
		tell(0)
		s.points(m, 0, "debt", 0)
	}
	s.holds(m)
}

func TestHoldingIsNoWayAroundARefund(t *testing.T) {
	for _, policy := range []string{"clamp", "debt", "negative"} {
		t.Run(policy, func(t *testing.T) {
			s := embedded(t)
			s.program("clawback: " + policy)
			m := s.enrol("m")
			s.earn(order("1", m, 10000))
			held := s.must("POST", "/v1/holds", object{"member": m, "points": 100}).str("id")
			s.earn(order("1", m, 10000, object{"version": 2, "refunded": 10000}))
			s.must("POST", "/v1/holds/"+held+"/release", nil)
			s.points(m, 0, "debt", 0, "held", 0)
			s.holds(m)
		})
	}
}

func TestTheTimeOfTheNewestStateDecides(t *testing.T) {
	tell := func(s *shop, m string, version int, paid string) answer {
		return s.standard(order("1", m, 10000, object{"version": version, "paid_at": paid}))
	}
	for _, versions := range [][]int{{1, 2}, {2, 1}, {2}} {
		t.Run(fmt.Sprint(versions), func(t *testing.T) {
			s := embedded(t)
			s.clock("2027-04-01T00:00:00Z")
			s.program(`earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}, {id: double, on: order, multiplier: "2", during: {dates: ["2027-03-26"]}}]}`)
			m := s.enrol("m")
			for _, v := range versions {
				tell(s, m, v, map[int]string{1: "2027-03-27T10:00:00Z", 2: "2027-03-26T10:00:00Z"}[v])
			}
			s.wantLots(m, "2028-03-26T21:00:00Z 200")
			s.holds(m)
		})
	}
}

func TestFulfilmentIsWhenItIsEarned(t *testing.T) {
	s := embedded(t)
	s.program("earning: {when: fulfilled, pending: P14D}")
	s.clock("2026-03-20T08:00:00Z")
	m := s.enrol("m")
	s.earn(order("1", m, 10000, object{"state": "fulfilled", "paid_at": "2026-03-01T08:00:00Z", "fulfilled_at": "2026-03-10T08:00:00Z"}))
	s.points(m, 0, "pending", 100)
	s.wantLots(m, "2027-03-10T22:00:00Z 100")
	s.clock("2026-03-24T08:00:00Z")
	s.points(m, 100, "pending", 0)
}

func TestARefundedLineThatIsGoneCountsOnce(t *testing.T) {
	s := embedded(t)
	head := `{"id": 1, "created_at": "2026-03-15T10:00:00Z", "processed_at": "2026-03-15T10:00:00Z", "currency": "ILS", "financial_status": "paid",
		"customer": {"id": 7, "email": "a@example.com"}, "updated_at": "2026-03-1%dT10:00:00Z", "line_items": [{"id": 1, "title": "a", "quantity": 1, "price": "100.00"}%s], "refunds": []}`
	a := s.shopify("orders/paid", fmt.Sprintf(head, 5, `, {"id": 2, "title": "b", "quantity": 1, "price": "50.00"}`))
	s.shopify("refunds/create", `{"id": 9, "order_id": 1, "refund_line_items": [{"id": 1, "line_item_id": 2, "quantity": 1, "subtotal": 50.00, "total_tax": 0}], "transactions": [{"amount": "50.00", "kind": "refund", "status": "success", "currency": "ILS"}]}`)
	s.shopify("orders/updated", fmt.Sprintf(head, 6, ""))
	s.points(a.str("member"), 100)
}

func TestAClockThatGoesBackLosesNoHold(t *testing.T) {
	s := embedded(t)
	s.clock("2026-01-01T12:00:00Z")
	m := s.enrol("m")
	s.earn(order("1", m, 10000))
	held := s.must("POST", "/v1/holds", object{"member": m, "points": 100}).str("id")
	s.clock("2026-01-01T12:20:00Z")
	s.must("POST", "/_local/schedules/expire/run", nil)
	s.clock("2026-01-01T12:05:00Z")
	s.refused(409, "hold_expired", "POST", "/v1/holds/"+held+"/capture", nil)
	s.must("POST", "/v1/holds/"+held+"/release", nil)
	s.points(m, 100)
}

// Cancelling a redemption and refunding its order, in any order of the two,
// end alike and never give back more than was redeemed.
func TestCancelAndRefundInAnyOrder(t *testing.T) {
	for _, cancelFirst := range []bool{true, false} {
		t.Run(fmt.Sprint("cancel first ", cancelFirst), func(t *testing.T) {
			s := embedded(t)
			m := s.enrol("m")
			s.earn(order("0", m, 40000))
			rdm := s.redeem(m, 400)
			s.earn(order("1", m, 10000, object{"redemption": rdm}))
			s.points(m, 80)
			cancel := func() { s.must("POST", "/v1/redemptions/"+rdm+"/cancel", nil) }
			if cancelFirst {
				cancel()
			}
			if a := s.earn(order("1", m, 10000, object{"version": 2, "redemption": rdm, "refunded": 5000})); a.num("points") != 40 {
				t.Errorf("%s", a.raw)
			}
			if !cancelFirst {
				cancel()
			}
			s.points(m, 440)
			s.holds(m)
		})
	}
}

func TestAGiftCardThatPointsPaidComesBack(t *testing.T) {
	s := embedded(t)
	m := s.enrol("m")
	s.earn(order("0", m, 40000))
	rdm := s.redeem(m, 400)
	card := object{"redemption": rdm, "lines": []object{{"id": "1", "quantity": 1, "amount": 2000, "gift_card": true}}}
	s.earn(order("1", m, 0, card))
	s.points(m, 0)
	s.earn(order("1", m, 0, card, object{"version": 2, "refunded": 2000}))
	s.points(m, 400)
}

func TestMergesInAChain(t *testing.T) {
	s := embedded(t)
	a, b := s.enrol("A"), s.must("POST", "/v1/members", object{"name": "B", "email": "b@example.com"}).str("id")
	buy := func(id string, customer object) answer {
		return s.earn(order(id, "", 10000, object{"source": "web", "member": nil, "customer": customer}))
	}
	g := buy("1", object{"external_id": "w-1", "email": "g@example.com", "email_verified": true}).str("member")
	hold := s.must("POST", "/v1/holds", object{"member": g, "points": 40}).str("id")
	s.must("POST", "/v1/members/"+g+"/merge", object{"into": a})
	s.must("POST", "/v1/members/"+a+"/merge", object{"into": b})
	for _, into := range []string{a, b} { // again, by any name
		if m := s.must("POST", "/v1/members/"+g+"/merge", object{"into": into}); m.str("id") != b {
			t.Errorf("%s", m.raw)
		}
	}
	s.points(b, 60, "held", 40)
	s.must("POST", "/v1/holds/"+hold+"/capture", nil)
	s.points(b, 60, "held", 0)
	if o := s.must("GET", "/v1/orders/web/1", nil); o.str("member") != b || o.str("entries.0.type") != "earn" {
		t.Errorf("%s", o.raw)
	}
	if l := s.must("GET", "/v1/members/"+b+"/orders", nil); l.str("data.0.id") != "1" {
		t.Errorf("the orders of the merged: %s", l.raw)
	}
	s.ledger(g, "earn 100", "merge -100")
	s.refused(409, "member_exists", "POST", "/v1/members", object{"email": "b@example.com"})
	if m := buy("2", object{"external_id": "w-2", "email": "g@example.com", "email_verified": true}).str("member"); m != b {
		t.Errorf("by the merged guest's e-mail: %s, want %s", m, b)
	}
	if m := buy("3", object{"external_id": "w-2"}).str("member"); m == b {
		t.Error("a second external id of one source was attached")
	}
	s.must("POST", "/v1/privacy/erasures", object{"member": b})
	for _, q := range []string{"email=g@example.com", "email=b@example.com", "external_id=w-1"} {
		for i, m := range s.must("GET", "/v1/members?"+q, nil).at("data").([]any) {
			if m.(object)["id"] == b {
				t.Errorf("%s still leads to the erased, at %d", q, i)
			}
		}
	}
	s.holds(b)
}

func TestAVerificationCanBeWithdrawn(t *testing.T) {
	s := embedded(t)
	buy := func(id string) string {
		return s.earn(order(id, "", 10000, object{"member": nil, "customer": object{"email": "x@example.com", "email_verified": true}})).str("member")
	}
	g := buy("1")
	s.must("PATCH", "/v1/members/"+g, object{"email_verified": false})
	if buy("2") == g {
		t.Error("an e-mail matched that is verified no more")
	}
}

func TestARefundInOtherMoneyIsOfNoOrder(t *testing.T) {
	s := embedded(t)
	refund := `{"id": 9, "order_id": 1, "refund_line_items": [{"id": 1, "line_item_id": 1, "quantity": 1, "subtotal": 45.00, "total_tax": 0, "subtotal_set": {"shop_money": {"amount": "45.00", "currency_code": "USD"}}}], "transactions": [{"amount": "45.00", "kind": "refund", "status": "success", "currency": "USD"}]}`
	ordered := `{"id": 1, "created_at": "2026-03-15T10:00:00Z", "processed_at": "2026-03-15T10:00:00Z", "updated_at": "2026-03-15T10:00:00Z", "currency": "ILS", "financial_status": "paid",
		"customer": {"id": 7, "email": "a@example.com"}, "line_items": [{"id": 1, "title": "a", "quantity": 1, "price": "120.00"}], "refunds": []}`
	s.shopify("refunds/create", refund)
	a := s.shopify("orders/paid", ordered)
	s.shopify("refunds/create", refund)
	s.points(a.str("member"), 120)
}

func TestErasedDataIsInNoReceipt(t *testing.T) {
	s := embedded(t)
	noa := s.must("POST", "/v1/members", object{"name": "Noa Unmistakable"}, "Idempotency-Key", "enrol-1").str("id")
	stored := func() bool {
		t.Helper()
		yes, err := s.host.Holds(t.Context(), "Unmistakable")
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if !stored() {
		t.Fatal("the name was stored nowhere, so nothing is proven")
	}
	s.must("POST", "/v1/privacy/erasures", object{"member": noa})
	if stored() {
		t.Error("the name is still in the table")
	}
}

func TestATillSpeaksForItsOwnOrdersOnly(t *testing.T) {
	s := embedded(t)
	ordered := `{"id": 1, "created_at": "2026-03-15T10:00:00Z", "processed_at": "2026-03-15T10:00:00Z", "updated_at": "2026-03-15T10:00:00Z", "currency": "ILS", "financial_status": "paid",
		"customer": {"id": 7, "email": "a@example.com"}, "line_items": [{"id": 1, "title": "a", "quantity": 1, "price": "120.00"}], "refunds": []}`
	m := s.shopify("orders/paid", ordered).str("member")
	forged := order("1", m, 10000000, object{"source": "shopify", "version": "2200-01-01T00:00:00Z"})
	if a := s.standard(forged); a.str("status") != "ignored" || a.str("reason") != "source_of_another_connection" {
		t.Errorf("%s", a.raw)
	}
	s.points(m, 120)
}

func TestErasureOfManyMerged(t *testing.T) {
	s := embedded(t)
	noa := s.must("POST", "/v1/members", object{"name": "Noa", "email": "noa@example.com"}).str("id")
	for i := range 30 {
		customer := object{"external_id": fmt.Sprint("g", i), "email": fmt.Sprintf("g%d@example.com", i), "email_verified": true, "phone": fmt.Sprintf("+97250000%03d", i)}
		g := s.earn(order(fmt.Sprint(i), "", 1000, object{"member": nil, "customer": customer})).str("member")
		s.must("POST", "/v1/members/"+g+"/merge", object{"into": noa})
	}
	export := s.must("POST", "/v1/privacy/exports", object{"member": noa})
	if n := len(export.at("merged").([]any)); n != 30 || len(export.at("orders").([]any)) != 30 || len(export.at("ledger").([]any)) != 90 {
		t.Errorf("the export has %d merged members: %.300s", n, export.raw)
	}
	s.must("POST", "/v1/privacy/erasures", object{"member": noa})
	s.must("POST", "/v1/privacy/erasures", object{"member": noa})
	for _, q := range []string{"email=noa@example.com", "email=g7@example.com", "phone=%2B97250000007", "external_id=g7"} {
		if found := s.must("GET", "/v1/members?"+q, nil).at("data").([]any); len(found) != 0 {
			t.Errorf("%s finds %v", q, found)
		}
	}
	s.points(noa, 300)
	s.holds(noa)
}

func TestARedactionSentAgainErasesNobodyWhoCameBack(t *testing.T) {
	s := embedded(t)
	buy := func(id string) string {
		return s.earn(order(id, "", 1000, object{"source": "shopify", "member": nil, "customer": object{"external_id": "207119551", "email": "noa@example.com"}})).str("member")
	}
	redact := `{"shop_id": 954889, "shop_domain": "noa.myshopify.com", "customer": {"id": 207119551, "email": "noa@example.com"}, "orders_to_redact": [%d]}`
	first := buy("1")
	s.shopify("customers/redact", fmt.Sprintf(redact, 1))
	back := buy("2")
	if back == first {
		t.Fatal("the erased was found again")
	}
	if a := s.shopify("customers/redact", fmt.Sprintf(redact, 1)); a.str("status") != "duplicate" {
		t.Errorf("%s", a.raw)
	}
	if m := s.member(back); m.str("email") != "noa@example.com" {
		t.Errorf("%s", m.raw)
	}
	s.shopify("customers/redact", fmt.Sprintf(redact, 2)) // another request
	if m := s.member(back); m.str("email") != "" {
		t.Errorf("%s", m.raw)
	}
}

func TestLettersThatLookAlikeAreOtherAddresses(t *testing.T) {
	s := embedded(t)
	kate := s.must("POST", "/v1/members", object{"email": "Kate@example.com", "email_verified": true}).str("id")
	buy := func(id, email string) string {
		return s.earn(order(id, "", 1000, object{"member": nil, "customer": object{"email": email, "email_verified": true}})).str("member")
	}
	if m := buy("1", "kATE@example.com"); m != kate {
		t.Errorf("%s, want %s", m, kate)
	}
	if m := buy("2", "\u212aate@example.com"); m == kate {
		t.Error("a Kelvin sign is a k")
	}
}

func TestNumbersInYAMLAreThoseOfJSON(t *testing.T) {
	s := embedded(t)
	for _, n := range []string{"0100", "0x10", "1_000", "0b1"} {
		s.refused(400, "invalid_request", "PUT", "/v1/program", "redemption: {minimum: "+n+"}", "Content-Type", "application/yaml")
	}
	s.program("redemption: {minimum: 100}\nearning: {rules: [{id: a, on: order, multiplier: \"2\", during: {dates: [2027-03-26]}}]}")
}
