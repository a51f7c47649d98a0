package loyalty_test

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

var jerusalem = must(time.LoadLocation("Asia/Jerusalem"))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// terms is the base programme of the scenarios.
func terms(change ...func(*loyalty.Terms)) *loyalty.Terms {
	t := &loyalty.Terms{
		Version: 1, Currency: "ILS", Zone: jerusalem,
		Point: loyalty.Price{Points: 100, Amount: 500},
		Earning: loyalty.Earning{
			When: loyalty.Paid, Rounding: loyalty.Floor, Stacking: loyalty.StackBest,
			Rules: []loyalty.Rule{{ID: "base", Rate: big.NewRat(1, 100)}},
		},
		Expiry:   &loyalty.Expiry{After: loyalty.Period{Months: 12}, To: loyalty.EndOfDay},
		Clawback: loyalty.Debt, Hold: loyalty.Period{Exact: 15 * time.Minute}, Minimum: 1, MaxShare: big.NewRat(1, 1), Grace: loyalty.Period{Days: 30},
	}
	for _, c := range change {
		c(t)
	}
	return t.Seal()
}

func sale(id string, amounts ...int64) *loyalty.Order {
	o := &loyalty.Order{Source: "till", ID: id, Version: loyalty.Revision{N: 1}, State: loyalty.Paid, Currency: "ILS"}
	for i, a := range amounts {
		o.Lines = append(o.Lines, loyalty.Line{ID: fmt.Sprint(i), Quantity: 1, UnitPrice: a, Amount: a})
	}
	return o
}

// take lets an order through record and account.
func take(t rapid.TB, a *loyalty.Account, r *loyalty.Record, o *loyalty.Order, red *loyalty.Redemption, tm *loyalty.Terms, now time.Time) {
	t.Helper()
	if r.Member == "" {
		r.Member = a.Member
	}
	if _, err := r.Receive(o, true); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Apply(r, loyalty.Telling{Redemption: red, Pinned: tm, Current: tm, Now: now}); err != nil {
		t.Fatal(err)
	}
}

// whole checks all that always holds of an account: the chain, the running
// balances, the lots against the ledger, the books at zero.
func whole(t rapid.TB, a *loyalty.Account) {
	t.Helper()
	if v := loyalty.Verify(a, a.Tail); !v.Valid {
		t.Fatalf("the ledger does not hold at entry %d: %+v", v.FirstBad, a)
	}
	for i, l := range a.Lots {
		if l.Points <= 0 {
			t.Fatalf("lot %d has %d points", i, l.Points)
		}
		if a.Owed > 0 && l.Active == 0 {
			t.Fatalf("%d are owed beside %d that could pay", a.Owed, l.Points)
		}
	}
	if a.Owed < 0 {
		t.Fatalf("%d are owed", a.Owed)
	}
}

// Any split of a refund, over calls and lines, ends where one refund ends,
// and all of it takes back exactly what was given.
func TestRefundsArePathIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		tm := terms(func(tm *loyalty.Terms) {
			tm.Earning.Rules[0].Rate = big.NewRat(rapid.Int64Range(1, 7).Draw(t, "points"), rapid.Int64Range(1, 300).Draw(t, "per"))
			tm.Earning.Rounding = rapid.SampledFrom([]loyalty.Rounding{loyalty.Floor, loyalty.HalfUp, loyalty.Ceil}).Draw(t, "rounding")
		})
		amounts := rapid.SliceOfN(rapid.Int64Range(0, 50000), 1, 5).Draw(t, "lines")
		discount := rapid.Int64Range(0, 20000).Draw(t, "discount")
		var goods int64
		for _, x := range amounts {
			goods += x
		}
		order := func(version int, refunded int64) *loyalty.Order {
			o := sale("1", amounts...)
			o.Version.N, o.Refunded = int64(version), refunded
			o.Discounts = []loyalty.Discount{{Amount: discount}}
			return o
		}
		target := rapid.Int64Range(0, goods+100).Draw(t, "refunded")

		split, once := &loyalty.Account{Member: "A"}, &loyalty.Account{Member: "A"}
		var rs, ro loyalty.Record
		version, refunded := 1, int64(0)
		take(t, split, &rs, order(1, 0), nil, tm, now)
		for refunded < target {
			refunded += min(rapid.Int64Range(1, 30000).Draw(t, "part"), target-refunded)
			version++
			take(t, split, &rs, order(version, refunded), nil, tm, now)
		}
		take(t, once, &ro, order(1, 0), nil, tm, now)
		take(t, once, &ro, order(version+1, target), nil, tm, now)
		if split.Balance != once.Balance || rs.Points != ro.Points || split.Balance != rs.Points {
			t.Fatalf("split %d (order %d), once %d (order %d)", split.Balance, rs.Points, once.Balance, ro.Points)
		}
		if target >= goods && split.Balance != 0 {
			t.Fatalf("all came back and %d points stayed", split.Balance)
		}
		whole(t, split)
		var lines int64
		w := must(tm.Worth(order(1, target), "", loyalty.Case{At: now}))
		for _, l := range w.Lines {
			lines += l.Points
		}
		if lines != w.Points {
			t.Fatalf("the lines have %d of %d points", lines, w.Points)
		}
	})
}

// Whatever happens to an account, in any order, its invariants hold, reading
// it at an instant equals settling it then, and settling twice changes nothing.
func TestAccountAlwaysHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := terms(func(tm *loyalty.Terms) {
			tm.Clawback = rapid.SampledFrom([]loyalty.Policy{loyalty.Debt, loyalty.Clamp, loyalty.Negative}).Draw(t, "policy")
			tm.Earning.Pending = rapid.SampledFrom([]loyalty.Period{{}, {Days: 14}}).Draw(t, "pending")
			tm.Expiry.After = rapid.SampledFrom([]loyalty.Period{{Days: 20}, {Months: 2}}).Draw(t, "expiry")
		})
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		a, guest := &loyalty.Account{Member: "A"}, &loyalty.Account{Member: "G"}
		type placed struct {
			rec    loyalty.Record
			red    *loyalty.Redemption
			amount int64
			back   int64
		}
		var orders []*placed
		var reds []*loyalty.Redemption
		id := 0
		refusal := func(err error) {
			var e *loyalty.Error
			if err != nil && !errors.As(err, &e) {
				t.Fatal(err)
			}
		}
		step := map[string]func(*rapid.T){
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.Int64Range(1, 20*86400).Draw(t, "s")) * time.Second)
			},
			"order": func(t *rapid.T) {
				id++
				p := &placed{amount: rapid.Int64Range(0, 40000).Draw(t, "amount")}
				o := sale(fmt.Sprint(id), p.amount)
				for _, r := range reds {
					if r.Stage == loyalty.Captured && r.Order == (loyalty.OrderRef{}) && r.Member == a.Member {
						p.red, o.Redemption = r, "rdm_"+r.ID
						break
					}
				}
				o.PaidAt = now.Add(-time.Duration(rapid.Int64Range(0, 40*86400).Draw(t, "late")) * time.Second)
				take(t, a, &p.rec, o, p.red, tm, now)
				orders = append(orders, p)
			},
			"refund": func(t *rapid.T) {
				if len(orders) == 0 {
					t.Skip("no order")
				}
				p := rapid.SampledFrom(orders).Draw(t, "order")
				p.back += rapid.Int64Range(0, 30000).Draw(t, "back")
				o := sale(p.rec.Order.ID, p.amount)
				o.Version.N, o.Refunded, o.Redemption = p.rec.Order.Version.N+1, p.back, p.rec.Order.Redemption
				if rapid.IntRange(0, 4).Draw(t, "cancel") == 0 {
					o.State = loyalty.Cancelled
				}
				take(t, a, &p.rec, o, p.red, tm, now)
				if p.red != nil && p.red.Restored > p.red.Points {
					t.Fatalf("%d of %d given back", p.red.Restored, p.red.Points)
				}
			},
			"hold": func(t *rapid.T) {
				id++
				before := a.BalanceAt(now, tm)
				n := rapid.Int64Range(1, 300).Draw(t, "points")
				r, err := a.Hold(fmt.Sprint("H", id), n, 0, tm, now)
				refusal(err)
				if (err == nil) != (n <= before.Available) {
					t.Fatalf("%d of %d available: %v", n, before.Available, err)
				}
				if err == nil {
					reds = append(reds, r)
				}
			},
			"end": func(t *rapid.T) {
				if len(reds) == 0 {
					t.Skip("no hold")
				}
				r := rapid.SampledFrom(reds).Draw(t, "hold")
				switch rapid.SampledFrom([]string{"capture", "release", "cancel"}).Draw(t, "how") {
				case "capture":
					refusal(a.Capture(r, r.Order, tm, now))
				case "release":
					refusal(a.Release(r, tm, now))
				case "cancel":
					refusal(a.Cancel(r, tm, now))
				}
			},
			"adjust": func(t *rapid.T) {
				refusal(a.Adjust(rapid.Int64Range(-300, 300).Filter(func(n int64) bool { return n != 0 }).Draw(t, "n"), "adj", "by hand", tm, now))
			},
			"merge": func(t *rapid.T) {
				if guest.Into != "" {
					t.Skip("merged")
				}
				var r loyalty.Record
				take(t, guest, &r, sale(fmt.Sprint("G", now.Unix()), 20000), nil, tm, now)
				_, err := a.Merge(guest, "seed", tm, now)
				refusal(err)
				whole(t, guest)
				if guest.Balance != 0 {
					t.Fatalf("%d stayed with the guest", guest.Balance)
				}
			},
			"": func(t *rapid.T) {
				whole(t, a)
				read := a.BalanceAt(now, tm)
				seq := a.Seq
				a.Settle(now, tm)
				if got := a.BalanceAt(now, tm); fmt.Sprint(got) != fmt.Sprint(read) {
					t.Fatalf("read %+v, settled %+v", read, got)
				}
				settled := a.Seq
				a.Settle(now, tm)
				if a.Seq != settled {
					t.Fatalf("settling twice wrote %d entries more, after %d", a.Seq-settled, settled-seq)
				}
				var expiring int64
				for _, e := range read.Expiring {
					expiring += e.Points
				}
				if all := max(read.Available, 0) + read.Pending; expiring > all {
					t.Fatalf("%d will expire of %d", expiring, all)
				}
			},
		}
		t.Repeat(step)
	})
}

// Whoever gets all money back keeps no points, under any policy.
func TestNetZeroSpendIsNetZeroPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := terms(func(tm *loyalty.Terms) {
			tm.Clawback = rapid.SampledFrom([]loyalty.Policy{loyalty.Debt, loyalty.Negative}).Draw(t, "policy")
		})
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		a := &loyalty.Account{Member: "A"}
		recs := make([]loyalty.Record, rapid.IntRange(1, 6).Draw(t, "orders"))
		reds := map[int]*loyalty.Redemption{}
		for i := range recs {
			o := sale(fmt.Sprint(i), rapid.Int64Range(1, 90000).Draw(t, "amount"))
			if have := a.BalanceAt(now, tm).Available; have > 0 && rapid.Bool().Draw(t, "pay with points") {
				red, err := a.Hold(fmt.Sprint(i), rapid.Int64Range(1, have).Draw(t, "points"), 0, tm, now)
				if err != nil {
					t.Fatal(err)
				}
				if err := a.Capture(red, loyalty.OrderRef{}, tm, now); err != nil {
					t.Fatal(err)
				}
				reds[i], o.Redemption = red, "rdm_"+red.ID
			}
			take(t, a, &recs[i], o, reds[i], tm, now)
		}
		for _, i := range rapid.Permutation(indexes(len(recs))).Draw(t, "return") {
			o := recs[i].Order
			o.Version.N, o.Refunded = 2, 1<<40
			take(t, a, &recs[i], &o, reds[i], tm, now)
		}
		if a.Balance != 0 {
			t.Fatalf("everything came back and the balance is %d", a.Balance)
		}
		whole(t, a)
	})
}

func indexes(n int) []int {
	xs := make([]int, n)
	for i := range xs {
		xs[i] = i
	}
	return xs
}

// An entry that was changed, moved or lost is found where it is.
func TestVerifyFindsTheFirstBadEntry(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	fresh := func() *loyalty.Account {
		a := &loyalty.Account{Member: "A"}
		for i := range 5 {
			var r loyalty.Record
			take(t, a, &r, sale(fmt.Sprint(i), 10000), nil, terms(), now)
		}
		return a
	}
	for name, c := range map[string]struct {
		harm func(a *loyalty.Account)
		bad  int64
	}{
		"points changed":          {func(a *loyalty.Account) { a.Tail[2].Points++ }, 3},
		"points and balance":      {func(a *loyalty.Account) { a.Tail[2].Points++; a.Tail[2].Balance++ }, 3},
		"time changed":            {func(a *loyalty.Account) { a.Tail[1].At-- }, 2},
		"a lot changed":           {func(a *loyalty.Account) { a.Tail[1].Lots[0].Expires++ }, 2},
		"entries swapped":         {func(a *loyalty.Account) { a.Tail[1], a.Tail[2] = a.Tail[2], a.Tail[1] }, 2},
		"the first entry lost":    {func(a *loyalty.Account) { a.Tail = a.Tail[1:] }, 1},
		"the last entry lost":     {func(a *loyalty.Account) { a.Tail = a.Tail[:4] }, 5},
		"points made in a lot":    {func(a *loyalty.Account) { a.Lots[0].Points += 7 }, 6},
		"balance of the account":  {func(a *loyalty.Account) { a.Balance += 7 }, 6},
		"another member's ledger": {func(a *loyalty.Account) { a.Member = "B" }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			a := fresh()
			whole(t, a)
			c.harm(a)
			if v := loyalty.Verify(a, a.Tail); v.Valid || v.FirstBad != c.bad {
				t.Errorf("valid %v, first bad %d, want %d", v.Valid, v.FirstBad, c.bad)
			}
		})
	}
}

// What is packed unpacks to itself, and what is cut off is an error.
func TestPackedLotsUnpackToThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Int64(), rapid.Int64Range(0, 4_000_000_000), rapid.Just[int64](0))
		lots := loyalty.Lots(rapid.SliceOf(rapid.Custom(func(t *rapid.T) loyalty.Lot {
			return loyalty.Lot{Active: number.Draw(t, "active"), Expires: number.Draw(t, "expires"), Points: number.Draw(t, "points")}
		})).Draw(t, "lots"))
		var parts loyalty.Parts
		for _, l := range lots {
			parts = append(parts, loyalty.Part{Expires: l.Expires, Points: l.Points})
		}
		var lotsAgain loyalty.Lots
		var partsAgain loyalty.Parts
		packed := must(lots.MarshalBinary())
		if err := lotsAgain.UnmarshalBinary(packed); err != nil || !slices.Equal(lots, lotsAgain) {
			t.Fatalf("%v: %v, %v", lots, lotsAgain, err)
		}
		if err := partsAgain.UnmarshalBinary(must(parts.MarshalBinary())); err != nil || !slices.Equal(parts, partsAgain) {
			t.Fatalf("%v: %v, %v", parts, partsAgain, err)
		}
		if len(packed) > 0 && lotsAgain.UnmarshalBinary(packed[:len(packed)-1]) == nil {
			t.Fatal("a cut was not seen")
		}
	})
}
