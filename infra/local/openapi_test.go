package local_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"regulars/events/inbound"
	"regulars/infra/local"
	"regulars/infra/topology"
	"regulars/shared/program/slip"
	"regulars/shared/web"
)

// contract stands before a host and holds every request that was taken, and
// every answer, against the description that the host itself serves.
type contract struct {
	t        *testing.T
	host     http.Handler
	mux      *http.ServeMux // finds the route of a request
	doc      object
	compiler *jsonschema.Compiler
	seen     map[string]bool // "POST /v1/holds 201"
}

func newContract(t *testing.T, host http.Handler) *contract {
	t.Helper()
	rec := httptest.NewRecorder()
	host.ServeHTTP(rec, httptest.NewRequest("GET", "/openapi.json", nil))
	doc, err := jsonschema.UnmarshalJSON(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	c := &contract{t: t, host: host, mux: http.NewServeMux(), doc: doc.(object), compiler: jsonschema.NewCompiler(), seen: map[string]bool{}}
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range topology.Routes {
		c.mux.Handle(r.Method+" "+r.Path, http.NotFoundHandler())
	}
	return c
}

// ServeHTTP passes a request on and looks at both sides.
func (c *contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, route := c.mux.Handler(r)
	rec := httptest.NewRecorder()
	c.host.ServeHTTP(rec, r)
	if route != "" {
		c.check(route, r, body, rec)
	}
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

func (c *contract) check(route string, r *http.Request, body []byte, rec *httptest.ResponseRecorder) {
	method, path, _ := strings.Cut(route, " ")
	op := c.doc["paths"].(object)[path].(object)[strings.ToLower(method)].(object)
	at := "#/paths/" + escape(path) + "/" + strings.ToLower(method)
	status := fmt.Sprint(rec.Code)
	c.seen[route+" "+status] = true

	response, ok := op["responses"].(object)[status].(object)
	if !ok {
		c.t.Errorf("%s answered %s, which is not described: %s", route, status, rec.Body)
		return
	}
	where := at + "/responses/" + status
	if ref, ok := response["$ref"].(string); ok {
		where = ref
	}
	kind, _, _ := strings.Cut(rec.Header().Get("Content-Type"), ";")
	if strings.HasSuffix(kind, "json") {
		c.valid(route+" answered "+status, where+"/content/"+escape(kind)+"/schema", rec.Body.Bytes())
	} else if response["content"].(object)[kind] == nil {
		c.t.Errorf("%s answered with %s, which is not described", route, kind)
	}

	if rec.Code/100 == 2 && r.Method != "GET" && len(body) > 0 && !strings.Contains(r.Header.Get("Content-Type"), "yaml") {
		if op["requestBody"] == nil {
			c.t.Errorf("%s took a body that is not described", route)
			return
		}
		c.valid(route+" took", at+"/requestBody/content/"+escape("application/json")+"/schema", body)
	}
}

func (c *contract) valid(what, schema string, raw []byte) {
	s, err := c.compiler.Compile("openapi.json" + schema)
	if err != nil {
		c.t.Errorf("%s: %v", what, err)
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if strings.Contains(schema, "/requestBody/") { // there null is as good as an absent key
		v = withoutNulls(v)
	}
	if err == nil {
		err = s.Validate(v)
	}
	if err != nil {
		c.t.Errorf("%s %s\n%v", what, raw, err)
	}
}

func withoutNulls(v any) any {
	switch x := v.(type) {
	case object:
		for k, inner := range x {
			if x[k] = withoutNulls(inner); inner == nil {
				delete(x, k)
			}
		}
	case []any:
		for i, inner := range x {
			x[i] = withoutNulls(inner)
		}
	}
	return v
}

// escape makes a part of a JSON pointer in a URL fragment.
func escape(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D", "+", "%2B").Replace(s)
}

// described opens a host behind its own contract.
func described(t *testing.T) (*shop, *contract) {
	t.Helper()
	s := open(t, local.Config{DataDir: t.TempDir()})
	c := newContract(t, s.host)
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s, c
}

// tour does once whatever the API can do. It answers a member with a ledger.
func tour(s *shop) string {
	s.t.Helper()
	s.clock("2026-03-15T08:00:00Z")
	s.must("GET", "/healthz", nil, "Authorization", "")
	s.must("GET", "/openapi.json", nil, "Authorization", "")
	s.program(`{earning: {pending: P2D}, exchange: {USD: "3.7"}, shop: {url: "https://shop.example/"}}`)
	s.must("PUT", "/v1/program", object{"earning": object{"rules": []object{
		{"id": "base", "on": "order", "rate": object{"points": 1, "amount": 100}},
		{"id": "double", "on": "order", "multiplier": "2", "during": object{"dates": []string{"2027-03-26"}}},
	}}, "expiry": "none"})
	s.must("PUT", "/v1/program", slip.Rich)
	s.must("GET", "/v1/program", nil)
	s.must("PUT", "/v1/program", "{}")
	program := s.must("GET", "/v1/program", nil)
	delete(program.body, "version")
	s.must("PUT", "/v1/program", program.body) // what is read can be sent back
	s.must("GET", "/v1/program/versions?limit=2", nil)
	s.must("GET", "/v1/program/terms?language=he", nil)

	m := s.must("POST", "/v1/members", object{
		"name": "נועה", "email": "noa@example.com", "email_verified": true, "phone": "+972501234567", "phone_verified": true, "language": "he",
		"external_ids": object{"till": "77"}, "birth_date": object{"calendar": "hebrew", "date": "5750-06-03"}, "consents": object{"email": true},
	}).str("id")
	s.must("PATCH", "/v1/members/"+m, object{"name": "Noa"}, "If-Match", "1")
	s.must("GET", "/v1/members?email=noa@example.com", nil)

	full := order("1", m, 20000, object{
		"store": "tlv-1", "region": "north", "channel": "online", "placed_at": "2026-03-14T08:00:00Z", "paid_at": "2026-03-14T08:00:00Z",
		"lines":     []object{{"id": "1", "sku": "A", "title": "Latte", "category": "coffee", "quantity": 2, "unit_price": 10000, "amount": 20000, "gift_card": false, "refunded_amount": 0, "refunded_quantity": 0}},
		"discounts": []object{{"code": "TEN", "amount": 1000, "lines": []string{"1"}}}, "shipping": 100, "tax": 100, "tip": 100, "referral_code": "ANNA7",
		"signals": object{"ip": "203.0.113.5", "device": "d1", "payment": "p1", "address": object{"line": "Dizengoff 1", "city": "Tel Aviv", "postcode": "6433222", "country": "IL"}},
	})
	s.must("POST", "/v1/orders/evaluate", full)
	s.must("POST", "/v1/orders/evaluate", order("none", "", 100, object{"member": nil, "lines": []object{}}))
	s.earn(full)
	s.must("GET", "/v1/orders/till/1", nil)
	if a := s.earn(order("2", "", 5000, object{"member": nil, "state": "fulfilled", "version": "2026-03-15T08:00:00Z", "fulfilled_at": "2026-03-15T08:00:00Z", "customer": object{"external_id": "77"}})); a.str("member") != m {
		s.t.Errorf("the customer is %s, want %s", a.str("member"), m)
	}
	s.must("GET", "/v1/orders/till/2", nil)
	s.earn(order("3", "", 5000, object{"member": nil})) // of nobody: ignored

	held := s.must("POST", "/v1/holds", object{"member": m, "points": 50, "order_amount": 10000}).str("id")
	s.must("GET", "/v1/holds/"+held, nil)
	s.must("GET", "/v1/members/"+m, nil)
	paid := s.must("POST", "/v1/holds/"+held+"/capture", object{"order": object{"source": "till", "id": "4"}}).str("redemption")
	s.earn(order("4", m, 10000, object{"redemption": paid}))
	s.earn(order("4", m, 10000, object{"redemption": paid, "version": 2, "refunded": 5000}))
	s.must("GET", "/v1/orders/till/4", nil)
	s.must("POST", "/v1/redemptions/"+paid+"/cancel", nil)
	s.must("GET", "/v1/redemptions/"+paid, nil)
	freed := s.must("POST", "/v1/holds", object{"member": m, "points": 1}).str("id")
	s.must("POST", "/v1/holds/"+freed+"/release", object{})
	s.must("POST", "/v1/redemptions", object{"member": m, "points": 5, "order": object{"source": "till", "id": "5"}}, "Idempotency-Key", "once")
	s.must("POST", "/v1/redemptions", object{"member": m, "points": 5, "order": object{"source": "till", "id": "5"}}, "Idempotency-Key", "once")
	s.must("POST", "/v1/members/"+m+"/adjustments", object{"points": 5, "reason": "thanks"})

	// Points that die, a hold that ends, a debt, a write-off.
	s.program("{expiry: {after: P10D, to_end_of: none}, earning: {pending: P1D}}")
	late := s.enrol("late")
	s.earn(order("late", late, 10000))
	s.clock("2026-03-16T09:00:00Z")
	s.must("POST", "/v1/holds", object{"member": late, "points": 10})
	s.clock("2026-03-28T09:00:00Z")
	s.must("POST", "/_local/schedules/activate/run", nil)
	s.must("GET", "/v1/members/"+late+"/ledger", nil)
	s.program("{clawback: clamp}")
	owing := s.enrol("owing")
	s.earn(order("owing", owing, 10000))
	s.redeem(owing, 100)
	s.earn(order("owing", owing, 10000, object{"version": 2, "state": "cancelled"}))

	guest := s.earn(order("guest", "", 5000, object{"member": nil, "customer": object{"email": "g@example.com", "email_verified": false, "phone": "+97250", "phone_verified": false, "name": "G"}})).str("member")
	s.must("POST", "/v1/members/"+guest+"/merge", object{"into": m})
	s.must("GET", "/v1/members/"+m, nil)
	s.must("GET", "/v1/members/"+m+"/ledger?limit=3", nil)
	s.must("GET", "/v1/members/"+m+"/ledger/verification", nil)
	for _, e := range s.entries(m) {
		s.must("GET", "/v1/members/"+m+"/ledger/"+e["id"].(string)+"/explanation", nil)
	}
	s.must("GET", "/v1/members/"+m+"/orders", nil)
	token := s.must("POST", "/v1/members/"+m+"/tokens", nil).str("token")
	s.must("GET", "/v1/members/"+m, nil, "Authorization", "Bearer "+token)
	s.must("DELETE", "/v1/members/"+m+"/tokens", nil)
	asked := s.must("POST", "/v1/simulations", object{
		"program": object{"tiers": object{"levels": []object{{"id": "silver", "from": 50}}}, "rewards": []object{{"id": "coffee"}}, "achievements": []object{{"id": "two", "count": "orders", "reach": 2, "reward": "coffee"}}},
		"members": []string{m}, "until": "2026-03-27T08:00:00Z", "expected_redemption": "0.5", "reach_months": 1,
	}).str("id")
	s.simulated(asked)
	s.must("POST", "/v1/privacy/exports", object{"member": m})
	s.must("POST", "/v1/privacy/erasures", object{"member": owing})
	s.must("GET", "/v1/members/"+owing, nil)

	for _, f := range []object{{"kind": "balances", "format": "csv", "source": "till"}, {"kind": "orders", "format": "csv", "source": "till"}, {"kind": "orders", "format": "ndjson"}} {
		s.imported(f, "external_id,points\n77,100\nnobody,5\n77,x\n")
	}

	for _, k := range kinds {
		body, err := inbound.Files.ReadFile(k[0] + ".json")
		if err != nil {
			s.t.Fatal(err)
		}
		if len(k) == 1 && k[0] != "square" { // which signs the address
			s.must("POST", "/v1/webhooks/"+k[0], body, signed(k[0], body)...)
		}
	}
	s.shopify("refunds/create", `{"id": 900, "order_id": 555, "created_at": "2026-03-15T10:00:00+02:00", "refund_line_items": [{"id": 1, "line_item_id": 11, "quantity": 1, "subtotal": "12.00"}],
		"transactions": [{"kind": "refund", "status": "success", "amount": "12.00", "currency": "ILS"}]}`)
	s.do("GET", "/v1/orders/shopify/555", nil)
	s.shopify("customers/data_request", `{"shop_id": 1, "shop_domain": "x", "customer": {"id": 207119551, "email": "noa@example.co.il"}, "orders_requested": [], "data_request": {"id": 9}}`)
	tourOfRules(s)
	tourOfCoalition(s)
	tourOfReferrals(s)
	return m
}

// tourOfCoalition does once what cards, partners and leaderboards can do.
func tourOfCoalition(s *shop) {
	s.t.Helper()
	s.clock("2027-05-10T08:00:00Z")
	s.program(`
cards: {benefits: {discount_percent: 5, gift: mug}}
tiers: {levels: [{id: silver, from: 1, benefits: {free_delivery: true}}]}
partners: [{id: air, name: {en: Air}, sources: [airline], settle: {points: 100, amount: 450}, exchange: {points: 100, units: 75, unit: miles, minimum: 100}}, {id: rail, sources: [railway], settle: {points: 100, amount: 0}}]
leaderboards: [{id: monthly, per: P1M, count: amount, where: {minimum_amount: 1}, when: order.amount > 0, prizes: [{from: 1, to: 1, points: 500}]}]
goal: {kpi: repeat_rate, target: "0.4", reason: {en: Miles}}
`)
	shown := func(id string, more ...object) object {
		return order(id, "", 100000, append([]object{{"source": "airline", "member": nil, "customer": object{"card": "4711"}}}, more...)...)
	}
	s.must("GET", "/v1/cards/4711", nil) // nobody's
	s.must("POST", "/v1/orders/evaluate", shown("c1"))
	s.must("GET", "/v1/leaderboards/monthly", nil) // empty
	guest := s.earn(shown("c1")).str("member")
	s.must("GET", "/v1/members/"+guest, nil)
	s.must("GET", "/v1/cards/4711", nil) // a guest's
	m := s.enrol("with a card")
	s.must("POST", "/v1/members/"+m+"/cards", object{"number": "4711"}, "Idempotency-Key", "bound")
	s.must("POST", "/v1/members/"+m+"/cards", object{"number": "4711"}, "Idempotency-Key", "bound")
	s.must("POST", "/v1/members/"+s.enrol("with a new card")+"/cards", object{"number": "4712"})
	s.must("GET", "/v1/cards/4711", nil) // a member's
	paid := s.redeem(m, 100)
	s.earn(shown("c2", object{"redemption": paid}))
	s.earn(shown("c2", object{"redemption": paid, "version": 2, "refunded": 50000}))
	s.must("POST", "/v1/partners/air/exchanges", object{"member": m, "points": 333})
	s.must("GET", "/v1/members/"+m+"/ledger", nil)
	s.must("GET", "/v1/partners/air/statements/2027-05", nil)
	s.must("GET", "/v1/partners/rail/statements/2027-04", nil) // empty
	s.must("GET", "/v1/leaderboards/monthly?limit=1", nil)
	s.must("POST", "/v1/privacy/exports", object{"member": m})

	other := s.enrol("with another card")
	s.must("POST", "/v1/members/"+other+"/cards", object{"number": "4713"})
	s.refused(409, "member_exists", "POST", "/v1/members/"+other+"/cards", object{"number": "4711"})
	s.refused(400, "invalid_request", "POST", "/v1/members/"+other+"/cards", object{"number": "47/11"})
	s.refused(404, "not_found", "GET", "/v1/cards/%23", nil)
	s.refused(422, "below_minimum", "POST", "/v1/partners/air/exchanges", object{"member": m, "points": 99})
	s.refused(422, "insufficient_points", "POST", "/v1/partners/air/exchanges", object{"member": other, "points": 100})
	s.refused(422, "no_exchange", "POST", "/v1/partners/rail/exchanges", object{"member": m, "points": 100})
	s.refused(404, "not_found", "POST", "/v1/partners/sea/exchanges", object{"member": m, "points": 100})
	s.refused(404, "not_found", "GET", "/v1/partners/sea/statements/2027-05", nil)
	s.refused(404, "not_found", "GET", "/v1/partners/air/statements/2027-13", nil)
	s.refused(404, "not_found", "GET", "/v1/leaderboards/yearly", nil)
	s.refused(400, "invalid_request", "GET", "/v1/leaderboards/monthly?at=now", nil)

	s.clock("2027-06-02T08:00:00Z")
	s.must("POST", "/_local/schedules/expire/run", nil)
	s.must("GET", "/v1/leaderboards/monthly?at=2027-05-10T08:00:00Z", nil) // closed
	s.must("GET", "/v1/members/"+m+"/ledger", nil)
}

// tourOfRules does once what comes of the rules beside points: activities,
// tiers, plans, wallets, payouts, vouchers and choices. It answers a member
// who has something of all of it.
func tourOfRules(s *shop) string {
	s.t.Helper()
	s.clock("2026-04-10T08:00:00Z")
	s.program(`
wallets:
  - {id: cashback, kind: cashback, expiry: {after: P2Y}, minimum_payout: 100}
  - {id: bonus, kind: bonus}
rewards: [{id: free-coffee, lasts: P60D}]
earning:
  rules:
    - {id: base, on: order, rate: {points: 1, amount: 100}}
    - {id: back, on: order, rate: {points: 5, amount: 100}, wallet: cashback}
    - {id: big, on: order, points: 50, where: {minimum_amount: 500000}}
    - {id: many, on: order, points: 5, where: {minimum_quantity: 100}}
    - {id: espresso, on: order, multiplier: "2", where: {attributes: {coffee: [espresso]}}, budget: 100}
    - {id: card, on: order, punch_card: {size: 1, reward: free-coffee}}
    - {id: own-cup, on: activity, activity: own_cup, points: 10, limit: {times: 1, per: P1D}}
    - {id: top-up, on: activity, activity: top_up, rate: {points: 11, amount: 10}, wallet: bonus}
achievements: [{id: explorer, count: orders, reach: 1, badge: true}, {id: drinker, count: activities, activity: own_cup, streak: P1W, reach: 2, points: 20}]
plans: [{id: plus, activity: joined, lasts: P2Y, benefits: {early_access: true, return_days: 90}}]
tiers:
  window: P6M
  levels:
    - {id: silver, from: 100, multiplier: "1.5", benefits: {free_delivery: true, return_days: 60, gift: mug}}
    - {id: gold, from: 1000}
automatic_rewards:
  - id: quarterly
    every: P3M
    choose_within: P3M
    brackets: [{from: 1, choices: [{id: some, points: 5}, {id: more, wallet: bonus, points: 7}, {id: coffee, reward: free-coffee}]}]
`)
	m := s.must("POST", "/v1/members", object{"name": "Dana", "attributes": object{"coffee": "filter"}}).str("id")
	s.must("PATCH", "/v1/members/"+m, object{"attributes": object{"coffee": "espresso", "milk": "none"}})
	act := func(kind, key string) {
		s.must("POST", "/v1/activities", object{"type": kind, "key": key, "member": m})
	}
	s.must("POST", "/v1/orders/evaluate?at=2026-04-11T08:00:00Z", order("r1", m, 60000))
	s.must("POST", "/v1/orders/evaluate", order("r1", "", 60000, object{"member": nil}))
	s.earn(order("r1", m, 60000))
	s.must("GET", "/v1/orders/till/r1", nil)
	act("joined", "plus-1")
	act("own_cup", "1")
	act("own_cup", "1") // told again
	act("own_cup", "2") // more than the limit
	act("unheard-of", "1")
	s.must("POST", "/v1/activities", object{"type": "top_up", "key": "1", "member": m, "at": "2026-04-10T07:00:00Z", "data": object{"amount": 10000, "store": "tlv-1", "till": "3", "first": true}})

	for _, decision := range []string{"approve", "reject"} {
		id := s.must("POST", "/v1/payouts", object{"member": m, "wallet": "cashback", "amount": 100}).str("id")
		s.must("GET", "/v1/payouts/"+id, nil)
		s.must("POST", "/v1/payouts/"+id+"/"+decision, object{})
		s.must("GET", "/v1/payouts/"+id, nil)
	}
	s.must("POST", "/v1/payouts", object{"member": m, "wallet": "cashback", "amount": 100})

	code := s.must("GET", "/v1/members/"+m+"/vouchers", nil).str("data.0.code")
	s.must("POST", "/v1/vouchers/validate", object{"code": code, "member": m})
	s.must("POST", "/v1/vouchers/redeem", object{"code": code, "member": m, "order": object{"source": "till", "id": "r2"}})
	s.must("POST", "/v1/vouchers/"+code+"/release", nil)
	s.must("POST", "/v1/vouchers/"+code+"/release", object{})
	gift := object{"discounts": []object{{"code": code, "amount": 60000, "lines": []string{"1"}}}}
	s.must("POST", "/v1/orders/evaluate", order("r2", m, 60000, gift))
	s.earn(order("r2", m, 60000, gift))
	s.must("POST", "/v1/orders/evaluate", order("r3", m, 60000))
	s.earn(order("r3", m, 60000))
	s.earn(order("r3", m, 60000, object{"version": 2, "state": "cancelled"}))

	held := s.must("POST", "/v1/holds", object{"member": m, "points": 200, "wallet": "cashback", "order_amount": 10000}).str("id")
	s.must("GET", "/v1/holds/"+held, nil)
	s.must("GET", "/v1/members/"+m, nil)
	paid := s.must("POST", "/v1/holds/"+held+"/capture", nil).str("redemption")
	s.earn(order("r4", m, 10000, object{"redemption": paid}))
	s.earn(order("r4", m, 10000, object{"redemption": paid, "version": 2, "refunded": 5000}))
	s.must("GET", "/v1/redemptions/"+paid, nil)
	s.must("POST", "/v1/redemptions", object{"member": m, "points": 1, "wallet": "bonus"})
	s.must("GET", "/v1/members/"+m+"/ledger?wallet=cashback", nil)
	s.must("GET", "/v1/members/"+m+"/ledger/verification?wallet=bonus", nil)
	s.must("GET", "/v1/members/"+m+"/entitlements", nil)
	s.must("GET", "/v1/members/"+m+"/entitlements?id=gift", nil)

	s.clock("2026-07-05T08:00:00Z")
	s.must("POST", "/_local/schedules/tiers/run", nil)
	s.must("GET", "/v1/members/"+m, nil) // has a choice
	s.must("POST", "/v1/members/"+m+"/choices", object{"id": "quarterly", "choice": "coffee"})
	for _, choice := range []string{"some", "more"} {
		other := s.enrol("who chooses " + choice)
		s.earn(order("of who chooses "+choice, other, 10000, object{"paid_at": "2026-06-01T08:00:00Z"}))
		s.must("POST", "/v1/members/"+other+"/choices", object{"id": "quarterly", "choice": choice})
	}
	s.clock("2027-03-15T08:00:00Z")
	s.must("POST", "/_local/schedules/tiers/run", nil)
	s.clock("2027-04-12T08:00:00Z")
	s.must("POST", "/_local/schedules/tiers/run", nil)
	s.must("GET", "/v1/members/"+m, nil)
	return m
}

// tourOfReferrals does once what members and their friends can do.
func tourOfReferrals(s *shop) {
	s.t.Helper()
	s.clock("2027-07-01T08:00:00Z")
	s.refused(422, "offer.parity_violation", "PUT", "/v1/program", object{"referral": object{"friend": object{"points": 50}}})
	s.must("PUT", "/v1/program", object{"referral": object{"friend": object{"points": 50}}, "acknowledge": []string{"offer.parity_violation"}})
	s.must("GET", "/v1/program", nil)
	s.program(`
shop: {url: "https://shop.example/start"}
rewards: [{id: free-coffee}]
referral:
  advocate: [{rank: 1, points: 100, reward: free-coffee}, {rank: 3, points: 150}]
  friend: {points: 50}
  minimum: 3000
  limit: {points: 120, per: P1M}
  budget: 100000
  invite: {orders: 1}
`)
	s.must("GET", "/v1/program", nil)
	m := s.must("POST", "/v1/members", object{"name": "Advocate", "email": "advocate@example.com"}).str("id")
	code := s.must("POST", "/v1/members/"+m+"/referral-code", nil).str("code")
	s.must("POST", "/v1/members/"+m+"/referral-code", object{"code": "DANA7"}, "Idempotency-Key", "chosen")
	s.must("POST", "/v1/members/"+m+"/referral-code", object{"code": "DANA7"}, "Idempotency-Key", "chosen")
	for _, path := range []string{"/r/" + code + "?utm_source=mail", "/r/dana7/qr.svg"} {
		s.do("GET", path, nil, "Authorization", "")
	}
	friend := func(name string, more object) string {
		body := object{"code": code, "customer": object{"external_id": name, "email": name + "@example.com"}}
		for k, v := range more {
			body[k] = v
		}
		return s.must("POST", "/v1/referrals", body).str("id")
	}
	buys := func(name string, more ...object) {
		s.earn(order("of-"+name, "", 5000, append([]object{{"member": nil, "customer": object{"external_id": name, "email": name + "@example.com"}}}, more...)...))
	}
	one := friend("one", object{"source": "till", "clicked_at": "2027-07-01T07:00:00Z", "staff": "Rivka", "signals": object{"ip": "203.0.113.9", "device": "d2"}})
	two := friend("two", nil)
	friend("nobody yet", nil)
	friend("advocate", nil) // themselves
	thrown := []string{friend("three", object{"customer": object{"email": "x@mailinator.com"}}), friend("four", object{"customer": object{"email": "y@mailinator.com"}})}
	s.earn(order("own", m, 5000))
	s.must("POST", "/v1/activities", object{"type": "feedback", "key": "1", "member": m, "data": object{"score": 9}})
	buys("one")
	buys("two")
	buys("by code", object{"referral_code": code})
	s.must("GET", "/_local/events", nil) // waits for the stream
	s.must("GET", "/v1/referrals/"+one, nil)
	s.must("POST", "/v1/referrals/"+thrown[0]+"/approve", nil, "Idempotency-Key", "approved")
	s.must("POST", "/v1/referrals/"+thrown[0]+"/approve", nil, "Idempotency-Key", "approved")
	s.must("POST", "/v1/referrals/"+thrown[1]+"/reject?language=he", object{})
	s.clock("2027-07-20T08:00:00Z")
	s.must("POST", "/_local/schedules/referrals/run", nil)
	buys("two", object{"version": 2, "state": "cancelled"})
	s.must("GET", "/v1/referrals/"+two, nil)
	s.must("GET", "/v1/members/"+m+"/referrals?limit=2", nil)
	s.must("GET", "/v1/members/"+m+"/referrals?language=fa", nil)
	s.must("GET", "/v1/members/"+m+"/referrals", nil, "Authorization", "Bearer "+s.must("POST", "/v1/members/"+m+"/tokens", nil).str("token"))
	for _, e := range s.entries(m) {
		s.must("GET", "/v1/members/"+m+"/ledger/"+e["id"].(string)+"/explanation", nil)
	}

	s.refused(422, "unknown_code", "POST", "/v1/referrals", object{"code": "NOBODYS7", "customer": object{"email": "z@example.com"}})
	s.refused(409, "not_under_review", "POST", "/v1/referrals/"+one+"/approve", nil)
	s.refused(409, "code_taken", "POST", "/v1/members/"+s.enrol("another")+"/referral-code", object{"code": "DANA7"})
	s.refused(400, "invalid_request", "POST", "/v1/members/"+m+"/referral-code", object{"code": "ADMIN"})
	s.refused(404, "not_found", "GET", "/v1/referrals/rfl_202707X", nil)
	s.refused(404, "not_found", "GET", "/r/nobodys", nil, "Authorization", "")
	s.program(`{}`)
	s.refused(422, "no_referrals", "POST", "/v1/referrals", object{"code": code, "customer": object{"email": "z@example.com"}})
}

// tourOfReports does once what is told of all members together: segments, and
// reports in every format, before a segment run and after it.
func tourOfReports(s *shop, m string) {
	s.t.Helper()
	list := listed(s.must("GET", "/v1/reports", nil), "data")
	s.refused(409, "no_refresh_yet", "GET", "/v1/reports/deciles", nil)
	s.must("GET", "/v1/segments/top_20", nil) // nobody has looked yet
	s.program(`{rollout: {percent: 50}, goal: {kpi: share_of_revenue, target: "0.4", reason: {en: "Your tenth coffee is free"}}}`)
	some := object{"statistics": object{"spent": object{"from": 1}, "points": object{"to": 1_000_000}}, "not": object{"rfm": []string{"lost"}}, "any": []object{{"segments": []string{"new", "former"}}, {"attributes": object{"coffee": []string{"espresso"}}}}}
	for id, body := range map[string]object{"vip": {"name": "Very important", "list": []string{m}}, "some": {"where": some}} {
		s.must("POST", "/v1/segments/preview", body)
		s.must("PUT", "/v1/segments/"+id, body)
		s.must("GET", "/v1/segments/"+id, nil)
	}
	run := s.must("POST", "/v1/segment-runs", nil).str("id")
	s.refreshed(run)
	s.refreshed(s.must("POST", "/v1/segment-runs", object{}).str("id")) // members go from group to group
	s.must("GET", "/v1/segment-runs?limit=1", nil)
	s.must("GET", "/v1/segments", nil)
	if got := s.must("GET", "/v1/segments/vip/members?limit=1", nil); got.str("data.0.id") != m {
		s.t.Errorf("in the segment: %s", got.raw)
	}
	for _, r := range list {
		for _, format := range []string{"json", "csv", "svg"} {
			s.must("GET", "/v1/reports/"+r.(object)["name"].(string)+"?format="+format, nil)
		}
	}
	s.must("GET", "/v1/reports/referrals?from=2027-06&until=2027-07", nil)
	s.must("GET", "/v1/reports/roi?from=2026-03&until=2027-07-31&margin=0.4&expected_redemption=0.8", nil)
	s.must("GET", "/v1/reports/goal?kpi=redemption_rate", nil)
	s.refused(400, "invalid_request", "GET", "/v1/reports/referrals?from=2020-01", nil)
	s.refused(404, "not_found", "GET", "/v1/reports/secrets", nil)
	s.refused(404, "not_found", "GET", "/v1/segments/nobody", nil)
	s.refused(404, "not_found", "GET", "/v1/segments/nobody/members", nil)
	s.refused(404, "not_found", "GET", "/v1/segment-runs/seg_X", nil)
	s.refused(400, "invalid_request", "PUT", "/v1/segments/top_20", object{"list": []string{m}})
	s.refused(400, "invalid_request", "PUT", "/v1/segments/vip", object{})
}

func TestAnswersAreAsDescribed(t *testing.T) {
	s, c := described(t)
	m := tour(s)
	tourOfReports(s, m)

	s.refused(401, "unauthorized", "GET", "/v1/program", nil, "Authorization", "")
	s.refused(400, "invalid_request", "POST", "/v1/orders", "{")
	s.refused(400, "invalid_request", "GET", "/v1/members/"+m+"/ledger?limit=0", nil)
	s.refused(404, "not_found", "GET", "/v1/members/mem_X", nil)
	s.refused(409, "version_conflict", "PATCH", "/v1/members/"+m, object{}, "If-Match", "999")
	s.refused(409, "member_exists", "POST", "/v1/members", object{"email": "noa@example.com"})
	s.refused(422, "insufficient_points", "POST", "/v1/holds", object{"member": m, "points": 1_000_000})
	gone := s.enrol("gone")
	s.must("POST", "/v1/privacy/erasures", object{"member": gone})
	s.refused(422, "member_erased", "POST", "/v1/members/"+gone+"/tokens", nil)
	s.refused(422, "not_supported_yet", "POST", "/v1/holds", object{"member": m, "reward": "coffee"})
	s.refused(422, "idempotency_key_reused", "POST", "/v1/members", object{"name": "x"}, "Idempotency-Key", "once")
	s.refused(413, "body_too_large", "POST", "/v1/orders", strings.Repeat(" ", 1<<20+1))
	s.refused(401, "invalid_signature", "POST", "/v1/webhooks/shopify", "{}")
	s.refused(404, "not_found", "POST", "/v1/webhooks/nobody", "{}")

	for path, item := range c.doc["paths"].(object) {
		for method, op := range item.(object) {
			route := strings.ToUpper(method) + " " + path
			taken := slices.ContainsFunc([]string{"200", "201", "202", "302"}, func(status string) bool { return c.seen[route+" "+status] })
			if !taken {
				t.Errorf("nothing was seen of %s", route)
			}
			for status := range op.(object)["responses"].(object) {
				if status[0] == '2' && !c.seen[route+" "+status] {
					t.Errorf("%s never answered %s", route, status)
				}
			}
		}
	}
}

// What each key may do is as x-scopes says.
func TestScopesAreAsDescribed(t *testing.T) {
	s, c := described(t)
	w := &wild{shop: s}
	m := s.enrol("m")
	w.kept = map[string]string{
		"/v1/members/{id}": m, "/v1/holds/{id}": "hld_X", "/v1/redemptions/{id}": "rdm_X", "/v1/orders/{source}": "till", "/v1/imports/{id}": "imp_X",
		"/v1/payouts/{id}": "pay_X", "/v1/vouchers/{code}": "X", "/v1/cards/{number}": "X", "/v1/leaderboards/{id}": "x", "/v1/partners/{id}": "x", "/v1/referrals/{id}": "rfl_202603X", "/r/{code}": "X",
		"/v1/segments/{id}": "x", "/v1/segment-runs/{id}": "seg_X", "/v1/reports/{name}": "roi",
	}
	if err := s.host.AddKey(context.Background(), "sk_server", web.Server); err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{"server": "sk_server", "admin": key, "member": s.must("POST", "/v1/members/"+m+"/tokens", nil).str("token")}
	for path, item := range c.doc["paths"].(object) {
		for method, op := range item.(object) {
			method = strings.ToUpper(method)
			scopes := op.(object)["x-scopes"].([]any)
			ask := func(auth string) int { return s.do(method, w.fill(path), "{", "Authorization", auth).status }
			if got := ask(""); len(scopes) > 0 && got != 401 {
				t.Errorf("%s %s without a key: %d", method, path, got)
			}
			for scope, k := range keys {
				may := len(scopes) == 0 || slices.Contains(scopes, any(scope))
				if got := ask("Bearer " + k); may == (got == 403) {
					t.Errorf("%s %s with scope %s: %d, described are %v", method, path, scope, got, scopes)
				}
			}
		}
	}
}
