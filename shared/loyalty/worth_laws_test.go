package loyalty_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

// ratio draws ratios as documents have them: few decimals, and many.
func ratio(least int64) *rapid.Generator[*big.Rat] {
	return rapid.Custom(func(t *rapid.T) *big.Rat {
		den := rapid.SampledFrom([]int64{1, 2, 2, 4, 4, 10, 10, 7, 100, 1_000_000_000, 999_999_937}).Draw(t, "den")
		return big.NewRat(least*den+rapid.Int64Range(0, 3*den).Draw(t, "num"), den)
	})
}

// anyRules are rates and multipliers with filters, windows, groups and
// priorities; with extras also fixed points, limits and budgets.
func anyRules(extras bool) *rapid.Generator[[]loyalty.Rule] {
	return rapid.Custom(func(t *rapid.T) []loyalty.Rule {
		rules := make([]loyalty.Rule, rapid.IntRange(0, 6).Draw(t, "rules"))
		for i := range rules {
			r := loyalty.Rule{ID: fmt.Sprint("r", i), Priority: rapid.IntRange(-1, 1).Draw(t, "priority"), Group: rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(t, "group")}
			switch kind := rapid.IntRange(0, 2).Draw(t, "kind"); {
			case kind == 0:
				r.Rate = new(big.Rat).Quo(ratio(0).Draw(t, "rate"), big.NewRat(100, 1))
			case kind == 1 || !extras:
				r.Multiplier = ratio(1).Draw(t, "multiplier")
			default:
				r.Points = rapid.Int64Range(1, 500).Draw(t, "points")
			}
			if extras && rapid.Bool().Draw(t, "limited") {
				r.Limit = &loyalty.Limit{Points: rapid.Int64Range(0, 300).Draw(t, "most"), Times: rapid.Int64Range(0, 3).Draw(t, "times")}
			}
			if extras && rapid.IntRange(0, 3).Draw(t, "budgeted") == 0 {
				r.Budget = rapid.Int64Range(1, 500).Draw(t, "budget")
			}
			if rapid.Bool().Draw(t, "narrow") {
				r.Where.Categories = []string{rapid.SampledFrom([]string{"tea", "coffee"}).Draw(t, "category")}
			}
			if rapid.IntRange(0, 4).Draw(t, "at least") == 0 {
				r.Where.Amount = rapid.Int64Range(0, 20000).Draw(t, "amount")
			}
			rules[i] = r
		}
		return rules
	})
}

func anyOrder(currencies ...string) *rapid.Generator[*loyalty.Order] {
	return rapid.Custom(func(t *rapid.T) *loyalty.Order {
		amounts := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 30000), rapid.Int64Range(0, 1_000_000_000_000)), 1, 7).Draw(t, "amounts")
		o := sale("1", amounts...)
		o.Currency = rapid.SampledFrom(currencies).Draw(t, "currency")
		for i := range o.Lines {
			l := &o.Lines[i]
			l.Category = rapid.SampledFrom([]string{"tea", "coffee", "cake"}).Draw(t, "category")
			l.GiftCard = rapid.IntRange(0, 5).Draw(t, "gift card") == 0
			l.Quantity = rapid.Int64Range(1, 5).Draw(t, "quantity")
		}
		if rapid.Bool().Draw(t, "discount") {
			o.Discounts = []loyalty.Discount{{Amount: rapid.Int64Range(0, 20000).Draw(t, "off")}}
		}
		if rapid.Bool().Draw(t, "refund") {
			o.Refunded = rapid.Int64Range(0, 40000).Draw(t, "back")
		}
		return o
	})
}

var (
	stackings = rapid.SampledFrom([]loyalty.Stacking{loyalty.StackBest, loyalty.StackAdd, loyalty.StackMultiply})
	roundings = rapid.SampledFrom([]loyalty.Rounding{loyalty.Floor, loyalty.HalfUp, loyalty.Ceil})
)

// The sum in whole numbers and the sum in exact ratios are one: by every way
// of stacking and rounding, with filters and groups, after refunds, partly
// paid with points.
func TestWholeNumbersAndRatiosAgree(t *testing.T) {
	inWhole := 0
	rapid.Check(t, func(t *rapid.T) {
		tm := terms(func(tm *loyalty.Terms) {
			tm.Earning.Rules = anyRules(false).Draw(t, "rules")
			tm.Earning.Stacking, tm.Earning.Rounding = stackings.Draw(t, "stacking"), roundings.Draw(t, "rounding")
			if rapid.Bool().Draw(t, "tiers") {
				tm.Tiers = &loyalty.Tiers{QualifyBy: loyalty.ByBasePoints, Crossing: loyalty.TierBefore, Levels: []loyalty.Level{{ID: "gold", From: 1, Multiplier: ratio(1).Draw(t, "gold")}}}
			}
		})
		for range 10 {
			o := anyOrder("ILS").Draw(t, "order")
			c := loyalty.Case{At: time.Now(), Paid: rapid.Int64Range(0, 30000).Draw(t, "paid"), Facts: loyalty.Facts{Tier: rapid.SampledFrom([]string{"", "gold"}).Draw(t, "tier")}}
			points, base, lines, whole, d, fits := tm.Both(o, "", c)
			switch {
			case !whole:
				continue
			case !fits && points <= loyalty.MaxPoints:
				t.Fatalf("%d points in whole numbers do not fit as ratios", points)
			case fits && (points != d.Points || base != d.Base || !slices.Equal(lines, d.OfLines())):
				t.Fatalf("%d (base %d, lines %v) in whole numbers, %d (base %d, lines %v) in ratios", points, base, lines, d.Points, d.Base, d.OfLines())
			}
			inWhole++
		}
	})
	if inWhole < 100 {
		t.Errorf("only %d orders were valued in whole numbers", inWhole)
	}
}

// Two multipliers on one line, one on another, none on the third: 100 x 6,
// 100 x 1.5 and 100.
func TestMultipliersOfSomeLines(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Earning.Stacking = loyalty.StackMultiply
		tm.Earning.Rules = append(tm.Earning.Rules,
			loyalty.Rule{ID: "hot", Multiplier: big.NewRat(3, 2), Where: loyalty.Filter{Categories: []string{"coffee", "tea"}}},
			loyalty.Rule{ID: "coffee", Multiplier: big.NewRat(4, 1), Where: loyalty.Filter{Categories: []string{"coffee"}}})
	})
	o := sale("1", 10_000, 10_000, 10_000)
	o.Lines[0].Category, o.Lines[1].Category = "coffee", "tea"
	points, _, lines, whole, d, _ := tm.Both(o, "", loyalty.Case{At: time.Now()})
	if !whole || points != 850 || d.Points != 850 || !slices.Equal(lines, []int64{600, 150, 100}) || !slices.Equal(d.OfLines(), lines) {
		t.Errorf("%d by %v in whole numbers (%v), %d by %v in ratios", points, lines, whole, d.Points, d.OfLines())
	}
}

// What the rules gave sums to the points, what the lines have too; a limit
// and a budget are never passed by a point; other currencies and crossed
// tiers included.
func TestWhatRulesAndLinesHaveIsTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := terms(func(tm *loyalty.Terms) {
			tm.Earning.Rules = anyRules(true).Draw(t, "rules")
			tm.Earning.Stacking, tm.Earning.Rounding = stackings.Draw(t, "stacking"), roundings.Draw(t, "rounding")
			tm.Exchange = map[string]*big.Rat{"USD": big.NewRat(37, 10), "JPY": big.NewRat(5, 2)}
			tm.Tiers = &loyalty.Tiers{
				QualifyBy: rapid.SampledFrom([]loyalty.Measure{loyalty.ByBasePoints, loyalty.BySpend, loyalty.ByOrders}).Draw(t, "measure"),
				Crossing:  rapid.SampledFrom([]loyalty.Crossing{loyalty.TierBefore, loyalty.SplitAtThreshold}).Draw(t, "crossing"),
				Levels:    []loyalty.Level{{ID: "silver", From: 10}, {ID: "gold", From: 200, Multiplier: ratio(1).Draw(t, "gold")}},
			}
		})
		o := anyOrder("ILS", "USD", "JPY").Draw(t, "order")
		c := loyalty.Case{At: time.Now(), Facts: loyalty.Facts{Tier: rapid.SampledFrom([]string{"", "silver", "gold"}).Draw(t, "tier"), Qualifying: rapid.Int64Range(0, 300).Draw(t, "qualifying")}}
		rooms := map[string]int64{}
		for _, r := range tm.Earning.Rules {
			if r.Limit != nil || r.Budget > 0 {
				rooms[r.ID] = rapid.Int64Range(0, 200).Draw(t, "room")
				c.Facts.Rooms = append(c.Facts.Rooms, loyalty.Room{Rule: r.ID, Points: rooms[r.ID]})
			}
		}
		w, d, err := tm.Explain(o, "", c)
		if err != nil {
			return // more points than can be counted
		}
		var ofRules, ofLines int64
		for _, s := range d.Shares {
			ofRules += s.Points
			if room, bound := rooms[s.Rule]; bound && s.Points > room {
				t.Fatalf("%s gave %d where %d were left", s.Rule, s.Points, room)
			}
		}
		for _, l := range w.Lines {
			ofLines += l.Points
			if l.Points < 0 || l.Net == 0 && l.Points != 0 && c.Paid == 0 && !slices.ContainsFunc(tm.Earning.Rules, func(r loyalty.Rule) bool { return r.Points > 0 }) {
				t.Fatalf("a line that is worth nothing has %d points", l.Points)
			}
		}
		if ofRules != w.Points || ofLines != w.Points || d.Points != w.Points {
			t.Fatalf("%d points: %d of rules, %d of lines, %d by the explanation", w.Points, ofRules, ofLines, d.Points)
		}
	})
}

// Parts made whole sum to the rounded whole; none moves by a whole unit, and
// one that is whole stays.
func TestWholePartsStayWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exact := rapid.SliceOfN(rapid.OneOf(ratio(0), rapid.Custom(func(t *rapid.T) *big.Rat { return big.NewRat(rapid.Int64Range(0, 500).Draw(t, "n"), 1) })), 1, 12).Draw(t, "parts")
		all := new(big.Rat)
		for _, x := range exact {
			all.Add(all, x)
		}
		total, _ := loyalty.Whole(roundings.Draw(t, "rounding"), all)
		var got int64
		for i, n := range loyalty.WholeParts(total, exact) {
			got += n
			off := new(big.Rat).Sub(exact[i], new(big.Rat).SetInt64(n))
			if off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 || exact[i].IsInt() && off.Sign() != 0 {
				t.Fatalf("%v of %v became %d of %d", exact[i], exact, n, total)
			}
		}
		if got != total {
			t.Fatalf("%d of %d", got, total)
		}
	})
}

// An ordinary order is valued without ratios: in few allocations, however
// many points it comes to.
func TestAnOrdinaryOrderIsCheapToValue(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules = append(tm.Earning.Rules, loyalty.Rule{ID: "coffee", Multiplier: big.NewRat(2, 1), Where: loyalty.Filter{Categories: []string{"coffee"}}})
	})
	o := sale("1", 4995, 5997, 1000)
	c := loyalty.Case{At: time.Now()}
	if n := testing.AllocsPerRun(100, func() { must(tm.Worth(o, "", c)) }); n > 24 {
		t.Errorf("%v allocations", n)
	}
}
