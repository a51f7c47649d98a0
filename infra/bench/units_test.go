package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"regulars/infra/local"
	"regulars/infra/runtimeapi"
	"regulars/shared/table/tabletest"
)

// What an order costs is a promise of the table's design, so counts are held
// here; times are only printed by the bench.

func open(t *testing.T) *shop {
	t.Helper()
	endpoint, _ := tabletest.DynamoDBLocal(t)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	s, err := openShop(context.Background(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestUnitsOfARegular(t *testing.T) {
	s := open(t)
	m := s.join(regular, func(string) {})
	m.live(100)
	orders, _, _, captures := m.live(160)

	paid := order(m.orderID(), 1, m.byID(), m.clock, 0)
	_, again := m.send("POST", "/v1/orders", paid)
	m.orders++
	hooked := order(m.orderID(), 1, m.byExternal(), m.clock, 0)
	_, webhook := m.webhook(hooked)
	_, webhookAgain := m.webhook(hooked)
	if err := s.failure(); err != nil {
		t.Fatal(err)
	}

	most := func(what string, costs []units, of func(units) float64, most float64) {
		t.Helper()
		mean, _, high := spread(costs, of)
		t.Logf("%s: %.3f on average, at most %v", what, mean, high)
		if mean > most || len(costs) == 0 {
			t.Errorf("%s: %.3f on average, may be %v", what, mean, most)
		}
	}
	most("write units of an order", orders, written, 4.23)
	most("read units of an order", orders, read, 2.5)
	most("write units of a capture", captures, written, 4.06)
	most("write units of a duplicate", []units{again, webhookAgain}, written, 0)
	most("read units of a webhook", []units{webhook}, read, 4)
}

// That a member brought the friend costs nothing on the way of the order: of who
// registered, the account is in the index of what is due already. What follows
// writes the referral, its place among what is due, and from which network the
// friend bought: who it is, is looked at again with the order. A click is one
// plain write.
func TestUnitsOfReferrals(t *testing.T) {
	s := open(t)
	figures, err := referrals(s, 12, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	most := map[string]float64{click: 1, clickAgain: 1, firstOrder: 5.3, friendOrder: 4.3, followUp: 7, rewarded: 8.1}
	for _, f := range figures {
		mean, _, high := spread(f.costs, written)
		reads, _, _ := spread(f.costs, read)
		t.Logf("%s: %.2f write units, at most %v, %.2f read units", f.name, mean, high, reads)
		if limit, ok := most[f.name]; ok && (mean > limit || len(f.costs) == 0) {
			t.Errorf("%s: %.2f write units, may be %v", f.name, mean, limit)
		}
		if index, _, _ := spread(f.costs, indexed); f.name == friendOrder && mean-index > 4.3 {
			t.Errorf("%s: %.2f write units without the index, may be 4.3", f.name, mean-index)
		}
	}
}

// Who keeps many lots pays for more pages, but the account stays within the
// kilobyte that one unit writes.
func TestUnitsOfOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: units of long lives were not counted: -short")
	}
	s := open(t)
	for _, c := range []struct {
		who    shopper
		orders int
		most   float64
	}{
		{shopper{"every month, never spends", 30 * day, 0, 0}, 40, 4.21},
		{shopper{"every week, never spends", 7 * day, 0, 0}, 80, 4.31},
	} {
		m := s.join(c.who, func(string) {})
		m.live(c.orders)
		orders, _, _, _ := m.live(c.orders)
		if err := s.failure(); err != nil {
			t.Fatal(err)
		}
		mean, _, _ := spread(orders, written)
		t.Logf("%s: %.3f write units", c.who.name, mean)
		if mean > c.most {
			t.Errorf("%s: %.3f write units, may be %v", c.who.name, mean, c.most)
		}
		largest := slices.MaxFunc(orders, func(a, b units) int { return a.Sizes["ACCOUNT"] - b.Sizes["ACCOUNT"] })
		if size := largest.Sizes["ACCOUNT"]; size > 1024 {
			t.Errorf("%s: an account of %d bytes", c.who.name, size)
		}
		bytes, _ := s.meter.stored(local.Program + "#MEMBER#" + strings.TrimPrefix(m.id, "mem_"))
		each := float64(bytes["ACCOUNT"]+bytes["PAGE"]) / float64(m.entries())
		if t.Logf("%s: %.1f bytes an entry", c.who.name, each); each > 40 {
			t.Errorf("%s: %.1f bytes an entry", c.who.name, each)
		}
	}
}

// Of earn's zip 3.2 MB are the compiler of expressions.
func TestZipOfEarn(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: the zip of earn was not weighed: -short")
	}
	binary, err := runtimeapi.Build(t.Context(), t.TempDir(), "earn", runtimeapi.Arch)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := runtimeapi.Zip(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(zip))
	if len(zip) > 7_500_000 {
		t.Errorf("earn's zip has %d bytes, may have 7,500,000", len(zip))
	}
}

// A run reads each member once, eventually consistent, and her key from the
// index; and it writes who changed, and nobody else.
func TestUnitsOfARefresh(t *testing.T) {
	endpoint, _ := tabletest.DynamoDBLocal(t)
	const members = 2560
	w, err := walk(t.Context(), endpoint, members)
	if err != nil {
		t.Fatal(err)
	}
	each := w.read.Read * 1_000_000 / members
	t.Logf("%.0f read units a million members; %d changes: %.0f write units, %.0f read units, accounts of %v bytes", each, w.changed, w.score.Write, w.score.Read, w.score.Sizes)
	if each > 520_000 {
		t.Errorf("%.0f read units a million members, may be 520,000", each)
	}
	if w.decided != int64(w.changed) || w.changed == 0 {
		t.Errorf("%d accounts decided, %d changed", w.decided, w.changed)
	}
	if size := w.score.Sizes["ACCOUNT"]; size > 1024 || size < 700 {
		t.Errorf("accounts of %d bytes, are to be a KB", size)
	}
	if w.score.Write != float64(w.changed) || w.read.Write != 0 {
		t.Errorf("%.0f write units to read and %.0f to write %d accounts of a KB", w.read.Write, w.score.Write, w.changed)
	}
}
