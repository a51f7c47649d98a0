package loyalty_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

// again is entries as they are read after they were written.
func again(t rapid.TB, entries loyalty.Entries) loyalty.Entries {
	t.Helper()
	var out loyalty.Entries
	if err := out.UnmarshalBinary(must(entries.MarshalBinary())); err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever entries are, those that no ledger has among them, they unpack to
// themselves; what is cut off within one is an error.
func TestPackedEntriesUnpackToThemselves(t *testing.T) {
	number := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-700, 700), rapid.Int64Range(1_700_000_000, 1_900_000_000), rapid.Just[int64](0))
	expires := rapid.OneOf(number, rapid.Custom(func(t *rapid.T) int64 { return 1_800_000_000 + 3600*rapid.Int64Range(-9000, 9000).Draw(t, "hours") }))
	name := rapid.OneOf(
		rapid.SampledFrom([]string{"", "shopify", "till", "goal", "0", "7", "-7", "+7", "007", "999999999999999999", "1000000000000000000", "9223372036854775807", "99999999999999999999"}),
		rapid.String(), rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.Uint64().Draw(t, "id")) }))
	entry := rapid.Custom(func(t *rapid.T) loyalty.Entry {
		e := loyalty.Entry{
			Type: loyalty.EntryType(rapid.Byte().Draw(t, "type")), Points: number.Draw(t, "points"), Balance: number.Draw(t, "balance"), At: number.Draw(t, "at"),
			Ref: name.Draw(t, "ref"), Source: name.Draw(t, "source"), Order: name.Draw(t, "order"), Terms: number.Draw(t, "terms"), Reason: name.Draw(t, "reason"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "lots") {
			e.Lots = append(e.Lots, loyalty.Part{Expires: expires.Draw(t, "expires"), Points: rapid.OneOf(number, rapid.Just(e.Points)).Draw(t, "points")})
		}
		copy(e.Hash[:], rapid.SliceOfN(rapid.Byte(), len(e.Hash), len(e.Hash)).Draw(t, "hash"))
		return e
	})
	rapid.Check(t, func(t *rapid.T) {
		entries := loyalty.Entries(rapid.SliceOfN(entry, 0, 8).Draw(t, "entries"))
		if len(entries) == 0 {
			entries = nil
		}
		for i := 1; i < len(entries); i++ { // most balances are sums
			if rapid.Bool().Draw(t, "sum") {
				entries[i].Balance = entries[i-1].Balance + entries[i].Points
			}
		}
		if diff := gocmp.Diff(entries, again(t, entries)); diff != "" {
			t.Fatal(diff)
		}
		if n := len(entries); n > 0 {
			whole := must(entries.MarshalBinary())
			last := len(must(entries[:n-1].MarshalBinary()))
			cut := rapid.IntRange(last+1, len(whole)-1).Draw(t, "cut")
			var out loyalty.Entries
			if out.UnmarshalBinary(whole[:cut]) == nil {
				t.Fatalf("a cut at %d of %d was not seen", cut, len(whole))
			}
		}
	})
}

// A ledger that is written in runs, wherever they end, is verified as one that
// was not, and what was changed in it is found at the same entry.
func TestPackedLedgersAreVerifiedAsTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := terms(func(tm *loyalty.Terms) { tm.Earning.Rules[0].Rate = big.NewRat(1, 50) })
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		a := &loyalty.Account{Member: "A"}
		for i := range rapid.IntRange(1, 12).Draw(t, "orders") {
			var r loyalty.Record
			o := sale(fmt.Sprint(7000000000000+i*int(rapid.Int64Range(1, 1e10).Draw(t, "between"))), rapid.Int64Range(0, 40000).Draw(t, "amount"))
			o.PaidAt = now
			take(t, a, &r, o, nil, tm, now)
			if rapid.Bool().Draw(t, "refunded") {
				back := *o
				back.Version.N, back.Refunded = 2, rapid.Int64Range(0, 40000).Draw(t, "back")
				take(t, a, &r, &back, nil, tm, now)
			}
			now = now.Add(time.Duration(rapid.Int64Range(1, 90*86400).Draw(t, "s")) * time.Second)
			a.Settle(now, tm)
		}
		cut := rapid.IntRange(0, len(a.Tail)).Draw(t, "cut")
		read := func() loyalty.Entries { return append(again(t, a.Tail[:cut]), again(t, a.Tail[cut:])...) }
		if v := loyalty.Verify(a, read()); !v.Valid {
			t.Fatalf("the ledger does not hold at entry %d once it was packed", v.FirstBad)
		}
		bad := rapid.IntRange(0, len(a.Tail)-1).Draw(t, "bad")
		e := &a.Tail[bad]
		rapid.SampledFrom([]func(){
			func() { e.Balance++ }, func() { e.Points++ }, func() { e.Points--; e.Balance-- }, func() { e.At++ }, func() { e.Order += "0" }, func() { e.Source = "tell" },
			func() { e.Ref += "x" }, func() { e.Reason += "x" }, func() { e.Terms++ }, func() { e.Type++ }, func() { e.Hash[7]++ },
			func() { e.Lots = append(loyalty.Parts{{Expires: 3600}}, e.Lots...) },
		}).Draw(t, "harm")()
		if v := loyalty.Verify(a, read()); v.Valid || v.FirstBad != int64(bad)+1 {
			t.Fatalf("entry %d was changed; valid %v, first bad %d", bad+1, v.Valid, v.FirstBad)
		}
	})
}
