package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"regulars/events"
)

// What is written down of segments (shared/segment/README.md, "Definitions"):
// some change with a purchase, at once; all of them when a run looks at
// everybody. Which segments a member is in is a set; each change of it has a
// number, which names its events.

// enter puts a member into these segments and no others.
func (m *member) enter(segments []string) {
	segments = slices.Sorted(slices.Values(segments))
	if !slices.Equal(segments, m.segments) {
		m.segments = segments
		m.turns++
	}
}

// atOnce changes what purchases alone decide: new, repeat, multi_store, and
// that she is former no longer.
func (m *member) atOnce(now time.Time) {
	today, days := dateOf(now.Unix()), m.bag().days
	in := map[string]bool{}
	for _, s := range m.segments {
		in[s] = true
	}
	in["new"] = len(days) == 1 && daysBetween(days[0].date, today) <= 30
	in["repeat"] = len(days) >= 2
	in["multi_store"] = len(m.bag().stores) >= 2
	if len(days) > 0 && days[len(days)-1].date > lapsed(today) {
		in["former"] = false
	}
	m.asked++
	m.enter(namesIn(in))
}

// bag is what the member bought.
func (m *member) bag() *basket {
	if m.basket == nil {
		return nothing
	}
	return m.basket
}

// joinSegments makes the segments of two members those of one.
func (m *member) joinSegments(from *member, now time.Time) {
	m.basket = m.bag().and(from.bag())
	both := slices.Concat(m.segments, from.segments)
	slices.Sort(both)
	m.enter(slices.Compact(both))
	m.atOnce(now)
	from.basket, from.segments = nil, nil
}

func namesIn(set map[string]bool) []string {
	set = maps.Clone(set)
	maps.DeleteFunc(set, func(_ string, in bool) bool { return !in })
	return slices.Sorted(maps.Keys(set))
}

// tellSegments notes the events of a stored change.
func (p *programme) tellSegments(was, is *member) {
	if is.turns == was.turns {
		return
	}
	tell := func(kind, how string, from, to []string) {
		for _, s := range to {
			if !slices.Contains(from, s) {
				p.happened[fmt.Sprintf("evt_segment_%s_%s_%d_%s", is.id, s, is.turns, how)] = kind + " mem_" + is.id + " " + s
			}
		}
	}
	tell(events.SegmentLeft, "left", is.segments, was.segments)
	tell(events.SegmentEntered, "entered", was.segments, is.segments)
}
