package main

import (
	"crypto/rand"
	"fmt"
	"time"
)

// A member brings friends who buy one after the other: what each is worth goes
// by its rank among those that qualified.
var sc10 = Scenario{"SC10 referral ladder with fraud and refund", "who brings friends is paid by rank, once for each, when the order is safe, and no longer when it comes back", func(s *shop) {
	s.part("the ladder", func() {
		s.needsClock()
		s.program(ladder)
		s.clock("2026-03-01T09:00:00Z")
		email := s.id("adv") + "@gmail.com"
		a, code := s.advocate(email)
		friends, referral, member := map[string]object{}, map[string]string{}, map[string]string{}
		for _, f := range []string{"f1", "f2", "f3", "f4", "f5", "f6"} {
			friends[f] = s.friend(f)
			if f == "f4" { // the advocate's own address, with dots and a tag
				friends[f]["email"] = dotted(email)
			}
			referral[f] = s.register(code, friends[f])
		}
		buys := func(order, f string, amount int64, paidAt string, more ...object) {
			member[f] = s.text(s.earn(s.brought(order, friends[f], amount, paidAt, more...)), "member")
		}
		s.clock("2026-03-02T09:00:00Z")
		buys("o1", "f1", 5000, "2026-03-02T08:00:00Z")
		buys("o2", "f2", 5000, "2026-03-02T08:01:00Z")
		buys("o3", "f3", 5000, "2026-03-02T08:02:00Z")
		buys("o4", "f4", 5000, "2026-03-02T08:03:00Z")
		buys("o5", "f5", 2999, "2026-03-02T08:04:00Z")
		s.stands(referral["f1"], "pending")
		s.stands(referral["f4"], "blocked", "self_referral")
		s.counts(referral["f5"], "")
		s.clock("2026-03-03T09:00:00Z")
		buys("o5b", "f5", 3000, "2026-03-03T08:00:00Z")
		buys("o6", "f6", 5000, "2026-03-03T08:30:00Z")
		s.counts(referral["f5"], "o5b")
		s.clock("2026-03-07T09:00:00Z") // day 5
		buys("o2", "f2", 5000, "2026-03-02T08:01:00Z", object{"version": 2, "refunded": 5000})
		s.stands(referral["f2"], "cancelled", "refunded")
		s.clock("2026-03-16T07:59:59Z")
		s.qualify()
		s.points(a, 0, wrong{100: "rewarded before the hold was over"})
		s.clock("2026-03-16T08:00:00Z")
		s.qualify()
		s.points(a, 100)
		s.clock("2026-03-20T09:00:00Z")
		for range 2 {
			s.qualify()
			s.points(a, 500, wrong{
				400: "one reward for every rank", 600: "a friend counts who is none", 700: "cancelled and blocked friends count", 650: "a friend counts who is none", 1000: "paid as often as asked",
			})
		}
		rewards := func(want ...[3]int) {
			for i, f := range []string{"f1", "f3", "f5", "f6"} {
				s.worth(referral[f], want[i][0], want[i][1], want[i][2], wrong{150: "priced again by the rank that it would have now"})
			}
		}
		rewards([3]int{1, 100, 50}, [3]int{2, 100, 50}, [3]int{3, 150, 50}, [3]int{4, 150, 50}) // the friends together 200
		for f, points := range map[string]int64{"f1": 100, "f2": 0, "f3": 100, "f4": 50, "f5": 109, "f6": 100} {
			s.points(member[f], points)
			s.holds(member[f])
		}
		s.worth(referral["f2"], 0, 0, 0)
		s.worth(referral["f4"], 0, 0, 0)
		s.clock("2026-04-10T09:00:00Z") // day 40
		for range 2 {
			buys("o1", "f1", 5000, "2026-03-02T08:00:00Z", object{"version": 2, "refunded": 5000})
			s.qualify()
			s.points(a, 400, wrong{500: "the reward stays though the order came back", 300: "taken back twice", 350: "later ranks are priced again"})
		}
		s.points(member["f1"], 0)
		s.stands(referral["f1"], "cancelled", "refunded")
		for _, f := range []string{"f3", "f5", "f6"} {
			s.stands(referral[f], "qualified")
		}
		rewards([3]int{1, 0, 0}, [3]int{2, 100, 50}, [3]int{3, 150, 50}, [3]int{4, 150, 50})
		s.ledger(a, "refer 100", "refer 100", "refer 150", "refer 150", "clawback -100")
		for kind, n := range map[string]int{"referral.qualified": 4, "referral.blocked": 1, "referral.cancelled": 2} {
			if got := s.referralEvents(kind, a); got != n {
				s.differs("events %s of %s: want %d, got %d", kind, a, n, got)
			}
		}
	})
	s.part("told twice and in any order", func() {
		s.needsClock()
		s.program(ladder)
		for _, first := range []int{1, 2, 3} { // which version comes first
			s.clock("2026-03-01T09:00:00Z")
			a, code := s.advocate("")
			friend := s.friend(fmt.Sprint("twice", first))
			id := s.register(code, friend)
			if again := s.register(code, friend); again != id {
				s.differs("the same registration again: want %s, got %s", id, again)
			}
			s.clock("2026-03-02T09:00:00Z")
			name := fmt.Sprint("twice", first)
			states := []object{
				s.brought(name, friend, 5000, "2026-03-02T08:00:00Z"),
				s.brought(name, friend, 5000, "2026-03-02T08:00:00Z", object{"version": 2, "refunded": 1000}),
				s.brought(name, friend, 5000, "2026-03-02T08:00:00Z", object{"version": 3, "refunded": 2000}), // 30.00 are left
			}
			for i := range 6 {
				s.earn(states[(first+i)%3])
				s.stands(id, "pending")
			}
			s.clock("2026-03-16T08:00:00Z")
			for range 2 {
				s.qualify()
				s.worth(id, 1, 100, 50)
				s.earn(states[first-1])
			}
			s.ledger(a, "refer 100")
			s.earn(s.brought(name, friend, 5000, "2026-03-02T08:00:00Z", object{"version": 4, "refunded": 2001}))
			s.stands(id, "cancelled", "refunded")
			s.earn(s.brought(name, friend, 5000, "2026-03-02T08:00:00Z", object{"version": 5, "refunded": 2000}))
			s.stands(id, "qualified")
			s.worth(id, 1, 100, 50)
			s.ledger(a, "refer 100", "clawback -100", "refer 100")
		}
	})
	s.part("a seventh friend from the network of ten others", func() {
		s.program(ladder)
		from := object{"signals": object{"ip": network()}}
		_, others := s.advocate("")
		for i := range 10 {
			s.stands(s.register(others, s.friend(fmt.Sprint("net", i)), from), "registered")
		}
		_, code := s.advocate("")
		for i := range 6 {
			s.register(code, s.friend(fmt.Sprint("own", i)))
		}
		var seventh [2]string
		for i := range seventh {
			seventh[i] = s.register(code, s.friend(fmt.Sprint("seventh", i)), from)
			s.stands(seventh[i], "review", "velocity_ip")
		}
		s.must("POST", "/v1/referrals/"+seventh[0]+"/approve", nil)
		s.stands(seventh[0], "registered")
		s.must("POST", "/v1/referrals/"+seventh[1]+"/reject", nil)
		s.stands(seventh[1], "blocked", "rejected")
		for _, id := range seventh {
			s.refused(409, "not_under_review", "POST", "/v1/referrals/"+id+"/approve", nil)
		}
	})
	s.part("the last click wins", func() {
		s.program(ladder)
		for i, order := range [][2]int{{0, 1}, {1, 0}} { // in which the two are told
			_, first := s.advocate("")
			_, last := s.advocate("")
			friend := s.friend(fmt.Sprint("clicks", i))
			codes, clicks := [2]string{first, last}, [2]string{s.ago(72 * time.Hour), s.ago(48 * time.Hour)}
			var ids [2]string
			for _, n := range order {
				ids[n] = s.register(codes[n], friend, object{"clicked_at": clicks[n]})
			}
			s.stands(ids[1], "registered")
			if i == 0 {
				s.stands(ids[0], "cancelled", "later_click")
			} else if ids[0] != ids[1] { // what lost already is not even made
				s.differs("an earlier click that is told later: want the referral %s, got %s", ids[1], ids[0])
			}
			s.earn(s.brought(fmt.Sprint("clicks", i), friend, 5000, s.ago(time.Hour)))
			s.eq(s.referral(ids[1]), "code", last)
			if s.settable { // elsewhere the stream may not have come to it yet
				s.stands(ids[1], "pending")
			}
		}
	})
	s.part("the first order within thirty days", func() {
		s.needsClock()
		s.program(ladder)
		s.clock("2026-03-01T09:00:00Z")
		_, code := s.advocate("")
		late, just, two := s.register(code, s.friend("late")), s.register(code, s.friend("just")), s.register(code, s.friend("two"))
		s.clock("2026-04-01T09:00:00Z")
		s.earn(s.brought("late", s.friend("late"), 5000, "2026-03-31T08:00:00Z")) // 09:00 of that day in summer time
		s.stands(late, "cancelled", "window_over")
		s.earn(s.brought("just", s.friend("just"), 5000, "2026-03-31T07:59:59Z"))
		s.stands(just, "pending")
		s.earn(s.brought("second", s.friend("two"), 9000, "2026-03-05T08:00:00Z"))
		s.counts(two, "second")
		s.earn(s.brought("first", s.friend("two"), 4000, "2026-03-04T08:00:00Z")) // comes late, and was paid before
		s.counts(two, "first")
		s.earn(s.brought("third", s.friend("two"), 9900, "2026-03-06T08:00:00Z"))
		s.counts(two, "first")
		s.qualify()
		s.worth(two, 1, 100, 50)
		s.earn(s.brought("first", s.friend("two"), 4000, "2026-03-04T08:00:00Z", object{"version": 2, "refunded": 4000}))
		s.earn(s.brought("fourth", s.friend("two"), 9900, "2026-03-07T08:00:00Z"))
		s.qualify()
		s.stands(two, "cancelled", "refunded")
		s.counts(two, "first")
		s.worth(two, 1, 0, 0)
	})
	s.part("a code on the order", func() {
		s.needsSchedules()
		s.program(ladder)
		a, code := s.advocate("")
		coded := s.brought("coded", s.friend("coded"), 5000, s.ago(15*24*time.Hour), object{"referral_code": code})
		for range 2 {
			s.earn(coded)
			s.qualify()
			l := s.must("GET", "/v1/members/"+a+"/referrals", nil)
			s.eq(l, "data.0.way", "order")
			s.eq(l, "data.0.status", "qualified")
			s.eq(l, "data.0.order.id", s.id("coded"))
			s.eq(l, "data.1", nil)
			s.points(a, 100)
		}
	})
}}

// dotted is a Gmail address as its owner may write it too.
func dotted(email string) string {
	at := len(email) - len("@gmail.com")
	return email[:1] + "." + email[1:2] + "." + email[2:at] + "+x" + email[at:]
}

// network is an address in a network that no other run has.
func network() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("2a%02x:%x%02x:%x%02x::7", b[0]%16, b[1], b[2], b[3], b[4])
}

// referralEvents is how many events of a type there were of an advocate.
func (s *shop) referralEvents(kind, advocate string) (n int) {
	a := s.must("GET", "/_local/events", nil)
	for i := range a.list("data") {
		at := fmt.Sprintf("data.%d.", i)
		if a.str(at+"type") == kind && a.str(at+"data.advocate") == advocate {
			n++
		}
	}
	return n
}
