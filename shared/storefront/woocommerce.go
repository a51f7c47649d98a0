package storefront

import (
	"cmp"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// readWooCommerce follows the REST API v3 (woocommerce.github.io/woocommerce-rest-api-docs),
// whose orders and customers the webhooks carry. The *_gmt times have no zone
// in the text and are UTC. Line totals never include tax.
//
// A refund in an order states one total, tax and shipping included: the domain
// takes it off the goods, as far as there are goods.
//
// order.deleted is sent when the merchant moves an order to the trash. It
// carries only the id, no version, and says nothing of money: cancelling and
// refunding have their own messages. Tidying up a shop must not take points
// from shoppers, so it is ignored.
func readWooCommerce(c Connection, d Delivery) (Message, error) {
	if isPing(d) {
		return ignored(Ping)
	}
	topic := header(d.Header, "X-WC-Webhook-Topic")
	switch topic {
	case "":
		return Message{}, loyalty.Malformed("X-WC-Webhook-Topic", "", "is required, once")
	case "order.created", "order.updated", "order.restored":
		return readWooOrder(c, d)
	case "order.deleted":
		return ignored(OrderDeleted)
	case "customer.created", "customer.updated", "customer.deleted":
		var in struct {
			ID        ident   `json:"id"`
			Email     string  `json:"email"`
			FirstName string  `json:"first_name"`
			LastName  string  `json:"last_name"`
			Billing   billing `json:"billing"`
		}
		if err := strict.DecodeLoose(d.Body, &in); err != nil {
			return Message{}, err
		}
		return Message{Customer: &CustomerChange{
			Source: c.ID, Deleted: topic == "customer.deleted",
			Customer: loyalty.Customer{
				ExternalID: string(in.ID), Email: in.Email, Phone: in.Billing.Phone, Name: fullName(in.FirstName, in.LastName),
			},
		}}, nil
	}
	return ignored(UnknownEvent)
}

// wooBilling is who pays, and where they live.
type wooBilling struct {
	billing
	place
}

type wooOrder struct {
	ID            ident      `json:"id"`
	Status        string     `json:"status"`
	Currency      string     `json:"currency"`
	CreatedVia    string     `json:"created_via"`
	CreatedAt     string     `json:"date_created_gmt"`
	ModifiedAt    string     `json:"date_modified_gmt"`
	PaidAt        string     `json:"date_paid_gmt"`
	CompletedAt   string     `json:"date_completed_gmt"`
	ShippingTotal decimal    `json:"shipping_total"`
	TotalTax      decimal    `json:"total_tax"`
	CustomerID    ident      `json:"customer_id"`
	Billing       wooBilling `json:"billing"`
	LineItems     []struct {
		ID       ident   `json:"id"`
		Name     string  `json:"name"`
		SKU      string  `json:"sku"`
		Quantity decimal `json:"quantity"`
		Subtotal decimal `json:"subtotal"`
		Total    decimal `json:"total"`
	} `json:"line_items"`
	CouponLines []struct {
		Code string `json:"code"`
	} `json:"coupon_lines"`
	FeeLines []struct {
		Name  string  `json:"name"`
		Total decimal `json:"total"`
	} `json:"fee_lines"`
	Refunds []struct {
		ID    ident   `json:"id"`
		Total decimal `json:"total"`
	} `json:"refunds"`

	Meta     spare[[]note] `json:"meta_data"`
	IP       spare[string] `json:"customer_ip_address"`
	Shipping spare[place]  `json:"shipping"`
}

const wooTime = "2006-01-02T15:04:05"

func readWooOrder(c Connection, d Delivery) (Message, error) {
	var in wooOrder
	if err := strict.DecodeLoose(d.Body, &in); err != nil {
		return Message{}, err
	}
	var r reader
	r.money("/currency", in.Currency)
	o := &loyalty.Order{
		Source: c.ID, ID: string(in.ID), Currency: in.Currency, State: in.state(),
		Version:     r.revision("/date_modified_gmt", r.time("/date_modified_gmt", in.ModifiedAt, wooTime)),
		PlacedAt:    r.time("/date_created_gmt", in.CreatedAt, wooTime),
		PaidAt:      r.time("/date_paid_gmt", in.PaidAt, wooTime),
		FulfilledAt: r.time("/date_completed_gmt", in.CompletedAt, wooTime),
		Channel:     clip(in.CreatedVia),
		Customer:    in.Billing.customer(in.CustomerID),
		Shipping:    r.amount("/shipping_total", in.ShippingTotal),
		Tax:         r.amount("/total_tax", in.TotalTax),

		ReferralCode: cmp.Or(noted(in.Meta.v, short, "referral_code", "_referral_code", "ref"), noted(in.Meta.v, fromLink, "_wc_order_attribution_session_entry")),
		Signs:        signs(in.IP.v, in.Shipping, spare[place]{in.Billing.place}),
	}
	var codes []string
	for _, coupon := range in.CouponLines {
		codes = append(codes, coupon.Code)
	}
	code := clip(strings.Join(codes, ","))
	for i, l := range in.LineItems {
		path := at("/line_items", i)
		total := r.need(path+"/total", l.Total)
		// A merchant may raise a line's total over its subtotal by hand.
		amount := max(r.amount(path+"/subtotal", l.Subtotal), total)
		quantity := r.wooQuantity(path+"/quantity", l.Quantity)
		o.Lines = append(o.Lines, loyalty.Line{
			ID: string(l.ID), SKU: clip(l.SKU), Title: clip(l.Name),
			Quantity: quantity, UnitPrice: max(amount, 0) / quantity, Amount: amount,
		})
		if total < 0 {
			r.fail(path+"/total", string(l.Total), "must not be negative")
		}
		if amount > total {
			o.Discounts = append(o.Discounts, loyalty.Discount{Code: code, Amount: amount - total, Lines: []string{string(l.ID)}})
		}
	}
	for i, fee := range in.FeeLines {
		// A negative fee is how plugins give a discount; a fee earns nothing.
		if total := r.amount(at("/fee_lines", i)+"/total", fee.Total); total < 0 {
			o.Discounts = append(o.Discounts, loyalty.Discount{Code: clip(fee.Name), Amount: -total})
		}
	}
	for i, refund := range in.Refunds {
		o.Refunds = append(o.Refunds, loyalty.Refund{
			ID: string(refund.ID), Amount: -r.amount(at("/refunds", i)+"/total", refund.Total),
		})
	}
	return Message{Order: o}, r.err
}

func (in *wooOrder) state() loyalty.State {
	switch in.Status {
	case "processing", "refunded":
		return loyalty.Paid
	case "completed":
		return loyalty.Fulfilled
	case "cancelled", "failed", "trash":
		return loyalty.Cancelled
	}
	return loyalty.Placed // pending, on-hold, checkout-draft, and what plugins add
}

// wooQuantity is a count; plugins sell fractions (1.5 kg), which count as one.
func (r *reader) wooQuantity(path string, d decimal) int64 {
	count := reader{} // no currency: no digits after the point
	n := count.amount(path, cmp.Or(d, "1"))
	if _, fraction, _ := strings.Cut(string(d), "."); strings.Trim(fraction, "0") != "" && strings.Trim(fraction, "0123456789") == "" {
		return 1
	}
	if r.err == nil {
		r.err = count.err
	}
	r.between(path, n, 1, maxQuantity)
	return max(n, 1)
}
