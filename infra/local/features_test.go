package local_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/infra/local"
)

func embedded(t *testing.T) *shop { return open(t, local.Config{DataDir: t.TempDir()}) }

func TestPendingPointsRipenByTheClock(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.clock("2026-03-01T08:00:00Z")
		s.program("earning: {pending: P14D}")
		m := s.enrol("m")
		if a := s.earn(order("1", m, 10000)); a.num("points") != 100 || a.num("pending") != 100 {
			t.Errorf("%s", a.raw)
		}
		s.earn(order("2", m, 5000))
		s.points(m, 0, "pending", 150)
		s.refused(422, "insufficient_points", "POST", "/v1/holds", object{"member": m, "points": 1})
		s.earn(order("2", m, 5000, object{"version": 2, "refunded": 2000})) // from its own pending lot
		s.points(m, 0, "pending", 130, "debt", 0)
		s.clock("2026-03-15T08:00:00Z")
		s.points(m, 130, "pending", 0)
		s.must("POST", "/_local/schedules/activate/run", nil)
		s.must("POST", "/_local/schedules/activate/run", nil)
		s.ledger(m, "earn 100", "earn 50", "clawback -20", "activate 0")
		if n := s.events(); n["points.activated"] != 1 {
			t.Errorf("events: %v", n)
		}
	})
}

func TestPointsAreEarnedWhenFulfilled(t *testing.T) {
	s := embedded(t)
	s.program("earning: {when: fulfilled}")
	m := s.enrol("m")
	if a := s.earn(order("1", m, 10000)); a.str("status") != "applied" || a.num("points") != 0 {
		t.Errorf("paid: %s", a.raw)
	}
	s.program("earning: {when: fulfilled, rules: [{id: base, on: order, rate: {points: 5, amount: 100}}]}")
	if a := s.earn(order("1", m, 10000, object{"version": 2, "state": "fulfilled"})); a.num("points") != 100 {
		t.Errorf("fulfilled, by the version that it was first applied under: %s", a.raw)
	}
	s.ledger(m, "earn 100")
}

func TestUnpaidOrderWaitsAndCancelledOrderGivesBackAll(t *testing.T) {
	s := embedded(t)
	m := s.enrol("m")
	s.earn(order("1", m, 10000, object{"state": "placed"}))
	s.points(m, 0)
	s.earn(order("1", m, 10000, object{"version": 2}))
	s.points(m, 100)
	rdm := s.redeem(m, 100)
	s.earn(order("2", m, 10000, object{"redemption": rdm}))
	s.points(m, 95)
	s.earn(order("2", m, 10000, object{"version": 2, "redemption": rdm, "state": "cancelled"}))
	s.points(m, 100)
	s.earn(order("1", m, 10000, object{"version": 3, "state": "cancelled"}))
	s.ledger(m, "earn 100", "redeem -100", "earn 95", "restore 100", "clawback -95", "clawback -100")
}

func TestRedemptionPaysForOneOrderOfItsMember(t *testing.T) {
	s := embedded(t)
	m, other := s.enrol("m"), s.enrol("other")
	s.earn(order("1", m, 50000))
	rdm := s.redeem(m, 100)
	s.refused(422, "redemption_not_usable", "POST", "/v1/orders", order("2", other, 10000, object{"redemption": rdm}))
	s.earn(order("3", m, 10000, object{"redemption": rdm}))
	s.refused(422, "redemption_not_usable", "POST", "/v1/orders", order("4", m, 10000, object{"redemption": rdm}))
	s.refused(422, "redemption_not_usable", "POST", "/v1/orders", order("5", m, 10000, object{"redemption": "rdm_NONE"}))
	held := s.must("POST", "/v1/holds", object{"member": m, "points": 10}).str("id")
	s.refused(422, "redemption_not_usable", "POST", "/v1/orders", order("6", m, 10000, object{"redemption": strings.Replace(held, "hld_", "rdm_", 1)}))
	if a := s.standard(order("7", m, 10000, object{"redemption": rdm})); a.str("status") != "ignored" || a.str("reason") != "redemption_not_usable" {
		t.Errorf("a webhook: %s", a.raw)
	}
	s.must("POST", "/v1/redemptions/"+rdm+"/cancel", nil)
	s.must("POST", "/v1/redemptions/"+rdm+"/cancel", nil)
	s.earn(order("3", m, 10000, object{"version": 2, "redemption": rdm, "refunded": 10000})) // gives back nothing twice
	s.ledger(m, "earn 500", "redeem -100", "earn 95", "restore 100", "clawback -95")
}

func TestLimitsOfARedemption(t *testing.T) {
	s := embedded(t)
	s.program(`redemption: {minimum: 50, max_share_of_order: "0.5"}`)
	m := s.enrol("m")
	s.earn(order("1", m, 100000))
	if a := s.refused(422, "below_minimum", "POST", "/v1/holds", object{"member": m, "points": 49, "order_amount": 100000}); a.num("details.missing") != 1 {
		t.Errorf("%s", a.raw)
	}
	if a := s.refused(422, "above_share_of_order", "POST", "/v1/holds", object{"member": m, "points": 101, "order_amount": 1000}); a.num("details.most") != 500 {
		t.Errorf("%s", a.raw)
	}
	s.refused(400, "invalid_request", "POST", "/v1/holds", object{"member": m, "points": 100})
	if a := s.must("POST", "/v1/holds", object{"member": m, "points": 100, "order_amount": 1000}); a.num("value.amount") != 500 || a.str("value.currency") != "ILS" {
		t.Errorf("%s", a.raw)
	}
}

func TestOtherCurrencies(t *testing.T) {
	s := embedded(t)
	m := s.enrol("m")
	s.refused(422, "currency_not_accepted", "POST", "/v1/orders", order("1", m, 10000, object{"currency": "USD"}))
	if a := s.standard(order("1", m, 10000, object{"currency": "USD"})); a.str("status") != "ignored" || a.str("reason") != "currency_not_accepted" {
		t.Errorf("%s", a.raw)
	}
	s.program(`exchange: {USD: "3.70", JPY: "0.025"}`)
	if a := s.earn(order("1", m, 1000, object{"currency": "USD"})); a.num("points") != 37 {
		t.Errorf("10.00 USD at 3.70: %s", a.raw)
	}
	if a := s.earn(order("2", m, 4000, object{"currency": "JPY"})); a.num("points") != 100 {
		t.Errorf("4000 JPY at 0.025: %s", a.raw)
	}
	s.refused(422, "currency_settled", "PUT", "/v1/program", "currency: USD", "Content-Type", "application/yaml")
}

func TestWhoBought(t *testing.T) {
	s := embedded(t)
	buy := func(id, source string, customer object) answer {
		return s.earn(order(id, "", 10000, object{"source": source, "member": nil, "customer": customer}))
	}
	if a := s.earn(order("0", "", 10000, object{"member": nil})); a.str("status") != "ignored" || a.str("reason") != "no_customer" {
		t.Errorf("nobody: %s", a.raw)
	}
	noa := s.must("POST", "/v1/members", object{"name": "Noa", "email": "Noa@Example.com", "email_verified": true, "external_ids": object{"web": "1"}}).str("id")
	if m := buy("1", "web", object{"external_id": "1"}).str("member"); m != noa {
		t.Errorf("by external id: %s", m)
	}
	if m := buy("2", "till", object{"email": "noa@example.com"}).str("member"); m == noa {
		t.Error("an e-mail that is not verified by the shop matched")
	}
	if m := buy("3", "till", object{"email": "noa@example.com", "email_verified": true, "external_id": "t-9"}).str("member"); m != noa {
		t.Errorf("by an e-mail verified on both sides: %s", m)
	}
	if m := buy("4", "till", object{"external_id": "t-9"}).str("member"); m != noa {
		t.Errorf("the external id was not learned: %s", m)
	}
	if m := buy("5", "web", object{"email": "noa@example.com", "email_verified": true, "external_id": "2"}).str("member"); m != noa {
		t.Errorf("still the same person: %s", m)
	}
	if m := buy("6", "web", object{"external_id": "2"}).str("member"); m == noa {
		t.Error("a second external id of one source was attached")
	}
	s.refused(409, "member_exists", "POST", "/v1/members", object{"email": "NOA@example.com"})
	s.refused(409, "member_exists", "POST", "/v1/members", object{"external_ids": object{"till": "t-9"}})
	if a := s.must("GET", "/v1/members?email=noa@example.com", nil); len(a.at("data").([]any)) != 2 { // Noa and the guest of order 2
		t.Errorf("%s", a.raw)
	}
	if a := s.must("GET", "/v1/members?external_id=t-9", nil); a.str("data.0.id") != noa {
		t.Errorf("%s", a.raw)
	}
	if a := s.must("GET", "/v1/members?external_id=t-9&source=web", nil); len(a.at("data").([]any)) != 0 {
		t.Errorf("%s", a.raw)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		m := s.enrol("m")
		s.earn(order("1", m, 50000))
		hold := object{"member": m, "points": 100}
		answers := make([]answer, 8)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { answers[i] = s.do("POST", "/v1/holds", hold, "Idempotency-Key", "k1") })
		}
		wg.Wait()
		for _, a := range answers {
			if a.status != 201 || string(a.raw) != string(answers[0].raw) {
				t.Errorf("%d %s", a.status, a.raw)
			}
		}
		s.points(m, 400, "held", 100)
		s.refused(422, "idempotency_key_reused", "POST", "/v1/holds", object{"member": m, "points": 101}, "Idempotency-Key", "k1")
		s.refused(422, "idempotency_key_reused", "POST", "/v1/redemptions", hold, "Idempotency-Key", "k1")
		big := object{"member": m, "points": 9999}
		first := s.refused(422, "insufficient_points", "POST", "/v1/holds", big, "Idempotency-Key", "k2")
		s.earn(order("2", m, 5000000))
		if again := s.do("POST", "/v1/holds", big, "Idempotency-Key", "k2"); string(again.raw) != string(first.raw) || again.status != 422 {
			t.Errorf("the refusal again: %s", again.raw)
		}
		s.refused(400, "invalid_request", "POST", "/v1/holds", hold, "Idempotency-Key", strings.Repeat("x", 256))
		adjust := func() answer {
			return s.must("POST", "/v1/members/"+m+"/adjustments", object{"points": 5, "reason": "sorry"}, "Idempotency-Key", "k3")
		}
		if a, b := adjust(), adjust(); a.str("id") != b.str("id") || b.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%s\n%s", a.raw, b.raw)
		}
	})
}

func TestWhoMayDoWhat(t *testing.T) {
	s := embedded(t)
	m, other := s.enrol("m"), s.enrol("other")
	s.refused(401, "unauthorized", "GET", "/v1/members/"+m, nil, "Authorization", "")
	s.refused(401, "unauthorized", "GET", "/v1/members/"+m, nil, "Authorization", "Bearer sk_wrong")
	s.refused(401, "unauthorized", "GET", "/v1/members/"+m, nil, "Authorization", "Bearer a.b.c")
	token := "Bearer " + s.must("POST", "/v1/members/"+m+"/tokens", nil).str("token")
	if a := s.must("GET", "/v1/members/"+m, nil, "Authorization", token); a.str("id") != m {
		t.Errorf("%s", a.raw)
	}
	s.must("GET", "/v1/members/"+m+"/ledger", nil, "Authorization", token)
	s.refused(404, "not_found", "GET", "/v1/members/"+other, nil, "Authorization", token)
	s.refused(403, "forbidden", "PATCH", "/v1/members/"+m, object{"name": "x"}, "Authorization", token)
	s.refused(403, "forbidden", "POST", "/v1/members/"+m+"/adjustments", object{"points": 5, "reason": "x"}, "Authorization", token)
	s.clock("2099-01-01T00:00:00Z")
	s.refused(401, "unauthorized", "GET", "/v1/members/"+m, nil, "Authorization", token)
}

func TestListsArePagedNewestFirst(t *testing.T) {
	s := embedded(t)
	m := s.enrol("m")
	for i := range 45 {
		s.earn(order(fmt.Sprint(i), m, 1000))
	}
	var seqs []int64
	for cursor := ""; ; {
		a := s.must("GET", "/v1/members/"+m+"/ledger?limit=10&cursor="+cursor, nil)
		for i := range a.at("data").([]any) {
			seqs = append(seqs, a.num(fmt.Sprintf("data.%d.seq", i)))
		}
		if cursor = a.str("next_cursor"); cursor == "" {
			break
		}
	}
	if len(seqs) != 45 || seqs[0] != 45 || seqs[44] != 1 {
		t.Errorf("%v", seqs)
	}
	if a := s.must("GET", "/v1/members/"+m+"/orders?limit=3", nil); a.str("data.0.id") != "44" || a.at("has_more") != true {
		t.Errorf("%s", a.raw)
	}
	s.refused(400, "invalid_request", "GET", "/v1/members/"+m+"/ledger?limit=201", nil)
	s.refused(400, "invalid_request", "GET", "/v1/members/"+m+"/ledger?cursor=x", nil)
	s.holds(m)
}

func TestEvaluateWritesNothing(t *testing.T) {
	s := embedded(t)
	m := s.enrol("m")
	if a := s.must("POST", "/v1/orders/evaluate", order("1", m, 12345, object{"state": "placed"})); a.num("points") != 123 || a.str("rules.0") != "base" {
		t.Errorf("%s", a.raw)
	}
	s.refused(404, "not_found", "GET", "/v1/orders/till/1", nil)
	s.points(m, 0)
}

func TestPersonalDataIsErased(t *testing.T) {
	s := embedded(t)
	noa := s.must("POST", "/v1/members", object{"name": "Noa", "email": "noa@example.com", "external_ids": object{"shopify": "207119551"}}).str("id")
	s.earn(order("1", noa, 10000))
	if a := s.must("POST", "/v1/privacy/exports", object{"member": noa}); a.str("member.email") != "noa@example.com" || a.num("ledger.0.points") != 100 {
		t.Errorf("%s", a.raw)
	}
	body := `{"shop_id": 954889, "shop_domain": "noa.myshopify.com", "customer": {"id": 207119551, "email": "noa@example.com"}, "orders_to_redact": []}`
	for _, want := range []string{"applied"} {
		if a := s.shopify("customers/redact", body); a.str("status") != want {
			t.Errorf("%s", a.raw)
		}
	}
	m := s.member(noa)
	if m.str("name") != "" || m.str("email") != "" || len(m.at("external_ids").(object)) != 0 || m.num("points.available") != 100 {
		t.Errorf("%s", m.raw)
	}
	if a := s.must("GET", "/v1/members?email=noa@example.com", nil); len(a.at("data").([]any)) != 0 {
		t.Errorf("%s", a.raw)
	}
	s.holds(noa)
	if n := s.events()["privacy.requested"]; n != 1 {
		t.Errorf("%d events privacy.requested", n)
	}
}

// Of friends and of who sent them nothing is left but ids: no registration
// under what they were known by, no code that leads anywhere.
func TestFriendsAreErased(t *testing.T) {
	s := embedded(t)
	s.program(`{referral: {advocate: [{rank: 1, points: 100}]}, shop: {url: "https://shop.example/"}}`)
	noa := s.must("POST", "/v1/members", object{"name": "Noa Unmistakable", "email": "unmistakable@example.com"}).str("id")
	code := s.must("POST", "/v1/members/"+noa+"/referral-code", nil).str("code")
	register := func(c object) string {
		return s.must("POST", "/v1/referrals", object{"code": code, "customer": c, "source": "shopify", "signals": object{"ip": "203.0.113.77", "device": "unmistakable"}}).str("id")
	}
	friend := object{"external_id": "unmistakable-77", "email": "unmistakable.friend@example.com", "phone": "+972501234567", "name": "Dana Unmistakable"}
	id := register(friend)
	register(object{"external_id": "9", "email": "unmistakable.stranger@example.com"}) // never buys
	dana := s.earn(order("1", "", 10000, object{"source": "shop", "member": nil, "customer": friend, "signals": object{"device": "unmistakable"}})).str("member")
	stored := func(text string) bool {
		t.Helper()
		yes, err := s.host.Holds(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if s.events()["referral.pending"] != 1 || !stored("#FRIEND#") || !stored("nmistakable") {
		t.Fatal("nothing is there to be erased")
	}
	s.must("POST", "/v1/privacy/erasures", object{"member": dana})
	s.must("POST", "/v1/privacy/erasures", object{"member": noa})
	if !stored("#FRIEND#") {
		t.Error("the stranger's registration is gone with the friend's")
	}
	s.shopify("customers/redact", `{"shop_id": 1, "shop_domain": "x", "customer": {"id": 9, "email": "unmistakable.stranger@example.com"}, "orders_to_redact": []}`)
	for _, text := range []string{"nmistakable", "#FRIEND#", "CODE#"} {
		if stored(text) {
			t.Errorf("%q is still in the table", text)
		}
	}
	s.refused(404, "not_found", "GET", "/r/"+code, nil)
	s.refused(404, "not_found", "GET", "/r/"+code+"/qr.svg", nil)
	s.refused(422, "unknown_code", "POST", "/v1/referrals", object{"code": code, "customer": object{"email": "a@example.com"}})
	if a := s.must("GET", "/v1/referrals/"+id, nil); a.str("status") != "pending" || a.str("advocate") != noa || a.str("friend") != dana {
		t.Errorf("%s", a.raw)
	}
	s.clock(s.host.Clock.Now().AddDate(0, 0, 20).Format(time.RFC3339))
	s.must("POST", "/_local/schedules/referrals/run", nil)
	s.points(noa, 100)
	s.holds(noa)
	s.holds(dana)
}
