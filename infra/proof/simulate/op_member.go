package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// person is a name that nobody else has.
func (w *world) person(p *programme) string { return fmt.Sprintf("person-%s-%d.", p.name, w.number()) }

// A person joins.
var enrolMember = Kind{Name: "enrolment", Weight: 3, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	n := w.number()
	return &message{op: &enrol{name: w.person(p), external: fmt.Sprint("e", n), born: n % 13}, program: p, key: w.key("enrol")}
}}

type enrol struct {
	name, external string
	born           int // month; 0: she does not say
}

func (e *enrol) Request(p *programme, _ time.Time) *http.Request {
	born := ""
	if e.born > 0 {
		born = fmt.Sprintf(`,"birth_date":{"calendar":"gregorian","date":"1990-%02d-17"}`, e.born)
	}
	return request(p, "POST", "/v1/members", fmt.Sprintf(`{"name":%q,"email":"%s@example.com","external_ids":{"till":%q}%s}`, e.name, e.external, e.external, born))
}

func (e *enrol) Decide(p *programme, _ time.Time, id string) (answer, func()) {
	if had := p.external["till/"+e.external]; had != "" {
		return refuse(409, "member_exists", value{"details.member", "mem_" + had}), nil
	}
	return answer{201, "", []value{{"id", "mem_" + id}, {"name", e.name}, {"points.available", int64(0)}}}, func() {
		p.store(&member{id: id, name: e.name, born: e.born, email: e.external + "@example.com", ids: map[string]string{"till": e.external}})
		p.external["till/"+e.external] = id
	}
}

// A person changes her name.
var renameMember = Kind{Name: "new name", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil || m.gone || m.into != "" {
		return nil
	}
	return &message{op: &rename{m.id, w.person(p)}, program: p}
}}

type rename struct{ member, name string }

func (c *rename) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "PATCH", "/v1/members/mem_"+c.member, fmt.Sprintf(`{"name":%q}`, c.name))
}

func (c *rename) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	m := p.holder(c.member)
	return answer{200, "", []value{{"id", "mem_" + m.id}, {"name", c.name}}}, func() {
		p.call(m, c.name)
		p.store(m)
	}
}

// Two members turn out to be one person.
var mergeMembers = Kind{Name: "merge", Weight: 2, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	a, b := w.someone(p, r), w.someone(p, r)
	if a == nil || b == nil || a.gone || b.gone {
		return nil
	}
	return &message{op: &merge{from: a.id, into: b.id}, program: p, key: w.key("merge")}
}}

type merge struct{ from, into string }

func (g *merge) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/members/mem_"+g.from+"/merge", fmt.Sprintf(`{"into":"mem_%s"}`, g.into))
}

func (g *merge) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	from, into := p.members[g.from].copy(), p.holder(g.into)
	t := p.pick(into.id, "")
	into.settle(now, t)
	if from.into != "" && p.holder(g.from).id == into.id {
		available, _ := into.shown(t)
		return answer{200, "", []value{{"id", "mem_" + into.id}, {"points.available", available}}}, nil
	}
	if from.into != "" || from.id == into.id {
		return refuse(422, "cannot_merge"), nil
	}
	from.settle(now, t)
	for wallet, w := range from.wallets {
		in, _ := t.in(wallet)
		mine := into.in(wallet)
		mine.settle(now, in)
		w.settle(now, in)
		mine.swallow(w, in, now)
		into.openWallet(wallet, mine)
	}
	into.swallow(&from.pot, t, now)
	from.into = into.id
	into.takeCounts(from, t)
	into.takeLead(from)
	into.takeMood(from)
	into.joinSegments(from, now)
	into.takeSpell(from.spell, now, t)
	from.spell = spell{}
	if points := into.pursue(t, now); points > 0 {
		into.gain(points, now, now, t)
	}
	into.stand(now, t)
	d := p.pairing(now, from, into)
	d.catchUp(into)
	into.merged = slices.Concat(into.merged, []string{from.id}, from.merged)
	if into.name == "" {
		into.name = from.name
	}
	if into.email == "" {
		into.email = from.email
	}
	if into.born == 0 {
		into.born = from.born
	}
	for source, id := range from.ids {
		if into.ids == nil {
			into.ids = map[string]string{}
		}
		if into.ids[source] == "" {
			into.ids[source] = id
		}
	}
	into.codes = slices.Concat(into.codes, from.codes)
	if into.card == "" {
		into.card = from.card
	}
	from.card = ""
	shown := into.copy()
	shown.settle(now, t)
	available, _ := shown.shown(t)
	return answer{200, "", []value{{"id", "mem_" + into.id}, {"points.available", available}}}, func() { p.store(from, into); d.store() }
}

// swallow moves all that another has of a wallet here.
func (m *pot) swallow(from *pot, t rules, now time.Time) {
	for _, l := range from.lots {
		m.put(l.ripe, l.end, l.points)
	}
	for _, d := range from.dead {
		m.bury(d.end, d.points)
	}
	m.holds = append(m.holds, from.holds...)
	m.owed += from.owed
	moved := from.balance
	from.write("merge", -moved)
	m.write("merge", moved)
	from.lots, from.holds, from.dead, from.owed = nil, nil, nil, 0
	m.pay(t)
	m.at, from.at = now.Unix(), now.Unix()
}

// takeCounts makes what was counted of two members one.
func (m *member) takeCounts(from *member, t rules) {
	m.count(nil, from.tallies)
	if m.given == nil {
		m.given = map[string]int64{}
	}
	if m.filled == nil {
		m.filled = map[string]int64{}
	}
	once := map[string]bool{}
	for _, g := range t.goals() {
		once[g.id] = g.once
	}
	for id, n := range from.given {
		if once[id] {
			m.given[id], m.filled[id] = max(m.given[id], n), max(m.filled[id], from.filled[id])
		} else {
			m.given[id] += n
			m.filled[id] += from.filled[id]
		}
	}
	for _, g := range t.goals() { // nothing is taken for being one
		have := int64(0)
		if s := m.tally(g.id, 0); s != nil {
			have = s.n
		}
		m.filled[g.id] = min(m.filled[g.id], have)
	}
	m.open = append(m.open, from.open...)
	if m.months == nil {
		m.months = map[int]int64{}
	}
	for mo, n := range from.months {
		m.months[mo] += n
	}
	if len(t.levels) > 0 {
		has, comes := t.place(m.level), t.place(from.level)
		if comes > has || comes == has && comes >= 0 && from.until > m.until { // the higher level, or the longer life of it
			m.level, m.rank, m.until, m.warn, m.late = from.level, from.rank, from.until, from.warn, from.late
		}
		if comes > has {
			m.changes++
		}
	}
	from.tallies, from.given, from.filled, from.open, from.badges, from.standing = nil, nil, nil, nil, 0, standing{}
}

// Points are given or taken by hand.
var adjustPoints = Kind{Name: "adjustment", Weight: 3, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	n := 1 + r.Int64N(200)
	if r.IntN(2) == 0 {
		n = -n
	}
	return &message{op: &adjust{m.id, n}, program: p, key: w.key("adjust")}
}}

type adjust struct {
	member string
	points int64
}

func (a *adjust) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/members/mem_"+a.member+"/adjustments", fmt.Sprintf(`{"points":%d,"reason":"by hand"}`, a.points))
}

func (a *adjust) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	m := p.holder(a.member)
	t := p.pick(m.id, "")
	m.settle(now, t)
	if have := m.usable(); -a.points > have {
		available, _ := m.shown(t)
		return refuse(422, "insufficient_points", value{"details.available", available}), nil
	}
	if a.points < 0 {
		m.take(-a.points)
	} else {
		m.put(0, t.end(now), a.points)
	}
	m.write("adjust", a.points)
	is := answer{201, "", []value{{"type", "adjust"}, {"points", a.points}, {"balance", m.balance}}}
	m.pay(t)
	m.at = now.Unix()
	return is, func() { p.store(m) }
}

// A member's device asks for a token.
var signIn = Kind{Name: "token", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	return &message{op: &token{m.id}, program: p}
}}

type token struct{ member string }

func (t *token) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/members/mem_"+t.member+"/tokens", "{}")
}

func (t *token) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	if p.holder(t.member).gone {
		return refuse(422, "member_erased"), nil
	}
	return answer{status: 201}, nil
}

// A member's device was lost: its tokens end.
var signOut = Kind{Name: "end of tokens", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	return &message{op: &revoke{m.id}, program: p}
}}

type revoke struct{ member string }

func (t *revoke) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "DELETE", "/v1/members/mem_"+t.member+"/tokens", "")
}

func (t *revoke) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	return answer{200, "", []value{{"member", "mem_" + p.holder(t.member).id}, {"revoked", true}}}, func() {}
}

// A person asks for all that is known of her.
var exportPerson = Kind{Name: "export", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	return &message{op: &export{m.id}, program: p}
}}

type export struct{ member string }

func (e *export) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/privacy/exports", fmt.Sprintf(`{"member":"mem_%s"}`, e.member))
}

func (e *export) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	m := p.holder(e.member)
	return answer{200, "", []value{{"member.id", "mem_" + m.id}, {"member.name", m.name}}}, nil
}
