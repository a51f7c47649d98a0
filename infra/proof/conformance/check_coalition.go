package main

import "strings"

// What others than the shop and its members have to do with a programme.
var coalition = Scenario{"coalition", "a card collects before it is anybody's, a partner's statement ties to every movement, a board ranks exactly", func(s *shop) {
	s.part("a card is bound with its balance", func() {
		s.program(`{"cards": {"benefits": {"discount_percent": 5}}}`)
		number := s.id("card")
		s.eq(s.must("GET", "/v1/cards/"+number, nil), "entitlements.0.value", 5)
		bought := func(name string) answer {
			return s.earn(s.order(name, "", 10000, object{"member": nil, "customer": object{"card": number}}))
		}
		guest := s.text(bought("1"), "member")
		s.eq(bought("2"), "member", guest)
		a := s.must("GET", "/v1/cards/"+number, nil)
		s.eq(a, "bound", false)
		s.eq(a, "points", 200)
		m := s.enrol("card")
		for range 2 {
			s.must("POST", "/v1/members/"+m+"/cards", object{"number": number})
			s.points(m, 200, wrong{0: "what the card collected is lost", 400: "it was taken over twice"})
		}
		s.eq(bought("3"), "member", m)
		s.refused(409, "member_exists", "POST", "/v1/members/"+s.enrol("card")+"/cards", object{"number": number})
	})
	s.part("a partner's statement", func() {
		partner := "air-" + s.run // its statement has this run's movements only
		till := "till-" + s.run
		s.program(`{"partners": [{"id": "` + partner + `", "sources": ["` + till + `"], "settle": {"points": 100, "amount": 450},
			"exchange": {"points": 100, "units": 75, "unit": "miles", "minimum": 100}}]}`)
		m := s.enrol("partner")
		air := func(name string, amount int64, more ...object) object {
			return s.order(name, m, amount, append([]object{{"source": till}}, more...)...)
		}
		s.eq(s.earn(air("1", 200000)), "points", 2000)
		for range 2 {
			s.earn(air("1", 200000, object{"version": 2, "refunded": 50000}))
		}
		s.earn(s.order("own", m, 50000)) // our own shop's is not in it
		rdm := s.redeem(m, 400)
		s.earn(air("2", 10000, object{"redemption": rdm}))
		s.earn(air("2", 10000, object{"redemption": rdm, "version": 2, "refunded": 5000}))
		s.eq(s.must("POST", "/v1/partners/"+partner+"/exchanges", object{"member": m, "points": 333}), "units", 249, wrong{250: "rounded up"})
		month := s.now().In(jerusalem()).Format("2006-01")
		a := s.must("GET", "/v1/partners/"+partner+"/statements/"+month, nil)
		for path, want := range map[string]int{
			"earned": 2080, "clawed_back": 540, "burned": 400, "restored": 200, "burned_value": 1000, "exchanged": 333, "units": 249,
			"partner_owes": 6930, "program_owes": 2498, "net": 4432,
		} {
			s.eq(a, path, want)
		}
		s.holds(m)
	})
	s.part("a leaderboard", func() {
		board := "board-" + s.run
		s.program(`{"leaderboards": [{"id": "` + board + `", "per": "P1M", "count": "amount", "prizes": [{"from": 1, "to": 1, "points": 500}]}]}`)
		var who []string
		for i, amount := range []int64{5000, 9000, 9000, 100} {
			who = append(who, s.enrol("board"))
			s.earn(s.order(digits(i), who[i], amount))
		}
		s.earn(s.order("more", who[0], 5000))
		s.earn(s.order("3", who[3], 100, object{"version": 2, "refunded": 100}))
		a := s.must("GET", "/v1/leaderboards/"+board, nil)
		for i, want := range []struct{ rank, score, prize int }{{1, 10000, 500}, {2, 9000, 0}, {2, 9000, 0}} {
			at := "data." + digits(i) + "."
			s.eq(a, at+"rank", want.rank)
			s.eq(a, at+"score", want.score)
			s.eq(a, at+"prize", want.prize)
		}
		s.eq(a, "data.0.member", who[0])
		s.eq(a, "data.3.member", nil)
	})
}}

// What people read is said from the rules.
var words = Scenario{"words", "the terms say the rules in four languages, and an entry says how it came about", func(s *shop) {
	s.part("terms change with the rules", func() {
		said := map[string]string{}
		for _, points := range []string{"3", "4"} {
			s.program(`{"earning": {"rules": [{"id": "base", "on": "order", "rate": {"points": ` + points + `, "amount": 700}}]}}`)
			for _, language := range []string{"en", "he", "ar", "fa"} {
				a := s.must("GET", "/v1/program/terms?language="+language, nil)
				s.eq(a, "language", language)
				text := string(a.raw[strings.Index(string(a.raw), `"sections"`):])
				if said[language] == text {
					s.differs("the terms in %s are the same under another rule", language)
				}
				said[language] = text
			}
		}
	})
	s.part("an entry is explained", func() {
		s.program(`{"earning": {"stacking": "multiply", "rules": [{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}},
			{"id": "twice", "on": "order", "multiplier": "2"}, {"id": "elsewhere", "on": "order", "multiplier": "3", "where": {"stores": ["nowhere"]}}]}}`)
		m := s.enrol("words")
		entry := s.text(s.earn(s.order("1", m, 4995)), "entries.0.id")
		a := s.must("GET", "/v1/members/"+m+"/ledger/"+entry+"/explanation?language=en", nil)
		s.eq(a, "entry.points", 99)
		for _, want := range []string{`"twice"`, `"elsewhere"`, `where.stores`, `"999/10"`} {
			if !strings.Contains(string(a.raw), want) {
				s.differs("the explanation: want %s in it\n%v", want, a)
			}
		}
		s.refused(404, "not_found", "GET", "/v1/members/"+m+"/ledger/"+entry[:len(entry)-1]+"9/explanation", nil)
	})
}}
