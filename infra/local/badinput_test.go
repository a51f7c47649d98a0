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
	"os"
	"path/filepath"
	"regexp"
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
	next  ready
}

func newWild(t *testing.T) *wild {
	t.Helper()
	dir := t.TempDir()
	if shm, err := os.MkdirTemp("/dev/shm", "regulars"); err == nil { // many thousand writes that need not reach a disk
		t.Cleanup(func() { os.RemoveAll(shm) })
		dir = shm
	}
	w := &wild{shop: open(t, local.Config{DataDir: dir})}
	w.usual()
	m := w.enrol("base")
	w.must("POST", "/v1/members/"+m+"/adjustments", object{"points": 1_000_000, "reason": "to spend"})
	w.earn(order("cashback", m, 100_000_000))
	w.kept = map[string]string{
		"/v1/members/{id}":      m,
		"/v1/holds/{id}":        w.must("POST", "/v1/holds", object{"member": m, "points": 1}).str("id"),
		"/v1/redemptions/{id}":  w.redeem(m, 1),
		"/v1/orders/{source}":   "till",
		"/v1/imports/{id}":      w.must("POST", "/v1/imports", object{"kind": "members", "format": "ndjson"}).str("id"),
		"/v1/payouts/{id}":      w.must("POST", "/v1/payouts", object{"member": m, "wallet": "cashback", "amount": 1}).str("id"),
		"/v1/vouchers/{code}":   w.voucher(w.enrol("with a voucher")),
		"/v1/cards/{number}":    "4711",
		"/v1/leaderboards/{id}": "monthly",
		"/v1/partners/{id}":     "air",
		"/v1/referrals/{id}":    w.suspicious(),
		"/r/{code}":             w.code(),
		"/v1/segments/{id}":     w.segment(),
		"/v1/reports/{name}":    "roi",
	}
	w.earn(order("base", m, 100))
	w.written()
	return w
}

// usual publishes the program that the tests expect.
func (w *wild) usual() {
	w.must("PUT", "/v1/program", strings.Replace(everything, "<program>", local.Program, 1))
}

// voucher makes a voucher of a member.
func (w *wild) voucher(member string) string {
	return w.must("POST", "/v1/activities", object{"type": "stamp", "key": w.fresh(), "member": member}).str("vouchers.0")
}

// code is one of a new member: each may register so many friends an hour.
func (w *wild) code() string {
	return w.must("POST", "/v1/members/"+w.enrol("who tells friends")+"/referral-code", nil).str("code")
}

// suspicious is a referral under review.
func (w *wild) suspicious() string {
	return w.must("POST", "/v1/referrals", object{"code": w.code(), "customer": object{"email": w.fresh() + "@mailinator.com"}}).str("id")
}

// segment is one that the program defines.
func (w *wild) segment() string {
	return w.must("PUT", "/v1/segments/vip", object{"list": []string{w.enrol("vip")}}).str("id")
}

// run is a segment run that is done.
func (w *wild) run() string {
	id := w.must("POST", "/v1/segment-runs", nil).str("id")
	w.host.Refreshed()
	return id
}

// offered is a new member who has a choice.
func (w *wild) offered() string {
	m := w.enrol("who chooses")
	w.earn(order(w.fresh(), m, 10000, object{"paid_at": lastQuarter(w.host.Clock.Now())}))
	return m
}

// fresh is an id that was not used before.
func (w *wild) fresh() string { w.n++; return fmt.Sprint("w", w.n) }

// id fills the parameter of a route's path.
func (w *wild) fill(path string) string {
	if run := "/v1/segment-runs/{id}"; path == run && w.kept[run] == "" { // few ask for it, and it takes some time
		w.kept[run] = w.run()
	}
	for prefix, id := range w.kept {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			return prefix[:strings.Index(prefix, "{")] + id + strings.NewReplacer("{id}", "base", "{month}", "2026-03").Replace(rest)
		}
	}
	return path
}

// keyShape is what the keys of a program's items look like (shared/table/README.md).
var keyShape = regexp.MustCompile(`^(CODE#[\pL0-9]{3,24} CODE|local#(` + strings.Join([]string{
	`PROGRAM (CURRENT|VERSION#\d{10})`,
	`MEMBER#[0-9A-Z]{1,40} (ACCOUNT(#[a-z0-9_-]{1,40})?|PROFILE|TOKENS|DAYS#\d{4}|PAGE#\d{12}|PAGES#[a-z0-9_-]{1,40}#\d{12})`,
	`ORDER#[a-z0-9_-]{1,40}#[^#/\x00-\x1f\x7f]{1,200} ORDER`,
	`REDEMPTION#[0-9A-Z]{1,40} REDEMPTION`,
	`EXTERNAL#[^#/\x00-\x1f\x7f]{1,200} [a-z0-9_-]{1,40}`,
	`(EMAIL|PHONE)#[0-9a-f]{32} (OWNER|GUEST|MEMBER#[0-9A-Z]{1,40})`,
	`RECEIPT#[0-9a-f]{32} RECEIPT`,
	`PRIVACY#[0-9a-f]{32} PRIVACY`,
	`IMPORT#[0-9A-Z]{1,40} IMPORT`,
	`VOUCHER#[2-9A-HJ-NP-Z]{12} VOUCHER`,
	`ACT#[a-z0-9_-]{1,40}#[0-9a-f]{32} ACT`,
	`BUDGET#[a-z0-9_-]{1,40} BUDGET`,
	`SIMULATION#[0-9A-Z]{26} SIMULATION`,
	`SCORES#[a-z0-9_-]{1,40}#-?\d{1,12}#\d{2} SCORE#\d{19}#[0-9A-Z]{1,40}`,
	`BOARD#[a-z0-9_-]{1,40}#-?\d{1,12} BOARD`,
	`PARTNER#[a-z0-9_-]{1,40}#\d{4}-\d{2} MOVEMENT#([0-9A-Z]{11,50}|burn-[0-9A-Z]{1,40}|restore-[0-9A-Z]{1,40}-\d+|exc_[0-9A-Z]{1,40})`,
	`REFERRALS#\d{6}#\d{2} REFERRAL#\d{6}[0-9A-Z]{26}`,
	`MEMBER#[0-9A-Z]{1,40} REFERRED#\d{6}[0-9A-Z]{26}`,
	`FRIEND#(EMAIL|PHONE|EXTERNAL)#[0-9a-f]{32} FRIEND`,
	`CLICKS#\d{6}#\d{2} CLICK#[\pL0-9]{3,24}#\d{2}#[0-9a-f]{16}`,
	`SEEN#[0-9a-f]{32} SEEN#\d{6}[0-9A-Z]{26}`,
	`SEGMENT#RUNS RUN#[0-9A-Z]{26}`,
	`SEGMENT (CURRENT|NEWEST|DEFINED#[a-z0-9_-]{1,40})`,
	`MEMBER#[0-9A-Z]{1,40} COUNTED(#[a-z0-9_-]{1,40})?`,
	`TOTALS#\d+#\d{2} (DAY|LOTS)#[0-9-]+#[a-z0-9_-]{0,40}`,
}, "|") + `))$`)

// written is which items were written since it was asked last.
func (w *wild) written() []string {
	w.t.Helper()
	keys, next, err := w.host.Written(context.Background(), w.place)
	if err != nil {
		w.t.Fatal(err)
	}
	first := w.place == "" // what setup wrote
	w.place = next
	var list []string
	for _, k := range keys {
		if !first && !keyShape.MatchString(k.PK+" "+k.SK) {
			w.t.Errorf("wrote the key %q", k)
		}
		counted := strings.HasPrefix(k.SK, "COUNTED") || strings.Contains(k.PK, "#TOTALS#") // by the stream
		if k.SK != "RECEIPT" && k.SK != "SIMULATION" && !counted {                          // an answer is kept for repetition, refusals too, and a run ends beside
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
	w.host.Refreshed() // what a run writes is written by its request
	a = answer{status: rec.Code, header: rec.Header(), raw: rec.Body.Bytes()}
	dec := json.NewDecoder(bytes.NewReader(a.raw))
	dec.UseNumber()
	if err := dec.Decode(&a.body); err != nil && a.status < 500 && !drawn(method, path, a) {
		w.t.Errorf("%s: the answer %d %.200q is not JSON: %v", told(), a.status, a.raw, err)
	}
	written := w.written()
	switch {
	case a.status >= 500:
		w.t.Errorf("%s: answered %d %s", told(), a.status, a.raw)
	case a.status == 302:
		if to := a.header.Get("Location"); !strings.HasPrefix(path, "/r/") || !strings.HasPrefix(to, "https://local.shop.example/?") {
			w.t.Errorf("%s: leads to %s", told(), to)
		}
		return a
	case a.status/100 == 2:
		if method == "GET" && len(written) > 0 {
			w.t.Errorf("%s: read, and wrote %q", told(), written)
		}
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

// drawn tells of an answer that is no JSON: a link, its picture, a table.
func drawn(method, path string, a answer) bool {
	kind := a.header.Get("Content-Type")
	return method == "GET" && (a.status == 302 && len(a.raw) == 0 || a.status == 200 && (strings.HasPrefix(path, "/r/") || strings.HasPrefix(path, "/v1/reports/")) && kind == "image/svg+xml" || a.status == 200 && strings.HasPrefix(kind, "text/csv"))
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
