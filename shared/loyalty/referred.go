package loyalty

import (
	"cmp"
	"math/big"
	"slices"
	"time"
)

// ReferralTerms are what a program promises for bringing friends.
type ReferralTerms struct {
	Advocate []Rung // lowest first; all by rank, or all by revenue
	Friend   Gift
	Minimum  int64  // of the friend's order: net of discounts and of the part paid by points, minor units
	Hold     Period // from payment until it is safe
	Window   Period // from the click until the order is paid
	Limit    *Limit // of one advocate
	Budget   int64  // points, of all referrals; 0: none
	Fraud    Fraud
	Network  Network
	Invite   *Invite // nil: nobody is invited
}

// Gift is what one of the two gets.
type Gift struct {
	Points int64
	Reward string // a voucher for it
}

// Rung is what an advocate gets for friends from a rank on, or from a revenue
// of all qualified friends on (minor units, the friend's own order included).
type Rung struct {
	Rank    int64
	Revenue int64
	Gift
}

// Network says how far the friends of friends count.
type Network struct {
	Depth int64    // generations
	Decay *big.Rat // what each further generation is worth of the one before, 0 to 1
}

// rung is what the ladder gives for a friend.
func (t *ReferralTerms) rung(rank, revenue int64) (g Gift) {
	for _, x := range t.Advocate {
		if x.Rank > 0 && x.Rank <= rank || x.Rank == 0 && x.Revenue <= revenue {
			g = x.Gift
		}
	}
	return g
}

// Referred is what a member's account keeps of having been referred: by which
// code, and the one order that counts for it.
type Referred struct {
	ID       string   `cbor:"1,keyasint"` // of the referral, without prefix
	Code     string   `cbor:"2,keyasint"`
	Advocate string   `cbor:"3,keyasint"`            // member
	Clicked  int64    `cbor:"4,keyasint"`            // unix seconds
	Order    OrderRef `cbor:"5,keyasint,omitzero"`   // the first qualifying one
	Paid     int64    `cbor:"6,keyasint,omitempty"`  // when it was first paid, unix seconds
	Left     int64    `cbor:"7,keyasint,omitempty"`  // of it, minor units of the program's currency
	Terms    int64    `cbor:"8,keyasint,omitempty"`  // rule version pinned to it
	Ranked   bool     `cbor:"9,keyasint,omitempty"`  // the rewards are given: what becomes of the order is settled with it
	Replaced []string `cbor:"10,keyasint,omitempty"` // referrals that this one took the place of, to be closed
}

// Advocacy is what a member's qualified friends come to.
type Advocacy struct {
	Friends int64 `cbor:"1,keyasint,omitempty"`
	Revenue int64 `cbor:"2,keyasint,omitempty"` // of the orders that qualified them, minor units
}

// Lead is how an order's buyer came to the shop: by a code on the order, or by
// a registration before it.
type Lead struct {
	ID       string // of the referral: a new one, or that of the registration
	Code     string
	Advocate string // member
	Clicked  int64  // unix seconds; 0: with the order
	Instead  string // the referral of a registration that it takes the place of
}

// paidAt is when an order was paid, unix seconds.
func (r *Record) paidAt(now time.Time) int64 {
	if p := r.Order.PaidAt; !p.IsZero() && !p.After(now) {
		return p.Unix()
	}
	return r.At
}

// refer lets an order that counts lead its buyer to an advocate, and keeps the
// account's referral at the newest state of the one order that counts for it:
// the earliest paid of those within the window that came to the minimum before
// any refund. Later ones never count (SC10).
func (a *Account) refer(r *Record, left int64, c Telling) error {
	if r.At == 0 {
		return nil
	}
	paid := r.paidAt(c.Now)
	counts := c.Pinned.counts(&r.Order)
	if counts && c.Pinned.Referral != nil {
		a.Mark(c.Marks...)
	}
	if counts && (a.FirstOrder == 0 || paid < a.FirstOrder) {
		a.FirstOrder = paid
	}
	if counts && c.Lead != nil {
		lead := *c.Lead
		if lead.Clicked == 0 {
			lead.Clicked = paid
		}
		a.Lead(lead)
	}
	f := a.Referred
	if f == nil {
		return nil
	}
	own := *f // the account may be a copy
	a.Referred = &own
	if !counts {
		left = 0
	}
	if own.Order == r.Order.Ref() {
		own.Left = left
		return nil
	}
	t := c.Pinned.Referral
	if t == nil || own.Ranked || !counts || own.Order != (OrderRef{}) && paid >= own.Paid {
		return nil
	}
	if paid < own.Clicked || paid >= t.Window.After(time.Unix(own.Clicked, 0), c.Pinned.Zone).Unix() {
		return nil
	}
	whole, err := c.whole(r)
	if err != nil || whole < max(1, t.Minimum) {
		return err
	}
	own.Order, own.Paid, own.Left, own.Terms = r.Order.Ref(), paid, left, c.Pinned.Version
	return nil
}

// whole is what an order's goods came to before any of them came back: net of
// discounts and of what points paid, minor units of the program's currency.
func (c *Telling) whole(r *Record) (int64, error) {
	o := r.Order
	o.Refunded, o.Refunds, o.Lines = 0, nil, slices.Clone(r.Order.Lines)
	for i := range o.Lines {
		o.Lines[i].RefundedAmount, o.Lines[i].RefundedQuantity = nil, 0
	}
	k := Case{At: time.Unix(r.At, 0), Facts: r.Facts, gifts: r.gifts}
	if c.Redemption != nil {
		k.Paid = c.Redemption.Paying(&o)
	}
	s, err := c.Pinned.scene(&o, k)
	if err != nil {
		return 0, err
	}
	return s.ours(sum(s.pays)), nil
}

// Lead takes note of who sent the member. The last click wins, as long as no
// order qualified; who had bought before the click stays with what was known
// before it, and a click on the same code is no other. It answers whether the
// lead is what the account now goes by.
func (a *Account) Lead(l Lead) bool {
	had := a.Referred
	before := a.FirstOrder != 0 && a.FirstOrder < l.Clicked
	switch {
	case had == nil:
		a.Referred = l.referred()
		return true
	case had.ID == l.ID:
		return true
	case had.Order != OrderRef{}, before, l.Clicked <= had.Clicked, l.Code == had.Code:
		return false
	}
	a.Referred = l.referred()
	a.Referred.Replaced = append(append(a.Referred.Replaced, had.Replaced...), had.ID)
	return true
}

func (l *Lead) referred() *Referred {
	r := &Referred{ID: l.ID, Code: l.Code, Advocate: l.Advocate, Clicked: l.Clicked}
	if l.Instead != "" {
		r.Replaced = []string{l.Instead}
	}
	return r
}

// takeReferred joins what two accounts of one person keep of referrals. Of two
// that referred them the one that led to an order first stays, else the later
// click.
func (a *Account) takeReferred(from *Account) {
	if from.FirstOrder != 0 && (a.FirstOrder == 0 || from.FirstOrder < a.FirstOrder) {
		a.FirstOrder = from.FirstOrder
	}
	a.Advocacy.Friends += from.Advocacy.Friends
	a.Advocacy.Revenue += from.Advocacy.Revenue
	a.Mark(from.Marks...)
	a.Mood = Mood{Score: cmp.Or(a.Mood.Score, from.Mood.Score), Complaints: a.Mood.Complaints + from.Mood.Complaints, Invited: max(a.Mood.Invited, from.Mood.Invited)}
	mine, other := a.Referred, from.Referred
	from.Referred, from.Advocacy, from.Marks, from.FirstOrder, from.Mood = nil, Advocacy{}, nil, 0, Mood{}
	switch {
	case other == nil:
		return
	case mine == nil:
		a.Referred = other
		return
	case mine.Order == OrderRef{} && other.Order != OrderRef{},
		mine.Order != OrderRef{} && other.Order != OrderRef{} && other.Paid < mine.Paid,
		mine.Order == OrderRef{} && other.Order == OrderRef{} && other.Clicked > mine.Clicked:
		mine, other = other, mine
	}
	keep := *mine
	keep.Replaced = append(slices.Clone(mine.Replaced), other.Replaced...)
	if other.ID != mine.ID { // two who came by one registration were one all along
		keep.Replaced = append(keep.Replaced, other.ID)
	}
	a.Referred = &keep
}
