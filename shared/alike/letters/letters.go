// Package letters writes a text in one way, whichever letters it was typed
// with: two texts that people take for the same become equal. Words, numbers
// and addresses are not known here, nor is any language but by its letters.
package letters

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Lower folds a text to lower case: compatibility forms (NFKC, so full width
// is narrow), marks and points dropped, look-alikes of Latin letters and
// digits as these, Arabic and Persian digits and letters as one, every dash
// "-", and nothing invisible. Folding again changes nothing. Letters that are
// not ASCII are looked at small, then large: Greek ν is v, Cyrillic в is b.
func Lower(s string) string {
	return fold(s, unicode.ToLower, unicode.ToUpper)
}

// Upper folds a text to upper case, as Lower does; letters are looked at
// large, then small: Greek ν is N.
func Upper(s string) string {
	return fold(s, unicode.ToUpper, unicode.ToLower)
}

// variants of a letter that keyboards of one script type for each other, and
// Latin letters that do not decompose. Small letters only.
var variants = map[rune]string{
	'ى': "ي", 'ی': "ي", 'ې': "ي", 'ے': "ي", 'ک': "ك", 'ڪ': "ك", 'ة': "ه", 'ە': "ه", 'ہ': "ه", 'ھ': "ه", 'ۃ': "ه", 'ٱ': "ا", 'ـ': "",
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ħ': "h", 'ı': "i",
}

// likeLatin are the scripts whose letters pass for Latin ones. In Hebrew and
// Arabic UTS #39 finds look-alikes too (ס and ه of o): they deceive nobody,
// and folding them would make one word of two.
var likeLatin = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Coptic, unicode.Cherokee, unicode.Lisu}

// lunate is the sigma that looks like a c, which NFKC writes as any other.
var lunate = strings.NewReplacer("ϲ", "c", "Ϲ", "C")

func fold(s string, first, second func(rune) rune) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(norm.NFKC.String(lunate.Replace(s))) {
		if r == 'ς' {
			r = 'σ' // the same letter, at the end of a word
		}
		switch to, known := variants[unicode.ToLower(r)]; {
		case Invisible(r) || mark(r):
		case r < unicode.MaxASCII:
			b.WriteRune(first(r))
		case known:
			b.WriteString(strings.Map(first, to))
		case r >= '٠' && r <= '٩':
			b.WriteRune(r - '٠' + '0')
		case r >= '۰' && r <= '۹':
			b.WriteRune(r - '۰' + '0')
		case unicode.Is(unicode.Pd, r):
			b.WriteByte('-')
		case unicode.In(r, likeLatin...):
			if like := looks(first(r)); like != "" {
				b.WriteString(strings.Map(first, like))
			} else if like := looks(second(first(r))); like != "" {
				b.WriteString(strings.Map(first, like))
			} else {
				b.WriteRune(first(r))
			}
		default:
			b.WriteRune(first(r))
		}
	}
	return norm.NFC.String(b.String())
}

// looks is the ASCII that a letter looks like; "" when like none.
func looks(r rune) string { return lookAlikes()[r] }

// lookalikes.txt has ASCII, and the letters of these scripts whose skeleton it is
// (Unicode Technical Standard #39, section 4): the part of the standard's table
// that is used here. A test holds it against the whole, and writes it anew with
// -update.
//
//go:embed lookalikes.txt
var lookAlikeList string

var lookAlikes = sync.OnceValue(func() map[rune]string {
	all := map[rune]string{}
	for line := range strings.Lines(lookAlikeList) {
		like, letters, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, r := range letters {
			all[r] = like
		}
	}
	return all
})

// Invisible tells whether a character shows nothing: joiners, directions of
// text, soft hyphens, fillers.
func Invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// mark tells whether a character is an accent, a Hebrew point or an Arabic
// vowel. Marks that are letters elsewhere stay: those of India, and the two
// that make another kana.
func mark(r rune) bool {
	return unicode.Is(unicode.Mn, r) && unicode.In(r, unicode.Inherited, unicode.Hebrew, unicode.Arabic, unicode.Greek, unicode.Cyrillic) && r != '\u3099' && r != '\u309a'
}
