// Package alike tells whether two persons may be one. Each function turns
// what was told of a person (an e-mail, a phone, an address, a name, a network)
// into a key: equal keys make one person likely, and "" says nothing. Keys are
// for comparing only; they are not how to reach anybody.
//
// What follows from it is not decided here: who is refused, who is reviewed.
// Nor is who a member is: identities (package table) are compared to the
// letter, since being taken for another must never open an account.
package alike

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"regulars/shared/alike/letters"
)

// maxText is the most bytes that are looked at, and the most a key has.
const maxText = 320

// settle applies a rule until nothing changes, so that the key of a key is
// itself. One that does not come to rest, or is too long, says nothing.
func settle(s string, rule func(string) string) string {
	for range 8 {
		if len(s) > maxText || !utf8.ValidString(s) {
			return ""
		}
		was := s
		if s = rule(s); s == was {
			return s
		}
	}
	return ""
}

// Name is the key of a person's name: its words without case, accents and
// apostrophes, in whichever order they stand.
func Name(s string) string {
	return settle(s, func(s string) string { return strings.Join(sorted(words(s)), " ") })
}

// words are the runs of letters and digits; an apostrophe, a geresh or a
// gershayim is no gap between them.
func words(s string) []string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune("'’‘`´ʼ׳״\"＇＂", r) {
			return -1
		}
		return r
	}, s)
	return strings.FieldsFunc(letters.Lower(s), func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) })
}
