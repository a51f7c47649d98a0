package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"regulars/infra/local"
)

const (
	apiKey = "sk_bench"
	secret = "bench-webhook-secret"
)

// shop is the whole system on a metered DynamoDB, or on a file, and who sells
// there. After a first failure it does nothing more; err tells of it.
type shop struct {
	meter *meter // nil on a file
	err   error

	host    *local.Host
	clock   time.Time
	members int
	close   []func()
}

// openShop opens a shop on a DynamoDB endpoint, on a file when it is "".
func openShop(ctx context.Context, endpoint string) (*shop, error) {
	s := &shop{clock: time.Date(2021, 1, 3, 9, 0, 0, 0, time.UTC)}
	dir, err := os.MkdirTemp("", "regulars-bench")
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, func() { os.RemoveAll(dir) })
	c := local.Config{DataDir: dir, APIKey: apiKey, WebhookSecret: secret}
	if endpoint != "" {
		s.meter = &meter{endpoint: endpoint}
		srv := httptest.NewServer(s.meter)
		s.close = append(s.close, srv.Close)
		c.TableEndpoint, c.AccessKey = srv.URL, rand.Text() // a database of its own
	}
	if s.host, err = local.Open(ctx, c); err != nil {
		s.Close()
		return nil, err
	}
	s.close = append(s.close, func() { s.host.Close() })
	if s.later(0); s.err != nil {
		s.Close()
	}
	return s, s.err
}

// Close ends it.
func (s *shop) Close() {
	for i := len(s.close) - 1; i >= 0; i-- {
		s.close[i]()
	}
}

type object = map[string]any

// send sends a request and answers what came back and what it cost.
func (s *shop) send(method, path string, body any, header ...string) (answer object, cost units) {
	if s.err != nil {
		return object{}, units{}
	}
	r, err := request(method, path, body, header...)
	if err != nil {
		s.err = err
		return object{}, units{}
	}
	w := httptest.NewRecorder()
	s.meter.take()
	s.host.ServeHTTP(w, r)
	cost = s.meter.take()
	if w.Code/100 != 2 {
		s.err = fmt.Errorf("%s %s answered %d: %s", method, path, w.Code, w.Body)
	} else if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		s.err = err
	}
	return answer, cost
}

// request has the admin key and headers, name and value in turn.
func request(method, path string, body any, header ...string) (*http.Request, error) {
	raw := []byte{}
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(raw))
	r.Header.Set("Authorization", "Bearer "+apiKey)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r, nil
}

// webhook is send for a signed Standard Webhook.
func (s *shop) webhook(body any) (object, units) {
	raw, err := json.Marshal(body)
	if err != nil {
		s.err = err
	}
	return s.send("POST", "/v1/webhooks/standard", body, signed(raw, s.clock)...)
}

// signed are the headers of a Standard Webhook.
func signed(body []byte, at time.Time) []string {
	stamp := fmt.Sprint(at.Unix())
	return []string{"webhook-id", "msg_1", "webhook-timestamp", stamp, "webhook-signature", "v1," + sum([]byte("msg_1."+stamp+"."), body)}
}

// sum is the signature that the storefronts have in common.
func sum(parts ...[]byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		mac.Write(p)
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// later lets time pass, and the schedule write down what it decided.
func (s *shop) later(d time.Duration) units {
	s.clock = s.clock.Add(d)
	s.send("PUT", "/_local/clock", object{"now": s.clock})
	_, cost := s.send("POST", "/_local/schedules/expire/run", nil)
	return cost
}

// enrol makes a member, known to the shop as external.
func (s *shop) enrol(external string) string {
	a, _ := s.send("POST", "/v1/members", object{"name": "נועה", "email": external + "@example.com", "external_ids": object{"standard": external}})
	id, _ := a["id"].(string)
	return id
}

// order is a paid order of two lines as shops send them.
func order(id string, version int, who object, at time.Time, refunded int64) object {
	o := object{
		"source": "standard", "id": id, "version": version, "state": "paid", "currency": "ILS",
		"placed_at": at, "paid_at": at, "channel": "web",
		"lines": []object{
			{"id": "13948271001", "sku": "COF-ETH-250", "title": "קפה אתיופיה ירגשף 250 גרם", "category": "coffee", "quantity": 2, "unit_price": 4990, "amount": 9980},
			{"id": "13948271002", "sku": "MUG-BLU-01", "title": "Stoneware mug, blue, 300 ml", "category": "kitchen", "quantity": 1, "unit_price": 6500, "amount": 6500},
		},
		"discounts": []object{{"code": "WELCOME10", "amount": 1000}},
		"shipping":  2500, "tax": 2800, "refunded": refunded,
	}
	for k, v := range who {
		o[k] = v
	}
	return o
}

// failure is what went wrong first, here or in the meter.
func (s *shop) failure() error {
	if s.err == nil && s.meter != nil {
		return s.meter.failure()
	}
	return s.err
}
