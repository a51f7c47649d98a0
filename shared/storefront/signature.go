package storefront

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"mime"
	"regexp"
	"strconv"
	"strings"
	"time"

	"regulars/shared/loyalty"
)

// tolerance is how far a signed timestamp may be from now, both ways: as the
// libraries of Stripe and of Standard Webhooks have it by default.
const tolerance = 300 * time.Second

// Verify checks the signature over the raw bytes, in constant time and against
// every secret. What the secrets are, by kind:
//
//   - shopify: the app's client secret (shopify.dev, "Verify webhook deliveries")
//   - woocommerce: the webhook's secret (WC_Webhook::generate_signature)
//   - stripe: the endpoint's secret, whsec_... as text (docs.stripe.com/webhooks/signature)
//   - square: the subscription's signature key; URL must be set (developer.squareup.com, "Verify and validate")
//   - bigcommerce: the app's client secret; standard otherwise (docs, "HTTPS webhooks", "Webhook signature")
//   - standard: whsec_ and base64, or bare base64, or any text; whpk_ and base64 of an
//     ed25519 public key (github.com/standard-webhooks/standard-webhooks, spec)
//
// The one delivery without a signature is the form that WooCommerce posts when
// a webhook is made. An empty body, an empty secret and a header that stands
// twice never verify. The error is a *loyalty.Error of kind Unauthorized.
func Verify(c Connection, d Delivery) error {
	if len(d.Body) > 0 && verified(c, d) {
		return nil
	}
	return &loyalty.Error{
		Kind: loyalty.Unauthorized, Code: "invalid_signature",
		Detail: "the signature does not hold for this body and connection",
	}
}

func verified(c Connection, d Delivery) bool {
	switch c.Kind {
	case "shopify":
		// Both families of headers are in use; each that is there must hold.
		older, newer := d.Header.Values("X-Shopify-Hmac-Sha256"), d.Header.Values("Shopify-Hmac-Sha256")
		return len(older)+len(newer) > 0 && len(older) <= 1 && len(newer) <= 1 &&
			(len(older) == 0 || signed(texts(c.Secrets), fromBase64(older[0]), d.Body)) &&
			(len(newer) == 0 || signed(texts(c.Secrets), fromBase64(newer[0]), d.Body))
	case "woocommerce":
		return isPing(d) || signed(texts(c.Secrets), fromBase64(header(d.Header, "X-WC-Webhook-Signature")), d.Body)
	case "square":
		return c.URL != "" && signed(texts(c.Secrets),
			fromBase64(header(d.Header, "x-square-hmacsha256-signature")), []byte(c.URL), d.Body)
	case "stripe":
		return verifiedStripe(c, d)
	case "bigcommerce", "standard":
		return verifiedStandard(c, d)
	}
	return false
}

var pingBody = regexp.MustCompile(`^webhook_id=\d+$`)

// isPing recognises the unsigned form that WooCommerce posts when a webhook is
// made (WC_Webhook::deliver_ping). It carries nothing that could be acted on.
func isPing(d Delivery) bool {
	kind, _, err := mime.ParseMediaType(header(d.Header, "Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded" &&
		len(d.Header.Values("X-WC-Webhook-Signature")) == 0 && pingBody.Match(d.Body)
}

// verifiedStripe takes v1 only: v0 is for test events, and accepting it would
// let a sender choose the weaker scheme.
func verifiedStripe(c Connection, d Delivery) bool {
	var stamp string
	var sums [][]byte
	for part := range strings.SplitSeq(header(d.Header, "Stripe-Signature"), ",") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || name == "t" && stamp != "" {
			return false
		}
		switch name {
		case "t":
			stamp = value
		case "v1":
			if sum, err := hex.DecodeString(value); err == nil {
				sums = append(sums, sum)
			}
		}
	}
	ok := false
	for _, sum := range sums {
		ok = signed(texts(c.Secrets), sum, []byte(stamp), []byte("."), d.Body) || ok
	}
	return ok && fresh(stamp, d.At)
}

func verifiedStandard(c Connection, d Delivery) bool {
	id, stamp := header(d.Header, "webhook-id"), header(d.Header, "webhook-timestamp")
	if id == "" {
		return false
	}
	var keys [][]byte
	for _, secret := range c.Secrets {
		keys = append(keys, standardKeys(secret)...)
	}
	parts := [][]byte{[]byte(id), []byte("."), []byte(stamp), []byte("."), d.Body}
	ok := false
	for one := range strings.SplitSeq(header(d.Header, "webhook-signature"), " ") {
		version, text, _ := strings.Cut(one, ",")
		switch sum := fromBase64(text); version {
		case "v1":
			ok = signed(keys, sum, parts...) || ok
		case "v1a":
			for _, secret := range c.Secrets {
				text, public := strings.CutPrefix(secret, "whpk_")
				if key := fromBase64(text); public && len(key) == ed25519.PublicKeySize {
					ok = ed25519.Verify(key, join(parts), sum) || ok
				}
			}
		}
	}
	return ok && fresh(stamp, d.At)
}

// standardKeys are the HMAC keys that a secret may mean. whsec_ says base64;
// without it the text itself counts too, because BigCommerce and a local
// secret such as "local-webhook-secret" are plain text. A public key is never
// an HMAC key: everyone has it.
func standardKeys(secret string) [][]byte {
	if secret == "" || strings.HasPrefix(secret, "whpk_") {
		return nil
	}
	text, prefixed := strings.CutPrefix(secret, "whsec_")
	key := fromBase64(text)
	switch {
	case len(key) == 0:
		return [][]byte{[]byte(secret)}
	case prefixed:
		return [][]byte{key}
	}
	return [][]byte{key, []byte(secret)}
}

func texts(secrets []string) [][]byte {
	var keys [][]byte
	for _, s := range secrets {
		if s != "" {
			keys = append(keys, []byte(s))
		}
	}
	return keys
}

// signed tells whether sum is the HMAC-SHA256 of the parts under any key.
func signed(keys [][]byte, sum []byte, parts ...[]byte) bool {
	ok := false
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		for _, p := range parts {
			mac.Write(p)
		}
		ok = hmac.Equal(mac.Sum(nil), sum) || ok
	}
	return ok
}

// fresh tells whether a timestamp in seconds is within tolerance of any instant.
func fresh(stamp string, at []time.Time) bool {
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return false
	}
	for _, now := range at {
		if now.Sub(time.Unix(seconds, 0)).Abs() <= tolerance {
			return true
		}
	}
	return false
}

// fromBase64 is nil for what is not canonical base64: nil equals no signature.
// The decoder itself skips line ends.
func fromBase64(text string) []byte {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil
	}
	return b
}

func join(parts [][]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
