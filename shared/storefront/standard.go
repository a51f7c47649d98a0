package storefront

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// ownOrder is the order of POST /v1/orders. Pointers are values whose absence
// is not the same as zero.
type ownOrder struct {
	Source       string         `json:"source"`
	ID           string         `json:"id"`
	Version      ownVersion     `json:"version"`
	State        loyalty.State  `json:"state"`
	Currency     string         `json:"currency"`
	PlacedAt     string         `json:"placed_at"`
	PaidAt       string         `json:"paid_at"`
	FulfilledAt  string         `json:"fulfilled_at"`
	Store        string         `json:"store"`
	Region       string         `json:"region"`
	Channel      string         `json:"channel"`
	Member       string         `json:"member"`
	Customer     *ownCustomer   `json:"customer"`
	Lines        []ownLine      `json:"lines"`
	Discounts    []ownReduction `json:"discounts"`
	Shipping     int64          `json:"shipping"`
	Tax          int64          `json:"tax"`
	Tip          int64          `json:"tip"`
	Redemption   string         `json:"redemption"`
	ReferralCode string         `json:"referral_code"`
	Refunded     int64          `json:"refunded"`
	Signals      *ownSignals    `json:"signals"`
}

type ownCustomer struct {
	ExternalID    string `json:"external_id"`
	Card          string `json:"card"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	Phone         string `json:"phone"`
	PhoneVerified bool   `json:"phone_verified"`
	Name          string `json:"name"`
}

type ownLine struct {
	ID               string `json:"id"`
	SKU              string `json:"sku"`
	Title            string `json:"title"`
	Category         string `json:"category"`
	Collection       string `json:"collection"`
	Quantity         *int64 `json:"quantity"`
	UnitPrice        *int64 `json:"unit_price"`
	Amount           *int64 `json:"amount"`
	GiftCard         bool   `json:"gift_card"`
	RefundedAmount   *int64 `json:"refunded_amount"`
	RefundedQuantity int64  `json:"refunded_quantity"`
}

type ownReduction struct {
	Code   string   `json:"code"`
	Amount int64    `json:"amount"`
	Lines  []string `json:"lines"`
}

// ownVersion is an integer or an RFC 3339 instant.
type ownVersion struct {
	revision loyalty.Revision
	given    bool
}

func (v *ownVersion) UnmarshalJSON(b []byte) error {
	text, err := literal(b)
	if err != nil || text == "" {
		return err
	}
	v.given = true
	if jsontext.Value(b).Kind() == '0' {
		if v.revision.N, err = strconv.ParseInt(text, 10, 64); err != nil || v.revision.N < 0 {
			return errors.New("want a whole number of at most 64 bits, or an RFC 3339 time")
		}
		return nil
	}
	var r reader
	v.revision = r.revision("/", r.time("/", text, time.RFC3339)) // paths here are within the version
	return r.err
}

// ParseOrder reads the order of POST /v1/orders. Money is in minor units of
// the currency. An unknown key, a missing or unusable value is a *loyalty.Error
// of kind Invalid that names its path.
//
// Of a line, quantity defaults to 1, and amount to quantity times unit_price.
// When all three are given and do not agree, amount counts: goods sold by
// weight have a rounded unit price.
func ParseOrder(body []byte) (loyalty.Order, error) { return parseOrder(body, strict.Decode) }

func parseOrder(body []byte, decode func([]byte, any) error) (loyalty.Order, error) {
	var in ownOrder
	if err := decode(body, &in); err != nil {
		return loyalty.Order{}, err
	}
	var r reader
	if !in.Version.given {
		r.fail("/version", "", "is required")
	}
	o := loyalty.Order{
		Source: in.Source, ID: in.ID, Version: in.Version.revision, State: in.State, Currency: in.Currency,
		PlacedAt:    r.time("/placed_at", in.PlacedAt, time.RFC3339),
		PaidAt:      r.time("/paid_at", in.PaidAt, time.RFC3339),
		FulfilledAt: r.time("/fulfilled_at", in.FulfilledAt, time.RFC3339),
		Store:       in.Store, Region: in.Region, Channel: in.Channel,
		Member: in.Member, Customer: (*loyalty.Customer)(in.Customer),
		Shipping: in.Shipping, Tax: in.Tax, Tip: in.Tip,
		Redemption: in.Redemption, ReferralCode: in.ReferralCode, Refunded: in.Refunded,
		Signs: in.Signals.signs(),
	}
	for i, l := range in.Lines {
		o.Lines = append(o.Lines, r.ownLine(at("/lines", i), l))
	}
	for _, d := range in.Discounts {
		o.Discounts = append(o.Discounts, loyalty.Discount(d))
	}
	if r.order(&o); r.err != nil {
		return loyalty.Order{}, r.err
	}
	return o, nil
}

func (r *reader) ownLine(path string, l ownLine) loyalty.Line {
	line := loyalty.Line{
		ID: l.ID, SKU: l.SKU, Title: l.Title, Category: l.Category, Collection: l.Collection, Quantity: 1,
		GiftCard: l.GiftCard, RefundedAmount: l.RefundedAmount, RefundedQuantity: l.RefundedQuantity,
	}
	if l.Quantity != nil {
		line.Quantity = *l.Quantity
	}
	if l.UnitPrice != nil {
		line.UnitPrice = *l.UnitPrice
	}
	r.between(path+"/quantity", line.Quantity, 1, maxQuantity)
	r.between(path+"/unit_price", line.UnitPrice, 0, maxAmount)
	switch {
	case r.err != nil:
	case l.Amount != nil:
		line.Amount = *l.Amount
	case l.UnitPrice == nil:
		r.fail(path+"/amount", "", "is required, or else unit_price")
	default:
		line.Amount = r.times(path+"/amount", line.UnitPrice, line.Quantity)
	}
	return line
}

// readStandard reads the order of our own API, sent as a Standard Webhook:
// bare, or in the envelope {"type": "order...", "data": ...} which the
// specification recommends. As in every storefront's body, and unlike in our
// own API, unknown keys are skipped.
func readStandard(d Delivery) (Message, error) {
	var envelope struct {
		Type string         `json:"type"`
		Data jsontext.Value `json:"data"`
	}
	body := d.Body
	if err := strict.DecodeLoose(body, &envelope); err != nil {
		return Message{}, err
	}
	if envelope.Type != "" && envelope.Data != nil {
		if envelope.Type != "order" && !strings.HasPrefix(envelope.Type, "order.") {
			return ignored(UnknownEvent)
		}
		body = envelope.Data
	}
	o, err := parseOrder(body, strict.DecodeLoose)
	if err != nil {
		return Message{}, err
	}
	return Message{Order: &o}, nil
}
