package loyalty

import (
	"slices"
	"time"
)

// Facts is what is not of an order and still decides what it is worth. They
// are taken when the order first counts and kept with it, so that what
// happens to the member later changes no price (SC9). Only what the terms ask
// for is filled in.
type Facts struct {
	Number     int64             `cbor:"1,keyasint,omitempty"` // which of the member's orders it is, the first is 1
	Tier       string            `cbor:"2,keyasint,omitempty"` // id of the level before it
	Qualifying int64             `cbor:"3,keyasint,omitempty"` // qualifying points before it
	Segments   []string          `cbor:"4,keyasint,omitempty"`
	Attributes map[string]string `cbor:"5,keyasint,omitempty"`
	Rooms      []Room            `cbor:"6,keyasint,omitempty"` // what limits and budgets left of rules
}

// asked is what of a member's attributes meets a rule of the terms. The rest
// stays with the member's profile: an order is kept for ever, and what a
// person told of themselves is not.
func (t *Terms) asked(all map[string]string) map[string]string {
	var out map[string]string
	keep := func(f *Filter) {
		for _, x := range f.Attributes {
			if v, has := all[x.Name]; has && slices.Contains(x.Values, v) {
				if out == nil {
					out = map[string]string{}
				}
				out[x.Name] = v
			}
		}
	}
	for i := range t.Earning.Rules {
		keep(&t.Earning.Rules[i].Where)
	}
	for i := range t.Goals {
		keep(&t.Goals[i].Where)
	}
	for i := range t.Boards {
		keep(&t.Boards[i].Where)
	}
	return out
}

// Room is how many points a rule could still give.
type Room struct {
	_      struct{} `cbor:",toarray"`
	Rule   string
	Points int64
}

// room is what the facts leave of a rule; the second answer is false where
// nothing bounds it.
func (x *Facts) room(rule string) (int64, bool) {
	for i := range x.Rooms {
		if x.Rooms[i].Rule == rule {
			return x.Rooms[i].Points, true
		}
	}
	return 0, false
}

// pin keeps what is left of a rule, or that nothing bounds it.
func (x *Facts) pin(rule string, points int64, bound bool) {
	x.Rooms = slices.DeleteFunc(slices.Clone(x.Rooms), func(r Room) bool { return r.Rule == rule })
	if bound {
		x.Rooms = append(x.Rooms, Room{Rule: rule, Points: points})
	}
}

// Needs says which facts the rules of some terms ask for.
type Needs struct {
	Number, Tier, Segments, Attributes bool
}

// Case is what an order is valued by, beside its own content.
type Case struct {
	Paid  int64     // what points pay of it, minor units of the program's currency
	At    time.Time // when it counts as earned, which decides the windows
	Facts Facts

	gifts map[string]int // line id -> pieces that a voucher paid
}

// Case is what a record's order is valued by, paid in part by a redemption
// (nil for none).
func (r *Record) Case(red *Redemption) Case {
	c := Case{At: time.Unix(r.At, 0), Facts: r.Facts, gifts: r.gifts}
	if red != nil {
		c.Paid = red.Paying(&r.Order)
	}
	return c
}
