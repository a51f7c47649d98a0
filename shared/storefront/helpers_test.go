package storefront_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regulars/events/inbound"
	"regulars/shared/loyalty"
	"regulars/shared/storefront"
)

// kinds are the storefronts, each with the headers that its sample needs.
var kinds = map[string]http.Header{
	"shopify":     headers("X-Shopify-Topic", "orders/paid"),
	"woocommerce": headers("X-WC-Webhook-Topic", "order.updated"),
	"bigcommerce": {},
	"stripe":      {},
	"square":      {},
	"standard":    {},
}

// stub is the store's API as the local host has it.
var stub = storefront.StubOrderAPI{
	"/v2/orders/118":          []byte(sample("bigcommerce_order_118")),
	"/v2/orders/118/products": []byte(sample("bigcommerce_order_118_products")),
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func sample(name string) string {
	b, err := inbound.Files.ReadFile(name + ".json")
	if err != nil {
		panic(err)
	}
	return string(b)
}

func read(kind string, h http.Header, body string) (storefront.Message, error) {
	c := storefront.Connection{ID: kind, Kind: kind}
	return storefront.Read(context.Background(), c, storefront.Delivery{Header: h, Body: []byte(body)}, stub)
}

// order reads a body that must be an order.
func order(t *testing.T, kind string, h http.Header, body string) *loyalty.Order {
	t.Helper()
	m, err := read(kind, h, body)
	if err != nil {
		t.Fatal(err)
	}
	if m.Order == nil {
		t.Fatalf("got %+v, want an order", m)
	}
	return m.Order
}

// change applies replacements to a text and fails when one is without effect.
func change(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the text has no %q", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// wantMalformed checks that err is Invalid and names the path.
func wantMalformed(t *testing.T, err error, path string) {
	t.Helper()
	var e *loyalty.Error
	if !errors.As(err, &e) || e.Kind != loyalty.Invalid {
		t.Fatalf("got %v, want an Invalid error", err)
	}
	if got := e.Details["path"]; path != "" && got != path {
		t.Errorf("path %v (%v), want %s", got, err, path)
	}
}

// shared is a file or folder of the data that lies beside the repository.
func shared(t testing.TB, path string) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("no go.mod above the test")
		}
		root = filepath.Dir(root)
	}
	full := filepath.Join(root, "..", "shared", "data", path)
	if _, err := os.Stat(full); err != nil {
		t.Skipf("SKIPPED: the recorded data of real storefronts is not beside the repository (%s); only our own samples are tested", full)
	}
	return full
}

func recorded(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(shared(t, filepath.Join("webhooks", path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// unwrap takes a REST answer's one member, as a webhook carries it bare.
func unwrap(t *testing.T, body, member string) string {
	t.Helper()
	var wrapped map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &wrapped); err != nil {
		t.Fatal(err)
	}
	return string(wrapped[member])
}

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}
