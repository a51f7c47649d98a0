package local_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// friends is a shop in which somebody tells friends of it. Nothing but
// referrals gives points.
type friends struct {
	*shop
	advocated, code string // who does, and by which code
	n               int
	now             time.Time
}

// tells opens a shop in which a member with a profile, who bought under some
// signs, has a code.
func tells(t *testing.T, rules, profile, signs object) *friends {
	t.Helper()
	f := &friends{shop: embedded(t), now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	f.later(0)
	referral := object{"advocate": []object{{"rank": 1, "points": 100}}, "friend": object{"points": 50}, "minimum": 3000}
	for k, v := range rules {
		referral[k] = v
	}
	f.must("PUT", "/v1/program", object{"earning": object{"rules": []object{}}, "shop": object{"url": "https://shop.example/start?lang=he"}, "referral": referral})
	if profile == nil {
		profile = object{"email": "anna@example.com"}
	}
	f.advocated, f.code = f.advocate(profile)
	if signs != nil {
		f.earn(order("of the advocate", f.advocated, 5000, object{"signals": signs}))
	}
	return f
}

func (f *friends) later(d time.Duration) {
	f.t.Helper()
	f.now = f.now.Add(d)
	f.clock(f.now.Format(time.RFC3339))
}

// advocate is a new member with a code.
func (f *friends) advocate(profile object) (member, code string) {
	f.t.Helper()
	member = f.must("POST", "/v1/members", profile).str("id")
	return member, f.must("POST", "/v1/members/"+member+"/referral-code", nil).str("code")
}

// registers a friend by the advocate's code, or by another that more says.
func (f *friends) registers(customer object, more ...object) string {
	f.t.Helper()
	body := object{"code": f.code, "customer": customer}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	return f.must("POST", "/v1/referrals", body).str("id")
}

// buys lets somebody buy for 50.00 an hour later; it answers who that is.
func (f *friends) buys(customer object, more ...object) string {
	f.t.Helper()
	f.later(time.Hour)
	f.n++
	o := order(fmt.Sprint("f", f.n), "", 5000, append([]object{{"member": nil, "customer": customer}}, more...)...)
	return f.earn(o).str("member")
}

// comes registers and buys.
func (f *friends) comes(customer object, signs object) string {
	f.t.Helper()
	id := f.registers(customer, object{"signals": signs})
	f.buys(customer, object{"signals": signs})
	return id
}

// newest is the advocate's newest referral, which an order made.
func (f *friends) newest(member string) string {
	f.t.Helper()
	f.must("GET", "/_local/events", nil) // waits for the stream
	return f.must("GET", "/v1/members/"+member+"/referrals", nil).str("data.0.id")
}

// is checks what a referral has come to.
func (f *friends) is(id, status string, reasons ...string) {
	f.t.Helper()
	f.must("GET", "/_local/events", nil)
	a := f.must("GET", "/v1/referrals/"+id, nil)
	var got []string
	for _, why := range a.at("reasons").([]any) {
		got = append(got, why.(string))
	}
	if a.str("status") != status || !slices.Equal(got, reasons) {
		f.t.Errorf("it is %s %v, want %s %v: %s", a.str("status"), got, status, reasons, a.raw)
	}
	if said, _ := a.at("explanation").([]any); len(said) == 0 || len(reasons) > 0 && len(said) < 2 {
		f.t.Errorf("it is told as %v", said)
	}
}

// safe lets the hold pass and the schedule run.
func (f *friends) safe() {
	f.t.Helper()
	f.later(20 * 24 * time.Hour)
	f.must("POST", "/_local/schedules/referrals/run", nil)
}

func mail(address string) object { return object{"email": address} }

var (
	phone    = object{"device": "d-1"}
	purse    = object{"payment": "p-1"}
	home     = object{"address": object{"line": "Herzl St. 5, apt 3", "city": "Haifa", "postcode": "3303142", "country": "IL"}}
	sameHome = object{"address": object{"line": "5 herzl street / 3", "city": "HAIFA", "postcode": "33031-42", "country": "il"}}
	office   = object{"ip": "203.0.113.7"}
)

// frauds are friends who may be none, and honest ones who look nearly alike. The
// play answers the referral that it is about.
var frauds = []struct {
	name           string
	rules, profile object
	signs          object // under which the advocate bought
	play           func(*friends) string
	status, reason string
}{
	{"an honest friend", nil, nil, nil, func(f *friends) string { return f.comes(mail("boris@example.com"), nil) }, "pending", ""},
	{"a plus tag", nil, mail("anna@gmail.com"), nil, func(f *friends) string { return f.comes(mail("anna+friend@gmail.com"), nil) }, "blocked", "self_referral"},
	{"a plus tag at any provider", nil, nil, nil, func(f *friends) string { return f.comes(mail("anna+7@example.com"), nil) }, "blocked", "self_referral"},
	{"dots at Gmail", nil, mail("annabell@gmail.com"), nil, func(f *friends) string { return f.comes(mail("a.n.n.a.bell@gmail.com"), nil) }, "blocked", "self_referral"},
	{"Gmail's other name", nil, mail("annabell@gmail.com"), nil, func(f *friends) string { return f.comes(mail("anna.bell@googlemail.com"), nil) }, "blocked", "self_referral"},
	{"dots elsewhere are other people", nil, mail("annabell@outlook.com"), nil, func(f *friends) string { return f.comes(mail("anna.bell@outlook.com"), nil) }, "pending", ""},
	{"capitals", nil, nil, nil, func(f *friends) string { return f.comes(mail("ANNA@Example.COM"), nil) }, "blocked", "self_referral"},
	{"letters that look alike", nil, nil, nil, func(f *friends) string { return f.comes(mail("\u0430nna@example.com"), nil) }, "blocked", "self_referral"},
	{"a domain in another form", nil, mail("anna@bücher.example"), nil, func(f *friends) string { return f.comes(mail("anna@xn--bcher-kva.example"), nil) }, "blocked", "self_referral"},
	{"a domain that looks alike", nil, nil, nil, func(f *friends) string { return f.comes(mail("anna@ex\u0430mple.com"), nil) }, "blocked", "self_referral"},
	{
		"the phone in Arabic figures", nil,
		object{"phone": "+972501234567"},
		nil,
		func(f *friends) string {
			return f.comes(object{"email": "b@example.com", "phone": "+٩٧٢-٥٠-١٢٣-٤٥٦٧"}, nil)
		}, "blocked", "self_referral",
	},
	{
		"the phone in Persian figures, dialled", nil,
		object{"phone": "+972501234567"},
		nil,
		func(f *friends) string {
			return f.comes(object{"email": "b@example.com", "phone": "۰۰۹۷۲ ۵۰ ۱۲۳ ۴۵۶۷"}, nil)
		}, "blocked", "self_referral",
	},
	{"another phone", nil, object{"phone": "+972501234567"}, nil, func(f *friends) string { return f.comes(object{"phone": "+972501234568"}, nil) }, "pending", ""},
	{"the advocate's device", nil, nil, phone, func(f *friends) string { return f.comes(mail("b@example.com"), phone) }, "blocked", "self_referral"},
	{"the advocate's card", nil, nil, purse, func(f *friends) string { return f.comes(mail("b@example.com"), purse) }, "blocked", "self_referral"},
	{
		"the advocate's card, shown with the order", nil, nil, purse, func(f *friends) string {
			id := f.registers(mail("b@example.com"))
			f.buys(mail("b@example.com"), object{"signals": purse})
			return id
		}, "blocked", "self_referral",
	},
	{
		"a member who never bought, with the advocate's card", nil, nil, purse, func(f *friends) string {
			b := f.must("POST", "/v1/members", object{"external_ids": object{"till": "b"}}).str("id")
			id := f.registers(object{"external_id": "b"}, object{"source": "till"})
			f.later(time.Hour)
			f.earn(order("b1", b, 5000, object{"signals": purse}))
			return id
		}, "blocked", "self_referral",
	},
	{"the advocate's home", nil, nil, home, func(f *friends) string { return f.comes(mail("b@example.com"), home) }, "review", "same_household"},
	{"the home in other words", nil, nil, home, func(f *friends) string { return f.comes(mail("b@example.com"), sameHome) }, "review", "same_household"},
	{"a home that the program allows", object{"fraud": object{"household": "allow"}}, nil, home, func(f *friends) string { return f.comes(mail("b@example.com"), home) }, "pending", ""},
	{"the advocate's office", nil, nil, office, func(f *friends) string { return f.comes(mail("b@example.com"), office) }, "pending", ""},
	{"a throwaway address", nil, nil, nil, func(f *friends) string { return f.comes(mail("b@mailinator.com"), nil) }, "review", "disposable_email"},
	{
		"a throwaway address that the program allows", object{"fraud": object{"disposable": "allow"}}, nil, nil, func(f *friends) string { return f.comes(mail("b@mailinator.com"), nil) }, "pending", "",
	},
	{
		"bought before the click", nil, nil, nil, func(f *friends) string {
			f.buys(mail("b@example.com"))
			f.later(time.Minute)
			return f.comes(mail("b@example.com"), nil)
		}, "blocked", "existing_customer",
	},
	{
		"bought before as somebody else of the same phone", nil, nil, nil, func(f *friends) string {
			f.buys(object{"external_id": "1", "phone": "+972501234567"})
			f.later(time.Minute)
			return f.comes(object{"external_id": "2", "phone": "+972501234567"}, nil)
		}, "blocked", "existing_customer",
	},
	{
		"a code on the second order", nil, nil, nil, func(f *friends) string {
			f.buys(object{"external_id": "b"})
			f.buys(object{"external_id": "b"}, object{"referral_code": f.code})
			return f.newest(f.advocated)
		}, "blocked", "existing_customer",
	},
	{
		"a code on the first order", nil, nil, nil, func(f *friends) string {
			f.buys(object{"external_id": "b"}, object{"referral_code": f.code})
			f.buys(object{"external_id": "b"}, object{"referral_code": f.code})
			return f.newest(f.advocated)
		}, "pending", "",
	},
	{
		"one's own code on one's own order", nil, nil, nil, func(f *friends) string {
			f.earn(order("own", f.advocated, 5000, object{"referral_code": f.code}))
			return f.newest(f.advocated)
		}, "blocked", "self_referral",
	},
	{
		"one's own code as a guest", nil, mail("anna@gmail.com"), nil, func(f *friends) string {
			f.buys(object{"external_id": "b", "email": "an.na+guest@gmail.com"}, object{"referral_code": f.code})
			return f.newest(f.advocated)
		}, "blocked", "self_referral",
	},
	{
		"a circle of two", nil, nil, nil, func(f *friends) string {
			b, code := f.advocate(mail("b@example.com"))
			f.registers(mail("b@example.com"))
			f.later(time.Hour)
			f.earn(order("b", b, 5000))
			f.must("GET", "/_local/events", nil)
			id := f.registers(mail("anna@example.com"), object{"code": code})
			f.earn(order("a", f.advocated, 5000))
			return id
		}, "blocked", "cycle",
	},
	{
		"a circle of three", nil, nil, nil, func(f *friends) string {
			b, second := f.advocate(mail("b@example.com"))
			c, third := f.advocate(mail("c@example.com"))
			f.registers(mail("b@example.com"))
			f.registers(mail("c@example.com"), object{"code": second})
			f.later(time.Hour)
			f.earn(order("b", b, 5000))
			f.earn(order("c", c, 5000))
			f.must("GET", "/_local/events", nil)
			id := f.registers(mail("anna@example.com"), object{"code": third})
			f.earn(order("a", f.advocated, 5000))
			return id
		}, "blocked", "cycle",
	},
	{
		"the tenth from one network", nil, nil, nil, func(f *friends) (id string) {
			for i := range 10 {
				id = f.comes(mail(fmt.Sprintf("b%d@example.com", i)), office)
			}
			return id
		}, "pending", "",
	},
	{
		"the eleventh from one network", nil, nil, nil, func(f *friends) (id string) {
			for i := range 11 {
				id = f.comes(mail(fmt.Sprintf("b%d@example.com", i)), office)
			}
			return id
		}, "review", "velocity_ip",
	},
	{
		"the eleventh of a week later", nil, nil, nil, func(f *friends) (id string) {
			for i := range 10 {
				f.comes(mail(fmt.Sprintf("b%d@example.com", i)), office)
			}
			f.later(8 * 24 * time.Hour)
			return f.comes(mail("later@example.com"), office)
		}, "pending", "",
	},
	{
		"more than an advocate brings in a day", object{"fraud": object{"per_advocate": object{"friends": 3}}}, nil, nil, func(f *friends) (id string) {
			for i := range 4 {
				id = f.comes(mail(fmt.Sprintf("b%d@example.com", i)), nil)
			}
			return id
		}, "review", "velocity_advocate",
	},
	{
		"a click after another's", nil, nil, nil, func(f *friends) string {
			_, other := f.advocate(mail("other@example.com"))
			f.registers(mail("b@example.com"), object{"code": other})
			f.later(time.Minute)
			return f.comes(mail("b@example.com"), nil)
		}, "pending", "",
	},
	{
		"a click before another's", nil, nil, nil, func(f *friends) string {
			_, other := f.advocate(mail("other@example.com"))
			id := f.registers(mail("b@example.com"))
			f.later(time.Minute)
			f.registers(mail("b@example.com"), object{"code": other})
			f.buys(mail("b@example.com"))
			return id
		}, "cancelled", "later_click",
	},
	{
		"a click after the order", nil, nil, nil, func(f *friends) string {
			_, other := f.advocate(mail("other@example.com"))
			id := f.comes(object{"external_id": "b"}, nil)
			f.must("GET", "/_local/events", nil)
			f.later(time.Minute)
			f.registers(object{"external_id": "b"}, object{"code": other})
			return id
		}, "pending", "",
	},
	{
		"no order in time", nil, nil, nil, func(f *friends) string {
			id := f.registers(mail("b@example.com"))
			f.later(31 * 24 * time.Hour)
			f.buys(mail("b@example.com"))
			return id
		}, "cancelled", "window_over",
	},
}

func TestFriendsWhoMayBeNone(t *testing.T) {
	for _, c := range frauds {
		t.Run(c.name, func(t *testing.T) {
			f := tells(t, c.rules, c.profile, c.signs)
			id := c.play(f)
			if c.reason == "" {
				f.is(id, c.status)
			} else {
				f.is(id, c.status, c.reason)
			}
			f.safe()
			switch c.status {
			case "pending":
				f.is(id, "qualified")
			case "review": // what is safe meanwhile is not lost
				f.is(id, "review", c.reason)
				before := f.member(f.advocated).num("points.available")
				f.must("POST", "/v1/referrals/"+id+"/approve", nil)
				f.must("POST", "/_local/schedules/referrals/run", nil)
				f.is(id, "qualified")
				f.points(f.advocated, before+100)
				f.refused(409, "not_under_review", "POST", "/v1/referrals/"+id+"/reject", nil)
			default:
				f.is(id, c.status, c.reason)
				if got := f.must("GET", "/v1/referrals/"+id, nil); got.num("points.advocate") != 0 || got.num("points.friend") != 0 {
					t.Errorf("it gave %s", got.raw)
				}
			}
			if c.status != "review" {
				return
			}
			f = tells(t, c.rules, c.profile, c.signs)
			id = c.play(f)
			f.is(id, "review", c.reason)
			f.must("POST", "/v1/referrals/"+id+"/reject", nil)
			f.safe()
			f.is(id, "blocked", "rejected")
			f.refused(409, "not_under_review", "POST", "/v1/referrals/"+id+"/approve", nil)
		})
	}
	if len(frauds) < 30 {
		t.Errorf("only %d cases", len(frauds))
	}
}

// A code is what a person meant who typed it. What is none leads nowhere.
func TestCodesAsTheyAreTyped(t *testing.T) {
	f := tells(t, nil, nil, nil)
	for _, chosen := range []string{"ANNA77", "20267", "דנה-7"} {
		f.must("POST", "/v1/members/"+f.advocated+"/referral-code", object{"code": chosen})
	}
	typed := map[string]string{
		"anna77": "ANNA77", " Anna-77 ": "ANNA77", "\u0410NN\u041077": "ANNA77", "ＡＮＮＡ７７": "ANNA77", "ANNA٧٧": "ANNA77", "ANNA۷۷": "ANNA77", "AN\u200bNA77": "ANNA77",
		"٢٠٢٦٧": "20267", "۲۰۲۶۷": "20267", "דנה7": "דנה7", "ד נ ה 7": "דנה7",
		f.code[:7]: "", "FORGED77": "", strings.Repeat("A", 25): "", strings.Repeat("A", 400): "", "AB": "", "ANNA78": "", "<script>": "", "ANNA77' OR '1'='1": "", "../ANNA77": "",
	}
	n := 0
	for code, want := range typed {
		n++
		body := object{"code": code, "customer": mail(fmt.Sprintf("b%d@example.com", n))}
		if want == "" {
			f.refused(422, "unknown_code", "POST", "/v1/referrals", body)
			f.refused(404, "not_found", "GET", "/r/"+segment(code), nil, "Authorization", "")
			continue
		}
		if a := f.must("POST", "/v1/referrals", body); a.str("code") != want {
			t.Errorf("%q is %s, want %s", code, a.raw, want)
		}
	}
	f.refused(422, "click_too_old", "POST", "/v1/referrals", object{"code": f.code, "customer": mail("late@example.com"), "clicked_at": "2026-01-29T08:00:00Z"})
	f.must("POST", "/v1/referrals", object{"code": f.code, "customer": mail("early@example.com"), "clicked_at": "2030-01-01T00:00:00Z"}) // now
	f.refused(400, "invalid_request", "POST", "/v1/referrals", object{"code": strings.Repeat("A", 501), "customer": mail("x@example.com")})
}

// Who is registered as a friend by the staff, and under what, is kept also of
// somebody who is a member already.
func TestARegistrationOfAMemberIsKept(t *testing.T) {
	f := tells(t, nil, nil, nil)
	b := f.must("POST", "/v1/members", object{"external_ids": object{"till": "b"}}).str("id")
	id := f.registers(object{"external_id": "b", "email": "b@mailinator.com"}, object{"source": "till", "staff": "Rivka", "clicked_at": "2026-02-28T09:00:00Z"})
	f.is(id, "review", "disposable_email")
	if a := f.must("GET", "/v1/referrals/"+id, nil); a.str("way") != "people" || a.str("staff") != "Rivka" || a.str("friend") != b || a.str("clicked_at") != "2026-02-28T09:00:00Z" {
		t.Errorf("%s", a.raw)
	}
}

// A link leads to the shop that the program states, whatever is asked. Clicks
// of people and of programs are counted apart.
func TestLinksLeadToTheShop(t *testing.T) {
	f := tells(t, nil, nil, nil)
	person, day := "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "from=2026-03&until=2026-03"
	clicks := func() [3]int64 {
		a := f.must("GET", "/v1/reports/referrals?"+day, nil)
		return [3]int64{a.num("data.0.clicks"), a.num("data.0.visitors"), a.num("data.0.bots")}
	}
	follow := func(query string, headers ...string) {
		t.Helper()
		a := f.do("GET", "/r/"+f.code+query, nil, append([]string{"Authorization", "", "User-Agent", person}, headers...)...)
		to := a.header.Get("Location")
		if a.status != 302 || !strings.HasPrefix(to, "https://shop.example/start?") || !strings.Contains(to, "ref="+f.code) || !strings.Contains(to, "lang=he") {
			t.Errorf("%s %v: %d to %q", query, headers, a.status, to)
		}
		if h := a.header; h.Get("Cache-Control") != "no-store" || h.Get("Set-Cookie") != "" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("the headers are %v", h)
		}
	}
	asked := []string{
		"", "?utm_source=mail", "?url=https://evil.example", "?redirect=//evil.example&next=//evil.example", "?ref=EVIL77", "?ref=EVIL77&ref=EVIL78", "?https://evil.example", "?%0d%0aLocation:%20https://evil.example",
		"?x=" + strings.Repeat("y", 3000), "?;", "?%zz", "?lang=//evil.example",
	}
	for _, query := range asked {
		follow(query)
	}
	people := int64(len(asked))
	for _, h := range [][]string{{"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "javascript"}, {"Forwarded", "host=evil.example"}, {"X-Original-Url", "https://evil.example"}, {"Referer", "https://evil.example"}} {
		follow("", h...)
		people++
	}
	if got := clicks(); got != [3]int64{people, 1, 0} {
		t.Errorf("the clicks, visitors and bots are %v, want %d, 1, 0", got, people)
	}
	robots := []string{"", "facebookexternalhit/1.1", "WhatsApp/2.23", "TelegramBot (like TwitterBot)", "Googlebot/2.1", "Pinterest/0.2 (+https://www.pinterest.com/)", "Mozilla/5.0 SkypeUriPreview Preview/0.5", "curl/8.5", "Mozilla/5.0 HeadlessChrome/120"}
	for _, agent := range robots {
		follow("", "User-Agent", agent)
	}
	follow("", "Sec-Purpose", "prefetch;prerender")
	if a := f.do("HEAD", "/r/"+f.code, nil, "Authorization", "", "User-Agent", person); a.status != 302 || len(a.raw) != 0 || !strings.HasPrefix(a.header.Get("Location"), "https://shop.example/") {
		t.Errorf("HEAD: %d %q", a.status, a.header.Get("Location"))
	}
	follow("", "User-Agent", "Mozilla/5.0 (Linux; Android 15) Chrome/130.0 Mobile Safari/537.36 Telegram-Android/11.4") // somebody else
	follow("", "User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Mobile/15E148 [Pinterest/iOS]")
	if got, bots := clicks(), int64(len(robots)+2); got != [3]int64{people + 2, 3, bots} {
		t.Errorf("the clicks, visitors and bots are %v, want %d, 3, %d", got, people+2, bots)
	}
	for _, path := range []string{"/r/NOBODYS7", "/r/" + segment("https://evil.example"), "/r/" + segment("//evil.example"), "/r/evil.example", "/r/" + segment(f.code+"@evil.example"), "/r/" + segment("\\\\evil.example"), "/r/NOBODYS7/qr.svg"} {
		a := f.refused(404, "not_found", "GET", path, nil, "Authorization", "")
		if a.header.Get("Location") != "" {
			t.Errorf("%s leads to %s", path, a.header.Get("Location"))
		}
	}
	if a := f.do("GET", "/r//evil.example", nil); a.status != 404 || a.header.Get("Location") != "" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := f.do("GET", "/r/"+f.code+"/qr.svg", nil, "Authorization", ""); a.status != 200 || a.header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %v", a.status, a.header)
	}
}

// Whether an e-mail is a customer's cannot be found out by registering it: the
// answers are the same but for the id, in the headers too.
func TestARegistrationTellsNothing(t *testing.T) {
	f := tells(t, nil, nil, office)
	f.buys(object{"external_id": "77", "email": "customer@example.com", "phone": "+972501234567"})
	var first string
	for i, c := range []object{
		mail("stranger@example.com"), mail("customer@example.com"), mail("anna@example.com"), {"phone": "+972501234567"}, {"external_id": "77"}, mail("x@mailinator.com"), mail("customer@example.com"),
	} {
		a := f.must("POST", "/v1/referrals", object{"code": f.code, "customer": c, "source": "till"})
		id := a.str("id")
		got := fmt.Sprint(a.status, a.header["Content-Type"], a.header["Content-Length"], strings.ReplaceAll(string(a.raw), id, "id"), len(id))
		if i == 0 {
			first = got
		} else if got != first {
			t.Errorf("%v is answered %s, a stranger %s", c, got, first)
		}
	}
}

// A code registers two hundred friends an hour. Beyond it is a machine's form;
// other codes, and those who come later, are none the wiser.
func TestACodeRegistersNotTooFast(t *testing.T) {
	f := tells(t, nil, nil, nil)
	register := func(n int) answer {
		return f.do("POST", "/v1/referrals", object{"code": f.code, "customer": mail(fmt.Sprintf("b%d@example.com", n))})
	}
	for n := range 200 {
		if a := register(n); a.status != 201 {
			t.Fatalf("friend %d: %d %s", n+1, a.status, a.raw)
		}
	}
	if a := register(200); a.status != 429 || a.str("code") != "too_many_referrals" || a.header.Get("Retry-After") != "3600" || a.num("details.retry_after") != 3600 || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v %s", a.status, a.header, a.raw)
	}
	_, other := f.advocate(mail("other@example.com"))
	f.registers(mail("b200@example.com"), object{"code": other})
	f.later(time.Hour + time.Second)
	if a := register(201); a.status != 201 {
		t.Errorf("an hour later: %d %s", a.status, a.raw)
	}
}
