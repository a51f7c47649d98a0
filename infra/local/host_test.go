package local_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regulars/events/inbound"
	"regulars/infra/local"
)

func mac(key string, parts ...string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// Each storefront's own sample, signed as the storefront signs, earns; and a
// signature by another secret does not.
func TestEveryStorefrontEarns(t *testing.T) {
	base64 := base64.StdEncoding.EncodeToString
	for _, c := range []struct {
		source string
		points int64
		sign   func(s *shop, secret, body string) []string
	}{
		{"shopify", 68, func(_ *shop, key, body string) []string {
			return []string{"X-Shopify-Topic", "orders/paid", "X-Shopify-Hmac-Sha256", base64(mac(key, body))}
		}},
		{"woocommerce", -1, func(_ *shop, key, body string) []string {
			return []string{"X-WC-Webhook-Topic", "order.updated", "X-WC-Webhook-Signature", base64(mac(key, body))}
		}},
		{"bigcommerce", -1, func(_ *shop, key, body string) []string {
			ts := fmt.Sprint(time.Now().Unix())
			return []string{"webhook-id", "m1", "webhook-timestamp", ts, "webhook-signature", "v1," + base64(mac(key, "m1.", ts, ".", body))}
		}},
		{"stripe", -1, func(_ *shop, key, body string) []string {
			ts := fmt.Sprint(time.Now().Unix())
			return []string{"Stripe-Signature", "t=" + ts + ",v1=" + hex.EncodeToString(mac(key, ts, ".", body))}
		}},
		{"square", -1, func(s *shop, key, body string) []string {
			return []string{"x-square-hmacsha256-signature", base64(mac(key, s.url, "/v1/webhooks/square", body))}
		}},
		{"standard", -1, func(_ *shop, key, body string) []string {
			ts := fmt.Sprint(time.Now().Unix())
			return []string{"webhook-id", "m1", "webhook-timestamp", ts, "webhook-signature", "v1," + base64(mac(key, "m1.", ts, ".", body))}
		}},
	} {
		t.Run(c.source, func(t *testing.T) {
			s := embedded(t)
			raw, err := inbound.Files.ReadFile(c.source + ".json")
			if err != nil {
				t.Fatal(err)
			}
			body, path := string(raw), "/v1/webhooks/"+c.source
			signed := append([]string{"Authorization", ""}, c.sign(s, secret, body)...)
			a := s.must("POST", path, body, signed...)
			if a.str("status") != "applied" || a.num("points") < 1 || c.points > 0 && a.num("points") != c.points {
				t.Fatalf("%s", a.raw)
			}
			if again := s.must("POST", path, body, signed...); again.str("status") != "duplicate" || again.num("points") != a.num("points") {
				t.Errorf("again: %s", again.raw)
			}
			s.holds(a.str("member"))
			forged := append([]string{"Authorization", ""}, c.sign(s, "another secret", body)...)
			s.refused(401, "invalid_signature", "POST", path, body, forged...)
			s.refused(401, "invalid_signature", "POST", path, body, "Authorization", "")
		})
	}
}

func TestWooCommercePingIsAnswered(t *testing.T) {
	s := embedded(t)
	a := s.must("POST", "/v1/webhooks/woocommerce", "webhook_id=42", "Authorization", "", "Content-Type", "application/x-www-form-urlencoded")
	if a.status != 200 || a.str("status") != "ignored" || a.str("reason") != "ping" {
		t.Errorf("%s", a.raw)
	}
}

func TestTheHostStaysOnThisMachineUnlessTold(t *testing.T) {
	c := local.Config{Addr: "0.0.0.0:0", APIKey: key, WebhookSecret: secret, DataDir: t.TempDir()}
	h, err := local.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.Run(context.Background(), c, nil); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("%v", err)
	}
}

// What was acknowledged and announced is there after a stop and a start.
func TestAStopAndAStart(t *testing.T) {
	c := local.Config{DataDir: t.TempDir(), APIKey: key, WebhookSecret: secret}
	life := func(test func(s *shop)) {
		h, err := local.Open(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(h)
		test(&shop{t, srv.URL, h})
		srv.Close()
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var m string
	life(func(s *shop) {
		m = s.enrol("m")
		s.earn(order("1", m, 10000))
		s.program("clawback: clamp")
		s.events()
		s.earn(order("2", m, 10000)) // not announced before the stop
	})
	life(func(s *shop) {
		s.points(m, 200)
		if n := s.events(); n["points.earned"] != 2 || n["member.enrolled"] != 1 {
			t.Errorf("events: %v", n)
		}
		if p := s.must("GET", "/v1/program", nil); p.num("version") != 2 || p.str("clawback") != "clamp" {
			t.Errorf("%s", p.raw)
		}
		if a := s.earn(order("2", m, 10000)); a.str("status") != "duplicate" {
			t.Errorf("%s", a.raw)
		}
	})
}
