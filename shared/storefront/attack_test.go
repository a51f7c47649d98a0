package storefront_test

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"regulars/shared/storefront"
)

// signatureHeader is where each storefront's signature stands.
func signatureHeader(kind string) string {
	switch kind {
	case "shopify":
		return "X-Shopify-Hmac-Sha256"
	case "woocommerce":
		return "X-WC-Webhook-Signature"
	case "square":
		return "X-Square-Hmacsha256-Signature"
	case "stripe":
		return "Stripe-Signature"
	}
	return "Webhook-Signature"
}

// lists are the storefronts whose header may have several signatures.
var lists = map[string]bool{"stripe": true, "standard": true, "bigcommerce": true}

// What can be made of one good delivery by somebody who lacks the secret:
// nothing that verifies.
func TestNothingCanBeMadeOfAGoodDelivery(t *testing.T) {
	for kind := range kinds {
		body := sample(kind)
		good := sign(kind, secret, body)
		if !verify(kind, good, body, 0, secret) {
			t.Fatalf("%s: the good one does not verify", kind)
		}
		name := signatureHeader(kind)
		value := good.Get(name)
		raw := mac(secret, body) // the sum that the header spells, for one spelling or another
		switch stamp := strconv.FormatInt(signedAt, 10); kind {
		case "square":
			raw = mac(secret, signedURL+body)
		case "stripe":
			raw = mac(secret, stamp+"."+body)
		case "standard", "bigcommerce":
			raw = mac(secret, "msg_1."+stamp+"."+body)
		}
		spelled := func(text string) string {
			for _, as := range []string{hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw)} {
				if strings.HasSuffix(value, as) {
					return strings.TrimSuffix(value, as) + text
				}
			}
			t.Fatalf("%s: %s is not spelled as expected", kind, value)
			return ""
		}
		var decoded any
		dec := json.NewDecoder(strings.NewReader(body))
		dec.UseNumber()
		if err := dec.Decode(&decoded); err != nil {
			t.Fatal(err)
		}
		anew, err := json.Marshal(decoded)
		if err != nil || string(anew) == body {
			t.Fatalf("%s: the sample is as it would be written anew (%v)", kind, err)
		}
		short := sign(kind, secret, "{}")
		short.Set(name, value)

		otherSpelling := base64.StdEncoding.EncodeToString(raw)
		if strings.HasSuffix(value, otherSpelling) {
			otherSpelling = hex.EncodeToString(raw)
		}
		one := func(v ...string) http.Header {
			h := good.Clone()
			h[http.CanonicalHeaderKey(name)] = v
			return h
		}
		bad := spelled(otherSpelling)
		for what, row := range map[string]struct {
			header http.Header
			body   string
		}{
			"the body written anew":             {good, string(anew)},
			"a body of the same length":         {good, strings.Replace(body, "1", "2", 1)},
			"the start of the body":             {good, body[:len(body)-1]},
			"the body after a byte order mark":  {good, "\ufeff" + body},
			"the body with carriage returns":    {good, strings.ReplaceAll(body, "\n", "\r\n")},
			"the body twice":                    {good, body + body},
			"another body":                      {short, "{}"},
			"hex for base64 or the reverse":     {one(spelled(otherSpelling)), body},
			"base64 for URLs":                   {one(spelled(strings.NewReplacer("+", "-", "/", "_").Replace(base64.StdEncoding.EncodeToString(append([]byte{0xfb, 0xff}, raw...))))), body},
			"no padding, or half a digit":       {one(value[:len(value)-1]), body},
			"the first half":                    {one(spelled(hex.EncodeToString(raw[:16]))), body},
			"one byte":                          {one(spelled(base64.StdEncoding.EncodeToString(raw[:1]))), body},
			"more after it":                     {one(value + "A"), body},
			"white space before it":             {one(" " + value), body},
			"a line end after it":               {one(value + "\n"), body},
			"zeros":                             {one(spelled(base64.StdEncoding.EncodeToString(make([]byte, 32)))), body},
			"the good one, then a bad one":      {one(value, bad), body},
			"a bad one, then the good one":      {one(bad, value), body},
			"the good one, then an empty one":   {one(value, ""), body},
			"both in one, the good one first":   {one(value + ", " + bad), body},
			"both in one, the good one last":    {one(bad + ", " + value), body},
			"under a name that only looks like": {http.Header{strings.Replace(name, "-", "_", 1): {value}}, body},
		} {
			if lists[kind] && (strings.HasPrefix(what, "both in one") || what == "white space before it" || what == "more after it" && kind == "stripe") {
				continue // one good signature of a list is enough
			}
			if verify(kind, row.header, row.body, 0, secret) {
				t.Errorf("%s: %s verified", kind, what)
			}
		}
		for other := range kinds { // another storefront's header, right by its own rules, beside none of ours
			same := signatureHeader(other) == name
			if !same && verify(kind, sign(other, secret, body), body, 0, secret) {
				t.Errorf("%s: %s's signature verified", kind, other)
			}
		}
	}
}

// A signed time and a signed id cannot be changed, nor a replay made fresh.
func TestWhatIsSignedWithTheBodyCannotBeChanged(t *testing.T) {
	later := strconv.FormatInt(signedAt+200, 10)
	stripe := sign("stripe", secret, "{}").Get("Stripe-Signature")
	for _, value := range []string{strings.Replace(stripe, strconv.FormatInt(signedAt, 10), later, 1), strings.Replace(stripe, "t=", "t=0", 1), strings.Replace(stripe, "t=", "t=+", 1), "t=" + later + "," + stripe} {
		if verify("stripe", headers("Stripe-Signature", value), "{}", 0, secret) {
			t.Errorf("stripe: %s verified", value)
		}
	}
	for _, kind := range []string{"standard", "bigcommerce"} {
		good := sign(kind, secret, "{}")
		for name, values := range map[string][]string{
			"webhook-timestamp": {later, "0" + good.Get("webhook-timestamp"), good.Get("webhook-timestamp") + ".0", ""},
			"webhook-id":        {"msg_2", "msg_1.", " msg_1", ""},
		} {
			for _, v := range values {
				h := good.Clone()
				h.Set(name, v)
				if verify(kind, h, "{}", 0, secret) {
					t.Errorf("%s: %s of %q verified", kind, name, v)
				}
			}
			h := good.Clone()
			h.Add(name, h.Get(name))
			if verify(kind, h, "{}", 0, secret) {
				t.Errorf("%s: %s twice verified", kind, name)
			}
		}
		if verify(kind, good, "{}", 299*time.Second, secret) != true || verify(kind, good, "{}", 301*time.Second, secret) {
			t.Errorf("%s: a replay is good for 300 seconds", kind)
		}
	}
}

// Only v1 is the scheme of a shared secret; only v1a, with a public key, is
// the other.
func TestStandardSchemesAreNotMixed(t *testing.T) {
	for _, kind := range []string{"standard", "bigcommerce"} {
		good := sign(kind, secret, "{}")
		sum := strings.TrimPrefix(good.Get("webhook-signature"), "v1,")
		for _, value := range []string{
			"v1a," + sum, "v1a,", "v1a", "v2," + sum, "v0," + sum, "V1," + sum, ",v1," + sum, sum, "v1" + sum, "v1=" + sum, "v1a," + base64.StdEncoding.EncodeToString(make([]byte, 64)), "v1,", "v1, " + sum, "v1,v1," + sum,
		} {
			h := good.Clone()
			h.Set("webhook-signature", value)
			if verify(kind, h, "{}", 0, secret) {
				t.Errorf("%s: %q verified", kind, value)
			}
			if h.Set("webhook-signature", value+" v1,"+sum); !verify(kind, h, "{}", 0, secret) {
				t.Errorf("%s: %q beside it spoils a good one", kind, value)
			}
		}
	}
}

// Names of headers have no case, whichever way they come over the wire.
func TestNamesOfHeadersHaveNoCase(t *testing.T) {
	for kind := range kinds {
		for what, as := range map[string]func(string) string{"lower": strings.ToLower, "upper": strings.ToUpper} {
			var wire strings.Builder
			wire.WriteString("POST / HTTP/1.1\r\nHost: shop.example\r\n")
			for name, values := range sign(kind, secret, "{}") {
				wire.WriteString(as(name) + ": " + values[0] + "\r\n")
			}
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String() + "\r\n")))
			if err != nil {
				t.Fatal(err)
			}
			if !verify(kind, r.Header, "{}", 0, secret) {
				t.Errorf("%s: the headers in %s case do not verify", kind, what)
			}
		}
	}
}

// Whatever its headers say, a delivery verifies exactly when it is signed over
// what they say, is fresh and has an id and a body.
func FuzzStandardHeaders(f *testing.F) {
	for _, stamp := range []string{"1773561660", "1773561960", "1773561961", "1773561359", "+1773561660", "01773561660", "1773561660.0", "", "-1", "9223372036854775807", "9223372036854775808"} {
		f.Add("msg_1", stamp, "{}", true)
	}
	f.Add("", "1773561660", "{}", true)
	f.Add("a.b", "1773561660", "{}", true)
	f.Add("msg_1", "1773561660", "", true)
	f.Add("msg_1", "1773561660", "{}", false)
	f.Fuzz(func(t *testing.T, id, stamp, body string, right bool) {
		sum := mac(secret, id+"."+stamp+"."+body)
		if !right {
			sum[len(body)%len(sum)] ^= 1
		}
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(sum)}}
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		want := right && id != "" && body != "" && err == nil && seconds >= signedAt-300 && seconds <= signedAt+300
		if got := verify("standard", h, body, 0, secret); got != want {
			t.Errorf("id %q, timestamp %q, body %q, signed %v: verified %v", id, stamp, body, right, got)
		}
	})
}

// How long a wrong signature takes must not tell how much of it is right:
// compare BenchmarkCompare/first and BenchmarkCompare/last with benchstat.
func BenchmarkCompare(b *testing.B) {
	body := sample("shopify")
	sum := mac(secret, body)
	for name, at := range map[string]int{"first": 0, "last": len(sum) - 1} {
		wrong := append([]byte(nil), sum...)
		wrong[at] ^= 1
		c := storefront.Connection{ID: "shopify", Kind: "shopify", Secrets: []string{secret}}
		d := storefront.Delivery{Header: headers("X-Shopify-Hmac-Sha256", base64.StdEncoding.EncodeToString(wrong)), Body: []byte(body)}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if storefront.Verify(c, d) == nil {
					b.Fatal("a wrong signature verified")
				}
			}
		})
	}
}
