package announce_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/referrals"
	"regulars/shared/table"
)

// rami is a friend of noa's.
const rami = "01J0000000000000000000000E"

func (l *life) by() referrals.By { return referrals.By{Now: l.now, Seed: "seed"} }

// register lets a friend of noa's come by her code.
func (l *life) register(unique string, c loyalty.Customer) (id string) {
	l.t.Helper()
	id = table.ReferralID(l.now, "01J00000000000000000000"+unique)
	l.step(func(tx *table.Tx, _ *loyalty.Terms) error {
		_, err := referrals.Register(tx, referrals.Registration{Code: "ANNA7", Customer: &c}, id, l.by())
		return err
	})
	return id
}

// follow lets a friend's referral follow the friend's account, as the stream does.
func (l *life) follow(member string) {
	l.t.Helper()
	l.account(member, func(tx *table.Tx, a *loyalty.Account, _ *loyalty.Terms) error {
		_, err := referrals.Settle(tx, a, l.by())
		return err
	})
}

// referred is a life of friends: one who is kept and whose order comes back,
// one who is the member herself, one whom people look at.
func referred(t *testing.T) *life {
	l := begin(t)
	l.publish(`{"referral": {"advocate": [{"rank": 1, "points": 100}], "friend": {"points": 50}, "minimum": 3000, "invite": {"orders": 1}}}`)
	l.step(func(tx *table.Tx, _ *loyalty.Terms) error {
		if _, _, err := tx.Code("ANNA7"); err != nil {
			return err
		}
		tx.PutCode("ANNA7", noa)
		return tx.Enrol(&table.Profile{Member: noa, Email: "noa@gmail.com", Codes: []string{"ANNA7"}, CreatedAt: l.now.Unix()})
	})
	l.take(loyalty.Order{ID: "1001", Version: loyalty.Revision{N: 1}, Member: "mem_" + noa})
	l.account(noa, func(tx *table.Tx, a *loyalty.Account, terms *loyalty.Terms) error {
		act := &loyalty.Act{Member: noa, Activity: loyalty.Activity{Type: "feedback", Key: "1", At: l.now, Data: map[string]string{"score": "9"}}}
		_, err := a.Do(act, "seed", terms, l.now)
		return err
	})
	l.register("0R1", loyalty.Customer{Email: "n.o.a@gmail.com"})     // herself
	l.register("0R2", loyalty.Customer{Email: "rami@mailinator.com"}) // nobody whom anybody knows
	l.step(func(tx *table.Tx, _ *loyalty.Terms) error {
		return tx.Enrol(&table.Profile{Member: rami, Email: "rami@example.com", CreatedAt: l.now.Unix()})
	})
	kept := l.register("0R3", loyalty.Customer{Email: "rami@example.com"})
	l.take(loyalty.Order{ID: "3001", Version: loyalty.Revision{N: 1}, Member: "mem_" + rami, ReferralCode: "ANNA7"})
	l.follow(rami)
	l.now = l.now.Add(15 * 24 * time.Hour) // it is safe
	l.step(func(tx *table.Tx, _ *loyalty.Terms) error {
		r, err := tx.Referral(kept)
		if err != nil {
			return err
		}
		return referrals.SettleDue(tx, r, l.by())
	})
	l.take(loyalty.Order{ID: "3001", Version: loyalty.Revision{N: 2}, Member: "mem_" + rami, ReferralCode: "ANNA7", State: loyalty.Cancelled})
	return l
}

// A referral is told at every stage, and what it gave as points that are earned.
func TestFactsOfReferrals(t *testing.T) {
	var got []string
	for _, e := range facts(t, referred(t).changes()) {
		var data struct{ Reasons []string }
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Join(append([]string{e.Time.Format("0102"), e.Type}, data.Reasons...), " "))
	}
	want := []string{
		"0315 member.enrolled", "0315 member.enrolled", "0315 points.earned", "0315 points.earned", "0315 referral.blocked self_referral", "0315 referral.invited",
		"0315 referral.pending", "0315 referral.registered", "0315 referral.review disposable_email", "0315 segment.entered", "0315 segment.entered",
		"0330 points.clawed_back", "0330 points.clawed_back", "0330 points.clawed_back", "0330 points.earned", "0330 points.earned", "0330 referral.cancelled refunded", "0330 referral.qualified", "0330 segment.left",
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
