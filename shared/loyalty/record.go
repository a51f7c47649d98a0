package loyalty

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"
)

// Record is what is kept of an order for ever: its newest state, whose it is,
// and what the ledger holds for it. It is the proof that an order earned
// once, and all that a refund needs.
type Record struct {
	Order   Order      `cbor:"1,keyasint"`
	Content Hash       `cbor:"2,keyasint"` // of the newest delivery, to know it again
	Member  string     `cbor:"3,keyasint,omitempty"`
	Terms   int64      `cbor:"4,keyasint,omitempty"` // rule version it is pinned to
	At      int64      `cbor:"5,keyasint,omitempty"` // when it counts as earned, unix seconds; 0: not yet
	Entries []EntryRef `cbor:"9,keyasint,omitempty"` // its ledger entries, oldest first

	Lodged // in points

	Facts       Facts   `cbor:"11,keyasint,omitzero"`  // taken when it first counted
	Uses        Tallies `cbor:"12,keyasint,omitempty"` // what it adds to limits and goals
	Drawn       Tallies `cbor:"13,keyasint,omitempty"` // what it takes of budgets
	ByGoals     int64   `cbor:"14,keyasint,omitempty"` // of its points, what goals gave with it; below zero when it took a goal away
	Qualifies   int64   `cbor:"15,keyasint,omitempty"` // what it counts toward tiers
	QualifiedIn int64   `cbor:"16,keyasint,omitempty"` // and in which month
	Spent       int64   `cbor:"17,keyasint,omitempty"` // what it counts toward bonuses, minor units of the program's currency
	Others      []Other `cbor:"19,keyasint,omitempty"` // what other wallets hold for it
	Bought      Bought  `cbor:"20,keyasint,omitzero"`  // what it counts among the member's orders and purchases

	waiting []Refund       // refunds that were here before the order
	moved   bool           // it counts from another time than before
	gifts   map[string]int // line id -> pieces of it that a voucher paid
}

// Other is what a wallet other than points holds for an order.
type Other struct {
	Wallet string `cbor:"1,keyasint"`
	Lodged

	due int64 // what it is worth there now
}

// lodged is what a wallet holds for the order.
func (r *Record) lodged(wallet string) *Other {
	for i := range r.Others {
		if r.Others[i].Wallet == wallet {
			return &r.Others[i]
		}
	}
	r.Others = append(r.Others, Other{Wallet: wallet})
	return &r.Others[len(r.Others)-1]
}

// Due are the wallets beside points whose accounts ApplyIn has to bring to
// what the order is worth, or to when it counts from. It forgets those that
// hold nothing for it.
func (r *Record) Due() []string {
	var out []string
	r.Others = slices.DeleteFunc(r.Others, func(o Other) bool { return o.due == 0 && o.Points == 0 })
	for _, o := range r.Others {
		if o.due != o.Points || r.moved {
			out = append(out, o.Wallet)
		}
	}
	return out
}

// EntryRef names a ledger entry. Member is "" for the record's own, Wallet for
// points.
type EntryRef struct {
	_      struct{} `cbor:",toarray"`
	Member string
	Seq    int64
	Wallet string
}

// Status is what became of a delivery.
type Status string

// The outcomes of a delivery.
const (
	Applied   Status = "applied"
	Duplicate Status = "duplicate"
	Stale     Status = "stale"
	Waiting   Status = "parked"
	Ignored   Status = "ignored"
)

// Receive takes a delivery of the whole order into the record (a zero Record
// for an order never seen). The newest version wins. Under an equal version
// with other content a webhook keeps the larger refunds and the later state,
// since storefronts stamp whole seconds; the API answers version_conflict,
// since its caller chose the number. Refunds known by id are never forgotten.
func (r *Record) Receive(in *Order, webhook bool) (Status, error) {
	content := fingerprint(in)
	fresh := r.Order.ID == "" || r.Order.State == Parked
	if !fresh && in.Version.Instant != r.Order.Version.Instant {
		return "", Malformed("/version", "", "the source's other versions are of another kind: integers and times do not mix")
	}
	switch c := in.Version.Compare(r.Order.Version); {
	case fresh:
		if r.Order.Currency == in.Currency { // a refund in other money is not of this order
			r.waiting = r.Order.Refunds
		}
		r.Order, r.Content = *in, content
		return Applied, nil
	case c < 0:
		return Stale, nil
	case c > 0:
		known, paidWith := r.Order.Refunds, r.Order.Redemption
		if in.Redemption != "" && paidWith != "" && in.Redemption != paidWith {
			return "", notUsable("another redemption paid for this order already")
		}
		r.Order, r.Content = *in, content
		r.Order.Redemption = paidWith
		if paidWith == "" {
			r.Order.Redemption = in.Redemption
		}
		r.addRefunds(known)
		return Applied, nil
	case content == r.Content:
		return Duplicate, nil
	case !webhook:
		return "", &Error{Kind: Conflict, Code: "version_conflict", Detail: "this version of the order was told before, with other content"}
	}
	if !r.meet(in) {
		return Duplicate, nil
	}
	return Applied, nil
}

// ReceiveRefund takes one refund that came without its order. On a zero
// Record it waits for the order. An id known already keeps the larger amount,
// which serves sources that restate a growing total. currency is the refund's.
func (r *Record) ReceiveRefund(of OrderRef, refund Refund, currency string) Status {
	if r.Order.ID == "" {
		r.Order = Order{Source: of.Source, ID: of.ID, State: Parked, Currency: currency}
	}
	changed := r.addRefunds([]Refund{refund})
	switch {
	case !changed:
		return Duplicate
	case r.Order.State == Parked:
		return Waiting
	}
	return Applied
}

// meet merges a delivery of equal version: the later state and the larger refunds.
func (r *Record) meet(in *Order) (changed bool) {
	if in.State.later(r.Order.State) {
		r.Order.State = in.State
		if r.Order.PaidAt.IsZero() {
			r.Order.PaidAt = in.PaidAt
		}
		if r.Order.FulfilledAt.IsZero() {
			r.Order.FulfilledAt = in.FulfilledAt
		}
		changed = true
	}
	if in.Refunded > r.Order.Refunded {
		r.Order.Refunded, changed = in.Refunded, true
	}
	for i := range r.Order.Lines {
		have := &r.Order.Lines[i]
		j := slices.IndexFunc(in.Lines, func(l Line) bool { return l.ID == have.ID })
		if j < 0 {
			continue
		}
		tell := in.Lines[j]
		if tell.RefundedAmount != nil && (have.RefundedAmount == nil || *tell.RefundedAmount > *have.RefundedAmount) {
			have.RefundedAmount, changed = tell.RefundedAmount, true
		}
		if tell.RefundedQuantity > have.RefundedQuantity {
			have.RefundedQuantity, changed = tell.RefundedQuantity, true
		}
	}
	return r.addRefunds(in.Refunds) || changed
}

// addRefunds joins refunds by id; of one id the larger amounts stay.
func (r *Record) addRefunds(refunds []Refund) (changed bool) {
	r.Order.Refunds = slices.Clone(r.Order.Refunds) // they may be the delivery's own
	for _, add := range refunds {
		i := slices.IndexFunc(r.Order.Refunds, func(h Refund) bool { return h.ID == add.ID })
		switch {
		case i < 0:
			r.Order.Refunds = append(r.Order.Refunds, add)
			changed = true
		case add.Amount > r.Order.Refunds[i].Amount:
			r.Order.Refunds[i] = add
			changed = true
		}
	}
	return changed
}

// own names the entries that a decision wrote for this order.
func (r *Record) own(a *Account, from int64) {
	if r.Member != a.Member { // the order's member was merged into another
		for i := range r.Entries {
			if r.Entries[i].Member == "" {
				r.Entries[i].Member = r.Member
			}
		}
		r.Member = a.Member
	}
	for i, e := range a.Tail {
		seq := a.Seq - int64(len(a.Tail)-1-i)
		if seq > from && e.Source == r.Order.Source && e.Order == r.Order.ID {
			r.Entries = append(r.Entries, EntryRef{Seq: seq, Wallet: a.Wallet})
		}
	}
}

// fingerprint knows a delivery again.
func fingerprint(o *Order) Hash {
	b, err := json.Marshal(o)
	if err != nil {
		panic("loyalty: an order is plain data and always encodes: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return Hash(sum[:len(Hash{})])
}

// Gift notes that a voucher paid for a piece of a line: that gives no stamp.
func (r *Record) Gift(line string) {
	if r.gifts == nil {
		r.gifts = map[string]int{}
	}
	r.gifts[line]++
}

// PendingAt is how many of the order's points cannot be used yet.
func (r *Record) PendingAt(now time.Time) int64 {
	if r.Active > now.Unix() {
		return max(0, r.Points)
	}
	return 0
}
