package main

import (
	"fmt"
	"net/http"
	"time"
)

// clockwork is what the kit knows of the target's time. A local host has a
// clock that can be set and schedules that can be run; everywhere else things
// have to come to their end in real time.
type clockwork struct {
	settable bool
	set      bool          // it may stand now
	skew     time.Duration // of the target's clock against ours
	slack    time.Duration // how long what is to die soon lives
	due      time.Time     // when it dies, until the steps before that are done
}

// meet finds out about the target's time from its first answer.
func (s *shop) meet(sent time.Time, header http.Header) {
	probe, err := s.try(s.ctx, "GET", "/_local/clock", nil)
	s.settable = err == nil && probe.status == http.StatusOK && probe.str("now") != ""
	s.set = s.settable // somebody may have set it
	if s.slack = s.target.Slack; s.slack == 0 {
		s.slack = 8 * time.Second
		if s.target.loopback {
			s.slack = 2 * time.Second
		}
	}
	if told, err := http.ParseTime(header.Get("Date")); err == nil {
		if d := told.Sub(sent); d.Abs() > 2*time.Second { // a Date has no more than seconds
			s.skew = d
		}
	}
}

// needsClock ends the part on a target whose clock cannot be set.
func (s *shop) needsClock() {
	if !s.settable {
		s.skip("the target has no clock that can be set: only a local host has")
	}
}

// needsSchedules ends the part on a target whose schedules and events are not
// within reach.
func (s *shop) needsSchedules() {
	if !s.settable {
		s.skip("the target's schedules cannot be run by hand nor its events be read: only a local host's can")
	}
}

// clock sets the target's clock. Only reads and writes of the part's own
// members may follow, and schedules at an instant of the past: one that ran
// ahead would write off the points of everybody else.
func (s *shop) clock(at string) {
	s.set = true
	s.must("PUT", "/_local/clock", object{"now": at})
}

// free lets the target's clock run.
func (s *shop) free() {
	if s.set {
		s.must("PUT", "/_local/clock", object{"now": nil})
		s.set = false
	}
}

// now is the target's time.
func (s *shop) now() time.Time { return time.Now().Add(s.skew) }

// soon is an instant that leaves just enough time for the steps before it.
func (s *shop) soon() time.Time {
	s.due = s.now().Add(s.slack + time.Second).Truncate(time.Second)
	return s.due
}

// before checks that the steps so far were done before an instant. If not,
// what they found says nothing about the target.
func (s *shop) before(at time.Time) {
	if s.now().After(at.Add(-200 * time.Millisecond)) {
		s.due = at
		s.fail("the target answers too slowly for this part: say -slack with more than %v", s.slack)
	}
	s.due = time.Time{}
}

// late tells whether what differs may differ because something died before
// the steps were done for which it had to live.
func (s *shop) late() bool {
	return len(s.differing) > 0 && !s.due.IsZero() && s.now().After(s.due.Add(-200*time.Millisecond))
}

// until waits until an instant has passed for the target.
func (s *shop) until(at time.Time) {
	margin := 300 * time.Millisecond
	if !s.target.loopback {
		margin = 2 * time.Second // as exactly as the other clock is known
	}
	select {
	case <-time.After(at.Sub(s.now()) + margin):
	case <-s.ctx.Done():
		s.goOn()
	}
}

// stamp writes an instant as the API does.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// events is how many events of a type there were of a member.
func (s *shop) events(kind, member string) (n int) {
	a := s.must("GET", "/_local/events", nil)
	for i := range a.list("data") {
		at := fmt.Sprintf("data.%d.", i)
		if a.str(at+"type") == kind && a.str(at+"data.member") == member {
			n++
		}
	}
	return n
}

// once checks that there was one event of a type of a member.
func (s *shop) once(kind, member string) {
	if n := s.events(kind, member); n != 1 {
		s.differs("events %s of %s: want 1, got %d", kind, member, n)
	}
}
