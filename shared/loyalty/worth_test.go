package loyalty_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
)

// SC2 without tiers: two multipliers, a coupon over two lines, a gift card.
func TestSC2StackingAndRounding(t *testing.T) {
	order := func() *loyalty.Order {
		o := sale("1", 4995, 5997, 5000)
		o.Lines[2].GiftCard = true
		o.Discounts = []loyalty.Discount{{Code: "TEN", Amount: 1099}}
		return o
	}
	for _, c := range []struct {
		stacking loyalty.Stacking
		points   int64
		lines    []int64
	}{
		{loyalty.StackMultiply, 296, []int64{135, 161, 0}},
		{loyalty.StackAdd, 247, []int64{112, 135, 0}},
		{loyalty.StackBest, 197, []int64{90, 107, 0}},
	} {
		t.Run(string(c.stacking), func(t *testing.T) {
			tm := terms(func(tm *loyalty.Terms) {
				tm.Earning.Stacking = c.stacking
				tm.Earning.Rules = append(tm.Earning.Rules,
					loyalty.Rule{ID: "gold", Multiplier: big.NewRat(3, 2)}, loyalty.Rule{ID: "double", Multiplier: big.NewRat(2, 1)})
			})
			w := must(tm.Worth(order(), "", loyalty.Case{At: time.Now()}))
			var lines, net []int64
			for _, l := range w.Lines {
				lines, net = append(lines, l.Points), append(net, l.Net)
			}
			if w.Points != c.points || !cmp.Equal(lines, c.lines) || !cmp.Equal(net, []int64{4496, 5397, 0}) {
				t.Errorf("%d points, lines %v of %v", w.Points, lines, net)
			}
		})
	}
}

func TestWhatRefundsTakeOff(t *testing.T) {
	amount := func(n int64) *int64 { return &n }
	for name, c := range map[string]struct {
		change func(o *loyalty.Order)
		net    []int64
	}{
		"a line's stated amount":             {func(o *loyalty.Order) { o.Lines[0].RefundedAmount = amount(2500) }, []int64{7500, 5000}},
		"no more than the line had":          {func(o *loyalty.Order) { o.Lines[0].RefundedAmount = amount(99999) }, []int64{0, 5000}},
		"a quantity without an amount":       {func(o *loyalty.Order) { o.Lines[0].Quantity, o.Lines[0].RefundedQuantity = 4, 1 }, []int64{7500, 5000}},
		"an amount counts before a quantity": {func(o *loyalty.Order) { o.Lines[0].RefundedQuantity, o.Lines[0].RefundedAmount = 1, amount(0) }, []int64{10000, 5000}},
		"a total is spread":                  {func(o *loyalty.Order) { o.Refunded = 3000 }, []int64{8000, 4000}},
		"a total beyond what lines state":    {func(o *loyalty.Order) { o.Refunded = 4500; o.Lines[0].RefundedAmount = amount(3000) }, []int64{6125, 4375}},
		"single refunds": {func(o *loyalty.Order) {
			o.Refunds = []loyalty.Refund{{ID: "a", Amount: 1000, Lines: []loyalty.RefundLine{{Line: "1", Amount: 1000}}}, {ID: "b", Amount: 1500}}
		}, []int64{8929, 3571}},
		"the larger of stated and single": {func(o *loyalty.Order) { o.Refunded = 1500; o.Refunds = []loyalty.Refund{{ID: "a", Amount: 1000}} }, []int64{9000, 4500}},
		"a cancelled order has nothing":   {func(o *loyalty.Order) { o.State = loyalty.Cancelled }, []int64{0, 0}},
		"a discount on a line, and all refunded": {func(o *loyalty.Order) {
			o.Discounts = []loyalty.Discount{{Amount: 4000, Lines: []string{"0"}}}
			o.Refunded = 11000
		}, []int64{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			o := sale("1", 10000, 5000)
			c.change(o)
			w := must(terms().Worth(o, "", loyalty.Case{At: time.Now()}))
			if got := []int64{w.Lines[0].Net, w.Lines[1].Net}; !cmp.Equal(got, c.net) {
				t.Errorf("net %v, want %v", got, c.net)
			}
		})
	}
}

func TestEqualVersionsMeetInAWebhook(t *testing.T) {
	first := sale("1", 10000)
	first.State = loyalty.Placed
	later := sale("1", 10000)
	later.Refunded = 500
	for name, pair := range map[string][2]*loyalty.Order{"in order": {first, later}, "turned round": {later, first}} {
		t.Run(name, func(t *testing.T) {
			var r loyalty.Record
			if st := must(r.Receive(pair[0], true)); st != loyalty.Applied {
				t.Fatal(st)
			}
			if _, err := r.Receive(pair[1], true); err != nil {
				t.Fatal(err)
			}
			if r.Order.State != loyalty.Paid || r.Order.Refunded != 500 {
				t.Errorf("%+v", r.Order)
			}
			if st := must(r.Receive(pair[1], true)); st != loyalty.Duplicate {
				t.Errorf("again: %s", st)
			}
		})
	}
	var r loyalty.Record
	must(r.Receive(first, false))
	if _, err := r.Receive(later, false); err == nil {
		t.Error("the API took an equal version with other content")
	}
}

// Where a program lets no points wait, none wait for a clock that is behind
// the one that took the order.
func TestNothingWaitsWithoutAPendingPeriod(t *testing.T) {
	paid := time.Date(2028, 6, 22, 7, 6, 15, 0, time.UTC)
	o := sale("1", 24300)
	o.PaidAt = paid
	a, r := &loyalty.Account{Member: "M"}, &loyalty.Record{}
	take(t, a, r, o, nil, terms(), paid.Add(time.Minute))
	back := sale("1", 24300)
	back.PaidAt, back.Version.N, back.Refunded = paid, 2, 20500
	take(t, a, r, back, nil, terms(), paid.Add(-time.Minute))
	if b := a.BalanceAt(paid.Add(-time.Minute), terms()); b.Available != 38 || b.Pending != 0 {
		t.Errorf("%+v", b)
	}
	whole(t, a)
}

// A minimum is asked in the program's currency, of what is left in the
// order's: 13.51 at 3.70 are 49.98, 13.52 are 50.02.
func TestAMinimumInAnotherCurrency(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Exchange = map[string]*big.Rat{"USD": big.NewRat(37, 10)}
		tm.Earning.Rules = []loyalty.Rule{{ID: "base", Rate: big.NewRat(1, 100)}, {ID: "double", Multiplier: big.NewRat(2, 1), Where: loyalty.Filter{Amount: 5000}}}
	})
	for amount, want := range map[int64]int64{1351: 49, 1352: 100} {
		o := sale("1", amount)
		o.Currency = "USD"
		if w := must(tm.Worth(o, "", loyalty.Case{At: time.Now()})); w.Points != want {
			t.Errorf("%d: %d points, want %d", amount, w.Points, want)
		}
	}
}
