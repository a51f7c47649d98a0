package storefront

import (
	"fmt"
	"strings"
	"unicode"

	"regulars/shared/loyalty"
)

const (
	maxText      = 500 // bytes of a title, a code, a name
	maxEmail     = 320
	maxLines     = 1000
	maxDiscounts = 2000 // Shopify spreads one code over up to 500 lines
	maxRefunds   = 1000
	maxWeight    = 300 << 10 // bytes; an order is an item of at most 400 KB, in which its ledger entries are named too
)

// checkMessage holds what any storefront said to the bounds of our own API.
// Paths are those of our API, whatever the vendor calls the field.
func checkMessage(m Message) error {
	var r reader
	switch {
	case m.Order != nil:
		r.order(m.Order)
	case m.Refund != nil:
		r.source(m.Refund.Source)
		r.id("/order", m.Refund.Order)
		r.refund("/refund", m.Refund.Refund)
	case m.Customer != nil:
		r.source(m.Customer.Source)
		r.id("/customer/external_id", m.Customer.Customer.ExternalID)
		r.customer(&m.Customer.Customer)
	case m.Privacy != nil:
		r.source(m.Privacy.Source)
		r.id("/id", m.Privacy.ID)
		r.customer(&m.Privacy.Customer)
		for i, id := range m.Privacy.Orders {
			r.id(at("/orders", i), id)
		}
	}
	return r.err
}

func (r *reader) order(o *loyalty.Order) {
	r.source(o.Source)
	r.id("/id", o.ID)
	r.between("/version", o.Version.N, 0, 1<<63-1)
	switch o.State {
	case loyalty.Placed, loyalty.Paid, loyalty.Fulfilled, loyalty.Cancelled:
	default:
		r.fail("/state", string(o.State), "must be placed, paid, fulfilled or cancelled")
	}
	r.money("/currency", o.Currency)
	for _, t := range []struct{ path, text string }{
		{"/store", o.Store}, {"/region", o.Region}, {"/channel", o.Channel}, {"/referral_code", o.ReferralCode},
	} {
		r.text(t.path, t.text)
	}
	r.optionalID("/member", o.Member)
	r.optionalID("/redemption", o.Redemption)
	if o.Customer != nil {
		r.customer(o.Customer)
	}
	r.signs("/signals", o.Signs)
	lines := r.lines(o.Lines)
	r.count("/discounts", len(o.Discounts), maxDiscounts)
	for i, d := range o.Discounts {
		path := at("/discounts", i)
		r.text(path+"/code", d.Code)
		r.between(path+"/amount", d.Amount, 0, maxAmount)
		r.count(path+"/lines", len(d.Lines), maxLines)
		for k, id := range d.Lines {
			if !lines[id] {
				r.fail(at(path+"/lines", k), id, "the order has no such line")
			}
		}
	}
	r.between("/shipping", o.Shipping, 0, maxAmount)
	r.between("/tax", o.Tax, 0, maxAmount)
	r.between("/tip", o.Tip, 0, maxAmount)
	r.between("/refunded", o.Refunded, 0, maxAmount)
	r.count("/refunds", len(o.Refunds), maxRefunds)
	seen := map[string]bool{}
	for i, refund := range o.Refunds {
		path := at("/refunds", i)
		r.refund(path, refund)
		r.unique(path+"/id", refund.ID, seen)
	}
	if !Fits(o) {
		r.fail("/lines", "", fmt.Sprintf("the order's texts, lines and discounts take more than the %d bytes in which it is kept", maxWeight))
	}
}

// Fits tells whether an order can be kept. One that could may not any more
// when refunds were added to it.
func Fits(o *loyalty.Order) bool { return len(o.Refunds) <= maxRefunds && weight(o) <= maxWeight }

// weight is about how many bytes an order takes where it is kept, rather
// more than less: each text, and for each part what its numbers take.
func weight(o *loyalty.Order) int {
	n := 500
	for _, l := range o.Lines {
		n += 60 + len(l.ID) + len(l.SKU) + len(l.Title) + len(l.Category) + len(l.Collection)
	}
	for _, d := range o.Discounts {
		n += 20 + len(d.Code)
		for _, id := range d.Lines {
			n += 3 + len(id)
		}
	}
	for _, refund := range o.Refunds {
		n += 20 + len(refund.ID)
		for _, l := range refund.Lines {
			n += 16 + len(l.Line)
		}
	}
	return n
}

// lines answers the ids that it saw.
func (r *reader) lines(lines []loyalty.Line) map[string]bool {
	r.count("/lines", len(lines), maxLines)
	ids := make(map[string]bool, len(lines))
	var total int64
	for i, l := range lines {
		path := at("/lines", i)
		r.id(path+"/id", l.ID)
		r.unique(path+"/id", l.ID, ids)
		r.text(path+"/sku", l.SKU)
		r.text(path+"/title", l.Title)
		r.text(path+"/category", l.Category)
		r.text(path+"/collection", l.Collection)
		r.between(path+"/quantity", l.Quantity, 1, maxQuantity)
		r.between(path+"/unit_price", l.UnitPrice, 0, maxAmount)
		r.between(path+"/amount", l.Amount, 0, maxAmount)
		if l.RefundedAmount != nil {
			r.between(path+"/refunded_amount", *l.RefundedAmount, 0, maxAmount)
		}
		r.between(path+"/refunded_quantity", l.RefundedQuantity, 0, maxQuantity)
		if r.err != nil {
			return ids
		}
		total = r.plus(path+"/amount", total, l.Amount)
	}
	return ids
}

func (r *reader) refund(path string, refund loyalty.Refund) {
	r.id(path+"/id", refund.ID)
	r.between(path+"/amount", refund.Amount, 0, maxAmount)
	r.count(path+"/lines", len(refund.Lines), maxLines)
	for i, l := range refund.Lines {
		r.id(at(path+"/lines", i)+"/line", l.Line)
		r.between(at(path+"/lines", i)+"/amount", l.Amount, 0, maxAmount)
	}
}

func (r *reader) customer(c *loyalty.Customer) {
	r.optionalID("/customer/external_id", c.ExternalID)
	r.optionalID("/customer/card", c.Card)
	r.text("/customer/name", c.Name)
	for path, v := range map[string]string{"/customer/email": c.Email, "/customer/phone": c.Phone} {
		if len(v) > maxEmail || strings.ContainsFunc(v, unicode.IsControl) {
			r.fail(path, v, fmt.Sprintf("at most %d bytes without control characters", maxEmail))
		}
	}
}

func (r *reader) source(s string) {
	if !loyalty.ValidSource(s) {
		r.fail("/source", s, loyalty.SourceRule)
	}
}

// id refuses what would be ambiguous inside a key or a path.
func (r *reader) id(path, id string) {
	if !loyalty.ValidID(id) {
		r.fail(path, id, loyalty.IDRule)
	}
}

func (r *reader) optionalID(path, id string) {
	if id != "" {
		r.id(path, id)
	}
}

func (r *reader) text(path, s string) {
	if len(s) > maxText {
		r.fail(path, s, fmt.Sprintf("at most %d bytes", maxText))
	}
}

func (r *reader) between(path string, n, least, most int64) {
	if n < least || n > most {
		r.fail(path, fmt.Sprint(n), fmt.Sprintf("must be from %d to %d", least, most))
	}
}

func (r *reader) count(path string, n, most int) {
	if n > most {
		r.fail(path, fmt.Sprint(n), fmt.Sprintf("at most %d", most))
	}
}

func (r *reader) unique(path, id string, seen map[string]bool) {
	if seen[id] {
		r.fail(path, id, "stands twice")
	}
	seen[id] = true
}

// at is the JSON pointer of an element.
func at(path string, i int) string { return fmt.Sprintf("%s/%d", path, i) }

// clip shortens free text of a vendor, which must not cost a shopper points
// for being long, to what we keep.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "")
}
