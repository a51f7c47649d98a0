package main

import (
	"encoding/json"
	"strings"
	"time"
)

// Webhooks are believed by their signature over the raw bytes, or not at all.
var signatures = Scenario{"webhook signatures", "a webhook counts only with the storefront's own signature over its bytes", func(s *shop) {
	forged := func(path string, body []byte, headers ...string) {
		a := s.do("POST", path, body, headers...)
		if a.status != 401 {
			s.differs("%v, want 401", a)
			return
		}
		s.problem(a)
	}
	s.part("standard", func() {
		s.needsSecret()
		m, secret := s.enrol("signatures"), s.target.Secret
		o := s.order("1", m, 1000)
		body, err := json.Marshal(o)
		if err != nil {
			s.fail("the kit's own order: %v", err)
		}
		const path = "/v1/webhooks/standard"
		good := signedStandard(secret, body, s.now())
		without := func(name string) []string { return append(append([]string{}, good...), name, "") }
		forged(path, body, signedStandard("of somebody else", body, s.now())...)
		forged(path, []byte(strings.Replace(string(body), "1000", "9000", 2)), good...)
		forged(path, append([]byte(" "), body...), good...)
		forged(path, body, signedStandard(secret, body, s.now().Add(-time.Hour))...)
		forged(path, body, signedStandard(secret, body, s.now().Add(time.Hour))...)
		for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
			forged(path, body, without(name)...)
		}
		forged(path, body) // the API key is no signature
		s.refused(404, "not_found", "GET", "/v1/orders/"+source+"/"+o["id"].(string), nil)
		s.ledger(m)
		s.eq(s.must("POST", path, body, good...), "status", "applied")
		s.eq(s.must("POST", path, body, signedStandard(secret, body, s.now())...), "status", "duplicate")
		s.ledger(m, "earn 10")
	})
	s.part("shopify", func() {
		s.needsSecret()
		s.needsCents()
		id, secret := s.shopifyID(), s.shopifySecret()
		body := s.shopifyOrder(id, s.shopifyID(), "10.00")
		const path, topic = "/v1/webhooks/shopify", "orders/paid"
		good := signedShopify(secret, topic, []byte(body))
		forged(path, []byte(body), signedShopify("of somebody else", topic, []byte(body))...)
		forged(path, []byte(strings.Replace(body, "10.00", "90.00", 1)), good...)
		forged(path, []byte(body+" "), good...)
		forged(path, []byte(body), append(append([]string{}, good...), "X-Shopify-Hmac-Sha256", "")...)
		s.refused(404, "not_found", "GET", "/v1/orders/shopify/"+id, nil)
		a := s.must("POST", path, body, good...)
		s.eq(a, "status", "applied")
		s.eq(a, "points", 10)
		s.ledger(s.text(a, "member"), "earn 10")
	})
}}
