package storefront

import (
	"cmp"
	"fmt"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// Stripe sends a purchase as several events in any order, none of which has a
// version. What an event tells is ranked instead: the checkout knows goods
// from tax and shipping, the payment only its total.
const (
	stripePayment  = 1
	stripeCheckout = 2
)

// readStripe follows the events of docs.stripe.com/api/events/types. One
// purchase is one order: its id is the payment intent's, or the session's when
// nothing was to be paid. charge.refunded states what was refunded of the
// charge so far, tax and shipping included, so the charge is the refund's id
// and the larger amount stands.
func readStripe(c Connection, d Delivery) (Message, error) {
	var event struct {
		Type     string `json:"type"`
		Livemode *bool  `json:"livemode"`
	}
	if err := strict.DecodeLoose(d.Body, &event); err != nil {
		return Message{}, err
	}
	var read func(*stripeEvent, Connection) (Message, error)
	switch event.Type {
	case "":
		return Message{}, loyalty.Malformed("/type", "", "is required")
	case "checkout.session.completed", "checkout.session.async_payment_succeeded":
		read = (*stripeEvent).checkout
	case "payment_intent.succeeded":
		read = (*stripeEvent).payment
	case "charge.refunded":
		read = (*stripeEvent).refund
	default:
		return ignored(UnknownEvent)
	}
	if event.Livemode != nil && !*event.Livemode {
		return ignored(TestOrder)
	}
	var in stripeEvent
	if err := strict.DecodeLoose(d.Body, &in); err != nil {
		return Message{}, err
	}
	return read(&in, c)
}

// stripeEvent has the fields of the three objects that are read: a checkout
// session, a payment intent, a charge. Amounts are in Stripe's minor units.
type stripeEvent struct {
	Created int64 `json:"created"` // seconds since 1970: when it happened, so when it was paid
	Data    struct {
		Object struct {
			ID            string `json:"id"`
			Created       int64  `json:"created"`
			Currency      string `json:"currency"`
			PaymentIntent string `json:"payment_intent"`
			Customer      string `json:"customer"`

			PaymentStatus string `json:"payment_status"`
			Subtotal      int64  `json:"amount_subtotal"`
			Total         int64  `json:"amount_total"`
			Totals        struct {
				Discount int64 `json:"amount_discount"`
				Shipping int64 `json:"amount_shipping"`
				Tax      int64 `json:"amount_tax"`
			} `json:"total_details"`
			CustomerEmail   string `json:"customer_email"`
			CustomerDetails struct {
				Email string `json:"email"`
				Name  string `json:"name"`
				Phone string `json:"phone"`
			} `json:"customer_details"`

			Amount   int64 `json:"amount"`
			Received int64 `json:"amount_received"`
			Details  struct {
				Tip struct {
					Amount int64 `json:"amount"`
				} `json:"tip"`
			} `json:"amount_details"`
			ReceiptEmail string `json:"receipt_email"`

			Refunded int64 `json:"amount_refunded"`

			Metadata spare[struct {
				Code spare[string] `json:"referral_code"`
			}] `json:"metadata"`
		} `json:"object"`
	} `json:"data"`
}

func (in *stripeEvent) checkout(c Connection) (Message, error) {
	s := &in.Data.Object
	if s.PaymentStatus == "unpaid" {
		return ignored(NotPaid) // checkout.session.async_payment_succeeded follows
	}
	goods := s.Subtotal
	if s.Total == s.Subtotal-s.Totals.Discount+s.Totals.Shipping {
		goods -= s.Totals.Tax // the prices include the tax: it did not come on top
	}
	var r reader
	o := r.stripeOrder(c, in, cmp.Or(s.PaymentIntent, s.ID), stripeCheckout, goods)
	o.Tax = r.stripeMoney("/data/object/total_details/amount_tax", s.Totals.Tax)
	o.Shipping = r.stripeMoney("/data/object/total_details/amount_shipping", s.Totals.Shipping)
	if off := r.stripeMoney("/data/object/total_details/amount_discount", s.Totals.Discount); off != 0 {
		o.Discounts = []loyalty.Discount{{Amount: off}}
	}
	o.Customer = known(loyalty.Customer{
		ExternalID: s.Customer, Email: cmp.Or(s.CustomerDetails.Email, s.CustomerEmail),
		Phone: s.CustomerDetails.Phone, Name: clip(s.CustomerDetails.Name),
	})
	return Message{Order: o}, r.err
}

func (in *stripeEvent) payment(c Connection) (Message, error) {
	p := &in.Data.Object
	var r reader
	o := r.stripeOrder(c, in, p.ID, stripePayment, cmp.Or(p.Received, p.Amount)-p.Details.Tip.Amount)
	o.Tip = r.stripeMoney("/data/object/amount_details/tip/amount", p.Details.Tip.Amount)
	o.Customer = known(loyalty.Customer{ExternalID: p.Customer, Email: p.ReceiptEmail})
	return Message{Order: o}, r.err
}

func (in *stripeEvent) refund(c Connection) (Message, error) {
	charge := &in.Data.Object
	var r reader
	r.money("/data/object/currency", strings.ToUpper(charge.Currency))
	amount := r.stripeMoney("/data/object/amount_refunded", charge.Refunded)
	return Message{Refund: &OrderRefund{
		Source: c.ID, Order: cmp.Or(charge.PaymentIntent, charge.ID), Currency: r.currency,
		Refund: loyalty.Refund{ID: charge.ID, Amount: amount},
	}}, r.err
}

// stripeOrder is a paid order of one line: the events do not list goods.
func (r *reader) stripeOrder(c Connection, in *stripeEvent, id string, rank, goods int64) *loyalty.Order {
	object := &in.Data.Object
	r.money("/data/object/currency", strings.ToUpper(object.Currency))
	amount := r.stripeMoney("/data/object/amount", goods)
	return &loyalty.Order{
		Source: c.ID, ID: id, Version: loyalty.Revision{N: rank}, State: loyalty.Paid, Currency: r.currency,
		PlacedAt: r.unix("/data/object/created", object.Created),
		PaidAt:   r.unix("/created", cmp.Or(in.Created, object.Created)),
		Lines:    []loyalty.Line{{ID: "goods", Quantity: 1, UnitPrice: amount, Amount: amount}},

		ReferralCode: short(object.Metadata.v.Code.v),
	}
}

// stripeDigits are the currencies in which Stripe counts other units than
// ISO 4217 does (docs.stripe.com/currencies, "Special cases").
var stripeDigits = map[string]int{"ISK": 2, "UGX": 2, "MGA": 0}

// stripeMoney is an amount of Stripe in minor units of the reader's currency.
func (r *reader) stripeMoney(path string, n int64) int64 {
	n = r.bounded(path, n)
	digits, special := stripeDigits[r.currency]
	switch {
	case special && digits < r.digits: // MGA
		return r.times(path, n, 100)
	case special && digits > r.digits && n%100 != 0:
		r.fail(path, fmt.Sprint(n), "not a whole amount in "+r.currency)
	case special && digits > r.digits:
		return n / 100
	}
	return n
}
