package earn

import (
	"time"

	"regulars/shared/loyalty"
)

// OrderShape is a stored order as the API shows it: as it came, without the
// customer, whose data is with the member only.
type OrderShape struct {
	Source       string     `json:"source"`
	ID           string     `json:"id"`
	Version      any        `json:"version,omitempty"` // as it came: a number or a time
	State        string     `json:"state"`
	Currency     string     `json:"currency,omitempty"`
	PlacedAt     *time.Time `json:"placed_at,omitempty"`
	PaidAt       *time.Time `json:"paid_at,omitempty"`
	FulfilledAt  *time.Time `json:"fulfilled_at,omitempty"`
	Store        string     `json:"store,omitempty"`
	Region       string     `json:"region,omitempty"`
	Channel      string     `json:"channel,omitempty"`
	Lines        []Line     `json:"lines"`
	Discounts    []Discount `json:"discounts"`
	Shipping     int64      `json:"shipping"`
	Tax          int64      `json:"tax"`
	Tip          int64      `json:"tip"`
	Redemption   string     `json:"redemption,omitempty"`
	ReferralCode string     `json:"referral_code,omitempty"`
	Refunded     int64      `json:"refunded"`
	Refunds      []Refund   `json:"refunds,omitempty"` // single refunds, where the source tells them apart
}

// Line is one line of goods. Money is in minor units.
type Line struct {
	ID               string `json:"id"`
	SKU              string `json:"sku,omitempty"`
	Title            string `json:"title,omitempty"`
	Category         string `json:"category,omitempty"`
	Quantity         int64  `json:"quantity"`
	UnitPrice        int64  `json:"unit_price"`
	Amount           int64  `json:"amount"`
	GiftCard         bool   `json:"gift_card"`
	Collection       string `json:"collection,omitempty"`
	RefundedAmount   *int64 `json:"refunded_amount,omitempty"`
	RefundedQuantity int64  `json:"refunded_quantity"`
}

// Discount is money off some lines.
type Discount struct {
	Code   string   `json:"code,omitempty"`
	Amount int64    `json:"amount"`
	Lines  []string `json:"lines,omitempty"`
}

// Refund is one refund of goods.
type Refund struct {
	ID     string       `json:"id"`
	Amount int64        `json:"amount"`
	Lines  []RefundLine `json:"lines,omitempty"`
}

// RefundLine is what of a refund fell on a line.
type RefundLine struct {
	Line   string `json:"line"`
	Amount int64  `json:"amount"`
}

func shapeOf(o *loyalty.Order) OrderShape {
	s := OrderShape{
		Source: o.Source, ID: o.ID, State: string(o.State), Currency: o.Currency, PlacedAt: when(o.PlacedAt), PaidAt: when(o.PaidAt), FulfilledAt: when(o.FulfilledAt),
		Store: o.Store, Region: o.Region, Channel: o.Channel, Lines: []Line{}, Discounts: []Discount{}, Shipping: o.Shipping, Tax: o.Tax, Tip: o.Tip,
		Redemption: o.Redemption, ReferralCode: o.ReferralCode, Refunded: o.Refunded,
	}
	switch {
	case o.Version.Instant:
		s.Version = time.Unix(0, o.Version.N).UTC()
	case o.State != loyalty.Parked:
		s.Version = o.Version.N
	}
	for _, l := range o.Lines {
		s.Lines = append(s.Lines, Line(l))
	}
	for _, d := range o.Discounts {
		s.Discounts = append(s.Discounts, Discount(d))
	}
	for _, r := range o.Refunds {
		shown := Refund{ID: r.ID, Amount: r.Amount}
		for _, l := range r.Lines {
			shown.Lines = append(shown.Lines, RefundLine(l))
		}
		s.Refunds = append(s.Refunds, shown)
	}
	return s
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
