package alike

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// streets.txt has the words of an address that are written in many ways.
//
//go:embed streets.txt
var streetList string

// streets leads each way of writing a word to the one that counts.
var streets = sync.OnceValue(func() map[string]string {
	known := map[string]string{}
	for line := range strings.Lines(streetList) {
		if as, ways, ok := strings.Cut(line, ":"); ok {
			for _, way := range words(ways) {
				known[way] = as
			}
		}
	}
	return known
})

// Address is the key of where parcels go. line is street, house and flat in
// whichever order, and the city counts only where there is no postcode, since
// cities have many spellings. country is an ISO 3166 code. "" without a line
// or without both others.
func Address(line, city, postcode, country string) string {
	if all := line + city + postcode + country; len(all) > maxText || !utf8.ValidString(all) {
		return ""
	}
	place := strings.Join(words(postcode), "")
	nation := strings.Join(words(country), "")
	if nation == "us" && len(place) == 9 {
		place = place[:5] // ZIP+4 is a ZIP
	}
	if place == "" {
		place = strings.Join(words(city), " ")
	}
	street := street(line)
	key := street + "|" + place + "|" + nation
	if street == "" || place == "" || len(key) > maxText {
		return ""
	}
	return key
}

// street is a line's words, then the numbers of houses, then those of flats.
// The kinds "street" and "number" say nothing; what follows a "unit" is a flat.
func street(line string) string {
	var named, houses, flats []string
	unit := false
	for _, w := range parts(line) {
		as, known := streets()[w]
		switch {
		case as == "unit":
			unit = true
			continue
		case as == "-":
			continue
		case unit:
			flats = append(flats, w)
		case known:
			named = append(named, as)
		case digit(rune(w[0])):
			houses = append(houses, w)
		default:
			named = append(named, w)
		}
		unit = false
	}
	return strings.Join(slices.Concat(sorted(named), houses, flats), " ")
}

// parts are words, of which "5a" is two.
func parts(line string) (out []string) {
	for _, w := range words(line) {
		for w != "" {
			number := digit(rune(w[0]))
			end := strings.IndexFunc(w, func(r rune) bool { return digit(r) != number })
			if end < 0 {
				end = len(w)
			}
			out, w = append(out, w[:end]), w[end:]
		}
	}
	return out
}

func digit(r rune) bool { return r >= '0' && r <= '9' }

func sorted(words []string) []string {
	slices.Sort(words)
	return words
}
