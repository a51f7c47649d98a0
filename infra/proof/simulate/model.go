package main

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"time"
)

// A plain model of a programme, to be held against the product. It has no
// table, no transactions and no hashes: members in a map, and one thing after
// the other. What it says about points follows shared/loyalty/README.md and
// shares no code with it.

// programme is everything of one program.
type programme struct {
	name     string
	key      string // its admin key
	versions []rules
	members  map[string]*member // by id without prefix
	people   []string           // member ids in the order in which they came
	external map[string]string  // source + "/" + the shop's own id -> member
	orders   map[string]*order  // by source + "/" + id
	acts     map[string]*act    // activities by type + "/" + key
	vouchers map[string]*voucher
	nameless []*voucher        // just made: their codes are seen when they are written
	used     int64             // of the budget
	swapped  map[string]int64  // points that became the partner's miles, by month
	happened map[string]string // events beside those of ledgers, by id
	spent    map[string]*redemption
	receipts map[string][]answer    // by idempotency key: what it was answered, one of these
	erased   []string               // names of people whose data must be gone
	asked    map[string]string      // privacy requests: who is yet to be erased for it, "" when all is done
	files    map[string]*workImport // of imports, by program/id
	about    map[string]string      // privacy requests: whom they were about

	codes  map[string]codeOwner // of all programs
	refs   map[string]*referral
	claims map[string]*claim // registrations, by what the friend was known by
	seen   map[string]int64  // by network and referral: when a friend came from there
	given  int64             // of the budget of referrals
	clicks map[string]int64  // by program and month, of all programs

	defined  []*definition          // segments of its own
	runs     map[string]*segmentRun // refreshes of segments
	newest   string                 // the one that began last
	finished *segmentRun            // the one that ended last; nil: none has
}

const pointWorth = 5 // minor units that one point pays, in every simulated program

var zone = func() *time.Location {
	z, err := time.LoadLocation("Asia/Jerusalem")
	if err != nil {
		panic(err)
	}
	return z
}()

// rules are those for everyone.
func (p *programme) rules() rules { return p.pick("", "") }

// pick is the newest version that is for a member and a store: one that is
// rolled out to them, or else one that is for all.
func (p *programme) pick(member, store string) rules {
	for _, r := range slices.Backward(p.versions) {
		if r.store == "" && r.percent == 0 || store != "" && r.store == store || member != "" && hundredth(member) < r.percent {
			return r
		}
	}
	panic("the first version is for all")
}

// hundredth is which part of a hundred a member is in.
func hundredth(member string) int64 {
	sum := sha256.Sum256([]byte("rollout/" + member))
	return int64(binary.BigEndian.Uint64(sum[:]) % 100)
}

// holder is a copy of the member who now has the points of a member; nil when
// there is none. Decisions work on copies and store them when they are made.
func (p *programme) holder(id string) *member {
	m := p.members[id]
	for m != nil && m.into != "" {
		m = p.members[m.into]
	}
	if m == nil {
		return nil
	}
	return m.copy()
}

// forget takes a member's name, and the month in which she was born.
func (p *programme) forget(m *member) {
	m = m.copy()
	defer p.store(m)
	if strings.HasPrefix(m.name, "person-") { // a guest's name is also that of who came back
		p.erased = append(p.erased, m.name)
	}
	for _, code := range m.codes {
		if p.codes[code].member == m.id {
			delete(p.codes, code)
		}
	}
	for _, i := range identities("", "", m) {
		delete(p.claims, i)
	}
	m.name, m.card, m.email, m.ids, m.codes, m.nets, m.gone = "", "", "", nil, nil, nil, true
	m.born = 0
	m.enter(slices.DeleteFunc(slices.Clone(m.segments), func(s string) bool { return s == "birthday_month" }))
}

// call gives a member a name, which is found again from now on.
func (p *programme) call(m *member, name string) {
	m.name = name
	p.erased = slices.DeleteFunc(p.erased, func(gone string) bool { return gone == name })
}

func (p *programme) store(ms ...*member) {
	for _, m := range ms {
		if p.members[m.id] == nil {
			p.people = append(p.people, m.id)
		}
		m.touched = true
		p.tellChanges(p.members[m.id], m)
		p.members[m.id] = m
	}
}

// member is a person: what she has in points and in other wallets, and what
// was counted of her. Times are unix seconds; an end of 0 is never.
type member struct {
	id      string
	pot     // points
	wallets map[string]*pot
	into    string   // whom it was merged into
	merged  []string // who was merged into this one
	name    string   // in a simulation everyone's is her own
	card    string   // that is her own
	gone    bool     // erased
	email   string
	ids     map[string]string // in shops and elsewhere, as her profile has them
	codes   []string          // that lead to her, the newest first
	nets    []string          // that she was seen in
	touched bool              // since the last check

	tallies []score
	given   map[string]int64 // how often each goal gave
	filled  map[string]int64 // what that used up of what is counted
	badges  int64            // how many badges were awarded here, those that were lost again too
	open    []*voucher       // that can be used, in the order in which they came
	standing
	spell spell
	lead  *lead // who brought her
	mood
	bought           int64 // when her first order that counted was paid
	orders           int64 // that count
	friends, revenue int64 // good ones that she brought, and their orders

	basket   *basket  // nil: nothing
	segments []string // in order of their names
	turns    int64    // changes of them
	asked    int64    // decisions at once, changes or not
	born     int      // month; 0: not known

	// Of the decision under way, until it is stored.
	made   []*voucher
	change []func(*programme)
}

// pot is what a member has of one wallet.
type pot struct {
	lots    []lot
	holds   []hold
	owed    int64
	ledger  []line
	balance int64
	dead    []part   // what died unspent, by when
	at      int64    // of the last decision
	ended   []string // holds that time ended
}

type (
	lot  struct{ ripe, end, points int64 }
	part struct{ end, points int64 }
	hold struct {
		id    string
		until int64 // 0: people end it
		parts []part
	}
	line struct {
		kind   string
		points int64
		moved  int64 // of an activation: how many ripened
	}
)

func (m *pot) copy() pot {
	c := *m
	c.lots, c.holds, c.dead = slices.Clone(m.lots), slices.Clone(m.holds), slices.Clone(m.dead)
	c.ledger, c.ended = slices.Clip(m.ledger), slices.Clip(m.ended)
	return c
}

func (m *member) copy() *member {
	c := *m
	c.pot = m.pot.copy()
	c.wallets = map[string]*pot{}
	for id, w := range m.wallets {
		w := w.copy()
		c.wallets[id] = &w
	}
	c.tallies, c.open = slices.Clone(m.tallies), slices.Clone(m.open)
	c.given, c.filled = maps.Clone(m.given), maps.Clone(m.filled)
	c.months = maps.Clone(m.months)
	c.ids, c.codes = maps.Clone(m.ids), slices.Clip(m.codes)
	return &c
}

// in is what a member has of a wallet, "" for points; of one that she has not
// it is an empty one, which counts when it is open.
func (m *member) in(wallet string) *pot {
	if wallet == "" {
		return &m.pot
	}
	if w := m.wallets[wallet]; w != nil {
		return w
	}
	return &pot{}
}

func (m *member) openWallet(wallet string, w *pot) {
	if wallet != "" {
		if m.wallets == nil {
			m.wallets = map[string]*pot{}
		}
		m.wallets[wallet] = w
	}
}

func (m *pot) write(kind string, points int64) {
	m.balance += points
	m.ledger = append(m.ledger, line{kind: kind, points: points})
}

func (m *pot) usable() (n int64) {
	for _, l := range m.lots {
		if l.ripe == 0 {
			n += l.points
		}
	}
	return n
}

func (m *pot) pending() (n int64) {
	for _, l := range m.lots {
		if l.ripe > 0 {
			n += l.points
		}
	}
	return n
}

func (m *pot) held() (n int64) {
	for _, h := range m.holds {
		n += sum(h.parts)
	}
	return n
}

func sum(parts []part) (n int64) {
	for _, p := range parts {
		n += p.points
	}
	return n
}

func (m *pot) put(ripe, end, points int64) {
	if points == 0 {
		return
	}
	for i, l := range m.lots {
		if l.ripe == ripe && l.end == end {
			m.lots[i].points += points
			return
		}
	}
	m.lots = append(m.lots, lot{ripe, end, points})
}

// takeFrom takes up to so many points from the lot with these dates.
func (m *pot) takeFrom(ripe, end, points int64) int64 {
	for i, l := range m.lots {
		if l.ripe == ripe && l.end == end {
			n := min(points, l.points)
			if m.lots[i].points -= n; m.lots[i].points == 0 {
				m.lots = slices.Delete(m.lots, i, i+1)
			}
			return n
		}
	}
	return 0
}

// take takes usable points, those that die first first.
func (m *pot) take(points int64) (parts []part) {
	for points > 0 {
		first := -1
		for i, l := range m.lots {
			if l.ripe == 0 && (first < 0 || sooner(l.end, m.lots[first].end)) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		end := m.lots[first].end
		n := m.takeFrom(0, end, points)
		parts, points = append(parts, part{end, n}), points-n
	}
	return parts
}

func sooner(a, b int64) bool { return a != 0 && (b == 0 || a < b) }

// settle does what the clock has decided up to now, each thing at its instant.
func (m *pot) settle(now time.Time, r rules) {
	for due := m.next(); due != 0 && due <= now.Unix(); due = m.next() {
		m.tick(due, r)
	}
}

// settle of a member is of her points and of all that was counted of her.
func (m *member) settle(now time.Time, r rules) {
	for due := m.next(); due != 0 && due <= now.Unix(); due = m.next() {
		m.tick(due, r)
		m.closeSpell(due, r)
		m.stand(time.Unix(due, 0), r)
		m.open = slices.DeleteFunc(m.open, func(v *voucher) bool { return v.until > 0 && v.until <= due })
	}
}

func (m *pot) tick(due int64, r rules) {
	m.holds = slices.DeleteFunc(m.holds, func(h hold) bool {
		if h.until == 0 || h.until > due {
			return false
		}
		m.putBack(h.parts)
		m.ended = append(m.ended, h.id)
		return true
	})
	m.ripen(due)
	m.die(due)
	m.pay(r)
	m.at = max(due, m.at)
}

func (m *member) next() int64 {
	at := m.pot.next()
	for _, t := range []int64{m.until, m.warn, m.shifts, m.spell.ends, m.spell.offer.until} {
		if t != 0 && sooner(t, at) {
			at = t
		}
	}
	for _, v := range m.open {
		if v.until != 0 && sooner(v.until, at) {
			at = v.until
		}
	}
	return at
}

// next is when the clock decides something about the member; 0 for never.
func (m *pot) next() (at int64) {
	for _, l := range m.lots {
		for _, t := range []int64{l.ripe, l.end} {
			if sooner(t, at) {
				at = t
			}
		}
	}
	for _, h := range m.holds {
		if sooner(h.until, at) {
			at = h.until
		}
	}
	return at
}

func (m *pot) putBack(parts []part) {
	for _, p := range parts {
		m.put(0, p.end, p.points)
	}
}

func (m *pot) ripen(due int64) {
	var ripe []part
	m.lots = slices.DeleteFunc(m.lots, func(l lot) bool {
		if l.ripe == 0 || l.ripe > due {
			return false
		}
		ripe = append(ripe, part{l.end, l.points})
		return true
	})
	if len(ripe) > 0 {
		m.putBack(ripe)
		m.write("activate", 0)
		m.ledger[len(m.ledger)-1].moved = sum(ripe)
	}
}

func (m *pot) die(due int64) {
	var n int64
	m.lots = slices.DeleteFunc(m.lots, func(l lot) bool {
		if l.end == 0 || l.end > due {
			return false
		}
		n += l.points
		m.bury(l.end, l.points)
		return true
	})
	if n > 0 {
		m.write("expire", -n)
	}
}

// bury remembers what died unspent: the newest 16 ends, of 60 days.
func (m *pot) bury(end, points int64) {
	for i := range m.dead {
		if m.dead[i].end == end {
			m.dead[i].points += points
			return
		}
	}
	m.dead = slices.DeleteFunc(m.dead, func(d part) bool { return d.end < end-60*24*3600 })
	m.dead = append(m.dead, part{end, points})
	m.dead = m.dead[max(0, len(m.dead)-16):]
}

// exhume is how many of so many points of that end died unspent.
func (m *pot) exhume(end, points int64) int64 {
	for i := range m.dead {
		if m.dead[i].end == end {
			n := min(points, m.dead[i].points)
			if m.dead[i].points -= n; m.dead[i].points == 0 {
				m.dead = slices.Delete(m.dead, i, i+1)
			}
			return n
		}
	}
	return 0
}

// pay pays what is owed; the programme bears the rest under clamp, once no
// held or pending points can pay it.
func (m *pot) pay(r rules) (writtenOff int64) {
	if m.owed == 0 {
		return 0
	}
	m.owed -= sum(m.take(min(m.owed, m.usable())))
	if later := m.held() + m.pending(); r.clawback == "clamp" && m.owed > later {
		writtenOff = m.owed - later
		m.owed = later
		m.write("writeoff", writtenOff)
	}
	return writtenOff
}

// shown is available and debt as the program shows them.
func (m *pot) shown(r rules) (available, debt int64) {
	if r.clawback == "negative" {
		return m.usable() - m.owed, 0
	}
	return m.usable(), m.owed
}

// end is when points die that count from an instant; 0 for never.
func (r rules) end(from time.Time) int64 {
	if r.life == 0 {
		return 0
	}
	t := from.In(zone).AddDate(0, 0, r.life)
	if r.wholeDays {
		y, mo, d := t.Date()
		t = time.Date(y, mo, d+1, 0, 0, 0, 0, zone)
	}
	return t.Unix()
}
