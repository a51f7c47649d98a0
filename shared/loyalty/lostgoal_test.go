package loyalty_test

import (
	"testing"
	"time"

	"regulars/shared/loyalty"
)

// A goal that was lost while the rules in force did not have it is taken back
// with the next order: from what is there, and no lot is below zero.
func TestAnOrderThatFirstCountsCanLoseAGoal(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	with := terms(func(tm *loyalty.Terms) {
		tm.Earning.Rules = nil
		tm.Goals = []loyalty.Goal{{ID: "every", Count: loyalty.Spending, Reach: 10_000, Repeat: true, Points: 40}}
	})
	without := terms(func(tm *loyalty.Terms) { tm.Earning.Rules = nil })
	a := &loyalty.Account{Member: "M"}
	tell := func(r *loyalty.Record, o *loyalty.Order, current *loyalty.Terms) {
		t.Helper()
		r.Member = a.Member
		if _, err := r.Receive(o, true); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Apply(r, loyalty.Telling{Pinned: with, Current: current, Now: now}); err != nil {
			t.Fatal(err)
		}
		whole(t, a)
	}
	var first, second loyalty.Record
	tell(&first, sale("1", 10_000), with)
	refunded := sale("1", 10_000)
	refunded.Version.N, refunded.Refunded = 2, 10_000
	tell(&first, refunded, without)
	tell(&second, sale("2", 1_000), with)
	if first.Points != 40 || second.Points != -40 || a.Balance != 0 || a.BalanceAt(now, with).Available != 0 {
		t.Errorf("%d and %d points, balance %d, %+v", first.Points, second.Points, a.Balance, a.BalanceAt(now, with))
	}
}
