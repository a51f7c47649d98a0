package storefront_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/storefront"
)

const ours = `{"source": "till", "id": "1001", "version": 3, "state": "paid", "currency": "ILS",
 "placed_at": "2026-03-15T08:00:00Z", "paid_at": "2026-03-15T08:01:00Z", "fulfilled_at": "2026-03-15T09:00:00Z", "store": "tlv-1", "region": "north", "channel": "online",
 "member": "mem_1", "customer": {"external_id": "77", "email": "a@example.com", "email_verified": false, "phone": "+972501234567", "phone_verified": true, "name": "Anna"},
 "lines": [{"id": "1", "sku": "A", "title": "Filter", "category": "coffee", "quantity": 2, "unit_price": 4995, "amount": 9990,
            "gift_card": false, "refunded_amount": 0, "refunded_quantity": 0}],
 "discounts": [{"code": "TEN", "amount": 1099, "lines": ["1"]}], "shipping": 1, "tax": 2, "tip": 3,
 "redemption": "rdm_1", "referral_code": "ANNA7", "refunded": 4}`

func TestParseOrder(t *testing.T) {
	o, err := storefront.ParseOrder([]byte(ours))
	if err != nil {
		t.Fatal(err)
	}
	want := loyalty.Order{
		Source: "till", ID: "1001", Version: loyalty.Revision{N: 3}, State: loyalty.Paid, Currency: "ILS",
		PlacedAt: instant("2026-03-15T08:00:00Z"), PaidAt: instant("2026-03-15T08:01:00Z"), FulfilledAt: instant("2026-03-15T09:00:00Z"),
		Store: "tlv-1", Region: "north", Channel: "online", Member: "mem_1",
		Customer:  &loyalty.Customer{ExternalID: "77", Email: "a@example.com", Phone: "+972501234567", PhoneVerified: true, Name: "Anna"},
		Lines:     []loyalty.Line{{ID: "1", SKU: "A", Title: "Filter", Category: "coffee", Quantity: 2, UnitPrice: 4995, Amount: 9990, RefundedAmount: new(int64)}},
		Discounts: []loyalty.Discount{{Code: "TEN", Amount: 1099, Lines: []string{"1"}}},
		Shipping:  1, Tax: 2, Tip: 3, Redemption: "rdm_1", ReferralCode: "ANNA7", Refunded: 4,
	}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Error(diff)
	}
	for _, row := range []struct {
		name  string
		pairs []string
		check func(loyalty.Order) bool
	}{
		{
			"a version may be an instant",
			[]string{`"version": 3`, `"version": "2026-03-15T10:00:00.5+02:00"`},
			func(o loyalty.Order) bool { return o.Version == loyalty.At(instant("2026-03-15T08:00:00.5Z")) },
		},
		{"amount is quantity times unit price when absent", []string{`"amount": 9990,`, ``}, func(o loyalty.Order) bool { return o.Lines[0].Amount == 9990 }},
		{"amount wins over quantity times unit price", []string{`"amount": 9990`, `"amount": 9991`}, func(o loyalty.Order) bool { return o.Lines[0].Amount == 9991 }},
		{"amount alone is one piece", []string{`"quantity": 2, "unit_price": 4995,`, ``}, func(o loyalty.Order) bool { return o.Lines[0].Quantity == 1 && o.Lines[0].Amount == 9990 }},
		{"refunded_amount absent is not stated", []string{`"refunded_amount": 0,`, ``}, func(o loyalty.Order) bool { return o.Lines[0].RefundedAmount == nil }},
		{"a discount may name no line", []string{`, "lines": ["1"]`, ``}, func(o loyalty.Order) bool { return o.Discounts[0].Lines == nil }},
		{"nobody needs to be named", []string{`"customer": {`, `"customer": null, "lines": [], "discounts": [], "shipping": 0}`}, func(o loyalty.Order) bool { return o.Customer == nil }},
		{"an id has up to 200 bytes", []string{`"1001"`, `"` + strings.Repeat("א", 100) + `"`}, func(o loyalty.Order) bool { return len(o.ID) == 200 }},
		{"dinars", []string{"ILS", "KWD"}, func(o loyalty.Order) bool { return o.Lines[0].Amount == 9990 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := change(t, ours, row.pairs...)
			if row.name == "nobody needs to be named" {
				body = body[:strings.Index(body, `"shipping": 0}`)+len(`"shipping": 0}`)]
			}
			o, err := storefront.ParseOrder([]byte(body))
			if err != nil || !row.check(o) {
				t.Errorf("got %+v, %v", o, err)
			}
		})
	}
}

func TestParseOrderRefuses(t *testing.T) {
	for _, row := range [][4]string{
		{"no source", "/source", `"source": "till", `, ``},
		{"a source in upper case", "/source", `"till"`, `"Till"`},
		{"a source with a line break", "/source", `"till"`, `"till\n"`},
		{"a source too long", "/source", `"till"`, `"` + strings.Repeat("a", 41) + `"`},
		{"no id", "/id", `"id": "1001", `, ``},
		{"an id of null", "/id", `"1001"`, `null`},
		{"an id that is a number", "/id", `"1001"`, `1001`},
		{"an id with a slash", "/id", `"1001"`, `"10/01"`},
		{"an id with a hash", "/id", `"1001"`, `"ORDER#1"`},
		{"an id with a NUL", "/id", `"1001"`, `"1\u0000"`},
		{"an id with a control character of Latin-1", "/id", `"1001"`, `"1\u0085"`},
		{"an id with a lone surrogate", "", `"1001"`, `"\ud800"`},
		{"an id of 201 bytes", "/id", `"1001"`, `"` + strings.Repeat("a", 201) + `"`},
		{"no version", "/version", `"version": 3, `, ``},
		{"a version of null", "/version", `"version": 3`, `"version": null`},
		{"a negative version", "/version", `"version": 3`, `"version": -3`},
		{"a fractional version", "/version", `"version": 3`, `"version": 3.0`},
		{"a version beyond 64 bits", "/version", `"version": 3`, `"version": 9223372036854775808`},
		{"a version that is a day", "/version", `"version": 3`, `"version": "2026-03-15"`},
		{"a version that is an empty text", "/version", `"version": 3`, `"version": ""`},
		{"a version that is a list", "/version", `"version": 3`, `"version": [3]`},
		{"no state", "/state", `"state": "paid", `, ``},
		{"our own inner state", "/state", `"paid"`, `"parked"`},
		{"a state in upper case", "/state", `"paid"`, `"PAID"`},
		{"no currency", "/currency", `"currency": "ILS"`, `"currency": ""`},
		{"a currency in lower case", "/currency", `"ILS"`, `"ils"`},
		{"a currency that is none", "/currency", `"ILS"`, `"XXX"`},
		{"a time without a zone", "/paid_at", `"2026-03-15T08:01:00Z"`, `"2026-03-15T08:01:00"`},
		{"a time of the year 0", "/paid_at", `"2026-03-15T08:01:00Z"`, `"0000-03-15T08:01:00Z"`},
		{"a time before 1970", "/paid_at", `"2026-03-15T08:01:00Z"`, `"1969-12-31T23:59:59Z"`},
		{"a time that is out of 9999 in UTC", "/paid_at", `"2026-03-15T08:01:00Z"`, `"9999-12-31T23:59:59-01:00"`},
		{"a 30th of February", "/paid_at", `"2026-03-15T08:01:00Z"`, `"2026-02-30T08:01:00Z"`},
		{"a time that is a number", "/paid_at", `"2026-03-15T08:01:00Z"`, `1773561660`},
		{"a negative amount", "/lines/0/amount", `"amount": 9990`, `"amount": -1`},
		{"an amount with a point", "/lines/0/amount", `"amount": 9990`, `"amount": 99.90`},
		{"an amount with an exponent", "/lines/0/amount", `"amount": 9990`, `"amount": 1e3`},
		{"an amount as text", "/lines/0/amount", `"amount": 9990`, `"amount": "9990"`},
		{"an amount of 2^63", "/lines/0/amount", `"amount": 9990`, `"amount": 9223372036854775808`},
		{"an amount beyond 1e15", "/lines/0/amount", `"amount": 9990`, `"amount": 1000000000000001`},
		{"a product that overflows", "/lines/0/amount", `"quantity": 2, "unit_price": 4995, "amount": 9990`, `"quantity": 1000000000, "unit_price": 1000000000000000`},
		{"neither amount nor unit price", "/lines/0/amount", `"unit_price": 4995, "amount": 9990,`, ``},
		{"a quantity of 0", "/lines/0/quantity", `"quantity": 2`, `"quantity": 0`},
		{"a negative quantity", "/lines/0/quantity", `"quantity": 2`, `"quantity": -1`},
		{"a negative refund", "/lines/0/refunded_amount", `"refunded_amount": 0`, `"refunded_amount": -1`},
		{"a negative refunded quantity", "/lines/0/refunded_quantity", `"refunded_quantity": 0`, `"refunded_quantity": -1`},
		{"a negative total refund", "/refunded", `"refunded": 4`, `"refunded": -4`},
		{"negative shipping", "/shipping", `"shipping": 1`, `"shipping": -1`},
		{"a negative discount", "/discounts/0/amount", `"amount": 1099`, `"amount": -1`},
		{"a discount of a line that is not there", "/discounts/0/lines/0", `"lines": ["1"]`, `"lines": ["2"]`},
		{"a line twice", "/lines/1/id", `"lines": [{`, `"lines": [{"id": "1", "amount": 1}, {`},
		{"a line without an id", "/lines/0/id", `"id": "1", "sku"`, `"sku"`},
		{"a title too long", "/lines/0/title", `"Filter"`, `"` + strings.Repeat("x", 501) + `"`},
		{"lines that are no list", "/lines", `"lines": [{`, `"lines": {"id": "1"}, "x": [{`},
		{"an external id with a hash", "/customer/external_id", `"77"`, `"#77"`},
		{"an e-mail with a line break", "/customer/email", `a@example.com`, `a@example.com\nBcc: b`},
		{"an unknown key", "/points", `"tip": 3`, `"points": 1000000`},
		{"an unknown key of a customer", "/customer/points", `"name": "Anna"`, `"points": 5`},
		{"a key twice", "", `"tip": 3`, `"tip": 3, "tip": 4`},
		{"a key in another case", "", `"tip": 3`, `"tip": 3, "TIP": 4`},
		{"two values", "", `"refunded": 4}`, `"refunded": 4} {}`},
		{"NaN", "", `"tip": 3`, `"tip": NaN`},
		{"deep nesting", "", `"tip": 3`, `"tip": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100)},
	} {
		t.Run(row[0], func(t *testing.T) {
			_, err := storefront.ParseOrder([]byte(change(t, ours, row[2], row[3])))
			wantMalformed(t, err, row[1])
		})
	}
	var lines, discounts []string
	for i := range 2001 {
		lines = append(lines, fmt.Sprintf(`{"id":"%d","amount":1}`, i))
		discounts = append(discounts, `{"amount":0}`)
	}
	for path, list := range map[string][]string{"lines": lines[:1001], "discounts": discounts} {
		body := `{"source":"a","id":"1","version":1,"state":"paid","currency":"ILS","` + path + `":[` + strings.Join(list, ",") + `]}`
		_, err := storefront.ParseOrder([]byte(body))
		wantMalformed(t, err, "/"+path)
	}
}

func TestStandardTakesTheOrderBareOrInAnEnvelope(t *testing.T) {
	want, err := storefront.ParseOrder([]byte(ours))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"bare": ours, "in an envelope": `{"type": "order.updated", "timestamp": "2026-03-15T08:01:00Z", "data": ` + ours + `}`,
		"with a key that we do not know": change(t, ours, `"tip": 3`, `"tip": 3, "till_number": 4`),
	} {
		if diff := cmp.Diff(&want, order(t, "standard", nil, body)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for body, want := range map[string]string{
		`{"type": "contact.created", "data": {}}`: storefront.UnknownEvent,
		`{"type": "orders", "data": {}}`:          storefront.UnknownEvent,
		`{"type": "order.paid", "data": null}`:    isMalformed,
		`{"type": "order.paid"}`:                  isMalformed,
		`[]`:                                      isMalformed,
	} {
		m, err := read("standard", nil, body)
		if got := outcome(m, err); got != want {
			t.Errorf("%s is %s (%v), want %s", body, got, err, want)
		}
	}
}

// TestNaughtyStrings puts every string of the Big List of Naughty Strings into
// every text of an order: each is taken as it is, or refused with its path.
func TestNaughtyStrings(t *testing.T) {
	b, err := os.ReadFile(shared(t, "badinput/blns.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil || len(list) < 500 {
		t.Fatal(len(list), err)
	}
	for _, naughty := range list {
		text, err := json.Marshal(naughty)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{`"1001"`, `"till"`, `"tlv-1"`, `"77"`, `"a@example.com"`, `"Anna"`, `"Filter"`, `"TEN"`, `"ILS"`, `"2026-03-15T08:01:00Z"`} {
			o, err := storefront.ParseOrder([]byte(strings.Replace(ours, field, string(text), 1)))
			switch {
			case err != nil:
				wantMalformed(t, err, "")
			case field == `"Filter"` && o.Lines[0].Title != naughty, field == `"1001"` && o.ID != naughty:
				t.Errorf("%q came back as %q and %q", naughty, o.Lines[0].Title, o.ID)
			}
		}
	}
}
