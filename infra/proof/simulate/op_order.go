package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// An order of a shop or a till, told as its whole newest state, by the API or
// as a Standard Webhook, again with every change.
var newOrder = Kind{Name: "order", Weight: 30, Draw: drawOrder}

// An order that changes: goods come back, it is fulfilled, it is cancelled.
var changedOrder = Kind{Name: "order change", Weight: 22, Draw: drawChange}

// shopOrder is an order as its shop knows it.
type shopOrder struct {
	source, id string
	channel    channel
	member     string // the id that the till has; or else
	customer   string // the shop's own id of the person
	editions   []*edition
}

type channel int

const (
	byAPI channel = iota
	byStandard
	byShopify
)

// edition is one state of an order. Amounts are minor units.
type edition struct {
	version     int64
	state       string
	placedAt    int64
	paidAt      int64
	fulfilledAt int64
	lines       []goodsLine // of goods
	back        []int64     // refunded of each line, where the shop says it by line
	pieces      []int64     // that came back of each line, where the shop counts them
	giftCard    int64
	discount    int64
	refunded    int64
	refunds     map[string]refund // by id, where the shop tells them apart
	redemption  string
	codes       []string // of vouchers
	store       string
	note        string // makes another content of the same version
	order       string // that it is of
	referral    string // the code of whoever brought the buyer
}

// goodsLine is one line of goods, before discounts.
type goodsLine struct {
	amount, quantity int64
	sku              string
}

func (o *shopOrder) ref() string      { return o.source + "/" + o.id }
func (o *shopOrder) newest() *edition { return o.editions[len(o.editions)-1] }

// next is a copy of the newest edition, to be changed.
func (o *shopOrder) next() *edition {
	e := *o.newest()
	e.back, e.pieces = slices.Clone(e.back), slices.Clone(e.pieces)
	return &e
}

// tellOrder is an order's state on its way.
type tellOrder struct {
	order *shopOrder
	e     *edition
}

func drawOrder(w *world, p *programme, r *rand.Rand) *message {
	o := &shopOrder{source: "till", id: fmt.Sprint(w.number()), channel: channel(r.IntN(2))}
	e := &edition{version: 1, state: "paid", placedAt: w.clock - r.Int64N(3600), order: o.ref()}
	e.paidAt = e.placedAt
	goods := int64(0)
	for range 1 + r.IntN(3) {
		e.lines = append(e.lines, goodsLine{money(r), 1 + r.Int64N(4), skus[r.IntN(len(skus))]})
		goods += e.lines[len(e.lines)-1].amount
	}
	if r.IntN(4) == 0 {
		e.discount = r.Int64N(goods)
	}
	switch r.IntN(4) {
	case 0:
		e.pieces = make([]int64, len(e.lines))
	case 1, 2:
		if e.discount == 0 {
			e.back = make([]int64, len(e.lines))
		}
	}
	if r.IntN(3) == 0 {
		e.store = stores[r.IntN(len(stores))]
	}
	if r.IntN(10) == 0 {
		e.giftCard = money(r)
	}
	switch {
	case p.rules().fulfilled && r.IntN(2) == 0:
		e.state, e.fulfilledAt = "fulfilled", e.paidAt
	case r.IntN(8) == 0:
		e.state, e.paidAt = "placed", 0
	}
	m := w.someone(p, r)
	if m == nil || r.IntN(5) == 0 {
		o.customer = fmt.Sprint("c", r.IntN(40)) // a known guest, or a new one
	} else {
		o.member = m.id
		if v := w.aVoucher(p, m, r); v != nil && r.IntN(4) == 0 {
			e.codes = []string{v.code}
		}
	}
	if o.member != "" && r.IntN(6) == 0 {
		if red := w.captured(p, r); red != nil && (red.member == m.id || r.IntN(5) == 0) {
			e.redemption = "rdm_" + red.id
		}
	}
	if r.IntN(10) == 0 {
		e.referral = w.anyCode(p, r)
	}
	o.editions = []*edition{e}
	w.shops[p.name].orders = append(w.shops[p.name].orders, o)
	return tell(w, p, o, e, r)
}

func tell(w *world, p *programme, o *shopOrder, e *edition, r *rand.Rand) *message {
	m := &message{op: &tellOrder{o, e}, program: p, late: true}
	if o.channel == byAPI && r.IntN(3) == 0 {
		m.key = w.key("order")
	}
	return m
}

// anOrder is one of the shop's newest, half of the time of the very newest:
// then its states overtake each other.
func (w *world) anOrder(p *programme, shopify bool, r *rand.Rand) *shopOrder {
	all := w.shops[p.name].orders
	circle := 60
	if r.IntN(2) == 0 {
		circle = 6
	}
	for range 10 {
		if len(all) == 0 {
			break
		}
		if o := all[len(all)-1-r.IntN(min(circle, len(all)))]; (o.channel == byShopify) == shopify {
			return o
		}
	}
	return nil
}

func drawChange(w *world, p *programme, r *rand.Rand) *message {
	o := w.anOrder(p, false, r)
	if o == nil {
		return nil
	}
	e := o.next()
	if r.IntN(40) == 0 { // a mistake of the shop: another content under the same version
		e.note = fmt.Sprint("edited ", w.number())
		return tell(w, p, o, e, r)
	}
	e.version++
	switch n := r.IntN(10); {
	case e.state == "placed":
		e.state, e.paidAt = "paid", w.clock
	case n == 0:
		e.state = "cancelled"
	case n == 1 && e.state == "paid":
		e.state, e.fulfilledAt = "fulfilled", w.clock
	case n == 2 && e.state == "paid" && r.IntN(2) == 0:
		e.paidAt -= r.Int64N(3 * 24 * 3600) // the shop had a wrong time
	case n == 2:
		e.note = fmt.Sprint("tag ", e.version) // what earns stays as it is
	default:
		giveBack(e, r)
	}
	o.editions = append(o.editions, e)
	return tell(w, p, o, e, r)
}

// giveBack refunds some of what is left, or all; now and then a refund is
// taken back.
func giveBack(e *edition, r *rand.Rand) {
	part := func(left int64) int64 {
		if r.IntN(3) == 0 {
			return left
		}
		return r.Int64N(left + 1)
	}
	i := r.IntN(len(e.lines))
	switch {
	case e.pieces != nil:
		e.pieces[i] += part(e.lines[i].quantity - e.pieces[i])
	case e.back != nil:
		e.back[i] += part(e.lines[i].amount - e.back[i])
	default:
		goods := -e.discount
		for _, l := range e.lines {
			goods += l.amount
		}
		e.refunded += part(goods - e.refunded)
		if r.IntN(12) == 0 {
			e.refunded = 0
		}
	}
}

var skus = []string{"beans", "beans", "cup"}

func (t *tellOrder) body() []byte {
	e := t.e
	lines := []map[string]any{}
	for i, l := range e.lines {
		line := map[string]any{"id": fmt.Sprint(i + 1), "quantity": l.quantity, "sku": l.sku, "amount": l.amount}
		if e.back != nil {
			line["refunded_amount"] = e.back[i]
		}
		if e.pieces != nil {
			line["refunded_quantity"] = e.pieces[i]
		}
		lines = append(lines, line)
	}
	if e.giftCard > 0 {
		lines = append(lines, map[string]any{"id": "card", "amount": e.giftCard, "gift_card": true})
	}
	b := map[string]any{
		"source": t.order.source, "id": t.order.id, "version": e.version, "state": e.state, "currency": "ILS",
		"placed_at": stamp(e.placedAt), "lines": lines, "shipping": 2900, "tax": 17, "store": e.store, "channel": e.note,
	}
	if e.paidAt > 0 {
		b["paid_at"] = stamp(e.paidAt)
	}
	if e.fulfilledAt > 0 {
		b["fulfilled_at"] = stamp(e.fulfilledAt)
	}
	if e.back == nil && e.pieces == nil {
		b["refunded"] = e.refunded
	}
	var discounts []map[string]any
	if e.discount > 0 {
		discounts = append(discounts, map[string]any{"code": "LESS", "amount": e.discount})
	}
	for i, code := range e.codes {
		discounts = append(discounts, map[string]any{"code": code, "amount": 0, "lines": []string{fmt.Sprint(i + 1)}})
	}
	if discounts != nil {
		b["discounts"] = discounts
	}
	if e.referral != "" {
		b["referral_code"] = e.referral
	}
	if e.redemption != "" {
		b["redemption"] = e.redemption
	}
	if t.order.member != "" {
		b["member"] = "mem_" + t.order.member
	} else {
		b["customer"] = map[string]any{"external_id": t.order.customer, "name": "guest " + t.order.customer + "."}
	}
	raw, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return raw
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

func (t *tellOrder) Request(p *programme, at time.Time) *http.Request {
	if t.order.channel == byAPI {
		return request(p, "POST", "/v1/orders", string(t.body()))
	}
	return signed(p, t.body(), at)
}

func (t *tellOrder) Decide(p *programme, now time.Time, id string) (answer, func()) {
	webhook := t.order.channel != byAPI
	o := &order{}
	if had := p.orders[t.order.ref()]; had != nil {
		o = had.copy()
	}
	status, refused := o.take(t.e, webhook)
	return p.follow(o, t.order, status, refused, webhook, now, id)
}

// follow lets the ledger follow an order that may have changed.
func (p *programme) follow(o *order, told *shopOrder, status, refused string, webhook bool, now time.Time, id string) (answer, func()) {
	no := func(code string) (answer, func()) {
		switch {
		case webhook:
			return answer{200, "", []value{{"status", "ignored"}, {"reason", code}}}, nil
		case code == "version_conflict":
			return refuse(409, code), nil
		}
		return refuse(422, code), nil
	}
	if refused != "" {
		return no(refused)
	}
	is := func() answer {
		a := answer{200, "", []value{{"status", status}, {"points", o.points}}}
		if o.member != "" {
			a.values = append(a.values, value{"member", "mem_" + p.holder(o.member).id})
		}
		return a
	}
	if status != "applied" {
		return is(), nil
	}
	var m *member
	guest := ""
	switch {
	case o.member != "":
		m = p.holder(o.member)
	case told.member != "":
		m = p.holder(told.member)
	default:
		guest = told.source + "/" + told.customer
		if m = p.holder(p.external[guest]); m == nil {
			m = &member{id: id, ids: map[string]string{told.source: told.customer}}
			if told.channel != byShopify {
				m.name = "guest " + told.customer + "."
			}
		}
	}
	var paid *redemption
	if bare, ok := strings.CutPrefix(o.redemption, "rdm_"); ok {
		known := p.spent[bare]
		switch {
		case known == nil, p.holder(known.member).id != m.id, known.stage != "captured" && known.order != told.ref(), known.order != "" && known.order != told.ref():
			return no("redemption_not_usable")
		}
		paid = known.copy()
		paid.order, paid.member = told.ref(), m.id
	}
	if o.rules.version == 0 {
		o.rules = p.pick(m.id, o.store)
	}
	used := p.apply(m, o, paid, now)
	o.member = m.id
	d := p.pairing(now, m)
	was := m.lead
	byPoints, atFirst := int64(0), int64(0)
	if paid != nil {
		byPoints, atFirst = paid.value-paid.value*o.returned(paid.points)/paid.points, paid.value
	}
	m.buys(o, p.broughtBy(o, told.customer, m, now, id), byPoints, atFirst, now)
	if l := m.lead; l != nil && l.ranked && l.left != was.left { // both have their rewards: they follow at once
		d.catchUp(m)
	}
	a := answer{200, "", []value{{"status", "applied"}, {"points", o.points}, {"member", "mem_" + m.id}}}
	return a, func() {
		p.store(m)
		d.store()
		p.orders[told.ref()], p.used = o, used
		if guest != "" {
			if p.external[guest] == "" {
				p.external[guest] = m.id
			}
		}
		if paid != nil {
			p.spent[paid.id] = paid
		}
	}
}
