package storefront

import (
	"math/big"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

type shopifyRefund struct {
	ID      ident `json:"id"`
	OrderID ident `json:"order_id"`
	Lines   []struct {
		Line        ident       `json:"line_item_id"`
		Quantity    int64       `json:"quantity"`
		Subtotal    decimal     `json:"subtotal"`
		SubtotalSet priceSet    `json:"subtotal_set"`
		Tax         decimal     `json:"total_tax"`
		TaxSet      priceSet    `json:"total_tax_set"`
		LineItem    shopifyLine `json:"line_item"`
	} `json:"refund_line_items"`
	Adjustments []struct {
		Amount    decimal  `json:"amount"`
		AmountSet priceSet `json:"amount_set"`
		Kind      string   `json:"kind"`
	} `json:"order_adjustments"`
	Shipping     []struct{} `json:"refund_shipping_lines"`
	Transactions []struct {
		Kind     string  `json:"kind"`
		Status   string  `json:"status"`
		Amount   decimal `json:"amount"`
		Currency string  `json:"currency"`
		Test     bool    `json:"test"`
	} `json:"transactions"`
}

func readShopifyRefund(c Connection, d Delivery) (Message, error) {
	var in shopifyRefund
	if err := strict.DecodeLoose(d.Body, &in); err != nil {
		return Message{}, err
	}
	for _, t := range in.Transactions {
		if t.Test {
			return ignored(TestOrder)
		}
	}
	if len(in.Lines)+len(in.Adjustments)+len(in.Transactions) == 0 {
		return ignored(NoGoodsRefunded)
	}
	var r reader
	r.money("/refund_line_items", in.currency())
	one := r.shopifyRefund("", in, nil)
	switch {
	case r.err != nil:
		return Message{}, r.err
	case one.Amount == 0:
		return ignored(NoGoodsRefunded)
	}
	return Message{Refund: &OrderRefund{Source: c.ID, Order: string(in.OrderID), Currency: r.currency, Refund: one}}, nil
}

// currency of the shop: a refund names it only beside its amounts.
func (in *shopifyRefund) currency() string {
	for _, l := range in.Lines {
		if code := l.SubtotalSet.Shop.Currency; code != "" {
			return code
		}
	}
	for _, a := range in.Adjustments {
		if code := a.AmountSet.Shop.Currency; code != "" {
			return code
		}
	}
	for _, t := range in.Transactions {
		if t.Currency != "" {
			return t.Currency
		}
	}
	return ""
}

// shopifyRefund reads how much of the goods one refund gave back.
//
// The subtotals of the refunded lines count, not the transaction: on a real
// order 209.00 went back over the gateway for lines of 195.66 and 195.67. With
// no lines, a refund_discrepancy is an amount the merchant typed in, and counts
// as goods; shipping does not; money that neither explains counts as goods.
//
// included tells whether prices include tax; nil: the refund came alone, and
// its own tax tells.
func (r *reader) shopifyRefund(path string, in shopifyRefund, included *bool) loyalty.Refund {
	out := loyalty.Refund{ID: string(in.ID)}
	for i, l := range in.Lines {
		path := at(path+"/refund_line_items", i)
		if l.LineItem.TipGateway != "" {
			continue
		}
		amount := r.shopMoney(path+"/subtotal", l.SubtotalSet, l.Subtotal)
		tax := r.shopMoney(path+"/total_tax", l.TaxSet, l.Tax)
		if included != nil && *included || included == nil && taxInside(amount, tax, l.LineItem.TaxLines) {
			amount = max(amount-tax, 0)
		}
		out.Lines = append(out.Lines, loyalty.RefundLine{Line: string(l.Line), Amount: amount})
		out.Amount = r.plus(path+"/subtotal", out.Amount, amount)
	}
	if len(in.Lines) > 0 {
		return out
	}
	shipping := len(in.Shipping) > 0
	for i, a := range in.Adjustments {
		path := at(path+"/order_adjustments", i) + "/amount"
		if a.Kind == "shipping_refund" {
			shipping = true
			continue
		}
		out.Amount = r.plus(path, out.Amount, -r.shopMoney(path, a.AmountSet, a.Amount))
	}
	for i, t := range in.Transactions {
		if len(in.Adjustments) == 0 && !shipping && t.Kind == "refund" && t.Status == "success" && t.Currency == r.currency {
			path := at(path+"/transactions", i) + "/amount"
			out.Amount = r.plus(path, out.Amount, r.amount(path, t.Amount))
		}
	}
	out.Amount = max(out.Amount, 0)
	return out
}

// taxInside tells whether tax is a part of subtotal rather than on top of it,
// by the rates of the line. It says so only when the figures agree but for
// rounding, because a tax may also be capped or entered by hand.
func taxInside(subtotal, tax int64, lines []shopifyTax) bool {
	rate := new(big.Rat)
	for _, l := range lines {
		if one, ok := new(big.Rat).SetString(string(l.Rate)); ok && len(l.Rate) < 20 && !strings.ContainsAny(string(l.Rate), "eE/") {
			rate.Add(rate, one)
		}
	}
	if rate.Sign() <= 0 || tax == 0 {
		return false
	}
	onTop := new(big.Rat).Mul(big.NewRat(subtotal, 1), rate)
	inside := new(big.Rat).Quo(onTop, new(big.Rat).Add(big.NewRat(1, 1), rate))
	off := func(from *big.Rat) *big.Rat { return from.Abs(from.Sub(from, big.NewRat(tax, 1))) }
	byInside, byOnTop := off(inside), off(onTop)
	return byInside.Cmp(big.NewRat(int64(len(lines)), 1)) <= 0 && byInside.Cmp(byOnTop) < 0
}
