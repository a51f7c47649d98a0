package main

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

// Ten members spend 5200, 4100, 1500, 900, 900, 700, 700, 300, 200 and 100 in a
// year in which nobody else does: two of them bring 63.70 % of the 14,600.
var sc16 = Scenario{"SC16 five-way and Pareto", "who brings the most is known to the member, and who changes groups is told once", func(s *shop) {
	s.part("63.70, 27.40 and 8.90 %", func() {
		s.needsClock()
		s.needsSchedules() // and events
		s.program(`{"expiry": "none"}`)
		year := s.quietYear()
		defer func() { // others are judged by today again
			s.free()
			s.refresh()
		}()
		s.clock(fmt.Sprintf("%d-06-10T08:00:00Z", year))
		spends := []int64{5200, 4100, 1500, 900, 900, 700, 700, 300, 200, 100}
		members := make([]string, len(spends))
		for i, spend := range spends {
			members[i] = s.enrol("SC16")
			s.earn(s.order(digits(i), members[i], spend*100))
		}
		five, six := 5, 6
		if members[six] < members[five] {
			five, six = six, five
		}
		in := func(segment, because string, want ...int) {
			a := s.must("GET", "/v1/segments/"+segment+"/members?limit=200", nil)
			var got []int
			for i := range a.list("data") {
				got = append(got, slices.Index(members, a.str(fmt.Sprintf("data.%d.id", i))))
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				s.differs("in %s: want the members %v of %v, %s; got %v\n%v", segment, want, spends, because, got, a)
			}
		}
		shares := func(want ...any) {
			a := s.must("GET", "/v1/reports/deciles", nil)
			for i, part := range []string{"top_20", "next_40", "rest"} {
				s.eq(a, part+".members", want[3*i])
				s.eq(a, part+".spent", want[3*i+1])
				s.eq(a, part+".spent_percent", want[3*i+2])
			}
		}

		s.refresh()
		shares(2, 9300_00, "63.70", 4, 4000_00, "27.40", 4, 1300_00, "8.90")
		in("top_20", "those who spent the most", 0, 1)
		in("next_40", "of the two 700s that of the lower id", 2, 3, 4, five)

		before := s.moves(members)
		s.earn(s.order(digits(1), members[1], 4100_00, object{"version": 2, "refunded": 3000_00}))
		s.refresh()
		in("top_20", "after a refund of 3000 to the second", 0, 2)
		in("next_40", "after a refund of 3000 to the second", 1, 3, 4, five)
		for end := time.Now().Add(5 * time.Second); s.moves(members) < before+4 && time.Now().Before(end); { // a stream may be behind
			time.Sleep(50 * time.Millisecond)
		}
		if n := s.moves(members) - before; n != 4 {
			s.differs("events segment.left and segment.entered of top_20 and next_40: want 4, got %d", n)
		}

		s.earn(s.order(digits(five), members[five], 700_00, object{"version": 2, "state": "cancelled"}))
		s.clock(fmt.Sprintf("%d-06-12T08:00:00Z", year))
		s.earn(s.order("later", members[five], 700_00))
		s.refresh()
		in("next_40", "of the two 700s that of the earlier first purchase", 1, 3, 4, six)
	})
}}

// quietYear is a year of the past in whose first half, and the year before,
// nobody bought anything.
func (s *shop) quietYear() int {
	h := fnv.New32a()
	h.Write([]byte(s.run))
	const first, years = 1975, 40
	for try := range 8 {
		year := first + int((h.Sum32()+uint32(2*try))%years)
		s.clock(fmt.Sprintf("%d-06-10T08:00:00Z", year))
		s.refresh()
		a := s.must("GET", "/v1/reports/deciles", nil)
		if s.number(a, "top_20.members") == 0 {
			return year
		}
	}
	s.skip("members bought something in each year of the past that was looked at")
	return 0
}

// refresh puts all members into their segments, as of the target's time.
func (s *shop) refresh() {
	id := s.text(s.must("POST", "/v1/segment-runs", nil), "id")
	for end := time.Now().Add(time.Minute); ; {
		a := s.must("GET", "/v1/segment-runs/"+id, nil)
		switch status := a.at("status"); {
		case status == "done":
			return
		case status != "running" || time.Now().After(end):
			s.fail("%v, want it to be done", a)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-s.ctx.Done():
			s.goOn()
		}
	}
}

// moves is how often some members were told of to enter or leave the top 20 %
// and the next 40 %.
func (s *shop) moves(members []string) (n int) {
	a := s.must("GET", "/_local/events", nil)
	for i := range a.list("data") {
		at := fmt.Sprintf("data.%d.", i)
		kind, segment := a.str(at+"type"), a.str(at+"data.segment")
		if (kind == "segment.entered" || kind == "segment.left") && (segment == "top_20" || segment == "next_40") && slices.Contains(members, a.str(at+"data.member")) {
			n++
		}
	}
	return n
}
