package local_test

import (
	"flag"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// template is a request that is taken as it stands. Its body is made afresh
// for each case, since ids are taken once.
type template struct {
	name, method string
	path         func(w *wild) string
	body         func(w *wild) object
	read         func(w *wild, sent object, a answer) object // what a taken request reads back as, in the shape of its body
}

func to(path string) func(*wild) string { return func(w *wild) string { return w.fill(path) } }

func (w *wild) base() string { return w.kept["/v1/members/{id}"] }

// payout is a new payout.
func (w *wild) payout() string {
	return w.must("POST", "/v1/payouts", object{"member": w.base(), "wallet": "cashback", "amount": 1}).str("id")
}

func answered(_ *wild, _ object, a answer) object { return a.body }

// templates are the writes of the API with every field filled in.
var templates = []template{
	{"create member", "POST", to("/v1/members"), func(w *wild) object {
		id := w.fresh()
		return object{
			"external_ids": object{"shopify": id}, "email": id + "@example.com", "email_verified": true, "phone": fmt.Sprintf("+97250%07d", w.n), "phone_verified": false,
			"name": "Noa", "language": "he", "birth_date": object{"calendar": "hebrew", "date": "5786-01-02"}, "consents": object{"email": true},
			"attributes": object{"coffee": "espresso"},
		}
	}, func(w *wild, _ object, a answer) object { return w.send("GET", "/v1/members/"+a.str("id"), nil).body }},
	{"change member", "PATCH", func(w *wild) string { return "/v1/members/" + w.enrol("to change") }, func(w *wild) object {
		id := w.fresh()
		return object{
			"external_ids": object{"till": id}, "email": id + "@example.com", "phone": fmt.Sprintf("+97251%07d", w.n), "name": "Noa", "language": "he",
			"birth_date": object{"calendar": "gregorian", "date": "1990-02-28"}, "consents": object{"sms": true}, "attributes": object{"coffee": "filter"},
		}
	}, func(w *wild, _ object, a answer) object { return w.send("GET", "/v1/members/"+a.str("id"), nil).body }},
	{"order of a member", "POST", to("/v1/orders"), func(w *wild) object {
		return object{
			"source": "till", "id": w.fresh(), "version": 3, "state": "paid", "currency": "ILS", "placed_at": "2026-03-15T08:00:00Z", "paid_at": "2026-03-15T08:01:00Z",
			"fulfilled_at": "2026-03-15T08:02:00Z", "store": "tlv-1", "region": "north", "channel": "online", "member": w.base(),
			"lines": []any{object{
				"id": "1", "sku": "A", "title": "Latte", "category": "coffee", "quantity": 1, "unit_price": 4995, "amount": 4995,
				"gift_card": false, "collection": "summer", "refunded_amount": 0, "refunded_quantity": 0,
			}},
			"discounts": []any{object{"code": "TEN", "amount": 1099, "lines": []any{"1"}}}, "shipping": 1, "tax": 2, "tip": 3,
			"redemption": w.redeem(w.base(), 1), "referral_code": "ANNA7", "refunded": 0, "signals": signals(),
		}
	}, stored},
	{"order of a customer", "POST", to("/v1/orders"), func(w *wild) object {
		id := w.fresh()
		return object{
			"source": "till", "id": id, "version": "2026-03-15T08:01:00Z", "state": "paid", "currency": "ILS", "lines": []any{object{"id": "1", "amount": 100}},
			"customer": object{"external_id": id, "email": id + "@example.com", "email_verified": true, "phone": fmt.Sprintf("+97252%07d", w.n), "phone_verified": false, "name": "Dana", "card": "c-" + id},
		}
	}, func(w *wild, sent object, a answer) object {
		o := stored(w, sent, a)
		m := w.send("GET", "/v1/members/"+a.str("member"), nil).body
		o["customer"] = m
		if ids, ok := m["external_ids"].(object); ok {
			m["external_id"], m["card"] = ids[fmt.Sprint(sent["source"])], ids["card"]
		}
		return o
	}},
	{"evaluate", "POST", to("/v1/orders/evaluate"), func(w *wild) object {
		return object{
			"source": "till", "id": w.fresh(), "version": 1, "state": "placed", "currency": "ILS", "lines": []any{object{"id": "1", "amount": 100}},
			"discounts": []any{object{"code": "TEN", "amount": 10}}, "redemption": w.kept["/v1/redemptions/{id}"],
		}
	}, nil},
	{"activity", "POST", to("/v1/activities"), func(w *wild) object {
		return object{"type": "top_up", "key": w.fresh(), "member": w.base(), "at": "2026-03-15T08:00:00Z", "data": object{"amount": 1000, "store": "tlv-1", "till": "3", "first": true}}
	}, nil},
	{"hold of a wallet", "POST", to("/v1/holds"), func(w *wild) object {
		return object{"member": w.base(), "points": 1, "wallet": "cashback", "order_amount": 1000}
	}, answered},
	{"payout", "POST", to("/v1/payouts"), func(w *wild) object { return object{"member": w.base(), "wallet": "cashback", "amount": 1} }, func(_ *wild, _ object, a answer) object {
		a.body["amount"] = a.at("amount.amount")
		return a.body
	}},
	{"approve", "POST", func(w *wild) string { return "/v1/payouts/" + w.payout() + "/approve" }, func(*wild) object { return object{} }, nil},
	{"reject", "POST", func(w *wild) string { return "/v1/payouts/" + w.payout() + "/reject" }, func(*wild) object { return object{} }, nil},
	{"validate voucher", "POST", to("/v1/vouchers/validate"), func(w *wild) object {
		m := w.enrol("with a voucher")
		return object{"code": w.voucher(m), "member": m, "order": object{"source": "till", "id": w.fresh()}}
	}, nil},
	{"use voucher", "POST", to("/v1/vouchers/redeem"), func(w *wild) object {
		m := w.enrol("with a voucher")
		return object{"code": w.voucher(m), "member": m, "order": object{"source": "till", "id": w.fresh()}}
	}, answered},
	{"release voucher", "POST", to("/v1/vouchers/{code}/release"), func(*wild) object { return object{} }, nil},
	{"choose", "POST", func(w *wild) string { return "/v1/members/" + w.offered() + "/choices" }, func(*wild) object { return object{"id": "quarterly", "choice": "coffee"} }, nil},
	{"hold", "POST", to("/v1/holds"), func(w *wild) object { return object{"member": w.base(), "points": 1, "order_amount": 1000} }, answered},
	{"capture", "POST", func(w *wild) string {
		return "/v1/holds/" + w.must("POST", "/v1/holds", object{"member": w.base(), "points": 1}).str("id") + "/capture"
	}, func(w *wild) object { return object{"order": object{"source": "till", "id": w.fresh()}} }, answered},
	{"release", "POST", to("/v1/holds/{id}/release"), func(*wild) object { return object{} }, nil},
	{"redemption", "POST", to("/v1/redemptions"), func(w *wild) object {
		return object{"member": w.base(), "points": 1, "order_amount": 1000, "order": object{"source": "till", "id": w.fresh()}}
	}, answered},
	{"cancel", "POST", to("/v1/redemptions/{id}/cancel"), func(*wild) object { return object{} }, nil},
	{"adjust", "POST", to("/v1/members/{id}/adjustments"), func(*wild) object { return object{"points": 5, "reason": "thanks"} }, answered},
	{"bind card", "POST", func(w *wild) string { return "/v1/members/" + w.enrol("with a card") + "/cards" }, func(w *wild) object { return object{"number": w.fresh()} }, func(_ *wild, _ object, a answer) object {
		return object{"number": a.at("external_ids.card")}
	}},
	{"referral code", "POST", func(w *wild) string { return "/v1/members/" + w.enrol("who tells friends") + "/referral-code" }, func(w *wild) object { return object{"code": "code" + w.fresh()} }, nil},
	{"referral", "POST", to("/v1/referrals"), func(w *wild) object {
		id := w.fresh()
		return object{
			"code": w.code(), "source": "till", "clicked_at": time.Now().UTC().Format(time.RFC3339), "staff": "Rivka", "signals": signals(),
			"customer": object{"external_id": id, "email": id + "@example.com", "email_verified": true, "phone": fmt.Sprintf("+97253%07d", w.n), "phone_verified": false, "name": "Dana", "card": "c-" + id},
		}
	}, func(w *wild, sent object, a answer) object {
		sent["staff"] = w.send("GET", "/v1/referrals/"+a.str("id"), nil).at("staff") // who the friend is is not shown
		return sent
	}},
	{"approve referral", "POST", func(w *wild) string { return "/v1/referrals/" + w.suspicious() + "/approve" }, func(*wild) object { return object{} }, nil},
	{"reject referral", "POST", func(w *wild) string { return "/v1/referrals/" + w.suspicious() + "/reject" }, func(*wild) object { return object{} }, nil},
	{"exchange", "POST", to("/v1/partners/{id}/exchanges"), func(w *wild) object { return object{"member": w.base(), "points": 1} }, answered},
	{"token", "POST", to("/v1/members/{id}/tokens"), func(*wild) object { return object{} }, nil},
	{"end tokens", "DELETE", to("/v1/members/{id}/tokens"), func(*wild) object { return object{} }, nil},
	{"merge", "POST", func(w *wild) string { return "/v1/members/" + w.enrol("to merge") + "/merge" }, func(w *wild) object { return object{"into": w.enrol("to stay")} }, nil},
	{"export", "POST", to("/v1/privacy/exports"), func(w *wild) object { return object{"member": w.base()} }, nil},
	{"erase", "POST", to("/v1/privacy/erasures"), func(w *wild) object { return object{"member": w.enrol("to erase")} }, nil},
	{"import", "POST", to("/v1/imports"), func(*wild) object { return object{"kind": "orders", "format": "csv", "source": "till"} }, answered},
	{"program", "PUT", to("/v1/program"), func(*wild) object {
		return object{
			"currency": "ILS", "time_zone": "Asia/Jerusalem", "languages": []any{"he", "en"}, "shop": object{"url": "https://shop.example/"},
			"point_value": object{"points": 100, "amount": 500}, "clawback": "debt", "hold": object{"timeout": "PT15M"},
			"earning": object{"basis": "net", "when": "paid", "rounding": "floor", "stacking": "best", "pending": "P0D", "rules": []any{
				object{"id": "base", "on": "order", "rate": object{"points": 1, "amount": 100}},
				object{"id": "double", "on": "order", "multiplier": "2", "during": object{"dates": []any{"2027-03-26"}}},
			}},
			"expiry": object{"after": "P12M", "to_end_of": "day"}, "redemption": object{"minimum": 1, "max_share_of_order": "1", "restore_grace": "P30D"},
			"exchange": object{"USD": "3.7"}, "cards": object{"benefits": object{"early_access": true}},
			"partners":     []any{object{"id": "air", "name": object{"en": "Air"}, "sources": []any{"airline"}, "settle": object{"points": 100, "amount": 450}, "exchange": object{"points": 100, "units": 75, "unit": "miles", "minimum": 1}}},
			"leaderboards": []any{object{"id": "monthly", "name": object{"en": "This month"}, "per": "P1M", "count": "amount", "prizes": []any{object{"from": 1, "to": 3, "points": 100}}}},
			"referral": object{
				"advocate": []any{object{"rank": 1, "points": 100}, object{"rank": 3, "points": 150}}, "friend": object{"points": 50}, "minimum": 3000, "hold": "P14D", "window": "P30D", "limit": object{"points": 1000, "per": "P1M"}, "budget": 100000,
				"fraud":   object{"per_ip": object{"friends": 10, "per": "P7D"}, "per_advocate": object{"friends": 50, "per": "P1D"}, "household": "review", "disposable": "allow"},
				"network": object{"depth": 3, "decay": "0.5"}, "invite": object{"orders": 2, "feedback": "feedback", "field": "score", "from": 9, "complaint": "complaint_opened", "answered": "complaint_resolved", "again": "P6M"},
			},
			"acknowledge": []any{"offer.parity_violation"},
		}
	}, func(w *wild, _ object, a answer) object {
		got := w.send("GET", "/v1/program", nil).body
		w.usual()
		return got
	}},
	{"simulation", "POST", to("/v1/simulations"), func(w *wild) object {
		return object{
			"program":             object{"clawback": "debt", "earning": object{"rules": []any{object{"id": "base", "on": "order", "rate": object{"points": 1, "amount": 80}}}}},
			"expected_redemption": "0.8", "reach_months": 6, "until": "2026-03-15T08:01:00Z", "members": []any{w.base()},
		}
	}, nil},
	{"segment run", "POST", to("/v1/segment-runs"), func(*wild) object { return object{} }, nil},
	{"segment by a condition", "PUT", func(*wild) string { return "/v1/segments/by-a-condition" }, condition, answered},
	{"segment by a list", "PUT", func(*wild) string { return "/v1/segments/by-a-list" }, func(w *wild) object { return object{"name": "VIP", "list": []any{w.base()}} }, answered},
	{"preview", "POST", to("/v1/segments/preview"), condition, nil},
}

// condition is a segment with all that a condition may say.
func condition(*wild) object {
	return object{"name": "North", "where": object{
		"all": []any{object{"segments": []any{"new"}}}, "any": []any{object{"rfm": []any{"champions"}}}, "not": object{"segments": []any{"former"}}, "segments": []any{"repeat"}, "rfm": []any{"loyal"},
		"attributes": object{"city": []any{"Haifa", "Akko"}}, "statistics": object{"spent": object{"from": 1, "to": 1000}},
	}}
}

// signals are all that a person may be known again by.
func signals() object {
	return object{"ip": "203.0.113.5", "device": "d1", "payment": "p1", "address": object{"line": "Dizengoff 1", "city": "Tel Aviv", "postcode": "6433222", "country": "IL"}}
}

// stored is an order as it is read.
func stored(w *wild, sent object, _ answer) object {
	dots := strings.NewReplacer(".", "%2E")
	a := w.send("GET", "/v1/orders/"+url.PathEscape(fmt.Sprint(sent["source"]))+"/"+dots.Replace(url.PathEscape(fmt.Sprint(sent["id"]))), nil)
	if a.status != 200 {
		w.t.Errorf("the order %.100q was taken and is not there: %s", sent["id"], a.raw)
		return object{}
	}
	return a.body
}

// leaf is one place in a body; set changes it, at reads it.
type leaf struct {
	path  string
	value any
	set   func(any)
}

// leaves are all places of a body, containers included.
func leaves(v any) (list []leaf) {
	switch x := v.(type) {
	case object:
		for k, inner := range x {
			list = append(list, leaf{k, inner, func(n any) { x[k] = n }})
			for _, l := range leaves(inner) {
				list = append(list, leaf{k + "." + l.path, l.value, l.set})
			}
		}
	case []any:
		for i, inner := range x {
			list = append(list, leaf{fmt.Sprint(i), inner, func(n any) { x[i] = n }})
			for _, l := range leaves(inner) {
				list = append(list, leaf{fmt.Sprintf("%d.%s", i, l.path), l.value, l.set})
			}
		}
	}
	return list
}

// ready is a request of a template that was not taken yet: made for a case
// that was refused, and so as good for the next.
type ready struct {
	of, path string
	body     object
	undo     func() // of what the last case put into the body
}

// with sends a template with another value at one place.
func (w *wild) with(tpl template, path string, value any) (sent object, a answer) {
	w.t.Helper()
	w.prepare(tpl, path, value)
	return w.next.body, w.try(tpl, encoded(w.t, w.next.body))
}

// prepare puts a value into a request of the template.
func (w *wild) prepare(tpl template, path string, value any) {
	w.t.Helper()
	if w.next.of == tpl.name {
		w.next.undo()
	} else {
		w.next = ready{of: tpl.name, path: tpl.path(w), body: tpl.body(w)}
		w.written()
	}
	w.next.undo = func() {}
	for _, l := range leaves(w.next.body) {
		if l.path == path {
			w.next.undo = func() { l.set(l.value) }
			l.set(value)
		}
	}
}

// try sends what is prepared. What was taken is not sent again.
func (w *wild) try(tpl template, raw []byte) answer {
	w.t.Helper()
	a := w.send(tpl.method, w.next.path, raw)
	if a.status/100 == 2 {
		w.next.of = ""
	}
	return a
}

// The templates themselves are taken, or the tests below would test nothing.
func TestBadInputStartsFromGoodInput(t *testing.T) {
	w := newWild(t)
	for _, tpl := range templates {
		if sent, a := w.with(tpl, "", nil); a.status/100 != 2 {
			t.Errorf("%s: %s answered %s", tpl.name, encoded(t, sent), a.raw)
		}
	}
}

var every = flag.Bool("every", false, "try every naughty string in every field and parameter, not in each fourth")

// Every naughty string in strings of every body, in all of them with -every;
// what is taken reads back byte for byte; but a customer whose verified
// address another has in other letters is that other.
func TestBadInputNaughtyStrings(t *testing.T) {
	t.Parallel()
	list, turn := naughty(t), 0 // of the four, it goes on with the fields
	for _, tpl := range templates {
		w := newWild(t) // what many thousand cases leave behind would be looked through by each of the next
		for _, l := range leaves(tpl.body(w)) {
			if _, text := l.value.(string); !text {
				continue
			}
			turn++
			for i, s := range list {
				if (i+turn)%4 != 0 && !*every {
					continue
				}
				sent, a := w.with(tpl, l.path, s)
				if a.status/100 != 2 || tpl.read == nil || s == "" {
					continue
				}
				got := answer{body: tpl.read(w, sent, a)}
				if back, _ := got.at(l.path).(string); back != s && !unread(l.path) && !(l.path == "customer.email" && strings.EqualFold(back, s)) {
					t.Errorf("%s: %s was taken as %.300q and reads back as %.300q", tpl.name, l.path, s, back)
				}
			}
		}
		w.settled()
	}
}

// unread tells of a field that is not shown as it came but as an instant, or
// not at all.
func unread(path string) bool {
	return path == "version" || strings.HasSuffix(path, "_at") || strings.HasPrefix(path, "signals.")
}

// The same strings as names: of sources, consents, currencies, fields.
func TestBadInputNaughtyKeys(t *testing.T) {
	w := newWild(t)
	for _, s := range naughty(t) {
		w.send("POST", "/v1/members", object{"external_ids": object{s: w.fresh()}})
		w.send("POST", "/v1/members", object{"consents": object{s: true}})
		w.want(400, "POST", "/v1/members", object{s: "x"})
		w.send("PUT", "/v1/program", object{"exchange": object{s: "2"}})
		w.want(400, "PUT", "/v1/program", object{"earning": object{s: 1}})
		w.webhook("standard", encoded(t, object{s: "x"}))
	}
	w.settled()
}
