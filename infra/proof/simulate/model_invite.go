package main

import (
	"cmp"
	"math/rand/v2"
	"time"
)

// drawReferring makes up rules for bringing friends.
func drawReferring(r *rand.Rand) *referring {
	pick := func(of ...int) int { return of[r.IntN(len(of))] }
	d := &referring{
		friend: int64(pick(20, 50)), minimum: int64(pick(0, 3000, 15_000)), hold: pick(0, 1, 3, 14), window: pick(2, 7, 30),
		network: int64(pick(0, 1, 2)), asksAfter: int64(pick(0, 1, 2)), satisfied: int64(pick(8, 9)), asksAgain: pick(5, 40),
	}
	switch r.IntN(3) {
	case 0:
		d.ladder = []rung{{1, 100}}
	case 1:
		d.ladder = []rung{{1, 100}, {3, 150}, {6, 200}}
	case 2:
		d.byRevenue, d.ladder = true, []rung{{0, 10}, {20_000, 40}, {60_000, 90}}
	}
	if r.IntN(3) == 0 {
		d.perDay = int64(pick(120, 250))
	}
	if r.IntN(3) == 0 {
		d.budget = int64(pick(400, 3000))
	}
	return d
}

func (r *referring) document(days func(int) string) map[string]any {
	type object = map[string]any
	var ladder []object
	for _, x := range r.ladder {
		at := "rank"
		if r.byRevenue {
			at = "revenue"
		}
		ladder = append(ladder, object{at: x.from, "points": x.points})
	}
	doc := object{
		"advocate": ladder, "friend": object{"points": r.friend}, "minimum": r.minimum, "hold": days(r.hold), "window": days(r.window), "budget": r.budget,
		"fraud": object{"per_ip": object{"friends": r.network, "per": "P7D"}, "per_advocate": object{"friends": 0, "per": "P1D"}},
	}
	if r.perDay > 0 {
		doc["limit"] = object{"points": r.perDay, "per": "P1D"}
	}
	if r.asksAfter > 0 {
		doc["invite"] = object{"orders": r.asksAfter, "from": r.satisfied, "again": days(r.asksAgain)}
	}
	return doc
}

// mood is what a member said last of how satisfied she is.
type mood struct {
	score, complaints int64
	invited           int64 // when she was last asked to bring friends
}

// asksAfter is after how many orders a satisfied member is asked; 0: never.
func (d rules) asksAfter() int64 {
	if d.refer == nil {
		return 0
	}
	return d.refer.asksAfter
}

func (m *member) hear(a *activity) {
	switch a.kind {
	case "feedback":
		m.score = a.score
	case "complaint_opened":
		m.complaints++
	case "complaint_resolved":
		m.complaints = max(0, m.complaints-1)
	}
}

// ask invites a satisfied member to bring friends, where nobody did lately.
func (m *member) ask(t rules, now time.Time) {
	if t.asksAfter() == 0 || m.orders < t.refer.asksAfter || m.score < t.refer.satisfied || m.complaints > 0 {
		return
	}
	if m.invited == 0 || now.Unix() >= daysAfter(m.invited, t.refer.asksAgain) {
		m.invited = now.Unix()
	}
}

// takeMood makes the moods of two members that of one.
func (m *member) takeMood(from *member) {
	m.orders += from.orders
	m.mood = mood{cmp.Or(m.score, from.score), m.complaints + from.complaints, max(m.invited, from.invited)}
	from.orders, from.mood = 0, mood{}
}
