package when

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/shared/loyalty"
)

var jerusalem = func() *time.Location {
	z, err := time.LoadLocation("Asia/Jerusalem")
	if err != nil {
		panic(err)
	}
	return z
}()

// sale is an order of which the second line is looked at.
func sale() *loyalty.View {
	return &loyalty.View{
		Order: &loyalty.Order{
			Source: "shopify", ID: "1", State: loyalty.Paid, Currency: "ILS", Store: "חיפה", Region: "north", Channel: "pos",
			Lines: []loyalty.Line{
				{ID: "1", SKU: "BAG-1", Title: "فنجان", Category: "قهوة", Quantity: 1, UnitPrice: 3000, Amount: 3000},
				{ID: "2", SKU: "TEA-7", Title: "چای سبز 100g", Category: "چای", Collection: "קיץ", Quantity: 4, UnitPrice: 1000, Amount: 4000, RefundedQuantity: 1},
				{ID: "3", Category: "קפה", Quantity: 2, UnitPrice: 500, Amount: 1000, RefundedQuantity: 2},
			},
		},
		Left: []int64{3000, 2700, 0}, Line: 1,
		At: time.Date(2026, 3, 15, 23, 30, 0, 0, time.UTC).In(jerusalem), // Monday 16 March, 01:30
		Facts: &loyalty.Facts{
			Number: 3, Tier: "gold", Qualifying: 1200, Segments: []string{"vip", "סטודנט"},
			Attributes: map[string]string{"lang": "he", "children": "2", "شهر": "تهران"},
		},
	}
}

func visit() *loyalty.View {
	v := sale()
	v.Order, v.Left, v.Line = nil, nil, 0
	v.Activity = &loyalty.Activity{Type: "review", Key: "r-1", Store: "haifa", Amount: 500, Data: map[string]string{"stars": "5", "text": "מצוין"}}
	return v
}

func compile(t testing.TB, text string) loyalty.Condition {
	t.Helper()
	c, err := Compiler{}.Compile(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

func TestExpressions(t *testing.T) {
	for _, c := range []struct {
		text    string
		holds   bool
		perLine bool
	}{
		{"true", true, false},
		{"order.source == 'shopify' && order.region == 'north' && order.channel != 'online'", true, false},
		{"order.store == 'חיפה'", true, false},
		{"order.store in ['חיפה', 'תל אביב']", true, false},
		{"order.number == 3", true, false},
		{"order.amount == 5700", true, false},
		{"order.amount >= 5701", false, false},
		{"order.quantity == 4", true, false}, // 1 and 3; of the third line nothing is left
		{"line.category == 'چای'", true, true},
		{"line.category == 'قهوة'", false, true},
		{"line.category in ['קפה', 'چای']", true, true},
		{"line.title.startsWith('چای') && line.title.endsWith('g') && line.title.contains('سبز')", true, true},
		{"size(line.collection) == 3", true, true}, // letters, not bytes
		{"line.id == '2' && line.sku == 'TEA-7' && line.collection == 'קיץ'", true, true},
		{"line.amount == 2700 && line.quantity == 3 && line.unit_price == 1000", true, true},
		{"line.amount * 100 / (line.quantity * line.unit_price) < 95", true, true},
		{"order.amount > 100000 || line.sku == 'TEA-7'", true, true},
		{".line.sku == 'TEA-7'", true, true},
		{"member.tier == 'gold' && member.qualifying > 1000", true, false},
		{"'vip' in member.segments && !('staff' in member.segments)", true, false},
		{"member.segments.exists(s, s.startsWith('סטוד'))", true, false},
		{"member.segments.all(s, s != 'staff')", true, false},
		{"member.segments.exists(line, line == 'vip')", true, false}, // a name of its own
		{"member.attributes.lang == 'he' && member.attributes['شهر'] == 'تهران'", true, false},
		{"has(member.attributes.lang) && !has(member.attributes.birthday)", true, false},
		{"int(member.attributes.children) >= 2", true, false},
		{"member.attributes.exists(k, k == 'lang')", true, false},
		{"now.getHours() == 1 && now.getMinutes() == 30", true, false}, // by the clocks of the program's zone
		{"now.getDayOfWeek() == 1 && now.getDate() == 16 && now.getMonth() == 2 && now.getFullYear() == 2026", true, false},
		{"now - duration('2h') < timestamp('2026-03-16T00:00:00+02:00')", true, false},
		{"(now - duration('2h')).getHours() == 23", true, false},
		{"order.number % 3 == 0 ? member.tier == 'gold' : false", true, false},
		{"-order.number + 4 - 1 == 0", true, false},
		{"activity.type == 'review' || order.number == 3", true, false}, // what has no answer does not decide
	} {
		t.Run(c.text, func(t *testing.T) {
			x := compile(t, c.text)
			if x.PerLine() != c.perLine {
				t.Errorf("PerLine is %v", x.PerLine())
			}
			if got, err := x.Holds(sale()); err != nil || got != c.holds {
				t.Errorf("holds: %v, %v", got, err)
			}
		})
	}
}

func TestActivities(t *testing.T) {
	x := compile(t, "activity.type == 'review' && activity.key == 'r-1' && activity.store == 'haifa' && activity.amount == 500 && int(activity.data.stars) > 4 && member.tier == 'gold'")
	if ok, err := x.Holds(visit()); err != nil || !ok {
		t.Errorf("holds: %v, %v", ok, err)
	}
}

// Each name has a value of its type wherever it belongs.
func TestEveryName(t *testing.T) {
	for n := range names {
		v := sale()
		if strings.HasPrefix(n, "activity.") {
			v = visit()
		}
		if ok, err := compile(t, n+" == "+n).Holds(v); err != nil || !ok {
			t.Errorf("%s: %v, %v", n, ok, err)
		}
	}
}

// What comes to no answer is an error, so that the rule does not apply.
func TestNoAnswer(t *testing.T) {
	for text, v := range map[string]*loyalty.View{
		"activity.type == 'review'":               sale(),
		"activity.data.stars == '5'":              sale(),
		"order.amount > 0":                        visit(),
		"line.sku == 'TEA-7'":                     visit(),
		"!(order.amount > 0)":                     visit(),
		"member.attributes.birthday == '1'":       sale(),
		"member.attributes['x'] != 'y'":           sale(),
		"order.amount / (order.number - 3) > 1":   sale(),
		"order.amount % (order.number - 3) > 1":   sale(),
		"order.amount * 9223372036854775807 > 1":  sale(),
		"int(member.attributes.lang) > 1":         sale(),
		"timestamp(member.attributes.lang) < now": sale(),
		"member.segments[9] == 'vip'":             sale(),
	} {
		if ok, err := compile(t, text).Holds(v); err == nil || ok {
			t.Errorf("%s: %v, %v", text, ok, err)
		}
	}
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300)
	for text, want := range map[string]string{
		"":                 "Syntax error",
		"1 +":              "Syntax error",
		"order.amount = 3": "Syntax error",
		deep:               "recursion",
		"line.sku == '" + strings.Repeat("x", 1000) + "'": "must be at most 1000 bytes",
		"order.amout > 1":                 "order.amout is not known; the nearest is order.amount",
		"lines.sku == 'a'":                "lines.sku is not known; the nearest is line.sku",
		"member.atributes.lang == 'a'":    "member.atributes.lang is not known; the nearest is member.attributes",
		"category == 'קפה'":               "category is not known; the nearest is line.category",
		"amount > 1":                      "amount is not known; the nearest is order.amount",
		"member.birthday == '1'":          "member.birthday is not known; known are member.attributes, member.qualifying, member.segments, member.tier",
		"env.AWS_SECRET_ACCESS_KEY == ''": "env.AWS_SECRET_ACCESS_KEY is not known; known are activity.amount",
		"has(order.store)":                "order.store is always there",
		"line.sku.startWith('a')":         "the function startWith is not known; the nearest is startsWith",
		"line.sku.matches('(a+)+$')":      "the function matches is not known; known are size",
		"member.segments.map(s, s) == []": "the function map is not known",
		"string(order.amount) == '1'":     "the function string is not known",
		"now.getHours('Asia/Tehran') > 1": "no matching overload for 'getHours'",
		"order.store + 'x' == 'y'":        "no matching overload for '_+_'",
		"order.amount > 1.5":              "no matching overload for '_>_'",
		"order.amount > '1'":              "no matching overload for '_>_'",
		"order.amount":                    "must be true or false, but is of type int",
		"member.attributes":               "must be true or false, but is of type map(string, string)",
		"timestamp('next week') > now":    "invalid timestamp",
		"line.sku in ['a', 1]":            "expected type 'string' but found 'int'",
		"order.store.x == 'a'":            "does not support field selection",
	} {
		if _, err := (Compiler{}).Compile(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
}

// What an expression could cost is known when it is published, and bounded
// again when it is asked, should the data be larger than it was taken for.
func TestCost(t *testing.T) {
	hundred := "[" + strings.TrimSuffix(strings.Repeat("1,", 100), ",") + "]"
	for _, text := range []string{
		"member.segments.exists(a, member.segments.exists(b, a == b))",
		hundred + ".all(a, " + hundred + ".all(b, a == b))",
		"member.attributes.all(a, member.segments.all(b, a != b))",
	} {
		if _, err := (Compiler{}).Compile(text); err == nil || !strings.Contains(err.Error(), "steps") {
			t.Errorf("%s: %v", text, err)
		}
	}
	v := sale()
	v.Facts.Segments = slices.Repeat([]string{strings.Repeat("ש", 1000)}, 100_000)
	if ok, err := compile(t, "member.segments.all(s, s != 'vip')").Holds(v); err == nil || ok || !strings.Contains(err.Error(), "cost") {
		t.Errorf("far too much: %v, %v", ok, err)
	}
}

// A condition is asked by many at the same time.
func TestConcurrently(t *testing.T) {
	x := compile(t, "line.amount > 2000 && member.segments.exists(s, s in ['vip', 'staff']) && now.getHours() == 1")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for i := range 500 {
				v := sale()
				v.Line = i % 3
				if ok, err := x.Holds(v); err != nil || ok != (v.Line < 2) {
					t.Errorf("line %d: %v, %v", v.Line, ok, err)
					return
				}
				if _, err := (Compiler{}).Compile(fmt.Sprint("order.number == ", i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
}

// No text panics, and none takes long to refuse or to ask.
func FuzzCompile(f *testing.F) {
	for _, n := range slices.Sorted(maps.Keys(names)) {
		f.Add(n + " == " + n)
	}
	for _, text := range []string{
		"member.segments.exists(a, ['x', a].all(b, b != 'y'))", "{'a': [1, 2]}['a'][1] == 2", "order.amount / 0 > 1 || true",
		"[[[[1]]]] == [[[[1]]]]", "has(activity.data.x) ? int(activity.data.x) > 1 : now > timestamp('2026-01-01T00:00:00Z')",
		strings.Repeat("!", 500) + "true", strings.Repeat("(", 500), strings.Repeat("a.", 400), "'\\u05d0' == \"א\"", "b'\\377' == b''",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		begin := time.Now()
		c, err := Compiler{}.Compile(text)
		if err == nil {
			for _, v := range []*loyalty.View{sale(), visit()} {
				if _, err := c.Holds(v); err != nil && strings.Contains(err.Error(), "internal error") {
					t.Errorf("%q panics: %v", text, err)
				}
			}
		} else if err.Error() == "" {
			t.Errorf("%q is refused without a reason", text)
		}
		if d := time.Since(begin); d > 2*time.Second {
			t.Errorf("%q takes %v", text, d)
		}
	})
}
