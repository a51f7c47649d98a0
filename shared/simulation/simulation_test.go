package simulation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/simulation"
)

var end = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func terms(t testing.TB, doc string) *loyalty.Terms {
	t.Helper()
	d, err := program.Parse([]byte(doc), nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.Compile(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ask(t testing.TB, base, draft string) *simulation.Question {
	return &simulation.Question{Base: terms(t, base), Draft: terms(t, draft), Until: end, Redeemed: big.NewRat(4, 5), Reach: 6}
}

func sale(id string, at time.Time, amount int64) loyalty.Order {
	return loyalty.Order{
		Source: "till", ID: id, Version: loyalty.Revision{N: 1}, State: loyalty.Paid, Currency: "ILS", PaidAt: at,
		Lines: []loyalty.Line{{ID: "1", Quantity: 1, Amount: amount}},
	}
}

func report(t testing.TB, q *simulation.Question, p *simulation.Partial) simulation.Report {
	t.Helper()
	r, err := q.Report(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const sc19 = `{"earning": {"rules": [{"id": "base", "on": "order", "rate": {"points": 1, "amount": 80}, "where": {"minimum_amount": 1000}}]}}`

// SC19.
func TestTheDraftOfTheScenario(t *testing.T) {
	q := ask(t, `{}`, sc19)
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var p simulation.Partial
	q.Play("mem_A", []loyalty.Order{sale("1", day, 4995), sale("2", day, 12000), sale("3", day, 999)}, &p)
	r := report(t, q, &p)
	if r.Points != (simulation.Figure{Base: 178, Draft: 212, Delta: 34}) || r.Money.Delta != 136 {
		t.Errorf("points %+v, money %+v", r.Points, r.Money)
	}
	if len(r.Gainers) != 1 || r.Gainers[0].Delta != 34 || r.Rules[0].Delta != 34 {
		t.Errorf("gainers %+v, rules %+v", r.Gainers, r.Rules)
	}
}

func TestMoneyIsRoundedOnceHalfUp(t *testing.T) {
	for _, c := range []struct {
		name          string
		amount        int64
		base, draft   string
		money, points simulation.Figure
	}{
		// 5 minor units a point, 80 % of them: 4 a point; at 1 per 3 points and 50 %: 1/6 a point.
		{"a cheaper point", 10000, `{}`, `{"point_value": {"points": 3, "amount": 1}}`, simulation.Figure{Base: 400, Draft: 27, Delta: -373}, simulation.Figure{Base: 100, Draft: 100}},
		{"nothing for the draft", 10000, `{}`, `{"earning": {"rules": []}}`, simulation.Figure{Base: 400, Draft: 0, Delta: -400}, simulation.Figure{Base: 100, Delta: -100}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := ask(t, c.base, c.draft)
			var p simulation.Partial
			q.Play("m", []loyalty.Order{sale("1", end.AddDate(0, -1, 0), c.amount)}, &p)
			if r := report(t, q, &p); r.Money != c.money || r.Points != c.points {
				t.Errorf("money %+v, points %+v", r.Money, r.Points)
			}
		})
	}
}

func TestTheNewestStateCountsOnce(t *testing.T) {
	q := ask(t, `{}`, `{}`)
	day := end.AddDate(0, -1, 0)
	first, newest, cancelled := sale("1", day, 10000), sale("1", day, 10000), sale("2", day, 5000)
	newest.Version.N, newest.Refunded = 2, 4000
	cancelled.State = loyalty.Cancelled
	later := sale("3", end.Add(time.Hour), 1000)
	var p simulation.Partial
	q.Play("m", []loyalty.Order{newest, cancelled, later, first}, &p)
	if r := report(t, q, &p); r.Points.Base != 60 || r.Orders.Base != 1 || r.Orders.Told != 3 {
		t.Errorf("points %+v, orders %+v", r.Points, r.Orders)
	}
}

func TestTimeToTheFirstReward(t *testing.T) {
	// Every member spends 100 every 30 days, from 300 days before the end.
	orders := func(n int) (out []loyalty.Order) {
		for i := range n {
			out = append(out, sale(fmt.Sprint(i), end.AddDate(0, 0, 30*i-300), 10000))
		}
		return out
	}
	days := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		name, draft string
		buys        int
		median      *int64
		warned      bool
	}{
		{"at once", `{}`, 10, days(0), false},
		{"with the fourth order", `{"redemption": {"minimum": 400}}`, 10, days(90), false},
		{"with the eighth, which is late", `{"redemption": {"minimum": 800}}`, 10, days(210), true},
		{"never", `{"redemption": {"minimum": 5000}}`, 10, nil, true},
		{"points that ripen between orders", `{"earning": {"pending": "P14D"}}`, 10, days(14), false},
		{"a voucher comes first", `{"redemption": {"minimum": 5000}, "rewards": [{"id": "coffee"}], "achievements": [{"id": "third", "count": "orders", "reach": 3, "reward": "coffee"}]}`, 10, days(60), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := ask(t, `{}`, c.draft)
			var p simulation.Partial
			for m := range 3 {
				q.Play(fmt.Sprint(m), orders(c.buys), &p)
			}
			r := report(t, q, &p)
			got := r.FirstReward.Draft
			if (got.Median == nil) != (c.median == nil) || got.Median != nil && *got.Median != *c.median {
				t.Errorf("first reward %+v", got)
			}
			if warned := len(r.Warnings) == 1 && r.Warnings[0].Code == "reward.out_of_reach"; warned != c.warned {
				t.Errorf("warnings %+v", r.Warnings)
			}
		})
	}
}

const rich = `{
	"redemption": {"minimum": 150},
	"earning": {"stacking": "multiply", "pending": "P3D", "rules": [
		{"id": "base", "on": "order", "rate": {"points": 1, "amount": 90}},
		{"id": "weekend", "on": "order", "multiplier": "1.7", "during": {"weekdays": ["saturday", "sunday"]}},
		{"id": "hello", "on": "order", "points": 25, "where": {"order_number": {"to": 1}}},
		{"id": "extra", "on": "order", "points": 3, "budget": 100, "limit": {"times": 2, "per": "P1M"}},
		{"id": "cash", "on": "order", "wallet": "cash", "rate": {"points": 1, "amount": 50}}]},
	"wallets": [{"id": "cash", "kind": "cashback"}],
	"tiers": {"crossing": "split_at_threshold", "levels": [{"id": "silver", "from": 200, "multiplier": "1.25"}, {"id": "gold", "from": 600, "multiplier": "1.5"}]},
	"rewards": [{"id": "coffee"}],
	"achievements": [{"id": "card", "count": "quantity", "reach": 4, "repeat": true, "reward": "coffee"}, {"id": "spent", "count": "amount", "reach": 50000, "points": 40}],
	"automatic_rewards": [{"id": "half-year", "brackets": [{"from": 1000, "choices": [{"id": "thanks", "points": 50}]}]}]
}`

// However the members are split and merged, the bytes are the same; and what
// the rules gave sums to what was given.
func TestAnySplitGivesTheSameBytes(t *testing.T) {
	q := ask(t, sc19, rich)
	rapid.Check(t, func(t *rapid.T) {
		type history struct {
			member string
			orders []loyalty.Order
		}
		var all []history
		for m := range rapid.IntRange(1, 40).Draw(t, "members") {
			h := history{member: fmt.Sprintf("mem_%02d", m)}
			at := end.AddDate(0, 0, -rapid.IntRange(1, 700).Draw(t, "began"))
			for i := range rapid.IntRange(0, 6).Draw(t, "orders") {
				o := sale(fmt.Sprint(m, "-", i), at, rapid.Int64Range(0, 40000).Draw(t, "amount"))
				o.Refunded = rapid.SampledFrom([]int64{0, 0, 0, 500, 50000}).Draw(t, "refunded")
				o.State = rapid.SampledFrom([]loyalty.State{loyalty.Paid, loyalty.Paid, loyalty.Fulfilled, loyalty.Cancelled, loyalty.Placed}).Draw(t, "state")
				h.orders = append(h.orders, o)
				at = at.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "hours")) * time.Hour)
			}
			all = append(all, h)
		}
		var whole simulation.Partial
		for _, h := range all {
			q.Play(h.member, slices.Clone(h.orders), &whole)
		}
		parts := make([]simulation.Partial, rapid.IntRange(1, 7).Draw(t, "workers"))
		for _, i := range rapid.Permutation(indices(len(all))).Draw(t, "order") {
			q.Play(all[i].member, rapid.Permutation(all[i].orders).Draw(t, "told"), &parts[rapid.IntRange(0, len(parts)-1).Draw(t, "worker")])
		}
		for len(parts) > 1 { // merged in any order, any two
			i := rapid.IntRange(0, len(parts)-2).Draw(t, "into")
			x, y := through(t, &parts[i]), through(t, &parts[i+1])
			if rapid.Bool().Draw(t, "turned") {
				x, y = y, x
			}
			x.Merge(y)
			parts = append(parts[:i:i], append([]simulation.Partial{*x}, parts[i+2:]...)...)
		}
		want, got := encoded(t, q, &whole), encoded(t, q, &parts[0])
		if !bytes.Equal(want, got) {
			t.Fatalf("in one:\n%s\nsplit:\n%s", want, got)
		}
		for side, s := range map[string]simulation.Side{"base": whole.Base, "draft": whole.Draft} {
			var given int64
			for _, n := range s.Rules {
				given += n
			}
			if given != s.Points {
				t.Fatalf("%s: the rules gave %d of %d points", side, given, s.Points)
			}
		}
	})
}

func indices(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// through is a part as it comes out of a file.
func through(t rapid.TB, p *simulation.Partial) *simulation.Partial {
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	out := &simulation.Partial{}
	if err := json.Unmarshal(raw, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func encoded(t rapid.TB, q *simulation.Question, p *simulation.Partial) []byte {
	r, err := q.Report(p)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
