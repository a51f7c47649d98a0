package storefront_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/storefront"
)

// TestPublishedSignatureVectors runs the vectors that the vendors' own
// libraries are tested with. All 39 apply. The one of ed25519 gives the private
// key, from which the public one, which a receiver has, is taken.
func TestPublishedSignatureVectors(t *testing.T) {
	var vectors []struct {
		Scheme    string `json:"scheme"`
		Name      string `json:"name"`
		Secret    string `json:"secret"`
		Body      string `json:"body"`
		Header    string `json:"header_name"`
		Value     string `json:"header_value"`
		Valid     bool   `json:"expect_valid"`
		Now       int64  `json:"now"`
		ID        string `json:"webhook_id"`
		Timestamp string `json:"webhook_timestamp"`
		URL       string `json:"notification_url"`
	}
	if err := json.Unmarshal([]byte(recorded(t, "signature_vectors.json")), &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 39 {
		t.Errorf("%d vectors, want 39", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Scheme+"/"+v.Name, func(t *testing.T) {
			c := storefront.Connection{ID: "c", Kind: v.Scheme, Secrets: []string{v.Secret}, URL: v.URL}
			switch v.Scheme {
			case "standard-webhooks":
				c.Kind = "standard"
			case "standard-webhooks-ed25519":
				private, err := base64.StdEncoding.DecodeString(v.Secret)
				if err != nil {
					t.Fatal(err)
				}
				public := ed25519.PrivateKey(private).Public().(ed25519.PublicKey)
				c.Kind, c.Secrets = "standard", []string{"whpk_" + base64.StdEncoding.EncodeToString(public)}
			}
			d := storefront.Delivery{
				Header: headers(v.Header, v.Value, "webhook-id", v.ID, "webhook-timestamp", v.Timestamp),
				Body:   []byte(v.Body), At: []time.Time{time.Unix(v.Now, 0)},
			}
			if got := storefront.Verify(c, d) == nil; got != v.Valid {
				t.Errorf("verified %v, want %v", got, v.Valid)
			}
		})
	}
}

const secret, signedURL, signedAt = "local-webhook-secret", "https://shop.example/v1/webhooks/square", int64(1773561660)

func mac(key, text string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

// sign is what each storefront's documentation tells a sender to do.
func sign(kind, key, body string) http.Header {
	stamp := strconv.FormatInt(signedAt, 10)
	b64 := base64.StdEncoding.EncodeToString
	switch kind {
	case "shopify":
		return headers("X-Shopify-Hmac-Sha256", b64(mac(key, body)))
	case "woocommerce":
		return headers("X-WC-Webhook-Signature", b64(mac(key, body)))
	case "square":
		return headers("x-square-hmacsha256-signature", b64(mac(key, signedURL+body)))
	case "stripe":
		return headers("Stripe-Signature", "t="+stamp+",v1="+hex.EncodeToString(mac(key, stamp+"."+body)))
	}
	return headers("webhook-id", "msg_1", "webhook-timestamp", stamp,
		"webhook-signature", "v1,"+b64(mac(key, "msg_1."+stamp+"."+body)))
}

func verify(kind string, h http.Header, body string, after time.Duration, secrets ...string) bool {
	c := storefront.Connection{ID: kind, Kind: kind, Secrets: secrets, URL: signedURL}
	err := storefront.Verify(c, storefront.Delivery{
		Header: h, Body: []byte(body), At: []time.Time{{}, time.Unix(signedAt, 0).Add(after)},
	})
	if e := (*loyalty.Error)(nil); err != nil && (!errors.As(err, &e) || e.Kind != loyalty.Unauthorized || e.Code != "invalid_signature") {
		panic(err)
	}
	return err == nil
}

func TestVerify(t *testing.T) {
	for kind := range kinds {
		body := sample(kind)
		good := sign(kind, secret, body)
		name := map[string]string{
			"shopify": "X-Shopify-Hmac-Sha256", "woocommerce": "X-WC-Webhook-Signature",
			"square": "x-square-hmacsha256-signature", "stripe": "Stripe-Signature",
		}[kind]
		if name == "" {
			name = "webhook-signature"
		}
		with := func(value ...string) http.Header {
			h := good.Clone()
			h[http.CanonicalHeaderKey(name)] = value
			return h
		}
		value := good.Get(name)
		broken := value[:len(value)-5] + "AAAA" + value[len(value)-1:]
		for _, row := range []struct {
			name    string
			header  http.Header
			body    string
			secrets []string
			want    bool
		}{
			{"a signed body verifies", good, body, []string{secret}, true},
			{"the older of two secrets verifies during a rotation", good, body, []string{"new", secret}, true},
			{"the newer of two secrets verifies during a rotation", good, body, []string{secret, "old"}, true},
			{"another shop's secret does not", good, body, []string{"other"}, false},
			{"no secret does not", good, body, nil, false},
			{"an empty secret does not", sign(kind, "", body), body, []string{""}, false},
			{"an empty secret beside another does not", sign(kind, "", body), body, []string{"", "other"}, false},
			{"an empty body does not, although signed", sign(kind, secret, ""), "", []string{secret}, false},
			{"a body that was written anew does not", good, body + " ", []string{secret}, false},
			{"a changed signature does not", with(broken), body, []string{secret}, false},
			{"a cut signature does not", with(value[:len(value)/2]), body, []string{secret}, false},
			{"no signature does not", with(), body, []string{secret}, false},
			{"an empty signature does not", with(""), body, []string{secret}, false},
			{"the header twice does not", with(value, value), body, []string{secret}, false},
			{"the header twice, the good one last, does not", with(broken, value), body, []string{secret}, false},
			{"another kind's signature does not", sign(map[bool]string{true: "stripe", false: "shopify"}[kind == "shopify"], secret, body), body, []string{secret}, false},
		} {
			t.Run(kind+"/"+row.name, func(t *testing.T) {
				if got := verify(kind, row.header, row.body, 0, row.secrets...); got != row.want {
					t.Errorf("verified %v, want %v", got, row.want)
				}
			})
		}
	}
	if verify("ebay", sign("shopify", secret, "{}"), "{}", 0, secret) {
		t.Error("an unknown kind verified")
	}
}

func TestTimestampsAreGoodFor300SecondsBothWays(t *testing.T) {
	for _, kind := range []string{"stripe", "standard", "bigcommerce"} {
		for after, want := range map[time.Duration]bool{
			-301 * time.Second: false, -300 * time.Second: true, 0: true, 300 * time.Second: true, 301 * time.Second: false,
		} {
			if got := verify(kind, sign(kind, secret, "{}"), "{}", after, secret); got != want {
				t.Errorf("%s after %v: verified %v, want %v", kind, after, got, want)
			}
		}
		c := storefront.Connection{ID: kind, Kind: kind, Secrets: []string{secret}}
		if storefront.Verify(c, storefront.Delivery{Header: sign(kind, secret, "{}"), Body: []byte("{}")}) == nil {
			t.Errorf("%s verified without any clock", kind)
		}
	}
}

func TestStripeTakesNoWeakerScheme(t *testing.T) {
	good := sign("stripe", secret, "{}").Get("Stripe-Signature")
	for name, value := range map[string]string{
		"only v0":   strings.Replace(good, "v1=", "v0=", 1),
		"two times": good + ",t=1",
		"no time":   good[strings.Index(good, ",")+1:],
		"upper V1":  strings.Replace(good, "v1=", "V1=", 1),
		"two of it": good + "," + good,
	} {
		if verify("stripe", headers("Stripe-Signature", value), "{}", 0, secret) {
			t.Errorf("%s verified", name)
		}
	}
	if !verify("stripe", headers("Stripe-Signature", good+",v1=00,v0=11"), "{}", 0, secret) {
		t.Error("a second v1, of another secret, spoils the first")
	}
}

func TestStandardSecrets(t *testing.T) {
	const raw = "0123456789abcdef0123456789abcdef"
	b64 := base64.StdEncoding.EncodeToString([]byte(raw))
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	whpk := "whpk_" + base64.StdEncoding.EncodeToString(public)
	for _, row := range []struct {
		name, key, secret string
		want              bool
	}{
		{"whsec_ and base64 means the bytes", raw, "whsec_" + b64, true},
		{"whsec_ and base64 does not mean the text", "whsec_" + b64, "whsec_" + b64, false},
		{"bare base64 means the bytes", raw, b64, true},
		{"bare base64 may mean the text", b64, b64, true},
		{"what is not base64 means the text", secret, secret, true},
		{"a public key is no shared secret", whpk, whpk, false},
		{"the bytes of a public key are no shared secret", string(public), whpk, false},
		{"whsec_ alone does not mean the empty key", "", "whsec_", false},
	} {
		for _, kind := range []string{"standard", "bigcommerce"} {
			t.Run(kind+"/"+row.name, func(t *testing.T) {
				if got := verify(kind, sign(kind, row.key, "{}"), "{}", 0, row.secret); got != row.want {
					t.Errorf("verified %v, want %v", got, row.want)
				}
			})
		}
	}
	h := sign("standard", secret, "{}")
	sum := ed25519.Sign(private, []byte("msg_1."+h.Get("webhook-timestamp")+".{}"))
	h.Set("webhook-signature", "v1a,"+base64.StdEncoding.EncodeToString(sum))
	if !verify("standard", h, "{}", 0, whpk) || verify("standard", h, "{ }", 0, whpk) || verify("standard", h, "{}", 0, whpk[:20]) {
		t.Error("ed25519: want exactly the signed body, and a whole key")
	}
}

func TestShopifySendsTwoFamiliesOfHeaders(t *testing.T) {
	good := sign("shopify", secret, "{}").Get("X-Shopify-Hmac-Sha256")
	for _, row := range []struct {
		name   string
		header http.Header
		want   bool
	}{
		{"the newer alone verifies", headers("Shopify-Hmac-Sha256", good), true},
		{"both verify", headers("Shopify-Hmac-Sha256", good, "X-Shopify-Hmac-Sha256", good), true},
		{"one that does not hold spoils both", headers("Shopify-Hmac-Sha256", good, "X-Shopify-Hmac-Sha256", "AAAA"), false},
		{"the newer twice does not", headers("Shopify-Hmac-Sha256", good, "Shopify-Hmac-Sha256", good), false},
	} {
		if got := verify("shopify", row.header, "{}", 0, secret); got != row.want {
			t.Errorf("%s: verified %v", row.name, got)
		}
	}
}

func TestWooCommercePing(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, row := range []struct {
		name, kind, body string
		header           http.Header
		want             bool
	}{
		{"the unsigned ping verifies", "woocommerce", "webhook_id=12", headers("Content-Type", form+"; charset=UTF-8"), true},
		{"not with another field", "woocommerce", "webhook_id=12&x=1", headers("Content-Type", form), false},
		{"not with a second line", "woocommerce", "webhook_id=12\n", headers("Content-Type", form), false},
		{"not as JSON", "woocommerce", "webhook_id=12", headers("Content-Type", "application/json"), false},
		{"not with a bad signature", "woocommerce", "webhook_id=12", headers("Content-Type", form, "X-WC-Webhook-Signature", "AAAA"), false},
		{"not elsewhere", "shopify", "webhook_id=12", headers("Content-Type", form), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := verify(row.kind, row.header, row.body, 0, secret); got != row.want {
				t.Errorf("verified %v, want %v", got, row.want)
			}
			if !row.want {
				return
			}
			m, err := read(row.kind, row.header, row.body)
			if err != nil || m.Ignored != storefront.Ping {
				t.Errorf("got %+v, %v", m, err)
			}
		})
	}
}

func TestSquareNeedsItsURL(t *testing.T) {
	h := headers("x-square-hmacsha256-signature", base64.StdEncoding.EncodeToString(mac(secret, "{}")))
	c := storefront.Connection{ID: "square", Kind: "square", Secrets: []string{secret}}
	if storefront.Verify(c, storefront.Delivery{Header: h, Body: []byte("{}")}) == nil {
		t.Error("a connection without a URL verified")
	}
}
