// Package words says in English, Hebrew, Arabic and Persian what a program
// document asks for and gives, and why a ledger entry is what it is. The texts
// are made from the rules, never written beside them, so the two cannot
// differ. What a translator reads is in catalog/. It serves nothing, reads no
// table and decides nothing about points.
package words

import (
	"embed"
	"slices"
	"strings"
	"sync"
)

//go:embed catalog/*.txt
var catalogs embed.FS

// Language is a language that texts are written in.
type Language struct {
	Code      string // ISO 639, "he"
	Direction string // "ltr" or "rtl"

	locale  string            // of money
	figures *strings.Replacer // from Western figures to its own; nil: it has the Western ones
	plural  func(n int64) string
	texts   map[string]string
}

// persian has the figures of CLDR's fa.
var persian = strings.NewReplacer("0", "۰", "1", "۱", "2", "۲", "3", "۳", "4", "۴", "5", "۵", "6", "۶", "7", "۷", "8", "۸", "9", "۹", ".", "٫", ",", "٬")

// spoken are the languages, read once.
//
// Arabic has Western figures here: prices, receipts and telephone numbers of
// shops in Israel, the Emirates and most of the Gulf's web shops are in them,
// and they are beside this text. Persian shops write Persian figures.
var spoken = sync.OnceValue(func() map[string]*Language {
	all := map[string]*Language{}
	for _, l := range []*Language{
		{Code: "en", Direction: "ltr", locale: "en", plural: oneOrOther},
		{Code: "he", Direction: "rtl", locale: "he", plural: hebrewPlural},
		{Code: "ar", Direction: "rtl", locale: "ar-AE", plural: arabicPlural},
		{Code: "fa", Direction: "rtl", locale: "fa", plural: always, figures: persian},
	} {
		raw, err := catalogs.ReadFile("catalog/" + l.Code + ".txt")
		if err != nil {
			panic("words: " + err.Error()) // it is part of the binary
		}
		l.texts = parse(string(raw))
		all[l.Code] = l
	}
	return all
})

// parse reads a catalog: "key = text" on a line, and comments behind #.
func parse(catalog string) map[string]string {
	texts := map[string]string{}
	for line := range strings.Lines(catalog) {
		key, text, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if ok && !strings.HasPrefix(key, "#") {
			texts[key] = text
		}
	}
	return texts
}

// Choose is the first language of the wishes, such as "he" or "fa-IR", that
// is spoken here; English when none is.
func Choose(wishes ...string) *Language {
	for _, w := range wishes {
		code, _, _ := strings.Cut(w, "-")
		if l := spoken()[code]; l != nil {
			return l
		}
	}
	return spoken()["en"]
}

// say is a text with its braces filled: pairs of what stands in them and what
// goes there. A text that is not there is said by its key.
func (l *Language) say(key string, fill ...string) string {
	text, ok := l.texts[key]
	if !ok {
		return key
	}
	pairs := slices.Clone(fill)
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// What is between these is laid out by its own direction and does not disturb
// the text around it (UAX #9).
const (
	isolate = "\u2068" // first strong isolate
	end     = "\u2069" // pop directional isolate
)

// steering are the characters by which a name could lay out what is not its own.
var steering = strings.NewReplacer(
	"\u202a", "", "\u202b", "", "\u202c", "", "\u202d", "", "\u202e", "", "\u2066", "", "\u2067", "", "\u2068", "", "\u2069", "",
)

// given isolates text that is not the language's own: names, ids, codes.
func given(s string) string { return isolate + steering.Replace(s) + end }

// own isolates what is the language's and runs its own way within text from
// right to left: numbers, money, dates.
func (l *Language) own(s string) string {
	if l.Direction == "ltr" {
		return s
	}
	return isolate + s + end
}

// list is a list of what is said already.
func (l *Language) list(items []string) string {
	var out string
	for i, s := range items {
		if i == 0 {
			out = s
		} else {
			out = l.say("comma", "a", out, "b", s)
		}
	}
	return out
}

// each is a list of what say makes of the items.
func (l *Language) each(items []string, say func(string) string) string {
	said := make([]string, len(items))
	for i, s := range items {
		said[i] = say(s)
	}
	return l.list(said)
}
