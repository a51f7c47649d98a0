package local_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// What rules give beside the points of an order, over HTTP.

// act tells of a member's activity.
func (s *shop) act(kind, key, member string, more ...object) answer {
	s.t.Helper()
	a := object{"type": kind, "key": key, "member": member}
	for _, m := range more {
		for k, v := range m {
			a[k] = v
		}
	}
	return s.must("POST", "/v1/activities", a)
}

// wallet checks what a member has in a wallet, as points does, and that its
// ledger holds.
func (s *shop) wallet(member, wallet string, available int64, more ...any) {
	s.t.Helper()
	m := s.member(member)
	if got := m.num("wallets." + wallet + ".available"); got != available {
		s.t.Errorf("%s is %d, want %d: %s", wallet, got, available, m.raw)
	}
	for i := 0; i < len(more); i += 2 {
		if got := m.num("wallets." + wallet + "." + more[i].(string)); got != int64(more[i+1].(int)) {
			s.t.Errorf("%s of %s is %d, want %d", more[i], wallet, got, more[i+1])
		}
	}
	if v := s.must("GET", "/v1/members/"+member+"/ledger/verification?wallet="+wallet, nil); v.at("valid") != true {
		s.t.Errorf("the ledger of %s does not hold: %s", wallet, v.raw)
	}
}

// vouchers are the codes that a member can use, oldest first.
func (s *shop) vouchers(member string) (codes []string) {
	s.t.Helper()
	for _, v := range s.must("GET", "/v1/members/"+member+"/vouchers", nil).at("data").([]any) {
		codes = append(codes, v.(object)["code"].(string))
	}
	return codes
}

// goal is how far a member is with one: what she has, and what it gave.
func (s *shop) goal(member, id string) (have, given int64) {
	s.t.Helper()
	m := s.member(member)
	for i, g := range m.at("goals").([]any) {
		if g.(object)["id"] == id {
			return m.num(fmt.Sprintf("goals.%d.have", i)), m.num(fmt.Sprintf("goals.%d.given", i))
		}
	}
	s.t.Fatalf("no goal %s: %s", id, m.raw)
	return 0, 0
}

func TestAnActivityIsRewardedOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.program(`{earning: {rules: [{id: review, on: activity, activity: review, points: 10}]}, achievements: [{id: writer, count: activities, activity: review, reach: 1, reward: mug}]}`)
		m, other := s.enrol("m"), s.enrol("other")
		first := s.act("review", "r 1 ü", m)
		if first.str("status") != "applied" || first.num("points") != 10 || first.num("entries.0.points") != 10 || first.str("entries.0.ref") != "activity/review/r 1 ü" || first.str("vouchers.0") == "" {
			t.Errorf("%s", first.raw)
		}
		for _, again := range []answer{s.act("review", "r 1 ü", m), s.act("review", "r 1 ü", other, object{"data": object{"amount": 5}})} {
			if again.str("status") != "duplicate" || again.str("member") != m || again.num("points") != 10 || again.str("vouchers.0") != first.str("vouchers.0") || again.str("entries.0.hash") != first.str("entries.0.hash") {
				t.Errorf("again: %s", again.raw)
			}
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		statuses := map[string]int{}
		for range 8 {
			wg.Go(func() {
				a := s.act("review", "2", m)
				mu.Lock()
				defer mu.Unlock()
				statuses[a.str("status")]++
			})
		}
		wg.Wait()
		if statuses["applied"] != 1 || statuses["duplicate"] != 7 {
			t.Errorf("told eight times at once: %v", statuses)
		}
		s.points(m, 20)
		s.points(other, 0)
		if len(s.vouchers(m)) != 1 { // writer is reached once
			t.Errorf("%v", s.vouchers(m))
		}
		s.ledger(m, "earn 10", "earn 10")
	})
}

// What no rule knew is not used up: a rule that comes later rewards it.
func TestAnActivityThatNoRuleKnowsIsNotConsumed(t *testing.T) {
	s := embedded(t)
	m := s.enrol("m")
	if a := s.act("review", "1", m); a.str("status") != "ignored" || a.str("reason") != "no_rule" || a.num("points") != 0 {
		t.Errorf("%s", a.raw)
	}
	s.program(`{earning: {rules: [{id: review, on: activity, activity: review, points: 10, where: {stores: [tlv-1]}}]}}`)
	if a := s.act("review", "2", m); a.str("status") != "applied" || a.str("reason") != "no_rule_matched" {
		t.Errorf("of no store: %s", a.raw)
	}
	if a := s.act("review", "1", m, object{"data": object{"store": "tlv-1"}}); a.str("status") != "applied" || a.num("points") != 10 {
		t.Errorf("%s", a.raw)
	}
	s.ledger(m, "earn 10")
}

// An activity told late is too soon after an earlier one, or before a later,
// also when that is long ago by now.
func TestCooldownInAndOutOfOrder(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-20T08:00:00Z")
	s.program(`{earning: {rules: [{id: visit, on: activity, activity: visit, points: 10, cooldown: PT2H}]}}`)
	m := s.enrol("m")
	n := 0
	visit := func(at, reason string) {
		t.Helper()
		n++
		if a := s.act("visit", fmt.Sprint(n), m, object{"at": at}); a.str("reason") != reason {
			t.Errorf("at %s: %s, want %q", at, a.raw, reason)
		}
	}
	visit("2026-03-15T10:00:00Z", "")
	visit("2026-03-15T11:59:59Z", "cooldown")
	visit("2026-03-15T12:00:00Z", "")
	visit("2026-03-15T08:00:01Z", "cooldown")
	visit("2026-03-15T08:00:00Z", "")
	visit("2026-03-15T11:00:00+00:00", "cooldown")
	for h := range 9 {
		visit(fmt.Sprintf("2026-03-16T%02d:30:00Z", 2*h), "")
	}
	visit("2026-03-15T10:30:00Z", "cooldown") // before all that is remembered
	s.points(m, 120)
}

func TestALimitPerDayIsOfTheProgramsZone(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-20T08:00:00Z")
	s.program(`{earning: {rules: [{id: cup, on: activity, activity: own_cup, points: 10, limit: {times: 1, per: P1D}}]}}`)
	m := s.enrol("m")
	for i, c := range []struct {
		at     string
		points int64
	}{
		{"2026-03-14T21:59:59Z", 10}, // 23:59:59 of the 14th in Jerusalem
		{"2026-03-14T22:00:00Z", 10}, // the 15th
		{"2026-03-15T21:59:59Z", 0},
		{"2026-03-14T06:00:00Z", 0}, // told late
		{"2026-03-13T06:00:00Z", 10},
	} {
		a := s.act("own_cup", fmt.Sprint(i), m, object{"at": c.at})
		if a.num("points") != c.points || c.points == 0 && a.str("reason") != "limit" {
			t.Errorf("%s: %s", c.at, a.raw)
		}
	}
	s.points(m, 30)
}

func TestATopUpGoesIntoItsWallet(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-15T08:00:00Z")
	s.program(`{wallets: [{id: bonus, kind: bonus, expiry: {after: P1M, to_end_of: none}}], earning: {rules: [{id: top, on: activity, activity: top_up, rate: {points: 11, amount: 10}, wallet: bonus}]}}`)
	m := s.enrol("m")
	a := s.act("top_up", "1", m, object{"at": "2030-01-01T00:00:00Z", "data": object{"amount": 10001}}) // a time to come is now
	if a.num("points") != 0 || a.str("awards.0.wallet") != "bonus" || a.num("awards.0.points") != 11001 || a.str("entries.0.lots.0.expires_at") != "2026-04-15T07:00:00Z" {
		t.Errorf("%s", a.raw)
	}
	s.wallet(m, "bonus", 11001, "withdrawable", 0)
	s.points(m, 0)
	s.refused(422, "not_withdrawable", "POST", "/v1/payouts", object{"member": m, "wallet": "bonus", "amount": 1})
	s.clock("2026-04-15T07:00:00Z") // the clocks went forward
	s.wallet(m, "bonus", 0)
	if r := s.must("POST", "/_local/schedules/expire/run", nil); r.num("members") != 1 || r.num("entries") != 1 || r.num("expired") != 0 {
		t.Errorf("%s", r.raw)
	}
	if r := s.must("POST", "/_local/schedules/expire/run", nil); r.num("members") != 0 {
		t.Errorf("again: %s", r.raw)
	}
	if n := s.events(); n["points.earned"] != 1 || n["points.expired"] != 1 {
		t.Errorf("events: %v", n)
	}
}

const card = `{rewards: [{id: coffee}], earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}, {id: card, on: order, punch_card: {size: 2, reward: coffee}}]}}`

// A voucher's code among an order's discounts uses it; what it paid gives no
// stamp, and a cancelled order gives it back.
func TestAVoucherIsUsedByAnOrdersDiscount(t *testing.T) {
	s := embedded(t)
	s.program(card)
	m, other := s.enrol("m"), s.enrol("other")
	cups := func(n int64) object {
		return object{"lines": []object{{"id": "1", "quantity": n, "unit_price": 1000, "amount": 1000 * n}}}
	}
	s.earn(order("1", m, 0, cups(2)))
	code := s.vouchers(m)[0]
	gift := func(code string) object {
		return object{"discounts": []object{{"code": strings.ToLower(code), "amount": 1000, "lines": []string{"1"}}}}
	}
	s.earn(order("2", other, 0, cups(2), gift(code))) // it is not hers: an ordinary discount
	if have, given := s.goal(other, "card"); have != 0 || given != 1 || len(s.vouchers(m)) != 1 {
		t.Errorf("another's voucher: %d stamps, %d given", have, given)
	}
	status := func(want, order string) {
		t.Helper()
		// The order of nobody is none that it was used in, so this only looks.
		a := s.do("POST", "/v1/vouchers/validate", object{"code": code, "member": m})
		switch got := a.str("status"); {
		case a.status == 200 && got == want:
		case a.status == 422 && a.str("details.reason") == "it is "+want && order == "":
		case a.status == 422 && a.str("details.reason") == "it is "+want:
			if b := s.must("POST", "/v1/vouchers/redeem", object{"code": code, "order": object{"source": "till", "id": order}}); b.str("order.id") != order {
				t.Errorf("%s", b.raw)
			}
		default:
			t.Errorf("%s, want %s", a.raw, want)
		}
	}
	if a := s.must("POST", "/v1/orders/evaluate", order("3", m, 0, cups(2), gift(code))); a.num("points") != 10 {
		t.Errorf("%s", a.raw)
	}
	status("issued", "")
	s.earn(order("3", m, 0, cups(2), gift(code)))
	status("used", "3")
	if have, given := s.goal(m, "card"); have != 1 || given != 1 { // one of the two cups was free
		t.Errorf("%d stamps, %d given", have, given)
	}
	s.earn(order("3", m, 0, cups(2), gift(code), object{"version": 2, "shipping": 5})) // told again
	s.refused(422, "voucher_not_usable", "POST", "/v1/vouchers/redeem", object{"code": code, "order": object{"source": "till", "id": "4"}})
	s.earn(order("3", m, 0, cups(2), gift(code), object{"version": 3, "state": "cancelled"}))
	status("issued", "")
	s.earn(order("3", m, 0, cups(2), gift(code), object{"version": 4, "state": "cancelled"}))
	s.earn(order("5", m, 0, cups(2), gift(code), object{"state": "cancelled"}))
	status("issued", "")
	if have, given := s.goal(m, "card"); have != 0 || given != 1 {
		t.Errorf("%d stamps, %d given", have, given)
	}
	if n := s.events(); n["reward.issued"] != 2 || n["reward.used"] != 1 {
		t.Errorf("events: %v", n)
	}
	s.earn(order("6", m, 0, cups(1), gift(code)))
	s.earn(order("1", m, 0, cups(2), object{"version": 2, "state": "cancelled"})) // it was used: the card owes
	if have, given := s.goal(m, "card"); have != -2 || given != 1 {
		t.Errorf("%d stamps, %d given", have, given)
	}
	s.earn(order("6", m, 0, cups(1), gift(code), object{"version": 2, "state": "cancelled"})) // it is there again, and is what is owed
	status("withdrawn", "")
	if have, given := s.goal(m, "card"); have != 0 || given != 0 || len(s.vouchers(m)) != 0 {
		t.Errorf("%d stamps, %d given, %v", have, given, s.vouchers(m))
	}
	for _, e := range s.must("GET", "/_local/events", nil).at("data").([]any) {
		if e := e.(object); e["type"] == "reward.withdrawn" && e["data"].(object)["order"] != nil {
			t.Errorf("it was used in no order: %v", e)
		}
	}
	s.holds(m)
}

func TestVouchersAreUsedOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.clock("2026-03-15T08:00:00Z")
		s.program(`{rewards: [{id: coffee, lasts: P10D}], achievements: [{id: a, count: activities, activity: visit, reach: 1, repeat: true, reward: coffee}]}`)
		m, other := s.enrol("m"), s.enrol("other")
		code := s.act("visit", "1", m).str("vouchers.0")
		use := object{"code": code, "member": m, "order": object{"source": "till", "id": "1"}}
		s.refused(422, "voucher_not_usable", "POST", "/v1/vouchers/validate", object{"code": code, "member": other})
		s.refused(422, "voucher_not_usable", "POST", "/v1/vouchers/redeem", object{"code": code, "member": other})
		var wg sync.WaitGroup
		var mu sync.Mutex
		took := map[int]int{}
		for i := range 6 {
			wg.Go(func() {
				a := s.do("POST", "/v1/vouchers/redeem", object{"code": code, "order": object{"source": "till", "id": fmt.Sprint("o", i)}})
				mu.Lock()
				defer mu.Unlock()
				took[a.status]++
			})
		}
		wg.Wait()
		if took[200] != 1 || took[422] != 5 {
			t.Errorf("used at once: %v", took)
		}
		if len(s.vouchers(m)) != 0 {
			t.Errorf("%v", s.vouchers(m))
		}
		for range 2 {
			s.must("POST", "/v1/vouchers/"+code+"/release", nil)
		}
		for range 2 {
			s.must("POST", "/v1/vouchers/redeem", use)
		}
		s.must("POST", "/v1/vouchers/"+code+"/release", nil)
		if got := s.vouchers(m); len(got) != 1 {
			t.Errorf("%v", got)
		}
		s.clock("2026-03-25T22:00:00Z") // the end of the tenth day
		if got := s.vouchers(m); len(got) != 0 {
			t.Errorf("after its end: %v", got)
		}
		if a := s.refused(422, "voucher_not_usable", "POST", "/v1/vouchers/redeem", use); a.str("details.reason") != "it is expired" {
			t.Errorf("%s", a.raw)
		}
	})
}

const cashback = `{wallets: [{id: cashback, kind: cashback, minimum_payout: 100}], earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}, {id: back, on: order, rate: {points: 10, amount: 100}, wallet: cashback}]}}`

func TestPayouts(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.program(cashback)
		m := s.enrol("m")
		s.earn(order("1", m, 10000))
		s.wallet(m, "cashback", 1000, "withdrawable", 1000)
		ask := func(amount int64) object { return object{"member": m, "wallet": "cashback", "amount": amount} }
		if a := s.refused(422, "below_minimum", "POST", "/v1/payouts", ask(99)); a.num("details.missing") != 1 {
			t.Errorf("%s", a.raw)
		}
		if a := s.refused(422, "insufficient_points", "POST", "/v1/payouts", ask(1001)); a.num("details.withdrawable") != 1000 || a.num("details.missing") != 1 {
			t.Errorf("%s", a.raw)
		}
		s.refused(422, "unknown_wallet", "POST", "/v1/payouts", object{"member": m, "wallet": "points", "amount": 100})

		// Of several at once only what is there is promised.
		var wg sync.WaitGroup
		var mu sync.Mutex
		var ids []string
		refused := 0
		for range 6 {
			wg.Go(func() {
				a := s.do("POST", "/v1/payouts", ask(300))
				mu.Lock()
				defer mu.Unlock()
				if a.status == 201 {
					ids = append(ids, a.str("id"))
				} else if a.str("code") == "insufficient_points" {
					refused++
				}
			})
		}
		wg.Wait()
		if len(ids) != 3 || refused != 3 {
			t.Fatalf("%d taken, %d refused", len(ids), refused)
		}
		s.wallet(m, "cashback", 100, "held", 900, "withdrawable", 100)

		for range 2 { // twice is once
			if a := s.must("POST", "/v1/payouts/"+ids[0]+"/approve", nil); a.str("status") != "approved" || a.num("amount.amount") != 300 || a.str("approved_at") == "" {
				t.Errorf("%s", a.raw)
			}
			if a := s.must("POST", "/v1/payouts/"+ids[1]+"/reject", nil); a.str("status") != "rejected" {
				t.Errorf("%s", a.raw)
			}
		}
		s.refused(409, "payout_decided", "POST", "/v1/payouts/"+ids[0]+"/reject", nil)
		s.refused(409, "payout_decided", "POST", "/v1/payouts/"+ids[1]+"/approve", nil)
		done := map[int]int{}
		for i := range 6 {
			wg.Go(func() {
				a := s.do("POST", "/v1/payouts/"+ids[2]+"/"+[]string{"approve", "reject"}[i%2], nil)
				mu.Lock()
				defer mu.Unlock()
				done[a.status]++
			})
		}
		wg.Wait()
		if done[200] != 3 || done[409] != 3 {
			t.Errorf("approved and rejected at once: %v", done)
		}
		left := int64(400)
		if s.must("GET", "/v1/payouts/"+ids[2], nil).str("status") == "rejected" {
			left = 700
		}
		s.wallet(m, "cashback", left, "held", 0)
		n := s.events()
		if n["payout.requested"] != 3 || n["payout.approved"]+n["payout.rejected"] != 3 || n["hold.expired"] != 0 || n["redemption.captured"] != 0 {
			t.Errorf("events: %v", n)
		}
	})
}

// A payout waits for people however long it takes, also when the program gave
// up the wallet meanwhile, and what came back of its order is owed.
func TestAPayoutWaits(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-15T08:00:00Z")
	s.program(cashback)
	m := s.enrol("m")
	s.earn(order("1", m, 10000))
	ask := func() string {
		return s.must("POST", "/v1/payouts", object{"member": m, "wallet": "cashback", "amount": 500}).str("id")
	}
	first, second := ask(), ask()
	s.clock("2027-12-01T08:00:00Z")
	s.must("POST", "/_local/schedules/expire/run", nil)
	s.wallet(m, "cashback", 0, "held", 1000)
	s.earn(order("1", m, 10000, object{"version": 2, "refunded": 10000}))
	s.wallet(m, "cashback", 0, "held", 1000, "debt", 1000)
	s.program("{}")
	s.must("POST", "/v1/payouts/"+first+"/approve", nil)
	s.must("POST", "/v1/payouts/"+second+"/reject", nil)
	s.wallet(m, "cashback", 0, "held", 0, "debt", 500)
	s.refused(422, "unknown_wallet", "POST", "/v1/payouts", object{"member": m, "wallet": "cashback", "amount": 500})
	if n := s.events(); n["payout.approved"] != 1 || n["payout.rejected"] != 1 || n["hold.expired"] != 0 {
		t.Errorf("events: %v", n)
	}
}

// Cashback pays a part of an order as points do; what comes back of the order
// goes back to the wallet.
func TestAWalletPaysForAnOrder(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.program(cashback)
		m := s.enrol("m")
		s.earn(order("1", m, 10000))
		held := s.must("POST", "/v1/holds", object{"member": m, "points": 400, "wallet": "cashback", "order_amount": 1000})
		if held.str("wallet") != "cashback" || held.num("value.amount") != 400 {
			t.Errorf("%s", held.raw)
		}
		s.wallet(m, "cashback", 600, "held", 400)
		s.must("POST", "/v1/holds/"+held.str("id")+"/release", nil)
		s.wallet(m, "cashback", 1000, "held", 0)
		s.refused(422, "insufficient_points", "POST", "/v1/holds", object{"member": m, "points": 1001, "wallet": "cashback"})
		s.refused(422, "unknown_wallet", "POST", "/v1/holds", object{"member": m, "points": 1, "wallet": "nosuch"})

		rdm := s.must("POST", "/v1/redemptions", object{"member": m, "points": 400, "wallet": "cashback"}).str("id")
		if a := s.earn(order("2", m, 1000, object{"redemption": rdm})); a.num("points") != 6 { // of the 6.00 that she paid
			t.Errorf("%s", a.raw)
		}
		s.wallet(m, "cashback", 660)
		s.points(m, 106)
		s.earn(order("2", m, 1000, object{"redemption": rdm, "version": 2, "refunded": 500}))
		s.wallet(m, "cashback", 600+200+30)
		s.points(m, 103)
		s.earn(order("2", m, 1000, object{"redemption": rdm, "version": 3, "state": "cancelled"}))
		s.wallet(m, "cashback", 1000)
		s.ledger(m, "earn 100", "earn 6", "clawback -3", "clawback -3")
		if a := s.must("GET", "/v1/redemptions/"+rdm, nil); a.num("restored") != 400 || a.str("wallet") != "cashback" {
			t.Errorf("%s", a.raw)
		}
		s.must("POST", "/v1/redemptions/"+rdm+"/cancel", nil)
		s.wallet(m, "cashback", 1000)

		timed := s.must("POST", "/v1/holds", object{"member": m, "points": 400, "wallet": "cashback"}).str("id")
		s.clock("2099-01-01T00:00:00Z")
		s.refused(409, "hold_expired", "POST", "/v1/holds/"+timed+"/capture", nil)
		s.must("POST", "/_local/schedules/expire/run", nil)
		s.wallet(m, "cashback", 1000, "held", 0)
		if n := s.events(); n["hold.expired"] != 1 {
			t.Errorf("events: %v", n)
		}
	})
}

const merged = `{
	wallets: [{id: cashback, kind: cashback}], rewards: [{id: coffee}],
	earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}, {id: back, on: order, rate: {points: 10, amount: 100}, wallet: cashback}, {id: card, on: order, punch_card: {size: 2, reward: coffee}}]},
	achievements: [{id: first, count: orders, reach: 1, badge: true}],
	plans: [{id: plus, activity: joined, lasts: P1M, benefits: {early_access: true}}],
	tiers: {levels: [{id: silver, from: 150, benefits: {free_delivery: true}}]}
}`

// A merge carries wallets, vouchers, stamps, plans and what counts for tiers;
// nobody has any of it twice.
func TestAMergeCarriesAll(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.program(merged)
		noa, guest := s.enrol("Noa"), s.enrol("Guest")
		s.earn(order("1", noa, 10000))
		s.earn(order("2", guest, 10000))
		s.earn(order("3", guest, 1000))
		s.earn(order("4", guest, 1000))
		s.act("joined", "1", guest)
		payout := s.must("POST", "/v1/payouts", object{"member": guest, "wallet": "cashback", "amount": 100}).str("id")
		rdm := s.must("POST", "/v1/redemptions", object{"member": guest, "wallet": "cashback", "points": 50}).str("id")
		code := s.vouchers(guest)[0]
		if s.member(noa).at("tier.id") != nil || s.member(guest).at("tier.id") != nil {
			t.Fatal("somebody is silver already")
		}
		before := s.events()
		for range 2 {
			s.must("POST", "/v1/members/"+guest+"/merge", object{"into": noa})
		}
		s.points(noa, 220)
		s.wallet(noa, "cashback", 1000+1200-150, "held", 100)
		m := s.member(noa)
		if m.str("tier.id") != "silver" || m.num("tier.qualifying") != 220 || m.str("plans.0.id") != "plus" || m.str("badges.0") != "first" {
			t.Errorf("%s", m.raw)
		}
		if have, given := s.goal(noa, "card"); have != 0 || given != 2 { // one stamp and three, two rewards
			t.Errorf("%d stamps, %d given", have, given)
		}
		codes := s.vouchers(noa)
		if len(codes) != 2 || !slices.Contains(codes, code) {
			t.Errorf("%v, want %s among them", codes, code)
		}
		after := s.events()
		for kind, want := range map[string]int{"tier.upgraded": 1, "reward.issued": 1, "badge.awarded": 0, "member.merged": 1, "points.earned": 0} {
			if n := after[kind] - before[kind]; n != want {
				t.Errorf("%d events %s of the merge, want %d", n, kind, want)
			}
		}
		// By any id of hers, all of it is Noa's.
		if a := s.must("POST", "/v1/vouchers/redeem", object{"code": code, "member": guest, "order": object{"source": "till", "id": "9"}}); a.str("member") != noa {
			t.Errorf("%s", a.raw)
		}
		if a := s.must("POST", "/v1/payouts/"+payout+"/approve", nil); a.str("member") != noa {
			t.Errorf("%s", a.raw)
		}
		s.wallet(noa, "cashback", 2050, "held", 0)
		s.earn(order("5", noa, 1000, object{"redemption": rdm}))
		s.earn(order("5", noa, 1000, object{"redemption": rdm, "version": 2, "state": "cancelled"}))
		s.wallet(noa, "cashback", 2100)
		s.earn(order("2", guest, 10000, object{"version": 2, "refunded": 10000})) // she bought it as the guest
		s.wallet(noa, "cashback", 1100)
		s.points(noa, 120)
		s.holds(noa)
		if e := s.must("GET", "/v1/members/"+guest+"/entitlements", nil); e.str("tier") != "silver" || len(e.at("data").([]any)) != 2 {
			t.Errorf("%s", e.raw)
		}
		for _, e := range s.must("GET", "/_local/events", nil).at("data").([]any) {
			if e := e.(object); e["type"] == "reward.used" && e["data"].(object)["member"] != noa {
				t.Errorf("%v", e)
			}
		}
	})
}

// Attributes are a person's own: an erasure takes them. An order keeps only
// the values that a rule names.
func TestAttributesAreErased(t *testing.T) {
	s := embedded(t)
	s.program(`{earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}, {id: bean, on: order, multiplier: "2", where: {attributes: {coffee: [espresso]}}}, {id: cup, on: activity, activity: own_cup, points: 5, where: {attributes: {coffee: [espresso]}}}]}}`)
	kept := func(text string) bool {
		t.Helper()
		holds, err := s.host.Holds(context.Background(), text)
		if err != nil {
			t.Fatal(err)
		}
		return holds
	}
	noa := s.must("POST", "/v1/members", object{"attributes": object{"coffee": "espresso", "health": "celiac-of-noa"}}).str("id")
	dana := s.must("POST", "/v1/members", object{"attributes": object{"coffee": "filter-of-dana"}}).str("id")
	if a := s.earn(order("1", noa, 10000)); a.num("points") != 200 {
		t.Errorf("%s", a.raw)
	}
	s.earn(order("2", dana, 10000))
	s.act("own_cup", "1", noa)
	s.act("own_cup", "2", dana)
	if a := s.must("POST", "/v1/privacy/exports", object{"member": noa}); a.str("member.attributes.health") != "celiac-of-noa" {
		t.Errorf("%s", a.raw)
	}
	if !kept("celiac-of-noa") || !kept("filter-of-dana") {
		t.Fatal("attributes are not where this test looks")
	}
	for _, m := range []string{noa, dana} {
		s.must("POST", "/v1/privacy/erasures", object{"member": m})
		if len(s.member(m).at("attributes").(object)) != 0 {
			t.Errorf("%s", s.member(m).raw)
		}
	}
	if kept("celiac-of-noa") || kept("filter-of-dana") {
		t.Error("what a person told is still there")
	}
	if a := s.earn(order("1", noa, 10000, object{"version": 2, "refunded": 5000})); a.num("points") != 100 { // as it was bought
		t.Errorf("%s", a.raw)
	}
}

// Nor is it kept what a shop tells of an activity beside what it is.
func TestWhatIsToldOfAnActivityIsNotKept(t *testing.T) {
	s := embedded(t)
	s.program(`{earning: {rules: [{id: review, on: activity, activity: review, points: 5}]}}`)
	if a := s.act("review", "1", s.enrol("m"), object{"data": object{"text": "my knee hurts"}}); a.num("points") != 5 {
		t.Errorf("%s", a.raw)
	}
	if kept, err := s.host.Holds(context.Background(), "my knee"); kept || err != nil {
		t.Errorf("it is kept: %v, %v", kept, err)
	}
}

// An export has the ledgers of wallets too, and of who was merged.
func TestAnExportHasTheWallets(t *testing.T) {
	s := embedded(t)
	s.program(cashback)
	m, guest := s.enrol("m"), s.enrol("guest")
	s.earn(order("1", m, 10000))
	s.earn(order("2", guest, 20000))
	s.must("POST", "/v1/members/"+guest+"/merge", object{"into": m})
	var got []string
	for _, e := range s.must("POST", "/v1/privacy/exports", object{"member": m}).at("ledger").([]any) {
		e := e.(object)
		got = append(got, fmt.Sprint(strings.NewReplacer(m[4:], "m", guest[4:], "guest").Replace(e["id"].(string)), " ", e["points"]))
	}
	want := []string{
		"led_m0000000002 200", "led_m0000000001 100", "led_m0000000002_cashback 2000", "led_m0000000001_cashback 1000",
		"led_guest0000000002 -200", "led_guest0000000001 200", "led_guest0000000002_cashback -2000", "led_guest0000000001_cashback 2000",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAMemberReadsOwnBenefitsOnly(t *testing.T) {
	s := embedded(t)
	s.program(merged)
	m, other := s.enrol("m"), s.enrol("other")
	s.earn(order("1", m, 20000))
	s.earn(order("2", m, 1000))
	token := "Bearer " + s.must("POST", "/v1/members/"+m+"/tokens", nil).str("token")
	if a := s.must("GET", "/v1/members/"+m+"/entitlements", nil, "Authorization", token); a.str("tier") != "silver" || a.str("data.0.id") != "free_delivery" || a.at("data.0.value") != true || a.str("data.0.source") != "tier:silver" {
		t.Errorf("%s", a.raw)
	}
	if a := s.must("GET", "/v1/members/"+m+"/entitlements?id=early_access", nil, "Authorization", token); len(a.at("data").([]any)) != 0 {
		t.Errorf("%s", a.raw)
	}
	a := s.must("GET", "/v1/members/"+m+"/vouchers", nil, "Authorization", token)
	if len(a.at("data").([]any)) != 1 {
		t.Fatalf("%s", a.raw)
	}
	for _, path := range []string{"/entitlements", "/vouchers", "/ledger?wallet=cashback"} {
		s.refused(404, "not_found", "GET", "/v1/members/"+other+path, nil, "Authorization", token)
	}
	for path, body := range map[string]object{
		"/v1/members/" + m + "/choices": {"id": "x", "choice": "y"},
		"/v1/activities":                {"type": "joined", "key": "1", "member": m},
		"/v1/payouts":                   {"member": m, "wallet": "cashback", "amount": 1},
		"/v1/vouchers/validate":         {"code": a.str("data.0.code")},
		"/v1/vouchers/redeem":           {"code": a.str("data.0.code")},
		"/v1/vouchers/" + a.str("data.0.code") + "/release": {},
		"/v1/orders/evaluate":                               order("3", m, 100),
	} {
		s.refused(403, "forbidden", "POST", path, body, "Authorization", token)
	}
}

func TestEvaluateTellsWhatAnOrderWouldBring(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-15T08:00:00Z")
	s.program(`{
		wallets: [{id: cashback, kind: cashback}], rewards: [{id: coffee}],
		earning: {rules: [
			{id: base, on: order, rate: {points: 1, amount: 100}}, {id: back, on: order, rate: {points: 10, amount: 100}, wallet: cashback},
			{id: friday, on: order, multiplier: "2", during: {weekdays: [friday]}}, {id: big, on: order, points: 50, where: {minimum_amount: 30000}}, {id: four, on: order, points: 5, where: {minimum_quantity: 4}},
			{id: card, on: order, punch_card: {size: 2, reward: coffee}}
		]},
		tiers: {levels: [{id: silver, from: 150, multiplier: "1.5"}]}
	}`)
	m := s.enrol("m")
	s.earn(order("1", m, 10000))
	place := func(query string, o object) answer {
		t.Helper()
		before, version := s.events(), s.member(m).raw
		a := s.must("POST", "/v1/orders/evaluate"+query, o, "Idempotency-Key", "evaluated")
		if after := s.events(); fmt.Sprint(after) != fmt.Sprint(before) || !bytes.Equal(version, s.member(m).raw) {
			t.Errorf("it wrote something: %v, then %v", before, after)
		}
		return a
	}
	missing := func(a answer, to, id string) int64 {
		for i, x := range a.at("missing").([]any) {
			if x := x.(object); x["to"] == to && x["id"] == id {
				return a.num(fmt.Sprintf("missing.%d.missing", i))
			}
		}
		return -1
	}

	a := place("", order("2", m, 10000)) // her second: the card is full, she becomes silver
	if a.num("points") != 100 || a.str("member") != m || a.str("tier") != "silver" || a.num("wallets.0.points") != 1000 || fmt.Sprint(a.at("rewards")) != "[coffee]" || fmt.Sprint(a.at("rules")) != "[base back]" {
		t.Errorf("%s", a.raw)
	}
	if missing(a, "rule", "big") != 20000 || missing(a, "rule", "four") != 3 || missing(a, "goal", "card") != 2 || missing(a, "tier", "silver") != -1 {
		t.Errorf("%s", a.raw)
	}
	if a := place("", order("2", "", 10000, object{"member": nil})); a.num("points") != 100 || a.at("member") != nil || a.at("tier") != nil || missing(a, "tier", "silver") != 50 || missing(a, "goal", "card") != 1 {
		t.Errorf("of nobody: %s", a.raw)
	}
	if a := place("?at=2026-03-20T12:00:00Z", order("2", m, 10000)); a.num("points") != 200 {
		t.Errorf("on a Friday: %s", a.raw)
	}
	if a := place("", order("2", m, 40000)); a.num("points") != 450 || missing(a, "rule", "big") != -1 {
		t.Errorf("a big one: %s", a.raw)
	}
	if a := place("", order("1", m, 10000, object{"version": 2, "refunded": 5000})); a.num("points") != 50 || a.num("wallets.0.points") != 500 {
		t.Errorf("of an order that is there: %s", a.raw)
	}
	s.refused(404, "not_found", "POST", "/v1/orders/evaluate", order("2", "mem_X", 10000))
	s.refused(404, "not_found", "GET", "/v1/orders/till/2", nil)
	s.earn(order("2", m, 10000))
	if got := s.vouchers(m); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if a := place("", order("3", m, 10000)); a.num("points") != 150 { // silver by now
		t.Errorf("%s", a.raw)
	}
}

// An Idempotency-Key holds for the new writes as for the old.
func TestIdempotencyKeysOfRules(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-15T08:00:00Z")
	s.must("PUT", "/v1/program", strings.Replace(everything, "<program>", "x", 1))
	m := s.enrol("m")
	s.earn(order("1", m, 100000, object{"paid_at": "2025-12-20T08:00:00Z"}))
	first, second := s.act("stamp", "1", m).str("vouchers.0"), s.act("stamp", "2", m).str("vouchers.0")
	payout := func() string {
		return s.must("POST", "/v1/payouts", object{"member": m, "wallet": "cashback", "amount": 1}).str("id")
	}
	asked := payout()
	for i, c := range []struct {
		path        string
		body, other object
	}{
		{"/v1/activities", object{"type": "own_cup", "key": "k", "member": m}, object{"type": "own_cup", "key": "k2", "member": m}},
		{"/v1/payouts", object{"member": m, "wallet": "cashback", "amount": 2}, object{"member": m, "wallet": "cashback", "amount": 3}},
		{"/v1/payouts/" + payout() + "/approve", object{}, nil},
		{"/v1/payouts/" + payout() + "/reject", object{}, nil},
		{"/v1/vouchers/redeem", object{"code": first}, object{"code": second}},
		{"/v1/vouchers/" + first + "/release", object{}, nil},
		{"/v1/members/" + m + "/choices", object{"id": "quarterly", "choice": "more"}, object{"id": "quarterly", "choice": "some"}},
	} {
		k := fmt.Sprint("k", i)
		a := s.must("POST", c.path, c.body, "Idempotency-Key", k)
		before := s.member(m).raw
		again := s.must("POST", c.path, c.body, "Idempotency-Key", k)
		if again.header.Get("Idempotent-Replayed") != "true" || again.status != a.status || !bytes.Equal(again.raw, a.raw) {
			t.Errorf("%s: %d %s, then %d %s", c.path, a.status, a.raw, again.status, again.raw)
		}
		if c.other != nil {
			s.refused(422, "idempotency_key_reused", "POST", c.path, c.other, "Idempotency-Key", k)
		}
		s.refused(422, "idempotency_key_reused", "POST", "/v1/payouts/"+asked+"/approve", nil, "Idempotency-Key", k)
		if !bytes.Equal(before, s.member(m).raw) {
			t.Errorf("%s: a repetition did something: %s, then %s", c.path, before, s.member(m).raw)
		}
	}
	refused := s.refused(422, "no_choice_open", "POST", "/v1/members/"+m+"/choices", object{"id": "quarterly", "choice": "some"}, "Idempotency-Key", "late")
	if again := s.do("POST", "/v1/members/"+m+"/choices", object{"id": "quarterly", "choice": "some"}, "Idempotency-Key", "late"); !bytes.Equal(again.raw, refused.raw) {
		t.Errorf("%s, then %s", refused.raw, again.raw)
	}
	s.wallet(m, "bonus", 7)
}

// A choice that is not made is made for the member when its time is over, once.
func TestChoices(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-15T08:00:00Z")
	s.must("PUT", "/v1/program", strings.Replace(everything, "<program>", "x", 1))
	chooses, waits := s.enrol("chooses"), s.enrol("waits")
	for i, m := range []string{chooses, waits} {
		s.earn(order(fmt.Sprint(i), m, 90000))
	}
	s.refused(422, "no_choice_open", "POST", "/v1/members/"+chooses+"/choices", object{"id": "quarterly", "choice": "more"})
	s.clock("2026-04-02T08:00:00Z")
	if m := s.member(chooses); m.str("choices.0.id") != "quarterly" || m.num("choices.0.average") != 30000 || m.str("choices.0.until") != "2026-06-30T21:00:00Z" {
		t.Errorf("%s", m.raw)
	}
	s.refused(400, "invalid_request", "POST", "/v1/members/"+chooses+"/choices", object{"id": "quarterly", "choice": "nosuch"})
	if a := s.must("POST", "/v1/members/"+chooses+"/choices", object{"id": "quarterly", "choice": "coffee"}); a.str("voucher.reward") != "free-coffee" || a.str("voucher.goal") != "quarterly" {
		t.Errorf("%s", a.raw)
	}
	s.refused(422, "no_choice_open", "POST", "/v1/members/"+chooses+"/choices", object{"id": "quarterly", "choice": "more"})
	s.must("POST", "/_local/schedules/tiers/run", nil)
	s.clock("2026-07-01T08:00:00Z")
	for range 2 {
		s.must("POST", "/_local/schedules/tiers/run", nil)
	}
	s.ledger(chooses, "earn 900")
	s.ledger(waits, "earn 900", "earn 5")
	if n := s.events(); n["reward.choice_offered"] != 1 || n["reward.issued"] != 1 { // who chose before it was told is not told
		t.Errorf("events: %v", n)
	}
}
