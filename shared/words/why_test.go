package words

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

// bought is a document, its terms, and an order of 123.45 that crosses a
// level, is bounded by a limit and meets some rules only.
func bought(t *testing.T) (*program.Document, loyalty.Worth, loyalty.Detail) {
	t.Helper()
	d, err := program.Parse([]byte(`{"earning": {"rounding": "half_up", "stacking": "add", "rules": [
		{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}},
		{"id": "coffee", "name": {"en": "Coffee time", "he": "שעת קפה", "ar": "وقت القهوة", "fa": "وقت قهوه"}, "on": "order", "multiplier": "1.5", "where": {"categories": ["coffee"]}},
		{"id": "welcome", "on": "order", "points": 50, "limit": {"points": 30}},
		{"id": "haifa", "on": "order", "points": 5, "where": {"stores": ["haifa"]}},
		{"id": "night", "on": "order", "points": 5, "during": {"hours": [{"from": "22:00", "to": "23:00"}]}}
	]}, "tiers": {"crossing": "split_at_threshold", "levels": [{"id": "silver", "name": {"en": "Silver"}, "from": 50, "multiplier": "1.1"}]}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	terms, err := d.Compile(3, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := loyalty.Order{Source: "till", ID: "1001", State: loyalty.Paid, Currency: "ILS", Lines: []loyalty.Line{
		{ID: "1", Category: "coffee", Quantity: 1, Amount: 4995},
		{ID: "2", Category: "cake", Quantity: 2, Amount: 7350},
	}}
	w, detail, err := terms.Explain(&o, "", loyalty.Case{At: at, Facts: loyalty.Facts{Number: 1, Rooms: []loyalty.Room{{Rule: "welcome", Points: 30}}}})
	if err != nil {
		t.Fatal(err)
	}
	return &d, w, detail
}

var at = time.Date(2027, 3, 21, 9, 5, 0, 0, time.UTC)

// What led to an order's worth, in four languages.
func TestGoldenReasons(t *testing.T) {
	d, w, detail := bought(t)
	zone, err := time.LoadLocation(d.TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, code := range tongues {
		m := Movement{
			Entry: loyalty.Entry{Type: loyalty.Earn, Points: w.Points + 100, Balance: 1000 + w.Points, At: at.Unix(), Source: "till", Order: "1001", Lots: loyalty.Parts{{Expires: at.AddDate(1, 0, 0).Unix(), Points: w.Points}, {Expires: loyalty.StartOfDay(2028, 3, 21, zone).Unix(), Points: 70}, {Points: 30}}},
			Zone:  zone, Document: d,
			Worth: &Worth{After: w.Points + 100, Pinned: 3, Current: 5, Newest: true, Points: w.Points, Goals: 100, Detail: detail},
		}
		for _, s := range Choose(code).Why(&m) {
			sane(t, code, s)
			fmt.Fprintln(&b, s)
		}
		fmt.Fprintln(&b)
	}
	golden(t, "why.txt", b.String())
}

// Every kind of entry has a text of its own in every language.
func TestEveryEntryIsToldWhy(t *testing.T) {
	d := document(t, rich(t))
	entries := map[string]Movement{
		"earn":       {Entry: loyalty.Entry{Type: loyalty.Earn, Points: 5, Order: "1", Source: "till"}},
		"earn none":  {Entry: loyalty.Entry{Type: loyalty.Earn, Order: "1", Source: "till"}},
		"activity":   {Entry: loyalty.Entry{Type: loyalty.Earn, Points: 5, Ref: "activity/review/77/a"}},
		"automatic":  {Entry: loyalty.Entry{Type: loyalty.Earn, Points: 5, Ref: "bonus/half-year/2027-01-01"}},
		"prize":      {Entry: loyalty.Entry{Type: loyalty.Earn, Points: 5, Ref: "activity/leaderboard/weekly/1774130400/01J"}},
		"exchange":   {Entry: loyalty.Entry{Type: loyalty.Redeem, Points: -5, Ref: "exc_X", Reason: "exchange"}},
		"import":     {Entry: loyalty.Entry{Type: loyalty.Adjust, Points: 5, Ref: "imp_X", Reason: loyalty.OpeningReason}},
		"goals":      {Entry: loyalty.Entry{Type: loyalty.Earn, Points: 5, Ref: "mem_X", Reason: "goal"}},
		"other":      {Entry: loyalty.Entry{Type: loyalty.Earn, Points: 5}},
		"activate":   {Entry: loyalty.Entry{Type: loyalty.Activate, Lots: loyalty.Parts{{Points: 5}}}},
		"redeem":     {Entry: loyalty.Entry{Type: loyalty.Redeem, Points: -5, Ref: "rdm_X"}},
		"redeem for": {Entry: loyalty.Entry{Type: loyalty.Redeem, Points: -5, Ref: "rdm_X", Order: "1", Source: "till"}},
		"payout":     {Entry: loyalty.Entry{Type: loyalty.Redeem, Points: -500, Ref: "pay_X"}, Wallet: "cash"},
		"expire":     {Entry: loyalty.Entry{Type: loyalty.Expire, Points: -5}},
		"clawback":   {Entry: loyalty.Entry{Type: loyalty.Clawback, Points: -5, Order: "1", Source: "till"}},
		"restore":    {Entry: loyalty.Entry{Type: loyalty.Restore, Points: 5, Ref: "rdm_X", Reason: loyalty.RestoredLate}},
		"add":        {Entry: loyalty.Entry{Type: loyalty.Adjust, Points: 5, Ref: "adj_X", Reason: "thanks"}},
		"take":       {Entry: loyalty.Entry{Type: loyalty.Adjust, Points: -5, Ref: "adj_X", Reason: "thanks"}},
		"writeoff":   {Entry: loyalty.Entry{Type: loyalty.WriteOff, Points: 5}},
		"borne":      {Entry: loyalty.Entry{Type: loyalty.WriteOff, Points: -5, Order: "1", Source: "till"}},
		"merge in":   {Entry: loyalty.Entry{Type: loyalty.MergeInto, Points: 5, Ref: "mem_X"}},
		"merge out":  {Entry: loyalty.Entry{Type: loyalty.MergeInto, Points: -5, Ref: "mem_X"}, Away: true},
		"unrefer":    {Entry: loyalty.Entry{Type: loyalty.Clawback, Points: -5, Ref: "rfl_X"}},
		"refer":      {Entry: loyalty.Entry{Type: loyalty.Refer, Points: 5, Ref: "rfl_X"}},
	}
	for _, code := range tongues {
		first := map[string]string{}
		for name, m := range entries {
			m.At, m.Zone, m.Document = at.Unix(), time.UTC, d
			said := Choose(code).Why(&m)
			for _, s := range said {
				sane(t, code, s)
			}
			if other := first[said[0]]; other != "" {
				t.Errorf("%s: %s and %s are both %q", code, name, other, said[0])
			}
			first[said[0]] = name
		}
	}
}

// Every reason for which a rule does not apply has a text in every language.
func TestEveryReasonIsSaid(t *testing.T) {
	for _, no := range []loyalty.Unmet{
		loyalty.UnmetDuring, loyalty.UnmetStore, loyalty.UnmetRegion, loyalty.UnmetChannel, loyalty.UnmetSource, loyalty.UnmetTier, loyalty.UnmetSegment, loyalty.UnmetMember, loyalty.UnmetNumber,
		loyalty.UnmetLines, loyalty.UnmetAmount, loyalty.UnmetQuantity, loyalty.UnmetWhen, loyalty.UnmetGroup, loyalty.UnmetLimit, loyalty.UnmetBest,
	} {
		for _, code := range tongues {
			if s := Choose(code).Unmet(no); strings.HasPrefix(s, "unmet.") {
				t.Errorf("%s: nothing says %s", code, no)
			}
		}
	}
}

// A period began on the day of its own zone, whatever day it was in UTC.
func TestPeriodsBeganOnALocalDay(t *testing.T) {
	d, _, _ := bought(t)
	for name, utc := range map[string]string{"Asia/Jerusalem": "2026-12-31", "UTC": "2027-01-01", "America/New_York": "2027-01-01"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		w := teller{writer: writer{Language: Choose("en"), d: d}, m: &Movement{Zone: zone}}
		if got := w.began(utc); got != "1 January 2027" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Money of a wallet is said as money, whole or not.
func TestSumsOfMoney(t *testing.T) {
	d, _, _ := bought(t)
	for wallet, want := range map[string]string{"": "370.35 points", "cash": "3.7035 ILS"} {
		w := teller{writer: writer{Language: Choose("en"), d: d}, m: &Movement{Wallet: wallet}}
		if got := w.exact(ratio(t, "37035/100")); got != want {
			t.Errorf("%q: %s, want %s", wallet, got, want)
		}
	}
}

func ratio(t *testing.T, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatal(s)
	}
	return r
}
