package storefront

import (
	"cmp"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

type squareMoney struct {
	Amount   int64  `json:"amount"` // minor units
	Currency string `json:"currency"`
}

// readSquare follows developer.squareup.com/reference/square/webhooks. The
// payment is the order, because refunds name the payment; order.* events say
// nothing of money. amount_money does not include the tip (total_money does),
// but it does include tax, which a payment does not tell apart.
func readSquare(c Connection, d Delivery) (Message, error) {
	var in struct {
		Type string `json:"type"`
		Data struct {
			Deleted bool `json:"deleted"`
			Object  struct {
				Payment  *squarePayment  `json:"payment"`
				Refund   *squareRefund   `json:"refund"`
				Customer *squareCustomer `json:"customer"`
			} `json:"object"`
		} `json:"data"`
	}
	if err := strict.DecodeLoose(d.Body, &in); err != nil {
		return Message{}, err
	}
	object := in.Data.Object
	missing := loyalty.Malformed("/data/object", "", "is not what the type says")
	switch in.Type {
	case "":
		return Message{}, loyalty.Malformed("/type", "", "is required")
	case "payment.created", "payment.updated":
		if object.Payment == nil {
			return Message{}, missing
		}
		return object.Payment.read(c)
	case "refund.created", "refund.updated":
		if object.Refund == nil {
			return Message{}, missing
		}
		return object.Refund.read(c)
	case "customer.created", "customer.updated", "customer.deleted":
		if object.Customer == nil {
			return Message{}, missing
		}
		change := &CustomerChange{Source: c.ID, Customer: loyalty.Customer{
			ExternalID: object.Customer.ID, Email: object.Customer.Email, Phone: object.Customer.Phone,
			Name: fullName(object.Customer.GivenName, object.Customer.FamilyName),
		}}
		if in.Data.Deleted || in.Type == "customer.deleted" {
			change.Customer, change.Deleted = loyalty.Customer{ExternalID: object.Customer.ID}, true
		}
		return Message{Customer: change}, nil
	}
	if strings.HasPrefix(in.Type, "order.") {
		return ignored(NoAmounts)
	}
	return ignored(UnknownEvent)
}

type squareCustomer struct {
	ID         string `json:"id"`
	Email      string `json:"email_address"`
	Phone      string `json:"phone_number"`
	GivenName  string `json:"given_name"`
	FamilyName string `json:"family_name"`
}

// squarePayment leaves out the card: of card_details only the moment of capture.
type squarePayment struct {
	ID          string      `json:"id"`
	Status      string      `json:"status"`
	CreatedAt   string      `json:"created_at"`
	UpdatedAt   string      `json:"updated_at"`
	Amount      squareMoney `json:"amount_money"`
	Tip         squareMoney `json:"tip_money"`
	Refunded    squareMoney `json:"refunded_money"`
	LocationID  string      `json:"location_id"`
	CustomerID  string      `json:"customer_id"`
	Email       string      `json:"buyer_email_address"`
	CardDetails struct {
		Timeline struct {
			CapturedAt string `json:"captured_at"`
		} `json:"card_payment_timeline"`
	} `json:"card_details"`
}

func (in *squarePayment) read(c Connection) (Message, error) {
	var r reader
	r.money("/data/object/payment/amount_money/currency", in.Amount.Currency)
	o := &loyalty.Order{
		Source: c.ID, ID: in.ID, Currency: in.Amount.Currency,
		Version:  r.revision("/data/object/payment/updated_at", r.time("/data/object/payment/updated_at", in.UpdatedAt, time.RFC3339)),
		PlacedAt: r.time("/data/object/payment/created_at", in.CreatedAt, time.RFC3339),
		Store:    in.LocationID,
		Customer: known(loyalty.Customer{ExternalID: in.CustomerID, Email: in.Email}),
		Lines:    []loyalty.Line{{ID: "goods", Quantity: 1, UnitPrice: in.Amount.Amount, Amount: in.Amount.Amount}},
		Tip:      in.Tip.Amount,
		Refunded: in.Refunded.Amount,
	}
	switch in.Status {
	case "COMPLETED":
		o.State = loyalty.Paid
		o.PaidAt = r.time("/data/object/payment/created_at", cmp.Or(in.CardDetails.Timeline.CapturedAt, in.CreatedAt), time.RFC3339)
	case "CANCELED", "FAILED":
		o.State = loyalty.Cancelled
	default: // APPROVED, PENDING: no money yet
		o.State = loyalty.Placed
	}
	return Message{Order: o}, r.err
}

type squareRefund struct {
	ID        string      `json:"id"`
	Status    string      `json:"status"`
	PaymentID string      `json:"payment_id"`
	Amount    squareMoney `json:"amount_money"`
}

// read takes a refund once the money has moved; before that it may still fail.
func (in *squareRefund) read(c Connection) (Message, error) {
	switch {
	case in.Status != "COMPLETED" && in.Status != "APPROVED": // APPROVED in old API versions
		return ignored(RefundNotCompleted)
	case in.PaymentID == "":
		return ignored(NoOrder)
	}
	var r reader
	r.money("/data/object/refund/amount_money/currency", in.Amount.Currency)
	return Message{Refund: &OrderRefund{
		Source: c.ID, Order: in.PaymentID, Currency: in.Amount.Currency,
		Refund: loyalty.Refund{ID: in.ID, Amount: in.Amount.Amount},
	}}, r.err
}
