package main

import "regulars/shared/table"

// driven takes a new run to a step, and lets the next of its messages be of
// two shards with members in them.
func (l *life) driven(step string) *message {
	l.do(&wantRefresh{})
	c := &machine{w: l.world, p: l.p, run: l.p.runs[l.p.newest]}
	few, rest := []int{table.GroupOf(l.p.people[0]), table.GroupOf(l.p.people[1])}, []int(nil)
	for shard := range shards {
		if shard != few[0] && shard != few[1] {
			rest = append(rest, shard)
		}
	}
	c.groups = [][]int{few, rest}
	for c.next("plan"); ; l.runUntil(l.clock + 60) {
		all := l.waiting
		if l.waiting = nil; all[0].refresh.name == step {
			l.waiting = all[1:]
			return all[0]
		}
		for _, m := range all {
			l.deliver(m, l.clock)
		}
	}
}

// bought lets some members buy: so there is something to find.
func (l *life) bought() {
	for _, id := range l.p.people[:3] {
		l.do(l.order(id, "", byAPI, ""))
	}
}

// crashesOfSegments are what a process can be doing for segments, when it ends.
var crashesOfSegments = []crashing{
	{"a segment run", "", func(*life, string) Op { return &wantRefresh{} }},
	{"a segment that is defined", "", func(_ *life, m string) Op { return &define{&definition{id: "vip", list: []string{m}}} }},
	{"a preview", "", func(l *life, _ string) Op { l.bought(); return &preview{&definition{id: "vip", where: someone}} }},
	{"the schedule of segments", "segment begin", func(l *life, _ string) Op { l.bought(); return nil }},
	{"the plan of a run", "segment plan", func(l *life, m string) Op { l.do(&define{&definition{id: "vip", list: []string{m}}}); return nil }},
	{"what a run reads", "segment read", func(l *life, _ string) Op { l.bought(); return nil }},
	{"what a run merges", "segment merge", func(l *life, _ string) Op { l.bought(); return nil }},
	{"what a run refines", "segment refine", func(l *life, _ string) Op { l.bought(); return nil }},
	{"what a run scores", "segment score", func(l *life, _ string) Op { l.bought(); return nil }},
	{"the end of a run", "segment finish", func(l *life, _ string) Op { l.bought(); return nil }},
}

var someone = func() *condition { one := int64(1); return &condition{statistic: "orders", from: &one} }()
