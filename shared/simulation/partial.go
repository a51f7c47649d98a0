package simulation

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
)

// Partial is what some members came to under both programs. Merging is
// associative and commutative to the byte, as long as no member is in two.
type Partial struct {
	Members int64 `json:"members"`
	Orders  int64 `json:"orders"` // told of, each once
	Base    Side  `json:"base"`
	Draft   Side  `json:"draft"`

	Gain    int64    `json:"gain"` // members who would have more points
	Lose    int64    `json:"lose"`
	Gainers []Change `json:"gainers"` // the largest, largest first
	Losers  []Change `json:"losers"`

	Tiers map[string]map[string]int64 `json:"tiers,omitempty"` // at the end: of base -> of draft -> members; "" is none
}

// Side is what all of them came to under one program.
type Side struct {
	Orders  int64            `json:"orders"`            // that came far enough to count
	Points  int64            `json:"points"`            // that orders and automatic rewards gave
	Rules   map[string]int64 `json:"rules,omitempty"`   // points by rule
	Goals   map[string]int64 `json:"goals,omitempty"`   // times that a goal was reached
	Wallets map[string]int64 `json:"wallets,omitempty"` // minor units by wallet
	Refused map[string]int64 `json:"refused,omitempty"` // orders by the code of the refusal

	Buyers   int64           `json:"buyers"`         // members with an order that counts
	Days     map[int64]int64 `json:"days,omitempty"` // whole days from the first order to the first reward -> members
	Observed int64           `json:"observed"`       // members whose first order is as long ago as a reward may take
	InTime   int64           `json:"in_time"`        // those of them who had it by then

	Over bool `json:"over,omitempty"` // some sum does not fit
}

// Change is a member's points under both programs.
type Change struct {
	Member string `json:"member"`
	Base   int64  `json:"base"`
	Draft  int64  `json:"draft"`
	Delta  int64  `json:"delta"`
}

// Named is how many of the largest gainers and losers are named.
const Named = 10

// compare notes how a member fares under the draft.
func (p *Partial) compare(member string, base, draft lived) {
	p.Members++
	c := Change{Member: member, Base: base.points, Draft: draft.points, Delta: draft.points - base.points}
	switch {
	case c.Delta > 0:
		p.Gain++
		p.Gainers = largest(append(p.Gainers, c))
	case c.Delta < 0:
		p.Lose++
		p.Losers = largest(append(p.Losers, c))
	}
	if base.tier != "" || draft.tier != "" {
		p.move(base.tier, draft.tier, 1)
	}
}

func (p *Partial) move(from, to string, members int64) {
	if p.Tiers == nil {
		p.Tiers = map[string]map[string]int64{}
	}
	if p.Tiers[from] == nil {
		p.Tiers[from] = map[string]int64{}
	}
	p.Tiers[from][to] += members
}

// largest keeps those whose points change most, between equals by id.
func largest(cs []Change) []Change {
	slices.SortFunc(cs, func(a, b Change) int {
		return cmp.Or(cmp.Compare(max(b.Delta, -b.Delta), max(a.Delta, -a.Delta)), strings.Compare(a.Member, b.Member))
	})
	return cs[:min(len(cs), Named)]
}

// reward notes when a member who began at first had a reward. due is until
// when it should have been, until the end of history; 0 is never.
func (s *Side) reward(first, rewarded, due, until int64) {
	if first == 0 {
		return
	}
	s.Buyers++
	if rewarded != 0 {
		if s.Days == nil {
			s.Days = map[int64]int64{}
		}
		s.Days[(rewarded-first)/(24*60*60)]++
	}
	if due <= until {
		s.Observed++
		if rewarded != 0 && rewarded <= due {
			s.InTime++
		}
	}
}

// Merge adds the members of another part.
func (p *Partial) Merge(o *Partial) {
	p.Members += o.Members
	p.Orders += o.Orders
	p.Base.merge(&o.Base)
	p.Draft.merge(&o.Draft)
	p.Gain += o.Gain
	p.Lose += o.Lose
	p.Gainers = largest(slices.Concat(p.Gainers, o.Gainers))
	p.Losers = largest(slices.Concat(p.Losers, o.Losers))
	for from, row := range o.Tiers {
		for to, members := range row {
			p.move(from, to, members)
		}
	}
}

func (s *Side) merge(o *Side) {
	s.Orders += o.Orders
	s.Over = s.Over || o.Over
	s.Points = plus(s.Points, o.Points, &s.Over)
	for _, m := range []struct{ into, from *map[string]int64 }{
		{&s.Rules, &o.Rules}, {&s.Goals, &o.Goals}, {&s.Wallets, &o.Wallets}, {&s.Refused, &o.Refused},
	} {
		for k, n := range *m.from {
			s.add(m.into, k, n)
		}
	}
	s.Buyers += o.Buyers
	s.Observed += o.Observed
	s.InTime += o.InTime
	for days, n := range o.Days {
		if s.Days == nil {
			s.Days = map[int64]int64{}
		}
		s.Days[days] += n
	}
}

// add counts under a name.
func (s *Side) add(to *map[string]int64, name string, n int64) {
	if *to == nil {
		*to = map[string]int64{}
	}
	(*to)[name] = plus((*to)[name], n, &s.Over)
}

// plus adds, and notes when the sum does not fit.
func plus(a, b int64, over *bool) int64 {
	sum, _ := bits.Add64(uint64(a), uint64(b), 0)
	s := int64(sum)
	*over = *over || (a >= 0) == (b >= 0) && (s >= 0) != (a >= 0)
	return s
}
