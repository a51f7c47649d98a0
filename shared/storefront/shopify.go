package storefront

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// readShopify follows the REST order, refund and customer of
// shopify.dev/docs/api/admin-rest and the topics of shopify.dev/docs/api/webhooks.
//
// Money is the shop's (shop_money), not what the shopper saw. Shopify does not
// tell when an order was paid: processed_at, when it was taken, stands for it.
func readShopify(c Connection, d Delivery) (Message, error) {
	topic := cmp.Or(header(d.Header, "X-Shopify-Topic"), header(d.Header, "Shopify-Topic"))
	switch topic {
	case "":
		return Message{}, loyalty.Malformed("X-Shopify-Topic", "", "is required, once")
	case "orders/create", "orders/paid", "orders/updated", "orders/edited", "orders/cancelled",
		"orders/fulfilled", "orders/partially_fulfilled":
		return readShopifyOrder(c, d)
	case "refunds/create":
		return readShopifyRefund(c, d)
	case "customers/create", "customers/update", "customers/enable", "customers/disable", "customers/delete":
		var in shopifyCustomer
		if err := strict.DecodeLoose(d.Body, &in); err != nil {
			return Message{}, err
		}
		if in.Items != nil { // the topic is not signed: an order sent under it is no customer
			return Message{}, loyalty.Malformed("/line_items", "", "an order is no customer")
		}
		change := &CustomerChange{Source: c.ID, Customer: *in.customer()}
		if topic == "customers/delete" {
			change.Customer, change.Deleted = loyalty.Customer{ExternalID: string(in.ID)}, true
		}
		return Message{Customer: change}, nil
	case "customers/data_request", "customers/redact", "shop/redact":
		return readShopifyPrivacy(c, d, topic)
	}
	return ignored(UnknownEvent)
}

type shopifyOrder struct {
	ID                ident    `json:"id"`
	Test              bool     `json:"test"`
	Currency          string   `json:"currency"`
	FinancialStatus   string   `json:"financial_status"`
	FulfillmentStatus string   `json:"fulfillment_status"`
	CreatedAt         string   `json:"created_at"`
	UpdatedAt         string   `json:"updated_at"`
	ProcessedAt       string   `json:"processed_at"`
	CancelledAt       string   `json:"cancelled_at"`
	TaxesIncluded     bool     `json:"taxes_included"`
	Email             string   `json:"email"`
	Phone             string   `json:"phone"`
	SourceName        string   `json:"source_name"`
	LocationID        ident    `json:"location_id"`
	TotalTax          decimal  `json:"total_tax"`
	TotalTaxSet       priceSet `json:"total_tax_set"`
	ShippingSet       priceSet `json:"total_shipping_price_set"`
	Tip               decimal  `json:"total_tip_received"`

	Customer     *shopifyCustomer `json:"customer"`
	LineItems    []shopifyLine    `json:"line_items"`
	Refunds      []shopifyRefund  `json:"refunds"`
	Fulfillments []struct {
		CreatedAt string `json:"created_at"`
		Status    string `json:"status"`
	} `json:"fulfillments"`
	DiscountApplications []struct {
		Code  string `json:"code"`
		Title string `json:"title"`
	} `json:"discount_applications"`
	DiscountCodes []struct {
		Code   string  `json:"code"`
		Amount decimal `json:"amount"`
		Type   string  `json:"type"`
	} `json:"discount_codes"`

	Notes       spare[[]note] `json:"note_attributes"`
	LandingSite spare[string] `json:"landing_site"`
	BrowserIP   spare[string] `json:"browser_ip"`
	Client      spare[struct {
		IP spare[string] `json:"browser_ip"`
	}] `json:"client_details"`
	Shipping spare[place] `json:"shipping_address"`
	Billing  spare[place] `json:"billing_address"`
}

type shopifyLine struct {
	ID          ident        `json:"id"`
	SKU         string       `json:"sku"`
	Title       string       `json:"title"`
	Quantity    *int64       `json:"quantity"`
	Price       decimal      `json:"price"`
	PriceSet    priceSet     `json:"price_set"`
	GiftCard    bool         `json:"gift_card"`
	TipGateway  string       `json:"tip_payment_gateway"` // only on the line that is a tip
	TaxLines    []shopifyTax `json:"tax_lines"`
	Allocations []struct {
		Amount      decimal  `json:"amount"`
		AmountSet   priceSet `json:"amount_set"`
		Application int      `json:"discount_application_index"`
	} `json:"discount_allocations"`
}

type shopifyTax struct {
	Price    decimal  `json:"price"`
	PriceSet priceSet `json:"price_set"`
	Rate     decimal  `json:"rate"`
}

type priceSet struct {
	Shop struct {
		Amount   decimal `json:"amount"`
		Currency string  `json:"currency_code"`
	} `json:"shop_money"`
}

type shopifyCustomer struct {
	ID            ident  `json:"id"`
	Email         string `json:"email"`
	VerifiedEmail bool   `json:"verified_email"`
	Phone         string `json:"phone"`
	FirstName     string `json:"first_name"`
	LastName      string `json:"last_name"`

	Items jsontext.Value `json:"line_items"` // of an order, never of a customer
}

func (c *shopifyCustomer) customer() *loyalty.Customer {
	return &loyalty.Customer{
		ExternalID: string(c.ID), Email: c.Email, EmailVerified: c.VerifiedEmail && c.Email != "",
		Phone: c.Phone, Name: fullName(c.FirstName, c.LastName),
	}
}

func readShopifyOrder(c Connection, d Delivery) (Message, error) {
	var in shopifyOrder
	if err := strict.DecodeLoose(d.Body, &in); err != nil {
		return Message{}, err
	}
	if in.Test {
		return ignored(TestOrder)
	}
	var r reader
	r.money("/currency", in.Currency)
	o := &loyalty.Order{
		Source: c.ID, ID: string(in.ID), Currency: in.Currency, State: in.state(),
		Version:  r.revision("/updated_at", r.time("/updated_at", in.UpdatedAt, time.RFC3339)),
		PlacedAt: r.time("/created_at", in.CreatedAt, time.RFC3339),
		Store:    string(in.LocationID), Channel: clip(in.SourceName),
		Customer: in.customer(),
		Tax:      r.shopMoney("/total_tax", in.TotalTaxSet, in.TotalTax),
		Shipping: r.shopMoney("/total_shipping_price", in.ShippingSet, ""),
		Tip:      r.amount("/total_tip_received", in.Tip),

		ReferralCode: cmp.Or(noted(in.Notes.v, short, "ref", "referral_code", "referral"), fromLink(in.LandingSite.v)),
		Signs:        signs(cmp.Or(in.BrowserIP.v, in.Client.v.IP.v), in.Shipping, in.Billing),
	}
	if o.State == loyalty.Paid || o.State == loyalty.Fulfilled {
		o.PaidAt = r.time("/processed_at", cmp.Or(in.ProcessedAt, in.CreatedAt), time.RFC3339)
	}
	if o.State == loyalty.Fulfilled {
		for i, f := range in.Fulfillments {
			if t := r.time(at("/fulfillments", i)+"/created_at", f.CreatedAt, time.RFC3339); t.After(o.FulfilledAt) && f.Status != "cancelled" {
				o.FulfilledAt = t
			}
		}
	}
	goods := r.shopifyLines(o, &in)
	for i, refund := range in.Refunds {
		path := at("/refunds", i)
		one := r.shopifyRefund(path, refund, &in.TaxesIncluded)
		one.Lines = slices.DeleteFunc(one.Lines, func(l loyalty.RefundLine) bool { // a tip given back
			_, ok := goods[ident(l.Line)]
			if !ok {
				one.Amount -= l.Amount
			}
			return !ok
		})
		if one.Amount == 0 && len(one.Lines) == 0 {
			continue
		}
		o.Refunds = append(o.Refunds, one)
		for _, l := range refund.Lines {
			if line, ok := goods[l.Line]; ok {
				o.Lines[line].RefundedQuantity += min(max(l.Quantity, 0), maxQuantity)
			}
		}
	}
	return Message{Order: o}, r.err
}

// state: only money that arrived counts. An order that was refunded whole is
// still paid; its refunds say the rest.
func (in *shopifyOrder) state() loyalty.State {
	if in.CancelledAt != "" {
		return loyalty.Cancelled
	}
	switch in.FinancialStatus {
	case "paid", "partially_refunded", "refunded":
		if in.FulfillmentStatus == "fulfilled" {
			return loyalty.Fulfilled
		}
		return loyalty.Paid
	case "voided":
		return loyalty.Cancelled
	}
	return loyalty.Placed // authorized, pending, partially_paid, expired
}

func (in *shopifyOrder) customer() *loyalty.Customer {
	if in.Customer == nil {
		return known(loyalty.Customer{Email: in.Email, Phone: in.Phone})
	}
	c := in.Customer.customer()
	c.Email = cmp.Or(c.Email, in.Email)
	return known(*c)
}

// shopifyLines fills in the goods and their discounts, and answers where each
// line of goods stands. Where prices include tax, the tax comes off the amount:
// amount less discounts is then what was paid for the goods alone.
func (r *reader) shopifyLines(o *loyalty.Order, in *shopifyOrder) map[ident]int {
	goods := map[ident]int{}
	allocated := false
	for i, l := range in.LineItems {
		path := at("/line_items", i)
		switch {
		case l.Quantity == nil:
			r.fail(path+"/quantity", "", "is required")
			continue
		case *l.Quantity == 0 || l.TipGateway != "": // edited away, or a tip
			continue
		}
		price := r.shopMoney(path+"/price", l.PriceSet, l.Price)
		if l.Price == "" && l.PriceSet.Shop.Amount == "" {
			r.fail(path+"/price", "", "is required")
		}
		amount := r.times(path+"/price", price, *l.Quantity)
		for k, tax := range l.TaxLines {
			if in.TaxesIncluded {
				where := at(path+"/tax_lines", k) + "/price"
				amount = r.plus(where, amount, -r.shopMoney(where, tax.PriceSet, tax.Price))
			}
		}
		goods[l.ID] = len(o.Lines)
		o.Lines = append(o.Lines, loyalty.Line{
			ID: string(l.ID), SKU: clip(l.SKU), Title: clip(l.Title),
			Quantity: *l.Quantity, UnitPrice: price, Amount: amount, GiftCard: l.GiftCard,
		})
		for k, a := range l.Allocations {
			discount := loyalty.Discount{
				Amount: r.shopMoney(at(path+"/discount_allocations", k)+"/amount", a.AmountSet, a.Amount),
				Lines:  []string{string(l.ID)},
			}
			if n := a.Application; n >= 0 && n < len(in.DiscountApplications) {
				discount.Code = clip(cmp.Or(in.DiscountApplications[n].Code, in.DiscountApplications[n].Title))
			}
			o.Discounts, allocated = append(o.Discounts, discount), true
		}
	}
	for i, code := range in.DiscountCodes {
		if !allocated && code.Type != "shipping" {
			o.Discounts = append(o.Discounts, loyalty.Discount{
				Code: clip(code.Code), Amount: r.amount(at("/discount_codes", i)+"/amount", code.Amount),
			})
		}
	}
	return goods
}

// shopMoney is the amount in the shop's currency: of the set where there is
// one, else the plain field, which is the shop's too.
func (r *reader) shopMoney(path string, set priceSet, plain decimal) int64 {
	if set.Shop.Amount == "" {
		return r.amount(path, plain)
	}
	path += "_set/shop_money"
	if c := set.Shop.Currency; c != "" && c != r.currency {
		r.fail(path+"/currency_code", c, "the order is in "+r.currency)
	}
	return r.amount(path+"/amount", set.Shop.Amount)
}

func readShopifyPrivacy(c Connection, d Delivery, topic string) (Message, error) {
	var in struct {
		ShopID          ident           `json:"shop_id"`
		Customer        shopifyCustomer `json:"customer"`
		OrdersRequested []ident         `json:"orders_requested"`
		OrdersToRedact  []ident         `json:"orders_to_redact"`
		DataRequest     struct {
			ID ident `json:"id"`
		} `json:"data_request"`
	}
	if err := strict.DecodeLoose(d.Body, &in); err != nil {
		return Message{}, err
	}
	// The topic is not signed. Only these bodies name the shop: an order's
	// body, sent again under this topic, erases nobody.
	if in.ShopID == "" {
		return Message{}, loyalty.Malformed("/shop_id", "", "is required")
	}
	p := &PrivacyRequest{Source: c.ID, Topic: topic, Customer: *in.Customer.customer()}
	p.ID = string(cmp.Or(in.DataRequest.ID, in.Customer.ID, in.ShopID))
	for _, id := range append(in.OrdersRequested, in.OrdersToRedact...) {
		p.Orders = append(p.Orders, string(id))
	}
	return Message{Privacy: p}, nil
}
