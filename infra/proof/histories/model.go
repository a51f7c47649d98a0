// Package histories holds what the API answers to clients that work at the
// same time against a plain sequential specification: for every history there
// must be an order of its requests, each between its sending and its answer,
// in which a program that does one thing at a time gives the same answers
// (linearizability, by porcupine).
package histories

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/anishathalye/porcupine"
)

// kind is what a request asks for.
type kind string

const (
	earn       kind = "order"
	hold       kind = "hold"
	capture    kind = "capture"
	release    kind = "release"
	redeem     kind = "redeem"
	cancel     kind = "cancel"
	adjust     kind = "adjust"
	merge      kind = "merge"
	readMember kind = "read member"
	readOrder  kind = "read order"
	readHold   kind = "read hold"
	verify     kind = "verify ledger"
	end        kind = "end" // of all that was answered; no client asks for it
)

func (k kind) reads() bool {
	return k == readMember || k == readOrder || k == readHold || k == verify
}

// request is what a client sent. Members, orders and holds are numbers within
// their group: the specification makes no ids.
type request struct {
	Group        int
	Kind         kind
	Member, Into int
	Points       int64
	Order        int
	Version      int64
	Amount       int64 // of the order, minor units
	Refunded     int64
	Hold         int // the hold that is made, or that the request is about
	Key          int // which Idempotency-Key; 0: none
}

// answer is what came back, or what should have. What a route does not tell
// is zero.
type answer struct {
	Status    int
	Code      string // of a refusal
	State     string // of a hold; what became of an order; "valid"
	Member    int    // 1 is the first of the group
	Points    int64
	Value     int64
	Restored  int64
	Version   int64
	Entries   int64 // how many the ledger has, or the order caused
	Seq       int64 // of the newest of them that is shown
	Balance   int64 // after it
	Available int64
	Pending   int64
	Held      int64
	Debt      int64
}

// outcome is an answer, or that none came: then the request may have had its
// effect at any later time, or never.
type outcome struct {
	answer
	Lost bool
}

// state is everything a group is. Steps copy what they change.
type state struct {
	accounts []account
	orders   []order
	holds    []redemption
	keys     []keyed
	ended    bool
}

type account struct {
	available, held, owed int64
	seq                   int64 // entries of its ledger
	into                  int   // who it was merged into, 1 is the first; 0: nobody
}

func (a *account) balance() int64 { return a.available + a.held - a.owed }

// pay settles what is owed from what can be spent.
func (a *account) pay() {
	n := min(a.owed, a.available)
	a.owed, a.available = a.owed-n, a.available-n
}

type order struct {
	told         request // the newest version; Version 0: never seen
	member       int
	points       int64
	entries      int64
	seq, balance int64 // of its newest entry
}

type redemption struct {
	stage            string // "": none
	member           int
	points, restored int64
}

type keyed struct {
	done  bool
	given answer
}

// at reads a place that may not have been filled yet.
func at[T any](list []T, i int) (v T) {
	if i < len(list) {
		v = list[i]
	}
	return v
}

// put is list with v at i.
func put[T any](list []T, i int, v T) []T {
	out := make([]T, max(len(list), i+1))
	copy(out, list)
	out[i] = v
	return out
}

// step is the specification: what a request is answered in a state, and the
// state after it.
func (s state) step(r request) (answer, state) {
	if r.Key == 0 {
		return s.decide(r)
	}
	if k := at(s.keys, r.Key); k.done {
		return k.given, s
	}
	a, next := s.decide(r)
	next.keys = put(next.keys, r.Key, keyed{true, a})
	return a, next
}

func (s state) decide(r request) (answer, state) {
	switch r.Kind {
	case earn:
		return s.earn(r)
	case hold, redeem:
		return s.hold(r)
	case capture, release, cancel:
		return s.change(r)
	case adjust:
		return s.adjust(r)
	case merge:
		return s.merge(r)
	case readMember:
		return s.member(s.holder(r.Member)), s
	case readOrder:
		o := at(s.orders, r.Order)
		if o.told.Version == 0 {
			return answer{Status: 404, Code: "not_found"}, s
		}
		a := s.order(o)
		a.Version = o.told.Version
		return a, s
	case readHold:
		return s.redemption(r.Hold), s
	case verify: // of the member's own ledger, also when it was merged
		return answer{Status: 200, State: "valid", Entries: s.accounts[r.Member].seq}, s
	}
	panic("no such kind: " + r.Kind)
}

// holder is who has a member's points now.
func (s state) holder(member int) int {
	for s.accounts[member].into != 0 {
		member = s.accounts[member].into - 1
	}
	return member
}

func (s state) member(i int) answer {
	a := s.accounts[i]
	return answer{Status: 200, Member: i + 1, Available: a.available, Held: a.held, Debt: a.owed}
}

func (s state) order(o order) answer {
	return answer{Status: 200, Member: s.holder(o.member) + 1, Points: o.points, Entries: o.entries, Seq: o.seq, Balance: o.balance}
}

func (s state) redemption(slot int) answer {
	h := s.holds[slot]
	return answer{Status: 200, State: h.stage, Member: h.member + 1, Points: h.points, Value: 5 * h.points, Restored: h.restored}
}

func insufficient(a account) answer {
	return answer{Status: 422, Code: "insufficient_points", Available: a.available}
}

func (s state) earn(r request) (answer, state) {
	o := at(s.orders, r.Order)
	status := "applied"
	switch {
	case o.told.Version == 0:
		o.member = s.holder(r.Member)
	case r.Version < o.told.Version:
		status = "stale"
	case r.Version == o.told.Version:
		status = "duplicate"
		if r.Amount != o.told.Amount || r.Refunded != o.told.Refunded || r.Member != o.told.Member {
			return answer{Status: 409, Code: "version_conflict"}, s
		}
	}
	if status == "applied" {
		o.member = s.holder(o.member)
		a := s.accounts[o.member]
		worth := (r.Amount - r.Refunded) / 100
		change := worth - o.points
		first := o.told.Version == 0
		if change < 0 {
			taken := min(-change, a.available)
			a.available -= taken
			a.owed += -change - taken
		} else {
			a.available += change
			a.pay()
		}
		if first || change != 0 {
			a.seq++
			o.entries++
			o.seq, o.balance = a.seq, a.balance()
		}
		o.told, o.points = r, worth
		o.told.Key = 0 // under which key it was told is not of the order
		s.accounts = put(s.accounts, o.member, a)
		s.orders = put(s.orders, r.Order, o)
	}
	a := s.order(o)
	a.State = status
	return a, s
}

func (s state) hold(r request) (answer, state) {
	i := s.holder(r.Member)
	a := s.accounts[i]
	if r.Points > a.available {
		return insufficient(a), s
	}
	a.available -= r.Points
	a.held += r.Points
	h := redemption{stage: "held", member: i, points: r.Points}
	if r.Kind == redeem {
		a.held -= r.Points
		a.seq++
		h.stage = "captured"
	}
	s.accounts = put(s.accounts, i, a)
	s.holds = put(s.holds, r.Hold, h)
	out := s.redemption(r.Hold)
	out.Status = 201
	return out, s
}

// change is a capture, a release or a cancellation.
func (s state) change(r request) (answer, state) {
	h := s.holds[r.Hold]
	paid := h.stage == "captured" || h.stage == "cancelled"
	switch {
	case r.Kind == capture && h.stage == "released":
		return answer{Status: 409, Code: "hold_released"}, s
	case r.Kind == release && paid:
		return answer{Status: 409, Code: "hold_captured"}, s
	case r.Kind == cancel && !paid:
		return answer{Status: 409, Code: "redemption_not_captured"}, s
	}
	becomes := map[kind]string{capture: "captured", release: "released", cancel: "cancelled"}[r.Kind]
	i := s.holder(h.member)
	a := s.accounts[i]
	switch {
	case becomes == h.stage || r.Kind == capture && paid: // it was so already
		out := s.redemption(r.Hold)
		out.Member = i + 1
		return out, s
	case r.Kind == capture:
		a.held -= h.points
		a.seq++
	case r.Kind == release:
		a.held -= h.points
		a.available += h.points
	case r.Kind == cancel:
		a.available += h.points - h.restored
		h.restored = h.points
		a.seq++
	}
	a.pay()
	h.stage, h.member = becomes, i
	s.accounts = put(s.accounts, i, a)
	s.holds = put(s.holds, r.Hold, h)
	return s.redemption(r.Hold), s
}

func (s state) adjust(r request) (answer, state) {
	i := s.holder(r.Member)
	a := s.accounts[i]
	if -r.Points > a.available {
		return insufficient(a), s
	}
	a.available += r.Points
	a.seq++
	a.pay()
	s.accounts = put(s.accounts, i, a)
	return answer{Status: 201, Points: r.Points, Seq: a.seq, Balance: a.balance()}, s
}

func (s state) merge(r request) (answer, state) {
	i := s.holder(r.Into)
	from, into := s.accounts[r.Member], s.accounts[i]
	switch {
	case from.into != 0 && s.holder(r.Member) == i:
		return s.member(i), s
	case from.into != 0, r.Member == i:
		return answer{Status: 422, Code: "cannot_merge"}, s
	}
	into.available += from.available
	into.held += from.held
	into.owed += from.owed
	into.seq++
	into.pay()
	s.accounts = put(s.accounts, i, into)
	s.accounts = put(s.accounts, r.Member, account{seq: from.seq + 1, into: i + 1})
	return s.member(i), s
}

func (s state) equal(t state) bool {
	return s.ended == t.ended && slices.Equal(s.accounts, t.accounts) && slices.Equal(s.orders, t.orders) && slices.Equal(s.holds, t.holds) && slices.Equal(s.keys, t.keys)
}

// model is the specification as porcupine takes it: a group at a time, for
// what happens in one does not concern another.
var model = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		groups := map[int][]porcupine.Operation{}
		for _, op := range all {
			g := op.Input.(request).Group
			groups[g] = append(groups[g], op)
		}
		var out [][]porcupine.Operation
		for _, g := range groups {
			out = append(out, g)
		}
		slices.SortFunc(out, func(x, y []porcupine.Operation) int {
			return cmp.Compare(x[0].Input.(request).Group, y[0].Input.(request).Group)
		})
		return out
	},
	Init: func() any { return state{accounts: make([]account, mostMembers)} },
	Step: func(s, input, output any) (bool, any) {
		r, got := input.(request), output.(outcome)
		was := s.(state)
		switch {
		case r.Kind == end:
			was.ended = true
			return true, was
		case was.ended: // what nobody can see any more
			return got.Lost, s
		case aboutNothing(was, r):
			return false, s
		}
		want, next := was.step(r)
		if got.Lost { // without an effect it can as well be after the end, and the search is shorter
			return !next.equal(was), next
		}
		return got.answer == want, next
	},
	Equal:             func(x, y any) bool { return x.(state).equal(y.(state)) },
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v: %v", input, output) },
	DescribeState:     func(s any) string { return s.(state).String() },
}

// aboutNothing tells whether a request names a hold that is not there yet:
// whoever knows its id knows that it was made before.
func aboutNothing(s state, r request) bool {
	about := r.Kind == capture || r.Kind == release || r.Kind == cancel || r.Kind == readHold
	return about && at(s.holds, r.Hold).stage == ""
}
