package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What a plain programme knows of members who bring friends. A friend is who
// had not bought before the click; the last click counts; the one order that
// counts is the earliest paid within the window that came to the minimum; the
// rank is one more than the advocate has good friends when the hold is over,
// and is not given twice (shared/program/README.md, "Referrals").

// referring are a program's rules for it. Times are days; 0 is none.
type referring struct {
	ladder       []rung
	byRevenue    bool // its rungs begin at a revenue, not at a rank
	friend       int64
	minimum      int64
	hold, window int
	perDay       int64 // points that one advocate can get in a day
	budget       int64 // points that the program gives for all
	network      int64 // friends of one network in a week after whom people look first
	asksAfter    int64 // orders after which a satisfied member is asked to bring friends; 0: nobody is
	satisfied    int64 // the score from which on she is
	asksAgain    int
}

type rung struct{ from, points int64 }

// rung is what an advocate gets for a friend of a rank, who brings the revenue
// of all friends to so much.
func (r *referring) rung(rank, revenue int64) (points int64) {
	reached := rank
	if r.byRevenue {
		reached = revenue
	}
	for _, x := range r.ladder {
		if x.from <= reached {
			points = x.points
		}
	}
	return points
}

// lead is what a member's account says of who brought her.
type lead struct {
	id, code, advocate string
	clicked            int64
	order              string // that counts; "": none yet
	paid, left         int64
	version            int64
	ranked             bool
	instead            []string // referrals that it takes the place of, to be ended
}

// referral is one friend of an advocate.
type referral struct {
	id, advocate, code, way string
	clicked, closes         int64
	friend                  string // "": nobody known yet
	against                 []string
	cleared                 bool

	order              string
	paid, left, least  int64
	until, version     int64
	rank, good         int64
	revenue            int64
	toAdvocate, toHers side
	use                use // of the advocate's limit

	stage   string // as it was last written
	changes int64
}

// side is what a referral gives one of the two.
type side struct {
	due int64
	lodged
}

func (r *referral) copy() *referral {
	c := *r
	c.against = slices.Clip(r.against)
	return &c
}

func (r *referral) reason(why ...string) {
	for _, w := range why {
		if !slices.Contains(r.against, w) {
			r.against = append(r.against, w)
		}
	}
}

var (
	blocks    = []string{"self_referral", "cycle", "existing_customer", "rejected"}
	suspicion = []string{"velocity_ip"}
)

func (r *referral) all(of []string) (why []string) {
	for _, w := range r.against {
		if slices.Contains(of, w) {
			why = append(why, w)
		}
	}
	return why
}

// stands is how far a referral has come at an instant, and why.
func (r *referral) stands(now time.Time) (stage string, why []string) {
	if why := r.all(blocks); why != nil {
		return "blocked", why
	}
	if why := r.all([]string{"later_click", "one_friend"}); why != nil {
		return "cancelled", why[:1]
	}
	if why := r.all(suspicion); why != nil && !r.cleared {
		return "review", why
	}
	switch {
	case r.order == "" && now.Unix() >= r.closes:
		return "cancelled", []string{"window_over"}
	case r.order == "":
		return "registered", nil
	case r.left == 0 || r.left < r.least:
		return "cancelled", []string{"refunded"}
	case r.rank > 0:
		return "qualified", nil
	}
	return "pending", nil
}

// daysAfter is so many local days after an instant.
func daysAfter(at int64, days int) int64 {
	if days == 0 {
		return at
	}
	return time.Unix(at, 0).In(zone).AddDate(0, 0, days).Unix()
}

// pairing is what one transaction changes of friends and advocates: copies,
// which are stored together or not at all.
type pairing struct {
	p       *programme
	now     time.Time
	members map[string]*member
	refs    map[string]*referral
	put     map[string]bool // members who change
	given   int64           // of the budget, more than before
	seen    map[string]int64
	told    map[string]string // events
}

func (p *programme) pairing(now time.Time, of ...*member) *pairing {
	d := &pairing{p: p, now: now, members: map[string]*member{}, refs: map[string]*referral{}, put: map[string]bool{}, seen: map[string]int64{}, told: map[string]string{}}
	for _, m := range of {
		d.members[m.id] = m
	}
	return d
}

// member is who has the points of a member now.
func (d *pairing) member(id string) *member {
	m := d.p.members[id]
	for {
		if own := d.members[m.id]; own != nil {
			m = own
		}
		if m.into == "" {
			break
		}
		m = d.p.members[m.into]
	}
	if d.members[m.id] == nil {
		d.members[m.id] = m.copy()
	}
	return d.members[m.id]
}

func (d *pairing) referral(id string) *referral {
	if d.refs[id] == nil && d.p.refs[id] != nil {
		d.refs[id] = d.p.refs[id].copy()
	}
	return d.refs[id]
}

func (d *pairing) store() {
	for id := range d.put {
		d.p.store(d.members[id])
	}
	maps.Copy(d.p.refs, d.refs)
	maps.Copy(d.p.seen, d.seen)
	maps.Copy(d.p.happened, d.told)
	d.p.given += d.given
}

// rulesOf is a version of the rules.
func (p *programme) rulesOf(version int64) rules {
	for _, r := range p.versions {
		if r.version == version {
			return r
		}
	}
	return rules{}
}

// click takes note of who sent a member; the last click wins, as long as no
// order counts. It answers whether the member goes by it now.
func (m *member) click(l lead) bool {
	had := m.lead
	switch {
	case had == nil:
	case had.id == l.id:
		return true
	case had.order != "", m.bought != 0 && m.bought < l.clicked, l.clicked <= had.clicked, l.code == had.code:
		return false
	default:
		l.instead = slices.Concat(l.instead, had.instead, []string{had.id})
	}
	m.lead = &l
	return true
}

// broughtBy is who sent the buyer of an order: a registration under what she
// is known by, if it is her first, or the code on the order.
func (p *programme) broughtBy(o *order, customer string, m *member, now time.Time, id string) *lead {
	if o.rules.refer == nil || m.lead != nil && m.lead.order != "" {
		return nil
	}
	var by *lead
	if m.lead == nil && m.bought == 0 {
		if c := p.claim(identities(customer, "", m)); c != nil {
			by = &lead{id: c.referral, code: c.code, advocate: c.advocate, clicked: c.clicked}
		}
	}
	owner := p.codes[o.told.referral]
	if owner.program != p.name || by != nil && by.code == o.told.referral {
		return by
	}
	l := &lead{id: now.UTC().Format("200601") + id, code: o.told.referral, advocate: owner.member}
	if by != nil {
		l.instead = []string{by.id}
	}
	return l
}

// buys lets an order that counts bring its buyer's lead to its newest state:
// byPoints is what points paid of it as it now is, atFirst before any refund.
func (m *member) buys(o *order, by *lead, byPoints, atFirst int64, now time.Time) {
	if o.at == 0 {
		return
	}
	paid := o.paidAt
	if paid == 0 || paid > now.Unix() {
		paid = o.at
	}
	left := int64(0)
	if o.counts() {
		left = sumOf(o.left()) - min(byPoints, sumOf(o.left()))
		if m.bought == 0 || paid < m.bought {
			m.bought = paid
		}
		if by != nil {
			l := *by
			if l.clicked == 0 {
				l.clicked = paid
			}
			m.click(l)
		}
	}
	if m.lead == nil {
		return
	}
	l, ref, r := *m.lead, o.told.order, o.rules.refer
	if l.order == ref {
		l.left = left
		m.lead = &l
		return
	}
	if r == nil || l.ranked || !o.counts() || l.order != "" && paid >= l.paid {
		return
	}
	if paid < l.clicked || paid >= daysAfter(l.clicked, r.window) || o.goods()-min(atFirst, o.goods()) < max(1, r.minimum) {
		return
	}
	l.order, l.paid, l.left, l.version = ref, paid, left, o.rules.version
	m.lead = &l
}

// catchUp brings a friend's referral, and what both have of it, to what her
// account says. It answers whether her account changes.
func (d *pairing) catchUp(m *member) (changed bool) {
	if m.lead == nil {
		return false
	}
	if len(m.lead.instead) > 0 {
		l := *m.lead
		ended := l.instead
		l.instead, m.lead, changed = nil, &l, true
		for _, id := range ended {
			r := d.referral(id)
			switch {
			case r == nil: // of an order, and replaced before it was made
				continue
			case r.order == "":
				r.reason("later_click")
			case d.member(r.friend) == m:
				r.reason("one_friend")
			default: // the order is another's who was told of under the same address
				continue
			}
			d.settle(r, m, false)
		}
	}
	r := d.referral(m.lead.id)
	if r == nil {
		r = &referral{id: m.lead.id, advocate: m.lead.advocate, code: m.lead.code, way: "order", clicked: m.lead.clicked, closes: m.lead.clicked}
		if t := d.p.pick(m.id, "").refer; t != nil {
			r.closes = daysAfter(r.clicked, t.window)
		}
		d.refs[r.id] = r
	}
	if r.order != "" && d.member(r.friend) != m { // it is another's who was told of under the same address
		return changed
	}
	// A later click that was told of before it was known who she is took the
	// place of this one, and cannot have: she came by this one.
	r.against = slices.DeleteFunc(slices.Clone(r.against), func(why string) bool { return why == "later_click" })
	return d.settle(r, m, false) || changed
}

// settle brings a referral to what its friend's account says; ranks: whose
// hold is over is given a rank.
func (d *pairing) settle(r *referral, friend *member, ranks bool) (changed bool) {
	advocate := d.member(r.advocate)
	if friend != nil {
		if l := friend.lead; r.friend == "" || r.order == "" && l != nil && l.id == r.id && l.order != "" { // known only now, or she bought
			d.suspect(r, friend, nil)
		}
		d.follow(r, friend)
	}
	stage, _ := r.stands(d.now)
	if stage == "pending" && ranks && d.now.Unix() >= r.until {
		d.rankIt(r, advocate, friend)
		stage, changed = "qualified", true
	}
	if r.rank > 0 {
		good := int64(0)
		if stage == "qualified" {
			good = 1
		}
		if change := good - r.good; change != 0 {
			changed = true
			advocate.friends += change
			advocate.revenue += change * r.revenue
			if r.use.id != "" && change > 0 {
				advocate.count(nil, []use{r.use})
			} else if r.use.id != "" {
				advocate.count([]use{r.use}, nil)
			}
			if d.p.rulesOf(r.version).refer.budget > 0 {
				d.given += change * (r.toAdvocate.due + r.toHers.due)
			}
			r.good = good
		}
		d.reward(advocate, r, &r.toAdvocate, good)
		d.reward(friend, r, &r.toHers, good)
		if changed {
			d.put[advocate.id] = true
		}
	}
	if stage, why := r.stands(d.now); stage != r.stage {
		r.stage = stage
		r.changes++
		d.told[fmt.Sprintf("evt_rfl_%s_%d", r.id, r.changes)] = strings.TrimRight(fmt.Sprint("referral.", stage, " mem_", r.advocate, " rank ", r.rank, " ", strings.Join(why, ",")), " ")
	}
	return changed
}

// follow takes over what the friend's account says of the order that counts.
func (d *pairing) follow(r *referral, friend *member) {
	r.friend = friend.id
	if friend == d.member(r.advocate) {
		r.reason("self_referral")
	}
	l := friend.lead
	if l == nil || l.id != r.id {
		return
	}
	if friend.bought != 0 && friend.bought < l.clicked {
		r.reason("existing_customer")
	}
	if t := d.p.rulesOf(l.version).refer; l.order != "" && t != nil {
		r.order, r.paid, r.left, r.version, r.least = l.order, l.paid, l.left, l.version, t.minimum
		r.until = daysAfter(l.paid, t.hold)
	}
}

// rankIt gives a friend the next rank, and says what it is worth.
func (d *pairing) rankIt(r *referral, advocate, friend *member) {
	t := d.p.rulesOf(r.version).refer
	r.rank = advocate.friends + 1
	r.revenue = r.left
	up, down := t.rung(r.rank, advocate.revenue+r.revenue), t.friend
	day := midnight(time.Unix(r.until, 0))
	if t.perDay > 0 {
		if room, bound := advocate.room("/referral", day, 0, t.perDay, nil); bound {
			up = min(up, room)
		}
	}
	if t.budget > 0 { // the friend first
		left := max(0, t.budget-d.p.given-d.given)
		down = min(down, left)
		up = min(up, left-down)
	}
	if t.perDay > 0 {
		r.use = use{id: "/referral", day: day, n: 1, points: up}
	}
	r.toAdvocate.due, r.toHers.due = up, down
	l := *friend.lead
	l.ranked = true
	friend.lead = &l
}

// reward gives one of the two what is due while the friend is good, and takes
// it back otherwise.
func (d *pairing) reward(m *member, r *referral, s *side, good int64) {
	t := d.p.pick(m.id, "")
	m.settle(d.now, t)
	change := good*s.due - s.points
	if change > 0 {
		if s.lodged == (lodged{}) { // it lives from when it was safe
			s.end = t.end(time.Unix(r.until, 0))
		}
		m.earn(&s.lodged, "refer", change, d.now)
	}
	if change < 0 {
		m.clawBack(&s.lodged, -change)
	}
	s.points += change
	m.die(d.now.Unix()) // what is over when it comes pays no debt
	if bears := m.pay(t); change < 0 {
		s.writtenOff += min(bears, -change)
	}
	m.at = max(m.at, d.now.Unix())
}

// suspect notes what speaks against a friend when it becomes known who she
// is: registered with told, or by her account alone.
func (d *pairing) suspect(r *referral, friend *member, told *register) {
	advocate := d.member(r.advocate)
	t := d.p.pick(advocate.id, "").refer
	if friend != nil && told == nil {
		t = d.p.pick(friend.id, "").refer
	}
	if t == nil {
		return
	}
	var who []string
	email := ""
	var nets []string
	if told != nil {
		who, email = identities(told.customer, told.email, friend), told.email
		if told.net != "" {
			nets = append(nets, told.net)
		}
	} else {
		who, email = identities("", "", friend), friend.email
	}
	if friend != nil {
		nets = append(nets, friend.nets...)
	}
	if own := mailbox(advocate.email); own != "" && slices.Contains(who, "EMAIL "+own) {
		r.reason("self_referral")
	}
	for above, n := advocate, 0; friend != nil && friend != advocate && above.lead != nil && n < 20; n++ {
		if above = d.member(above.lead.advocate); above == friend {
			r.reason("cycle")
			break
		}
	}
	for _, id := range d.p.people {
		if m := d.p.members[id]; email != "" && m.email == email {
			if b := d.member(id).bought; b != 0 && b < r.clicked {
				r.reason("existing_customer")
			}
		}
	}
	if t.network > 0 {
		week := d.now.In(zone).AddDate(0, 0, -7).Unix()
		for _, net := range nets {
			others := int64(0)
			for key, at := range d.p.seen {
				if strings.HasPrefix(key, net+" ") && key != net+" "+r.id && at >= week {
					others++
				}
			}
			if others >= t.network {
				r.reason("velocity_ip")
			}
			if d.p.seen[net+" "+r.id] == 0 {
				d.seen[net+" "+r.id] = d.now.Unix()
			}
		}
	}
}

// claim is a registration under something that a friend is known by.
type claim struct {
	referral, code, advocate string
	clicked                  int64
}

// claim is the newest registration under any of these.
func (p *programme) claim(who []string) (newest *claim) {
	for _, i := range who {
		if c := p.claims[i]; c != nil && (newest == nil || c.clicked > newest.clicked) {
			newest = c
		}
	}
	return newest
}

// identities are what a friend is known by: what is told of her, and what her
// profile says.
func identities(customer, email string, m *member) (who []string) {
	add := func(kind, key string) {
		if key != "" {
			who = append(who, kind+" "+key)
		}
	}
	add("EXTERNAL", customer)
	add("EMAIL", mailbox(email))
	if m != nil {
		add("EMAIL", mailbox(m.email))
		for _, source := range slices.Sorted(maps.Keys(m.ids)) {
			add("EXTERNAL", m.ids[source])
		}
	}
	return who
}

// mailbox is an address without the tag that its owner may put into it.
func mailbox(email string) string {
	name, domain, ok := strings.Cut(email, "@")
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(name, "+")
	return name + "@" + domain
}

// takeLead makes what two members were told of being brought one: of two
// leads the one that led to an order first stays, else the later click.
func (m *member) takeLead(from *member) {
	if from.bought != 0 && (m.bought == 0 || from.bought < m.bought) {
		m.bought = from.bought
	}
	m.friends, m.revenue = m.friends+from.friends, m.revenue+from.revenue
	for _, net := range from.nets {
		m.mark(net)
	}
	mine, other := m.lead, from.lead
	from.lead, from.friends, from.revenue, from.nets, from.bought = nil, 0, 0, nil, 0
	switch {
	case other == nil:
		return
	case mine == nil:
		m.lead = other
		return
	case other.order != "" && (mine.order == "" || other.paid < mine.paid), mine.order == "" && other.order == "" && other.clicked > mine.clicked:
		mine, other = other, mine
	}
	l := *mine
	l.instead = slices.Concat(mine.instead, other.instead)
	if other.id != l.id { // or both came by one registration
		l.instead = append(l.instead, other.id)
	}
	m.lead = &l
}

// mark remembers a network that the member came from: the newest two.
func (m *member) mark(net string) {
	m.nets = append(slices.DeleteFunc(slices.Clone(m.nets), func(n string) bool { return n == net }), net)
	m.nets = m.nets[max(0, len(m.nets)-2):]
}
