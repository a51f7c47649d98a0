package words

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"regulars/shared/program"
)

var update = flag.Bool("update", false, "write the golden texts anew")

var tongues = []string{"en", "he", "ar", "fa"}

// rich is the document that has every setting, as plain data.
func rich(t *testing.T) map[string]any {
	t.Helper()
	raw, err := os.ReadFile("testdata/rich.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d, err := program.Parse(b, nil) // it can be published, and has its defaults
	if err != nil {
		t.Fatal(err)
	}
	if b, err = json.Marshal(d); err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(b, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

// document makes a document of plain data, without asking whether it could be published.
func document(t *testing.T, plain any) *program.Document {
	t.Helper()
	b, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	var d program.Document
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return &d
}

var (
	isolated = regexp.MustCompile(`\x{2068}[^\x{2068}\x{2069}]*\x{2069}`)
	latin    = regexp.MustCompile(`[A-Za-z]`)
	braces   = regexp.MustCompile(`\{[a-z]+\}`)
)

// bare is a text without what is isolated in it: names, ids, codes, numbers.
func bare(s string) string {
	for {
		short := isolated.ReplaceAllString(s, "")
		if short == s {
			return s
		}
		s = short
	}
}

// The four catalogs have the same texts with the same braces. Counted things
// have a form for each category of their language.
func TestCatalogsAgree(t *testing.T) {
	categories := map[string][]string{"en": {"one", "other"}, "he": {"one", "two", "other"}, "ar": {"zero", "one", "two", "few", "many", "other"}, "fa": {"other"}}
	things := append([]string{"point", "order", "piece", "time", "store", "friend"}, units...)
	counted := func(key string) bool {
		thing, _, _ := strings.Cut(key, ".")
		return slices.Contains(things, thing)
	}
	english := Choose("en").texts
	for _, code := range tongues {
		l := Choose(code)
		if l.Code != code {
			t.Fatalf("%s is not spoken", code)
		}
		for _, thing := range things {
			for _, c := range categories[code] {
				if l.texts[thing+"."+c] == "" {
					t.Errorf("%s has no %s.%s", code, thing, c)
				}
			}
		}
		for _, n := range []int64{0, 1, 2, 3, 10, 11, 99, 100, 101, 103, 111, 1000} {
			if c := l.plural(n); !slices.Contains(categories[code], c) {
				t.Errorf("%s: %d is %s", code, n, c)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(english)) {
			if counted(key) {
				continue
			}
			want, got := braces.FindAllString(english[key], -1), braces.FindAllString(l.texts[key], -1)
			slices.Sort(want)
			slices.Sort(got)
			if l.texts[key] == "" || !slices.Equal(slices.Compact(want), slices.Compact(got)) {
				t.Errorf("%s: %s = %q, in English %q", code, key, l.texts[key], english[key])
			}
		}
		for key, text := range l.texts {
			if english[key] == "" && !counted(key) {
				t.Errorf("%s has %s, which English has not", code, key)
			}
			if code != "en" && latin.MatchString(braces.ReplaceAllString(text, "")) {
				t.Errorf("%s: Latin letters in %s = %s", code, key, text)
			}
		}
	}
}

// Samples of CLDR 48 (plurals.xml), written by hand.
func TestPluralsAreThoseOfCLDR(t *testing.T) {
	for code, samples := range map[string]map[string][]int64{
		"en": {"one": {1}, "other": {0, 2, 3, 16, 100, 1000}},
		"he": {"one": {1}, "two": {2}, "other": {0, 3, 10, 17, 20, 100, 102, 1000}},
		"ar": {
			"zero": {0}, "one": {1}, "two": {2}, "few": {3, 10, 103, 110, 1003}, "many": {11, 26, 99, 111, 199, 1011},
			"other": {100, 101, 102, 200, 202, 300, 302, 400, 1000, 10000, 100000, 1000000},
		},
	} {
		for category, numbers := range samples {
			for _, n := range numbers {
				if got := Choose(code).plural(n); got != category {
					t.Errorf("%s: %d is %s, want %s", code, n, got, category)
				}
			}
		}
	}
}

// shown is a text as people see it.
func shown(s string) string { return strings.NewReplacer(isolate, "", end, "").Replace(s) }

func TestCountedThings(t *testing.T) {
	for _, c := range []struct {
		code, thing string
		n           int64
		want        string
	}{
		{"en", "point", 1, "1 point"},
		{"en", "point", -1, "-1 points"},
		{"en", "point", 12345, "12,345 points"},
		{"he", "day", 1, "יום אחד"},
		{"he", "day", 2, "יומיים"},
		{"he", "week", 2, "שבועיים"},
		{"he", "month", 2, "חודשיים"},
		{"he", "year", 2, "שנתיים"},
		{"he", "year", 3, "3 שנים"},
		{"he", "time", 2, "פעמיים"},
		{"he", "point", 20, "20 נקודות"},
		{"ar", "point", 0, "0 نقطة"},
		{"ar", "point", 2, "نقطتين"},
		{"ar", "point", 3, "3 نقاط"},
		{"ar", "day", 11, "11 يومًا"},
		{"ar", "day", 100, "100 يوم"},
		{"ar", "month", 12, "12 شهرًا"},
		{"fa", "point", 1, "۱ امتیاز"},
		{"fa", "day", 1234, "۱٬۲۳۴ روز"},
	} {
		if got := shown(Choose(c.code).count(c.thing, c.n)); got != c.want {
			t.Errorf("%s: %d of %s: %q, want %q", c.code, c.n, c.thing, got, c.want)
		}
	}
}

func TestPeriods(t *testing.T) {
	for _, c := range []struct{ code, period, want string }{
		{"en", "P1Y6M", "1 year and 6 months"},
		{"en", "P0D", "0 days"},
		{"en", "P1DT2H30M", "1 day, 2 hours and 30 minutes"},
		{"he", "P1Y6M", "שנה אחת ו־6 חודשים"},
		{"he", "P1Y2M", "שנה אחת וחודשיים"},
		{"ar", "P1DT12H", "يوم واحد و12 ساعة"},
		{"fa", "P1Y6M", "۱ سال و ۶ ماه"},
	} {
		if got := shown(Choose(c.code).period(c.period)); got != c.want {
			t.Errorf("%s: %s: %q, want %q", c.code, c.period, got, c.want)
		}
	}
}

// Money has the currency's own exponent and the language's own form. Marks of
// direction are left out here.
func TestMoneyAndDates(t *testing.T) {
	plain := strings.NewReplacer("\u200e", "", "\u200f", "", "\u00a0", " ", isolate, "", end, "")
	for _, c := range []struct {
		code, currency string
		amount         int64
		want           string
	}{
		{"en", "ILS", 123450, "₪1,234.50"},
		{"he", "ILS", 123450, "1,234.50 ₪"},
		{"ar", "ILS", 123450, "1,234.50 ₪"},
		{"fa", "ILS", 123450, "₪۱٬۲۳۴٫۵۰"},
		{"en", "JPY", 1000, "¥1,000"},
		{"ar", "KWD", 1234, "1.234 د.ك."},
	} {
		if got := plain.Replace(Choose(c.code).money(c.amount, c.currency)); got != c.want {
			t.Errorf("%s: %d %s: %q, want %q", c.code, c.amount, c.currency, got, c.want)
		}
	}
	for code, want := range map[string]string{
		"en": "21 March 2027", "he": "21 במרץ 2027", "ar": "21 آذار/مارس 2027", "fa": "۱ فروردین ۱۴۰۶ (۲۱ مارس ۲۰۲۷)",
	} {
		if got := shown(Choose(code).day("2027-03-21")); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}

// Nowruz and the last day of leap years of the solar calendar, as they were
// and will be by the astronomical calendar of Iran.
func TestSolarDates(t *testing.T) {
	for day, want := range map[string]string{
		"2024-03-20": "۱ فروردین ۱۴۰۳", "2025-03-20": "۳۰ اسفند ۱۴۰۳", "2025-03-21": "۱ فروردین ۱۴۰۴", "2028-03-20": "۱ فروردین ۱۴۰۷",
		"2029-03-20": "۱ فروردین ۱۴۰۸", "2030-03-20": "۳۰ اسفند ۱۴۰۸", "2030-03-21": "۱ فروردین ۱۴۰۹", "2027-10-23": "۱ آبان ۱۴۰۶",
	} {
		if got := shown(Choose("fa").day(day)); !strings.HasPrefix(got, want+" (") {
			t.Errorf("%s: %q, want %q", day, got, want)
		}
	}
	if got := shown(Choose("fa").day("0622-01-01")); got != "۱ ژانویه ۶۲۲" {
		t.Errorf("%q", got)
	}
	zone := time.FixedZone("", 2*60*60)
	if got := shown(Choose("fa").instant(time.Date(2026, 3, 20, 22, 30, 0, 0, time.UTC).In(zone))); got != "۱ فروردین ۱۴۰۵ (۲۱ مارس ۲۰۲۶)، ساعت ۰۰:۳۰" {
		t.Errorf("%q", got)
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		wishes []string
		want   string
	}{
		{[]string{"he"}, "he"},
		{[]string{"fa-IR"}, "fa"},
		{[]string{"", "ar"}, "ar"},
		{[]string{"de", "he", "ar"}, "he"},
		{[]string{"de", "ru"}, "en"},
		{nil, "en"},
	} {
		if got := Choose(c.wishes...).Code; got != c.want {
			t.Errorf("%v: %s, want %s", c.wishes, got, c.want)
		}
	}
}

// lines is all that the terms say, each with the setting that it is about.
func lines(sections []Section) map[Sentence]bool {
	all := map[Sentence]bool{}
	for _, s := range sections {
		all[Sentence{s.Title, s.Path}] = true
		for _, x := range s.Sentences {
			all[x] = true
		}
	}
	return all
}

// Of a rich program, in four languages.
func TestGoldenTerms(t *testing.T) {
	d := document(t, rich(t))
	for _, code := range tongues {
		var b strings.Builder
		for _, s := range Choose(code).Terms(d) {
			fmt.Fprintf(&b, "== %s [%s] %s\n", s.Title, s.ID, s.Path)
			for _, x := range s.Sentences {
				fmt.Fprintf(&b, "%s\n\t%s\n", x.Text, x.Path)
			}
		}
		golden(t, "terms."+code+".txt", b.String())
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew)\n%s", name, diff)
	}
}

// Hebrew, Arabic and Persian sentences have no Latin letters but in what is
// given: names, ids, codes, expressions. Isolates are closed, braces filled.
func TestSentencesAreInTheirLanguage(t *testing.T) {
	d := document(t, rich(t))
	for _, code := range tongues {
		for line := range lines(Choose(code).Terms(d)) {
			sane(t, code, line.Text)
		}
	}
}

func sane(t *testing.T, code, text string) {
	t.Helper()
	rest := bare(text)
	switch {
	case code != "en" && latin.MatchString(rest):
		t.Errorf("%s: Latin letters: %q", code, text)
	case code == "fa" && strings.ContainsAny(rest, "0123456789"):
		t.Errorf("fa: Western figures: %q", text)
	case strings.ContainsAny(rest, "{}"+isolate+end):
		t.Errorf("%s: not filled or not closed: %q", code, text)
	}
}

// The examples that come with the program are said as well as the one that
// was made for it.
func TestExamplesAreSaid(t *testing.T) {
	files, err := filepath.Glob("../program/examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := yaml.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		d, err := program.Parse(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range tongues {
			for line := range lines(Choose(code).Terms(&d)) {
				sane(t, code, line.Text)
			}
		}
	}
}

// A name cannot lay out the text around it, nor be markup.
func TestNamesStayInTheirPlace(t *testing.T) {
	d := program.Document{Earning: program.Earning{Rules: []program.Rule{{ID: "x", Name: program.Text{"en": "a\u202eb\u2069c\u2066"}, On: "order", Points: 1}}}}
	for _, s := range Choose("he").Terms(&d) {
		if s.ID == "rule-x" && s.Title != "כלל: "+isolate+"abc"+end {
			t.Errorf("%q", s.Title)
		}
	}
}
