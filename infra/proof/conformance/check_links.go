package main

import (
	"bytes"
	"net/url"
	"strings"
)

// Personal codes and the links that they make.
var links = Scenario{"links", "a member has one code, its link leads to the shop and nowhere else, and who follows it is counted", func(s *shop) {
	const shop = `{"shop": {"url": "https://shop.example/start?lang=he"}, "referral": {"advocate": [{"rank": 1, "points": 100}], "friend": {"points": 50}}}`
	person := []string{"Authorization", "", "User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 " + s.run}
	s.part("a code is given once", func() {
		m, code := s.advocate("")
		path := "/v1/members/" + m + "/referral-code"
		s.eq(s.must("POST", path, nil), "code", code)
		a := s.must("POST", path, nil)
		if !strings.HasSuffix(a.str("url"), "/r/"+code) {
			s.differs("url: want the link of %s, got %s", code, a.str("url"))
		}
		own := "K" + strings.ToUpper(s.run[:6])
		chosen := s.text(s.must("POST", path, object{"code": strings.ToLower(own)}), "code")
		s.eq(s.must("POST", path, object{"code": own}), "code", chosen)
		s.eq(s.must("POST", path, nil), "code", chosen)
		s.refused(409, "code_taken", "POST", "/v1/members/"+s.enrol("links")+"/referral-code", object{"code": own})
		s.refused(400, "invalid_request", "POST", path, object{"code": "a"})
	})
	s.part("a link leads to the shop", func() {
		s.program(shop)
		_, code := s.advocate("")
		for _, asked := range []struct{ query, want string }{
			{"", "lang=he&ref=" + code},
			{"?utm_source=mail", "lang=he&ref=" + code + "&utm_source=mail"},
			{"?ref=OTHER&url=https%3A%2F%2Felsewhere.example", "lang=he&ref=" + code + "&url=https%3A%2F%2Felsewhere.example"},
		} {
			a := s.do("GET", "/r/"+code+asked.query, nil, person...)
			if a.status != 302 {
				s.fail("%v, want 302", a)
			}
			to, err := url.Parse(a.header.Get("Location"))
			if err != nil || to.Scheme+"://"+to.Host+to.Path != "https://shop.example/start" || to.Query().Encode() != asked.want {
				s.differs("Location: want https://shop.example/start?%s, got %s", asked.want, a.header.Get("Location"))
			}
		}
		s.refused(404, "not_found", "GET", "/r/NOBODYHASIT", nil, person...)
	})
	s.part("clicks are counted", func() {
		s.program(shop)
		_, code := s.advocate("")
		count := func() answer { return s.must("GET", "/v1/reports/referrals", nil) }
		before := count()
		follow := func(headers ...string) { s.do("GET", "/r/"+code, nil, headers...) }
		follow(person...)
		follow(person...)
		follow("Authorization", "", "User-Agent", person[3]+" other")
		follow("Authorization", "", "User-Agent", "WhatsApp/2.23.20.0")
		after := count()
		for what, n := range map[string]int64{"clicks": 3, "visitors": 2, "bots": 1} {
			at := "data.0." + what
			got := s.number(after, at) - s.number(before, at)
			if got != n && (s.target.loopback || got < n) { // elsewhere others may click meanwhile
				s.differs("%s: want %d more, got %d\n%v", what, n, got, after)
			}
		}
	})
	s.part("a picture of the link", func() {
		_, code := s.advocate("")
		_, other := s.advocate("")
		one := s.must("GET", "/r/"+code+"/qr.svg", nil, person...)
		if kind := one.header.Get("Content-Type"); kind != "image/svg+xml" || !bytes.Contains(one.raw, []byte("<svg")) {
			s.differs("want a picture in SVG, got %s\n%v", kind, one)
		}
		if bytes.Equal(one.raw, s.must("GET", "/r/"+other+"/qr.svg", nil, person...).raw) {
			s.differs("two codes have the same picture")
		}
	})
}}
