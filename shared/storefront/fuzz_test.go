package storefront_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"regulars/shared/loyalty"
	"regulars/shared/storefront"
)

// sound is what the rest of the system may rely on, whatever was sent.
func sound(t *testing.T, o *loyalty.Order) {
	t.Helper()
	bad := o.ID == "" || strings.ContainsAny(o.ID, "/#") || o.Source == "" || o.Version.N < 0 || len(o.Currency) != 3 ||
		min(o.Shipping, o.Tax, o.Tip, o.Refunded) < 0
	var total int64
	for _, l := range o.Lines {
		total += l.Amount
		bad = bad || l.Amount < 0 || l.Quantity < 1 || l.ID == "" || total > 1e15
	}
	for _, d := range o.Discounts {
		bad = bad || d.Amount < 0
	}
	for _, r := range o.Refunds {
		bad = bad || r.Amount < 0 || r.ID == ""
	}
	if bad {
		t.Errorf("an unsound order was taken: %+v", o)
	}
}

func fuzzRead(f *testing.F, kind string) {
	topics := []string{"orders/paid", "refunds/create", "customers/update", "customers/redact", "order.updated", "customer.updated"}
	for i := range topics {
		f.Add(sample(kind), i)
	}
	f.Fuzz(func(t *testing.T, body string, topic int) {
		name := topics[uint(topic)%uint(len(topics))]
		api := storefront.StubOrderAPI{"/v2/orders/118": []byte(body), "/v2/orders/118/products": []byte(body)}
		event := body
		if kind == "bigcommerce" && topic%2 == 0 { // the answers of its API are input too
			event = sample("bigcommerce")
			api["/v2/orders/118/products"] = stub["/v2/orders/118/products"]
		}
		m, err := storefront.Read(context.Background(), storefront.Connection{ID: kind, Kind: kind}, storefront.Delivery{
			Header: headers("X-Shopify-Topic", name, "X-WC-Webhook-Topic", name), Body: []byte(event),
		}, api)
		if e := (*loyalty.Error)(nil); err != nil && kind != "bigcommerce" && (!errors.As(err, &e) || e.Kind != loyalty.Invalid) {
			t.Errorf("got %v, want Invalid", err)
		}
		if err == nil && m.Order != nil {
			sound(t, m.Order)
		}
	})
}

func FuzzReadShopify(f *testing.F)     { fuzzRead(f, "shopify") }
func FuzzReadWooCommerce(f *testing.F) { fuzzRead(f, "woocommerce") }
func FuzzReadStripe(f *testing.F)      { fuzzRead(f, "stripe") }
func FuzzReadSquare(f *testing.F)      { fuzzRead(f, "square") }
func FuzzReadStandard(f *testing.F)    { fuzzRead(f, "standard") }

func FuzzReadBigCommerce(f *testing.F) {
	f.Add(sample("bigcommerce_order_118"), 0)
	f.Add(sample("bigcommerce_order_118_products"), 0)
	fuzzRead(f, "bigcommerce")
}

func FuzzParseOrder(f *testing.F) {
	f.Add(ours)
	f.Add(sample("standard"))
	f.Fuzz(func(t *testing.T, body string) {
		o, err := storefront.ParseOrder([]byte(body))
		if e := (*loyalty.Error)(nil); err != nil && (!errors.As(err, &e) || e.Kind != loyalty.Invalid) {
			t.Errorf("got %v, want Invalid", err)
		}
		if err == nil {
			sound(t, &o)
		}
	})
}

func FuzzVerify(f *testing.F) {
	for kind := range kinds {
		for _, values := range sign(kind, secret, "{}") {
			f.Add(kind, values[0], "{}")
		}
	}
	f.Fuzz(func(t *testing.T, kind, value, body string) {
		h := headers("X-Shopify-Hmac-Sha256", value, "X-WC-Webhook-Signature", value, "x-square-hmacsha256-signature", value,
			"Stripe-Signature", value, "webhook-signature", value, "webhook-id", "msg_1", "webhook-timestamp", "1773561660")
		if verify(kind, h, body, 0, "a secret that the fuzzer does not know") {
			t.Errorf("%q verified as %q", body, value)
		}
	})
}
