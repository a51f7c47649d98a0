package alike_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"regulars/shared/alike"
)

type pair struct{ name, a, b string }

// Each pair has one key, which is not "".
func TestOnePerson(t *testing.T) {
	for what, c := range map[string]struct {
		key   func(string) string
		pairs []pair
	}{
		"Email": {alike.Email, []pair{
			{"case", "Adv@Shop.Example", "adv@shop.example"},
			{"space around", " adv@shop.example\t", "adv@shop.example"},
			{"mailto", "mailto:adv@shop.example", "adv@shop.example"},
			{"plus tag anywhere", "adv+x@shop.example", "adv@shop.example"},
			{"two plus tags", "adv+x+y@shop.example", "adv@shop.example"},
			{"SC10", "a.d.v+x@gmail.com", "adv@gmail.com"},
			{"googlemail", "a.dv@googlemail.com", "adv@gmail.com"},
			{"gmail tag with dots", "adv+a.b@gmail.com", "adv@gmail.com"},
			{"proton aliases", "adv@protonmail.com", "adv@pm.me"},
			{"proton ignores more", "a_d-v.@proton.me", "adv@proton.me"},
			{"yandex aliases", "adv@ya.ru", "adv@yandex.com"},
			{"yandex dot is a dash", "ivan.petrov@yandex.ru", "ivan-petrov@yandex.kz"},
			{"icloud aliases", "adv@me.com", "adv@icloud.com"},
			{"mac is icloud", "adv@mac.com", "adv@icloud.com"},
			{"yahoo dash tag", "adv-shop@yahoo.com", "adv@yahoo.com"},
			{"yahoo dash tag abroad", "adv-shop@yahoo.co.uk", "adv@yahoo.co.uk"},
			{"full width", "ａｄｖ＠gmail.com", "adv@gmail.com"},
			{"cyrillic a", "аdv@gmail.com", "adv@gmail.com"},
			{"greek nu", "adν@gmail.com", "adv@gmail.com"},
			{"all cyrillic", "рор@mail.example", "pop@mail.example"},
			{"cyrillic domain letter", "adv@gmаil.com", "adv@gmail.com"},
			{"its punycode", "adv@xn--gmil-63d.com", "adv@gmail.com"},
			{"upper case punycode", "adv@XN--GMIL-63D.COM", "adv@gmail.com"},
			{"IDN and its punycode", "adv@bücher.example", "adv@xn--bcher-kva.example"},
			{"hebrew domain", "adv@דוגמה.example", "adv@xn--6dbbec0c.example"},
			{"ideographic dot", "adv@gmail。com", "adv@gmail.com"},
			{"trailing dot", "adv@gmail.com.", "adv@gmail.com"},
			{"zero width", "a\u200bdv@gmail.com\u200f", "adv@gmail.com"},
			{"quoted", `"adv"@shop.example`, "adv@shop.example"},
			{"accents", "andré@shop.example", "andre@shop.example"},
			{"kelvin sign", "\u212aim@shop.example", "kim@shop.example"},
		}},
		"Phone": {func(s string) string { return alike.Phone(s, "il") }, []pair{
			{"spaces and dashes", "+972 50-123-4567", "+972501234567"},
			{"double zero", "00972501234567", "+972501234567"},
			{"national", "050-1234567", "+972501234567"},
			{"trunk zero left in", "+9720501234567", "+972501234567"},
			{"trunk zero in brackets", "+972 (0)50 1234567", "+972501234567"},
			{"code without plus", "972501234567", "+972501234567"},
			{"trunk zero forgotten", "501234567", "+972501234567"},
			{"arabic digits", "٠٥٠١٢٣٤٥٦٧", "+972501234567"},
			{"persian digits", "+۹۷۲۵۰۱۲۳۴۵۶۷", "+972501234567"},
			{"full width digits", "＋９７２５０１２３４５６７", "+972501234567"},
			{"marks of direction", "\u202a+972 50 123 4567\u202c", "+972501234567"},
			{"non-breaking hyphen", "050\u20111234567", "+972501234567"},
			{"tel", "tel:+972-50-1234567", "+972501234567"},
			{"extension", "+97231234567 ext. 12", "+97231234567"},
			{"extension by x", "+97231234567x12", "+97231234567"},
			{"abroad", "+1 (212) 555-0100", "0012125550100"},
			{"zero in brackets, country not in the table", "+254 (0)712 345678", "+254712345678"},
		}},
		"Name": {alike.Name, []pair{
			{"order", "Dana Levi", "LEVI, Dana"},
			{"accents", "José Núñez", "jose nunez"},
			{"apostrophe", "Sean O’Brien", "sean obrien"},
			{"acute for an apostrophe", "Sean O´Brien", "sean o'brien"},
			{"hyphen", "Anne-Marie Roy", "Roy Anne Marie"},
			{"full width", "Ｄａｎａ", "dana"},
			{"cyrillic letter", "Dаna Levi", "Dana Levi"},
			{"hebrew points", "נוֹעָה לֵוִי", "לוי נועה"},
			{"arabic hamza", "أحمد علي", "احمد على"},
			{"persian yeh", "علی رضا", "رضا علي"},
			{"sharp s", "Groß", "GROSS"},
			{"stroke", "Łukasz Ørsted", "lukasz orsted"},
			{"invisible", "Da\u200dna", "Dana"},
		}},
		"Address": {func(s string) string { return alike.Address(s, "Tel Aviv", "6688101", "IL") }, []pair{
			{"abbreviations", "Herzl St. 5, Apt 3", "herzl street 5 apt. 3"},
			{"slash", "Herzl 5/3", "Herzl St. 5, Apt 3"},
			{"house first", "5 Herzl St Apt 3", "Herzl 5 flat 3"},
			{"flat first", "Apt 3, 5 Herzl", "Herzl 5 apt 3"},
			{"number sign", "Herzl 5 #3", "Herzl 5, unit 3"},
			{"letter of the house", "Herzl 5A", "herzl 5 a"},
			{"full width", "Ｈｅｒｚｌ ５", "Herzl 5"},
			{"arabic digits", "Herzl ٥", "Herzl 5"},
			{"hebrew", "רח' הרצל 5 דירה 3", "רחוב הרצל 5, ד׳ 3"},
			{"hebrew boulevard", "שד' רוטשילד 5", "שדרות רוטשילד 5"},
			{"arabic", "شارع الملك فيصل ٥ شقة ٣", "ش. الملك فيصل 5/3"},
			{"persian", "خیابان آزادی پلاک ۵ واحد ۳", "آزادي 5/3"},
			{"avenue", "10 Fifth Ave", "10 fifth avenue"},
			{"east", "10 E. Main Rd", "10 East Main Road"},
			{"accents", "12 Allée Bât", "12 allee bat"},
		}},
		"Network": {alike.Network, []pair{
			{"one household", "2001:db8:0:1::5", "2001:db8:0:1:ffff::9"},
			{"written long", "2001:0DB8:0000:0001::5", "2001:db8:0:1::5"},
			{"mapped", "::ffff:203.0.113.7", "203.0.113.7"},
			{"space", " 203.0.113.7 ", "203.0.113.7"},
			{"zone", "2001:db8::5%eth0", "2001:db8::5"},
		}},
	} {
		for _, p := range c.pairs {
			t.Run(what+" "+p.name, func(t *testing.T) {
				if a, b := c.key(p.a), c.key(p.b); a != b || a == "" {
					t.Errorf("%q is %q, %q is %q", p.a, a, p.b, b)
				}
			})
		}
	}
}

// Each pair has two keys, which are not "".
func TestTwoPersons(t *testing.T) {
	for what, c := range map[string]struct {
		key   func(string) string
		pairs []pair
	}{
		"Email": {alike.Email, []pair{
			{"dots where they count", "a.dv@outlook.com", "adv@outlook.com"},
			{"dots of a firm", "a.dv@shop.example", "adv@shop.example"},
			{"dots at icloud", "a.dv@icloud.com", "adv@icloud.com"},
			{"outlook is not hotmail", "adv@outlook.com", "adv@hotmail.com"},
			{"hotmail is not live", "adv@hotmail.com", "adv@live.com"},
			{"yahoo abroad", "adv@yahoo.com", "adv@yahoo.fr"},
			{"dash elsewhere", "adv-x@gmail.com", "adv@gmail.com"},
			{"one and l", "adv1@gmail.com", "advl@gmail.com"},
			{"zero and o", "bob0@gmail.com", "bobo@gmail.com"},
			{"m and rn", "amy@gmail.com", "arny@gmail.com"},
			{"domain", "adv@gmail.com", "adv@gmail.co"},
			{"below gmail", "a.dv@x.gmail.com", "adv@x.gmail.com"},
		}},
		"Phone": {func(s string) string { return alike.Phone(s, "IL") }, []pair{
			{"number", "+972501234567", "+972501234568"},
			{"country", "+972501234567", "+970501234567"},
		}},
		"Name": {alike.Name, []pair{
			{"one more word", "Dana Levi", "Dana Rut Levi"},
			{"hebrew vav and nun", "רוו", "רון"},
		}},
		"Address": {func(s string) string { return alike.Address(s, "Tel Aviv", "", "IL") }, []pair{
			{"house", "Herzl 5", "Herzl 6"},
			{"house and flat", "Herzl 5/3", "Herzl 3/5"},
			{"flat", "Herzl 5 apt 3", "Herzl 5 apt 4"},
			{"kind of street", "5 Main Ave", "5 Main Rd"},
			{"joined numbers", "Herzl 5 3", "Herzl 53"},
		}},
		"Network": {alike.Network, []pair{
			{"neighbours", "2001:db8:0:1::5", "2001:db8:0:2::5"},
			{"neighbours of old", "203.0.113.7", "203.0.113.8"},
		}},
	} {
		for _, p := range c.pairs {
			t.Run(what+" "+p.name, func(t *testing.T) {
				if a, b := c.key(p.a), c.key(p.b); a == b || a == "" || b == "" {
					t.Errorf("%q is %q, %q is %q", p.a, a, p.b, b)
				}
			})
		}
	}
}

func TestSaysNothing(t *testing.T) {
	long := strings.Repeat("a", 321)
	nowhere := func(s string) string { return alike.Phone(s, "") }
	italy := func(s string) string { return alike.Phone(s, "IT") }
	for name, c := range map[string]struct {
		key func(string) string
		in  string
	}{
		"empty e-mail":           {alike.Email, ""},
		"no at":                  {alike.Email, "adv.gmail.com"},
		"no name":                {alike.Email, "@gmail.com"},
		"only a tag":             {alike.Email, "+x@gmail.com"},
		"only dots":              {alike.Email, "...@gmail.com"},
		"no domain":              {alike.Email, "adv@"},
		"no top-level domain":    {alike.Email, "adv@localhost"},
		"empty label":            {alike.Email, "adv@gmail..com"},
		"two ats":                {alike.Email, "a@b@gmail.com"},
		"space inside":           {alike.Email, "a dv@gmail.com"},
		"address literal":        {alike.Email, "adv@[192.0.2.1]"},
		"long e-mail":            {alike.Email, long + "@gmail.com"},
		"invalid UTF-8":          {alike.Email, "adv\xff@gmail.com"},
		"grows too long":         {alike.Name, strings.Repeat("ﷺ", 100)},
		"no digits":              {nowhere, "+"},
		"national, country open": {nowhere, "050-1234567"},
		"too short":              {nowhere, "+97250"},
		"too long":               {nowhere, "+9725012345678901"},
		"zero first":             {nowhere, "+0501234567"},
		"words":                  {nowhere, "+1 800 FLOWERS"},
		"plus inside":            {nowhere, "972+501234567"},
		"too short for Italy":    {italy, "1234567"},
		"empty name":             {alike.Name, " - "},
		"long name":              {alike.Name, long},
		"no such address":        {alike.Network, "203.0.113"},
		"private":                {alike.Network, "192.168.1.1"},
		"private, mapped":        {alike.Network, "::ffff:10.0.0.1"},
		"loopback":               {alike.Network, "127.0.0.1"},
		"loopback of six":        {alike.Network, "::1"},
		"link local":             {alike.Network, "fe80::1%eth0"},
		"unique local":           {alike.Network, "fd00::1"},
		"unspecified":            {alike.Network, "::"},
		"multicast":              {alike.Network, "224.0.0.1"},
		"a carrier's own":        {alike.Network, "100.64.3.4"},
		"translated":             {alike.Network, "64:ff9b::203.0.113.7"},
		"with a port":            {alike.Network, "203.0.113.7:443"},
		"no street":              {func(s string) string { return alike.Address(s, "Tel Aviv", "", "IL") }, " . "},
		"nothing but \"street\"": {func(s string) string { return alike.Address(s, "Tel Aviv", "", "IL") }, "St."},
		"no place":               {func(s string) string { return alike.Address(s, "", "", "IL") }, "Herzl 5"},
		"long address":           {func(s string) string { return alike.Address(s, "Tel Aviv", "", "IL") }, long},
		"address no UTF-8":       {func(s string) string { return alike.Address(s, "Tel Aviv", "", "IL") }, "Herzl 5\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.key(c.in); got != "" {
				t.Errorf("%q is %q", c.in, got)
			}
		})
	}
}

// Of two places, the postcode counts, and the city where there is none.
func TestPlaces(t *testing.T) {
	at := func(city, postcode, country string) string { return alike.Address("Herzl 5", city, postcode, country) }
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"two spellings, one postcode": {at("Tel Aviv", "6688101", "IL"), at("תל אביב", "66881 01", "il"), true},
		"cities by hyphen":            {at("Tel-Aviv", "", "IL"), at("tel aviv", "", "IL"), true},
		"two cities":                  {at("Haifa", "", "IL"), at("tel aviv", "", "IL"), false},
		"two countries":               {at("", "12345", "DE"), at("", "12345", "US"), false},
		"ZIP+4":                       {at("", "12345-6789", "US"), at("", "12345", "US"), true},
		"nine digits elsewhere":       {at("", "123456789", "BR"), at("", "12345", "BR"), false},
		"postcode of letters":         {at("", "sw1a 1aa", "GB"), at("", "SW1A1AA", "gb"), true},
	} {
		t.Run(name, func(t *testing.T) {
			if (c.a == c.b) != c.same {
				t.Errorf("%q and %q", c.a, c.b)
			}
		})
	}
}

func TestPhonesByCountry(t *testing.T) {
	for name, c := range map[string]struct{ in, country, want string }{
		"US":               {"(212) 555-0100", "US", "+12125550100"},
		"US trunk":         {"1-212-555-0100", "US", "+12125550100"},
		"GB":               {"020 7946 0018", "GB", "+442079460018"},
		"Italy keeps zero": {"06 1234 5678", "IT", "+390612345678"},
		"Italy abroad":     {"+39 06 1234 5678", "", "+390612345678"},
		"Russia trunk":     {"8 (912) 345-67-89", "RU", "+79123456789"},
		"Russia toll-free": {"8 800 200 00 00", "ru", "+78002000000"},
		"Russia without":   {"8002000000", "RU", "+78002000000"},
		"Iran":             {"۰۹۱۲ ۳۴۵ ۶۷۸۹", "IR", "+989123456789"},
		"Emirates":         {"٠٥٠ ١٢٣ ٤٥٦٧", "AE", "+971501234567"},
		"Spain":            {"612 345 678", "ES", "+34612345678"},
		"unknown country":  {"0612345678", "XX", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := alike.Phone(c.in, c.country); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestDisposable(t *testing.T) {
	for address, want := range map[string]bool{
		"x@mailinator.com": true, "X+y@MAILINATOR.COM": true, "x@a.b.mailinator.com": true, "x@mаilinator.com": true, "x@yopmail.com.": true,
		"x@gmail.com": false, "x@notmailinator.example": false, "x@com": false, "mailinator.com": false, "": false, "mailinator.com@gmail.com": false,
	} {
		if got := alike.Disposable(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}

// The list is searched by halves, so it must be sorted.
func TestDisposableList(t *testing.T) {
	raw, err := os.ReadFile("disposable.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	if len(list) < 200 || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Errorf("%d lines, not sorted or not unique", len(list))
	}
	for _, d := range list {
		if !alike.Disposable("x@" + d) {
			t.Errorf("%q is not found", d)
		}
	}
}

// A word of addresses counts as one thing.
func TestStreetWords(t *testing.T) {
	raw, err := os.ReadFile("streets.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		_, ways, ok := strings.Cut(line, ": ")
		if !ok {
			t.Errorf("%q has no colon", line)
		}
		for _, w := range strings.Fields(ways) {
			key := alike.Name(w)
			if key == "" || strings.Contains(key, " ") || seen[key] != "" {
				t.Errorf("%q stands twice, or is no word", w)
			}
			seen[key] = line
		}
	}
}

// laws hold for any text.
func laws(t interface{ Errorf(string, ...any) }, s, country string) {
	for name, key := range map[string]func(string) string{
		"Email": alike.Email, "Name": alike.Name, "Network": alike.Network,
		"Phone":   func(s string) string { return alike.Phone(s, country) },
		"Address": func(s string) string { return alike.Address(s, s, "", country) },
	} {
		got := key(s)
		if len(got) > 320 || !utf8.ValidString(got) || len(s) > 320 && got != "" {
			t.Errorf("%s(%q) = %q", name, s, got)
		}
		if again := key(got); name != "Address" && again != got {
			t.Errorf("%s(%q) = %q, again %q", name, s, got, again)
		}
	}
	if e := alike.Email(s); alike.Disposable(e) != alike.Disposable(s) {
		t.Errorf("%q and its key %q", s, e)
	}
}

func TestLaws(t *testing.T) {
	piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"@", ".", "+", "-", "gmail.com", "xn--", "xn--gmil-63d", "yahoo.fr", "00", "972", "(0)", "٠", "Ａ", "ﷺ", "\u200f", "\xff", "5a", "apt", "2001:db8::", "'", "ß", "İ", "Ⅷ", "½",
	}))
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "s"), "")
		laws(t, s, rapid.SampledFrom([]string{"", "IL", "us", "IT", "RU", "XX"}).Draw(t, "country"))
	})
}

// How an address is typed does not change its key.
func TestTypingOfAddresses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z]{1,12}`).Draw(t, "name")
		typed := ""
		for _, r := range name {
			typed += rapid.SampledFrom([]string{"", "."}).Draw(t, "dot") + rapid.SampledFrom([]string{string(r), strings.ToUpper(string(r)), string(r - 'a' + 'ａ')}).Draw(t, "letter")
		}
		typed += rapid.StringMatching(`(\+[a-z.+]{0,5})?`).Draw(t, "tag") + rapid.SampledFrom([]string{"@gmail.com", "@GoogleMail.com", "＠gmail.com."}).Draw(t, "domain")
		if got := alike.Email(typed); got != name+"@gmail.com" {
			t.Errorf("%q is %q", typed, got)
		}
	})
}

func FuzzKeys(f *testing.F) {
	for _, s := range []string{"a.d.v+x@gmail.com", "adv@xn--gmil-63d.com", "+972 (0)50-1234567", "Herzl St. 5, Apt 3", "رضا علي", "2001:db8::1", "\xff", strings.Repeat("ﷺ", 106)} {
		f.Add(s, "IL")
	}
	f.Fuzz(func(t *testing.T, s, country string) { laws(t, s, country) })
}
