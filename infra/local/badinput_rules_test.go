package local_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"regulars/shared/loyalty"
)

// What activities, vouchers, wallets and attributes take, at its edges.

func (w *wild) act(more object) object {
	a := object{"type": "own_cup", "key": w.fresh(), "member": w.base()}
	for k, v := range more {
		a[k] = v
	}
	return a
}

func TestBadInputActivities(t *testing.T) {
	w := newWild(t)
	for _, key := range lookAlikes { // each is an activity of its own, and is known again
		if first, again := w.want(200, "POST", "/v1/activities", w.act(object{"key": key})), w.want(200, "POST", "/v1/activities", w.act(object{"key": key})); first.str("status") != "applied" || again.str("status") != "duplicate" {
			t.Errorf("%q: %s, then %s", key, first.raw, again.raw)
		}
	}
	for _, key := range refusedIDs {
		w.want(400, "POST", "/v1/activities", w.act(object{"key": key}))
	}
	for _, kind := range append(lookAlikes, refusedIDs...) {
		want := 400
		if sourceName.MatchString(kind) {
			want = 200 // a type that no rule knows is no mistake
		}
		if a := w.want(want, "POST", "/v1/activities", w.act(object{"type": kind})); want == 200 && a.str("status") != "ignored" {
			t.Errorf("%q: %s", kind, a.raw)
		}
	}
	for at, status := range map[string]int{
		"0001-01-01T00:00:00Z": 400, "1969-12-31T23:59:59Z": 400, "1970-01-01T00:00:00Z": 400, "1970-01-01T00:00:00+14:00": 400, "1970-01-01T00:00:01Z": 200, "9999-12-31T23:59:59Z": 200, "9999-12-31T23:59:59-12:00": 400,
		"10000-01-01T00:00:00Z": 400, "2026-03-15": 400, "2026-02-30T08:00:00Z": 400, "2026-03-15T8:00:00Z": 400, "2026-03-15T08:00:00,5Z": 400, "2026-03-15T08:00:00+24:00": 400, "": 400,
	} {
		w.want(status, "POST", "/v1/activities", w.act(object{"at": at}))
		w.want(status, "POST", "/v1/activities", w.act(object{"type": "joined", "at": at}))
		w.want(status, "POST", "/v1/activities", w.act(object{"type": "stamp", "at": at}))
	}
	many := object{}
	for i := range 21 {
		many[fmt.Sprint("v", i)] = i
	}
	for _, data := range []any{
		many,
		object{"": 1},
		object{"A": 1},
		object{"a b": 1},
		object{"a/b": 1},
		object{strings.Repeat("a", 41): 1},
		object{"a": nil},
		object{"a": []any{}},
		object{"a": object{}},
		object{"a": "\x00"},
		object{"a": "\n"},
		object{"a": strings.Repeat("x", 201)},
		object{"amount": "5"},
		object{"amount": -1},
		object{"amount": true},
		object{"amount": int64(1_000_000_000_000_001)},
		object{"store": nil},
		[]any{},
		"x", 5,
	} {
		w.want(400, "POST", "/v1/activities", w.act(object{"data": data}))
	}
	delete(many, "v20")
	for _, data := range []any{many, nil, object{}, object{"a": strings.Repeat("x", 200)}, object{"amount": 0}, object{"amount": int64(1_000_000_000_000_000)}, object{"store": ""}, object{"__proto__": 1}} {
		w.want(200, "POST", "/v1/activities", w.act(object{"data": data}))
	}
	for _, s := range naughty(t) {
		w.send("POST", "/v1/activities", w.act(object{"data": object{s: s, "a": s, "store": s}}))
	}
	w.settled()
}

func TestBadInputVoucherCodes(t *testing.T) {
	w := newWild(t)
	m := w.enrol("m")
	written := w.voucher(m)
	code := strings.ReplaceAll(written, "-", "")
	digits := strings.NewReplacer("2", "٢", "3", "٣", "4", "٤", "5", "٥", "6", "٦", "7", "۷", "8", "۸", "9", "۹")
	for _, s := range []string{written, code, strings.ToLower(written), " " + code + " ", strings.Join(strings.Split(code, ""), " "), digits.Replace(written), digits.Replace(strings.ToLower(code))} {
		if a := w.want(200, "POST", "/v1/vouchers/validate", object{"code": s}); a.str("code") != written {
			t.Errorf("%q: %s", s, a.raw)
		}
		w.want(200, "POST", "/v1/vouchers/"+segment(s)+"/release", nil)
	}
	wide := strings.Map(func(r rune) rune { return r + 0xfee0 }, code)
	list := append(naughty(t), "", code+"A", code[:11], code+"\u200f", code+"#", code+"\x00", wide, strings.Replace(code, code[:1], "ſ", 1), "ſſſſſſſſſſſſ", "KKKKKKKKKKKK", "ΑΑΑΑΑΑ", strings.Repeat("0", 12), strings.Repeat("I", 12), strings.Repeat("O", 12), strings.Repeat("1", 12), strings.Repeat("١", 12))
	for _, s := range append(list, append(lookAlikes, refusedIDs...)...) {
		if known, ok := loyalty.VoucherCode(s); ok && known == code {
			t.Fatalf("%q is the code", s)
		}
		w.want(404, "POST", "/v1/vouchers/validate", object{"code": s})
		w.want(404, "POST", "/v1/vouchers/redeem", object{"code": s, "member": m})
		if s != "" {
			w.want(404, "POST", "/v1/vouchers/"+segment(s)+"/release", nil)
			o := order(w.fresh(), m, 100, object{"discounts": []any{object{"code": s, "amount": 1, "lines": []any{"1"}}}})
			w.send("POST", "/v1/orders", o)
		}
	}
	if a := w.want(200, "POST", "/v1/vouchers/validate", object{"code": code}); a.str("status") != "issued" {
		t.Errorf("%s", a.raw)
	}
	w.want(404, "POST", "/v1/vouchers/validate", object{"code": code, "member": "mem_X"})
	w.want(400, "POST", "/v1/vouchers/validate", object{"code": code, "order": object{"source": "A", "id": "1"}})
	w.want(400, "POST", "/v1/vouchers/redeem", object{"code": code, "order": object{"source": "till", "id": "a/b"}})
	w.settled()
}

func TestBadInputAttributes(t *testing.T) {
	w := newWild(t)
	m := w.enrol("m")
	w.written()
	many := object{}
	for i := range 21 {
		many[fmt.Sprint("a", i)] = "x"
	}
	for _, attributes := range []any{many, object{"": "x"}, object{"A": "x"}, object{"-a": "x"}, object{"a#b": "x"}, object{strings.Repeat("a", 41): "x"}, object{"a": strings.Repeat("x", 201)}, object{"a": "\x00"}, object{"a": 1}, object{"a": true}, []any{}} {
		w.want(400, "PATCH", "/v1/members/"+m, object{"attributes": attributes})
		w.want(400, "POST", "/v1/members", object{"attributes": attributes})
	}
	delete(many, "a20")
	w.want(200, "PATCH", "/v1/members/"+m, object{"attributes": many})
	w.want(400, "PATCH", "/v1/members/"+m, object{"attributes": object{"a20": "x"}})
	w.want(200, "PATCH", "/v1/members/"+m, object{"attributes": object{"a0": "", "a20": "x"}})
	for i, s := range naughty(t) {
		w.send("PATCH", "/v1/members/"+m, object{"attributes": object{s: "x"}})
		if a := w.send("PATCH", "/v1/members/"+m, object{"attributes": object{"a1": s}}); a.status == 200 && s != "" && a.str("attributes.a1") != s {
			t.Errorf("%d: %q reads back as %q", i, s, a.str("attributes.a1"))
		}
	}
	w.settled()
}

func TestBadInputWalletsAndPayouts(t *testing.T) {
	w := newWild(t)
	m := w.base()
	for _, s := range append(naughty(t), "points", "Cashback", "cashback ", "cashback#", "cashback/") {
		q := "?wallet=" + url.QueryEscape(s)
		want := 404
		if s == "" {
			want = 200 // points
		}
		w.want(want, "GET", "/v1/members/"+m+"/ledger"+q, nil)
		w.want(want, "GET", "/v1/members/"+m+"/ledger/verification"+q, nil)
		w.want(200, "GET", "/v1/members/"+m+"/entitlements?id="+url.QueryEscape(s), nil)
		if s == "" {
			w.want(400, "POST", "/v1/payouts", object{"member": m, "wallet": s, "amount": 1})
			continue
		}
		w.want(422, "POST", "/v1/payouts", object{"member": m, "wallet": s, "amount": 1})
		w.want(422, "POST", "/v1/holds", object{"member": m, "wallet": s, "points": 1})
		w.want(422, "POST", "/v1/redemptions", object{"member": m, "wallet": s, "points": 1})
	}
	for _, amount := range []any{nil, 0, -1, "1", 1.5, int64(1_000_000_000_000_001)} {
		w.want(400, "POST", "/v1/payouts", object{"member": m, "wallet": "cashback", "amount": amount})
	}
	w.want(422, "POST", "/v1/payouts", object{"member": m, "wallet": "cashback", "amount": int64(1_000_000_000_000_000)})
	w.want(422, "POST", "/v1/payouts", object{"member": m, "wallet": "bonus", "amount": 1})
	w.want(404, "POST", "/v1/payouts", object{"wallet": "cashback", "amount": 1})
	for _, id := range []any{"", "nosuch", nil, 5} {
		w.send("POST", "/v1/members/"+m+"/choices", object{"id": id, "choice": "some"})
		chooser := w.offered()
		w.written()
		w.want(400, "POST", "/v1/members/"+chooser+"/choices", object{"id": "quarterly", "choice": id})
	}
	w.settled()
}

func TestBadInputEvaluateAt(t *testing.T) {
	w := newWild(t)
	m := w.base()
	ask := func(at string) answer {
		t.Helper()
		a := w.send("POST", "/v1/orders/evaluate?at="+url.QueryEscape(at), order("evaluated", m, 100))
		if written := w.written(); len(written) > 0 {
			t.Errorf("at %q: wrote %q", at, written)
		}
		return a
	}
	for at, status := range map[string]int{
		"": 200, "1970-01-01T00:00:00Z": 400, "1970-01-01T00:00:01Z": 200, "9999-12-31T23:59:59Z": 200, "2026-03-15T08:00:00+02:00": 200, "1969-12-31T23:59:59Z": 400, "1970-01-01T00:00:00+14:00": 400, "9999-12-31T23:59:59-12:00": 400, "10000-01-01T00:00:00Z": 400,
		"2026-03-15": 400, "2026-02-30T08:00:00Z": 400, "2026-03-15T08:00:00": 400, "2026-03-15T8:00:00Z": 400, "2026-03-15T08:00:00,5Z": 400, "2026-03-15T08:00:00+24:00": 400, "now": 400, "1773561600": 400, "2026-03-15T08:00:00Z\x00": 400,
	} {
		if a := ask(at); a.status != status {
			t.Errorf("at %q: %d %s, want %d", at, a.status, a.raw, status)
		}
		if strings.HasPrefix(at, "9999-12") { // whose month ends later
			status = 400
		}
		w.want(status, "GET", "/v1/leaderboards/monthly?at="+url.QueryEscape(at), nil)
	}
	for _, s := range naughty(t) {
		if a := ask(s); a.status != 400 && s != "" {
			t.Errorf("at %q: %d %s", s, a.status, a.raw)
		}
	}
	w.settled()
}
