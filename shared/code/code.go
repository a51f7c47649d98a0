// Package code writes personal referral codes: which ones are made, which ones
// a member may choose, and what a friend meant who typed one. Whose code it is,
// and whether it is taken, is the table's to say; vouchers have codes of their
// own, which are secrets (package loyalty), and these are not.
package code

import (
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"regulars/shared/alike/letters"
)

// A code has from 3 to 24 letters and digits.
const (
	least = 3
	most  = 24
)

// maxTyped is the most bytes that are looked at.
const maxTyped = 320

// Normalize is a code as it is kept, for what a person typed or a link held:
// upper case, without spaces, dashes and what is invisible, Arabic and Persian
// digits as 0 to 9 (SC12), look-alikes of Latin letters as these, one letter for the
// variants of an Arabic one. ok is false, and the code "", unless 3 to 24
// letters of A-Z, Hebrew, Arabic or Persian and digits are left.
func Normalize(s string) (code string, ok bool) {
	code, why := read(s)
	if why != "" {
		return "", false
	}
	return code, true
}

// Refusal is why a member may not have the code that they chose; "" is none.
type Refusal string

// Why a chosen code is refused.
const (
	TooShort   Refusal = "too_short"  // fewer than 3 letters and digits
	TooLong    Refusal = "too_long"   // more than 24
	Characters Refusal = "characters" // others than letters of A-Z, Hebrew, Arabic, Persian and digits
	Mixed      Refusal = "mixed"      // letters of two scripts, which nobody types
	FewDigits  Refusal = "few_digits" // digits only, and fewer than 4
	Reserved   Refusal = "reserved"   // seems to speak for the shop or for a machine
)

// reserved are words that seem to be the shop's own, or that programs write
// where they have no value.
var reserved = sync.OnceValue(func() []string {
	return strings.Fields(letters.Upper(`
	ADMIN ADMINISTRATOR API CODE CONTACT COUPON DISCOUNT FALSE FREE FRIEND GIFT GUEST HELP INFO INVITE LOGIN LOGOUT MEMBER
	NAN NIL NONE NULL OFFICIAL POINTS REFER REFERRAL REWARD ROOT SHOP STAFF STORE SUPPORT SYSTEM TEST TRUE UNDEFINED VOUCHER WWW
	מנהל תמיכה חנות מתנה مدير متجر دعم فروشگاه پشتیبانی`))
})

// Readable tells why a member may not choose a code, as they typed it; "" when they may.
func Readable(s string) Refusal {
	code, why := read(s)
	switch {
	case why != "":
		return why
	case scripts(code) > 1:
		return Mixed
	case len(code) < 4 && strings.Trim(code, "0123456789") == "":
		return FewDigits
	case slices.Contains(reserved(), code):
		return Reserved
	}
	return ""
}

func read(s string) (string, Refusal) {
	if len(s) > maxTyped {
		return "", TooLong
	}
	code := strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, letters.Upper(s))
	switch n := utf8.RuneCountInString(code); {
	case strings.ContainsFunc(code, func(r rune) bool { return !ours(r) }):
		return "", Characters
	case n < least:
		return "", TooShort
	case n > most:
		return "", TooLong
	}
	return code, ""
}

func ours(r rune) bool {
	return r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || unicode.IsLetter(r) && unicode.In(r, unicode.Hebrew, unicode.Arabic)
}

func scripts(code string) (n int) {
	for _, script := range []*unicode.RangeTable{unicode.Latin, unicode.Hebrew, unicode.Arabic} {
		if strings.ContainsFunc(code, func(r rune) bool { return unicode.Is(script, r) }) {
			n++
		}
	}
	return n
}

// alphabet of codes that are made. Left out is what looks like another (0 O Q,
// 1 I L, 5 S, 2 Z, 8 B, U V), the vowels and Y, so that no word comes about,
// and 3 4 6, which are read as E A G. Sixteen are left: a byte picks each as often.
const alphabet = "CDFGHJKMNPRTWX79"

// Generate makes a code of 8 letters, the same one of the same bytes. Of 8
// random bytes or more it has 32 bits: with a million codes out, one
// in 4295 guesses finds somebody's, and the next one made is taken already
// as rarely, so whoever keeps it must look, and ask again with other bytes.
func Generate(random []byte) string {
	sum := sha256.Sum256(random)
	out := make([]byte, 8)
	for i := range out {
		out[i] = alphabet[sum[i]%byte(len(alphabet))]
	}
	return string(out)
}
