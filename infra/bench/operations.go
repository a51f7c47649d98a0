package main

import (
	"cmp"
	"fmt"
	"time"
)

// figure is what an operation cost each time that it was done.
type figure struct {
	name  string
	costs []units
}

// shopper is how a member buys.
type shopper struct {
	name   string
	every  time.Duration
	spends int // after how many orders points are spent; 0 is never
	points int // how many of them; 0 is all
}

const day = 24 * time.Hour

// regular is the member whose figures count: 4 orders bring 616 points, so what
// it has neither grows nor runs out.
var regular = shopper{"every week, spends 600 after 4 orders", 7 * day, 4, 600}

// others are members whose accounts are harder to keep small, or easier.
var others = []shopper{
	{"every month, never spends", 30 * day, 0, 0},
	{"every week, spends all after 8 orders", 7 * day, 8, 0},
	{"every week, never spends", 7 * day, 0, 0},
	{"every day, spends all after 30 orders", day, 30, 0},
	{"every day, never spends", day, 0, 0},
}

// member is a shopper in a shop.
type member struct {
	*shop
	shopper
	number       int // among the shop's members
	id, external string
	orders       int
	progress     func(string)
}

func (s *shop) join(who shopper, progress func(string)) *member {
	s.members++
	m := &member{shop: s, shopper: who, number: s.members, external: fmt.Sprint(8642000000000 + s.members), progress: progress}
	m.id = s.enrol(m.external)
	return m
}

func (m *member) byID() object       { return object{"member": m.id} }
func (m *member) byExternal() object { return object{"customer": object{"external_id": m.external}} }

// orderID is as long as the longest number that storefronts give, and as far
// from the order before as Shopify's ids are a week apart.
func (m *member) orderID() string {
	return fmt.Sprint(100_000_000_000_000_000 + int64(m.number)*1_000_000_000_000_000 + int64(m.orders)*10_000_000_019)
}

// buy is the next order, and the points spent when it is time for that.
func (m *member) buy() (ordered, clock units) {
	clock = m.later(m.every)
	m.orders++
	_, ordered = m.send("POST", "/v1/orders", order(m.orderID(), 1, m.byID(), m.clock, 0))
	return ordered, clock
}

// entries is how many ledger entries there are.
func (m *member) entries() int {
	a, _ := m.send("GET", "/v1/members/"+m.id+"/ledger?limit=1", nil)
	data, _ := a["data"].([]any)
	if len(data) == 0 {
		return 0
	}
	newest, _ := data[0].(object)
	seq, _ := newest["seq"].(float64)
	return int(seq)
}

func (m *member) available() int {
	a, _ := m.send("GET", "/v1/members/"+m.id, nil)
	points, _ := a["points"].(object)
	n, _ := points["available"].(float64)
	return int(n)
}

func (m *member) spend() (hold, capture units) {
	a, hold := m.send("POST", "/v1/holds", object{"member": m.id, "points": cmp.Or(m.points, m.available())})
	id, _ := a["id"].(string)
	_, capture = m.send("POST", "/v1/holds/"+id+"/capture", object{})
	return hold, capture
}

// live lets a member buy and spend n times.
func (m *member) live(n int) (orders, clocks, holds, captures []units) {
	for range n {
		ordered, clock := m.buy()
		orders, clocks = append(orders, ordered), append(clocks, clock)
		if m.spends > 0 && m.orders%m.spends == 0 {
			h, c := m.spend()
			holds, captures = append(holds, h), append(captures, c)
		}
		if m.orders%50 == 0 {
			m.progress(fmt.Sprintf("%s: %d orders", m.name, m.orders))
		}
	}
	return orders, clocks, holds, captures
}

// operations measures every operation for the regular member, after a
// history of orders.
func operations(s *shop, history, times int, progress func(string)) ([]figure, *member, error) {
	m := s.join(regular, progress)
	m.live(history)
	orders, clocks, holds, captures := m.live(times)
	f := map[string][]units{}
	for i := range times {
		do := func(name string) func(object, units) {
			return func(_ object, cost units) { f[name] = append(f[name], cost) }
		}
		m.later(m.every)
		m.orders++
		paid := order(m.orderID(), 1, m.byExternal(), m.clock, 0)
		do("webhook")(m.webhook(paid))
		do("webhook again")(m.webhook(paid))

		m.buy()
		do("again")(m.send("POST", "/v1/orders", order(m.orderID(), 1, m.byID(), m.clock, 0)))
		do("balance")(m.send("GET", "/v1/members/"+m.id, nil))
		do("refund")(m.send("POST", "/v1/orders", order(m.orderID(), 2, m.byID(), m.clock, 3000)))
		do("redemption")(m.send("POST", "/v1/redemptions", object{"member": m.id, "points": 240}))
		if i%10 == 9 {
			progress(fmt.Sprintf("operations: %d of %d", i+1, times))
		}
	}
	return []figure{
		{newOrder, orders},
		{"new order, webhook", f["webhook"]},
		{duplicate, f["again"]},
		{"duplicate, webhook", f["webhook again"]},
		{"partial refund", f["refund"]},
		{"hold", holds},
		{capture, captures},
		{"direct redemption", f["redemption"]},
		{"balance read", f["balance"]},
		{"schedule, once a week", clocks},
	}, m, s.failure()
}

// The operations that have a target.
const (
	newOrder  = "new order, API"
	duplicate = "duplicate, API"
	capture   = "capture"
)
