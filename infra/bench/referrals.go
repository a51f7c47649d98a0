package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
)

// referring is the program under which referrals are measured.
const referring = `{"shop": {"url": "https://shop.example/"}, "referral": {
	"advocate": [{"rank": 1, "points": 100}, {"rank": 3, "points": 150}, {"rank": 6, "points": 200}], "friend": {"points": 50}, "minimum": 3000}}`

// referrals measures what a friend costs whom a member brings, step by step:
// friends who are members already, and friends whom the order makes guests.
// Each step is metered alone, also what the stream lets follow it.
func referrals(s *shop, times int, progress func(string)) ([]figure, error) {
	s.publish(referring)
	advocate := s.enrol("advocate")
	a, _ := s.send("POST", "/v1/members/"+advocate+"/referral-code", nil)
	code, _ := a["code"].(string)
	s.first() // the terms are compiled, and cached
	f := map[string][]units{}
	note := func(name string, cost units) { f[name] = append(f[name], cost) }
	for i := range times {
		note(firstOrder, s.first())
		note(click, s.click(code, fmt.Sprint("Mozilla/5.0 visitor ", i)))
		note(clickAgain, s.click(code, fmt.Sprint("Mozilla/5.0 visitor ", i)))
		for _, guest := range []bool{false, true} {
			s.members++
			external := fmt.Sprint(8642000000000 + s.members)
			who, kind := object{"customer": object{"external_id": external}}, " (guest)"
			if !guest {
				who, kind = object{"member": s.enrol(external)}, ""
			}
			_, cost := s.send("POST", "/v1/referrals", object{"code": code, "source": "standard", "customer": object{"external_id": external}})
			note("registration of a friend"+kind, cost)
			s.drain()
			s.later(day)
			id := "friend" + external
			_, cost = s.send("POST", "/v1/orders", order(id, 1, who, s.clock, 0))
			note(friendOrder+kind, cost)
			note(followUp+kind, s.drain())
			s.later(15 * day)
			_, cost = s.send("POST", "/_local/schedules/referrals/run", nil)
			note(rewarded+kind, cost)
			s.drain()
			_, cost = s.send("POST", "/v1/orders", order(id, 2, who, s.clock.Add(-15*day), 15480))
			note("refund of a rewarded order"+kind, cost)
			s.drain()
		}
		if i%10 == 9 {
			progress(fmt.Sprintf("referrals: %d of %d", i+1, times))
		}
	}
	var out []figure
	for _, name := range []string{click, clickAgain, firstOrder} {
		out = append(out, figure{name, f[name]})
	}
	for _, name := range []string{"registration of a friend", friendOrder, followUp, rewarded, "refund of a rewarded order"} {
		for _, kind := range []string{"", " (guest)"} {
			out = append(out, figure{name + kind, f[name+kind]})
		}
	}
	return out, s.failure()
}

// The steps that have a target.
const (
	click       = "click on a link"
	clickAgain  = "click on a link again"
	firstOrder  = "first order of anybody else"
	friendOrder = "a friend's qualifying order"
	followUp    = "what follows it by the stream"
	rewarded    = "both rewards, by the schedule"
)

// first is the first order of a member whom nobody brought.
func (s *shop) first() units {
	s.members++
	external := fmt.Sprint(8642000000000 + s.members)
	m := s.enrol(external)
	s.drain()
	s.later(day)
	_, cost := s.send("POST", "/v1/orders", order("friend"+external, 1, object{"member": m}, s.clock, 0))
	s.drain()
	return cost
}

// publish puts a program in force.
func (s *shop) publish(doc string) {
	a, _ := s.send("PUT", "/v1/program", json.RawMessage(doc))
	if s.err == nil && a["version"] == nil {
		s.err = fmt.Errorf("the program was not published: %v", a)
	}
}

// click follows a personal link.
func (s *shop) click(code, agent string) units {
	if s.err != nil {
		return units{}
	}
	r := httptest.NewRequest(http.MethodGet, "/r/"+code, nil)
	r.Header.Set("User-Agent", agent)
	w := httptest.NewRecorder()
	s.meter.take()
	s.host.ServeHTTP(w, r)
	cost := s.meter.take()
	if w.Code != http.StatusFound {
		s.err = fmt.Errorf("GET /r/%s answered %d: %s", code, w.Code, w.Body)
	}
	return cost
}

// drain lets what reads the stream catch up, and answers what that cost.
func (s *shop) drain() units {
	_, cost := s.send("GET", "/_local/events", nil)
	return cost
}
