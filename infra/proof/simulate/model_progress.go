package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"regulars/events"
)

// What a programme counts of a member beside points: stamps, spending and
// orders toward goals, what limits leave, and where she stands in the tiers.

// score is what a member has come to under a rule or a goal; use is what one
// order added to it.
type score struct {
	id     string
	day    int64 // that it is of, unix seconds of its begin; 0: ever
	n      int64
	points int64
}

type use = score

func midnight(at time.Time) int64 {
	y, mo, d := at.In(zone).Date()
	return time.Date(y, mo, d, 0, 0, 0, 0, zone).Unix()
}

// daysKept is how many days of a limit are remembered; earlier ones have no room.
const daysKept = 8

func (m *member) tally(id string, day int64) *score {
	for i := range m.tallies {
		if t := &m.tallies[i]; t.id == id && t.day == day {
			return t
		}
	}
	return nil
}

// count takes back what an order added before, and adds what it adds now.
func (m *member) count(before, now []use) {
	for _, u := range before {
		if t := m.tally(u.id, u.day); t != nil {
			t.n, t.points = t.n-u.n, t.points-u.points
		}
	}
	for _, u := range now {
		if t := m.tally(u.id, u.day); t != nil {
			t.n, t.points = t.n+u.n, t.points+u.points
		} else {
			m.tallies = append(m.tallies, u)
		}
	}
	all := slices.Clone(m.tallies)
	m.tallies = slices.DeleteFunc(m.tallies, func(t score) bool {
		days := 0
		for _, o := range all {
			if o.id == t.id {
				days++
			}
		}
		return later(all, t.id, t.day) >= daysKept || t.n == 0 && t.points == 0 && days < daysKept // or it says what is forgotten
	})
}

func later(all []score, id string, day int64) (n int) {
	for _, t := range all {
		if t.id == id && t.day > day {
			n++
		}
	}
	return n
}

// room is what is left of so many times (0: any) and points (0: any) of a day
// when what an order took of it is put back.
func (m *member) room(id string, day, times, points int64, own []use) (room int64, bound bool) {
	if later(m.tallies, id, day) >= daysKept { // what has its part keeps it
		for _, u := range own {
			if u.id == id && u.day == day {
				room += u.points
			}
		}
		return room, true
	}
	var n, had int64
	if t := m.tally(id, day); t != nil {
		n, had = t.n, t.points
	}
	for _, u := range own {
		if u.id == id && u.day == day {
			n, had = n-u.n, had-u.points
		}
	}
	switch {
	case times > 0 && n >= times:
		return 0, true
	case points > 0:
		return max(0, points-had), true
	}
	return 0, false
}

// mostVouchers is how many one decision issues; the rest come with the next.
const mostVouchers = 25

// pursue gives what goals are reached and takes back what no longer is. It
// answers the points of it. What was given stays used up, by whatever the
// goal asked for then: what is below that is lost.
func (m *member) pursue(r rules, now time.Time) (points int64) {
	if m.given == nil {
		m.given = map[string]int64{}
	}
	if m.filled == nil {
		m.filled = map[string]int64{}
	}
	for _, g := range r.goals() {
		have := int64(0)
		if t := m.tally(g.id, 0); t != nil {
			have = t.n
		}
		for n := 0; have >= m.filled[g.id]+g.reach && !(g.once && m.given[g.id] > 0) && !(g.reward && n == mostVouchers); n++ {
			m.given[g.id]++
			m.filled[g.id] += g.reach
			points += g.points
			if g.badge {
				m.badges++
			}
			if g.reward {
				m.issue(g, r, now)
			}
		}
		if m.given[g.id] == 0 {
			continue
		}
		for each := max(1, m.filled[g.id]/m.given[g.id]); m.given[g.id] > 0 && have < m.filled[g.id]; {
			if g.reward && !m.withdraw(g.id, now) {
				break // what was used is made up for first
			}
			points -= g.points
			m.filled[g.id] -= each
			if m.given[g.id]--; m.given[g.id] == 0 {
				m.filled[g.id] = 0
			}
		}
	}
	return points
}

// voucher is a right to a reward. What becomes of it is written when the
// member is stored.
type voucher struct {
	code, member, goal string
	issued, until      int64
	stage              string
	changed            int64
	order              string // that it is used in
}

func (v *voucher) at(now time.Time) string {
	if v.stage == "issued" && v.until > 0 && v.until <= now.Unix() {
		return "expired"
	}
	return v.stage
}

func (v *voucher) written() string {
	if len(v.code) != 12 {
		return v.code
	}
	return v.code[:4] + "-" + v.code[4:8] + "-" + v.code[8:]
}

func (m *member) issue(g goal, r rules, now time.Time) {
	v := &voucher{member: m.id, goal: g.id, issued: now.Unix(), stage: "issued"}
	if r.lasts > 0 {
		v.until = dayAfter(now.In(zone).AddDate(0, 0, r.lasts)).Unix()
	}
	m.open, m.made = append(m.open, v), append(m.made, v)
}

// dayAfter is when the local day after an instant begins.
func dayAfter(t time.Time) time.Time {
	y, mo, d := t.In(zone).Date()
	return time.Date(y, mo, d+1, 0, 0, 0, 0, zone)
}

// withdraw takes the newest voucher of a goal that can still be used.
func (m *member) withdraw(goal string, now time.Time) bool {
	for i, v := range slices.Backward(m.open) {
		if v.goal != goal {
			continue
		}
		m.open = slices.Delete(m.open, i, i+1)
		if j := slices.Index(m.made, v); j >= 0 {
			m.made = slices.Delete(m.made, j, j+1)
		} else {
			m.turn(v, "withdrawn", "", now)
		}
		return true
	}
	return false
}

// turn changes a voucher once the member is stored.
func (m *member) turn(v *voucher, stage, order string, now time.Time) {
	who := m.id // who has it now, after merges
	m.change = append(m.change, func(p *programme) {
		v.stage, v.order, v.changed = stage, order, now.Unix()
		if stage != "issued" { // given back: the member has it as before
			v.member = who
			p.tellVoucher(v)
		}
	})
}

// use spends a voucher of the member, for an order or for none; why it cannot
// be, or "".
func (m *member) use(v *voucher, order string, now time.Time) (changed bool, refused string) {
	switch stage := v.at(now); {
	case stage == "used" && order != "" && order == v.order:
		return false, ""
	case stage != "issued":
		return false, stage
	}
	m.open = slices.DeleteFunc(m.open, func(o *voucher) bool { return o == v })
	m.turn(v, "used", order, now)
	return true, ""
}

// giveBack undoes use.
func (m *member) giveBack(v *voucher, now time.Time) {
	m.open = append(m.open, v)
	m.turn(v, "issued", "", now)
}

// standing is where a member stands in the tiers.
type standing struct {
	level   string
	rank    int   // of it, when it was reached; 0 is none
	until   int64 // when it is looked at again; 0: not before something changes
	late    bool  // that is the end of the grace
	warn    int64 // when to warn of losing it
	warned  int64 // the end that was warned of last
	shifts  int64 // when a month leaves the window, where that is noticed at once
	changes int64
	months  map[int]int64 // what qualifies, by month
}

func month(at time.Time) int {
	y, mo, _ := at.In(zone).Date()
	return 12*y + int(mo)
}

func (m *member) qualify(points int64, in int) {
	if points == 0 {
		return
	}
	if m.months == nil {
		m.months = map[int]int64{}
	}
	m.months[in] += points
}

func (m *member) qualifying(now time.Time, r rules) (n int64) {
	for mo, points := range m.months {
		if r.window == 0 || mo >= month(now)-r.window {
			n += points
		}
	}
	return n
}

// stand brings the level to what qualifies now.
func (m *member) stand(now time.Time, r rules) {
	if len(r.levels) == 0 {
		m.until, m.warn, m.shifts = 0, 0, 0
		return
	}
	if r.window > 0 { // what can count no more is forgotten, a month later
		maps.DeleteFunc(m.months, func(mo int, _ int64) bool { return mo < month(now)-r.window-1 })
	}
	has, fits := r.place(m.level), m.fits(now, r)
	due := m.until != 0 && m.until <= now.Unix()
	switch {
	case fits > has:
		m.reach(fits, now, r)
	case has < 0:
		m.until, m.warn, m.late = 0, 0, false
	case r.downgrade == "never":
		m.until, m.warn = 0, 0
	case r.downgrade == "at_once" && fits < has:
		m.reach(fits, now, r)
	case m.until == 0: // the level was reached where it had no end
		m.renew(now, r)
	case due && fits == has:
		m.renew(time.Unix(m.until, 0), r)
	case due && !m.late && r.leeway > 0:
		m.until, m.late = time.Unix(m.until, 0).In(zone).AddDate(0, 0, r.leeway).Unix(), true
	case due:
		m.reach(has-1, time.Unix(m.until, 0), r)
	case m.late && fits == has:
		m.renew(now, r)
	}
	if m.warn != 0 && m.warn <= now.Unix() {
		m.warn = 0
		if m.until > now.Unix() && m.fits(time.Unix(m.until, 0), r) < r.place(m.level) {
			m.warned = m.until
		}
	}
	m.shifts = 0
	if r.downgrade == "at_once" && m.level != "" && r.window > 0 {
		y, mo, _ := now.In(zone).Date()
		m.shifts = time.Date(y, mo+1, 1, 0, 0, 0, 0, zone).Unix()
	}
}

// fits is the place of the highest level that the member qualifies for.
func (m *member) fits(now time.Time, r rules) int {
	have, place := m.qualifying(now, r), -1
	for i, l := range r.levels {
		if have >= l.from {
			place = i
		}
	}
	return place
}

func (m *member) reach(place int, from time.Time, r rules) {
	m.level, m.rank = r.levelID(place), place+1
	m.changes++
	m.renew(from, r)
}

func (m *member) renew(from time.Time, r rules) {
	end := from.In(zone).AddDate(0, 0, r.validity)
	if from.Unix() != m.until { // else it goes on from the end of a day
		end = dayAfter(end)
	}
	m.until, m.warn, m.late = 0, 0, false
	if m.level == "" || r.downgrade == "never" {
		return
	}
	m.until = end.Unix()
	if r.warning > 0 {
		m.warn = max(from.Unix(), end.AddDate(0, 0, -r.warning).Unix())
	}
}

// tier is the member's level as the rules have it: what asks for nothing is
// everyone's.
func (m *member) tier(r rules) string {
	place := r.place(m.level)
	for i, l := range r.levels {
		if l.from == 0 {
			place = max(place, i)
		}
	}
	return r.levelID(place)
}

// tellChanges notes the events that a stored decision is to bring, beside
// those of ledger entries.
func (p *programme) tellChanges(was, is *member) {
	p.nameless = append(p.nameless, is.made...)
	for _, f := range is.change {
		f(p)
	}
	is.made, is.change = nil, nil
	if was == nil {
		was = &member{}
	}
	if is.into != "" {
		return
	}
	who := "mem_" + is.id
	if is.changes != was.changes && is.level != was.level {
		kind := events.TierUpgraded
		if is.rank < was.rank {
			kind = events.TierDowngraded
		}
		p.happened[fmt.Sprintf("evt_tier_%s_%d", is.id, is.changes)] = kind + " " + who
	}
	if is.warned != was.warned && is.warned > is.at { // else it is lost already
		p.happened[fmt.Sprintf("evt_tierwarn_%s_%d", is.id, is.warned)] = events.TierWillDowngrade + " " + who
	}
	if is.invited != was.invited && is.invited == is.at { // of who was merged in it was told before
		p.happened[fmt.Sprintf("evt_invite_%s_%d", is.id, is.invited)] = events.ReferralInvited + " " + who
	}
	p.tellSegments(was, is)
	p.tellOffer(was, is)
	if is.badges > was.badges { // what a merge brings was told before
		p.happened[fmt.Sprintf("evt_badge_%s_fan_%d", is.id, is.badges)] = events.BadgeAwarded + " " + who
	}
}

// tellVoucher notes the event of a voucher as it now is.
func (p *programme) tellVoucher(v *voucher) {
	kind := map[string]string{"issued": events.RewardIssued, "used": events.RewardUsed, "withdrawn": events.RewardWithdrawn}[v.stage]
	p.happened[fmt.Sprintf("evt_voucher_%s_%s_%d", v.code, v.stage, max(v.issued, v.changed))] = kind + " mem_" + v.member
}
