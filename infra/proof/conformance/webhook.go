package main

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// needsSecret ends the part when nobody told how webhooks are signed.
func (s *shop) needsSecret() {
	if s.target.Secret == "" {
		s.skip("no webhook secret was given: say -secret")
	}
}

// signedStandard is the headers of a Standard Webhook, signed at an instant.
func signedStandard(secret string, body []byte, at time.Time) []string {
	key := []byte(secret)
	if text, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
			key = raw
		}
	}
	id, stamp := "msg_"+rand.Text(), fmt.Sprint(at.Unix())
	return []string{
		"Authorization", "", "webhook-id", id, "webhook-timestamp", stamp,
		"webhook-signature", "v1," + mac(key, id+"."+stamp+"."+string(body)),
	}
}

// signedShopify is the headers of a Shopify webhook.
func signedShopify(secret, topic string, body []byte) []string {
	return []string{"Authorization", "", "X-Shopify-Topic", topic, "X-Shopify-Hmac-Sha256", mac([]byte(secret), string(body))}
}

func mac(key []byte, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func (s *shop) shopifySecret() string { return cmp.Or(s.target.ShopifySecret, s.target.Secret) }

// standard sends an order as a signed Standard Webhook.
func (s *shop) standard(o object) answer {
	body, err := json.Marshal(o)
	if err != nil {
		s.fail("the kit's own order: %v", err)
	}
	return s.must("POST", "/v1/webhooks/standard", body, signedStandard(s.target.Secret, body, s.now())...)
}

// shopify sends a signed Shopify webhook.
func (s *shop) shopify(topic, body string) answer {
	return s.must("POST", "/v1/webhooks/shopify", body, signedShopify(s.shopifySecret(), topic, []byte(body))...)
}

// shopifyID is an id such as Shopify gives, that no shop has.
func (s *shop) shopifyID() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1e15))
	if err != nil {
		s.fail("no chance on this machine: %v", err)
	}
	return fmt.Sprint(n.Int64() + 8e18) // far above the numbers that Shopify has come to
}

// shopifyOrder is a paid order of one line, as Shopify writes it.
func (s *shop) shopifyOrder(id, line, price string) string {
	return fmt.Sprintf(`{"id": %s, "created_at": "2026-03-15T10:00:00+02:00", "processed_at": "2026-03-15T10:00:00+02:00",
		"updated_at": "2026-03-15T10:00:00+02:00", "currency": %q, "financial_status": "paid", "test": false,
		"customer": {"id": %s, "email": "%s@example.com"},
		"line_items": [{"id": %s, "title": "קפה", "quantity": 1, "price": %q, "discount_allocations": []}], "refunds": []}`,
		id, s.currency, s.shopifyID(), s.id("shopify"), line, price)
}
