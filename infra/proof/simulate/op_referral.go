package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"regulars/shared/table"
)

// A member wants a code to bring friends with: one that she chooses, one that
// is made for her, or the one that she has.
var askCode = Kind{Name: "code", Weight: 3, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	m := w.someone(p, r)
	if m == nil {
		return nil
	}
	c := &wantCode{member: m.id}
	switch r.IntN(4) {
	case 0, 1:
		c.code = fmt.Sprint("CODE", w.number())
	case 2:
		c.code = w.anyCode(p, r) // somebody's already, of this program or another
	}
	return &message{op: c, program: p, alone: true, acked: func(body map[string]any) {
		if code, ok := body["code"].(string); ok && body["detail"] == nil {
			w.remember(p, "code", code)
		}
	}}
}}

// anyCode is a code that was asked for.
func (w *world) anyCode(p *programme, r *rand.Rand) string {
	if r.IntN(20) == 0 {
		p = w.programmes[r.IntN(len(w.programmes))]
	}
	return w.oneOf(p, "code", r)
}

// codeOwner is whom a code leads to; codes are unique in a deployment.
type codeOwner struct{ program, member string }

type wantCode struct{ member, code string }

func (c *wantCode) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/members/mem_"+c.member+"/referral-code", fmt.Sprintf(`{"code":%q}`, strings.ToLower(c.code)))
}

func (c *wantCode) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	m := p.holder(c.member)
	owner, taken := p.codes[c.code]
	switch {
	case len(m.codes) > 0 && (c.code == "" || c.code == m.codes[0]):
		return answer{200, "", []value{{"code", m.codes[0]}}}, nil
	case c.code != "" && taken && owner != (codeOwner{p.name, m.id}):
		return refuse(409, "code_taken"), nil
	case len(m.codes) >= 5:
		return refuse(422, "too_many_codes"), nil
	case c.code == "": // Wrote finds out which one was made
		return answer{status: 200}, func() {}
	}
	m.codes = append([]string{c.code}, m.codes...)
	return answer{200, "", []value{{"code", c.code}}}, func() {
		p.store(m)
		p.codes[c.code] = codeOwner{p.name, m.id}
	}
}

// Wrote implements inParts: all is in one part.
func (c *wantCode) Wrote(p *programme, writes []table.Write) {
	for _, w := range writes {
		if made, ok := strings.CutPrefix(w.Item.PK, "CODE#"); ok && c.code == "" {
			m := p.holder(c.member)
			m.codes = append([]string{made}, m.codes...)
			p.store(m)
			p.codes[made] = codeOwner{p.name, m.id}
		}
	}
}

// Left implements inParts.
func (c *wantCode) Left(p *programme, answer map[string]any) string {
	if code, ok := answer["code"].(string); ok && answer["detail"] == nil && p.codes[code].member == "" {
		return code + " leads to nobody"
	}
	return ""
}

// A friend comes by a code, and a shop tells of her before she buys. Reads of
// what others write at the same time decide it, so it comes alone.
var registerFriend = Kind{Name: "registration", Weight: 12, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	code := w.anyCode(p, r)
	if code == "" {
		return nil
	}
	f := &register{code: code, customer: fmt.Sprint("f", w.number()), clicked: w.clock - r.Int64N(5*24*3600)}
	switch r.IntN(12) {
	case 0:
		f.code = "NOBODYS"
	case 1: // who may have bought long ago
		f.customer = fmt.Sprint("c", r.IntN(40))
	case 2, 3, 4: // once more, perhaps for another
		if known := w.oneOf(p, "friend", r); known != "" {
			f.customer = known
		}
	}
	if r.IntN(2) == 0 {
		f.source = "till"
	}
	if r.IntN(3) == 0 {
		f.clicked = 0 // now
	}
	if r.IntN(2) == 0 {
		f.net = fmt.Sprint("2a00:7:", r.IntN(6), "::1")
	}
	switch m := w.someone(p, r); {
	case r.IntN(6) == 0:
		f.email = f.customer + "@example.com"
	case m != nil && m.email != "" && r.IntN(10) == 0: // a member, who brings herself perhaps
		f.email = m.email
		if r.IntN(2) == 0 {
			f.email = strings.Replace(m.email, "@", "+x@", 1)
		}
	}
	if f.email != "" && r.IntN(3) == 0 {
		f.customer = "" // a form on the web asks for no more
	} else {
		w.remember(p, "friend", f.customer)
	}
	out := &message{op: f, program: p, alone: true}
	if r.IntN(2) == 0 {
		out.key = w.key("registration")
	}
	out.acked = func(body map[string]any) {
		if id, ok := body["id"].(string); ok {
			w.remember(p, "referral", id[len("rfl_"):])
		}
	}
	return out
}}

type register struct {
	code, customer, email, source, net string
	clicked                            int64 // 0: now
}

func (f *register) Request(p *programme, _ time.Time) *http.Request {
	more := ""
	for name, v := range map[string]string{"source": f.source} {
		if v != "" {
			more += fmt.Sprintf(`,%q:%q`, name, v)
		}
	}
	if f.clicked != 0 {
		more += fmt.Sprintf(`,"clicked_at":%q`, stamp(f.clicked))
	}
	if f.net != "" {
		more += fmt.Sprintf(`,"signals":{"ip":%q}`, f.net)
	}
	return request(p, "POST", "/v1/referrals", fmt.Sprintf(`{"code":%q,"customer":{"external_id":%q,"email":%q}%s}`, f.code, f.customer, f.email, more))
}

// known is who a registered friend is already; nil for nobody.
func (f *register) known(p *programme) *member {
	if f.customer == "" {
		return nil
	}
	if f.source != "" {
		return p.holder(p.external[f.source+"/"+f.customer])
	}
	var all []string
	for at, m := range p.external {
		if _, id, _ := strings.Cut(at, "/"); id == f.customer && !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	if len(all) == 1 {
		return p.holder(all[0])
	}
	return nil
}

func (f *register) Decide(p *programme, now time.Time, id string) (answer, func()) {
	owner := p.codes[f.code]
	if owner.program != p.name {
		return refuse(422, "unknown_code"), nil
	}
	d := p.pairing(now)
	advocate := d.member(owner.member)
	t := p.pick(advocate.id, "").refer
	if t == nil {
		return refuse(422, "no_referrals"), nil
	}
	clicked := f.clicked
	if clicked == 0 || clicked > now.Unix() {
		clicked = now.Unix()
	}
	closes := daysAfter(clicked, t.window)
	if closes <= now.Unix() {
		return refuse(422, "click_too_old"), nil
	}
	var friend *member
	if known := f.known(p); known != nil {
		friend = d.member(known.id)
	}
	who := identities(f.customer, f.email, friend)
	had := p.claim(who)
	if friend == nil && had != nil && p.refs[had.referral].friend != "" { // who that is, is known by the earlier registration
		friend = d.member(p.refs[had.referral].friend)
	}
	is := func(id, code string) answer {
		return answer{201, "", []value{{"id", "rfl_" + id}, {"code", code}, {"status", "registered"}}}
	}
	claimed := &claim{now.UTC().Format("200601") + after(id), f.code, advocate.id, clicked}
	l := lead{id: claimed.referral, code: f.code, advocate: advocate.id, clicked: clicked}
	stays := ""
	switch {
	case had == nil:
	case had.code == f.code || had.clicked >= clicked:
		stays = had.referral
	default:
		l.instead = []string{had.referral}
	}
	if stays == "" && friend != nil {
		if friend.lead != nil && slices.Contains(l.instead, friend.lead.id) {
			l.instead = nil
		}
		if !friend.click(l) {
			stays = friend.lead.id
		}
	}
	if stays != "" {
		return f.stay(d, stays, friend, who, claimed, closes, is)
	}
	n := &referral{id: l.id, advocate: advocate.id, code: f.code, way: "click", clicked: clicked, closes: closes}
	d.refs[n.id] = n
	d.suspect(n, friend, f)
	if friend == nil {
		d.settle(n, nil, false)
		if l.instead != nil {
			old := d.referral(l.instead[0])
			old.reason("later_click")
			d.settle(old, nil, false)
		}
	} else {
		n.friend = friend.id
		if f.net != "" {
			friend.mark(f.net)
		}
		d.catchUp(friend)
		d.put[friend.id] = true
	}
	return is(n.id, f.code), func() {
		d.store()
		for _, i := range who {
			p.claims[i] = claimed
		}
	}
}

// stay leaves a friend with the registration that she has; a later click on
// the same code counts from then on, as long as she has not bought.
func (f *register) stay(d *pairing, id string, friend *member, who []string, later *claim, closes int64, is func(id, code string) answer) (answer, func()) {
	r := d.referral(id)
	if r == nil { // of an order, which the stream has not brought here yet
		return is(id, friend.lead.code), nil
	}
	if r.code != f.code || r.stage != "registered" || later.clicked <= r.clicked || friend != nil && friend.bought != 0 {
		return is(id, r.code), nil
	}
	r.clicked, r.closes = later.clicked, closes
	later.referral = id
	if friend != nil && friend.lead != nil && friend.lead.id == id {
		l := *friend.lead
		l.clicked = r.clicked
		friend.lead = &l
		d.put[friend.id] = true
	}
	return is(id, r.code), func() {
		d.store()
		for _, i := range who {
			d.p.claims[i] = later
		}
	}
}

// after is the id that the product makes next.
func after(id string) string {
	n, err := strconv.Atoi(id)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%026d", n+1)
}

// A friend buys who was told of before.
var friendOrder = Kind{Name: "friend's order", Weight: 8, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	friend := w.oneOf(p, "friend", r)
	if friend == "" {
		return nil
	}
	m := drawOrder(w, p, r)
	told := m.op.(*tellOrder)
	told.order.member, told.order.customer = "", friend
	told.e.codes, told.e.redemption = nil, ""
	return m
}}

// What a friend bought comes back after both were rewarded.
var lateRefund = Kind{Name: "late refund", Weight: 3, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	for range 20 {
		ref := p.refs[w.oneOf(p, "referral", r)]
		if ref == nil || ref.rank == 0 {
			continue
		}
		for _, o := range slices.Backward(w.shops[p.name].orders) {
			if o.ref() != ref.order || o.channel == byShopify {
				continue
			}
			e := o.next()
			e.version++
			if e.state == "placed" {
				return nil
			}
			giveBack(e, r)
			if r.IntN(4) == 0 {
				e.state = "cancelled"
			}
			o.editions = append(o.editions, e)
			return tell(w, p, o, e, r)
		}
	}
	return nil
}}

// People look at a referral that is suspicious, or at one that is not.
var decideReferral = Kind{Name: "review", Weight: 2, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	verdict := []string{"approve", "approve", "reject"}[r.IntN(3)]
	for range 10 {
		if id := w.oneOf(p, "referral", r); id != "" && p.refs[id] != nil && (p.refs[id].stage == "review" || r.IntN(20) == 0) {
			return &message{op: &review{id, verdict}, program: p}
		}
	}
	return nil
}}

type review struct{ id, verdict string }

func (v *review) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/referrals/rfl_"+v.id+"/"+v.verdict, "{}")
}

func (v *review) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	d := p.pairing(now)
	r := d.referral(v.id)
	if r == nil {
		return refuse(404, "not_found"), nil
	}
	if r.all(blocks) != nil || r.all(suspicion) == nil || r.cleared {
		return refuse(409, "not_under_review"), nil
	}
	if v.verdict == "approve" {
		r.cleared = true
	} else {
		r.reason("rejected")
	}
	d.due(r)
	a := answer{200, "", append(d.shown(r), value{"id", "rfl_" + v.id})}
	return a, d.store
}

// due settles a referral whose time has come, or about which people decided.
func (d *pairing) due(r *referral) {
	var friend *member
	if r.friend != "" {
		friend = d.member(r.friend)
	}
	if d.settle(r, friend, true) {
		d.put[friend.id] = true
	}
}

// shown is a referral as it is shown now: what the friend's account says
// counts at once.
func (d *pairing) shown(r *referral) []value {
	r = r.copy()
	friend := any(nil)
	if r.friend != "" {
		m := d.member(r.friend)
		d.follow(r, m)
		friend = "mem_" + m.id
	}
	stage, why := r.stands(d.now)
	out := []value{
		{"status", stage},
		{"friend", friend},
		{"advocate", "mem_" + d.member(r.advocate).id},
		{"code", r.code},
		{"rank", r.rank},
		{"points.advocate", r.toAdvocate.points},
		{"points.friend", r.toHers.points},
		{"reasons." + fmt.Sprint(len(why)), nil},
		{"order.id", nil},
	}
	if _, id, ok := strings.Cut(r.order, "/"); ok {
		out[8].want = id
	}
	for i, w := range why {
		out = append(out, value{fmt.Sprint("reasons.", i), w})
	}
	return out
}

// A shop looks at a referral.
var readReferral = Kind{Name: "referral read", Weight: 3, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	id := w.oneOf(p, "referral", r)
	if id == "" {
		return nil
	}
	return &message{op: &lookAt{id}, program: p}
}}

type lookAt struct{ id string }

func (l *lookAt) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "GET", "/v1/referrals/rfl_"+l.id, "")
}

func (l *lookAt) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	d := p.pairing(now)
	r := d.referral(l.id)
	if r == nil {
		return refuse(404, "not_found"), nil
	}
	return answer{200, "", d.shown(r)}, nil
}

// Somebody follows a link: each time counts.
var followLink = Kind{Name: "click", Weight: 2, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	code := w.anyCode(p, r)
	if code == "" {
		return nil
	}
	return &message{op: &click{code}, program: p, public: true}
}}

type click struct{ code string }

func (c *click) Request(p *programme, _ time.Time) *http.Request {
	r := request(p, "GET", "/r/"+c.code, "")
	r.Header.Del("Authorization")
	r.Header.Set("User-Agent", "Mozilla/5.0")
	return r
}

func (c *click) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	owner := p.codes[c.code].program
	if owner == "" {
		return refuse(404, "not_found"), nil
	}
	return answer{status: 302}, func() { p.clicks[owner+now.In(zone).Format(" 200601")]++ }
}

// The schedule of referrals starts: who is safe is rewarded.
var runReferrals = Kind{Name: "referrals", Weight: 3, Draw: func(*world, *programme, *rand.Rand) *message {
	return &message{job: "referrals", alone: true}
}}
