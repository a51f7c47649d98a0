package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What the scenarios of referrals have in common.

// ladder is the program of SC10: rungs by the rank of the qualified friend,
// 50 points for the friend, from 30.00 on, safe 14 days after the payment,
// within 30 days of the click.
const ladder = `{"referral": {"advocate": [{"rank": 1, "points": 100}, {"rank": 3, "points": 150}, {"rank": 6, "points": 200}],
	"friend": {"points": 50}, "minimum": 3000, "hold": "P14D", "window": "P30D"}}`

// advocate makes a member who has a code, and answers both. The e-mail is the
// member's, "" for none.
func (s *shop) advocate(email string) (member, code string) {
	body := object{"name": "advocate of conformance run " + s.run}
	if email != "" {
		body["email"] = email
	}
	member = s.text(s.must("POST", "/v1/members", body), "id")
	return member, s.text(s.must("POST", "/v1/members/"+member+"/referral-code", nil), "code")
}

// friend is whom a shop knows by an id of its own and an e-mail.
func (s *shop) friend(name string) object {
	return object{"external_id": s.id(name), "email": s.id(name) + "@example.com"}
}

// register tells of a friend who came by a code, and answers the referral's id.
func (s *shop) register(code string, friend object, more ...object) string {
	body := object{"code": code, "customer": friend}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	a := s.must("POST", "/v1/referrals", body)
	s.eq(a, "status", "registered") // whoever the friend is: a form may not find that out
	return s.text(a, "id")
}

// brought is a paid order of a friend, whoever that is.
func (s *shop) brought(name string, friend object, amount int64, paidAt string, more ...object) object {
	o := s.order(name, "", amount, append([]object{{"customer": friend, "paid_at": paidAt}}, more...)...)
	delete(o, "member")
	return o
}

func (s *shop) referral(id string) answer { return s.must("GET", "/v1/referrals/"+id, nil) }

// stands checks how far a referral has come: its status, and the reasons.
func (s *shop) stands(id, status string, reasons ...string) {
	a := s.referral(id)
	s.eq(a, "status", status)
	var got []string
	for _, r := range a.list("reasons") {
		got = append(got, fmt.Sprint(r))
	}
	if slices.Sort(got); !slices.Equal(got, reasons) {
		s.differs("reasons of a referral: want %s, got %s\n%v", strings.Join(reasons, ", "), strings.Join(got, ", "), a)
	}
}

// worth checks a friend's rank and what both have of the referral.
func (s *shop) worth(id string, rank, advocate, friend int, catch ...wrong) {
	a := s.referral(id)
	s.eq(a, "rank", rank)
	s.eq(a, "points.advocate", advocate, catch...)
	s.eq(a, "points.friend", friend)
}

// counts checks which of a friend's orders counts for a referral; "": none.
func (s *shop) counts(id, order string) {
	var want any
	if order != "" {
		want = s.id(order)
	}
	s.eq(s.referral(id), "order.id", want)
}

// qualify runs the schedule that rewards friends whose orders are safe.
func (s *shop) qualify() { s.must("POST", "/_local/schedules/referrals/run", nil) }

// ago is an instant before now, as the API writes it.
func (s *shop) ago(d time.Duration) string { return stamp(s.now().Add(-d)) }
