package loyalty_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"regulars/shared/loyalty"
)

// Bytes are lots or they are not; those that are read back as themselves.
func FuzzPacked(f *testing.F) {
	for _, lots := range []loyalty.Lots{nil, {{Points: 1}}, {{Expires: 1773561660, Points: 75}, {Expires: 1773648060, Active: 1773561660, Points: 1 << 60}}, {{Expires: -1 << 63, Active: 1<<63 - 1, Points: -1}}} {
		f.Add(must(lots.MarshalBinary()))
	}
	f.Add(must(loyalty.Tallies{{ID: "card", N: 3}, {ID: "daily", Period: 1773561660, N: 1, Points: 5}, {ID: "daily", Period: 1773648060, N: 1}}.MarshalBinary()))
	f.Add(must(loyalty.Months{{Number: 24315, Points: 120}, {Number: 24316, Points: -3}}.MarshalBinary()))
	f.Add(must(loyalty.Spans{{Number: 20513, Days: 1, Orders: 1, Spent: 15480}, {Number: 20514, Days: 1, Orders: 2, Spent: 0}, {Number: 24315, Days: 5, Orders: 7, Spent: 1 << 40}}.MarshalBinary()))
	f.Add(must(loyalty.Purchases{
		Spent: 15480, Newest: loyalty.Spans{{Number: 20513, Days: 1, Orders: 1, Spent: 15480}}, Away: 2, Oldest: loyalty.Span{Number: 20000, Days: 1, Orders: 1}, Next: 20001, From: 24300,
		Months: loyalty.Spans{{Number: 24301, Days: 2, Orders: 2}}, Stores: []loyalty.Visits{{Store: "tlv-1", Orders: 3}}, Elsewhere: 1,
	}.MarshalBinary()))
	f.Add(must(loyalty.Entries{
		{Type: loyalty.Earn, Points: 154, Balance: 754, At: 1773561660, Source: "shopify", Order: "5001234567890", Terms: 3, Lots: loyalty.Parts{{Expires: 1805148000, Points: 154}}},
		{Type: loyalty.Redeem, Points: -600, Balance: 154, At: 1773648060, Ref: "rdm_A", Terms: 3, Lots: loyalty.Parts{{Expires: 1804543200, Points: -500}, {Expires: 1805148000, Points: -100}}},
		{Type: loyalty.Earn, Points: 0, Balance: 7, At: 1773648061, Source: "shopify", Order: "A-7", Terms: 2, Reason: "goal", Lots: loyalty.Parts{{Expires: 1}}, Hash: loyalty.Hash{15: 1}},
	}.MarshalBinary()))
	f.Add([]byte{0x80})
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var lots, lotsAgain loyalty.Lots
		if lots.UnmarshalBinary(b) == nil {
			if err := lotsAgain.UnmarshalBinary(must(lots.MarshalBinary())); err != nil || !slices.Equal(lots, lotsAgain) {
				t.Errorf("%x is %v, then %v (%v)", b, lots, lotsAgain, err)
			}
		}
		var parts, partsAgain loyalty.Parts
		if parts.UnmarshalBinary(b) == nil {
			if err := partsAgain.UnmarshalBinary(must(parts.MarshalBinary())); err != nil || !slices.Equal(parts, partsAgain) {
				t.Errorf("%x is %v, then %v (%v)", b, parts, partsAgain, err)
			}
		}
		var entries, entriesAgain loyalty.Entries
		if entries.UnmarshalBinary(b) == nil {
			if err := entriesAgain.UnmarshalBinary(must(entries.MarshalBinary())); err != nil || !reflect.DeepEqual(entries, entriesAgain) {
				t.Errorf("%x is %v, then %v (%v)", b, entries, entriesAgain, err)
			}
		}
		var tallies, talliesAgain loyalty.Tallies
		if tallies.UnmarshalBinary(b) == nil {
			if err := talliesAgain.UnmarshalBinary(must(tallies.MarshalBinary())); err != nil || !slices.Equal(tallies, talliesAgain) {
				t.Errorf("%x is %v, then %v (%v)", b, tallies, talliesAgain, err)
			}
		}
		var spans, spansAgain loyalty.Spans
		if spans.UnmarshalBinary(b) == nil {
			if err := spansAgain.UnmarshalBinary(must(spans.MarshalBinary())); err != nil || !slices.Equal(spans, spansAgain) {
				t.Errorf("%x is %v, then %v (%v)", b, spans, spansAgain, err)
			}
		}
		var bought, boughtAgain loyalty.Purchases
		if bought.UnmarshalBinary(b) == nil {
			if err := boughtAgain.UnmarshalBinary(must(bought.MarshalBinary())); err != nil || fmt.Sprint(bought) != fmt.Sprint(boughtAgain) {
				t.Errorf("%x is %v, then %v (%v)", b, bought, boughtAgain, err)
			}
		}
		var months, monthsAgain loyalty.Months
		if months.UnmarshalBinary(b) == nil {
			if err := monthsAgain.UnmarshalBinary(must(months.MarshalBinary())); err != nil || !slices.Equal(months, monthsAgain) {
				t.Errorf("%x is %v, then %v (%v)", b, months, monthsAgain, err)
			}
		}
	})
}

// A period is one that can be written, or refused; it never goes back in time.
func FuzzParsePeriod(f *testing.F) {
	for _, s := range []string{"", "P", "PT", "P0D", "P12M", "PT15M", "P1Y2M3W4DT5H6M7S", "P-1D", "P1.5D", "P9999Y", "P99999999999999999999D", "p1d", "P1M1Y", "PT1H1H"} {
		f.Add(s)
	}
	from := time.Date(2026, 3, 15, 8, 0, 0, 0, jerusalem)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := loyalty.ParsePeriod(s)
		if err != nil {
			return
		}
		if at := p.After(from, jerusalem); at.Before(from) {
			t.Errorf("%q after %v is %v", s, from, at)
		}
	})
}
