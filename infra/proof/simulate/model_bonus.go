package main

import (
	"fmt"
	"time"

	"regulars/events"
)

// The automatic reward "usual": what was spent in a period falls into a
// bracket, and the member chooses one of its rewards, or has the default when
// time is up.

// spell is a member's open period, and the choice that an earlier one left.
type spell struct {
	known       bool  // something was counted since the rules have the reward
	start, ends int64 // 0: none is open
	spent       int64
	offer       offer
}

type offer struct {
	period  int64 // when it began; 0: there is no offer
	until   int64
	average int64
}

const (
	usualPoints = 50  // the default
	usualCash   = 300 // or so much money
)

// period is when the one that holds an instant begins.
func (r rules) period(at time.Time) time.Time {
	y, mo, _ := at.In(zone).Date()
	return time.Date(y, time.Month((int(mo)-1)/r.usualMonths*r.usualMonths+1), 1, 0, 0, 0, 0, zone)
}

func (r rules) periodAfter(start int64) int64 {
	return time.Unix(start, 0).In(zone).AddDate(0, r.usualMonths, 0).Unix()
}

// spend counts what was paid at an instant, or came back of it. What concerns
// a period that is closed counts in the open one.
func (m *member) spend(amount int64, at time.Time, r rules) {
	if amount == 0 || r.usual == 0 {
		return
	}
	s := &m.spell
	if !s.known && amount < 0 {
		return // of what was bought before there was the reward
	}
	s.known = true
	if s.start == 0 {
		s.start = r.period(at).Unix()
		s.ends = r.periodAfter(s.start)
	}
	s.spent += amount
}

// closeSpell does what is due of it.
func (m *member) closeSpell(due int64, r rules) {
	if r.usual == 0 {
		m.spell = spell{}
		return
	}
	s := &m.spell
	if s.offer.period != 0 && s.offer.until <= due {
		m.gain(usualPoints, time.Unix(due, 0), time.Unix(m.at, 0), r)
		s.offer = offer{}
	}
	if s.start == 0 || s.ends > due {
		return
	}
	if s.spent >= r.usual*int64(r.usualMonths) {
		until := time.Unix(s.ends, 0).In(zone).AddDate(0, 0, r.within).Unix()
		s.offer = offer{s.start, min(until, r.periodAfter(s.ends)), s.spent / int64(r.usualMonths)} // never beside the next
	}
	s.start, s.spent = s.ends, min(s.spent, 0)
	s.ends = r.periodAfter(s.start)
	if s.offer.period == 0 && s.spent == 0 {
		s.start, s.ends = 0, 0
	}
}

// takeSpell adds another's to the member's own. Of two offers she keeps her
// own, and has the default of the other.
func (m *member) takeSpell(s spell, now time.Time, r rules) {
	mine := &m.spell
	mine.known = mine.known || s.known
	mine.spent += s.spent
	if mine.start == 0 {
		mine.start, mine.ends = s.start, s.ends
	}
	switch {
	case mine.offer.period == 0:
		mine.offer = s.offer
	case s.offer.period != 0 && r.usual > 0:
		m.gain(usualPoints, now, now, r)
	}
}

func (p *programme) tellOffer(was, is *member) {
	if o := is.spell.offer; o.period != 0 && o.period != was.spell.offer.period {
		p.happened[fmt.Sprintf("evt_choice_%s_usual_%d", is.id, o.period)] = events.ChoiceOffered + " mem_" + is.id
	}
}
