package loyalty

import (
	"cmp"
	"time"
)

// State is how far an order has come.
type State string

// The states of an order, in the order in which they are reached. Parked is
// ours: a refund came before its order, and waits for it.
const (
	Parked    State = "parked"
	Placed    State = "placed"
	Paid      State = "paid"
	Fulfilled State = "fulfilled"
	Cancelled State = "cancelled"
)

// later tells whether s comes after t in the life of an order.
func (s State) later(t State) bool { return s.rank() > t.rank() }

func (s State) rank() int {
	switch s {
	case Placed:
		return 1
	case Paid:
		return 2
	case Fulfilled:
		return 3
	case Cancelled:
		return 4
	}
	return 0
}

// Revision is the version that a storefront gives an order's state: an integer
// or an instant (then in nanoseconds since 1970), never both within a source.
type Revision struct {
	N       int64 `cbor:"1,keyasint"`
	Instant bool  `cbor:"2,keyasint,omitempty"`
}

// At is the revision of a state that carries a time instead of a number.
func At(t time.Time) Revision { return Revision{N: t.UnixNano(), Instant: true} }

// Compare orders two revisions of one order.
func (r Revision) Compare(o Revision) int { return cmp.Compare(r.N, o.N) }

// Order is an order's whole newest state as its storefront tells it. Money is
// in minor units of Currency. Times that are unknown are zero. Who bought is
// not stored with the order: a person's data has one place, the profile.
type Order struct {
	Source   string   `cbor:"1,keyasint"`
	ID       string   `cbor:"2,keyasint"`
	Version  Revision `cbor:"3,keyasint"`
	State    State    `cbor:"4,keyasint"`
	Currency string   `cbor:"5,keyasint,omitempty"` // ISO 4217, upper case

	PlacedAt    time.Time `cbor:"6,keyasint,omitzero"`
	PaidAt      time.Time `cbor:"7,keyasint,omitzero"`
	FulfilledAt time.Time `cbor:"8,keyasint,omitzero"`

	Store   string `cbor:"9,keyasint,omitempty"`
	Region  string `cbor:"10,keyasint,omitempty"`
	Channel string `cbor:"11,keyasint,omitempty"`

	Member   string    `cbor:"-"` // a member's id, when the caller knows it
	Customer *Customer `cbor:"-"` // else the shop's own record of the person; nil for nobody

	Signs *Signs `cbor:"-" json:",omitempty"` // of the person, as far as the shop tells them

	Lines     []Line     `cbor:"12,keyasint,omitempty"`
	Discounts []Discount `cbor:"13,keyasint,omitempty"`

	Shipping int64 `cbor:"14,keyasint,omitempty"` // never earns, as Tax and Tip
	Tax      int64 `cbor:"15,keyasint,omitempty"`
	Tip      int64 `cbor:"16,keyasint,omitempty"`

	Redemption   string `cbor:"17,keyasint,omitempty"` // id of the redemption that paid a part
	ReferralCode string `cbor:"18,keyasint,omitempty"`

	Refunded int64    `cbor:"19,keyasint,omitempty"` // total of goods refunded so far, when the source states one
	Refunds  []Refund `cbor:"20,keyasint,omitempty"` // single refunds by id, when the source tells them apart

	Test bool `cbor:"-"` // made by a test mode: never earns
}

// Ref names the order: the storefront and its id there.
func (o *Order) Ref() OrderRef { return OrderRef{Source: o.Source, ID: o.ID} }

// OrderRef names an order.
type OrderRef struct {
	_      struct{} `cbor:",toarray"`
	Source string
	ID     string
}

// Line is one line of goods. Amount is quantity times unit price before
// Discounts, in minor units.
type Line struct {
	ID       string `cbor:"1,keyasint"`
	SKU      string `cbor:"2,keyasint,omitempty"`
	Title    string `cbor:"3,keyasint,omitempty"`
	Category string `cbor:"4,keyasint,omitempty"`

	Quantity  int64 `cbor:"5,keyasint,omitempty"`
	UnitPrice int64 `cbor:"6,keyasint,omitempty"`
	Amount    int64 `cbor:"7,keyasint,omitempty"`
	GiftCard  bool  `cbor:"8,keyasint,omitempty"` // stored value: never earns

	Collection string `cbor:"11,keyasint,omitempty"`

	RefundedAmount   *int64 `cbor:"9,keyasint,omitempty"` // total refunded of this line so far; nil: not stated
	RefundedQuantity int64  `cbor:"10,keyasint,omitempty"`
}

// Discount takes Amount (minor units, positive) off the lines it names, off
// all eligible lines when it names none.
type Discount struct {
	Code   string   `cbor:"1,keyasint,omitempty"`
	Amount int64    `cbor:"2,keyasint"`
	Lines  []string `cbor:"3,keyasint,omitempty"` // line ids
}

// Refund is one refund of goods, told apart from others by its id. Amount is
// its total in minor units; Lines says how much of it fell on which line.
type Refund struct {
	ID     string       `cbor:"1,keyasint"`
	Amount int64        `cbor:"2,keyasint"`
	Lines  []RefundLine `cbor:"3,keyasint,omitempty"`
}

// RefundLine is the part of a refund that fell on one line, in minor units.
type RefundLine struct {
	Line   string `cbor:"1,keyasint"`
	Amount int64  `cbor:"2,keyasint"`
}

// Customer is the shop's own record of a person.
type Customer struct {
	ExternalID    string
	Card          string // number of the card that was shown; whoever shows it, it is that member's purchase
	Email         string
	EmailVerified bool
	Phone         string // E.164 where the shop gives it
	PhoneVerified bool
	Name          string
}

// Signs are what a person may be known again by, as the shop tells them. None
// is stored as it is.
type Signs struct {
	IP      string
	Device  string // the shop's own fingerprint of it
	Payment string // the fingerprint of a means of payment, never a number
	Address Address
}

// Address is where parcels go. Country is an ISO 3166 code.
type Address struct{ Line, City, Postcode, Country string }

// Anonymous tells whether nothing in the record identifies a person.
func (c *Customer) Anonymous() bool {
	return c == nil || c.ExternalID == "" && c.Card == "" && c.Email == "" && c.Phone == ""
}
