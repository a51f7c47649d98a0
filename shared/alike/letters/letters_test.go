package letters_test

import (
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"regulars/shared/alike/letters"
)

// Spellings of each row are one.
func TestOneSpelling(t *testing.T) {
	for name, c := range map[string]struct{ lower, upper, typed string }{
		"plain":                  {"adv1", "ADV1", "aDv1"},
		"full width":             {"adv1", "ADV1", "ａＤｖ１"},
		"mathematical":           {"adv", "ADV", "𝐚𝓓𝚟"},
		"cyrillic":               {"bhtmkac", "BHTMKAC", "внтмкас"},
		"cyrillic large":         {"bhtmkac", "BHTMKAC", "ВНТМКАС"},
		"cyrillic i":             {"i", "I", "І"},
		"greek nu":               {"v", "N", "ν"},
		"greek omicron":          {"oo", "OO", "οΟ"},
		"lunate sigma":           {"cc", "CC", "ϲϹ"},
		"greek sigma":            {"ooi", "OOI", "σςι"},
		"accents":                {"jose", "JOSE", "José"},
		"accents apart":          {"jose", "JOSE", "Jose\u0301"},
		"letters with a stroke":  {"ol", "OL", "Øł"},
		"sharp s":                {"strasse", "STRASSE", "Straße"},
		"turkish i":              {"ii", "II", "İı"},
		"hebrew points":          {"שלום", "שלום", "שָׁלוֹם"},
		"hebrew samekh is no o":  {"ס", "ס", "ס"},
		"arabic vowels":          {"محمد", "محمد", "مُحَمَّد"},
		"tatweel":                {"محمد", "محمد", "محـــمد"},
		"hamza":                  {"احمد", "احمد", "أحمد"},
		"persian letters":        {"علي كريمي", "علي كريمي", "علی کریمی"},
		"teh marbuta":            {"فاطمه", "فاطمه", "فاطمة"},
		"arabic digits":          {"2026", "2026", "٢٠٢٦"},
		"persian digits":         {"2026", "2026", "۲۰۲۶"},
		"presentation forms":     {"لا", "لا", "ﻻ"},
		"zero width":             {"adv", "ADV", "a\u200bd\u200fv\ufeff"},
		"dashes":                 {"a-b-c", "A-B-C", "a–b‑c"},
		"hindi keeps its vowels": {"कि", "कि", "कि"},
		"kana keep their marks":  {"ガパ", "ガパ", "ｶﾞﾊﾟ"},
		"hangul is whole":        {"한글", "한글", "한글"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := letters.Lower(c.typed); got != c.lower {
				t.Errorf("Lower(%q) = %q, want %q", c.typed, got, c.lower)
			}
			if got := letters.Upper(c.typed); got != c.upper {
				t.Errorf("Upper(%q) = %q, want %q", c.typed, got, c.upper)
			}
		})
	}
}

// Every character there is, folded twice, is what it was folded once.
func TestFoldingEndsForEveryCharacter(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		for name, fold := range map[string]func(string) string{"Lower": letters.Lower, "Upper": letters.Upper} {
			if once := fold(string(r)); fold(once) != once {
				t.Errorf("%s(%U %q) = %q, again %q", name, r, r, once, fold(once))
			}
		}
	}
}

func TestFoldingEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		for name, fold := range map[string]func(string) string{"Lower": letters.Lower, "Upper": letters.Upper} {
			if once := fold(s); fold(once) != once {
				t.Errorf("%s(%q) = %q, again %q", name, s, once, fold(once))
			}
		}
	})
}
