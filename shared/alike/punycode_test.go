package alike

import (
	"strings"
	"testing"

	"golang.org/x/net/idna"
	"pgregory.net/rapid"
)

// What x/net encodes is decoded.
func TestEncodedDomainsAreRead(t *testing.T) {
	for _, d := range []string{"münchen.de", "דוגמה.co.il", "مثال.إختبار", "例え.テスト", "аpple.com", "a-b.ü-x.com", "bücher.bücher.example", "plain.example"} {
		encoded, err := idna.Punycode.ToASCII(d)
		if err != nil {
			t.Fatal(err)
		}
		if got := unencoded(encoded); got != d {
			t.Errorf("%s reads %q, want %q", encoded, got, d)
		}
	}
	for _, bad := range []string{"xn--.com", "xn--!!!.com", "xn--99999999999999.com", "xn--a-ecp.ru-.xn--zzzz\x00"} {
		unencoded(bad) // says nothing, and does not fail
	}
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.StringMatching(`[a-z\x{5d0}-\x{5ea}\x{430}-\x{44f}\x{4e00}-\x{4fff}-]{1,20}`).Draw(t, "label")
		encoded, err := idna.Punycode.ToASCII(label)
		if err != nil || strings.HasPrefix(label, "xn--") {
			return
		}
		if got := unencoded(encoded); got != label {
			t.Errorf("%s reads %q, want %q", encoded, got, label)
		}
	})
}
