package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// An order of a Shopify store: its version is a time in whole seconds, so two
// states may share one, and its refunds also come alone, before it even.
var newShopifyOrder = Kind{Name: "Shopify order", Weight: 10, Draw: drawShopify}

// A Shopify order gives goods back: it is told whole, and the refund alone.
var changedShopifyOrder = Kind{Name: "Shopify refund", Weight: 10, Draw: drawShopifyRefund}

// A Shopify store tells of a customer.
var shopifyPerson = Kind{Name: "Shopify customer", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	return &message{op: &tellCustomer{fmt.Sprint(1 + r.IntN(30)), w.person(p)}, program: p, late: true}
}}

type tellCustomer struct{ customer, name string }

func (t *tellCustomer) Request(p *programme, _ time.Time) *http.Request {
	return shopify(p, "customers/update", map[string]any{"id": json.Number(t.customer), "first_name": t.name})
}

func (t *tellCustomer) Decide(p *programme, now time.Time, id string) (answer, func()) {
	source := p.name + "-shopify/" + t.customer
	m := p.holder(p.external[source])
	switch {
	case m == nil:
		m = &member{id: id, ids: map[string]string{p.name + "-shopify": t.customer}}
	case m.name == t.name:
		return answer{200, "", []value{{"status", "duplicate"}, {"member", "mem_" + m.id}}}, nil
	}
	return answer{200, "", []value{{"status", "applied"}, {"member", "mem_" + m.id}}}, func() {
		p.call(m, t.name)
		p.store(m)
		if p.external[source] == "" {
			p.external[source] = m.id
		}
	}
}

// shopifyLines are a Shopify order's lines: so many pieces of a price.
type shopifyLine struct {
	quantity, price, back int64
	sku                   string
}

type shopifyState struct {
	lines   []shopifyLine
	refunds []shopifyRefund
}

type shopifyRefund struct {
	id, line, quantity, amount int64
}

type tellShopify struct {
	tellOrder
	state shopifyState
}

type tellRefund struct {
	order  *shopOrder
	refund shopifyRefund
}

func drawShopify(w *world, p *programme, r *rand.Rand) *message {
	o := &shopOrder{source: p.name + "-shopify", id: fmt.Sprint(1_000_000 + w.number()), channel: byShopify, customer: fmt.Sprint(1 + r.IntN(30))}
	e := &edition{version: w.clock, state: "paid", placedAt: w.clock, paidAt: w.clock, order: o.ref()}
	if r.IntN(8) == 0 {
		e.state, e.paidAt = "placed", 0
	}
	var s shopifyState
	for range 1 + r.IntN(3) {
		l := shopifyLine{quantity: 1 + r.Int64N(3), price: money(r), sku: skus[r.IntN(len(skus))]}
		s.lines = append(s.lines, l)
		e.lines = append(e.lines, goodsLine{l.quantity * l.price, l.quantity, l.sku})
	}
	e.pieces = make([]int64, len(e.lines))
	o.editions = []*edition{e}
	shop := w.shops[p.name]
	shop.orders = append(shop.orders, o)
	shop.shopify[o.id] = s
	return &message{op: &tellShopify{tellOrder{o, e}, s}, program: p, late: true}
}

func drawShopifyRefund(w *world, p *programme, r *rand.Rand) *message {
	o := w.anOrder(p, true, r)
	if o == nil {
		return nil
	}
	shop := w.shops[p.name]
	s := shop.shopify[o.id]
	e := o.next()
	if r.IntN(3) > 0 { // otherwise within the same second as the state before
		e.version = max(e.version+1, w.clock)
	}
	if e.state == "placed" {
		e.state, e.paidAt = "paid", e.placedAt
	}
	i := r.IntN(len(s.lines))
	l := s.lines[i]
	if l.back == l.quantity || r.IntN(8) == 0 {
		if e.state != "paid" {
			return nil
		}
		e.state = "cancelled"
		o.editions = append(o.editions, e)
		return &message{op: &tellShopify{tellOrder{o, e}, s}, program: p, late: true}
	}
	n := 1 + r.Int64N(l.quantity-l.back)
	one := shopifyRefund{id: int64(5_000_000 + w.number()), line: int64(i + 1), quantity: n, amount: n * l.price}
	s.lines = append([]shopifyLine(nil), s.lines...)
	s.lines[i].back += n
	s.refunds = append(s.refunds[:len(s.refunds):len(s.refunds)], one)
	e.pieces[i] += n
	e.refunds = map[string]refund{}
	for _, f := range s.refunds {
		e.refunds[fmt.Sprint(f.id)] = f.part()
	}
	shop.shopify[o.id] = s
	o.editions = append(o.editions, e)
	w.send(&message{op: &tellRefund{o, one}, kind: "Shopify refund alone", program: p, late: true}, r)
	return &message{op: &tellShopify{tellOrder{o, e}, s}, program: p, late: true}
}

func decimal(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

func (f shopifyRefund) part() refund { return refund{int(f.line - 1), f.amount} }

func (f shopifyRefund) body() map[string]any {
	return map[string]any{"id": f.id, "refund_line_items": []map[string]any{{
		"line_item_id": f.line, "quantity": f.quantity, "subtotal": json.Number(decimal(f.amount)),
		"subtotal_set": map[string]any{"shop_money": map[string]any{"amount": decimal(f.amount), "currency_code": "ILS"}},
	}}}
}

// shopify signs a body as Shopify does.
func shopify(p *programme, topic string, body any) *http.Request {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	r := request(p, "POST", "/v1/webhooks/"+p.name+"-shopify", string(raw))
	r.Header.Del("Authorization")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(raw)
	r.Header.Set("X-Shopify-Topic", topic)
	r.Header.Set("X-Shopify-Hmac-Sha256", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r
}

// signed is a Standard Webhook.
func signed(p *programme, body []byte, at time.Time) *http.Request {
	r := request(p, "POST", "/v1/webhooks/"+p.name+"-standard", string(body))
	r.Header.Del("Authorization")
	stamp := fmt.Sprint(at.Unix())
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "msg.%s.%s", stamp, body)
	r.Header.Set("webhook-id", "msg")
	r.Header.Set("webhook-timestamp", stamp)
	r.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r
}

func (t *tellShopify) Request(p *programme, _ time.Time) *http.Request {
	e := t.e
	lines := []map[string]any{}
	for i, l := range t.state.lines {
		lines = append(lines, map[string]any{"id": i + 1, "quantity": l.quantity, "sku": l.sku, "price": decimal(l.price)})
	}
	refunds := []map[string]any{}
	for _, f := range t.state.refunds {
		refunds = append(refunds, f.body())
	}
	b := map[string]any{
		"id": json.Number(t.order.id), "currency": "ILS", "financial_status": "paid", "created_at": stamp(e.placedAt),
		"updated_at": stamp(e.version), "processed_at": stamp(e.placedAt), "customer": map[string]any{"id": json.Number(t.order.customer)},
		"line_items": lines, "refunds": refunds,
	}
	switch e.state {
	case "placed":
		b["financial_status"] = "pending"
	case "cancelled":
		b["cancelled_at"] = stamp(e.version)
	}
	return shopify(p, "orders/updated", b)
}

func (t *tellRefund) Request(p *programme, _ time.Time) *http.Request {
	b := t.refund.body()
	b["order_id"] = json.Number(t.order.id)
	return shopify(p, "refunds/create", b)
}

func (t *tellRefund) Decide(p *programme, now time.Time, id string) (answer, func()) {
	o := &order{}
	if had := p.orders[t.order.ref()]; had != nil {
		o = had.copy()
	}
	changed := o.join(map[string]refund{fmt.Sprint(t.refund.id): t.refund.part()})
	if o.told == nil {
		a := answer{200, "", []value{{"status", "parked"}, {"points", int64(0)}}}
		if !changed {
			return a, nil
		}
		return a, func() { p.orders[t.order.ref()] = o }
	}
	status := "applied"
	if !changed {
		status = "duplicate"
	}
	return p.follow(o, t.order, status, "", true, now, id)
}
