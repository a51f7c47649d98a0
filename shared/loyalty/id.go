package loyalty

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What ids from outside must be, for people.
const (
	SourceRule = "must be 1 to 40 of a-z, 0-9, _ and -"
	IDRule     = "must be 1 to 200 bytes of UTF-8 without /, # and control characters, and not . or .."
)

var source = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)

// ValidSource tells whether s can name a source of orders.
func ValidSource(s string) bool { return source.MatchString(s) }

// ValidID tells whether s can be an id that a shop gave. '#' parts keys of
// the table and '/' paths, so neither may be within.
func ValidID(s string) bool {
	return s != "." && s != ".." && len(s) > 0 && len(s) <= 200 && utf8.ValidString(s) && !strings.ContainsAny(s, "/#") && strings.IndexFunc(s, unicode.IsControl) < 0
}

// CardSource is the source whose external ids are the numbers of cards.
const CardSource = "card"

// OwnID answers what follows the prefix in an id that we gave. The second
// answer is false for what cannot be one.
func OwnID(prefix, id string) (string, bool) {
	bare, ok := strings.CutPrefix(id, prefix)
	if !ok || len(bare) == 0 || len(bare) > 40 {
		return "", false
	}
	for _, c := range []byte(bare) {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z') {
			return "", false
		}
	}
	return bare, true
}
