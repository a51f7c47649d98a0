package code_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"regulars/shared/code"
)

func TestNormalize(t *testing.T) {
	for name, c := range map[string]struct{ typed, want string }{
		"as it is":            {"DANA2026", "DANA2026"},
		"case":                {"dana2026", "DANA2026"},
		"spaces and dashes":   {" da-na 20–26 ", "DANA2026"},
		"SC12":                {"٢٠٢٦", "2026"},
		"persian digits":      {"dana۲۰۲۶", "DANA2026"},
		"full width":          {"ＤＡＮＡ２０２６", "DANA2026"},
		"cyrillic":            {"АОВ", "AOB"},
		"cyrillic small":      {"аов", "AOB"},
		"cyrillic i":          {"ІСЕ", "ICE"},
		"greek":               {"ΝΟΑ", "NOA"},
		"accents":             {"josé", "JOSE"},
		"sharp s":             {"groß", "GROSS"},
		"turkish":             {"dılara", "DILARA"},
		"invisible":           {"\u202ada\u200dna\u202c\ufeff", "DANA"},
		"non-breaking space":  {"da\u00a0na", "DANA"},
		"hebrew":              {"נועה-25", "נועה25"},
		"hebrew points":       {"נוֹעָה", "נועה"},
		"arabic":              {"أحمد٢٥", "احمد25"},
		"persian yeh and kaf": {"علی\u200cکریمی", "عليكريمي"},
		"arabic yeh and kaf":  {"عليكريمي", "عليكريمي"},
		"persian letters":     {"پژمان", "پژمان"},
		"tatweel":             {"محـــمد", "محمد"},
		"two scripts":         {"danaנ", "DANAנ"},
		"shortest":            {"abc", "ABC"},
		"longest":             {strings.Repeat("ab", 12), strings.Repeat("AB", 12)},
		"longest with dashes": {strings.Repeat("a-b-", 12), strings.Repeat("AB", 12)},
		"too short":           {"ab", ""},
		"too short when cut":  {"a-b", ""},
		"too long":            {strings.Repeat("a", 25), ""},
		"far too long":        {strings.Repeat("-", 320) + "abc", ""},
		"empty":               {"", ""},
		"underscore":          {"dana_2026", ""},
		"slash":               {"dana/2026", ""},
		"percent":             {"dana%20", ""},
		"emoji":               {"dana🎁", ""},
		"cyrillic of its own": {"ИВАН", ""},
		"thai":                {"ดานา", ""},
		"invalid UTF-8":       {"dana\xff", ""},
		"control":             {"da\x00na", ""},
		"arabic full stop":    {"محمد۔", ""},
		"arabic punctuation":  {"محمد؟", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := code.Normalize(c.typed); got != c.want || ok != (c.want != "") {
				t.Errorf("%q is %q, %v; want %q", c.typed, got, ok, c.want)
			}
		})
	}
}

func TestReadable(t *testing.T) {
	for name, c := range map[string]struct {
		typed string
		want  code.Refusal
	}{
		"a name":             {"Dana", ""},
		"with a year":        {"dana-2026", ""},
		"hebrew with digits": {"נועה25", ""},
		"persian":            {"علی", ""},
		"four digits":        {"2026", ""},
		"three digits":       {"٢٠٢", code.FewDigits},
		"too short":          {"d-a", code.TooShort},
		"empty":              {"", code.TooShort},
		"too long":           {strings.Repeat("a", 25), code.TooLong},
		"far too long":       {strings.Repeat("a", 400), code.TooLong},
		"characters":         {"dana!", code.Characters},
		"two scripts":        {"danaנועה", code.Mixed},
		"reserved":           {"admin", code.Reserved},
		"reserved, disguise": {"a-d-m-і-n", code.Reserved},
		"reserved, hebrew":   {"מנהל", code.Reserved},
		"reserved, persian":  {"پشتیبانی", code.Reserved},
		"holds a reserved":   {"admina", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := code.Readable(c.typed); got != c.want {
				t.Errorf("%q: %q, want %q", c.typed, got, c.want)
			}
		})
	}
}

// Codes do not change from one version to the next: printed cards have them.
func TestGenerate(t *testing.T) {
	for random, want := range map[string]string{"": "GCHFNWWH", "regulars": "HDNDMPFG"} {
		if got := code.Generate([]byte(random)); got != want {
			t.Errorf("%q makes %s, want %s", random, got, want)
		}
	}
}

// A code that is made is kept as it is, may be chosen, and forms no word. All
// letters come, about as often.
func TestGeneratedCodes(t *testing.T) {
	form := regexp.MustCompile(`^[CDFGHJKMNPRTWX79]{8}$`)
	often, seen := map[rune]int{}, map[string]bool{}
	for i := range 20000 {
		c := code.Generate([]byte{byte(i), byte(i >> 8), 7, 7, 7, 7, 7, 7})
		if n, ok := code.Normalize(c); !ok || n != c || !form.MatchString(c) || code.Readable(c) != "" {
			t.Fatalf("%q", c)
		}
		for _, r := range c {
			often[r]++
		}
		seen[c] = true
	}
	if len(seen) < 19990 || len(often) != 16 {
		t.Errorf("%d codes of %d letters", len(seen), len(often))
	}
	for r, n := range often { // 10000 each; 5 standard deviations are 484
		if n < 9500 || n > 10500 {
			t.Errorf("%c comes %d times", r, n)
		}
	}
}

// laws hold for any text.
func laws(t interface{ Errorf(string, ...any) }, s string) {
	c, ok := code.Normalize(s)
	if again, still := code.Normalize(c); again != c || still != ok {
		t.Errorf("%q is %q, again %q", s, c, again)
	}
	if n := utf8.RuneCountInString(c); ok != (c != "") || ok && (n < 3 || n > 24) {
		t.Errorf("%q is %q, %v", s, c, ok)
	}
	switch why := code.Readable(s); why {
	case "", code.Mixed, code.FewDigits, code.Reserved:
		if !ok {
			t.Errorf("%q may be chosen (%q), but is no code", s, why)
		}
	default:
		if ok {
			t.Errorf("%q may not be chosen (%q), but is the code %q", s, why, c)
		}
	}
}

func TestLaws(t *testing.T) {
	piece := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z0-9 -]{0,5}`), rapid.SampledFrom([]string{"٢", "۲", "Ａ", "ﷺ", "\u200f", "\xff", "ß", "İ", "ς", "σ", "Ⅷ", "ﬃ", "ŉ", "علی", "נ", "І"}))
	rapid.Check(t, func(t *rapid.T) {
		laws(t, strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "s"), ""))
	})
}

// However a code is typed, it is the same one.
func TestTyping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := code.Generate(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "random"))
		typed := ""
		for _, r := range want {
			like := []string{string(r), strings.ToLower(string(r)), string(r - '!' + '！')}
			for _, others := range []string{"CСсϹ", "HНнΗ", "KКкΚ", "MМмΜ", "NΝ", "PРрΡ", "TТтΤ", "XХхΧ", "7٧۷", "9٩۹"} {
				if strings.ContainsRune(others, r) {
					like = append(like, strings.Split(others, "")...)
				}
			}
			typed += rapid.SampledFrom([]string{"", " ", "-", "\u200b", "–"}).Draw(t, "between") + rapid.SampledFrom(like).Draw(t, "letter")
		}
		if got, ok := code.Normalize(typed); !ok || got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
	})
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"DANA2026", "٢٠٢٦", "علی\u200cکریمی", "ІСЕ", "\xff", "ﷺ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { laws(t, s) })
}
