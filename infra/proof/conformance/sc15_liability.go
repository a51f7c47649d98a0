package main

import (
	"encoding/json"
	"strconv"
	"time"
)

// Own books of eight months: 20,000 points earned, 5,000 spent, 100 of them
// given back, 2,500 expired, 600 clawed back; 3,000 more are pending.
var sc15 = Scenario{"SC15 liability that ties", "the roll-forward of points comes to the point to what members have, and to what it costs", func(s *shop) {
	// Others may have points, and the kit may have been here before: what the
	// months show is compared with what they showed before.
	books := func(months string) answer {
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			a := s.must("GET", "/v1/reports/liability?"+months+"&expected_redemption=0.8", nil)
			if a.at("ties") != false || time.Now().After(end) { // what is being counted just now is waited for
				s.eq(a, "ties", true)
				s.eq(a, "difference", 0)
				return a
			}
		}
	}
	grown := func(before, now answer, path string, want int64, catch ...wrong) {
		if got := s.number(now, path) - s.number(before, path); got != want {
			s.differs("%s: want %d more than before, got %d%s\n%v", path, want, got, mistake(json.Number(strconv.FormatInt(got, 10)), catch), now)
		}
	}
	s.part("20 000 earned", func() {
		s.needsClock()
		s.program(`{"point_value": {"points": 1, "amount": 5}, "expiry": {"after": "P6M", "to_end_of": "month"},
			"earning": {"pending": "P14D", "rules": [{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}}]}}`)
		const january, all = "from=2019-01&until=2019-01", "from=2019-01&until=2019-08"
		s.clock("2019-01-10T08:00:00Z")
		early, before := books(january), books(all)
		first, second, third := s.enrol("SC15"), s.enrol("SC15"), s.enrol("SC15")
		s.earn(s.order("1", first, 250_000))
		a := books(january)
		grown(early, a, "total.pending", 2_500, wrong{0: "pending points are not shown"})
		grown(early, a, "total.earned", 0, wrong{2_500: "pending points count as earned"})

		s.clock("2019-03-01T08:00:00Z")
		s.earn(s.order("2", second, 1_690_000))
		s.earn(s.order("3", second, 60_000))
		s.clock("2019-03-20T08:00:00Z")
		s.redeem(second, 4_900)
		s.must("POST", "/v1/redemptions/"+s.redeem(second, 100)+"/cancel", object{})
		s.clock("2019-04-02T08:00:00Z")
		s.earn(s.order("3", second, 60_000, object{"version": 2, "state": "cancelled"}))
		s.clock("2019-08-01T08:00:00Z")
		s.must("POST", "/_local/schedules/expire/run", nil)
		s.earn(s.order("4", third, 300_000))

		a = books(all)
		grown(before, a, "total.earned", 20_000, wrong{23_000: "pending points count as earned", 17_500: "what expired was never earned", 19_400: "what was clawed back was never earned"})
		grown(before, a, "total.spent", 5_000, wrong{4_900: "what was given back was never spent"})
		grown(before, a, "total.expired", 2_500)
		grown(before, a, "total.clawed_back", 600)
		grown(before, a, "total.restored", 100)
		grown(before, a, "total.closing", 12_000, wrong{15_000: "pending points are among the closing ones"})
		grown(before, a, "total.cost", 480_00, wrong{600_00: "all points are expected to be redeemed, or pending ones cost", 480: "in whole units"})
		grown(before, a, "total.pending", 3_000)
		grown(before, a, "total.with_pending", 600_00)
		grown(before, a, "balances", 15_000)
		grown(before, a, "months.2.earned", 17_500)
		grown(before, a, "months.3.clawed_back", 600)
		for m, points := range map[string]int64{first: 0, second: 12_000, third: 0} {
			s.points(m, points)
			s.holds(m)
		}
	})
}}
