package loyalty

import (
	"fmt"
	"math/big"
	"time"
)

// Stage is how far a redemption has come.
type Stage string

// The stages of a redemption. A held one whose time has passed is expired,
// by the clock alone.
const (
	Held     Stage = "held"
	Captured Stage = "captured"
	Released Stage = "released"
	Expired  Stage = "expired"
	Undone   Stage = "cancelled"
)

// Redemption is points that pay: a hold first, a redemption once captured.
// The hold's id and the redemption's differ in their prefix only.
type Redemption struct {
	ID       string   `cbor:"1,keyasint"` // without prefix
	Member   string   `cbor:"2,keyasint"`
	Points   int64    `cbor:"3,keyasint"`
	Value    int64    `cbor:"4,keyasint"` // what the points pay, minor units
	Currency string   `cbor:"5,keyasint"`
	Stage    Stage    `cbor:"6,keyasint"`
	At       int64    `cbor:"7,keyasint"`            // unix seconds of the hold
	Until    int64    `cbor:"8,keyasint,omitempty"`  // when the hold ends by itself
	Captured int64    `cbor:"9,keyasint,omitempty"`  // unix seconds of the capture
	Parts    Parts    `cbor:"10,keyasint,omitempty"` // the lots the points came from, in the order of use
	Restored int64    `cbor:"11,keyasint,omitempty"` // points given back so far
	Order    OrderRef `cbor:"12,keyasint,omitempty"` // the one order it pays for
	Undone   int64    `cbor:"13,keyasint,omitempty"` // unix seconds of the cancellation
	Wallet   string   `cbor:"14,keyasint,omitempty"` // the points are of; "" is points themselves
	Ended    int64    `cbor:"16,keyasint,omitempty"` // unix seconds of the release
	Payout   bool     `cbor:"15,keyasint,omitempty"` // pays money out instead of an order
}

// Ref is how ledger entries name the redemption.
func (r *Redemption) Ref() string {
	if r.Payout {
		return "pay_" + r.ID
	}
	return "rdm_" + r.ID
}

// StageAt is the stage at an instant.
func (r *Redemption) StageAt(now time.Time) Stage {
	if r.Stage == Held && r.Until > 0 && r.Until <= now.Unix() {
		return Expired
	}
	return r.Stage
}

// Hold keeps points for a purchase until it is captured, released or timed
// out. id is new and unique. orderAmount, the basket in minor units, is 0
// when not told. Refused with insufficient_points (details: available),
// below_minimum (details: minimum, missing) or above_share_of_order
// (details: most).
func (a *Account) Hold(id string, points, orderAmount int64, t *Terms, now time.Time) (*Redemption, error) {
	a.Settle(now, t)
	if have := a.usable(); points > have {
		return nil, insufficient(have-a.shown(t), points)
	}
	if points < t.Minimum {
		return nil, &Error{
			Kind: Refused, Code: "below_minimum", Detail: fmt.Sprintf("a redemption takes at least %d points", t.Minimum),
			Details: map[string]any{"minimum": t.Minimum, "missing": t.Minimum - points},
		}
	}
	value, err := t.Value(points)
	if err != nil {
		return nil, err
	}
	if err := t.withinShare(value, orderAmount); err != nil {
		return nil, err
	}
	h := Hold{ID: id, Until: t.Hold.After(now, t.Zone).Unix(), Parts: a.take(points)}
	a.Holds = append(a.Holds, h)
	a.At = now.Unix()
	return &Redemption{
		ID: id, Member: a.Member, Points: points, Value: value, Currency: t.Currency,
		Stage: Held, At: now.Unix(), Until: h.Until, Parts: h.Parts, Wallet: a.Wallet,
	}, nil
}

// withinShare refuses to pay more of a basket than the program lets points pay.
func (t *Terms) withinShare(value, orderAmount int64) error {
	all := t.MaxShare.Cmp(big.NewRat(1, 1)) == 0
	if orderAmount == 0 && all {
		return nil
	}
	if orderAmount == 0 {
		return Malformed("/order_amount", "", "the program limits the share of an order that points may pay, so the order's amount is needed")
	}
	most, _ := Floor.whole(new(big.Rat).Mul(t.MaxShare, new(big.Rat).SetInt64(orderAmount)))
	if value > most {
		return &Error{
			Kind: Refused, Code: "above_share_of_order", Detail: "points may not pay that much of the order",
			Details: map[string]any{"most": most, "value": value},
		}
	}
	return nil
}

// Capture spends held points. order may be the zero OrderRef. Capturing what
// is captured already changes nothing. Refused with the conflict hold_expired
// or hold_released.
func (a *Account) Capture(r *Redemption, order OrderRef, t *Terms, now time.Time) error {
	switch r.StageAt(now) {
	case Captured, Undone:
		if order != (OrderRef{}) && order != r.Order {
			return &Error{Kind: Conflict, Code: "hold_captured", Detail: "the hold was captured before, for another order"}
		}
		return nil
	case Expired:
		return &Error{Kind: Conflict, Code: "hold_expired", Detail: "the hold's time has passed; its points are free again"}
	case Released:
		return &Error{Kind: Conflict, Code: "hold_released", Detail: "the hold was released"}
	}
	a.Settle(now, t)
	if !a.dropHold(r.ID) { // it ended, and the clock went back since
		return &Error{Kind: Conflict, Code: "hold_expired", Detail: "the hold's time has passed; its points are free again"}
	}
	e := Entry{Type: Redeem, Points: -r.Points, At: now.Unix(), Ref: r.Ref(), Terms: t.Version, Source: order.Source, Order: order.ID}
	for _, p := range r.Parts {
		e.Lots = append(e.Lots, Part{Expires: p.Expires, Points: -p.Points})
	}
	a.append(e)
	a.payOwed(now.Unix(), t)
	a.At = now.Unix()
	r.Stage, r.Captured, r.Order, r.Member = Captured, now.Unix(), order, a.Member
	return nil
}

// Release frees held points. Releasing what is free already changes nothing;
// a captured hold is the conflict hold_captured.
func (a *Account) Release(r *Redemption, t *Terms, now time.Time) error {
	switch r.StageAt(now) {
	case Captured, Undone:
		return &Error{Kind: Conflict, Code: "hold_captured", Detail: "the hold was captured; cancel the redemption instead"}
	case Expired, Released:
		return nil
	}
	a.Settle(now, t)
	if !a.dropHold(r.ID) {
		return nil
	}
	a.putBack(r.Parts)
	a.payOwed(now.Unix(), t)
	a.At = now.Unix()
	a.Settle(now, t) // a lot that died while it was held dies now
	r.Stage, r.Ended = Released, now.Unix()
	return nil
}

// Cancel undoes a captured redemption: what was not yet given back goes back
// to the lots it came from. Cancelling twice changes nothing.
func (a *Account) Cancel(r *Redemption, t *Terms, now time.Time) error {
	if r.Stage == Undone {
		return nil
	}
	if r.Stage != Captured {
		return &Error{Kind: Conflict, Code: "redemption_not_captured", Detail: "only a captured redemption can be cancelled"}
	}
	a.Settle(now, t)
	a.restore(r, r.Points, Entry{At: now.Unix(), Ref: r.Ref(), Terms: t.Version, Source: r.Order.Source, Order: r.Order.ID}, t, now)
	a.payOwed(now.Unix(), t)
	a.At = now.Unix()
	r.Stage, r.Undone = Undone, now.Unix()
	return nil
}

// RestoredLate is the reason of a restore entry some of whose points came
// back after their own lot had ended: those live for the program's grace.
const RestoredLate = "restored_after_expiry"

// restore gives back points of a redemption until upTo of them are back: the
// lot used last gets its points first, each lot no more than it gave (SC5).
func (a *Account) restore(r *Redemption, upTo int64, e Entry, t *Terms, now time.Time) {
	if upTo <= r.Restored {
		return
	}
	skip, need := r.Restored, upTo-r.Restored
	for i := len(r.Parts) - 1; i >= 0 && need > 0; i-- {
		p := r.Parts[i]
		before := min(skip, p.Points)
		skip -= before
		n := min(p.Points-before, need)
		if n == 0 {
			continue
		}
		need -= n
		if p.Expires > 0 && p.Expires <= now.Unix() {
			p.Expires = t.Grace.After(now, t.Zone).Unix()
			e.Reason = RestoredLate
		}
		a.put(0, p.Expires, n)
		e.Lots = append(e.Lots, Part{Expires: p.Expires, Points: n})
	}
	e.Type, e.Points = Restore, upTo-r.Restored
	if e.Ref == "" {
		e.Ref = r.Ref()
	}
	a.append(e)
	r.Restored = upTo
}

// Paying is what the redemption's points pay of an order in its newest state,
// in minor units: the part that the order gave back pays nothing any more.
func (r *Redemption) Paying(o *Order) int64 {
	return r.Value - share(r.Value, returned(o, r.Points), r.Points)
}

// Returned is what of the redemption's value the order gave back, minor units.
func (r *Redemption) Returned() int64 { return r.ReturnedAt(r.Restored) }

// ReturnedAt is Returned when so many points were given back.
func (r *Redemption) ReturnedAt(restored int64) int64 { return share(r.Value, restored, r.Points) }

// use binds the redemption to the order that it pays a part of.
func (r *Redemption) use(order OrderRef, member string) error {
	switch {
	case r.Member != member:
		return notUsable("it is not of the order's member")
	case r.Stage != Captured && r.Order != order:
		return notUsable("it is not captured")
	case r.Order != OrderRef{} && r.Order != order:
		return notUsable("it pays for another order")
	}
	r.Order = order
	return nil
}

func (a *Account) dropHold(id string) bool {
	for i := range a.Holds {
		if a.Holds[i].ID == id {
			a.Holds = append(a.Holds[:i:i], a.Holds[i+1:]...)
			return true
		}
	}
	return false
}

func notUsable(why string) error {
	return &Error{Kind: Refused, Code: "redemption_not_usable", Detail: "the redemption cannot pay for this order: " + why}
}

func insufficient(available, wanted int64) error {
	return &Error{
		Kind: Refused, Code: "insufficient_points", Detail: fmt.Sprintf("%d points are wanted, %d can be spent", wanted, available),
		Details: map[string]any{"available": available, "missing": wanted - available},
	}
}
