package main

import (
	"fmt"
	"sync"
	"testing"
)

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
	const worlds = 30
	var mu sync.Mutex
	friends, stages := 0, map[string]int{}
	t.Run("worlds", func(t *testing.T) {
		for n := range worlds {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				w := play(17, n, 2500, nil, seam{kinds: referralKinds}, nil)
				if w.wrong != nil {
					t.Fatal(w.wrong)
				}
				mu.Lock()
				defer mu.Unlock()
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
			})
		}
	})
	t.Logf("%d friends in %d worlds: %v", friends, worlds, stages)
	if friends < 10_000 {
		t.Errorf("%d friends", friends)
	}
	for _, stage := range []string{"registered", "pending", "qualified", "blocked", "review", "cancelled", "taken back", "higher rungs"} {
		if stages[stage] == 0 {
			t.Errorf("no referral is %s", stage)
		}
	}
}

// What the simulation found in referrals, each in as few steps as it takes.
// The model says what is right.
func TestWhatWasFoundInReferrals(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(l *life, a, b string){
		"a rewarded friend who is told of again by e-mail alone": func(l *life, a, b string) {
			c := l.comes("f1", l.code(a))
			c.email = "f1@example.com"
			l.do(c)
			l.do(l.order("", "f1", byAPI, ""))
			l.run("follow")
			l.runUntil(l.clock + 2*24*3600)
			l.run("referrals")
			l.do(&register{code: l.code(b), email: "f1@example.com"})
		},
		"a friend who follows another's link before the stream has brought her order": func(l *life, a, b string) {
			c := l.comes("f1", l.code(a))
			c.email = "f1@example.com"
			l.do(c)
			l.do(l.order("", "f1", byAPI, ""))
			l.do(&register{code: l.code(b), email: "f1@example.com"})
		},
		"a guest with a code on the order who registers before the stream has brought it": func(l *life, a, b string) {
			o := l.order("", "f1", byAPI, "")
			o.e.referral = l.code(a)
			l.do(o)
			l.do(l.comes("f1", l.code(b)))
		},
		"two who came by one registration and are one": func(l *life, a, b string) {
			c := l.comes("f1", l.code(a))
			c.email = l.p.members[b].email
			l.do(c)
			l.do(l.order("", "f1", byAPI, ""))
			l.do(l.order(b, "", byAPI, ""))
			l.run("follow")
			l.do(&merge{from: l.guest("f1"), into: b})
		},
		"a merge right after the registration that it ends": func(l *life, a, b string) {
			l.do(l.order("", "f1", byAPI, "").changed(func(e *edition) { e.state = "placed" }))
			l.do(l.comes("f1", l.code(a)))
			l.do(l.comes(l.p.members[b].ids["till"], l.code(l.p.people[2])))
			l.do(&merge{from: l.guest("f1"), into: b})
		},
		"a refund of a rewarded order that is taken back": func(l *life, a, _ string) {
			o := l.qualified("f1", l.code(a))
			l.run("referrals")
			l.do(o.changed(func(e *edition) { e.refunded = 90_000 }))
			l.do(o.changed(func(e *edition) { e.refunded = 0 }))
			l.check(0) // before the stream is followed
		},
		"a guest who was told of together with a rewarded friend, and follows another's link": func(l *life, a, b string) {
			l.do(l.order("", "f1", byAPI, "").changed(func(e *edition) { e.state = "placed" }))
			c := l.comes("f1", l.code(a))
			c.email = l.p.members[b].email
			l.do(c)
			l.do(l.order(b, "", byAPI, ""))
			l.run("follow")
			l.runUntil(l.clock + 2*24*3600)
			l.run("referrals")
			l.do(l.comes("f1", l.code(l.p.people[2])))
		},
		"two orders with a code right after another": func(l *life, a, _ string) {
			code := l.code(a)
			for _, friend := range []string{"f1", "f2"} {
				o := l.order("", friend, byAPI, "")
				o.e.referral = code
				l.do(o)
				l.do(o.changed(func(e *edition) { e.refunded = 1000 }))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(40) { // the first without any fault, each of the others with other reads that are old
				l := newLife(seed)
				l.odds.stale = min(.25, float64(seed))
				happen(l, l.p.people[0], l.p.people[1])
				if l.finish(0); l.wrong != nil {
					t.Fatalf("seed %d: %v", seed, l.wrong)
				}
			}
		})
	}
}
