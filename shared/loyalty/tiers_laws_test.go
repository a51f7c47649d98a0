package loyalty_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

func months(n int) loyalty.Period { return loyalty.Period{Months: n} }

// tiered is silver from 500, gold from 1500, by a point for every 100.
func tiered(change ...func(x *loyalty.Tiers)) *loyalty.Terms {
	return terms(func(tm *loyalty.Terms) {
		tm.Expiry = nil
		tm.Tiers = &loyalty.Tiers{
			QualifyBy: loyalty.ByBasePoints, Window: months(12), Validity: months(12), Warning: loyalty.Period{Days: 30}, Downgrade: loyalty.AtPeriodEnd, Crossing: loyalty.TierBefore,
			Levels: []loyalty.Level{{ID: "silver", From: 500, Multiplier: big.NewRat(5, 4)}, {ID: "gold", From: 1500, Multiplier: big.NewRat(3, 2)}},
		}
		for _, c := range change {
			c(tm.Tiers)
		}
	})
}

func TestThresholds(t *testing.T) {
	for qualifying, want := range map[int64]string{0: "", 499: "", 500: "silver", 501: "silver", 1499: "silver", 1500: "gold", 1501: "gold"} {
		for name, tm := range map[string]*loyalty.Terms{
			"base points": tiered(), "spend": tiered(func(x *loyalty.Tiers) { x.QualifyBy = loyalty.BySpend }), "no window": tiered(func(x *loyalty.Tiers) { x.Window = loyalty.Period{} }),
		} {
			w := newLife(tm, day(1))
			amount := qualifying * 100
			if name == "spend" {
				amount = qualifying
			}
			w.buy(t, "1", day(1), amount)
			if got := w.account.Tier(w.now, tm); got != want || w.account.Qualifying(w.now, tm) != qualifying {
				t.Errorf("%d by %s: %q with %d, want %q", qualifying, name, got, w.account.Qualifying(w.now, tm), want)
			}
		}
	}
	tm := tiered(func(x *loyalty.Tiers) { x.QualifyBy, x.Levels[0].From, x.Levels[1].From = loyalty.ByOrders, 2, 3 })
	w := newLife(tm, day(1))
	for i, want := range []string{"", "silver", "gold"} {
		w.buy(t, fmt.Sprint(i), day(1), 100)
		if got := w.account.Tier(w.now, tm); got != want {
			t.Errorf("after %d orders %q, want %q", i+1, got, want)
		}
	}
}

// standing follows a member to an instant and says what is so then.
func standing(a *loyalty.Account, at time.Time, tm *loyalty.Terms) string {
	c := a.AsOf(at, tm)
	return fmt.Sprintf("%s/%d/%t", c.Tier(at, tm), c.Standing.Changes, c.Standing.Warned != 0 && c.Standing.Warned == c.Standing.Until)
}

// A level lives for its validity, is warned of once, has its grace, and is
// lost one step at a time, each step for a validity of its own.
func TestALevelOverTime(t *testing.T) {
	date := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, jerusalem) }
	at := func(y int, m time.Month, d int) time.Time { return date(y, m, d).Add(12 * time.Hour) }
	start := at(2026, 3, 15)
	for name, c := range map[string]struct {
		tm   *loyalty.Terms
		more map[time.Time]int64 // what is bought later
		want []struct {
			at time.Time
			is string // level, changes, warned
		}
	}{
		"nothing more is bought": {tiered(), nil, []struct {
			at time.Time
			is string
		}{
			{at(2026, 3, 15), "gold/1/false"},
			{at(2027, 2, 12), "gold/1/false"},   // warned 30 days before 16 March 2027
			{date(2027, 2, 14), "gold/1/false"}, // what was bought counts until the end of March
			{date(2027, 3, 16).Add(-time.Second), "gold/1/false"},
			{date(2027, 3, 16), "gold/1/false"}, // the window is of whole months: March 2026 still counts
			{date(2028, 2, 16), "gold/1/true"},  // 30 days before 16 March 2028
			{date(2028, 3, 16).Add(-time.Second), "gold/1/true"},
			{date(2028, 3, 16), "silver/2/false"},
			{date(2029, 3, 16), "/3/false"},
			{date(2036, 1, 1), "/3/false"},
		}},
		"a grace of a month": {tiered(func(x *loyalty.Tiers) { x.Grace = months(1); x.Window = months(6) }), nil, []struct {
			at time.Time
			is string
		}{
			{date(2027, 2, 13), "gold/1/false"},
			{date(2027, 2, 14), "gold/1/true"},
			{date(2027, 3, 16), "gold/1/false"}, // in the grace: warned of what is past
			{date(2027, 4, 16).Add(-time.Second), "gold/1/false"},
			{date(2027, 4, 16), "silver/2/false"},
		}},
		"made up for within the grace": {tiered(func(x *loyalty.Tiers) { x.Grace = months(1); x.Window = months(6) }), map[time.Time]int64{at(2027, 4, 1): 150_000}, []struct {
			at time.Time
			is string
		}{{date(2027, 4, 16), "gold/1/false"}, {date(2028, 3, 3), "gold/1/true"}, {date(2028, 4, 2), "gold/1/false"}, {date(2028, 5, 2), "silver/2/false"}}},
		"qualified for again": {tiered(), map[time.Time]int64{at(2026, 12, 1): 160_000}, []struct {
			at time.Time
			is string
		}{{date(2027, 3, 16), "gold/1/false"}, {date(2028, 3, 16), "silver/2/false"}}},
		"at once": {tiered(func(x *loyalty.Tiers) { x.Downgrade = loyalty.AtOnce }), map[time.Time]int64{at(2026, 6, 1): 60_000}, []struct {
			at time.Time
			is string
		}{{date(2027, 3, 31), "gold/1/false"}, {date(2027, 4, 1), "silver/2/false"}, {date(2027, 6, 30), "silver/2/false"}, {date(2027, 7, 1), "/3/false"}}},
		"never": {tiered(func(x *loyalty.Tiers) { x.Downgrade = loyalty.Never }), nil, []struct {
			at time.Time
			is string
		}{{date(2030, 1, 1), "gold/1/false"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newLife(c.tm, start)
			w.buy(t, "1", start, 160_000)
			for when, amount := range c.more {
				w.now = when
				w.buy(t, "2", when, amount)
			}
			for _, x := range c.want {
				if x.at.Before(w.now) {
					t.Fatalf("%v is before the last order", x.at)
				}
				if got := standing(w.account, x.at, c.tm); got != x.is {
					t.Errorf("%s: %s, want %s", x.at.Format(time.DateTime), got, x.is)
				}
			}
		})
	}
}

func anyTiers(t *rapid.T) *loyalty.Terms {
	return tiered(func(x *loyalty.Tiers) {
		x.QualifyBy = rapid.SampledFrom([]loyalty.Measure{loyalty.ByBasePoints, loyalty.BySpend, loyalty.ByOrders}).Draw(t, "measure")
		x.Window = rapid.SampledFrom([]loyalty.Period{{}, months(1), months(6), months(12)}).Draw(t, "window")
		x.Validity = rapid.SampledFrom([]loyalty.Period{months(1), months(12), {Days: 10}}).Draw(t, "validity")
		x.Grace = rapid.SampledFrom([]loyalty.Period{{}, months(1)}).Draw(t, "grace")
		x.Warning = rapid.SampledFrom([]loyalty.Period{{}, {Days: 5}, {Days: 30}}).Draw(t, "warning")
		x.Downgrade = rapid.SampledFrom([]loyalty.Downgrade{loyalty.AtPeriodEnd, loyalty.AtOnce, loyalty.Never}).Draw(t, "downgrade")
		if x.QualifyBy == loyalty.ByOrders {
			x.Levels[0].From, x.Levels[1].From = 2, 4
		}
	})
}

// settled is an account as it is stored, so that two can be compared.
func settled(a *loyalty.Account) string { return string(must(json.Marshal(a))) }

// One step of the clock does what many do, whatever is due: levels, warnings,
// lots, vouchers, memberships, bonuses. It ends, reading changes nothing, and
// nothing stays due.
func TestOneStepIsAsManySteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := anyTiers(t)
		tm.Expiry = &loyalty.Expiry{After: months(rapid.IntRange(1, 12).Draw(t, "expiry")), To: loyalty.EndOfDay}
		tm.Earning.Pending = rapid.SampledFrom([]loyalty.Period{{}, {Days: 14}}).Draw(t, "pending")
		tm.Rewards = []loyalty.Reward{{ID: "coffee", Lasts: loyalty.Period{Days: 20}}}
		tm.Goals = []loyalty.Goal{
			{ID: "card", Count: loyalty.Pieces, Reach: 2, Repeat: true, Reward: "coffee"},
			{ID: "row", Count: loyalty.Orders, Streak: loyalty.Period{Days: 7}, Reach: 2, Repeat: true, Points: 5},
		}
		tm.Bonuses = []loyalty.Bonus{{ID: "half", Every: months(6), Parts: 6, Within: loyalty.Period{Days: 30}, Brackets: []loyalty.Bracket{{From: 1000, Choices: []loyalty.Choice{{ID: "p", Points: 30}}}}}}
		tm.Plans = []loyalty.Plan{{ID: "plus", Activity: "paid", Ends: "ended", Lasts: months(1), Tier: "gold"}}
		tm.Earning.Rules = append(tm.Earning.Rules, loyalty.Rule{ID: "visit", Activity: "visit", Points: 3, Limit: &loyalty.Limit{Times: 2, Per: loyalty.Period{Days: 7}}, Cooldown: loyalty.Period{Days: 1}})
		tm.Seal()
		start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		w := newLife(tm, start)
		for i := range rapid.IntRange(1, 8).Draw(t, "doings") {
			w.now = w.now.Add(time.Duration(rapid.Int64Range(0, 60*24).Draw(t, "hours")) * time.Hour)
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				w.buy(t, fmt.Sprint(i), w.now.Add(-time.Duration(rapid.Int64Range(0, 90*24).Draw(t, "late"))*time.Hour), rapid.Int64Range(1, 200_000).Draw(t, "amount"))
			case 2:
				if len(w.newest) > 0 {
					for id := range w.newest {
						if id == fmt.Sprint(i-1) {
							w.change(t, id, func(o *loyalty.Order) { o.Refunded = rapid.Int64Range(0, 100_000).Draw(t, "back") })
						}
					}
				}
			case 3:
				act := &loyalty.Act{Activity: loyalty.Activity{Type: rapid.SampledFrom([]string{"paid", "ended", "visit"}).Draw(t, "activity"), Key: fmt.Sprint(i), At: w.now}}
				vs, err := w.account.Do(act, fmt.Sprint("do", i), tm, w.now)
				if err != nil {
					t.Fatal(err)
				}
				w.note(t, vs)
			}
		}
		before := settled(w.account)
		end := w.now.AddDate(0, rapid.IntRange(0, 40).Draw(t, "months"), rapid.IntRange(0, 30).Draw(t, "days"))
		steps := w.account.AsOf(w.now, tm)
		for steps.At < end.Unix() {
			w.now = w.now.Add(time.Duration(rapid.Int64Range(1, 120*24).Draw(t, "step")) * time.Hour)
			if w.now.After(end) {
				break
			}
			steps.Settle(w.now, tm)
		}
		steps.Settle(end, tm)
		once := w.account.AsOf(end, tm)
		if got, want := settled(once), settled(steps); got != want {
			t.Fatalf("in one step\n%s\nin many\n%s", got, want)
		}
		if due := once.NextDue(); due != 0 && due <= end.Unix() {
			t.Fatalf("%d stays due at %d", due, end.Unix())
		}
		if settled(w.account) != before {
			t.Fatal("reading changed the account")
		}
		whole(t, once)
	})
}

// What a program says anew of its tiers holds for everyone from then on: a
// level that is gone is lost, one that was kept without end gets one, and
// tiers that come back find what still counts.
func TestTermsThatDropTiersAndLevels(t *testing.T) {
	with := tiered()
	without := terms()
	never := tiered(func(x *loyalty.Tiers) { x.Downgrade = loyalty.Never })
	smaller := tiered(func(x *loyalty.Tiers) { x.Levels = x.Levels[:1] })
	year := loyalty.Period{Months: 13}
	later := year.After(day(20), jerusalem)

	t.Run("tiers that go and come back", func(t *testing.T) {
		w := newLife(with, day(1))
		w.buy(t, "1", day(1), 160_000)
		w.terms, w.now = without, day(2)
		w.buy(t, "2", day(2), 100)
		if w.account.Tier(w.now, without) != "" || w.account.Standing.Until != 0 {
			t.Errorf("without tiers: %+v", w.account.Standing)
		}
		w.records["1"].Terms = 1
		w.change(t, "1", func(o *loyalty.Order) { o.Refunded = 150_000 }) // while there were none
		w.terms, w.now = with, day(20)
		w.buy(t, "3", day(20), 100)
		if got := w.account.Qualifying(w.now, with); got != 1 {
			t.Errorf("%d qualify, want 1: what was returned meanwhile does not", got)
		}
		if w.account.Tier(w.now, with) != "gold" || w.account.Standing.Until == 0 {
			t.Errorf("back again: %+v", w.account.Standing)
		}
		if c := w.account.AsOf(later, with); c.Standing.Level != "silver" {
			t.Errorf("a validity later: %+v", c.Standing)
		}
	})
	t.Run("a level that goes", func(t *testing.T) {
		w := newLife(with, day(1))
		w.buy(t, "1", day(1), 160_000)
		w.terms = smaller
		w.buy(t, "2", day(1), 100)
		if w.account.Standing.Level != "silver" || w.account.Standing.Changes != 2 {
			t.Errorf("%+v", w.account.Standing)
		}
	})
	t.Run("a level that goes, and nothing below is reached", func(t *testing.T) {
		w := newLife(with, day(1))
		w.buy(t, "1", day(1), 60_000)
		w.terms = tiered(func(x *loyalty.Tiers) { x.Levels = x.Levels[1:] })
		w.buy(t, "2", day(1), 100)
		w.terms = with
		if s := w.account.Standing; s.Level != "" || s.Changes != 2 || s.Until != 0 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("kept for ever, until the program says otherwise", func(t *testing.T) {
		w := newLife(never, day(1))
		w.buy(t, "1", day(1), 160_000)
		w.terms, w.now = with, day(20)
		w.buy(t, "2", day(20), 100)
		if w.account.Standing.Until == 0 || w.account.AsOf(later.AddDate(1, 0, 0), with).Standing.Level != "silver" {
			t.Errorf("%+v", w.account.Standing)
		}
	})
	t.Run("a window where there was none", func(t *testing.T) {
		w := newLife(tiered(func(x *loyalty.Tiers) { x.Window = loyalty.Period{} }), day(1))
		w.buy(t, "1", day(1), 60_000)
		w.terms = with
		w.change(t, "1", func(o *loyalty.Order) { o.Refunded = 1 << 40 })
		for _, m := range w.account.Standing.Months {
			if m.Points != 0 {
				t.Errorf("nothing is left, and %+v", w.account.Standing.Months)
			}
		}
	})
}

// Members who do what one member did stand, merged, where that one does.
func TestMergedMembersStandAsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := anyTiers(t)
		tm.Tiers.Downgrade = loyalty.AtPeriodEnd
		for i := range tm.Tiers.Levels {
			tm.Tiers.Levels[i].Multiplier = nil // what an order earned stays as it was earned
		}
		tm.Goals = []loyalty.Goal{
			{ID: "card", Count: loyalty.Pieces, Reach: 3, Repeat: true, Reward: "coffee"},
			{ID: "each", Count: loyalty.Spending, Reach: 5000, Repeat: true, Points: 10},
			{ID: "explorer", Count: loyalty.Stores, Reach: 3, Points: 50},
		}
		tm.Seal()
		now := day(20)
		one, left, right := newLife(tm, now), newLife(tm, now), newLife(tm, now)
		right.account.Member = "B"
		for i := range rapid.IntRange(1, 10).Draw(t, "orders") {
			o := sale(fmt.Sprint(i), rapid.Int64Range(1, 90_000).Draw(t, "amount"))
			o.Store, o.PaidAt = rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "store"), now.AddDate(0, 0, -rapid.IntRange(0, 60).Draw(t, "days"))
			for _, w := range []*life{one, rapid.SampledFrom([]*life{left, right}).Draw(t, "who")} {
				w.newest[o.ID] = o
				w.tell(t, o)
			}
		}
		must(left.account.Merge(right.account, "seed", tm, now))
		again := settled(left.account)
		must(left.account.Merge(right.account, "seed", tm, now))
		if settled(left.account) != again {
			t.Fatal("merging again changed the account")
		}
		a, b := left.account, one.account
		if a.Orders != b.Orders || a.Qualifying(now, tm) != b.Qualifying(now, tm) || a.Tier(now, tm) != b.Tier(now, tm) {
			t.Fatalf("merged: %d orders, %d qualify, %q; one: %d, %d, %q", a.Orders, a.Qualifying(now, tm), a.Tier(now, tm), b.Orders, b.Qualifying(now, tm), b.Tier(now, tm))
		}
		for i, x := range a.Toward(tm) {
			y := b.Toward(tm)[i]
			if x.Have < 0 || x.Have != y.Have || tm.Goals[i].Repeat && x.Given != y.Given {
				t.Fatalf("merged %+v, one %+v", x, y)
			}
		}
		if len(a.Vouchers) != len(b.Vouchers) {
			t.Fatalf("%d vouchers, one has %d", len(a.Vouchers), len(b.Vouchers))
		}
		whole(t, a)
		whole(t, right.account)
	})
}

// Of one level the longer life is kept.
func TestMergingKeepsTheLongerLevel(t *testing.T) {
	tm := tiered()
	early, late := newLife(tm, day(1)), newLife(tm, day(20))
	early.buy(t, "1", day(1), 60_000)
	late.account.Member = "B"
	late.buy(t, "2", day(20), 60_000)
	until := late.account.Standing.Until
	must(early.account.Merge(late.account, "seed", tm, day(21)))
	if s := early.account.Standing; s.Until != until || s.Changes != 1 || s.Level != "silver" {
		t.Errorf("%+v, want it until %d", s, until)
	}
}

// A level that asks for nothing is everyone's, from the first order on.
func TestALevelThatAsksForNothing(t *testing.T) {
	tm := tiered(func(x *loyalty.Tiers) { x.Levels[0].From = 0 })
	w := newLife(tm, day(1))
	if got := w.account.Tier(w.now, tm); got != "silver" {
		t.Errorf("a new member has %q", got)
	}
	if r := w.buy(t, "1", day(1), 10_000); r.Points != 125 {
		t.Errorf("%d points, want 125", r.Points)
	}
}

// Two who were in the same stores, each with the reward for it, keep both
// rewards as one, and neither is taken with the next order.
func TestMergingTakesNothingBack(t *testing.T) {
	tm := terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules = nil
		tm.Goals = []loyalty.Goal{{ID: "explorer", Count: loyalty.Stores, Reach: 2, Reward: "third"}}
	})
	a, b := newLife(tm, day(1)), newLife(tm, day(1))
	b.account.Member = "B"
	for i, w := range []*life{a, b} {
		for _, store := range []string{"tlv-1", "haifa"} {
			o := sale(fmt.Sprint(i, store), 1000)
			o.Store = store
			w.tell(t, o)
		}
	}
	must(a.account.Merge(b.account, "seed", tm, day(2)))
	a.buy(t, "after", day(2), 1000)
	if len(a.account.Vouchers) != 2 || a.account.Toward(tm)[0].Have != 2 {
		t.Errorf("%+v, %+v", a.account.Vouchers, a.account.Toward(tm))
	}
}
