package local_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regulars/infra/local"
	"regulars/shared/table/tabletest"
)

const (
	key    = "sk_test"
	secret = "whsec-test"
)

// engines runs a test over HTTP on a fresh host of each engine.
func engines(t *testing.T, test func(t *testing.T, s *shop)) {
	t.Run("embedded", func(t *testing.T) { test(t, open(t, local.Config{DataDir: t.TempDir()})) })
	t.Run("dynamodb", func(t *testing.T) {
		endpoint, access := tabletest.DynamoDBLocal(t)
		test(t, open(t, local.Config{DataDir: t.TempDir(), TableEndpoint: endpoint, AccessKey: fmt.Sprintf("%st%d", access, tables.Add(1))}))
	})
}

var tables atomic.Int64 // each test has a database of its own

// shop drives a host as a storefront's back end does.
type shop struct {
	t    *testing.T
	url  string
	host *local.Host
}

func open(t *testing.T, c local.Config) *shop {
	t.Helper()
	c.APIKey, c.WebhookSecret = key, secret
	h, err := local.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return &shop{t, srv.URL, h}
}

// straight goes nowhere else when it is told to.
var straight = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any
}

// at reads a value by its path, "points.available" or "data.0.id".
func (a answer) at(path string) any {
	var v any = a.body
	for _, p := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			i := -1
			if _, err := fmt.Sscan(p, &i); err != nil || i < 0 || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (a answer) num(path string) int64 {
	n, ok := a.at(path).(json.Number)
	if !ok {
		return -1 << 62
	}
	i, err := n.Int64()
	if err != nil {
		return -1 << 62
	}
	return i
}

func (a answer) str(path string) string {
	s, _ := a.at(path).(string)
	return s
}

// do sends a request with the admin key; headers are name, value pairs.
func (s *shop) do(method, path string, body any, headers ...string) answer {
	s.t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	case []byte:
		raw = b
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			s.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	res, err := straight.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	if a.raw, err = io.ReadAll(res.Body); err != nil {
		s.t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(a.raw))
	dec.UseNumber()
	dec.Decode(&a.body) // what is not an object stays nil and fails the test's own look
	return a
}

// must is do for a request that has to succeed.
func (s *shop) must(method, path string, body any, headers ...string) answer {
	s.t.Helper()
	a := s.do(method, path, body, headers...)
	if a.status/100 != 2 {
		s.t.Fatalf("%s %s answered %d: %s", method, path, a.status, a.raw)
	}
	return a
}

// refused is do for a request that has to be refused with a code.
func (s *shop) refused(status int, code, method, path string, body any, headers ...string) answer {
	s.t.Helper()
	a := s.do(method, path, body, headers...)
	if a.status != status || a.str("code") != code {
		s.t.Fatalf("%s %s answered %d %s, want %d %s", method, path, a.status, a.raw, status, code)
	}
	return a
}

// standard sends an order as a signed Standard Webhook.
func (s *shop) standard(order any) answer {
	s.t.Helper()
	raw, err := json.Marshal(order)
	if err != nil {
		s.t.Fatal(err)
	}
	ts := fmt.Sprint(time.Now().Unix())
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "msg_1.%s.%s", ts, raw)
	return s.must("POST", "/v1/webhooks/standard", raw, "Authorization", "", "webhook-id", "msg_1", "webhook-timestamp", ts,
		"webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// shopify sends a body as a signed Shopify webhook.
func (s *shop) shopify(topic string, body string) answer {
	s.t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return s.must("POST", "/v1/webhooks/shopify", body, "Authorization", "", "X-Shopify-Topic", topic,
		"X-Shopify-Hmac-Sha256", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func (s *shop) enrol(name string) string {
	s.t.Helper()
	return s.must("POST", "/v1/members", map[string]any{"name": name}).str("id")
}

// clock sets the business clock.
func (s *shop) clock(at string) {
	s.t.Helper()
	s.must("PUT", "/_local/clock", map[string]any{"now": at})
}

// program publishes a document in YAML.
func (s *shop) program(yaml string) {
	s.t.Helper()
	s.must("PUT", "/v1/program", yaml, "Content-Type", "application/yaml")
}

type object = map[string]any

// order is a paid order of one line of goods.
func order(id, member string, amount int64, more ...object) object {
	o := object{
		"source": "till", "id": id, "version": 1, "state": "paid", "currency": "ILS", "member": member,
		"lines": []object{{"id": "1", "quantity": 1, "unit_price": amount, "amount": amount}},
	}
	for _, m := range more {
		for k, v := range m {
			o[k] = v
		}
	}
	return o
}

// earn sends an order to the API.
func (s *shop) earn(o object) answer {
	s.t.Helper()
	return s.must("POST", "/v1/orders", o)
}

// redeem spends points at once and answers the redemption's id.
func (s *shop) redeem(member string, points int64) string {
	s.t.Helper()
	return s.must("POST", "/v1/redemptions", object{"member": member, "points": points}).str("id")
}

func (s *shop) member(id string) answer {
	s.t.Helper()
	return s.must("GET", "/v1/members/"+id, nil)
}

// points checks what a member has: available, and any of pending, held, debt.
func (s *shop) points(member string, available int64, more ...any) {
	s.t.Helper()
	m := s.member(member)
	if got := m.num("points.available"); got != available {
		s.t.Errorf("available is %d, want %d: %s", got, available, m.raw)
	}
	for i := 0; i < len(more); i += 2 {
		if got := m.num("points." + more[i].(string)); got != int64(more[i+1].(int)) {
			s.t.Errorf("%s is %d, want %d", more[i], got, more[i+1])
		}
	}
}

// entries is a member's ledger, oldest first.
func (s *shop) entries(member string) []object {
	s.t.Helper()
	var all []object
	for cursor := ""; ; {
		a := s.must("GET", "/v1/members/"+member+"/ledger?limit=200&cursor="+cursor, nil)
		for _, e := range a.at("data").([]any) {
			all = append([]object{e.(object)}, all...)
		}
		if cursor = a.str("next_cursor"); cursor == "" {
			return all
		}
	}
}

// ledger checks a member's ledger, oldest first, as "earn 120", and that it holds.
func (s *shop) ledger(member string, want ...string) {
	s.t.Helper()
	var got []string
	var sum int64
	for _, e := range s.entries(member) {
		n, err := e["points"].(json.Number).Int64()
		if err != nil {
			s.t.Fatal(err)
		}
		sum += n
		got = append(got, fmt.Sprintf("%s %d", e["type"], n))
		if fmt.Sprint(e["balance"]) != fmt.Sprint(sum) {
			s.t.Errorf("the balance after %v is %v, want %d", e["id"], e["balance"], sum)
		}
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		s.t.Errorf("the ledger is\n%s, want\n%s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
	s.holds(member)
}

// holds checks that a member's ledger verifies and its books sum to zero.
func (s *shop) holds(member string) {
	s.t.Helper()
	v := s.must("GET", "/v1/members/"+member+"/ledger/verification", nil)
	if v.at("valid") != true {
		s.t.Errorf("the ledger does not hold: %s", v.raw)
	}
	var sum int64
	for name := range v.at("books").(object) {
		sum += v.num("books." + name)
	}
	if sum != 0 {
		s.t.Errorf("the books sum to %d: %s", sum, v.raw)
	}
}

// lots is how many points expire when, as "2027-03-15T22:00:00Z 75".
func (s *shop) lots(member string) []string {
	s.t.Helper()
	var out []string
	for _, e := range s.member(member).at("points.expiring").([]any) {
		e := e.(object)
		out = append(out, fmt.Sprintf("%v %v", e["at"], e["points"]))
	}
	return out
}

func (s *shop) wantLots(member string, want ...string) {
	s.t.Helper()
	if got := s.lots(member); strings.Join(got, ", ") != strings.Join(want, ", ") {
		s.t.Errorf("the lots are %v, want %v", got, want)
	}
}

// events is how many events of each type there were.
func (s *shop) events() map[string]int {
	s.t.Helper()
	n := map[string]int{}
	for _, e := range s.must("GET", "/_local/events", nil).at("data").([]any) {
		n[e.(object)["type"].(string)]++
	}
	return n
}

// serve listens with a handler of its own.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}
