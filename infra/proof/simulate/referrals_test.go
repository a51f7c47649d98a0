package main

import "testing"

// referralKinds is a world in which nothing happens but members bringing
// friends, and what makes it hard: orders that change, overtake each other and
// come twice, people who turn out to be one or ask to be forgotten, points that
// are spent before they are taken back, other rules.
var referralKinds = []Kind{
	{"registration", 40, registerFriend.Draw},
	{"friend's order", 40, friendOrder.Draw},
	{"order change", 20, changedOrder.Draw},
	{"late refund", 15, lateRefund.Draw},
	newOrder, enrolMember, askCode, mergeMembers, erasePerson, redeemPoints, recordActivity,
	decideReferral, readReferral, followLink, runReferrals, runSchedule, publishRules,
}

// 10,000 friends, each a random history of what was told of her, under every
// fault at once, and no difference to the model: in status, rank, reasons and
// points, in the balances of both, and in who is paid for.
func TestTenThousandFriends(t *testing.T) {
	want := 10_000
	if testing.Short() {
		want = 1000
	}
	friends, worlds, stages := 0, 0, map[string]int{}
	for ; friends < want; worlds++ {
		w := play(17, worlds, 2500, nil, seam{kinds: referralKinds}, nil)
		if w.wrong != nil {
			t.Fatalf("world %d: %v", worlds, w.wrong)
		}
		for _, p := range w.programmes {
			friends += len(p.refs)
			for _, r := range p.refs {
				stages[r.stage]++
				if r.rank > 0 && r.stage != "qualified" {
					stages["taken back"]++
				}
				if r.rank > 2 {
					stages["higher rungs"]++
				}
			}
		}
	}
	t.Logf("%d friends in %d worlds: %v", friends, worlds, stages)
	for _, stage := range []string{"registered", "pending", "qualified", "blocked", "review", "cancelled", "taken back", "higher rungs"} {
		if stages[stage] == 0 {
			t.Errorf("no referral is %s", stage)
		}
	}
}
