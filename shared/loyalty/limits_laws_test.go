package loyalty_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

// life is one member, whose orders are told in any order and state.
type life struct {
	account *loyalty.Account
	wallet  *loyalty.Account
	terms   *loyalty.Terms
	budgets []*loyalty.Budget
	records map[string]*loyalty.Record
	newest  map[string]*loyalty.Order
	vouched map[string]loyalty.VoucherStage
	now     time.Time
	told    int
}

func newLife(tm *loyalty.Terms, now time.Time) *life {
	w := &life{
		account: &loyalty.Account{Member: "A"}, wallet: &loyalty.Account{Member: "A", Wallet: "cash"}, terms: tm,
		records: map[string]*loyalty.Record{}, newest: map[string]*loyalty.Order{}, vouched: map[string]loyalty.VoucherStage{}, now: now,
	}
	for _, r := range tm.Earning.Rules {
		if r.Budget > 0 {
			w.budgets = append(w.budgets, &loyalty.Budget{Rule: r.ID})
		}
	}
	return w
}

// tell delivers an order as shared/orders does.
func (w *life) tell(t rapid.TB, o *loyalty.Order) *loyalty.Record {
	t.Helper()
	r := w.records[o.ID]
	if r == nil {
		r = &loyalty.Record{Member: w.account.Member}
		w.records[o.ID] = r
	}
	told := *o
	if st, err := r.Receive(&told, true); err != nil || st != loyalty.Applied {
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	w.told++
	c := loyalty.Telling{Pinned: w.terms, Current: w.terms, Budgets: w.budgets, Now: w.now, Seed: fmt.Sprint("seed", w.told)}
	vouchers, err := w.account.Apply(r, c)
	if err != nil {
		t.Fatal(err)
	}
	w.note(t, vouchers)
	for _, name := range r.Due() {
		if name != w.wallet.Wallet {
			t.Fatalf("an account of %q is due", name)
		}
		if err := w.wallet.ApplyIn(r, c); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// note keeps what became of vouchers: one is issued once, and withdrawn only
// if it is open.
func (w *life) note(t rapid.TB, vouchers []loyalty.Voucher) {
	t.Helper()
	for _, v := range vouchers {
		had := w.vouched[v.Code]
		if v.Stage == loyalty.VoucherIssued && had != "" || v.Stage == loyalty.VoucherWithdrawn && had != loyalty.VoucherIssued {
			t.Fatalf("a voucher that was %q becomes %q", had, v.Stage)
		}
		w.vouched[v.Code] = v.Stage
	}
}

// change tells a new version of an order.
func (w *life) change(t rapid.TB, id string, how func(o *loyalty.Order)) *loyalty.Record {
	t.Helper()
	o := *w.newest[id]
	o.Lines = append([]loyalty.Line(nil), o.Lines...)
	o.Version.N++
	how(&o)
	w.newest[id] = &o
	return w.tell(t, &o)
}

// counted checks that all that is counted of the member is the sum of what
// the orders added.
func (w *life) counted(t rapid.TB) {
	t.Helper()
	type key struct {
		id     string
		period int64
	}
	uses, drawn, months := map[key]loyalty.Use{}, map[string]int64{}, map[int64]int64{}
	var orders, points, cash int64
	for _, r := range w.records {
		for _, u := range r.Uses {
			k := key{u.ID, u.Period}
			s := uses[k]
			s.N, s.Points = s.N+u.N, s.Points+u.Points
			uses[k] = s
		}
		for _, u := range r.Drawn {
			drawn[u.ID] += u.Points
		}
		months[r.QualifiedIn] += r.Qualifies
		orders += r.Bought.Orders
		points += r.Points
		for _, o := range r.Others {
			cash += o.Points
		}
	}
	kept := map[string]int{}
	for _, x := range w.account.Tallies {
		k := key{x.ID, x.Period}
		if got := uses[k]; got.N != x.N || got.Points != x.Points {
			t.Fatalf("the tally of %s in %d is %d for %d points, its uses are %d for %d", x.ID, x.Period, x.N, x.Points, got.N, got.Points)
		}
		delete(uses, k)
		kept[x.ID]++
	}
	for k, u := range uses {
		if (u.N != 0 || u.Points != 0) && kept[k.id] < 8 {
			t.Fatalf("no tally of %s in %d, where orders have %d", k.id, k.period, u.N)
		}
	}
	for _, m := range w.account.Standing.Months {
		if months[m.Number] != m.Points {
			t.Fatalf("month %d has %d, its orders %d", m.Number, m.Points, months[m.Number])
		}
	}
	if orders != w.account.Orders || points != w.account.Balance || cash != w.wallet.Balance {
		t.Fatalf("%d orders, %d points and %d cash; of the orders %d, %d and %d", w.account.Orders, w.account.Balance, w.wallet.Balance, orders, points, cash)
	}
	for _, b := range w.budgets {
		if b.Used != drawn[b.Rule] {
			t.Fatalf("the budget of %s has %d used, its orders %d", b.Rule, b.Used, drawn[b.Rule])
		}
	}
}

// bounded checks that no rule gave more than it may in a period, however far back.
func (w *life) bounded(t rapid.TB) {
	t.Helper()
	for _, rule := range w.terms.Earning.Rules {
		times, points, drawn := map[int64]int64{}, map[int64]int64{}, int64(0)
		for _, r := range w.records {
			for _, u := range r.Uses {
				if u.ID == rule.ID {
					times[u.Period] += u.N
					points[u.Period] += u.Points
				}
			}
			for _, u := range r.Drawn {
				if u.ID == rule.ID {
					drawn += u.Points
				}
			}
		}
		for period, n := range times {
			if l := rule.Limit; l.Times > 0 && n > l.Times || l.Points > 0 && points[period] > l.Points {
				t.Fatalf("%s gave %d points %d times in %d, its limit is %+v", rule.ID, points[period], n, period, *l)
			}
		}
		if rule.Budget > 0 && drawn > rule.Budget {
			t.Fatalf("%s gave %d, its budget is %d", rule.ID, drawn, rule.Budget)
		}
	}
}

func limited(t *rapid.T) *loyalty.Terms {
	per := rapid.SampledFrom([]loyalty.Period{{}, {Days: 1}, {Days: 7}, {Months: 1}})
	return terms(func(tm *loyalty.Terms) {
		tm.Earning.Rounding, tm.Earning.Stacking = roundings.Draw(t, "rounding"), stackings.Draw(t, "stacking")
		tm.Expiry = nil // nothing dies, so the balance is the sum of the orders
		tm.Earning.Pending = rapid.SampledFrom([]loyalty.Period{{}, {Days: 14}}).Draw(t, "pending")
		tm.Wallets = []loyalty.Wallet{{ID: "cash", Withdrawable: true}}
		tm.Tiers = &loyalty.Tiers{QualifyBy: loyalty.ByBasePoints, Validity: loyalty.Period{Months: 12}, Downgrade: loyalty.AtPeriodEnd, Crossing: loyalty.TierBefore, Levels: []loyalty.Level{{ID: "gold", From: 300, Multiplier: big.NewRat(3, 2)}}}
		tm.Goals = []loyalty.Goal{{ID: "each", Count: loyalty.Spending, Reach: 30000, Repeat: true, Points: 7}, {ID: "card", Count: loyalty.Pieces, Reach: 4, Repeat: true, Reward: "coffee"}}
		for i := range rapid.IntRange(1, 3).Draw(t, "rules") {
			r := loyalty.Rule{ID: fmt.Sprint("l", i)}
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				r.Rate = big.NewRat(rapid.Int64Range(1, 9).Draw(t, "rate"), 100)
			case 1:
				r.Multiplier = big.NewRat(rapid.Int64Range(3, 9).Draw(t, "times"), 2)
			default:
				r.Points = rapid.Int64Range(1, 200).Draw(t, "fixed")
			}
			r.Limit = &loyalty.Limit{Per: per.Draw(t, "per")}
			if rapid.Bool().Draw(t, "by times") {
				r.Limit.Times = rapid.Int64Range(1, 3).Draw(t, "most times")
			} else {
				r.Limit.Points = rapid.Int64Range(1, 500).Draw(t, "most points")
			}
			if rapid.Bool().Draw(t, "budgeted") {
				r.Budget = rapid.Int64Range(1, 900).Draw(t, "budget")
			}
			if rapid.IntRange(0, 3).Draw(t, "in cash") == 0 {
				r.Wallet = "cash"
			}
			tm.Earning.Rules = append(tm.Earning.Rules, r)
		}
	})
}

// Whatever is told in whatever order: what is counted is the sum of what the
// orders added, no limit and no budget is passed, and when all came back
// nothing is left of any of it.
func TestWhatIsCountedIsTheSumOfTheOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newLife(limited(t), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		// Few days, or so many that some are forgotten.
		days := rapid.SampledFrom([]int64{5, 40, 700}).Draw(t, "days")
		when := rapid.Custom(func(t *rapid.T) time.Time {
			return w.now.Add(-time.Duration(rapid.Int64Range(0, days*24).Draw(t, "hours")) * time.Hour)
		})
		one := func(t *rapid.T) string {
			if len(w.newest) == 0 {
				t.Skip("no order")
			}
			return fmt.Sprint(rapid.IntRange(0, len(w.newest)-1).Draw(t, "order"))
		}
		t.Repeat(map[string]func(*rapid.T){
			"order": func(t *rapid.T) {
				o := sale(fmt.Sprint(len(w.newest)), rapid.SliceOfN(rapid.Int64Range(1, 30000), 1, 3).Draw(t, "amounts")...) // an order of nothing cannot come back
				o.PaidAt = when.Draw(t, "paid")
				w.newest[o.ID] = o
				w.tell(t, o)
			},
			"refund": func(t *rapid.T) {
				w.change(t, one(t), func(o *loyalty.Order) { o.Refunded += rapid.Int64Range(0, 20000).Draw(t, "back") })
			},
			"correct a refund": func(t *rapid.T) { w.change(t, one(t), func(o *loyalty.Order) { o.Refunded = 0 }) },
			"cancel":           func(t *rapid.T) { w.change(t, one(t), func(o *loyalty.Order) { o.State = loyalty.Cancelled }) },
			"take up again":    func(t *rapid.T) { w.change(t, one(t), func(o *loyalty.Order) { o.State = loyalty.Paid }) },
			"tell another date": func(t *rapid.T) {
				w.change(t, one(t), func(o *loyalty.Order) { o.PaidAt = when.Draw(t, "paid") })
			},
			"tell again": func(t *rapid.T) { w.tell(t, w.newest[one(t)]) },
			"an old state": func(t *rapid.T) {
				o := *w.newest[one(t)]
				o.Version.N, o.Refunded = o.Version.N-1, 0
				if o.Version.N > 0 {
					w.tell(t, &o)
				}
			},
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.Int64Range(1, 30).Draw(t, "days")) * 24 * time.Hour)
			},
			"": func(t *rapid.T) {
				w.counted(t)
				w.bounded(t)
				whole(t, w.account)
				whole(t, w.wallet)
			},
		})
		for id := range w.newest {
			w.change(t, id, func(o *loyalty.Order) { o.State, o.Refunded = loyalty.Paid, 1<<40 })
		}
		w.counted(t)
		var counted int64
		for _, x := range w.account.Tallies {
			counted += max(x.N, -x.N) + max(x.Points, -x.Points)
		}
		for _, m := range w.account.Standing.Months {
			counted += max(m.Points, -m.Points)
		}
		for _, b := range w.budgets {
			counted += b.Used
		}
		if counted != 0 || w.account.Balance != 0 || w.wallet.Balance != 0 || w.account.Orders != 0 || len(w.account.Vouchers) != 0 {
			t.Fatalf("all came back, and there are %+v", w.account)
		}
	})
}

func day(d int) time.Time { return time.Date(2026, 3, d, 10, 0, 0, 0, jerusalem) }

// daily gives 10 points with the first order of a day.
func daily() *loyalty.Terms {
	return terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules = []loyalty.Rule{{ID: "daily", Points: 10, Limit: &loyalty.Limit{Points: 10, Per: loyalty.Period{Days: 1}}}}
	})
}

// buy tells an order of a day.
func (w *life) buy(t rapid.TB, id string, at time.Time, amounts ...int64) *loyalty.Record {
	t.Helper()
	o := sale(id, amounts...)
	o.PaidAt = at
	w.newest[id] = o
	return w.tell(t, o)
}

// An order keeps what it has of a limit when the limit's period was forgotten
// since, and a late one finds no room there: also after later orders came back.
func TestAForgottenPeriodKeepsWhatItHas(t *testing.T) {
	w := newLife(daily(), day(25))
	for d := 1; d <= 12; d++ {
		w.buy(t, fmt.Sprint(d), day(d), 10000)
	}
	if r := w.change(t, "1", func(o *loyalty.Order) { o.Refunded = 5000 }); r.Points != 5 {
		t.Errorf("half of the first came back: %d points, want 5", r.Points)
	}
	for d := 5; d <= 12; d++ {
		w.change(t, fmt.Sprint(d), func(o *loyalty.Order) { o.Refunded = 10000 })
	}
	if r := w.buy(t, "late", day(2), 10000); r.Points != 0 {
		t.Errorf("a second order of a day has %d points of a limit of one", r.Points)
	}
	w.bounded(t)
}

// An order whose date moves to another period asks that one for room, and
// leaves its own to others.
func TestADateThatMovesTakesTheLimitAlong(t *testing.T) {
	w := newLife(daily(), day(25))
	w.buy(t, "a", day(1), 10000)
	b := w.buy(t, "b", day(1), 10000)
	if b.Points != 0 {
		t.Fatalf("a second order of the day has %d points", b.Points)
	}
	if b = w.change(t, "b", func(o *loyalty.Order) { o.PaidAt = day(2) }); b.Points != 10 {
		t.Errorf("moved to a free day it has %d points, want 10", b.Points)
	}
	if b = w.change(t, "b", func(o *loyalty.Order) { o.PaidAt = day(1) }); b.Points != 0 {
		t.Errorf("moved back it has %d points, want 0", b.Points)
	}
	w.counted(t)
}

// A rule that rewards an activity never passes its limit by rounding, and a
// limit on a multiplier counts.
func TestLimitsOfActivities(t *testing.T) {
	at := day(3)
	do := func(a *loyalty.Account, tm *loyalty.Terms, key string) *loyalty.Act {
		act := &loyalty.Act{Activity: loyalty.Activity{Type: "visit", Key: key, At: at, Amount: 10}}
		must(a.Do(act, key, tm, at))
		return act
	}
	t.Run("rounded up beside a small share", func(t *testing.T) {
		tm := terms(func(tm *loyalty.Terms) {
			tm.Earning.Rounding = loyalty.Ceil
			tm.Earning.Rules = []loyalty.Rule{
				{ID: "ten", Activity: "visit", Points: 15, Limit: &loyalty.Limit{Points: 10}},
				{ID: "tenth", Activity: "visit", Rate: big.NewRat(1, 100)},
			}
		})
		a := &loyalty.Account{Member: "A"}
		if act := do(a, tm, "1"); act.Awards[0].Points != 11 || len(a.Tallies) != 1 || a.Tallies[0].Points != 10 {
			t.Errorf("%+v, counted %+v", act.Awards, a.Tallies)
		}
	})
	t.Run("a multiplier once", func(t *testing.T) {
		tm := terms(func(tm *loyalty.Terms) {
			tm.Earning.Rules = []loyalty.Rule{{ID: "visit", Activity: "visit", Points: 10}, {ID: "double", Activity: "visit", Multiplier: big.NewRat(2, 1), Limit: &loyalty.Limit{Times: 1}}}
		})
		a := &loyalty.Account{Member: "A"}
		first, second := do(a, tm, "1"), do(a, tm, "2")
		if first.Awards[0].Points != 20 || second.Awards[0].Points != 10 {
			t.Errorf("%+v, then %+v", first.Awards, second.Awards)
		}
	})
}

// When the date of an order is told differently, all that hangs on it moves:
// the lot and its end, in every wallet, and the month that qualifies.
func TestADateThatMovesTakesAllAlong(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Tiers = &loyalty.Tiers{QualifyBy: loyalty.ByBasePoints, Window: loyalty.Period{Months: 12}, Validity: loyalty.Period{Months: 12}, Downgrade: loyalty.AtPeriodEnd, Levels: []loyalty.Level{{ID: "gold", From: 1000}}}
		tm.Wallets = []loyalty.Wallet{{ID: "cash", Expiry: &loyalty.Expiry{After: loyalty.Period{Months: 6}, To: loyalty.EndOfDay}}}
		tm.Earning.Rules = append(tm.Earning.Rules, loyalty.Rule{ID: "back", Wallet: "cash", Rate: big.NewRat(5, 100)})
	})
	w := newLife(tm, day(25))
	w.buy(t, "1", day(20), 10000)
	w.change(t, "1", func(o *loyalty.Order) { o.PaidAt = day(20).AddDate(0, -2, 0) })
	w.counted(t)
	lot, cash, months := w.account.Lots, w.wallet.Lots, w.account.Standing.Months
	if want := time.Date(2027, 1, 21, 0, 0, 0, 0, jerusalem).Unix(); len(lot) != 1 || lot[0].Expires != want || lot[0].Points != 100 {
		t.Errorf("lots %+v", lot)
	}
	if want := time.Date(2026, 7, 21, 0, 0, 0, 0, jerusalem).Unix(); len(cash) != 1 || cash[0].Expires != want || cash[0].Points != 500 {
		t.Errorf("lots of cash %+v, want them to end at %d", cash, want)
	}
	if len(months) != 1 || months[0].Number != 12*2026+1 || months[0].Points != 100 {
		t.Errorf("months %+v", months)
	}
}
