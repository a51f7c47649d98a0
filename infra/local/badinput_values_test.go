package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// raw is JSON as it stands, valid or not.
type raw string

// rawBody encodes a body in which some values are raw.
func rawBody(t *testing.T, v any) []byte {
	switch x := v.(type) {
	case raw:
		return []byte(x)
	case object:
		var parts [][]byte
		for k, inner := range x {
			parts = append(parts, append(append(encoded(t, k), ':'), rawBody(t, inner)...))
		}
		return append(append([]byte("{"), bytes.Join(parts, []byte(","))...), '}')
	case []any:
		var parts [][]byte
		for _, inner := range x {
			parts = append(parts, rawBody(t, inner))
		}
		return append(append([]byte("["), bytes.Join(parts, []byte(","))...), ']')
	}
	return encoded(t, v)
}

// withRaw is with for a value that json cannot write.
func (w *wild) withRaw(tpl template, path string, value raw) answer {
	w.t.Helper()
	w.prepare(tpl, path, value)
	return w.try(tpl, rawBody(w.t, w.next.body))
}

// Numbers that are none, or none of ours, and values of every other type, in
// place of every field.
func TestBadInputValues(t *testing.T) {
	t.Parallel()
	never := []raw{
		"9223372036854775808", "-9223372036854775809", "1e400", "-1e400", "1E400", "1.5", "1e2", "1.0", "01", "+1", "0x10", "1_000", "NaN", "Infinity", "-",
		raw(strings.Repeat("9", 1000)), raw("1e" + strings.Repeat("9", 100)), raw("0." + strings.Repeat("0", 1000) + "1"),
	}
	maybe := []raw{"9223372036854775807", "-9223372036854775808", "1000000000000000", "1000000000000001", "-1", "-0", "0", "null", "true", "[]", "{}", "[[]]", `{"a":1}`, `""`, `"1"`, "1"}
	texts := []raw{`"\ud800"`, `"\udc00\ud800"`, "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\x00\"", "\"\n\"", "\ufeff\"x\"", `"\x"`}
	for _, tpl := range templates {
		w := newWild(t)
		for _, l := range leaves(tpl.body(w)) {
			for _, v := range append(never, texts...) {
				if a := w.withRaw(tpl, l.path, v); a.status != 400 && !(toldFreely(l.path) && json.Valid([]byte(v))) {
					t.Errorf("%s: %s of %.50s was answered %d %s", tpl.name, l.path, v, a.status, a.raw)
				}
			}
			for _, v := range maybe {
				a := w.withRaw(tpl, l.path, v)
				_, number := l.value.(int)
				if number && a.status/100 == 2 && strings.HasPrefix(string(v), "922") && l.path != "version" {
					t.Errorf("%s: %s took %s", tpl.name, l.path, v)
				}
				if number && a.status/100 == 2 && (strings.HasPrefix(string(v), "-") && v != "-0") && tpl.name != "adjust" && !(v == "-1" && strings.HasPrefix(l.path, "where.statistics.")) { // days since of who never bought
					t.Errorf("%s: %s took %s", tpl.name, l.path, v)
				}
				if tpl.name == "program" && a.status == 200 {
					w.usual()
				}
			}
		}
		w.settled()
	}
}

// toldFreely tells of a field that takes every text and number.
func toldFreely(path string) bool {
	return strings.HasPrefix(path, "data.") && path != "data.amount" || strings.HasPrefix(path, "cards.benefits.")
}

// Keys that stand twice, or that only look like ours.
func TestBadInputKeys(t *testing.T) {
	w := newWild(t)
	m := w.base()
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,"points":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,"Points":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,"point\u017f":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,"\u0070oints":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","Points":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","point\u017f":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,"extra":2}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1}{}`)
	w.want(400, "POST", "/v1/holds", `{"member":"`+m+`","points":1,}`)
	w.want(400, "POST", "/v1/members", `{"external_ids":{"till":"1","Till":"2"}}`)
	w.want(400, "POST", "/v1/members", `{"birth_date":{"calendar":"gregorian","date":"1990-01-01","Date":"1991-01-01"}}`)
	w.want(400, "POST", "/v1/members", `{"birth_date":{"calendar":"gregorian","date":"1990-01-01","zone":"x"}}`)
	w.want(400, "POST", "/v1/orders", `{"source":"till","id":"k","version":1,"state":"paid","currency":"ILS","member":"`+m+`","lines":[{"id":"1","amount":5,"Amount":6}]}`)
	w.want(400, "POST", "/v1/members", `{"`+strings.Repeat("k", 500_000)+`": 1}`)
	w.want(400, "POST", "/v1/members", "\ufeff{}")

	std := func(more string) []byte {
		return []byte(`{"source":"till","id":"` + w.fresh() + `","version":1,"state":"paid","currency":"ILS","member":"` + m + `","lines":[{"id":"1","amount":500}]` + more + `}`)
	}
	for more, status := range map[string]int{
		"": 200, `,"unknown":{"a":[1]}`: 200, `,"currency":"ILS"`: 400, `,"Currency":"USD"`: 400, `,"\u017ftate":"paid"`: 400, `,"x":1,"X":2`: 400,
	} {
		if a := w.webhook("standard", std(more)); a.status != status {
			t.Errorf("a webhook with %s: %d %s, want %d", more, a.status, a.raw, status)
		}
	}
	nested := func(depth int) string {
		return `,"deep":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1)
	}
	for depth, status := range map[int]int{64: 200, 65: 400, 10_000: 400, 500_000: 400} {
		if a := w.webhook("standard", std(nested(depth))); a.status != status {
			t.Errorf("a webhook of depth %d: %d %s, want %d", depth, a.status, a.raw, status)
		}
		w.want(400, "POST", "/v1/orders", std(nested(depth)))
		w.want(400, "POST", "/v1/members", `{"name":`+nested(depth)[8:]+`}`)
		w.send("PUT", "/v1/program", `{"tiers":`+nested(depth)[8:]+`}`)
	}
	w.settled()
}

// Bodies as large as can be, and larger.
func TestBadInputSizes(t *testing.T) {
	const most = 1 << 20
	w := newWild(t)
	m := w.base()
	pad := func(s string, size int) string { return s + strings.Repeat(" ", size-len(s)) }
	w.want(201, "POST", "/v1/members", pad(`{"name":"padded"}`, most))
	w.want(413, "POST", "/v1/members", pad(`{"name":"padded"}`, most+1))
	w.want(400, "POST", "/v1/members", `{"name":"`+strings.Repeat("n", most-11)+`"}`)
	w.want(413, "POST", "/v1/members", `{"name":"`+strings.Repeat("n", most-10)+`"}`)
	w.want(413, "PUT", "/v1/program", pad("{}", 64<<10+1))
	w.want(200, "PUT", "/v1/program", pad("{}", 64<<10))
	for _, k := range kinds {
		w.webhook(k[0], []byte(pad("{}", most)), k[1:]...)
		if a := w.webhook(k[0], []byte(pad("{}", most+1)), k[1:]...); a.status != 413 {
			t.Errorf("%s: %d %s", k, a.status, a.raw)
		}
	}

	// An order that is short enough to be sent and may be too long to be kept.
	wide := func(lines int, text string) object {
		o := order(w.fresh(), m, 1)
		var list []any
		for i := range lines {
			list = append(list, object{"id": fmt.Sprint(i, "<", text[:min(len(text), 190)]), "amount": 100, "title": text, "sku": text, "category": text})
		}
		o["lines"] = list
		return o
	}
	for _, text := range []string{"", strings.Repeat("<", 20), strings.Repeat("<", 60), strings.Repeat("<", 80), strings.Repeat("t", 100), strings.Repeat("t", 200), strings.Repeat("א", 120)} {
		o := wide(1000, text)
		for _, path := range []string{"/v1/orders/evaluate", "/v1/orders"} {
			w.send("POST", path, o, "Idempotency-Key", w.fresh())
		}
		w.webhook("standard", encoded(t, wide(1000, text)))
	}
	w.want(400, "POST", "/v1/orders", wide(1001, "x"))
	long := wide(1000, "")
	for i := range long["lines"].([]any) {
		long["lines"].([]any)[i] = object{"id": fmt.Sprint(strings.Repeat("<", 190), i), "amount": 100}
	}
	w.want(200, "POST", "/v1/orders/evaluate", long, "Idempotency-Key", "long")
	w.want(200, "POST", "/v1/orders", long, "Idempotency-Key", "kept")

	// As many discounts, each naming as many lines, as there is room for.
	o := wide(1000, "")
	var ids []any
	for i := range 1000 {
		ids = append(ids, fmt.Sprint(i, "<"))
	}
	var discounts []any
	for range 120 {
		discounts = append(discounts, object{"amount": 1, "lines": ids})
	}
	for range 1500 {
		discounts = append(discounts, object{"amount": 1})
	}
	o["discounts"] = discounts
	begun := time.Now()
	w.send("POST", "/v1/orders", o)
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("an order with many discounts took %v", took)
	}
	w.settled()
}

// Ids at the edge of what one may be, and ids that look like keys of the table.
func TestBadInputIDs(t *testing.T) {
	w := newWild(t)
	m := w.base()
	for id, ok := range map[string]bool{
		strings.Repeat("i", 200): true, strings.Repeat("i", 201): false, strings.Repeat("א", 100): true, strings.Repeat("א", 101): false, "x": true, "": false,
		"a#b": false, "a/b": false, "#": false, "/": false, "local#MEMBER#" + m: false, "a\x00": false, "a\nb": false, "a\u0085": false, "%23": true, "a b": true, "\u202e": true,
	} {
		want := map[bool]int{true: 200, false: 400}[ok]
		o := order(id, m, 100)
		w.want(want, "POST", "/v1/orders", o)
		if ok {
			stored(w, o, answer{})
		}
		o = order(w.fresh(), m, 100)
		o["lines"] = []any{object{"id": id, "amount": 5}}
		w.want(want, "POST", "/v1/orders", o)
		o["discounts"] = []any{object{"amount": 1, "lines": []any{"other"}}}
		w.want(400, "POST", "/v1/orders", o)
		if id != "" {
			w.want(map[bool]int{true: 201, false: 400}[ok], "POST", "/v1/members", object{"external_ids": object{"till": id}})
			w.want(want, "POST", "/v1/orders", object{"source": "other", "id": w.fresh(), "version": 1, "state": "paid", "currency": "ILS", "lines": []any{}, "customer": object{"external_id": id}})
		}
		w.want(want, "GET", "/v1/members?external_id="+url.QueryEscape(id)+map[bool]string{true: "&email=a@b"}[false], nil)
	}
	for _, source := range []string{"", "A", "a#b", "a b", "a/b", strings.Repeat("s", 41), "ß", "local#ORDER"} {
		o := order(w.fresh(), m, 100)
		o["source"] = source
		w.want(400, "POST", "/v1/orders", o)
	}
	for _, id := range []string{"mem_", "mem_#", "mem_" + strings.ToLower(m[4:]), m + "#ACCOUNT", m[4:], "mem_" + m, "rdm_" + m[4:], "mem_\x00", "mem_" + strings.Repeat("A", 41), "mem_" + strings.Repeat("A", 40)} {
		w.want(404, "GET", "/v1/members/"+url.PathEscape(id), nil)
		if len(id) <= 40 {
			o := order(w.fresh(), id, 100)
			w.send("POST", "/v1/orders", o)
		}
		w.want(404, "POST", "/v1/holds", object{"member": id, "points": 1})
		w.want(404, "POST", "/v1/members/"+m+"/merge", object{"into": id})
		w.want(404, "POST", "/v1/privacy/erasures", object{"member": id})
	}
	w.settled()
}

// Times, currencies and combinations that no shop should send.
func TestBadInputTimesAndMoney(t *testing.T) {
	w := newWild(t)
	m := w.base()
	try := func(status int, more object) answer {
		w.t.Helper()
		return w.want(status, "POST", "/v1/orders", order(w.fresh(), m, 100, more))
	}
	for at, status := range map[string]int{
		"0000-01-01T00:00:00Z": 400, "0001-01-01T00:00:00Z": 400, "1969-12-31T23:59:59Z": 400, "1970-01-01T00:00:00Z": 400, "1970-01-01T00:00:00.5Z": 400, "1970-01-01T00:00:01Z": 200,
		"9999-12-31T23:59:59Z": 200, "9999-12-31T23:59:59-12:00": 400, "10000-01-01T00:00:00Z": 400, "2026-03-15": 400, "2026-03-15T08:00:00": 400,
		"2026-03-15 08:00:00Z": 400, "2026-02-30T08:00:00Z": 400, "2026-03-15T24:00:00Z": 400, "2026-03-15T08:00:60Z": 400, "2026-03-15t08:00:00z": 400,
		"2026-03-15T08:00:00+24:00": 400, "2026-03-15T08:00:00.123456789Z": 200, "2026-03-15T8:00:00Z": 400, "-2026-03-15T08:00:00Z": 400, "1773561600": 400,
	} {
		for _, field := range []string{"placed_at", "paid_at", "fulfilled_at"} {
			try(status, object{field: at})
		}
		version := order("v"+w.fresh(), m, 100, object{"version": at})
		if a := w.send("POST", "/v1/orders", version); a.status != 200 && status == 200 && !strings.HasPrefix(at, "9") {
			t.Errorf("the version %s: %s", at, a.raw)
		}
	}
	for _, version := range []any{-1, raw("1.0"), "", "1", nil, true} {
		w.want(400, "POST", "/v1/orders", rawBody(t, order(w.fresh(), m, 100, object{"version": version, "lines": []any{}})))
	}
	for _, currency := range []string{"USD", "JPY", "KWD"} {
		try(422, object{"currency": currency})
		if a := w.webhook("standard", encoded(t, order(w.fresh(), m, 100, object{"currency": currency}))); a.status != 200 || a.str("reason") != "currency_not_accepted" {
			t.Errorf("a webhook in %s: %s", currency, a.raw)
		}
	}
	for _, currency := range []string{"", "ils", "XX", "₪", "ILS ", "AAA", "İLS"} {
		try(400, object{"currency": currency})
	}
	huge := int64(1_000_000_000_000_000)
	try(200, object{"lines": []any{object{"id": "1", "amount": huge}}})
	try(400, object{"lines": []any{object{"id": "1", "amount": huge}, object{"id": "2", "amount": 1}}})
	try(400, object{"lines": []any{object{"id": "1", "quantity": 1_000_000_000, "unit_price": huge}}})
	try(400, object{"lines": []any{object{"id": "1", "amount": 1}, object{"id": "1", "amount": 1}}})
	try(200, object{"lines": []any{object{"id": "1", "amount": 1, "refunded_amount": huge, "refunded_quantity": 1_000_000_000}}, "refunded": huge})
	try(200, object{"discounts": []any{object{"amount": huge}, object{"amount": huge}}})
	try(200, object{"lines": []any{}})
	try(422, object{"redemption": "rdm_X"})
	try(422, object{"redemption": "x"})
	try(200, object{"redemption": ""})
	if a := try(200, object{"member": "", "customer": object{"email": ""}}); a.str("reason") != "no_customer" {
		t.Errorf("an order of nobody: %s", a.raw)
	}
	for _, body := range []string{"", " ", "null", "[]", "0", `""`, "{}", "a=b"} {
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-16", "\x00"} {
			w.want(400, "POST", "/v1/orders", body, "Content-Type", kind)
			w.want(400, "POST", "/v1/holds", body, "Content-Type", kind)
			if body != "{}" {
				w.want(400, "PUT", "/v1/program", body, "Content-Type", kind)
			}
		}
	}
	w.settled()
}

// Refunds told one after the other: an order has room for so many, and their
// sum stays countable.
func TestBadInputManyRefunds(t *testing.T) {
	w := newWild(t)
	n := 0
	body := func(order int) []byte {
		var refunds []any
		for range 800 {
			n++
			refunds = append(refunds, object{"id": n, "refund_line_items": []any{object{"line_item_id": 1, "quantity": 1, "subtotal": "9999999999999"}}})
		}
		return encoded(t, object{
			"id": order, "updated_at": fmt.Sprintf("2026-03-15T10:%02d:00+02:00", n/800), "created_at": "2026-03-15T10:00:00+02:00", "processed_at": "2026-03-15T10:00:00+02:00",
			"currency": "ILS", "financial_status": "paid", "customer": object{"id": 5}, "line_items": []any{object{"id": 1, "quantity": 1, "price": "50.00"}}, "refunds": refunds,
		})
	}
	for i := range 14 {
		a := w.webhook("shopify", body(1))
		if want := map[bool]string{true: "applied", false: "ignored"}[i == 0]; a.str("status") != want {
			t.Errorf("delivery %d: %.300s, want %s", i, a.raw, want)
		}
	}
	w.settled()
}

// Periods are of a length that ends within the years that can be written.
func TestBadInputPeriods(t *testing.T) {
	w := newWild(t)
	for _, period := range []string{"P9999Y", "P9999M", "P9999W", "P99999D", "PT999999H", "P9999Y9999M9999W99999DT999999H999999M999999S", "P101Y", "P1201M"} {
		for _, doc := range []object{
			{"expiry": object{"after": period, "to_end_of": "month"}},
			{"hold": object{"timeout": period}},
			{"earning": object{"pending": period}},
			{"redemption": object{"restore_grace": period}},
		} {
			if a := w.send("PUT", "/v1/program", doc); a.status == 200 {
				m := w.enrol("of a long program")
				w.send("POST", "/v1/orders", order(w.fresh(), m, 1000))
				w.send("POST", "/v1/holds", object{"member": m, "points": 1})
				w.send("GET", "/v1/members/"+m, nil)
				w.usual()
			}
		}
	}
	w.settled()
}

// YAML is a larger language than JSON; none of it may cost more than a refusal.
func TestBadInputYAML(t *testing.T) {
	w := newWild(t)
	for _, doc := range []string{
		"", " ", "\n", "---", "--- {}\n--- {}", "# only words", "~", "null", "- a", "a", "currency: &x ILS", "currency: *x", "<<: {currency: ILS}", "currency: !!binary aGk=", "? a", "? [a]: b\n: c",
		"currency: ILS\ncurrency: ILS", "currency: ILS\nCurrency: ILS", "a: b: c", "\t", "{", "[", "}", "!", "%YAML 9.9\n---\n", "|", ">", "'", "\"", "currency: |\n  ILS", "expiry:", "earning: {rules: [}",
		"point_value: {points: 0x10, amount: 1}", "point_value: {points: 1_000, amount: 1}", "point_value: {points: 1e2, amount: 1}", "point_value: {points: .inf, amount: 1}", "point_value: {points: .nan, amount: 1}",
		"version: 99999999999999999999", "earning: {pending: 2026-01-01}", "currency: \xff", "currency: \x00", strings.Repeat("[", 60_000), strings.Repeat("{a: ", 15_000), strings.Repeat("- ", 30_000),
		strings.Repeat("a:\n ", 15_000), strings.Repeat("? ", 30_000), strings.Repeat("!", 60_000), strings.Repeat("&a ", 20_000), strings.Repeat("#\n", 30_000), "a: " + strings.Repeat("'", 60_001), strings.Repeat("-\n", 30_000),
	} {
		begun := time.Now()
		a := w.send("PUT", "/v1/program", doc, "Content-Type", "application/yaml")
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("%.40q took %v", doc, took)
		}
		if a.status == 413 {
			t.Errorf("%.40q is too large to be tried: %s", doc, a.raw)
		}
	}
	w.settled()
}

// A path that is not written straight is not found; nobody is sent elsewhere.
func TestBadInputPaths(t *testing.T) {
	w := newWild(t)
	for _, path := range []string{"//v1/members", "/v1//members/x", "/v1/./members", "/v1/../v1/program", "/v1/members/..", "/v1/members/.", "/v1/members/", "/v1/program/", "/", "/v1", "/V1/program", "/v1/program%2F", "/v1/%2e%2e/v1/program"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"} {
			if method == "HEAD" {
				continue // has no body to look at
			}
			w.want(404, method, path, nil)
		}
	}
}
