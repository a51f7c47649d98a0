package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"regulars/infra/local"
	"regulars/infra/topology"
	"regulars/shared/web"
)

// life is a world without any fault, in which things are done one by one.
type life struct {
	*world
	p *programme
	r *rand.Rand
}

func newLife(seed uint64) *life {
	w := newWorld(seed, noFaults, seam{})
	l := &life{w, w.programmes[0], rand.New(rand.NewPCG(1, 1))}
	l.do(&publish{rules{
		points: 1, amount: 100, rounding: "floor", life: 10, clawback: "debt", hold: 15 * time.Minute, minimum: 1, grace: 30,
		cashback: 5, least: 1, topUp: 10, card: 9, lasts: 30, every: 40, badge: 2, greeted: true,
		perOrder: 7, perDay: 100, launch: 60, budget: launchBudget, usual: 40_000, usualMonths: 1, within: 10,
		refer:  &referring{ladder: []rung{{1, 100}, {3, 150}}, friend: 50, minimum: 3000, hold: 1, window: 30, perDay: 1000, budget: 3000, network: 2, asksAfter: 1, satisfied: 9, asksAgain: 40},
		levels: []level{{"silver", 800, 125}, {"gold", 4000, 150}}, window: 12, validity: 60, downgrade: "period_end", qualifyBy: "base_points",
	}})
	return l
}

// do sends an operation and waits for its answer.
func (l *life) do(op Op, more ...func(*message)) *message {
	m := &message{kind: fmt.Sprintf("%T", op), op: op, program: l.p}
	for _, f := range more {
		f(m)
	}
	l.deliver(m, l.clock)
	l.runUntil(l.clock + 60)
	return m
}

// last is the newest of the holds or redemptions.
func (l *life) last(what string) string {
	ids := l.shops[l.p.name].ids[what]
	return ids[len(ids)-1]
}

func (l *life) order(member, customer string, ch channel, redemption string) *tellOrder {
	o := &shopOrder{source: "till", id: fmt.Sprint(l.number()), channel: ch, member: member, customer: customer}
	o.editions = []*edition{{version: 1, state: "fulfilled", placedAt: l.clock, paidAt: l.clock, fulfilledAt: l.clock, lines: []goodsLine{{90_000, 9, "beans"}}, redemption: redemption, order: o.ref()}}
	return &tellOrder{o, o.editions[0]}
}

func (t *tellOrder) changed(f func(*edition)) *tellOrder {
	e := t.order.next()
	e.version++
	f(e)
	t.order.editions = append(t.order.editions, e)
	return &tellOrder{t.order, e}
}

func (l *life) spend(path, member string, points int64) {
	l.do(&spend{path: path, member: member, points: points}, func(m *message) {
		m.key = l.key("spend")
		m.acked = func(body map[string]any) {
			if body["status"] == "held" {
				l.remember(l.p, "hold", body["id"].(string)[4:])
			} else {
				l.remember(l.p, "redemption", body["id"].(string)[4:])
			}
		}
	})
}

// crashing is something that a process does when it ends: prepare answers the
// operation, or nil for a job.
type crashing struct {
	name, job string
	prepare   func(l *life, member string) Op
}

// crashes are what a process can be doing when it ends.
var crashes = slices.Concat([]crashing{
	{"a guest's first order by webhook", "", func(l *life, _ string) Op { return l.order("", "newcomer", byStandard, "") }},
	{"a member's order", "", func(l *life, m string) Op { return l.order(m, "", byAPI, "") }},
	{"an order that points pay for", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		l.spend("/v1/redemptions", m, 30)
		return l.order(m, "", byStandard, "rdm_"+l.last("redemption"))
	}},
	{"a refund that restores points", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		l.spend("/v1/redemptions", m, 30)
		o := l.order(m, "", byAPI, "rdm_"+l.last("redemption"))
		l.do(o)
		return o.changed(func(e *edition) { e.refunded = 40_000 })
	}},
	{"a cancelled order", "", func(l *life, m string) Op {
		o := l.order(m, "", byAPI, "")
		l.do(o)
		return o.changed(func(e *edition) { e.state = "cancelled" })
	}},
	{"a Shopify order", "", func(l *life, _ string) Op { return drawShopify(l.world, l.p, l.r).op }},
	{"a refund before its order", "", func(l *life, _ string) Op {
		return &tellRefund{drawShopify(l.world, l.p, l.r).op.(*tellShopify).order, shopifyRefund{7, 1, 1, 500}}
	}},
	{"an order after its refund", "", func(l *life, _ string) Op {
		o := drawShopify(l.world, l.p, l.r).op.(*tellShopify)
		l.do(&tellRefund{o.order, shopifyRefund{7, 1, 1, 1}})
		return o
	}},
	{"a Shopify customer", "", func(l *life, _ string) Op { return &tellCustomer{"5", "person-new."} }},
	{"a Shopify redaction", "", func(l *life, m string) Op {
		l.do(&tellCustomer{"5", "person-one."})
		l.do(&tellCustomer{"6", "person-two."})
		one, two := l.p.external["north-shopify/5"], l.p.external["north-shopify/6"]
		l.do(&merge{from: one, into: two})
		l.do(&merge{from: two, into: m})
		return &redact{"5", 77}
	}},
	{"an evaluation", "", func(*life, string) Op { return &evaluate{amount: 4_500, id: "basket"} }},
	{"a hold", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		return &spend{path: "/v1/holds", member: m, points: 20}
	}},
	{"a hold that is refused", "", func(_ *life, m string) Op { return &spend{path: "/v1/holds", member: m, points: 1 << 40} }},
	{"a capture", "", func(l *life, m string) Op { return l.held(m, "capture") }},
	{"a release", "", func(l *life, m string) Op { return l.held(m, "release") }},
	{"a redemption", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		return &spend{path: "/v1/redemptions", member: m, points: 20}
	}},
	{"a cancellation", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		l.spend("/v1/redemptions", m, 30)
		id := l.last("redemption")
		return &endSpending{id, "/v1/redemptions/rdm_" + id + "/cancel", "cancel"}
	}},
	{"an enrolment", "", func(*life, string) Op { return &enrol{name: "person-third.", external: "e3", born: 2} }},
	{"a new name", "", func(_ *life, m string) Op { return &rename{m, "person-other."} }},
	{"a merge", "", func(l *life, m string) Op {
		l.do(l.order("", "guest", byStandard, ""))
		return &merge{from: l.p.external["till/guest"], into: m}
	}},
	{"an erasure of two who were merged", "", func(l *life, m string) Op {
		l.do(&merge{from: l.p.people[1], into: m})
		return &erase{m}
	}},
	{"an export", "", func(_ *life, m string) Op { return &export{m} }},
	{"a token", "", func(_ *life, m string) Op { return &token{m} }},
	{"the end of tokens", "", func(_ *life, m string) Op { return &revoke{m} }},
	{"an adjustment", "", func(_ *life, m string) Op { return &adjust{m, 25} }},
	{"a deduction", "", func(l *life, m string) Op { l.do(&adjust{m, 25}); return &adjust{m, -5} }},
	{"an import", "", func(*life, string) Op { return &askImport{} }},
	{"an import's work", "", func(l *life, m string) Op {
		told := l.order("", "guest", byAPI, "")
		l.do(told)
		again := told.changed(func(e *edition) { e.refunded = 40_000 })
		file := &workImport{rows: []*tellOrder{told, l.order("", "newcomer", byAPI, ""), l.order(m, "", byAPI, ""), again, told, told.changed(func(e *edition) { e.version, e.note = 2, "another content" })}}
		l.do(&askImport{}, func(m *message) {
			m.acked = func(body map[string]any) {
				file.id = body["id"].(string)[4:]
				l.p.files[l.p.name+"/"+file.id] = file
			}
		})
		return file
	}},
	{"new rules", "", func(l *life, _ string) Op { return &publish{draw(l.r)} }},
	{"an order that touches all there is", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		l.spend("/v1/redemptions", m, 30)
		o := l.order(m, "", byAPI, "rdm_"+l.last("redemption"))
		o.e.codes = []string{l.voucher(m)}
		return o
	}},
	{"a refund that takes a voucher back", "", func(l *life, m string) Op {
		o := l.order(m, "", byAPI, "")
		l.do(o)
		return o.changed(func(e *edition) { e.refunded = 40_000 })
	}},
	{"a cancelled order that gives a voucher back", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		o := l.order(m, "", byAPI, "")
		o.e.codes = []string{l.voucher(m)}
		l.do(o)
		return o.changed(func(e *edition) { e.state = "cancelled" })
	}},
	{"a merge of all there is", "", func(l *life, m string) Op {
		for _, id := range []string{m, l.p.people[1]} {
			l.do(l.order(id, "", byAPI, ""))
			l.do(&activity{kind: "top_up", key: id, member: id, at: l.clock, amount: 5000})
			l.do(&payout{id, "cash", 100})
		}
		return &merge{from: l.p.people[1], into: m}
	}},
	{"an activity", "", func(l *life, m string) Op {
		return &activity{kind: "review", key: "1", member: m, at: l.clock}
	}},
	{"an activity for another wallet", "", func(l *life, m string) Op {
		return &activity{kind: "top_up", key: "1", member: m, at: l.clock, amount: 5000}
	}},
	{"a hold of cashback", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		return &spend{path: "/v1/holds", member: m, points: 20, wallet: "cash"}
	}},
	{"a payout", "", func(l *life, m string) Op { l.do(l.order(m, "", byAPI, "")); return &payout{m, "cash", 300} }},
	{"a payout that is approved", "", func(l *life, m string) Op { return &decision{l.payout(m), "approve"} }},
	{"a payout that is rejected", "", func(l *life, m string) Op { return &decision{l.payout(m), "reject"} }},
	{"a voucher that is asked about", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		return &voucherAsked{l.voucher(m)}
	}},
	{"a voucher that is used", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		return &voucherUse{code: l.voucher(m), order: "basket"}
	}},
	{"a voucher that is released", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		code := l.voucher(m)
		l.do(&voucherUse{code: code})
		return &voucherBack{code}
	}},
	{"a choice of points", "", func(l *life, m string) Op { l.offer(m); return &choose{m, "points"} }},
	{"a choice of money", "", func(l *life, m string) Op { l.offer(m); return &choose{m, "money"} }},
	{"a choice of a voucher", "", func(l *life, m string) Op { l.offer(m); return &choose{m, "coffee"} }},
	{"an exchange", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		return &exchange{m, 20}
	}},
	{"a card", "", func(_ *life, m string) Op { return &bind{m, "chip"} }},
	{"the schedule", "", func(l *life, m string) Op {
		for _, id := range []string{m, l.p.people[1], l.p.people[2]} {
			l.do(l.order(id, "", byAPI, ""))
			l.spend("/v1/holds", id, 20)
		}
		l.runUntil(l.clock + 20*24*3600)
		return nil
	}},
	{"a draft is simulated", "", func(l *life, m string) Op {
		l.do(l.order(m, "", byAPI, ""))
		return &simulateDraft{}
	}},
}, crashesOfReferrals, crashesOfSegments)

func (l *life) held(member, what string) Op {
	l.do(l.order(member, "", byAPI, ""))
	l.spend("/v1/holds", member, 20)
	id := l.last("hold")
	return &endSpending{id, "/v1/holds/hld_" + id + "/" + what, what}
}

// voucher is the code of the member's newest.
func (l *life) voucher(member string) string {
	open := l.p.members[member].open
	return open[len(open)-1].code
}

func (l *life) payout(member string) string {
	l.do(l.order(member, "", byAPI, ""))
	m := l.do(&payout{member, "cash", 300})
	var body struct{ ID string }
	if err := json.Unmarshal(m.reply, &body); err != nil {
		panic(err)
	}
	return body.ID[len("pay_"):]
}

// offer lets a member buy for a month, so that there is something to choose.
func (l *life) offer(member string) {
	l.do(l.order(member, "", byAPI, ""))
	l.runUntil(l.p.members[member].spell.ends + 60)
}

// keeps are the routes that keep their answer under an idempotency key.
var keeps = regexp.MustCompile(`^POST /v1/(orders$|imports$|simulations$|holds|redemptions|payouts|activities|vouchers/(redeem|{code})|members$|members/{id}/(merge|adjustments|choices|cards|referral-code)$|partners|referrals|segment-runs$)`)

// ended tells whether some delivery of a kind ended in that way.
func (l *life) ended(kind, how string) bool {
	for o := range l.tally.Outcomes {
		if o.kind == kind && strings.HasPrefix(o.end, how) {
			return true
		}
	}
	return false
}

// Every operation of every handler is cut off at each of its calls of the
// store in turn, before and after each write, and sent again: it has had its
// effect once, and all is as if nothing had happened. With an idempotency key
// and without, where both are.
func TestACrashAtEveryCallOfTheStore(t *testing.T) {
	t.Parallel()
	api, err := local.API(&web.Gate{}, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	points := 0
	for _, c := range crashes {
		for _, keyed := range []bool{false, true} {
			step := 1
			if c.job == "segment merge" {
				step = 8 // most of its calls write one of 64 files alike
			}
			for k := 1; ; k += step {
				l := newLife(1)
				op := c.prepare(l, l.p.people[0])
				m := &message{kind: c.name, op: op, program: l.p, crashAt: k}
				if op == nil {
					m = l.job(c.job)
					m.kind, m.crashAt = c.name, k
				} else {
					r := op.Request(l.p, time.Time{})
					_, pattern := api.Handler(r)
					covered[pattern] = true
					if keyed {
						if !keeps.MatchString(pattern) {
							break
						}
						m.key = "the key"
					}
				}
				if l.wrong != nil {
					t.Fatalf("%s is not prepared: %v", c.name, l.wrong)
				}
				l.deliver(m, l.clock)
				if l.finish(0); l.wrong != nil {
					t.Fatalf("%s (key %q) with an end at call %d: %v", c.name, m.key, k, l.wrong)
				}
				if op != nil && !m.done {
					t.Fatalf("%s was not answered", c.name)
				}
				if l.tally.Crashes == 0 {
					if op != nil && !strings.Contains(c.name, "refused") && !l.ended(c.name, "20") {
						t.Errorf("%s did nothing: %v", c.name, l.tally.Outcomes)
					}
					if k < 2 {
						t.Errorf("%s makes no call of the store", c.name)
					}
					break
				}
				points++
			}
			if c.job != "" || c.name == "the schedule" {
				break
			}
		}
	}
	for _, r := range topology.Routes {
		if pattern := r.Method + " " + r.Path; r.Method != http.MethodGet && !covered[pattern] {
			t.Errorf("%s is never cut off: add it to crashes", pattern)
		}
	}
	t.Logf("%d crashes", points)
}

// The announcer is cut off at each of its calls of the bus in turn.
func TestACrashAtEveryCallOfTheBus(t *testing.T) {
	t.Parallel()
	points := 0
	for k := 1; ; k++ {
		w := newWorld(5, noFaults, seam{})
		w.announcer.crashAt = k
		if w.live(60, nil); w.wrong != nil {
			t.Fatalf("with an end at call %d: %v", k, w.wrong)
		}
		if w.announcer.puts < k {
			break
		}
		points++
	}
	if points < 5 {
		t.Errorf("%d crashes", points)
	}
	t.Logf("%d crashes", points)
}

// What was found where eventual reads are old: the decision that comes right
// after another sees who was merged or erased, though it writes nothing of
// what tells so.
func TestDecisionsRightAfterAnother(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(l *life, a, b, c string){
		"an order after an erasure": func(l *life, _, b, _ string) {
			l.do(l.order("", "guest", byStandard, ""))
			l.do(&merge{from: l.p.external["till/guest"], into: b})
			l.do(&erase{b})
			l.do(l.order("", "guest", byStandard, ""))
		},
		"an erasure after two merges": func(l *life, a, b, c string) {
			l.do(&merge{from: a, into: b})
			l.do(&merge{from: b, into: c})
			l.do(&erase{c})
		},
		"an erasure after the merge that told a month of birth": func(l *life, a, _, _ string) {
			l.do(l.order("", "guest", byStandard, ""))
			l.do(&enrol{name: "person-born.", external: "born", born: 6})
			guest := l.p.external["till/guest"]
			l.do(&merge{from: l.p.external["till/born"], into: guest})
			l.do(&erase{guest})
			l.do(l.order(guest, "", byAPI, ""))
		},
		"a new name after a merge":        func(l *life, a, b, _ string) { l.do(&merge{from: a, into: b}); l.do(&rename{a, "person-new."}) },
		"the end of tokens after a merge": func(l *life, a, b, _ string) { l.do(&merge{from: a, into: b}); l.do(&revoke{a}) },
		"a voucher in the order after the one that gave it": func(l *life, a, _, _ string) {
			l.do(l.order(a, "", byAPI, ""))
			o := l.order(a, "", byAPI, "")
			o.e.codes = []string{l.voucher(a)}
			l.do(o)
		},
		"a voucher in an order after a merge": func(l *life, a, b, _ string) {
			l.do(l.order(a, "", byAPI, ""))
			l.do(&merge{from: a, into: b})
			o := l.order(b, "", byAPI, "")
			o.e.codes = []string{l.voucher(b)}
			l.do(o)
		},
		"a cancellation of cashback after a merge": func(l *life, a, b, _ string) {
			l.do(l.order(a, "", byAPI, ""))
			l.do(&spend{path: "/v1/redemptions", member: a, points: 30, wallet: "cash"}, func(m *message) {
				m.acked = func(body map[string]any) { l.remember(l.p, "redemption", body["id"].(string)[4:]) }
			})
			id := l.last("redemption")
			l.do(&merge{from: a, into: b})
			l.do(&endSpending{id, "/v1/redemptions/rdm_" + id + "/cancel", "cancel"})
		},
		"a payout approved after a merge": func(l *life, a, b, _ string) {
			id := l.payout(a)
			l.do(&merge{from: a, into: b})
			l.do(&decision{id, "approve"})
		},
		"a customer's name after a merge": func(l *life, _, b, _ string) {
			l.do(&tellCustomer{"5", "person-one."})
			l.do(&merge{from: l.p.external["north-shopify/5"], into: b})
			l.do(&tellCustomer{"5", "person-two."})
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(40) { // each with other reads that are old
				l := newLife(seed)
				l.odds.stale = .5
				happen(l, l.p.people[0], l.p.people[1], l.p.people[2])
				if l.finish(0); l.wrong != nil {
					t.Fatalf("seed %d: %v", seed, l.wrong)
				}
			}
		})
	}
}
