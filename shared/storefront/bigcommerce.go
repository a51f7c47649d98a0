package storefront

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// readBigCommerce follows the order events of developer.bigcommerce.com
// ("Webhook events") and the V2 orders API. An event only names the order, so
// the order is fetched, and the newest state is always what is read.
//
// The amounts are in the currency that the shopper pays in
// (default_currency_code) and have four decimals, not rounded: they are
// rounded half up to minor units per line. The V2 API always states 0 as
// refunded; a line's quantity_refunded is what counts. It does not tell when
// an order was paid either: date_created stands for it.
//
// An order that is not there any more is ignored: an error would make
// BigCommerce retry for two days and then switch the webhook off.
func readBigCommerce(ctx context.Context, c Connection, d Delivery, fetch OrderAPI) (Message, error) {
	var in struct {
		Scope string `json:"scope"`
		Data  struct {
			ID ident `json:"id"`
		} `json:"data"`
	}
	if err := strict.DecodeLoose(d.Body, &in); err != nil {
		return Message{}, err
	}
	switch in.Scope {
	case "":
		return Message{}, loyalty.Malformed("/scope", "", "is required")
	case "store/order/created", "store/order/updated", "store/order/statusUpdated", "store/order/archived",
		"store/order/refund/created":
	case "store/customer/deleted":
		return Message{Customer: &CustomerChange{
			Source: c.ID, Deleted: true, Customer: loyalty.Customer{ExternalID: string(in.Data.ID)},
		}}, nil
	default:
		return ignored(UnknownEvent)
	}
	id := string(in.Data.ID)
	if id == "" || len(id) > 20 || strings.Trim(id, "0123456789") != "" { // it goes into a path
		return Message{}, loyalty.Malformed("/data/id", id, "must be the number of an order")
	}
	if fetch == nil {
		return Message{}, fmt.Errorf("connection %q has no order API", c.ID)
	}
	order, products, err := fetchBigCommerce(ctx, fetch, "/v2/orders/"+id)
	if e := (*loyalty.Error)(nil); errors.As(err, &e) && e.Kind == loyalty.Missing {
		return ignored(OrderNotFound)
	}
	if err != nil {
		return Message{}, err
	}
	if string(order.ID) != id {
		return Message{}, fmt.Errorf("asked for order %s, got %q", id, order.ID)
	}
	return order.read(c, products)
}

// bigCommercePage is how many products one page holds at most.
const bigCommercePage = 250

func fetchBigCommerce(ctx context.Context, fetch OrderAPI, path string) (order bigCommerceOrder, products []bigCommerceProduct, err error) {
	body, err := fetch.Get(ctx, path)
	if err != nil {
		return order, nil, fmt.Errorf("fetching the order: %w", err)
	}
	if err := strict.DecodeLoose(body, &order); err != nil {
		return order, nil, err
	}
	for page := 1; len(products) <= maxLines; page++ {
		body, err := fetch.Get(ctx, fmt.Sprintf("%s/products?limit=%d&page=%d", path, bigCommercePage, page))
		if err != nil {
			return order, nil, fmt.Errorf("fetching the order's products: %w", err)
		}
		var some []bigCommerceProduct
		if len(body) > 0 { // 204 after the last page
			if err := strict.DecodeLoose(body, &some); err != nil {
				return order, nil, err
			}
		}
		if products = append(products, some...); len(some) < bigCommercePage {
			break
		}
	}
	return order, products, nil
}

type bigCommerceOrder struct {
	ID           ident   `json:"id"`
	CustomerID   ident   `json:"customer_id"`
	StatusID     int     `json:"status_id"`
	CreatedAt    string  `json:"date_created"`
	ModifiedAt   string  `json:"date_modified"`
	ShippedAt    string  `json:"date_shipped"`
	CurrencyCode string  `json:"currency_code"`
	PaidIn       string  `json:"default_currency_code"`
	Shipping     decimal `json:"shipping_cost_ex_tax"`
	Tax          decimal `json:"total_tax"`
	Refunded     decimal `json:"refunded_amount"`
	Discount     decimal `json:"discount_amount"`
	Coupon       decimal `json:"coupon_discount"`
	OrderSource  string  `json:"order_source"`
	Billing      billing `json:"billing_address"`
}

type bigCommerceProduct struct {
	ID               ident   `json:"id"`
	Name             string  `json:"name"`
	SKU              string  `json:"sku"`
	Type             string  `json:"type"`
	Quantity         int64   `json:"quantity"`
	QuantityRefunded int64   `json:"quantity_refunded"`
	Price            decimal `json:"price_ex_tax"`
	Total            decimal `json:"total_ex_tax"`
	Discounts        []struct {
		Amount decimal `json:"amount"`
		Name   string  `json:"name"`
		Code   string  `json:"code"`
	} `json:"applied_discounts"`
}

func (in *bigCommerceOrder) read(c Connection, products []bigCommerceProduct) (Message, error) {
	r := reader{round: true}
	currency := cmp.Or(in.PaidIn, in.CurrencyCode)
	r.money("/default_currency_code", currency)
	o := &loyalty.Order{
		Source: c.ID, ID: string(in.ID), Currency: currency, State: in.state(),
		Version:     r.revision("/date_modified", r.time("/date_modified", in.ModifiedAt, time.RFC1123Z)),
		PlacedAt:    r.time("/date_created", in.CreatedAt, time.RFC1123Z),
		FulfilledAt: r.time("/date_shipped", in.ShippedAt, time.RFC1123Z),
		Channel:     clip(in.OrderSource),
		Customer:    in.Billing.customer(in.CustomerID),
		Shipping:    r.amount("/shipping_cost_ex_tax", in.Shipping),
		Tax:         r.amount("/total_tax", in.Tax),
		Refunded:    r.amount("/refunded_amount", in.Refunded),
	}
	if o.State == loyalty.Paid || o.State == loyalty.Fulfilled {
		o.PaidAt = o.PlacedAt
	}
	for i, p := range products {
		path := at("/products", i)
		line := loyalty.Line{
			ID: string(p.ID), SKU: clip(p.SKU), Title: clip(p.Name), Quantity: p.Quantity,
			UnitPrice: r.amount(path+"/price_ex_tax", p.Price),
			Amount:    r.need(path+"/total_ex_tax", p.Total),
			GiftCard:  p.Type == "giftcertificate", RefundedQuantity: p.QuantityRefunded,
		}
		if in.StatusID == bigCommerceRefunded {
			line.RefundedQuantity = p.Quantity
		}
		o.Lines = append(o.Lines, line)
		for k, d := range p.Discounts {
			o.Discounts = append(o.Discounts, loyalty.Discount{
				Code: clip(cmp.Or(d.Code, d.Name)), Lines: []string{line.ID},
				Amount: r.amount(at(path+"/applied_discounts", k)+"/amount", d.Amount),
			})
		}
	}
	if len(o.Discounts) == 0 {
		off := r.plus("/discount_amount", r.amount("/discount_amount", in.Discount), r.amount("/coupon_discount", in.Coupon))
		if off != 0 {
			o.Discounts = []loyalty.Discount{{Amount: off}}
		}
	}
	return Message{Order: o}, r.err
}

const bigCommerceRefunded = 4

// state maps the order statuses of the V2 API (GET /v2/order_statuses).
func (in *bigCommerceOrder) state() loyalty.State {
	switch in.StatusID {
	case 2, 10: // Shipped, Completed
		return loyalty.Fulfilled
	case 3, 8, 9, 11: // Partially Shipped, Awaiting Pickup, Awaiting Shipment, Awaiting Fulfillment
		return loyalty.Paid
	case bigCommerceRefunded, 13, 14: // Refunded, Disputed, Partially Refunded
		return loyalty.Paid
	case 5, 6: // Cancelled, Declined
		return loyalty.Cancelled
	}
	return loyalty.Placed // Incomplete, Pending, Awaiting Payment, Manual Verification Required
}
