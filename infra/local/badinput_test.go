package local_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"regulars/events/inbound"
	"regulars/infra/local"
	"regulars/infra/topology"
)

// Whatever is sent: never a 5xx, a problem document for every refusal, and
// nothing written by it. What is taken reads back as it was sent.

// wild is one host that gets input which nobody should send. It is called
// without a network between: the cases are many, and a panic is seen.
type wild struct {
	*shop
	place string // in the change feed
	n     int    // makes fresh ids
	kept  map[string]string
}

func newWild(t *testing.T) *wild {
	t.Helper()
	dir := t.TempDir()
	if shm, err := os.MkdirTemp("/dev/shm", "regulars"); err == nil { // many thousand writes that need not reach a disk
		t.Cleanup(func() { os.RemoveAll(shm) })
		dir = shm
	}
	w := &wild{shop: open(t, local.Config{DataDir: dir})}
	m := w.enrol("base")
	w.must("POST", "/v1/members/"+m+"/adjustments", object{"points": 1_000_000, "reason": "to spend"})
	w.kept = map[string]string{
		"/v1/members/{id}":     m,
		"/v1/holds/{id}":       w.must("POST", "/v1/holds", object{"member": m, "points": 1}).str("id"),
		"/v1/redemptions/{id}": w.redeem(m, 1),
		"/v1/orders/{source}":  "till",
	}
	w.earn(order("base", m, 100))
	w.written()
	return w
}

// fresh is an id that was not used before.
func (w *wild) fresh() string { w.n++; return fmt.Sprint("w", w.n) }

// id fills the parameter of a route's path.
func (w *wild) fill(path string) string {
	for prefix, id := range w.kept {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			return prefix[:strings.Index(prefix, "{")] + id + strings.Replace(rest, "{id}", "base", 1)
		}
	}
	return path
}

// written is which items were written since it was asked last.
func (w *wild) written() []string {
	w.t.Helper()
	keys, next, err := w.host.Written(context.Background(), w.place)
	if err != nil {
		w.t.Fatal(err)
	}
	w.place = next
	var list []string
	for _, k := range keys {
		if k.SK != "RECEIPT" { // an answer is kept for repetition, refusals too
			list = append(list, k.PK+" "+k.SK)
		}
	}
	return list
}

// send sends a request with the admin key and checks what holds for all.
func (w *wild) send(method, path string, body any, headers ...string) (a answer) {
	w.t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	case []byte:
		raw = b
	default:
		raw = encoded(w.t, b)
	}
	told := func() string { return fmt.Sprintf("%s %.100q %q with %.300q", method, path, headers, raw) }
	defer func() {
		if p := recover(); p != nil {
			w.t.Errorf("%s: panic: %v\n%s", told(), p, debug.Stack())
		}
	}()
	r := httptest.NewRequest(method, path, bytes.NewReader(raw))
	r.Host = "localhost"
	r.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	rec := httptest.NewRecorder()
	w.host.ServeHTTP(rec, r)
	a = answer{status: rec.Code, header: rec.Header(), raw: rec.Body.Bytes()}
	dec := json.NewDecoder(bytes.NewReader(a.raw))
	dec.UseNumber()
	if err := dec.Decode(&a.body); err != nil && a.status < 500 {
		w.t.Errorf("%s: the answer %d %.200q is not JSON: %v", told(), a.status, a.raw, err)
	}
	written := w.written()
	switch {
	case a.status >= 500:
		w.t.Errorf("%s: answered %d %s", told(), a.status, a.raw)
	case a.status/100 == 2:
		return a
	}
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		w.t.Errorf("%s: %d of type %q", told(), a.status, kind)
	}
	for _, name := range []string{"type", "title", "code", "detail", "request_id"} {
		if a.str(name) == "" {
			w.t.Errorf("%s: the problem %s has no %s", told(), a.raw, name)
		}
	}
	if a.num("status") != int64(a.status) {
		w.t.Errorf("%s: answered %d, the problem says %s", told(), a.status, a.raw)
	}
	if len(a.raw) > 8<<10 {
		w.t.Errorf("%s: the problem has %d bytes", told(), len(a.raw))
	}
	if len(written) > 0 {
		w.t.Errorf("%s: refused with %s, but wrote %q", told(), a.raw, written)
	}
	return a
}

// want is send with the status that is expected.
func (w *wild) want(status int, method, path string, body any, headers ...string) answer {
	w.t.Helper()
	a := w.send(method, path, body, headers...)
	if a.status != status {
		w.t.Errorf("%s %.100q with %.200q: %d %.300s, want %d", method, path, body, a.status, a.raw, status)
	}
	return a
}

// webhook sends a body as a storefront signs it.
func (w *wild) webhook(kind string, body []byte, headers ...string) answer {
	w.t.Helper()
	return w.send("POST", "/v1/webhooks/"+kind, body, append(signed(kind, body), headers...)...)
}

func signed(kind string, body []byte) []string {
	sum := func(parts ...string) []byte {
		mac := hmac.New(sha256.New, []byte(secret))
		for _, p := range parts {
			io.WriteString(mac, p)
		}
		mac.Write(body)
		return mac.Sum(nil)
	}
	b64 := base64.StdEncoding.EncodeToString
	now := fmt.Sprint(time.Now().Unix())
	headers := []string{"Authorization", ""}
	switch kind {
	case "shopify":
		headers = append(headers, "X-Shopify-Topic", "orders/paid", "X-Shopify-Hmac-Sha256", b64(sum()))
	case "woocommerce":
		headers = append(headers, "X-WC-Webhook-Topic", "order.updated", "X-WC-Webhook-Signature", b64(sum()))
	case "square":
		headers = append(headers, "X-Square-Hmacsha256-Signature", b64(sum("http://localhost/v1/webhooks/square")))
	case "stripe":
		headers = append(headers, "Stripe-Signature", "t="+now+",v1="+hex.EncodeToString(sum(now, ".")))
	case "bigcommerce", "standard":
		headers = append(headers, "Webhook-Id", "msg_1", "Webhook-Timestamp", now, "Webhook-Signature", "v1,"+b64(sum("msg_1.", now, ".")))
	}
	return headers
}

// kinds are the storefronts; of Shopify every family of topics.
var kinds = [][]string{
	{"shopify"},
	{"shopify", "X-Shopify-Topic", "refunds/create"},
	{"shopify", "X-Shopify-Topic", "customers/update"},
	{"shopify", "X-Shopify-Topic", "customers/redact"},
	{"woocommerce"},
	{"bigcommerce"},
	{"stripe"},
	{"square"},
	{"standard"},
}

// badInput is a file or folder of the data beside the repository.
func badInput(t *testing.T, name string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "..", "shared", "data", "badinput", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED: %s is not beside the repository; only our own bad input is tested", path)
	}
	return path
}

func naughty(t *testing.T) (list []string) {
	raw, err := os.ReadFile(badInput(t, "blns.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	return append(list, ".", "..", "%2e%2e", "a/b", "a#b", "local#MEMBER#x", "#", "\x00", "a\x00b", "\ufeff", "\u202eabc", "e\u0301", "\u0000",
		strings.Repeat("x", 200), strings.Repeat("x", 201), strings.Repeat("א", 100), strings.Repeat("א", 101), strings.Repeat("x", 2000))
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// The webhooks' signatures of this test are right, or it would test nothing.
func TestBadInputIsSignedProperly(t *testing.T) {
	w := newWild(t)
	for _, k := range kinds {
		if len(k) > 1 {
			continue
		}
		body, err := inbound.Files.ReadFile(k[0] + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if a := w.webhook(k[0], body); a.status != 200 || a.str("status") != "applied" {
			t.Errorf("the sample of %s: %d %s", k[0], a.status, a.raw)
		}
	}
}

// Every file of JSONTestSuite as the body of every route that takes one.
func TestBadInputJSONTestSuite(t *testing.T) {
	dir := badInput(t, "JSONTestSuite/test_parsing")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := newWild(t)
	for _, f := range files {
		body, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, a answer) {
			if strings.HasPrefix(f.Name(), "n_") && len(body) > 0 && a.status/100 == 2 {
				t.Errorf("%s took %s: %s", what, f.Name(), a.raw)
			}
		}
		for _, r := range topology.Routes {
			if r.Method == "GET" || strings.Contains(r.Path, "{connection}") {
				continue
			}
			check(r.Method+" "+r.Path, w.send(r.Method, w.fill(r.Path), body, "Content-Type", "application/json"))
		}
		check("a program of no type", w.send("PUT", "/v1/program", body))
		w.send("PUT", "/v1/program", body, "Content-Type", "application/yaml") // YAML may take what JSON refuses
		for _, k := range kinds {
			check(strings.Join(k, " "), w.webhook(k[0], body, k[1:]...))
		}
	}
	w.settled()
}

// settled checks at the end of a rough test that every ledger still holds and
// every change could be announced.
func (w *wild) settled() {
	w.t.Helper()
	w.must("GET", "/_local/events", nil)
	w.must("POST", "/_local/schedules/expire/run", nil)
	w.holds(w.kept["/v1/members/{id}"])
}

// template is a request that is taken as it stands. Its body is made afresh
// for each case, since ids are taken once.
type template struct {
	name, method string
	path         func(w *wild) string
	body         func(w *wild) object
	read         func(w *wild, sent object, a answer) object // what a taken request reads back as, in the shape of its body
}

func to(path string) func(*wild) string { return func(w *wild) string { return w.fill(path) } }

func (w *wild) base() string { return w.kept["/v1/members/{id}"] }

func answered(_ *wild, _ object, a answer) object { return a.body }

// templates are the writes of the API with every field filled in.
var templates = []template{
	{"create member", "POST", to("/v1/members"), func(w *wild) object {
		id := w.fresh()
		return object{
			"external_ids": object{"shopify": id}, "email": id + "@example.com", "email_verified": true, "phone": fmt.Sprintf("+97250%07d", w.n), "phone_verified": false,
			"name": "Noa", "language": "he", "birth_date": object{"calendar": "hebrew", "date": "5786-01-02"}, "consents": object{"email": true},
		}
	}, func(w *wild, _ object, a answer) object { return w.send("GET", "/v1/members/"+a.str("id"), nil).body }},
	{"change member", "PATCH", func(w *wild) string { return "/v1/members/" + w.enrol("to change") }, func(w *wild) object {
		id := w.fresh()
		return object{
			"external_ids": object{"till": id}, "email": id + "@example.com", "phone": fmt.Sprintf("+97251%07d", w.n), "name": "Noa", "language": "he",
			"birth_date": object{"calendar": "gregorian", "date": "1990-02-28"}, "consents": object{"sms": true},
		}
	}, func(w *wild, _ object, a answer) object { return w.send("GET", "/v1/members/"+a.str("id"), nil).body }},
	{"order of a member", "POST", to("/v1/orders"), func(w *wild) object {
		return object{
			"source": "till", "id": w.fresh(), "version": 3, "state": "paid", "currency": "ILS", "placed_at": "2026-03-15T08:00:00Z", "paid_at": "2026-03-15T08:01:00Z",
			"fulfilled_at": "2026-03-15T08:02:00Z", "store": "tlv-1", "region": "north", "channel": "online", "member": w.base(),
			"lines": []any{object{
				"id": "1", "sku": "A", "title": "Latte", "category": "coffee", "quantity": 1, "unit_price": 4995, "amount": 4995,
				"gift_card": false, "refunded_amount": 0, "refunded_quantity": 0,
			}},
			"discounts": []any{object{"code": "TEN", "amount": 1099, "lines": []any{"1"}}}, "shipping": 1, "tax": 2, "tip": 3,
			"redemption": w.redeem(w.base(), 1), "referral_code": "ANNA7", "refunded": 0,
		}
	}, stored},
	{"order of a customer", "POST", to("/v1/orders"), func(w *wild) object {
		id := w.fresh()
		return object{
			"source": "till", "id": id, "version": "2026-03-15T08:01:00Z", "state": "paid", "currency": "ILS", "lines": []any{object{"id": "1", "amount": 100}},
			"customer": object{"external_id": id, "email": id + "@example.com", "email_verified": true, "phone": fmt.Sprintf("+97252%07d", w.n), "phone_verified": false, "name": "Dana"},
		}
	}, func(w *wild, sent object, a answer) object {
		o := stored(w, sent, a)
		m := w.send("GET", "/v1/members/"+a.str("member"), nil).body
		o["customer"] = m
		if ids, ok := m["external_ids"].(object); ok {
			m["external_id"] = ids[fmt.Sprint(sent["source"])]
		}
		return o
	}},
	{"evaluate", "POST", to("/v1/orders/evaluate"), func(w *wild) object {
		return object{
			"source": "till", "id": w.fresh(), "version": 1, "state": "placed", "currency": "ILS", "lines": []any{object{"id": "1", "amount": 100}},
			"discounts": []any{object{"code": "TEN", "amount": 10}}, "redemption": w.kept["/v1/redemptions/{id}"],
		}
	}, nil},
	{"hold", "POST", to("/v1/holds"), func(w *wild) object { return object{"member": w.base(), "points": 1, "order_amount": 1000} }, answered},
	{"capture", "POST", func(w *wild) string {
		return "/v1/holds/" + w.must("POST", "/v1/holds", object{"member": w.base(), "points": 1}).str("id") + "/capture"
	}, func(w *wild) object { return object{"order": object{"source": "till", "id": w.fresh()}} }, answered},
	{"release", "POST", to("/v1/holds/{id}/release"), func(*wild) object { return object{} }, nil},
	{"redemption", "POST", to("/v1/redemptions"), func(w *wild) object {
		return object{"member": w.base(), "points": 1, "order_amount": 1000, "order": object{"source": "till", "id": w.fresh()}}
	}, answered},
	{"cancel", "POST", to("/v1/redemptions/{id}/cancel"), func(*wild) object { return object{} }, nil},
	{"adjust", "POST", to("/v1/members/{id}/adjustments"), func(*wild) object { return object{"points": 5, "reason": "thanks"} }, answered},
	{"token", "POST", to("/v1/members/{id}/tokens"), func(*wild) object { return object{} }, nil},
	{"merge", "POST", func(w *wild) string { return "/v1/members/" + w.enrol("to merge") + "/merge" }, func(w *wild) object { return object{"into": w.enrol("to stay")} }, nil},
	{"export", "POST", to("/v1/privacy/exports"), func(w *wild) object { return object{"member": w.base()} }, nil},
	{"erase", "POST", to("/v1/privacy/erasures"), func(w *wild) object { return object{"member": w.enrol("to erase")} }, nil},
	{"program", "PUT", to("/v1/program"), func(*wild) object {
		return object{
			"currency": "ILS", "time_zone": "Asia/Jerusalem", "languages": []any{"he", "en"}, "shop": object{"url": "https://shop.example/"},
			"point_value": object{"points": 100, "amount": 500}, "clawback": "debt", "hold": object{"timeout": "PT15M"},
			"earning": object{"basis": "net", "when": "paid", "rounding": "floor", "stacking": "best", "pending": "P0D", "rules": []any{
				object{"id": "base", "on": "order", "rate": object{"points": 1, "amount": 100}},
				object{"id": "double", "on": "order", "multiplier": "2", "during": object{"dates": []any{"2027-03-26"}}},
			}},
			"expiry": object{"after": "P12M", "to_end_of": "day"}, "redemption": object{"minimum": 1, "max_share_of_order": "1", "restore_grace": "P30D"},
			"exchange": object{"USD": "3.7"},
		}
	}, func(w *wild, _ object, a answer) object {
		got := w.send("GET", "/v1/program", nil).body
		w.must("PUT", "/v1/program", "{}") // what comes next expects the usual rules
		return got
	}},
}

// stored is an order as it is read.
func stored(w *wild, sent object, _ answer) object {
	dots := strings.NewReplacer(".", "%2E")
	a := w.send("GET", "/v1/orders/"+url.PathEscape(fmt.Sprint(sent["source"]))+"/"+dots.Replace(url.PathEscape(fmt.Sprint(sent["id"]))), nil)
	if a.status != 200 {
		w.t.Errorf("the order %.100q was taken and is not there: %s", sent["id"], a.raw)
		return object{}
	}
	return a.body
}

// leaf is one place in a body; set changes it, at reads it.
type leaf struct {
	path  string
	value any
	set   func(any)
}

// leaves are all places of a body, containers included.
func leaves(v any) (list []leaf) {
	switch x := v.(type) {
	case object:
		for k, inner := range x {
			list = append(list, leaf{k, inner, func(n any) { x[k] = n }})
			for _, l := range leaves(inner) {
				list = append(list, leaf{k + "." + l.path, l.value, l.set})
			}
		}
	case []any:
		for i, inner := range x {
			list = append(list, leaf{fmt.Sprint(i), inner, func(n any) { x[i] = n }})
			for _, l := range leaves(inner) {
				list = append(list, leaf{fmt.Sprintf("%d.%s", i, l.path), l.value, l.set})
			}
		}
	}
	return list
}

// with sends a template with another value at one place.
func (w *wild) with(tpl template, path string, value any) (sent object, a answer) {
	w.t.Helper()
	target, body := tpl.path(w), tpl.body(w)
	for _, l := range leaves(body) {
		if l.path == path {
			l.set(value)
		}
	}
	w.written()
	return body, w.send(tpl.method, target, body)
}

// The templates themselves are taken, or the tests below would test nothing.
func TestBadInputStartsFromGoodInput(t *testing.T) {
	w := newWild(t)
	for _, tpl := range templates {
		if sent, a := w.with(tpl, "", nil); a.status/100 != 2 {
			t.Errorf("%s: %s answered %s", tpl.name, encoded(t, sent), a.raw)
		}
	}
}

// Every naughty string in every string of every body; what is taken reads
// back byte for byte; but a customer whose verified address another has in
// other letters is that other.
func TestBadInputNaughtyStrings(t *testing.T) {
	w := newWild(t)
	list := naughty(t)
	for _, tpl := range templates {
		for _, l := range leaves(tpl.body(w)) {
			if _, text := l.value.(string); !text {
				continue
			}
			for i, s := range list {
				if testing.Short() && i%5 != 0 {
					continue
				}
				sent, a := w.with(tpl, l.path, s)
				if a.status/100 != 2 || tpl.read == nil || s == "" {
					continue
				}
				got := answer{body: tpl.read(w, sent, a)}
				if back, _ := got.at(l.path).(string); back != s && !unread(l.path) && !(l.path == "customer.email" && strings.EqualFold(back, s)) {
					t.Errorf("%s: %s was taken as %.300q and reads back as %.300q", tpl.name, l.path, s, back)
				}
			}
		}
	}
	w.settled()
}

// unread tells of a field that is not shown as it came but as an instant.
func unread(path string) bool {
	return path == "version" || strings.HasSuffix(path, "_at")
}

// The same strings as names: of sources, consents, currencies, fields.
func TestBadInputNaughtyKeys(t *testing.T) {
	w := newWild(t)
	for _, s := range naughty(t) {
		w.send("POST", "/v1/members", object{"external_ids": object{s: w.fresh()}})
		w.send("POST", "/v1/members", object{"consents": object{s: true}})
		w.want(400, "POST", "/v1/members", object{s: "x"})
		w.send("PUT", "/v1/program", object{"exchange": object{s: "2"}})
		w.want(400, "PUT", "/v1/program", object{"earning": object{s: 1}})
		w.webhook("standard", encoded(t, object{s: "x"}))
	}
	w.settled()
}

// The same strings in paths, queries and headers.
func TestBadInputNaughtyAddresses(t *testing.T) {
	w := newWild(t)
	list := naughty(t)
	for _, s := range list {
		escaped := url.PathEscape(s)
		for _, r := range topology.Routes {
			if s == "" || !strings.Contains(r.Path, "{") {
				continue
			}
			prefix, rest, _ := strings.Cut(r.Path, "{")
			_, rest, _ = strings.Cut(rest, "}")
			path := prefix + escaped + strings.Replace(rest, "{id}", escaped, 1)
			if a := w.send(r.Method, path, nil); a.status/100 == 2 {
				t.Errorf("%s %q answered %s", r.Method, path, a.raw)
			}
			w.send(r.Method, path, nil, "Authorization", "")
		}
		q := url.QueryEscape(s)
		for _, path := range []string{
			"/v1/members?email=", "/v1/members?phone=", "/v1/members?external_id=", "/v1/members?external_id=1&source=",
			"/v1/members?email=a@b&cursor=", "/v1/members?email=a@b&limit=", "/v1/program/versions?limit=", "/v1/program/versions?cursor=",
			w.fill("/v1/members/{id}/ledger?cursor="), w.fill("/v1/members/{id}/ledger?limit="), w.fill("/v1/members/{id}/orders?cursor="),
		} {
			w.send("GET", path+q, nil)
		}
		w.send("GET", "/v1/members?email=a@b&"+q+"="+q, nil)
		w.send("PATCH", "/v1/members/"+w.base(), object{}, "If-Match", s)
		w.send("PUT", "/v1/program", object{"currency": "XXX"}, "If-Match", s)
		w.want(401, "GET", "/v1/program", nil, "Authorization", "Bearer x"+s)
		w.send("GET", "/v1/program", nil, "X-Amzn-Trace-Id", s)

		if a := w.send("POST", "/v1/members", object{"name": "once"}, "Idempotency-Key", s); s != "" && a.status == 201 {
			again := w.send("POST", "/v1/members", object{"name": "once"}, "Idempotency-Key", s)
			if again.str("id") != a.str("id") {
				t.Errorf("the key %q made two members", s)
			}
		} else if len(s) <= 255 && a.status != 201 {
			t.Errorf("the key %q: %s", s, a.raw)
		}
	}
	w.settled()
}

// raw is JSON as it stands, valid or not.
type raw string

// rawBody encodes a body in which some values are raw.
func rawBody(t *testing.T, v any) []byte {
	switch x := v.(type) {
	case raw:
		return []byte(x)
	case object:
		var parts [][]byte
		for k, inner := range x {
			parts = append(parts, append(append(encoded(t, k), ':'), rawBody(t, inner)...))
		}
		return append(append([]byte("{"), bytes.Join(parts, []byte(","))...), '}')
	case []any:
		var parts [][]byte
		for _, inner := range x {
			parts = append(parts, rawBody(t, inner))
		}
		return append(append([]byte("["), bytes.Join(parts, []byte(","))...), ']')
	}
	return encoded(t, v)
}

// withRaw is with for a value that json cannot write.
func (w *wild) withRaw(tpl template, path string, value raw) answer {
	w.t.Helper()
	target, body := tpl.path(w), tpl.body(w)
	for _, l := range leaves(body) {
		if l.path == path {
			l.set(value)
		}
	}
	w.written()
	return w.send(tpl.method, target, rawBody(w.t, body), "Content-Type", "application/json")
}

// Numbers that are none, or none of ours, and values of every other type, in
// place of every field.
func TestBadInputValues(t *testing.T) {
	never := []raw{
		"9223372036854775808", "-9223372036854775809", "1e400", "-1e400", "1E400", "1.5", "1e2", "1.0", "01", "+1", "0x10", "1_000", "NaN", "Infinity", "-",
		raw(strings.Repeat("9", 1000)), raw("1e" + strings.Repeat("9", 100)), raw("0." + strings.Repeat("0", 1000) + "1"),
	}
	maybe := []raw{"9223372036854775807", "-9223372036854775808", "1000000000000000", "1000000000000001", "-1", "-0", "0", "null", "true", "[]", "{}", "[[]]", `{"a":1}`, `""`, `"1"`, "1"}
	texts := []raw{`"\ud800"`, `"\udc00\ud800"`, "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\x00\"", "\"\n\"", "\ufeff\"x\"", `"\x"`}
	w := newWild(t)
	for _, tpl := range templates {
		for _, l := range leaves(tpl.body(w)) {
			for _, v := range append(never, texts...) {
				if a := w.withRaw(tpl, l.path, v); a.status != 400 {
					t.Errorf("%s: %s of %.50s was answered %d %s", tpl.name, l.path, v, a.status, a.raw)
				}
			}
			for _, v := range maybe {
				a := w.withRaw(tpl, l.path, v)
				_, number := l.value.(int)
				if number && a.status/100 == 2 && strings.HasPrefix(string(v), "922") && l.path != "version" {
					t.Errorf("%s: %s took %s", tpl.name, l.path, v)
				}
				if number && a.status/100 == 2 && (strings.HasPrefix(string(v), "-") && v != "-0") && tpl.name != "adjust" {
					t.Errorf("%s: %s took %s", tpl.name, l.path, v)
				}
				if tpl.name == "program" && a.status == 200 {
					w.must("PUT", "/v1/program", "{}")
				}
			}
		}
	}
	w.settled()
}

// Keys that stand twice, or that only look like ours.
func TestBadInputKeys(t *testing.T) {
	w := newWild(t)
	m := w.base()
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,"points":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,"Points":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,"point\u017f":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,"\u0070oints":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","Points":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","point\u017f":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,"extra":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1}{}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,}`)
	w.want(400, "POST", "/v1/members", `{"external_ids":{"till":"1","Till":"2"}}`)
	w.want(400, "POST", "/v1/members", `{"birth_date":{"calendar":"gregorian","date":"1990-01-01","Date":"1991-01-01"}}`)
	w.want(400, "POST", "/v1/members", `{"birth_date":{"calendar":"gregorian","date":"1990-01-01","zone":"x"}}`)
	w.want(400, "POST", "/v1/orders", `{"source":"till","id":"k","version":1,"state":"paid","currency":"ILS","member":"`+m+`","lines":[{"id":"1","amount":5,"Amount":6}]}`)
	w.want(400, "POST", "/v1/members", `{"`+strings.Repeat("k", 500_000)+`": 1}`)
	w.want(400, "POST", "/v1/members", "\ufeff{}")

	std := func(more string) []byte {
		return []byte(`{"source":"till","id":"` + w.fresh() + `","version":1,"state":"paid","currency":"ILS","member":"` + m + `","lines":[{"id":"1","amount":500}]` + more + `}`)
	}
	for more, status := range map[string]int{
		"": 200, `,"unknown":{"a":[1]}`: 200, `,"currency":"ILS"`: 400, `,"Currency":"USD"`: 400, `,"\u017ftate":"paid"`: 400, `,"x":1,"X":2`: 400,
	} {
		if a := w.webhook("standard", std(more)); a.status != status {
			t.Errorf("a webhook with %s: %d %s, want %d", more, a.status, a.raw, status)
		}
	}
	nested := func(depth int) string {
		return `,"deep":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1)
	}
	for depth, status := range map[int]int{64: 200, 65: 400, 10_000: 400, 500_000: 400} {
		if a := w.webhook("standard", std(nested(depth))); a.status != status {
			t.Errorf("a webhook of depth %d: %d %s, want %d", depth, a.status, a.raw, status)
		}
		w.want(400, "POST", "/v1/orders", std(nested(depth)))
		w.want(400, "POST", "/v1/members", `{"name":`+nested(depth)[8:]+`}`)
		w.send("PUT", "/v1/program", `{"tiers":`+nested(depth)[8:]+`}`)
	}
	w.settled()
}

// Bodies as large as can be, and larger.
func TestBadInputSizes(t *testing.T) {
	const most = 1 << 20
	w := newWild(t)
	m := w.base()
	pad := func(s string, size int) string { return s + strings.Repeat(" ", size-len(s)) }
	w.want(201, "POST", "/v1/members", pad(`{"name":"padded"}`, most))
	w.want(413, "POST", "/v1/members", pad(`{"name":"padded"}`, most+1))
	w.want(400, "POST", "/v1/members", `{"name":"`+strings.Repeat("n", most-11)+`"}`)
	w.want(413, "POST", "/v1/members", `{"name":"`+strings.Repeat("n", most-10)+`"}`)
	w.want(413, "PUT", "/v1/program", pad("{}", 64<<10+1))
	w.want(200, "PUT", "/v1/program", pad("{}", 64<<10))
	for _, k := range kinds {
		w.webhook(k[0], []byte(pad("{}", most)), k[1:]...)
		if a := w.webhook(k[0], []byte(pad("{}", most+1)), k[1:]...); a.status != 413 {
			t.Errorf("%s: %d %s", k, a.status, a.raw)
		}
	}

	// An order that is short enough to be sent and may be too long to be kept.
	wide := func(lines int, text string) object {
		o := order(w.fresh(), m, 1)
		var list []any
		for i := range lines {
			list = append(list, object{"id": fmt.Sprint(i, "<", text[:min(len(text), 190)]), "amount": 100, "title": text, "sku": text, "category": text})
		}
		o["lines"] = list
		return o
	}
	for _, text := range []string{"", strings.Repeat("<", 20), strings.Repeat("<", 60), strings.Repeat("<", 80), strings.Repeat("t", 100), strings.Repeat("t", 200), strings.Repeat("א", 120)} {
		o := wide(1000, text)
		for _, path := range []string{"/v1/orders/evaluate", "/v1/orders"} {
			w.send("POST", path, o, "Idempotency-Key", w.fresh())
		}
		w.webhook("standard", encoded(t, wide(1000, text)))
	}
	w.want(400, "POST", "/v1/orders", wide(1001, "x"))
	long := wide(1000, "")
	for i := range long["lines"].([]any) {
		long["lines"].([]any)[i] = object{"id": fmt.Sprint(strings.Repeat("<", 190), i), "amount": 100}
	}
	w.want(200, "POST", "/v1/orders/evaluate", long, "Idempotency-Key", "long")
	w.want(200, "POST", "/v1/orders", long, "Idempotency-Key", "kept")

	// As many discounts, each naming as many lines, as there is room for.
	o := wide(1000, "")
	var ids []any
	for i := range 1000 {
		ids = append(ids, fmt.Sprint(i, "<"))
	}
	var discounts []any
	for range 120 {
		discounts = append(discounts, object{"amount": 1, "lines": ids})
	}
	for range 1500 {
		discounts = append(discounts, object{"amount": 1})
	}
	o["discounts"] = discounts
	begun := time.Now()
	w.send("POST", "/v1/orders", o)
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("an order with many discounts took %v", took)
	}
	w.settled()
}

// Ids at the edge of what one may be, and ids that look like keys of the table.
func TestBadInputIDs(t *testing.T) {
	w := newWild(t)
	m := w.base()
	for id, ok := range map[string]bool{
		strings.Repeat("i", 200): true, strings.Repeat("i", 201): false, strings.Repeat("א", 100): true, strings.Repeat("א", 101): false, "x": true, "": false,
		"a#b": false, "a/b": false, "#": false, "/": false, "local#MEMBER#" + m: false, "a\x00": false, "a\nb": false, "a\u0085": false, "%23": true, "a b": true, "\u202e": true,
	} {
		want := map[bool]int{true: 200, false: 400}[ok]
		o := order(id, m, 100)
		w.want(want, "POST", "/v1/orders", o)
		if ok {
			stored(w, o, answer{})
		}
		o = order(w.fresh(), m, 100)
		o["lines"] = []any{object{"id": id, "amount": 5}}
		w.want(want, "POST", "/v1/orders", o)
		o["discounts"] = []any{object{"amount": 1, "lines": []any{"other"}}}
		w.want(400, "POST", "/v1/orders", o)
		if id != "" {
			w.want(map[bool]int{true: 201, false: 400}[ok], "POST", "/v1/members", object{"external_ids": object{"till": id}})
			w.want(want, "POST", "/v1/orders", object{"source": "other", "id": w.fresh(), "version": 1, "state": "paid", "currency": "ILS", "lines": []any{}, "customer": object{"external_id": id}})
		}
		w.want(want, "GET", "/v1/members?external_id="+url.QueryEscape(id)+map[bool]string{true: "&email=a@b"}[false], nil)
	}
	for _, source := range []string{"", "A", "a#b", "a b", "a/b", strings.Repeat("s", 41), "ß", "local#ORDER"} {
		o := order(w.fresh(), m, 100)
		o["source"] = source
		w.want(400, "POST", "/v1/orders", o)
	}
	for _, id := range []string{"mem_", "mem_#", "mem_" + strings.ToLower(m[4:]), m + "#ACCOUNT", m[4:], "mem_" + m, "rdm_" + m[4:], "mem_\x00", "mem_" + strings.Repeat("A", 41), "mem_" + strings.Repeat("A", 40)} {
		w.want(404, "GET", "/v1/members/"+url.PathEscape(id), nil)
		if len(id) <= 40 {
			o := order(w.fresh(), id, 100)
			w.send("POST", "/v1/orders", o)
		}
		w.want(404, "POST", "/v1/holds", object{"member": id, "points": 1})
		w.want(404, "POST", "/v1/members/"+m+"/merge", object{"into": id})
		w.want(404, "POST", "/v1/privacy/erasures", object{"member": id})
	}
	w.settled()
}

// Times, currencies and combinations that no shop should send.
func TestBadInputTimesAndMoney(t *testing.T) {
	w := newWild(t)
	m := w.base()
	try := func(status int, more object) answer {
		w.t.Helper()
		return w.want(status, "POST", "/v1/orders", order(w.fresh(), m, 100, more))
	}
	for at, status := range map[string]int{
		"0000-01-01T00:00:00Z": 400, "0001-01-01T00:00:00Z": 400, "1969-12-31T23:59:59Z": 400, "1970-01-01T00:00:00Z": 400, "1970-01-01T00:00:00.5Z": 400, "1970-01-01T00:00:01Z": 200,
		"9999-12-31T23:59:59Z": 200, "9999-12-31T23:59:59-12:00": 400, "10000-01-01T00:00:00Z": 400, "2026-03-15": 400, "2026-03-15T08:00:00": 400,
		"2026-03-15 08:00:00Z": 400, "2026-02-30T08:00:00Z": 400, "2026-03-15T24:00:00Z": 400, "2026-03-15T08:00:60Z": 400, "2026-03-15t08:00:00z": 400,
		"2026-03-15T08:00:00+24:00": 400, "2026-03-15T08:00:00.123456789Z": 200, "2026-03-15T8:00:00Z": 400, "-2026-03-15T08:00:00Z": 400, "1773561600": 400,
	} {
		for _, field := range []string{"placed_at", "paid_at", "fulfilled_at"} {
			try(status, object{field: at})
		}
		version := order("v"+w.fresh(), m, 100, object{"version": at})
		if a := w.send("POST", "/v1/orders", version); a.status != 200 && status == 200 && !strings.HasPrefix(at, "9") {
			t.Errorf("the version %s: %s", at, a.raw)
		}
	}
	for _, version := range []any{-1, raw("1.0"), "", "1", nil, true} {
		w.want(400, "POST", "/v1/orders", rawBody(t, order(w.fresh(), m, 100, object{"version": version, "lines": []any{}})))
	}
	for _, currency := range []string{"USD", "JPY", "KWD"} {
		try(422, object{"currency": currency})
		if a := w.webhook("standard", encoded(t, order(w.fresh(), m, 100, object{"currency": currency}))); a.status != 200 || a.str("reason") != "currency_not_accepted" {
			t.Errorf("a webhook in %s: %s", currency, a.raw)
		}
	}
	for _, currency := range []string{"", "ils", "XX", "₪", "ILS ", "AAA", "İLS"} {
		try(400, object{"currency": currency})
	}
	huge := int64(1_000_000_000_000_000)
	try(200, object{"lines": []any{object{"id": "1", "amount": huge}}})
	try(400, object{"lines": []any{object{"id": "1", "amount": huge}, object{"id": "2", "amount": 1}}})
	try(400, object{"lines": []any{object{"id": "1", "quantity": 1_000_000_000, "unit_price": huge}}})
	try(400, object{"lines": []any{object{"id": "1", "amount": 1}, object{"id": "1", "amount": 1}}})
	try(200, object{"lines": []any{object{"id": "1", "amount": 1, "refunded_amount": huge, "refunded_quantity": 1_000_000_000}}, "refunded": huge})
	try(200, object{"discounts": []any{object{"amount": huge}, object{"amount": huge}}})
	try(200, object{"lines": []any{}})
	try(422, object{"redemption": "rdm_X"})
	try(422, object{"redemption": "x"})
	try(200, object{"redemption": ""})
	if a := try(200, object{"member": "", "customer": object{"email": ""}}); a.str("reason") != "no_customer" {
		t.Errorf("an order of nobody: %s", a.raw)
	}
	for _, body := range []string{"", " ", "null", "[]", "0", `""`, "{}", "a=b"} {
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-16", "\x00"} {
			w.want(400, "POST", "/v1/orders", body, "Content-Type", kind)
			w.want(400, "POST", "/v1/holds", body, "Content-Type", kind)
			if body != "{}" {
				w.want(400, "PUT", "/v1/program", body, "Content-Type", kind)
			}
		}
	}
	w.settled()
}

// Refunds told one after the other: an order has room for so many, and their
// sum stays countable.
func TestBadInputManyRefunds(t *testing.T) {
	w := newWild(t)
	n := 0
	body := func(order int) []byte {
		var refunds []any
		for range 800 {
			n++
			refunds = append(refunds, object{"id": n, "refund_line_items": []any{object{"line_item_id": 1, "quantity": 1, "subtotal": "9999999999999"}}})
		}
		return encoded(t, object{
			"id": order, "updated_at": fmt.Sprintf("2026-03-15T10:%02d:00+02:00", n/800), "created_at": "2026-03-15T10:00:00+02:00", "processed_at": "2026-03-15T10:00:00+02:00",
			"currency": "ILS", "financial_status": "paid", "customer": object{"id": 5}, "line_items": []any{object{"id": 1, "quantity": 1, "price": "50.00"}}, "refunds": refunds,
		})
	}
	for i := range 14 {
		a := w.webhook("shopify", body(1))
		if want := map[bool]string{true: "applied", false: "ignored"}[i == 0]; a.str("status") != want {
			t.Errorf("delivery %d: %.300s, want %s", i, a.raw, want)
		}
	}
	w.settled()
}

// Periods are of a length that ends within the years that can be written.
func TestBadInputPeriods(t *testing.T) {
	w := newWild(t)
	for _, period := range []string{"P9999Y", "P9999M", "P9999W", "P99999D", "PT999999H", "P9999Y9999M9999W99999DT999999H999999M999999S", "P101Y", "P1201M"} {
		for _, doc := range []object{
			{"expiry": object{"after": period, "to_end_of": "month"}},
			{"hold": object{"timeout": period}},
			{"earning": object{"pending": period}},
			{"redemption": object{"restore_grace": period}},
		} {
			if a := w.send("PUT", "/v1/program", doc); a.status == 200 {
				m := w.enrol("of a long program")
				w.send("POST", "/v1/orders", order(w.fresh(), m, 1000))
				w.send("POST", "/v1/holds", object{"member": m, "points": 1})
				w.send("GET", "/v1/members/"+m, nil)
				w.must("PUT", "/v1/program", "{}")
			}
		}
	}
	w.settled()
}

// YAML is a larger language than JSON; none of it may cost more than a refusal.
func TestBadInputYAML(t *testing.T) {
	w := newWild(t)
	for _, doc := range []string{
		"", " ", "\n", "---", "--- {}\n--- {}", "# only words", "~", "null", "- a", "a", "currency: &x ILS", "currency: *x", "<<: {currency: ILS}", "currency: !!binary aGk=", "? a", "? [a]: b\n: c",
		"currency: ILS\ncurrency: ILS", "currency: ILS\nCurrency: ILS", "a: b: c", "\t", "{", "[", "}", "!", "%YAML 9.9\n---\n", "|", ">", "'", "\"", "currency: |\n  ILS", "expiry:", "earning: {rules: [}",
		"point_value: {points: 0x10, amount: 1}", "point_value: {points: 1_000, amount: 1}", "point_value: {points: 1e2, amount: 1}", "point_value: {points: .inf, amount: 1}", "point_value: {points: .nan, amount: 1}",
		"version: 99999999999999999999", "earning: {pending: 2026-01-01}", "currency: \xff", "currency: \x00", strings.Repeat("[", 60_000), strings.Repeat("{a: ", 15_000), strings.Repeat("- ", 30_000),
		strings.Repeat("a:\n ", 15_000), strings.Repeat("? ", 30_000), strings.Repeat("!", 60_000), strings.Repeat("&a ", 20_000), strings.Repeat("#\n", 30_000), "a: " + strings.Repeat("'", 60_001), strings.Repeat("-\n", 30_000),
	} {
		begun := time.Now()
		a := w.send("PUT", "/v1/program", doc, "Content-Type", "application/yaml")
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("%.40q took %v", doc, took)
		}
		if a.status == 413 {
			t.Errorf("%.40q is too large to be tried: %s", doc, a.raw)
		}
	}
	w.settled()
}

// A path that is not written straight is not found; nobody is sent elsewhere.
func TestBadInputPaths(t *testing.T) {
	w := newWild(t)
	for _, path := range []string{"//v1/members", "/v1//members/x", "/v1/./members", "/v1/../v1/program", "/v1/members/..", "/v1/members/.", "/v1/members/", "/v1/program/", "/", "/v1", "/V1/program", "/v1/program%2F", "/v1/%2e%2e/v1/program"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"} {
			if method == "HEAD" {
				continue // has no body to look at
			}
			w.want(404, method, path, nil)
		}
	}
}
