package loyalty_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
)

// SC2 with the tier as it is: Gold ×1.5 and a double day, a coupon over two
// lines, a gift card.
func TestSC2WithGold(t *testing.T) {
	for _, c := range []struct {
		stacking loyalty.Stacking
		points   int64
		lines    []int64
	}{
		{loyalty.StackMultiply, 296, []int64{135, 161, 0}},
		{loyalty.StackAdd, 247, []int64{112, 135, 0}},
		{loyalty.StackBest, 197, []int64{90, 107, 0}},
	} {
		for _, crossing := range []loyalty.Crossing{loyalty.TierBefore, loyalty.SplitAtThreshold} {
			tm := tiered(func(x *loyalty.Tiers) { x.Crossing = crossing })
			tm.Earning.Stacking = c.stacking
			tm.Earning.Rules = append(tm.Earning.Rules, loyalty.Rule{ID: "double-day", Multiplier: big.NewRat(2, 1), During: loyalty.Schedule{Spans: []loyalty.Window{span(2027, 3, 26, 1)}}})
			tm.Seal()
			w := newLife(tm, utc("2027-03-25T12:00:00Z"))
			w.buy(t, "gold", w.now, 150_000)
			w.now = utc("2027-03-26T12:00:00Z")
			o := sale("1", 4995, 5997, 5000)
			o.PaidAt, o.Lines[1].Quantity, o.Lines[2].GiftCard = w.now, 3, true
			o.Discounts = []loyalty.Discount{{Code: "TEN", Amount: 1099}}
			r := w.tell(t, o)
			got := must(tm.Worth(o, "", loyalty.Case{At: o.PaidAt, Facts: r.Facts}))
			var lines []int64
			for _, l := range got.Lines {
				lines = append(lines, l.Points)
			}
			if r.Points != c.points || !cmp.Equal(lines, c.lines) || r.Qualifies != 98 {
				t.Errorf("%s, %s: %d points, lines %v, %d qualify", c.stacking, crossing, r.Points, lines, r.Qualifies)
			}
		}
	}
}

// SC3: three refunds, and another rule from the second day on.
func TestSC3RefundsAfterTheRuleChanged(t *testing.T) {
	double := terms(func(tm *loyalty.Terms) { tm.Version, tm.Earning.Rules[0].Rate = 2, big.NewRat(2, 100) })
	w := newLife(terms(), day(1))
	pinned := w.terms
	r := w.buy(t, "1", day(1), 4995)
	if r.Points != 49 {
		t.Fatalf("%d points", r.Points)
	}
	for i, want := range []int64{33, 16, 0} {
		w.now = day(2 + i)
		o := w.newest["1"]
		o.Version.N, o.Refunded = int64(i)+2, 1665*int64(i+1)
		must(r.Receive(o, true))
		before := w.account.Balance
		must(w.account.Apply(r, loyalty.Telling{Pinned: pinned, Current: double, Now: w.now}))
		if w.account.Balance != want || before-w.account.Balance != []int64{16, 17, 16}[i] {
			t.Errorf("refund %d: %d left, %d taken", i+1, w.account.Balance, before-w.account.Balance)
		}
	}
}

// SC9: an order that takes its member from Silver to Gold, valued as before it
// or split at the threshold, and what refunds do to tier and points.
func TestSC9CrossingATierAndBack(t *testing.T) {
	for _, c := range []struct {
		crossing  loyalty.Crossing
		downgrade loyalty.Downgrade
		points    int64
		back      string // the level after a refund before the next order
	}{
		{loyalty.TierBefore, loyalty.AtPeriodEnd, 150, "gold"},
		{loyalty.TierBefore, loyalty.AtOnce, 150, "silver"},
		{loyalty.SplitAtThreshold, loyalty.AtPeriodEnd, 167, "gold"},
		{loyalty.SplitAtThreshold, loyalty.AtOnce, 167, "silver"},
	} {
		t.Run(fmt.Sprint(c.crossing, ", ", c.downgrade), func(t *testing.T) {
			silver := func() *life {
				w := newLife(tiered(func(x *loyalty.Tiers) { x.Crossing, x.Downgrade = c.crossing, c.downgrade }), day(1))
				w.buy(t, "0", day(1), 145_000)
				if w.account.Tier(w.now, w.terms) != "silver" {
					t.Fatalf("%+v", w.account.Standing)
				}
				return w
			}
			w := silver()
			changes := w.account.Standing.Changes
			first := w.buy(t, "1", day(1), 12_000)
			if first.Points != c.points || w.account.Standing.Level != "gold" || w.account.Qualifying(w.now, w.terms) != 1570 || w.account.Standing.Changes != changes+1 {
				t.Errorf("%d points, %+v", first.Points, w.account.Standing)
			}
			second := w.buy(t, "2", day(1), 10_000)
			if second.Points != 150 {
				t.Errorf("the next order has %d points", second.Points)
			}
			w.change(t, "1", func(o *loyalty.Order) { o.Refunded = 12_000 })
			if first.Points != 0 || second.Points != 150 || w.account.Standing.Level != "gold" || w.account.Qualifying(w.now, w.terms) != 1550 {
				t.Errorf("after the refund: %d and %d points, %+v", first.Points, second.Points, w.account.Standing)
			}

			w = silver()
			w.buy(t, "1", day(1), 12_000)
			w.change(t, "1", func(o *loyalty.Order) { o.Refunded = 12_000 })
			if w.account.Standing.Level != c.back {
				t.Errorf("refunded at once: %+v, want %s", w.account.Standing, c.back)
			}
			if c.downgrade == loyalty.AtPeriodEnd {
				end := time.Unix(w.account.Standing.Until, 0)
				// By then the orders of March 2026 still count: the level is Silver's.
				if got := w.account.AsOf(end, w.terms).Standing.Level; got != "silver" {
					t.Errorf("at the end of the period %q", got)
				}
			}
			if third := w.buy(t, "3", day(1), 10_000); c.back == "silver" && third.Points != map[loyalty.Crossing]int64{loyalty.TierBefore: 125, loyalty.SplitAtThreshold: 137}[c.crossing] {
				t.Errorf("in Silver again, over the threshold once more: %d points", third.Points)
			}
		})
	}
}

// SC17: a card of ten, returned with its reward unused and used; the free
// item gives no stamp.
func TestSC17PunchCard(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules = nil
		tm.Goals = []loyalty.Goal{{ID: "card", Count: loyalty.Pieces, Reach: 10, Repeat: true, Reward: "free-coffee"}}
	})
	coffees := func(w *life, id string, n int64) *loyalty.Record {
		o := sale(id, 1000*n)
		o.Lines[0].Quantity = n
		w.newest[id] = o
		return w.tell(t, o)
	}
	for _, c := range []struct {
		name string
		use  bool
		have int64
		open int
	}{{"the reward is not used", false, 9, 0}, {"the reward is used", true, -1, 0}} {
		t.Run(c.name, func(t *testing.T) {
			w := newLife(tm, day(1))
			coffees(w, "1", 8)
			coffees(w, "2", 5)
			if x := w.account.Toward(tm)[0]; x.Have != 3 || x.Given != 1 || len(w.account.Vouchers) != 1 {
				t.Fatalf("%+v, %d vouchers", x, len(w.account.Vouchers))
			}
			if c.use {
				v := loyalty.Voucher{Code: w.account.Vouchers[0].Code, Stage: loyalty.VoucherIssued}
				if err := w.account.Use(&v, loyalty.OrderRef{Source: "till", ID: "3"}, w.now); err != nil {
					t.Fatal(err)
				}
				o := sale("3", 1000) // the free one
				o.Discounts = []loyalty.Discount{{Code: v.Code, Amount: 1000}}
				if w.tell(t, o); w.account.Toward(tm)[0].Have != 3 {
					t.Errorf("the free item gave a stamp: %+v", w.account.Toward(tm)[0])
				}
			}
			w.change(t, "2", func(o *loyalty.Order) { o.Refunded = 4000 })
			if x := w.account.Toward(tm)[0]; x.Have != c.have || len(w.account.Vouchers) != c.open {
				t.Errorf("after the return %+v, %d vouchers; want %d", x, len(w.account.Vouchers), c.have)
			}
			if c.use { // the next reward is for what is beyond the debt
				coffees(w, "4", 11)
				if x := w.account.Toward(tm)[0]; x.Have != 0 || x.Given != 2 {
					t.Errorf("eleven more: %+v", x)
				}
			}
		})
	}
}

// A third of a line comes back as a third of the pieces, however its cents fell.
func TestPiecesFollowTheMoney(t *testing.T) {
	for left, want := range map[int64]int64{100: 3, 67: 2, 66: 2, 34: 1, 33: 1, 0: 0} {
		if got := loyalty.Nearest(3, left, 100); got != want {
			t.Errorf("%d of 100 are %d pieces, want %d", left, got, want)
		}
	}
}

// SC18: half a year of 120, 0, 90, 60, 150, 180.
func TestSC18HalfYear(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules, tm.Expiry = nil, nil
		tm.Wallets = []loyalty.Wallet{{ID: "bonus"}}
		tm.Bonuses = []loyalty.Bonus{{ID: "half", Every: months(6), Parts: 6, Within: loyalty.Period{Days: 30}, Brackets: []loyalty.Bracket{
			{From: 5000, Choices: []loyalty.Choice{{ID: "points", Points: 100}}},
			{From: 10000, Choices: []loyalty.Choice{{ID: "points", Points: 300}, {ID: "money", Wallet: "bonus", Points: 1500}}},
		}}}
	})
	half := func(t *testing.T) *life {
		w := newLife(tm, day(1))
		for i, spent := range []int64{12000, 0, 9000, 6000, 15000, 18000} {
			w.now = time.Date(2026, time.January+time.Month(i), 10, 12, 0, 0, 0, jerusalem)
			if spent > 0 {
				w.buy(t, fmt.Sprint(i), w.now, spent)
			}
		}
		return w
	}
	end := loyalty.StartOfDay(2026, time.July, 1, jerusalem)
	offer := func(w *life, at time.Time) loyalty.Offer {
		w.now = at
		w.account.Settle(at, tm)
		return w.account.Spells[0].Offer
	}
	t.Run("an average of 100.00, and points when nothing is chosen", func(t *testing.T) {
		w := half(t)
		if o := offer(w, end.Add(-time.Second)); o.Period != 0 {
			t.Errorf("before the end: %+v", o)
		}
		if o := offer(w, end); o.Average != 10000 || o.From != 10000 || !time.Unix(o.Until, 0).Equal(end.AddDate(0, 0, 30)) {
			t.Errorf("%+v", o)
		}
		w.account.Settle(end.AddDate(0, 0, 30).Add(-time.Second), tm)
		if w.account.Balance != 0 {
			t.Errorf("%d points before the deadline", w.account.Balance)
		}
		w.account.Settle(end.AddDate(0, 0, 30), tm)
		w.account.Settle(end.AddDate(0, 6, 0), tm)
		if w.account.Balance != 300 {
			t.Errorf("%d points, want 300 once", w.account.Balance)
		}
		if _, _, _, err := w.account.Choose("half", "money", "seed", tm, end.AddDate(0, 0, 31)); err == nil {
			t.Error("chosen after the default")
		}
		whole(t, w.account)
	})
	t.Run("15.00 by choice, once", func(t *testing.T) {
		w := half(t)
		award, _, _, err := w.account.Choose("half", "money", "seed", tm, end.AddDate(0, 0, 3))
		if err != nil || award.Wallet != "bonus" || award.Points != 1500 || w.account.Balance != 0 {
			t.Errorf("%+v %v", award, err)
		}
		if _, _, _, err := w.account.Choose("half", "points", "seed", tm, end.AddDate(0, 0, 4)); err == nil {
			t.Error("chosen twice")
		}
		w.account.Settle(end.AddDate(0, 2, 0), tm)
		if w.account.Balance != 0 {
			t.Errorf("the default came too: %d", w.account.Balance)
		}
	})
	t.Run("a refund before the end: the lower bracket", func(t *testing.T) {
		w := half(t)
		w.change(t, "0", func(o *loyalty.Order) { o.Refunded = 3000 })
		if o := offer(w, end); o.Average != 9500 || o.From != 5000 {
			t.Errorf("%+v", o)
		}
	})
	t.Run("a refund after the end is carried into the next period", func(t *testing.T) {
		w := half(t)
		offer(w, end.AddDate(0, 0, 5))
		w.change(t, "0", func(o *loyalty.Order) { o.Refunded = 3000 })
		if s := w.account.Spells[0]; s.Spent != -3000 || s.Offer.From != 10000 {
			t.Errorf("%+v", s)
		}
		w.now = end.AddDate(0, 1, 0)
		w.buy(t, "next", w.now, 33000)
		if o := offer(w, end.AddDate(0, 6, 0)); o.Average != 5000 || o.From != 5000 {
			t.Errorf("33000 less 3000: %+v", o)
		}
	})
}

// What is below zero at the end of a period is carried on until it is made up for.
func TestADebtOfAHalfYearIsCarriedOn(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules = nil
		tm.Bonuses = []loyalty.Bonus{{ID: "half", Every: months(6), Parts: 6, Within: loyalty.Period{Days: 30}, Brackets: []loyalty.Bracket{{From: 1000, Choices: []loyalty.Choice{{ID: "points", Points: 100}}}}}}
	})
	w := newLife(tm, day(1))
	w.buy(t, "1", day(1), 30_000)
	w.now = time.Date(2026, time.August, 1, 12, 0, 0, 0, jerusalem)
	w.change(t, "1", func(o *loyalty.Order) { o.Refunded = 9_000 })
	w.now = time.Date(2027, time.February, 1, 12, 0, 0, 0, jerusalem)
	w.buy(t, "2", w.now, 14_999)
	if s := w.account.Spells[0]; s.Spent != 5_999 {
		t.Errorf("149.99 less 90.00 of the half before: %+v", s)
	}
}

// What was bought before there was a bonus is not taken off it when it comes back.
func TestABonusThatIsNewOwesNothing(t *testing.T) {
	w := newLife(terms(), day(1))
	w.buy(t, "1", day(1), 30_000)
	w.terms = terms(func(tm *loyalty.Terms) {
		tm.Bonuses = []loyalty.Bonus{{ID: "half", Every: months(6), Parts: 6, Within: loyalty.Period{Days: 30}, Brackets: []loyalty.Bracket{{From: 1000, Choices: []loyalty.Choice{{ID: "points", Points: 100}}}}}}
	})
	w.change(t, "1", func(o *loyalty.Order) { o.Refunded = 30_000 })
	if len(w.account.Spells) != 0 {
		t.Errorf("%+v", w.account.Spells)
	}
}

// SC19 with rules that ask for a minimum.
func TestSC19TwoProgramsOverOneHistory(t *testing.T) {
	one := terms()
	two := terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules = []loyalty.Rule{{ID: "base", Rate: big.NewRat(1, 80), Where: loyalty.Filter{Amount: 1000}}}
	})
	var a, b []int64
	for i, amount := range []int64{4995, 12000, 999} {
		o := sale(fmt.Sprint(i), amount)
		a = append(a, must(one.Worth(o, "", loyalty.Case{At: day(1)})).Points)
		b = append(b, must(two.Worth(o, "", loyalty.Case{At: day(1)})).Points)
	}
	if !cmp.Equal(a, []int64{49, 120, 9}) || !cmp.Equal(b, []int64{62, 150, 0}) {
		t.Errorf("%v, then %v", a, b)
	}
}

// SC22: a top-up gives a bonus, an order cashback; each lies in its own
// wallet, and only one of them can be paid out.
func TestSC22CashbackIsNotBonus(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Wallets = []loyalty.Wallet{{ID: "cash", Withdrawable: true, Least: 1}, {ID: "bonus"}}
		tm.Earning.Rules = []loyalty.Rule{
			{ID: "top-up", Activity: "topup", Wallet: "bonus", Rate: big.NewRat(5, 100)},
			{ID: "back", Wallet: "cash", Rate: big.NewRat(5, 100)},
		}
	})
	w := newLife(tm, day(1))
	act := &loyalty.Act{Activity: loyalty.Activity{Type: "topup", Key: "1", At: w.now, Amount: 1_000_000}}
	must(w.account.Do(act, "seed", tm, w.now))
	if len(act.Awards) != 1 || act.Awards[0].Wallet != "bonus" || act.Awards[0].Points != 50_000 || w.account.Balance != 0 {
		t.Errorf("%+v, %d points", act.Awards, w.account.Balance)
	}
	w.buy(t, "1", day(1), 600_000)
	if w.wallet.Balance != 30_000 || w.account.Balance != 0 {
		t.Errorf("%d of cashback, %d points", w.wallet.Balance, w.account.Balance)
	}
	cash, _ := tm.In("cash")
	if got := w.wallet.BalanceAt(day(1).AddDate(20, 0, 0), cash); got.Available != 30_000 || len(got.Expiring) != 0 {
		t.Errorf("in twenty years %+v: cashback does not end", got)
	}
	w.change(t, "1", func(o *loyalty.Order) { o.Refunded = 300_000 })
	if w.wallet.Balance != 15_000 {
		t.Errorf("half came back: %d", w.wallet.Balance)
	}
	whole(t, w.wallet)
}
