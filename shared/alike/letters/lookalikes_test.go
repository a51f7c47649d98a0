package letters

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/mtibben/confusables"
)

var update = flag.Bool("update", false, "write lookalikes.txt from the standard's table")

// skeleton is the ASCII that a letter looks like by the standard's whole table.
func skeleton(r rune) string {
	s := strings.Map(func(r rune) rune {
		if mark(r) {
			return -1
		}
		return r
	}, confusables.Skeleton(string(r)))
	if strings.ContainsFunc(s, func(r rune) bool { return r >= unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		return ""
	}
	if s == "l" && unicode.IsUpper(r) {
		return "I" // whose skeleton is l
	}
	return s
}

func TestLookAlikesAreTheStandards(t *testing.T) {
	like := map[string]string{} // what lookalikes.txt is to have
	for r := rune(unicode.MaxASCII + 1); r <= unicode.MaxRune; r++ {
		if !unicode.In(r, likeLatin...) {
			continue
		}
		want := skeleton(r)
		if want != "" {
			like[want] += string(r)
		}
		if got := looks(r); got != want && !*update {
			t.Errorf("%U %c looks like %q, by the standard like %q", r, r, got, want)
		}
	}
	if *update {
		var out strings.Builder
		for _, ascii := range slices.Sorted(maps.Keys(like)) {
			out.WriteString(ascii + " " + like[ascii] + "\n")
		}
		if err := os.WriteFile("lookalikes.txt", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
