package local_test

import (
	"fmt"
	"testing"
)

// is compares a value of an answer.
func is(t *testing.T, a answer, path string, want any) {
	t.Helper()
	if got := fmt.Sprint(a.at(path)); got != fmt.Sprint(want) {
		t.Errorf("%s is %s, want %v\n%.400s", path, got, want, a.raw)
	}
}

// A card collects before it is anybody's; bound, what it collected is the member's (C46, C47).
func TestABearerCardIsBoundWithItsBalance(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.program("cards: {benefits: {discount_percent: 5}}\nearning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}]}")
		is(t, s.must("GET", "/v1/cards/4711", nil), "entitlements.0.value", 5)
		bought := func(id string) answer {
			return s.earn(order(id, "", 10000, object{"member": nil, "customer": object{"card": "4711"}}))
		}
		guest := bought("1").str("member")
		bought("2")
		a := s.must("GET", "/v1/cards/4711", nil)
		is(t, a, "bound", false)
		is(t, a, "points", 200)
		is(t, a, "member", guest)

		m := s.enrol("Dana")
		s.earn(order("3", m, 5000))
		for range 2 {
			s.must("POST", "/v1/members/"+m+"/cards", object{"number": "4711"})
			s.points(m, 250)
		}
		if who := bought("4").str("member"); who != m {
			t.Errorf("the card is %s's, want %s", who, m)
		}
		is(t, s.must("GET", "/v1/cards/4711", nil), "bound", true)
		is(t, s.must("GET", "/v1/members/"+m+"/entitlements", nil), "data.0.id", "discount_percent")

		other := s.enrol("Noa")
		s.refused(409, "member_exists", "POST", "/v1/members/"+other+"/cards", object{"number": "4711"})
		s.must("POST", "/v1/members/"+other+"/cards", object{"number": "4712"}) // nobody's yet
		if who := s.earn(order("5", "", 100, object{"member": nil, "customer": object{"card": "4712"}})).str("member"); who != other {
			t.Errorf("the card is %s's, want %s", who, other)
		}
		is(t, s.must("GET", "/v1/members/"+other, nil), "external_ids.card", "4712")
	})
}

// Points given and burned in a partner's shop stand in its statement (C24).
func TestAPartnersStatementFollowsEveryMovement(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.clock("2026-03-15T08:00:00Z")
		s.program(`earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}, {id: abroad, on: order, multiplier: "2", where: {sources: [airline]}}]}
partners: [{id: air, sources: [airline], settle: {points: 100, amount: 450}, exchange: {points: 100, units: 75, unit: miles, minimum: 100}}]`)
		m := s.enrol("m")
		air := func(id string, amount int64, more ...object) object {
			return order(id, m, amount, append([]object{{"source": "airline"}}, more...)...)
		}
		is(t, s.earn(air("1", 100000)), "points", 2000)
		for range 2 {
			s.earn(air("1", 100000, object{"version": 2, "refunded": 25000}))
		}
		s.earn(order("own", m, 50000)) // our own shop's is not in it
		rdm := s.redeem(m, 400)
		s.earn(air("2", 10000, object{"redemption": rdm}))
		s.earn(air("2", 10000, object{"redemption": rdm, "version": 2, "refunded": 5000}))
		swap := s.must("POST", "/v1/partners/air/exchanges", object{"member": m, "points": 333})
		is(t, swap, "units", 249) // 249.75
		s.refused(422, "below_minimum", "POST", "/v1/partners/air/exchanges", object{"member": m, "points": 99})
		s.refused(404, "not_found", "POST", "/v1/partners/rail/exchanges", object{"member": m, "points": 100})
		if a := s.refused(422, "insufficient_points", "POST", "/v1/partners/air/exchanges", object{"member": m, "points": 100000}); a.num("details.available") == 0 {
			t.Errorf("%s", a.raw)
		}
		a := s.must("GET", "/v1/partners/air/statements/2026-03", nil)
		for path, want := range map[string]int64{
			"earned": 2000 + 160, "clawed_back": 500 + 80, "burned": 400, "restored": 200, "burned_value": 1000, "exchanged": 333, "units": 249,
			"partner_owes": 7110, "program_owes": 1000 + 1498, "net": 7110 - 2498, "movements": 7,
		} {
			if got := a.num(path); got != want {
				t.Errorf("%s is %d, want %d\n%s", path, got, want, a.raw)
			}
		}
		is(t, s.must("GET", "/v1/partners/air/statements/2026-04", nil), "movements", 0)
		s.clock("2026-04-02T08:00:00Z")
		s.earn(air("2", 10000, object{"redemption": rdm, "version": 3, "refunded": 10000}))
		b := s.must("GET", "/v1/partners/air/statements/2026-04", nil)
		is(t, b, "burned", 0) // that was in March
		is(t, b, "restored", 200)
		s.holds(m)
	})
}

// What was burned stands in the month when it was, not again when the order changes later.
func TestAPartnersStatementHasABurnOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.clock("2026-03-15T08:00:00Z")
		s.program(`earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}]}
partners: [{id: air, sources: [airline], settle: {points: 100, amount: 450}}]`)
		m := s.enrol("m")
		s.earn(order("own", m, 100000))
		paid := object{"source": "airline", "redemption": s.redeem(m, 400)}
		s.earn(order("1", m, 10000, paid))
		s.clock("2026-04-15T08:00:00Z")
		s.earn(order("1", m, 10000, paid, object{"version": 2, "refunded": 5000}))
		march, april := s.must("GET", "/v1/partners/air/statements/2026-03", nil), s.must("GET", "/v1/partners/air/statements/2026-04", nil)
		is(t, march, "burned", 400)
		is(t, march, "restored", 0)
		is(t, april, "burned", 0)
		is(t, april, "restored", 200)
	})
}

// A leaderboard is exact at every moment, and its prizes are given once when
// the period is over (C25).
func TestALeaderboardRanksAndGivesItsPrizesOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.program(`earning: {rules: []}
leaderboards: [{id: monthly, per: P1M, count: amount, prizes: [{from: 1, to: 1, points: 500}, {from: 2, to: 3, points: 100}]}]`)
		s.clock("2026-03-10T08:00:00Z")
		var who []string
		for i, amount := range []int64{5000, 9000, 9000, 100, 7000} {
			who = append(who, s.enrol(fmt.Sprint("m", i)))
			s.earn(order(fmt.Sprint(i), who[i], amount))
		}
		s.earn(order("more", who[0], 5000))
		s.earn(order("4", who[4], 7000, object{"version": 2, "refunded": 7000}))
		read := func(more string) answer { return s.must("GET", "/v1/leaderboards/monthly?limit=10"+more, nil) }
		a := read("")
		for i, want := range []struct {
			rank, score, prize int64
			member             string
		}{{1, 10000, 500, who[0]}, {2, 9000, 100, who[1]}, {2, 9000, 100, who[2]}, {4, 100, 0, who[3]}} {
			at := fmt.Sprintf("data.%d.", i)
			is(t, a, at+"rank", want.rank)
			is(t, a, at+"score", want.score)
			is(t, a, at+"prize", want.prize)
			is(t, a, at+"member", want.member)
		}
		if a.at("data.4") != nil {
			t.Errorf("who returned everything is on the board still: %s", a.raw)
		}
		s.must("POST", "/v1/members/"+who[3]+"/merge", object{"into": who[0]})
		is(t, read(""), "data.0.score", 10100)
		is(t, read(""), "data.3.rank", "<nil>")

		s.clock("2026-03-31T20:59:59Z")
		s.must("POST", "/_local/schedules/expire/run", nil)
		s.points(who[0], 0)
		s.clock("2026-03-31T21:00:00Z")
		is(t, s.must("POST", "/_local/schedules/expire/run", nil), "contests", 1)
		for range 2 {
			s.must("POST", "/_local/schedules/expire/run", nil)
			s.points(who[0], 500)
			s.points(who[1], 100)
			s.points(who[2], 100)
		}
		is(t, read(""), "data.0.member", "<nil>")
		closed := read("&at=2026-03-15T00:00:00Z")
		is(t, closed, "closed", true)
		is(t, closed, "data.0.prize", 500)
	})
}
