package local_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regulars/events/inbound"
	"regulars/infra/local"
	"regulars/shared/table"
	engine "regulars/shared/table/embedded"
	"regulars/shared/web"
)

// signedBy signs a sample as its storefront does, with any secret.
func signedBy(kind, connection, secret, body string) http.Header {
	b64, stamp := base64.StdEncoding.EncodeToString, fmt.Sprint(time.Now().Unix())
	h := http.Header{}
	switch kind {
	case "shopify":
		h.Set("X-Shopify-Topic", "orders/paid")
		h.Set("X-Shopify-Hmac-Sha256", b64(mac(secret, body)))
	case "woocommerce":
		h.Set("X-WC-Webhook-Topic", "order.updated")
		h.Set("X-WC-Webhook-Signature", b64(mac(secret, body)))
	case "square":
		h.Set("X-Square-Hmacsha256-Signature", b64(mac(secret, "http://localhost/v1/webhooks/"+connection, body)))
	case "stripe":
		h.Set("Stripe-Signature", "t="+stamp+",v1="+hex.EncodeToString(mac(secret, stamp, ".", body)))
	default:
		h.Set("Webhook-Id", "msg_1")
		h.Set("Webhook-Timestamp", stamp)
		h.Set("Webhook-Signature", "v1,"+b64(mac(secret, "msg_1.", stamp, ".", body)))
	}
	return h
}

// Each connection believes its own secrets only, writes into its own program
// only, and a secret that is taken away is believed no more.
func TestASignatureIsOfItsConnection(t *testing.T) {
	file, err := engine.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	store, ctx := table.NewStore(file), context.Background()
	secrets := web.Secrets{Connections: map[string][]string{}}
	for _, program := range []string{"first", "second"} {
		d := local.Deployment{Program: program, AdminKey: "sk_" + program, Now: time.Now()}
		for _, k := range kinds {
			if len(k) == 1 {
				id := program + "-" + k[0]
				d.Connections = append(d.Connections, table.Connection{ID: id, Kind: k[0]}, table.Connection{ID: id + "-bare", Kind: k[0]})
				secrets.Connections[id] = []string{"secret of " + id}
			}
		}
		if err := local.Setup(ctx, store, d); err != nil {
			t.Fatal(err)
		}
	}
	api, err := local.API(&web.Gate{Store: store, Clock: time.Now, Timeout: time.Minute, Secrets: func(context.Context) (web.Secrets, error) { return secrets, nil }}, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	place := ""
	send := func(connection, body string, h http.Header) (status int, programs []string) {
		t.Helper()
		r := httptest.NewRequest("POST", "/v1/webhooks/"+connection, strings.NewReader(body))
		r.Host, r.Header = "localhost", h
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, r)
		for {
			changes, next, err := file.Changes(ctx, place, 100)
			if err != nil {
				t.Fatal(err)
			}
			if len(changes) == 0 {
				return rec.Code, programs
			}
			for _, c := range changes {
				programs = append(programs, table.ProgramOf(c.Key))
			}
			place = next
		}
	}
	send("nobody", "{}", http.Header{}) // passes over what setup wrote

	for _, k := range kinds {
		if len(k) > 1 {
			continue
		}
		kind := k[0]
		raw, err := inbound.Files.ReadFile(kind + ".json")
		if err != nil {
			t.Fatal(err)
		}
		body, first, second := string(raw), "first-"+kind, "second-"+kind
		refused := func(what, connection string, h http.Header) {
			t.Helper()
			if status, wrote := send(connection, body, h); status != 401 || len(wrote) > 0 {
				t.Errorf("%s: %s: %d, wrote into %v", kind, what, status, wrote)
			}
		}
		refused("another connection's secret", first, signedBy(kind, first, "secret of "+second, body))
		refused("a delivery to another connection", second, signedBy(kind, first, "secret of "+first, body))
		refused("a connection without secrets", first+"-bare", signedBy(kind, first+"-bare", "", body))
		refused("an API key for a secret", first, signedBy(kind, first, "sk_first", body))
		h := signedBy(kind, first, "nobody's", body)
		h.Set("Authorization", "Bearer sk_first")
		refused("an admin's key beside a bad signature", first, h)

		status, wrote := send(first, body, signedBy(kind, first, "secret of "+first, body))
		if status != 200 || len(wrote) == 0 {
			t.Errorf("%s: its own secret: %d, wrote %d items", kind, status, len(wrote))
		}
		for _, program := range wrote {
			if program != "first" {
				t.Errorf("%s: wrote into the program %q", kind, program)
			}
		}
		again := signedBy(kind, first, "secret of "+first, body)
		if status, wrote := send(first, body, again); status != 200 || len(wrote) > 0 {
			t.Errorf("%s: a replay: %d, wrote into %v", kind, status, wrote)
		}

		old := secrets.Connections[first]
		secrets.Connections[first] = []string{"a new secret", old[0]}
		for _, s := range secrets.Connections[first] {
			if status, _ := send(first, body, signedBy(kind, first, s, body)); status != 200 {
				t.Errorf("%s: %q during a rotation: %d", kind, s, status)
			}
		}
		secrets.Connections[first] = []string{"a new secret"}
		refused("a secret that was taken away", first, signedBy(kind, first, old[0], body))
	}
}
