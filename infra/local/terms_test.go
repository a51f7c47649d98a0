package local_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// richProgram publishes the document that has every setting, for everyone.
func (s *shop) richProgram() {
	s.t.Helper()
	raw, err := os.ReadFile("../../shared/words/testdata/rich.yaml")
	if err != nil {
		s.t.Fatal(err)
	}
	s.must("PUT", "/v1/program", regexp.MustCompile(`(?m)^rollout:.*\n`).ReplaceAll(raw, nil), "Content-Type", "application/yaml")
}

// sentence is what the terms say of a setting.
func (a answer) sentence(path string) string {
	for _, s := range a.body["sections"].([]any) {
		for _, x := range s.(object)["sentences"].([]any) {
			if x.(object)["path"] == path {
				return x.(object)["text"].(string)
			}
		}
	}
	return ""
}

func TestTermsAreSaidInTheLanguageAskedFor(t *testing.T) {
	s := embedded(t)
	s.richProgram()
	for _, c := range []struct{ language, want, direction, sentence string }{
		{"en", "en", "ltr", "1 point for every ₪1.00 spent on the goods."},
		{"he", "he", "rtl", "נקודה אחת על כל"},
		{"ar", "ar", "rtl", "الحصول على نقطة واحدة لقاء كل"},
		{"fa-IR", "fa", "rtl", "امتیاز برای هر"},
		{"de", "he", "rtl", "נקודה אחת על כל"}, // the program's first
		{"", "he", "rtl", "נקודה אחת על כל"},
	} {
		a := s.must("GET", "/v1/program/terms?language="+c.language, nil)
		if a.str("language") != c.want || a.str("direction") != c.direction || !strings.HasPrefix(strings.NewReplacer("\u2068۱\u2069 ", "").Replace(a.sentence("/earning/rules/0/rate")), c.sentence) {
			t.Errorf("%s: %s %s %q", c.language, a.str("language"), a.str("direction"), a.sentence("/earning/rules/0/rate"))
		}
	}
	s.refused(400, "invalid_request", "GET", "/v1/program/terms?format=pdf", nil)
}

// Whose and when the version is that is said.
func TestTermsOfAVersion(t *testing.T) {
	s := embedded(t)
	rate := func(points string) string {
		return "{earning: {rules: [{id: base, on: order, rate: {points: " + points + ", amount: 100}}]}"
	}
	publish := func(at, doc string) {
		s.clock(at)
		s.must("PUT", "/v1/program", []byte(doc), "Content-Type", "application/yaml")
	}
	publish("2026-03-01T08:00:00Z", rate("2")+"}")
	publish("2026-03-02T08:00:00Z", rate("3")+", rollout: {stores: [tlv-1]}}")
	publish("2026-03-03T08:00:00Z", rate("4")+", rollout: {percent: 100}}")
	publish("2026-03-04T08:00:00Z", rate("5")+", rollout: {regions: [north]}}")
	m := s.enrol("m")
	token := s.must("POST", "/v1/members/"+m+"/tokens", nil).str("token")
	other := s.enrol("other")
	for query, points := range map[string]string{
		"":                                        "2",
		"version=3":                               "3",
		"store=tlv-1":                             "3",
		"region=north":                            "5",
		"member=" + m:                             "4",
		"at=2026-03-01T08:00:00Z":                 "2",
		"at=2026-03-04T09:00:00Z":                 "2",
		"at=2026-03-04T09:00:00Z&member=" + m:     "4",
		"at=2026-03-02T09:00:00Z&member=" + m:     "2",
		"at=2026-03-02T09:00:00%2B01:00&store=x":  "2",
		"at=2026-03-02T10:00:00Z&store=tlv-1":     "3",
		"at=2026-03-02T07:59:59Z&store=tlv-1":     "2",
		"at=2026-03-05T00:00:00Z&region=north":    "5",
		"language=en&version=2&member=" + m:       "2",
		"member=" + m + "&store=x&region=elsewhe": "4",
	} {
		a := s.must("GET", "/v1/program/terms?language=en&"+query, nil)
		if got := a.sentence("/earning/rules/0/rate"); !strings.HasPrefix(got, points+" points") {
			t.Errorf("%s: %s", query, got)
		}
	}
	mine := s.must("GET", "/v1/program/terms?language=en", nil, "Authorization", "Bearer "+token)
	if got := mine.sentence("/earning/rules/0/rate"); !strings.HasPrefix(got, "4 points") {
		t.Errorf("by a member's token: %s", got)
	}
	s.refused(404, "not_found", "GET", "/v1/program/terms?member="+other, nil, "Authorization", "Bearer "+token)
	s.refused(404, "not_found", "GET", "/v1/program/terms?member=mem_X", nil)
	s.refused(404, "not_found", "GET", "/v1/program/terms?version=99", nil)
	s.refused(404, "not_found", "GET", "/v1/program/terms?at=1999-01-01T00:00:00Z", nil)
	for _, bad := range []string{"version=0", "version=x", "at=yesterday", "at=2026-03-01T08:00:00Z&version=1"} {
		s.refused(400, "invalid_request", "GET", "/v1/program/terms?"+bad, nil)
	}
}

// The page is for people: a browser gets it without asking.
func TestTermsAsAPage(t *testing.T) {
	s := embedded(t)
	s.must("PUT", "/v1/program", object{"earning": object{"rules": []object{
		{"id": "base", "on": "order", "rate": object{"points": 1, "amount": 100}, "name": object{"en": `Tom & "Jerry"`}, "when": "order.store == '<script>alert(1)</script>'"},
	}}})
	page := s.do("GET", "/v1/program/terms", nil, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	html := string(page.raw)
	if page.status != http.StatusOK || page.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v", page.status, page.header)
	}
	for _, want := range []string{`<html lang="en" dir="ltr">`, "<bdi>Tom &amp; &#34;Jerry&#34;</bdi>", "&lt;script&gt;"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in %s", want, html)
		}
	}
	if strings.Contains(html, "<script") {
		t.Error("a script")
	}
	if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") {
		t.Errorf("policy %q", csp)
	}
	if a := s.do("GET", "/v1/program/terms?format=json", nil, "Accept", "text/html"); a.header.Get("Content-Type") != "application/json" {
		t.Errorf("format=json: %v", a.header)
	}
	if a := s.do("GET", "/v1/program/terms?format=html&language=fa", nil); !strings.Contains(string(a.raw), `<html lang="fa" dir="rtl">`) {
		t.Errorf("%.200s", a.raw)
	}
}
