package main

import (
	"context"
	"fmt"
	"strings"
)

// code lets a member have a code to bring friends with.
func (l *life) code(member string) string {
	code := fmt.Sprint("CODE", l.number())
	l.do(&wantCode{member, code})
	return code
}

// comes registers a friend who came by a code, an hour ago.
func (l *life) comes(friend, code string) *register {
	return &register{code: code, customer: friend, source: "till", clicked: l.clock - 3600}
}

// job is a job on its way; the stream is followed from its begin.
func (l *life) job(name string) *message {
	if step, ok := strings.CutPrefix(name, "segment "); ok {
		if step == "begin" {
			m := l.refreshesBegun()
			m.acked = nil // they need not go on
			return m
		}
		return l.driven(step)
	}
	m := &message{kind: name, job: name}
	if name == "follow" {
		var err error
		if m.changes, _, err = l.feed.Changes(context.Background(), "0", 1000); err != nil {
			panic(err)
		}
	}
	return m
}

// run does a job, and waits for its end.
func (l *life) run(name string) {
	l.deliver(l.job(name), l.clock)
	l.runUntil(l.clock + 60)
}

// referral is the one whose friend a guest is.
func (l *life) referral(friend string) string { return l.p.members[l.guest(friend)].lead.id }

func (l *life) guest(friend string) string { return l.p.external["till/"+friend] }

// qualified lets a member bring a friend who buys, and whose order is safe.
func (l *life) qualified(friend, code string) *tellOrder {
	l.do(l.comes(friend, code))
	o := l.order("", friend, byAPI, "")
	l.do(o)
	l.run("follow")
	l.runUntil(l.clock + 2*24*3600)
	return o
}

// suspicious is a referral that people have to look at, and that is safe
// apart from that.
func (l *life) suspicious(member string) string {
	code := l.code(member)
	for _, friend := range []string{"f1", "f2", "f3"} {
		c := l.comes(friend, code)
		c.net = "2a00:7:7::1"
		l.do(c)
	}
	l.do(l.order("", "f3", byAPI, ""))
	l.run("follow")
	l.runUntil(l.clock + 2*24*3600)
	return l.referral("f3")
}

// crashesOfReferrals are what a process can be doing for members who bring
// friends, when it ends.
var crashesOfReferrals = []crashing{
	{"a code", "", func(_ *life, m string) Op { return &wantCode{m, "CODE1"} }},
	{"a registration", "", func(l *life, m string) Op { return l.comes("f1", l.code(m)) }},
	{"a registration of a member", "", func(l *life, m string) Op {
		c := l.comes(l.p.members[l.p.people[1]].ids["till"], l.code(m))
		c.net = "2a00:7:7::1"
		return c
	}},
	{"a registration that takes the place of another", "", func(l *life, m string) Op {
		l.do(l.comes("f1", l.code(m)))
		return l.comes("f1", l.code(l.p.people[1]))
	}},
	{"a registration of a guest that takes the place of another", "", func(l *life, m string) Op {
		o := l.order("", "f1", byAPI, "")
		o.e.state, o.e.paidAt, o.e.fulfilledAt = "placed", 0, 0
		l.do(o)
		l.do(l.comes("f1", l.code(m)))
		return l.comes("f1", l.code(l.p.people[1]))
	}},
	{"a friend's first order", "", func(l *life, m string) Op {
		l.do(l.comes("f1", l.code(m)))
		return l.order("", "f1", byStandard, "")
	}},
	{"an order with a code", "", func(l *life, m string) Op {
		o := l.order("", "f1", byStandard, "")
		o.e.referral = l.code(m)
		return o
	}},
	{"a refund of a rewarded order", "", func(l *life, m string) Op {
		o := l.qualified("f1", l.code(m))
		l.run("referrals")
		return o.changed(func(e *edition) { e.refunded = 90_000 })
	}},
	{"a merge of an advocate and a friend", "", func(l *life, m string) Op {
		l.qualified("f1", l.code(m))
		l.run("referrals")
		return &merge{from: l.guest("f1"), into: m}
	}},
	{"a merge of two friends", "", func(l *life, m string) Op {
		l.qualified("f1", l.code(m))
		l.run("referrals")
		l.qualified("f2", l.code(l.p.people[1]))
		l.run("referrals")
		return &merge{from: l.guest("f2"), into: l.guest("f1")}
	}},
	{"a referral that is approved", "", func(l *life, m string) Op { return &review{l.suspicious(m), "approve"} }},
	{"a referral that is rejected", "", func(l *life, m string) Op { return &review{l.suspicious(m), "reject"} }},
	{"the stream that is followed", "follow", func(l *life, m string) Op {
		l.do(l.comes("f1", l.code(m)))
		l.do(l.order("", "f1", byAPI, ""))
		o := l.order("", "f2", byStandard, "")
		o.e.referral = l.p.members[m].codes[0]
		l.do(o)
		return nil
	}},
	{"the schedule of referrals", "referrals", func(l *life, m string) Op {
		code := l.code(m)
		l.do(l.comes("f9", code))
		for _, friend := range []string{"f1", "f2", "f3"} {
			l.qualified(friend, code)
		}
		l.runUntil(l.clock + 30*24*3600)
		return nil
	}},
}
