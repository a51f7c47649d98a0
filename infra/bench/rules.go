package main

import (
	"encoding/json"
	"fmt"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/program/when"
)

// asked are conditions that shops put on rules, as plain data and as the
// expression that asks for the same.
var asked = []struct {
	where object
	when  string
}{
	{object{"categories": []string{"קפה"}}, "line.category == 'קפה'"},
	{object{"categories": []string{"شاي", "چای"}}, "line.category in ['شاي', 'چای']"},
	{object{"skus": []string{"SKU-3", "SKU-7", "SKU-9"}}, "line.sku in ['SKU-3', 'SKU-7', 'SKU-9']"},
	{object{"collections": []string{"summer"}}, "line.collection == 'summer'"},
	{object{"stores": []string{"dizengoff", "haifa"}}, "order.store in ['dizengoff', 'haifa']"},
	{object{"channels": []string{"pos"}}, "order.channel == 'pos'"},
	{object{"segments": []string{"vip", "staff"}}, "member.segments.exists(s, s in ['vip', 'staff'])"},
	{object{"attributes": object{"lang": []string{"he"}}}, "member.attributes['lang'] == 'he'"},
	{object{"minimum_amount": 10000}, "order.amount >= 10000"},
	{object{"order_number": object{"from": 2, "to": 5}}, "order.number >= 2 && order.number <= 5"},
}

// rulesOf are the terms of a program with 20 rules, each with a condition.
func rulesOf(expressions bool) (*loyalty.Terms, error) {
	var rules []object
	for i := range 20 {
		r := object{"id": fmt.Sprint("r", i), "on": "order", "multiplier": "1.5"}
		if i%4 == 0 {
			delete(r, "multiplier")
			r["rate"] = object{"points": 1 + i, "amount": 100}
		}
		if a := asked[i%len(asked)]; expressions {
			r["when"] = a.when
		} else {
			r["where"] = a.where
		}
		rules = append(rules, r)
	}
	raw, err := json.Marshal(object{"earning": object{"rules": rules}})
	if err != nil {
		return nil, err
	}
	doc, err := program.Parse(raw, when.Compiler{})
	if err != nil {
		return nil, err
	}
	return doc.Compile(1, when.Compiler{})
}

// basket is an order of ten lines, some of which meet what the rules ask.
func basket() (*loyalty.Order, loyalty.Case) {
	o := &loyalty.Order{
		Source: "shopify", ID: "1", State: loyalty.Paid, Currency: "ILS", Store: "haifa", Channel: "online",
		Discounts: []loyalty.Discount{{Code: "SPRING", Amount: 1500}},
	}
	for i := range 10 {
		o.Lines = append(o.Lines, loyalty.Line{
			ID: fmt.Sprint(i), SKU: fmt.Sprint("SKU-", i), Category: []string{"קפה", "چای", "כוסות"}[i%3],
			Quantity: 2, UnitPrice: 1000, Amount: 2000,
		})
	}
	return o, loyalty.Case{At: time.Date(2026, 3, 15, 9, 0, 0, 0, time.UTC), Facts: loyalty.Facts{
		Number: 3, Tier: "gold", Segments: []string{"new", "vip"}, Attributes: map[string]string{"lang": "he"},
	}}
}

// valuing measures what an order is worth under 20 rules, as plain data and
// as expressions.
func valuing(n int) ([]effort, error) {
	o, c := basket()
	var out []effort
	for _, form := range []string{"plain data", "expressions (CEL)"} {
		t, err := rulesOf(form != "plain data")
		if err != nil {
			return nil, err
		}
		e, err := run(form, n, func(int) error {
			_, err := t.Worth(o, "", c)
			return err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}
