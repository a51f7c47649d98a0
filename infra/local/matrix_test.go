package local_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"regulars/infra/local"
	"regulars/shared/table"
)

// The matrix: every operation of the description, asked with every credential
// for every object. What must come of it is derived from the scopes that the
// description states, so a route that lets in more or fewer than it says is
// found, and one that is new needs a line in examples.

// example is a request of an operation. In its path and body stand, in angle
// brackets, what is of the object that is asked for (member, hold, redemption,
// order, payout, voucher, email, phone, external, card, connection) and of the caller
// (mine).
type example struct {
	path string // the description's own, its parameters filled in, when empty
	body string

	own     int // status for a caller who may do it; 0 is the description's 2xx
	foreign int // status for what is another program's; 0 is 404
	absent  int // status for what is not there at all; 0 is as foreign
}

// examples by operationId. There is no operation without one.
var examples = map[string][]example{
	"receiveWebhook": {{body: `{"source": "till", "id": "<order>", "version": 9}`, own: 401, absent: 404}}, // nobody signed it
	"putOrder": {
		{body: `{"source": "till", "id": "new-<order>", "version": 1, "state": "paid", "currency": "ILS", "member": "<member>", "lines": [{"id": "1", "amount": 100}]}`},
		{body: `{"source": "till", "id": "new2-<order>", "version": 1, "state": "paid", "currency": "ILS", "member": "<mine>", "redemption": "<redemption>", "lines": [{"id": "1", "amount": 100}]}`, own: 422, foreign: 422},
		{body: `{"source": "till", "id": "<order>", "version": 1, "state": "paid", "currency": "ILS", "member": "<mine>", "lines": [{"id": "1", "amount": 7}]}`, own: 409, foreign: 200},
		{body: `{"source": "till", "id": "new3-<order>", "version": 1, "state": "paid", "currency": "ILS", "customer": {"external_id": "<external>", "email": "<email>", "email_verified": true}, "lines": [{"id": "1", "amount": 100}]}`, foreign: 200},
		{body: `{"source": "till", "id": "new4-<order>", "version": 1, "state": "paid", "currency": "ILS", "customer": {"card": "<card>"}, "lines": [{"id": "1", "amount": 100}]}`, foreign: 200},
	},
	"evaluateOrder": {
		{body: `{"source": "till", "id": "<order>", "version": 1, "state": "paid", "currency": "ILS", "member": "<member>", "lines": [{"id": "1", "amount": 100}]}`},
		{body: `{"source": "till", "id": "new", "version": 1, "state": "paid", "currency": "ILS", "member": "<mine>", "redemption": "<redemption>", "lines": [{"id": "1", "amount": 100}]}`, own: 422, foreign: 422},
		{body: `{"source": "till", "id": "new", "version": 1, "state": "paid", "currency": "ILS", "customer": {"external_id": "<external>"}, "discounts": [{"code": "<voucher>", "amount": 5, "lines": ["1"]}], "lines": [{"id": "1", "amount": 100}]}`, foreign: 200},
		{body: `{"source": "till", "id": "new", "version": 1, "state": "paid", "currency": "ILS", "redemption": "<redemption>", "lines": [{"id": "1", "amount": 100}]}`, foreign: 422},
	},
	"recordActivity": {
		{body: `{"type": "own_cup", "key": "new-<order>", "member": "<member>"}`},
		{body: `{"type": "stamp", "key": "a-<order>", "member": "<mine>"}`, foreign: 200}, // a key is its program's
	},
	"requestPayout": {{body: `{"member": "<member>", "wallet": "cashback", "amount": 1}`}},
	"getPayout":     {{}},
	"approvePayout": {{}},
	"rejectPayout":  {{}},
	"validateVoucher": {
		{body: `{"code": "<voucher>"}`},
		{body: `{"code": "<voucher>", "member": "<member>"}`},
		{body: `{"code": "<voucher>", "member": "<mine>"}`, own: 422},
	},
	"useVoucher": {
		{body: `{"code": "<voucher>", "order": {"source": "till", "id": "<order>"}}`},
		{body: `{"code": "<voucher>", "member": "<member>"}`},
		{body: `{"code": "<voucher>", "member": "<mine>"}`, own: 422},
	},
	"releaseVoucher":   {{}},
	"getOrder":         {{}},
	"createHold":       {{body: `{"member": "<member>", "points": 1}`}, {body: `{"member": "<member>", "points": 1, "wallet": "cashback"}`}},
	"getHold":          {{}},
	"captureHold":      {{}, {body: `{"order": {"source": "till", "id": "<order>"}}`}},
	"releaseHold":      {{}},
	"createRedemption": {{body: `{"member": "<member>", "points": 1}`}},
	"getRedemption":    {{}},
	"cancelRedemption": {{}},
	"createMember": {
		{body: `{"name": "another"}`, foreign: 201},
		{body: `{"email": "<email>"}`, own: 409, foreign: 201},
		{body: `{"external_ids": {"till": "<external>"}}`, own: 409, foreign: 201},
	},
	"findMembers": {
		{path: "/v1/members?email=<email>", foreign: 200},
		{path: "/v1/members?phone=<phone>", foreign: 200},
		{path: "/v1/members?external_id=<external>&source=till", foreign: 200},
	},
	"getMember":    {{}},
	"changeMember": {{body: `{"language": "he"}`}},
	"mergeMember":  {{body: `{"into": "<mine>"}`}, {path: "/v1/members/<mine>/merge", body: `{"into": "<member>"}`}},
	"bindCard": {
		{body: `{"number": "new-<order>"}`},
		{path: "/v1/members/<mine>/cards", body: `{"number": "<card>"}`, foreign: 200}, // nobody's here
	},
	"getCard":            {{foreign: 200}}, // whoever shows a card has it
	"getLeaderboard":     {{foreign: 200}, {path: "/v1/leaderboards/monthly?limit=1&at=2026-02-01T00:00:00Z", foreign: 200}},
	"getStatement":       {{foreign: 200}},
	"exchangePoints":     {{body: `{"member": "<member>", "points": 5}`}},
	"createToken":        {{}},
	"revokeTokens":       {{}},
	"adjustPoints":       {{body: `{"points": 5, "reason": "thanks"}`}},
	"getLedger":          {{}, {path: "/v1/members/<member>/ledger?limit=1&cursor=c1"}, {path: "/v1/members/<member>/ledger?wallet=cashback"}},
	"getEntitlements":    {{}, {path: "/v1/members/<member>/entitlements?id=free_delivery"}},
	"getVouchers":        {{}},
	"chooseReward":       {{body: `{"id": "quarterly", "choice": "coffee"}`}},
	"verifyLedger":       {{}},
	"explainEntry":       {{}, {path: "/v1/members/<member>/ledger/<entry>/explanation?language=fa"}},
	"getMemberOrders":    {{}},
	"exportMember":       {{body: `{"member": "<member>"}`}},
	"eraseMember":        {{body: `{"member": "<member>"}`}},
	"createImport":       {{body: `{"kind": "balances", "format": "csv", "source": "till"}`, foreign: 202}},                                                                 // it has no object yet
	"createReferralCode": {{}, {body: `{"code": "C<order>"}`}, {path: "/v1/members/<mine>/referral-code", body: `{"code": "<code>"}`, own: 409, foreign: 409, absent: 200}}, // whose it is does not show
	"getMemberReferrals": {{}, {path: "/v1/members/<member>/referrals?limit=1&language=fa"}},
	"registerReferral": {
		{body: `{"code": "<code>", "customer": {"email": "new-<order>@example.com"}}`, foreign: 422},
		{body: `{"code": "<mycode>", "customer": {"email": "<email>", "phone": "<phone>"}, "source": "till"}`, foreign: 201}, // the same for whom nobody knows
		{body: `{"code": "<mycode>", "customer": {"external_id": "<external>"}, "source": "till"}`, foreign: 201},
	},
	"getReferral":     {{}},
	"approveReferral": {{}},
	"rejectReferral":  {{}},
	"listReports":     {{foreign: 200}},
	"getReport": {
		{path: "/v1/reports/liability", foreign: 200},
		{path: "/v1/reports/referrals?format=csv&from=2026-01&until=2026-03", foreign: 200},
		{path: "/v1/reports/deciles", foreign: 200},
		{path: "/v1/reports/segments?format=svg", foreign: 200},
	},
	"startSegmentRun":    {{foreign: 202}},
	"listSegmentRuns":    {{foreign: 200}},
	"getSegmentRun":      {{}},
	"listSegments":       {{foreign: 200}},
	"previewSegment":     {{body: `{"list": ["<member>"]}`, foreign: 200}}, // she is not found there
	"getSegment":         {{}, {path: "/v1/segments/top_20", foreign: 200}},
	"defineSegment":      {{path: "/v1/segments/another", body: `{"list": ["<member>"]}`, foreign: 200}},
	"listSegmentMembers": {{}, {path: "/v1/segments/top_20/members?limit=1", foreign: 200}},
	"followLink":         {{own: 302, absent: 404}, {path: "/r/<code>?url=https://evil.example/&ref=x", own: 302, absent: 404}},
	"getLinkPicture":     {{own: 200, absent: 404}},
	"getImport":          {{}},
	"getProgram":         {{foreign: 200}},
	"publishProgram":     {{body: everything, foreign: 200}},
	"getProgramVersions": {{foreign: 200}},
	"getTerms":           {{path: "/v1/program/terms?member=<member>"}},
	"simulateProgram":    {{body: `{"program": {}}`, foreign: 202}, {body: `{"program": {}, "members": ["<member>"]}`}},
	"getSimulation":      {{}},
	"getDescription":     {{}},
	"getHealth":          {{}},
}

// fill puts an object into a path or body.
func (p party) fill(text string, mine party, program string, escape func(string) string) string {
	return strings.NewReplacer(
		"<member>", escape(p.member), "<hold>", escape(p.hold), "<redemption>", escape(p.redemption), "<order>", escape(p.order), "<payout>", escape(p.payout), "<voucher>", escape(p.voucher), "<email>", escape(p.email),
		"<phone>", escape(p.phone), "<external>", escape(p.external), "<card>", escape(p.card), "<connection>", escape(p.connection), "<import>", escape(p.imports), "<mine>", escape(mine.member), "<mycode>", escape(mine.code), "<program>", escape(program),
		"<entry>", escape("led_"+strings.TrimPrefix(p.member, "mem_")+"0000000001"), "<simulation>", escape(p.simulation), "<code>", escape(p.code), "<referral>", escape(p.referral),
		"<segment>", escape(p.segment), "<run>", escape(p.run),
	).Replace(text)
}

// parameterised puts objects in the place of parameters of a path.
var parameterised = strings.NewReplacer(
	"/v1/members/{id}", "/v1/members/<member>", "/v1/holds/{id}", "/v1/holds/<hold>", "/v1/redemptions/{id}", "/v1/redemptions/<redemption>",
	"/v1/orders/{source}/{id}", "/v1/orders/till/<order>", "/v1/payouts/{id}", "/v1/payouts/<payout>", "/v1/vouchers/{code}", "/v1/vouchers/<voucher>", "{connection}", "<connection>",
	"/v1/imports/{id}", "/v1/imports/<import>", "/v1/cards/{number}", "/v1/cards/<card>", "/v1/leaderboards/{id}", "/v1/leaderboards/monthly", "/v1/partners/{id}", "/v1/partners/air", "{month}", "2026-03",
	"{entry}", "<entry>", "/v1/simulations/{id}", "/v1/simulations/<simulation>", "/v1/referrals/{id}", "/v1/referrals/<referral>", "/r/{code}", "/r/<code>",
	"/v1/segments/{id}", "/v1/segments/<segment>", "/v1/segment-runs/{id}", "/v1/segment-runs/<run>",
)

// want is what a request must be answered, 0 for any success.
func (op operation) want(ex example, c credential, o party) int {
	nobody := o.name == "nobody"
	switch {
	case len(op.scopes) == 0 && nobody: // anyone may ask: the credential says nothing
		return cmp.Or(ex.absent, ex.own)
	case len(op.scopes) == 0:
		return ex.own
	case c.scope == "":
		return 401
	case !slices.Contains(op.scopes, c.scope):
		return 403
	case c.scope == "member" && c.member != o.member:
		return 404
	case c.program == o.program:
		return ex.own
	case nobody:
		return cmp.Or(ex.absent, ex.foreign, 404)
	}
	return cmp.Or(ex.foreign, 404)
}

// run asks all, of the operations that are wanted, through a handler that
// stands for the host, and answers what was not as it must be.
func (w *world) run(via http.Handler, wanted func(operation) bool) (faults []string) {
	w.t.Helper()
	for _, op := range w.ops {
		if !wanted(op) {
			continue
		}
		if examples[op.id] == nil {
			faults = append(faults, fmt.Sprintf("%s: %s %s has no example here", op.id, op.method, op.path))
		}
		for _, ex := range examples[op.id] {
			for _, c := range w.credentials {
				faults = append(faults, w.row(via, op, ex, c)...)
			}
		}
	}
	return faults
}

// row sends one example under one credential for every object; what is not
// there comes first, for what is there and not the caller's must look the same.
func (w *world) row(via http.Handler, op operation, ex example, c credential) (faults []string) {
	w.t.Helper()
	unknown := ""
	for _, o := range slices.Backward(w.objects) {
		told := fmt.Sprintf("%s by %s for %s: ", op.id, c.name, o.name)
		want := op.want(ex, c, o)
		mine := w.mine[cmp.Or(c.program, local.Program)]
		if op.method != "GET" && c.scope != "" && (want == 0 || want/100 == 2) {
			o, mine = w.another(o), w.another(mine) // they will change
			w.written()
		}
		found, body := w.ask(via, op, ex, c, o, mine, want)
		if o.name == "nobody" {
			unknown = body
		} else if want == 404 && body != unknown && ex.absent == 0 {
			found = append(found, fmt.Sprintf("%s tells more than of nobody, %s", body, unknown))
		}
		for _, f := range found {
			faults = append(faults, told+f)
		}
	}
	return faults
}

// ask sends one request and looks at the answer and at what was written. It
// answers the answer too, without what is the request's own.
func (w *world) ask(via http.Handler, op operation, ex example, c credential, o, mine party, want int) (faults []string, shown string) {
	w.t.Helper()
	w.asked++
	path := ex.path
	if path == "" {
		path = parameterised.Replace(op.path)
	}
	asIs := func(s string) string { return s }
	path = o.fill(path, mine, c.program, url.QueryEscape)
	body := o.fill(ex.body, mine, c.program, asIs)
	r := httptest.NewRequest(op.method, path, strings.NewReader(body))
	if r.Host = "localhost"; c.authorization != "" {
		r.Header.Set("Authorization", c.authorization)
	}
	rec := httptest.NewRecorder()
	via.ServeHTTP(rec, r)
	raw := rec.Body.String()

	if ok := rec.Code == want || want == 0 && slices.Contains(op.taken, rec.Code); !ok {
		faults = append(faults, fmt.Sprintf("answered %d, want %d: %.200s", rec.Code, want, raw))
	}
	if h := rec.Header(); h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Access-Control-Allow-Origin") != "" {
		faults = append(faults, fmt.Sprintf("the headers are %v", h))
	}
	for _, inside := range []string{"goroutine", ".go:", "regulars/", "#MEMBER#", "#ORDER#", "dynamodb", "panic"} {
		if rec.Code != 200 && strings.Contains(raw, inside) {
			faults = append(faults, fmt.Sprintf("the answer has %q: %.300s", inside, raw))
		}
	}
	w.host.Refreshed() // what a run writes is written by its request
	owner := c.program
	if len(op.scopes) == 0 { // a link is its program's, whoever follows it
		owner = o.program
	}
	for _, k := range w.written() {
		switch {
		case strings.HasPrefix(k.SK, "COUNTED"), strings.Contains(k.PK, "#TOTALS#"): // by the stream, which looking at a report waits for
		case !slices.Contains([]int{2, 3}, rec.Code/100) && k.SK != "RECEIPT":
			faults = append(faults, fmt.Sprintf("refused with %d, and wrote %v", rec.Code, k))
		case k.SK == "CODE" && (op.id == "createReferralCode" || op.id == "eraseMember"): // unique in the deployment, so of no program's keys
		case table.ProgramOf(k) != owner:
			faults = append(faults, fmt.Sprintf("wrote %v", k))
		}
	}
	others := append(slices.Collect(maps.Values(w.mine)), w.objects[:3]...)
	if o.program != "" {
		others = append(others, o)
	}
	sent, _ := url.QueryUnescape(path)
	for _, p := range others {
		if c.program == p.program && (c.scope == "server" || c.scope == "admin" || c.member == p.member) {
			continue // may read it
		}
		for _, mark := range p.marks() {
			if strings.Contains(raw, mark) && !strings.Contains(sent+body, mark) {
				faults = append(faults, fmt.Sprintf("the answer has %q of %s: %.300s", mark, p.name, raw))
			}
		}
	}
	if c.program != "" && strings.Contains(raw, map[bool]string{true: "local.shop", false: "other.shop"}[c.program == "other"]) {
		faults = append(faults, "the answer has the other program's document")
	}
	var problem map[string]any
	if json.Unmarshal([]byte(raw), &problem) == nil {
		delete(problem, "request_id")
	}
	b, err := json.Marshal(problem)
	if err != nil {
		w.t.Fatal(err)
	}
	return faults, string(b)
}

func all(operation) bool { return true }

func TestAuthorizationMatrix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, fault := range w.run(w.host, all) {
		t.Error(fault)
	}
	n := 0
	for id, list := range examples {
		n += len(list)
		if !slices.ContainsFunc(w.ops, func(op operation) bool { return op.id == id }) {
			t.Errorf("%s is an example of no operation", id)
		}
	}
	if want := n * len(w.credentials) * len(w.objects); w.asked != want {
		t.Errorf("%d requests, want %d", w.asked, want)
	}
	t.Logf("%d operations in %d examples x %d credentials x %d objects: %d requests", len(w.ops), n, len(w.credentials), len(w.objects), w.asked)
}

// A host with one thing wrong is found out.
func TestAuthorizationMatrixBites(t *testing.T) {
	t.Parallel()
	instead := func(who, as int) func(*world, *http.Request) { // of what the callers show, by their place
		return func(w *world, r *http.Request) {
			if who < 0 || r.Header.Get("Authorization") == w.credentials[who].authorization {
				r.Header.Set("Authorization", w.credentials[as].authorization)
			}
		}
	}
	const anyone, expired, member, server, admin, otherServer, otherAdmin = -1, 5, 11, 12, 13, 15, 16
	for _, c := range []struct {
		name, op string
		wrong    func(w *world, r *http.Request)
		want     string
	}{
		{"a route that reads is open", "getMember", instead(anyone, admin), "by none for own: answered 200, want 401"},
		{"a route that writes is open", "adjustPoints", instead(anyone, admin), "by a revoked key for own: answered 201, want 401"},
		{"a list is open", "findMembers", instead(anyone, admin), "by garbage for own: the answer has"},
		{"an admin's route takes servers", "eraseMember", instead(server, admin), "by a server for own: answered 200, want 403"},
		{"a route for servers lost its scope", "getHold", instead(server, member), "by a server for own: answered 403"},
		{"a route for members lost its scope", "getMember", instead(member, expired), "by a member for own: answered 401"},
		{"a member reads another", "getLedger", instead(member, server), "by a member for neighbour: answered 200, want 404"},
		{"the program is not looked at", "getMember", instead(otherServer, server), "by another program's server for own: answered 200, want 404"},
		{"an order goes to the other program", "putOrder", instead(otherAdmin, admin), "by another program's admin for own: wrote {local#"},
		{"tokens do not end", "getLedger", instead(expired, member), "by an expired token for own: answered 200, want 401"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			proxy := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				c.wrong(w, r)
				w.host.ServeHTTP(rw, r)
			})
			faults := strings.Join(w.run(proxy, func(op operation) bool { return op.id == c.op }), "\n")
			if !strings.Contains(faults, c.op+" "+c.want) {
				t.Errorf("want %q among\n%.3000s", c.want, faults)
			}
		})
	}
	t.Run("a new operation has no example", func(t *testing.T) {
		w := newWorld(t)
		w.ops = append(w.ops, operation{id: "listSecrets", method: "GET", path: "/v1/secrets"})
		if faults := w.run(w.host, func(op operation) bool { return op.id == "listSecrets" }); len(faults) != 1 || !strings.Contains(faults[0], "no example") {
			t.Errorf("%q", faults)
		}
	})
}

// An idempotency key is its program's: another program's answer is not given
// for it, whatever is asked.
func TestAnIdempotencyKeyIsOfItsProgram(t *testing.T) {
	w := newWorld(t)
	enrol := func(admin string) answer {
		return w.must("POST", "/v1/members", object{"name": "once"}, "Authorization", "Bearer "+admin, "Idempotency-Key", "the same")
	}
	first, second := enrol(key), enrol(programKeys["other"])
	if second.header.Get("Idempotent-Replayed") != "" || bytes.Contains(second.raw, []byte(first.str("id"))) {
		t.Errorf("%s\n%s", first.raw, second.raw)
	}
	if again := enrol(key); again.header.Get("Idempotent-Replayed") != "true" || again.str("id") != first.str("id") {
		t.Errorf("%s\n%s", first.raw, again.raw)
	}
}
