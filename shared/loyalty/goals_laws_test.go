package loyalty_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

// A member's cards and thresholds, whatever is bought, returned and used,
// stand as those of a plain model: stamps, rewards given, rewards used.
func TestCardsAgainstAPlainModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, 12).Draw(t, "size")
		per := rapid.Int64Range(100, 20000).Draw(t, "per")
		tm := terms(func(tm *loyalty.Terms) {
			tm.Earning.Rules, tm.Expiry = nil, nil
			tm.Goals = []loyalty.Goal{
				{ID: "card", Count: loyalty.Pieces, Reach: size, Repeat: true, Reward: "coffee", Where: loyalty.Filter{Categories: []string{"coffee"}}},
				{ID: "each", Count: loyalty.Spending, Reach: per, Repeat: true, Points: 7},
				{ID: "once", Count: loyalty.Orders, Reach: 3, Points: 1000, Badge: true},
			}
		})
		w := newLife(tm, day(1))
		type bought struct{ pieces, back int64 }
		var orders []*bought
		var used int64 // vouchers
		t.Repeat(map[string]func(*rapid.T){
			"buy": func(t *rapid.T) {
				b := &bought{pieces: rapid.Int64Range(1, 25).Draw(t, "pieces")}
				orders = append(orders, b)
				o := sale(fmt.Sprint(len(w.newest)), 1000*b.pieces, 500)
				o.Lines[0].Quantity, o.Lines[0].Category = b.pieces, "coffee"
				w.newest[o.ID] = o
				w.tell(t, o)
			},
			"return": func(t *rapid.T) {
				if len(orders) == 0 {
					t.Skip("nothing bought")
				}
				i := rapid.IntRange(0, len(orders)-1).Draw(t, "order")
				b := orders[i]
				b.back = rapid.Int64Range(0, b.pieces).Draw(t, "back") // a later version may also tell of less
				w.change(t, fmt.Sprint(i), func(o *loyalty.Order) {
					amount := 1000 * b.back
					o.Lines[0].RefundedAmount = &amount
				})
			},
			"use": func(t *rapid.T) {
				if len(w.account.Vouchers) == 0 {
					t.Skip("nothing to use")
				}
				v := loyalty.Voucher{Code: w.account.Vouchers[0].Code, Stage: loyalty.VoucherIssued}
				if err := w.account.Use(&v, loyalty.OrderRef{}, w.now); err != nil {
					t.Fatal(err)
				}
				w.vouched[v.Code] = loyalty.VoucherUsed
				used++
			},
			"": func(t *rapid.T) {
				w.counted(t)
				whole(t, w.account)
				var stamps, spent, counted int64
				for _, b := range orders {
					stamps += b.pieces - b.back
					spent += 1000*(b.pieces-b.back) + 500
					counted++
				}
				toward := w.account.Toward(tm)
				card := toward[0]
				open := int64(len(w.account.Vouchers))
				// Given is what the stamps are worth, or what was used beyond it.
				if want := max(stamps/size, used); card.Given != want && len(w.account.Vouchers) < 25 || card.Given != open+used || card.Have != stamps-size*card.Given {
					t.Fatalf("%d stamps of %d with %d used: given %d (%d open), the card at %d", stamps, size, used, card.Given, open, card.Have)
				}
				points := 7 * (spent / per)
				if counted >= 3 {
					points += 1000
				}
				if w.account.Balance != points {
					t.Fatalf("%d spent, a reward for every %d: %d points, want %d", spent, per, w.account.Balance, points)
				}
			},
		})
	})
}

// A streak gives and takes as a plain model: awards are rows of days without
// a gap and without a day in common; one is lost when a day of it is.
func TestStreaksAgainstAPlainModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reach := rapid.Int64Range(1, 4).Draw(t, "reach")
		period := rapid.SampledFrom([]loyalty.Period{{Days: 1}, {Days: 7}, {Months: 1}}).Draw(t, "period")
		tm := terms(func(tm *loyalty.Terms) {
			tm.Earning.Rules, tm.Expiry = nil, nil
			tm.Goals = []loyalty.Goal{{ID: "row", Count: loyalty.Orders, Streak: period, Reach: reach, Repeat: true, Points: 100}}
		})
		first := time.Date(2026, 3, 20, 12, 0, 0, 0, jerusalem) // the clocks change on the 27th
		at := func(n int) time.Time {
			return time.Date(2026, time.March+time.Month(n*period.Months), 20+n*period.Days, 12, 0, 0, 0, jerusalem)
		}
		const most = 2 // as many rows as are remembered: beyond, what comes late is not seen
		w := newLife(tm, first.AddDate(10, 0, 0))
		days := int(most*reach) - 1
		bought := map[int]map[string]bool{}
		var awards [][]int
		model := func() {
			holds := func(n int) bool { return len(bought[n]) > 0 }
			for {
				from := 0
				if len(awards) > 0 {
					from = slices.Max(awards[len(awards)-1]) + 1
				}
				var row []int
				for n := from; n < days && len(row) < int(reach); n++ {
					if row = append(row, n); !holds(n) {
						row = nil
					}
				}
				if len(row) < int(reach) {
					break
				}
				awards = append(awards, row)
			}
			awards = slices.DeleteFunc(awards, func(row []int) bool {
				return !slices.ContainsFunc(row, holds) || slices.ContainsFunc(row, func(n int) bool { return !holds(n) })
			})
		}
		t.Repeat(map[string]func(*rapid.T){
			"buy": func(t *rapid.T) {
				n := rapid.IntRange(0, max(days-1, 0)).Draw(t, "period")
				id := fmt.Sprint(len(w.newest))
				if bought[n] == nil {
					bought[n] = map[string]bool{}
				}
				bought[n][id] = true
				w.buy(t, id, at(n), 1000)
				model()
			},
			"return": func(t *rapid.T) {
				if len(w.newest) == 0 {
					t.Skip("nothing bought")
				}
				id := fmt.Sprint(rapid.IntRange(0, len(w.newest)-1).Draw(t, "order"))
				for _, ids := range bought {
					delete(ids, id)
				}
				w.change(t, id, func(o *loyalty.Order) { o.Refunded = 1000 })
				model()
			},
			"": func(t *rapid.T) {
				if got, want := w.account.Balance, int64(100*len(awards)); got != want {
					t.Fatalf("rows of %d in %v: %d points, want %d for %v", reach, bought, got, want, awards)
				}
			},
		})
	})
}

// A row of days that breaks takes its own award, not the one before it: there
// need not be bought every day between them.
func TestABrokenStreakTakesItsOwnAward(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules = nil
		tm.Goals = []loyalty.Goal{{ID: "row", Count: loyalty.Orders, Streak: loyalty.Period{Days: 1}, Reach: 3, Repeat: true, Points: 100}}
	})
	w := newLife(tm, day(25))
	for _, d := range []int{1, 2, 3, 10, 11, 12} {
		w.buy(t, fmt.Sprint(d), day(d), 1000)
	}
	for _, c := range []struct {
		change string
		back   int64
		want   int64
	}{{"11", 1000, 100}, {"11", 0, 200}, {"2", 1000, 100}, {"12", 1000, 0}} {
		w.change(t, c.change, func(o *loyalty.Order) { o.Refunded = c.back })
		if w.account.Balance != c.want {
			t.Errorf("after day %s with %d back: %d points, want %d", c.change, c.back, w.account.Balance, c.want)
		}
	}
}

// A program that asks for more stamps from now on takes back no reward that
// was given for fewer.
func TestALargerCardTakesNothingBack(t *testing.T) {
	card := func(size int64) *loyalty.Terms {
		return terms(func(tm *loyalty.Terms) {
			tm.Earning.Rules = nil
			tm.Goals = []loyalty.Goal{{ID: "card", Count: loyalty.Orders, Reach: size, Repeat: true, Reward: "coffee"}}
		})
	}
	w := newLife(card(5), day(25))
	for d := 1; d <= 12; d++ {
		w.buy(t, fmt.Sprint(d), day(d), 1000)
	}
	w.terms = card(10)
	w.buy(t, "13", day(13), 1000)
	if x := w.account.Toward(w.terms)[0]; len(w.account.Vouchers) != 2 || x.Given != 2 || x.Have != 3 {
		t.Errorf("%d vouchers, %+v", len(w.account.Vouchers), x)
	}
	for d := 1; d <= 4; d++ { // nine stamps are left of the ten that two rewards used up
		w.change(t, fmt.Sprint(d), func(o *loyalty.Order) { o.Refunded = 1000 })
	}
	if x := w.account.Toward(w.terms)[0]; len(w.account.Vouchers) != 1 || x.Given != 1 || x.Have != 4 {
		t.Errorf("%d vouchers, %+v", len(w.account.Vouchers), x)
	}
}

// What one order can do is bounded: a threshold of nearly nothing is a
// division, and of vouchers the rest follows with the next orders.
func TestAHugeOrderIsNoLoop(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules = nil
		tm.Goals = []loyalty.Goal{
			{ID: "each", Count: loyalty.Spending, Reach: 1, Repeat: true, Points: 1},
			{ID: "card", Count: loyalty.Pieces, Reach: 1, Repeat: true, Reward: "coffee"},
		}
	})
	w := newLife(tm, day(25))
	o := sale("1", 1_000_000_000)
	o.Lines[0].Quantity = 1_000_000
	w.newest["1"] = o
	if r := w.tell(t, o); r.Points != 1_000_000_000 || len(w.account.Vouchers) != 25 {
		t.Errorf("%d points, %d vouchers", r.Points, len(w.account.Vouchers))
	}
	w.buy(t, "2", day(2), 1)
	if len(w.account.Vouchers) != 50 {
		t.Errorf("%d vouchers after the next order", len(w.account.Vouchers))
	}
	for i, id := range []string{"1", "2"} {
		w.change(t, id, func(o *loyalty.Order) { o.State = loyalty.Cancelled })
		if i == 1 && len(w.account.Vouchers) != 0 {
			t.Errorf("%d vouchers after all came back", len(w.account.Vouchers))
		}
	}
	whole(t, w.account)
	t.Run("beyond what can be counted it is refused", func(t *testing.T) {
		tm.Goals[0].Points = 1_000_000
		o := sale("3", 1_000_000_000_000)
		r := loyalty.Record{Member: "A"}
		must(r.Receive(o, true))
		if _, err := w.account.Apply(&r, loyalty.Telling{Pinned: tm, Current: tm, Now: w.now}); err == nil {
			t.Error("taken")
		}
	})
}

// Stores are counted apart: two orders of one store are one, and a store
// counts as long as something bought there was not returned.
func TestDifferentStores(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules = nil
		tm.Goals = []loyalty.Goal{{ID: "explorer", Count: loyalty.Stores, Reach: 2, Reward: "third"}}
	})
	w := newLife(tm, day(25))
	in := func(id, store string) {
		o := sale(id, 1000)
		o.Store = store
		w.newest[id] = o
		w.tell(t, o)
	}
	steps := []struct {
		name string
		do   func()
		have int64
		open int
	}{
		{"one store", func() { in("1", "tlv-1") }, 1, 0},
		{"the same store", func() { in("2", "tlv-1") }, 1, 0},
		{"no store", func() { in("3", "") }, 1, 0},
		{"a second store", func() { in("4", "haifa") }, 2, 1},
		{"one of two orders of the first comes back", func() { w.change(t, "1", func(o *loyalty.Order) { o.Refunded = 1000 }) }, 2, 1},
		{"the other too", func() { w.change(t, "2", func(o *loyalty.Order) { o.Refunded = 1000 }) }, 1, 0},
		{"a third store", func() { in("5", "eilat") }, 2, 1},
		{"a fourth: once only", func() { in("6", "lod") }, 3, 1},
	}
	for _, s := range steps {
		s.do()
		if x := w.account.Toward(tm)[0]; x.Have != s.have || len(w.account.Vouchers) != s.open {
			t.Errorf("%s: %d stores, %d vouchers", s.name, x.Have, len(w.account.Vouchers))
		}
	}
	w.counted(t)
}
