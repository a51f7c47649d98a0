package main

import "strconv"

// A member with 1,450 qualifying points, Silver (x1.25) from 500 and Gold
// (x1.5) from 1,500, buys for 120.00. Qualifying points are those before
// multipliers.
var sc9 = Scenario{"SC9 crossing a tier, and back", "tiers follow what qualifies, and what was earned is not priced anew", func(s *shop) {
	program := func(more string) {
		s.program(`{"tiers": {` + more + `"levels": [{"id": "silver", "from": 500, "multiplier": "1.25"}, {"id": "gold", "from": 1500, "multiplier": "1.5"}]}}`)
	}
	silver := func(qualifying int64) string {
		m := s.enrol("SC9")
		s.eq(s.earn(s.order("before"+digits(int(qualifying)), m, qualifying*100)), "points", qualifying)
		return m
	}
	tier := func(m, id string, qualifying int) {
		a := s.member(m)
		s.eq(a, "tier.id", id)
		s.eq(a, "tier.qualifying", qualifying)
	}
	for _, c := range []struct {
		crossing string
		points   int
	}{{"tier_before", 150}, {"split_at_threshold", 167}} {
		s.part(c.crossing, func() {
			program("")
			m := silver(1450)
			program(`"crossing": "` + c.crossing + `", `)
			tier(m, "silver", 1450)
			s.eq(s.member(m), "tier.next.missing", 50)
			s.eq(s.earn(s.order("1", m, 12000)), "points", c.points, wrong{180: "valued by the tier that it reached", 120: "no tier counted"})
			tier(m, "gold", 1570)
			if s.settable {
				if n := s.events("tier.upgraded", m); n != 2 { // to Silver, then to Gold
					s.differs("events tier.upgraded of %s: want 2, got %d", m, n)
				}
			}
			s.eq(s.earn(s.order("2", m, 10000)), "points", 150)
			s.eq(s.earn(s.order("1", m, 12000, object{"version": 2, "refunded": 12000})), "points", 0)
			tier(m, "gold", 1550)
			s.ledger(m, "earn 1450", "earn "+digits(c.points), "earn 150", "clawback -"+digits(c.points))
		})
	}
	s.part("back at once", func() {
		program(`"downgrade": "at_once", `)
		m := silver(1450)
		s.earn(s.order("1", m, 12000))
		tier(m, "gold", 1570)
		s.earn(s.order("1", m, 12000, object{"version": 2, "refunded": 12000}))
		tier(m, "silver", 1450)
		if s.settable {
			s.once("tier.downgraded", m)
		}
		s.eq(s.earn(s.order("2", m, 10000)), "points", 125)
	})
	s.part("back at the end of the period", func() {
		program(`"downgrade": "period_end", `)
		m := silver(1450)
		s.earn(s.order("1", m, 12000))
		s.earn(s.order("1", m, 12000, object{"version": 2, "refunded": 12000}))
		tier(m, "gold", 1450)
		s.eq(s.earn(s.order("2", m, 10000)), "points", 150)
		tier(m, "gold", 1550)
	})
	s.part("a refund prices nothing else anew", func() {
		program(`"downgrade": "at_once", `)
		m := silver(1450)
		s.earn(s.order("1", m, 12000))
		s.eq(s.earn(s.order("2", m, 2000)), "points", 30)
		s.earn(s.order("1", m, 12000, object{"version": 2, "refunded": 12000}))
		tier(m, "silver", 1470)
		s.eq(s.must("GET", "/v1/orders/"+source+"/"+s.id("2"), nil), "points", 30, wrong{25: "priced anew by the tier of today"})
	})
	s.part("one step down when the period ends", func() {
		s.needsClock()
		program(`"window": "P1M", "validity": "P1M", "warning": "P5D", "downgrade": "period_end", `)
		s.clock("2026-03-10T08:00:00Z")
		m := silver(1600)
		tier(m, "gold", 1600)
		s.eq(s.member(m), "tier.until", "2026-04-10T21:00:00Z")
		s.clock("2026-05-05T20:59:59Z") // within the window still: April begins with what March qualified for
		s.eq(s.member(m), "tier.id", "gold")
		s.clock("2026-05-06T08:00:00Z") // five days before the end she is told
		s.must("POST", "/_local/schedules/tiers/run", nil)
		s.once("tier.will_downgrade", m)
		s.clock("2026-05-10T20:59:59Z")
		tier(m, "gold", 0)
		s.clock("2026-05-10T21:00:00Z")
		tier(m, "silver", 0)
		s.must("POST", "/_local/schedules/tiers/run", nil)
		s.once("tier.downgraded", m)
		s.once("tier.will_downgrade", m)
	})
	s.part("just below, at and just above a threshold", func() {
		program("")
		for qualifying, want := range map[int64]string{1499: "silver", 1500: "gold", 1501: "gold"} {
			tier(silver(qualifying), want, int(qualifying))
		}
	})
}}

func digits(n int) string { return strconv.Itoa(n) }
