package storefront_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/storefront"
)

func TestShopify(t *testing.T) {
	body := sample("shopify")
	paid := kinds["shopify"]
	for _, row := range []struct {
		name  string
		pairs []string
		check func(*loyalty.Order) bool
	}{
		{"an id may be a string", []string{`"id": 9007199254740993`, `"id": "9007199254740993"`}, func(o *loyalty.Order) bool { return o.ID == "9007199254740993" }},
		{"voided is cancelled", []string{`"financial_status": "paid"`, `"financial_status": "voided"`}, func(o *loyalty.Order) bool { return o.State == loyalty.Cancelled }},
		{"a time of cancelling is cancelled, although paid", []string{`"cancelled_at": null`, `"cancelled_at": "2026-03-15T12:00:00+02:00"`}, func(o *loyalty.Order) bool { return o.State == loyalty.Cancelled }},
		{"partially paid is not paid", []string{`"financial_status": "paid"`, `"financial_status": "partially_paid"`}, func(o *loyalty.Order) bool { return o.State == loyalty.Placed }},
		{"refunded is still paid", []string{`"financial_status": "paid"`, `"financial_status": "refunded"`}, func(o *loyalty.Order) bool { return o.State == loyalty.Paid }},
		{
			"fulfilled at the last fulfilment",
			[]string{
				`"fulfillment_status": null`, `"fulfillment_status": "fulfilled"`, `"fulfillments": []`,
				`"fulfillments": [{"created_at": "2026-03-17T00:00:00Z", "status": "success"}, {"created_at": "2026-03-16T00:00:00Z", "status": "success"}, {"created_at": "2026-03-18T00:00:00Z", "status": "cancelled"}]`,
			},
			func(o *loyalty.Order) bool {
				return o.State == loyalty.Fulfilled && o.FulfilledAt.Equal(instant("2026-03-17T00:00:00Z"))
			},
		},
		{"a guest is known by the order's e-mail, which nobody verified", []string{`"customer": {`, `"somebody": {`}, func(o *loyalty.Order) bool {
			return cmp.Equal(o.Customer, &loyalty.Customer{Email: "noa@example.co.il"})
		}},
		{"the tip's line is not goods", []string{`"gift_card": true`, `"gift_card": false, "tip_payment_gateway": "shopify_payments"`}, func(o *loyalty.Order) bool { return len(o.Lines) == 1 }},
		{
			"a refund of the tip is none of goods",
			[]string{
				`"gift_card": true`, `"gift_card": false, "tip_payment_gateway": "shopify_payments"`, `"refunds": []`,
				`"refunds": [{"id": 1, "refund_line_items": [{"line_item_id": 466157050, "quantity": 1, "subtotal": "100.00"}]}, {"id": 2, "refund_line_items": [{"line_item_id": 466157050, "quantity": 1, "subtotal": "1.00"}, {"line_item_id": 466157049, "quantity": 1, "subtotal": "40.50", "total_tax": "6.18"}]}]`,
			},
			func(o *loyalty.Order) bool {
				return cmp.Equal(o.Refunds, []loyalty.Refund{{ID: "2", Amount: 3432, Lines: []loyalty.RefundLine{{Line: "466157049", Amount: 3432}}}}) &&
					o.Lines[0].RefundedQuantity == 1
			},
		},
		{"a line that was edited away is not goods", []string{`"quantity": 1`, `"quantity": 0`}, func(o *loyalty.Order) bool { return len(o.Lines) == 1 }},
		{"a long title is cut between letters, the order kept", []string{`כרטיס מתנה`, strings.Repeat("א", 300) + "x"}, func(o *loyalty.Order) bool { return o.Lines[1].Title == strings.Repeat("א", 250) }},
		{"a code counts for the order when nothing is allocated", []string{`"discount_allocations": [
        {`, `"discount_allocations": [], "was": [
        {`}, func(o *loyalty.Order) bool {
			return cmp.Equal(o.Discounts, []loyalty.Discount{{Code: "בוקר", Amount: 900}})
		}},
		{"a code for shipping takes nothing off the goods", []string{`"discount_allocations": [
        {`, `"discount_allocations": [], "was": [
        {`, `"type": "percentage"`, `"type": "shipping"`}, func(o *loyalty.Order) bool { return len(o.Discounts) == 0 }},
		{"without tax in the price the line is the price", []string{`"taxes_included": true`, `"taxes_included": false`}, func(o *loyalty.Order) bool { return o.Lines[0].Amount == 9000 }},
		{
			"yen have no minor unit",
			[]string{`ILS`, `JPY`, `"45.00"`, `"4500"`, `"12.36"`, `"1236.00"`, `"9.00"`, `"900"`, `"16.17"`, `"1617"`},
			func(o *loyalty.Order) bool {
				return o.Lines[0].Amount == 7764 && o.Discounts[0].Amount == 900 && o.Shipping == 25
			},
		},
		{"dinars have three digits", []string{`ILS`, `KWD`, `"12.36"`, `"12.345"`}, func(o *loyalty.Order) bool { return o.Lines[0].Amount == 90000-12345 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			if o := order(t, "shopify", paid, change(t, body, row.pairs...)); !row.check(o) {
				t.Errorf("got %+v", o)
			}
		})
	}

	for _, row := range []struct {
		name, path string
		pairs      []string
	}{
		{"an id that a float could not hold, written as one", "/id", []string{`"id": 9007199254740993`, `"id": 9.007199254740993e15`}},
		{"an id with a slash", "/id", []string{`"id": 9007199254740993`, `"id": "1/2"`}},
		{"an id with a hash", "/lines/0/id", []string{`"id": 466157049`, `"id": "#1"`}},
		{"no id", "/id", []string{`"id": 9007199254740993`, `"id": null`}},
		{"no version", "/updated_at", []string{`"updated_at"`, `"when"`}},
		{"a version beyond what it can hold", "/updated_at", []string{`2026-03-15T10:01:05+02:00`, `2262-01-01T00:00:00Z`}},
		{"a time without a zone", "/created_at", []string{`2026-03-15T10:00:00+02:00`, `2026-03-15T10:00:00`}},
		{"a price with a comma", "/line_items/0/price", []string{`"price": "45.00",
      "price_set": {"shop_money"`, `"price": "45,00",
      "price_set": {"other"`}},
		{"a third digit", "/line_items/0/price_set/shop_money/amount", []string{`"amount": "45.00"`, `"amount": "45.001"`}},
		{"a price beyond all bounds", "/line_items/0/price_set/shop_money/amount", []string{`"amount": "45.00"`, `"amount": "10000000000000.01"`}},
		{"a product beyond all bounds", "/line_items/0/price", []string{`"quantity": 2`, `"quantity": 9223372036854775807`}},
		{"a negative quantity", "/lines/0/quantity", []string{`"quantity": 2`, `"quantity": -2`, `"price": "12.36"`, `"price": "-500"`, `"amount": "12.36"`, `"amount": "-500"`}},
		{"no quantity", "/line_items/0/quantity", []string{`"quantity": 2`, `"quantity": null`}},
		{"a negative price", "/lines/0/unit_price", []string{`"amount": "45.00"`, `"amount": "-45.00"`}},
		{"shop money in another currency", "/line_items/0/price_set/shop_money/currency_code", []string{`"amount": "45.00", "currency_code": "ILS"`, `"amount": "45.00", "currency_code": "USD"`}},
		{"an unknown currency", "/currency", []string{`"currency": "ILS"`, `"currency": "XYZ"`}},
		{"a currency in lower case", "/currency", []string{`"currency": "ILS"`, `"currency": "ils"`}},
		{"two lines of one id", "/lines/1/id", []string{`466157050`, `466157049`}},
		{"a key twice", "/ID", []string{`"name": "#1042"`, `"ID": 5`}},
	} {
		t.Run("malformed: "+row.name, func(t *testing.T) {
			_, err := read("shopify", paid, change(t, body, row.pairs...))
			wantMalformed(t, err, row.path)
		})
	}
}

func TestShopifyTopics(t *testing.T) {
	customer := `{"id": 7, "email": "a@example.com", "verified_email": true, "first_name": "Anna", "last_name": ""}`
	for topic, want := range map[string]string{
		"orders/create": anOrder, "orders/paid": anOrder, "orders/updated": anOrder, "orders/edited": anOrder, "orders/cancelled": anOrder,
		"orders/fulfilled": anOrder, "orders/partially_fulfilled": anOrder,
		"orders/delete": storefront.UnknownEvent, "carts/update": storefront.UnknownEvent,
		"customers/redact": isMalformed, // an order under the topic of a redaction erases nobody
	} {
		m, err := read("shopify", headers("Shopify-Topic", topic), sample("shopify"))
		if got := outcome(m, err); got != want {
			t.Errorf("%s is %s (%v), want %s", topic, got, err, want)
		}
	}
	for _, topic := range []string{"customers/create", "customers/update", "customers/enable", "customers/disable", "customers/delete"} {
		want := &storefront.CustomerChange{Source: "shopify", Customer: loyalty.Customer{ExternalID: "7", Email: "a@example.com", EmailVerified: true, Name: "Anna"}}
		if topic == "customers/delete" {
			want = &storefront.CustomerChange{Source: "shopify", Customer: loyalty.Customer{ExternalID: "7"}, Deleted: true}
		}
		m, err := read("shopify", headers("X-Shopify-Topic", topic), customer)
		if diff := cmp.Diff(want, m.Customer); diff != "" || err != nil {
			t.Errorf("%s: %v %s", topic, err, diff)
		}
	}
	m, err := read("shopify", headers("X-Shopify-Topic", "customers/data_request"),
		`{"shop_id": 1, "orders_requested": [299938, "280263"], "customer": {"id": 191167}, "data_request": {"id": 9999}}`)
	want := &storefront.PrivacyRequest{
		Source: "shopify", Topic: "customers/data_request", ID: "9999",
		Customer: loyalty.Customer{ExternalID: "191167"}, Orders: []string{"299938", "280263"},
	}
	if diff := cmp.Diff(want, m.Privacy); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, h := range []http.Header{{}, headers("X-Shopify-Topic", "orders/paid", "X-Shopify-Topic", "orders/paid")} {
		_, err := read("shopify", h, sample("shopify"))
		wantMalformed(t, err, "X-Shopify-Topic")
	}
}

func TestShopifyRefunds(t *testing.T) {
	const money = `{"shop_money": {"amount": %, "currency_code": "ILS"}}`
	set := func(amount string) string { return strings.Replace(money, "%", `"`+amount+`"`, 1) }
	line := func(subtotal, tax, rate string) string {
		return `{"line_item_id": 5, "quantity": 1, "subtotal": ` + subtotal + `, "subtotal_set": ` + set(subtotal) + `, "total_tax": ` + tax + `, "line_item": {"tax_lines": [{"rate": ` + rate + `}]}}`
	}
	gateway := `[{"kind": "refund", "status": "success", "amount": "45.00", "currency": "ILS"}, {"kind": "refund", "status": "failure", "amount": "45.00", "currency": "ILS"}]`
	for _, row := range []struct {
		name, body string
		want       int64
	}{
		{"the lines count, not the gateway", `"refund_line_items": [` + line("30.00", "0", "0") + `], "transactions": ` + gateway, 3000},
		{"tax on top is not in the subtotal", `"refund_line_items": [` + line("100.00", "18.00", "0.18") + `]`, 10000},
		{"tax inside the subtotal comes off", `"refund_line_items": [` + line("118.00", "18.00", "0.18") + `]`, 10000},
		{"an amount typed in counts as goods", `"order_adjustments": [{"kind": "refund_discrepancy", "amount": "-20.00", "amount_set": ` + set("-20.00") + `}], "transactions": ` + gateway, 2000},
		{"shipping beside it does not", `"order_adjustments": [{"kind": "shipping_refund", "amount_set": ` + set("-5.00") + `}, {"kind": "refund_discrepancy", "amount_set": ` + set("-20.00") + `}]`, 2000},
		{"money that nothing explains counts as goods", `"refund_line_items": [], "transactions": ` + gateway, 4500},
		{"shipping alone does not", `"refund_shipping_lines": [{"id": 1}], "transactions": ` + gateway, 0},
		{"goods put back without money do not", `"refund_line_items": []`, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, err := read("shopify", headers("X-Shopify-Topic", "refunds/create"), `{"id": 1, "order_id": 2, `+row.body+`}`)
			switch {
			case err != nil:
				t.Fatal(err)
			case row.want == 0 && m.Ignored != storefront.NoGoodsRefunded, row.want != 0 && (m.Refund == nil || m.Refund.Refund.Amount != row.want):
				t.Errorf("got %+v %+v, want %d", m, m.Refund, row.want)
			}
		})
	}
	_, err := read("shopify", headers("X-Shopify-Topic", "refunds/create"), `{"id": 1, "order_id": 2, "refund_line_items": [{"line_item_id": 5, "subtotal": 45.00}]}`)
	wantMalformed(t, err, "/refund_line_items")
}

func TestWooCommerce(t *testing.T) {
	updated := kinds["woocommerce"]
	for status, want := range map[string]loyalty.State{
		"pending": loyalty.Placed, "on-hold": loyalty.Placed, "checkout-draft": loyalty.Placed, "wc-custom": loyalty.Placed,
		"processing": loyalty.Paid, "refunded": loyalty.Paid, "completed": loyalty.Fulfilled,
		"cancelled": loyalty.Cancelled, "failed": loyalty.Cancelled, "trash": loyalty.Cancelled,
	} {
		if o := order(t, "woocommerce", updated, change(t, sample("woocommerce"), `"completed"`, `"`+status+`"`)); o.State != want {
			t.Errorf("%s is %s, want %s", status, o.State, want)
		}
	}
	for _, row := range []struct {
		name  string
		pairs []string
		check func(*loyalty.Order) bool
	}{
		{"customer 0 is a guest", []string{`"customer_id": 26`, `"customer_id": 0`}, func(o *loyalty.Order) bool {
			return o.Customer.ExternalID == "" && o.Customer.Email == "sara@example.co.il"
		}},
		{
			"a negative fee is a discount",
			[]string{`"fee_lines": []`, `"fee_lines": [{"name": "VIP", "total": "-5.00"}, {"name": "Wrap", "total": "3.00"}]`},
			func(o *loyalty.Order) bool {
				return cmp.Equal(o.Discounts[2:], []loyalty.Discount{{Code: "VIP", Amount: 500}})
			},
		},
		{"a total raised by hand counts", []string{`"total": "38.14"`, `"total": "50.00"`}, func(o *loyalty.Order) bool {
			return o.Lines[0].Amount == 5000 && len(o.Discounts) == 1
		}},
		{"goods sold by weight count as one", []string{`"quantity": 2`, `"quantity": 1.5`}, func(o *loyalty.Order) bool { return o.Lines[1].Quantity == 1 }},
		{"zeros beyond the currency's digits are nothing", []string{`"42.37"`, `"42.370000"`}, func(o *loyalty.Order) bool { return o.Lines[0].Amount == 4237 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			if o := order(t, "woocommerce", updated, change(t, sample("woocommerce"), row.pairs...)); !row.check(o) {
				t.Errorf("got %+v", o)
			}
		})
	}
	for _, row := range [][3]string{
		{"/date_modified_gmt", `2026-03-16T09:30:00`, `2026-03-16T09:30:00Z`},
		{"/line_items/0/total", `"total": "38.14"`, `"total": "-1.00"`},
		{"/line_items/0/subtotal", `"42.37"`, `"42.375"`},
		{"/line_items/1/quantity", `"quantity": 2`, `"quantity": "many"`},
		{"/line_items/1/quantity", `"quantity": 2`, `"quantity": 0`},
		{"/refunds/0/amount", `"-8.83"`, `"8.83"`},
	} {
		_, err := read("woocommerce", updated, change(t, sample("woocommerce"), row[1], row[2]))
		wantMalformed(t, err, row[0])
	}
	for topic, want := range map[string]string{
		"order.deleted": storefront.OrderDeleted, "product.updated": storefront.UnknownEvent, "customer.deleted": aCustomer, "": isMalformed,
	} {
		m, err := read("woocommerce", headers("X-WC-Webhook-Topic", topic), `{"id": 727}`)
		if got := outcome(m, err); got != want {
			t.Errorf("%s is %s (%v), want %s", topic, got, err, want)
		}
	}
}

func TestStripe(t *testing.T) {
	body := sample("stripe")
	payment := `{"type": "payment_intent.succeeded", "created": 1773561660, "livemode": true, "data": {"object": {"id": "pi_3QxYzAB7WZ01zgkWSjxsAJo3",
		"created": 1773561600, "currency": "ils", "amount_received": 14440, "amount_details": {"tip": {"amount": 500}}, "customer": "cus_QXg1hqf4jFNsqG", "receipt_email": null}}}`
	t.Run("a payment is the checkout's order, told less well", func(t *testing.T) {
		checkout, got := order(t, "stripe", nil, body), order(t, "stripe", nil, payment)
		if got.ID != checkout.ID || got.Version.Compare(checkout.Version) >= 0 || got.Lines[0].Amount != 13940 || got.Tip != 500 {
			t.Errorf("got %+v", got)
		}
	})
	for _, row := range []struct {
		name  string
		pairs []string
		check func(*loyalty.Order) bool
	}{
		{"tax inside the prices does not earn", []string{`"amount_total": 13940`, `"amount_total": 12500`}, func(o *loyalty.Order) bool { return o.Lines[0].Amount == 12000-1440 }},
		{"a payment that came later counts", []string{"checkout.session.completed", "checkout.session.async_payment_succeeded"}, func(o *loyalty.Order) bool { return o.State == loyalty.Paid }},
		{"a session without a payment is its own order", []string{`"pi_3QxYzAB7WZ01zgkWSjxsAJo3"`, `null`}, func(o *loyalty.Order) bool { return o.ID == "cs_live_a1YS1URlnyQCN5fUUduORoQ7" }},
		{"yen are whole", []string{`"ils"`, `"jpy"`}, func(o *loyalty.Order) bool { return o.Lines[0].Amount == 12000 && o.Currency == "JPY" }},
		{"dinars have three digits", []string{`"ils"`, `"kwd"`}, func(o *loyalty.Order) bool { return o.Lines[0].Amount == 12000 }},
		{"Icelandic kronur come in hundredths", []string{`"ils"`, `"isk"`, "1440", "1400"}, func(o *loyalty.Order) bool { return o.Lines[0].Amount == 120 && o.Tax == 14 }},
		{"ariary come whole", []string{`"ils"`, `"mga"`}, func(o *loyalty.Order) bool { return o.Lines[0].Amount == 1200000 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			if o := order(t, "stripe", nil, change(t, body, row.pairs...)); !row.check(o) {
				t.Errorf("got %+v", o)
			}
		})
	}
	for _, row := range []struct {
		name, want string
		pairs      []string
	}{
		{"a test", storefront.TestOrder, []string{`"livemode": true`, `"livemode": false`}},
		{"not paid yet", storefront.NotPaid, []string{`"payment_status": "paid"`, `"payment_status": "unpaid"`}},
		{"another event, of any shape", storefront.UnknownEvent, []string{"checkout.session.completed", "invoice.payment_failed", `"customer": "cus_QXg1hqf4jFNsqG"`, `"customer": {}`}},
		{"no type", isMalformed, []string{`"type"`, `"kind"`}},
		{"a fraction of a minor unit", isMalformed, []string{"12000", "12000.5"}},
		{"an amount beyond all bounds", isMalformed, []string{"12000", "9223372036854775807"}},
		{"less than nothing", isMalformed, []string{"12000", "-1"}},
		{"hundredths of a krona", isMalformed, []string{`"ils"`, `"isk"`}},
		{"no currency", isMalformed, []string{`"ils"`, `null`}},
		{"a time before 1970", isMalformed, []string{"1773561660", "-1"}},
		{"no ids", isMalformed, []string{`"payment_intent"`, `"x"`, `"id": "cs_live_a1YS1URlnyQCN5fUUduORoQ7"`, `"id": ""`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, err := read("stripe", nil, change(t, body, row.pairs...))
			if got := outcome(m, err); got != row.want {
				t.Errorf("is %s (%v), want %s", got, err, row.want)
			}
		})
	}
}

func TestSquare(t *testing.T) {
	for status, want := range map[string]loyalty.State{
		"COMPLETED": loyalty.Paid, "APPROVED": loyalty.Placed, "PENDING": loyalty.Placed, "CANCELED": loyalty.Cancelled, "FAILED": loyalty.Cancelled,
	} {
		if o := order(t, "square", nil, change(t, sample("square"), `"COMPLETED"`, `"`+status+`"`)); o.State != want || o.PaidAt.IsZero() == (want == loyalty.Paid) {
			t.Errorf("%s is %s, paid at %v", status, o.State, o.PaidAt)
		}
	}
	const refund = `{"type": "refund.updated", "data": {"object": {"refund": {"id": "r1", "payment_id": "p1", "status": "COMPLETED", "amount_money": {"amount": 300, "currency": "KWD"}}}}}`
	m, err := read("square", nil, refund)
	want := &storefront.OrderRefund{Source: "square", Order: "p1", Currency: "KWD", Refund: loyalty.Refund{ID: "r1", Amount: 300}}
	if diff := cmp.Diff(want, m.Refund); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, row := range []struct {
		name, want string
		pairs      []string
	}{
		{"a refund that is pending", storefront.RefundNotCompleted, []string{"COMPLETED", "PENDING"}},
		{"a refund that failed", storefront.RefundNotCompleted, []string{"COMPLETED", "FAILED"}},
		{"a refund of no payment", storefront.NoOrder, []string{`"p1"`, `null`}},
		{"an object that is not what the type says", isMalformed, []string{`"refund":`, `"payment":`}},
		{"a negative amount", isMalformed, []string{"300", "-300"}},
		{"an id with a slash", isMalformed, []string{`"p1"`, `"p/1"`}},
	} {
		m, err := read("square", nil, change(t, refund, row.pairs...))
		if got := outcome(m, err); got != row.want {
			t.Errorf("%s is %s (%v), want %s", row.name, got, err, row.want)
		}
	}
}

func TestBigCommerce(t *testing.T) {
	connection := storefront.Connection{ID: "bigcommerce", Kind: "bigcommerce"}
	fetched := func(body string, api storefront.OrderAPI) (storefront.Message, error) {
		return storefront.Read(context.Background(), connection, storefront.Delivery{Body: []byte(body)}, api)
	}
	body := sample("bigcommerce")
	for status, want := range map[string]loyalty.State{
		"0": loyalty.Placed, "1": loyalty.Placed, "7": loyalty.Placed, "12": loyalty.Placed,
		"3": loyalty.Paid, "4": loyalty.Paid, "8": loyalty.Paid, "9": loyalty.Paid, "11": loyalty.Paid, "13": loyalty.Paid, "14": loyalty.Paid,
		"2": loyalty.Fulfilled, "10": loyalty.Fulfilled, "5": loyalty.Cancelled, "6": loyalty.Cancelled,
	} {
		api := storefront.StubOrderAPI{
			"/v2/orders/118":          []byte(change(t, sample("bigcommerce_order_118"), `"status_id": 11`, `"status_id": `+status)),
			"/v2/orders/118/products": stub["/v2/orders/118/products"],
		}
		m, err := fetched(body, api)
		if err != nil || m.Order.State != want {
			t.Errorf("status %s: %+v, %v; want %s", status, m.Order, err, want)
		}
		if back := m.Order.Lines[0].RefundedQuantity; (status == "4") != (back == 3) {
			t.Errorf("status %s: %d of 3 refunded", status, back)
		}
	}
	for _, row := range []struct {
		name, want string
		pairs      []string
	}{
		{"another scope", storefront.UnknownEvent, []string{"store/order/statusUpdated", "store/order/message/created"}},
		{"an order that is gone", storefront.OrderNotFound, []string{`"id": 118`, `"id": 119`}},
		{"an id that leaves the path", isMalformed, []string{`"id": 118`, `"id": "118/../../customers"`}},
		{"no id", isMalformed, []string{`"id": 118`, `"id": null`}},
		{"a customer that was deleted", aCustomer, []string{"store/order/statusUpdated", "store/customer/deleted"}},
	} {
		m, err := fetched(change(t, body, row.pairs...), stub)
		if got := outcome(m, err); got != row.want {
			t.Errorf("%s is %s (%v), want %s", row.name, got, err, row.want)
		}
	}
	t.Run("a failing store is worth a retry", func(t *testing.T) {
		_, err := fetched(body, failing{})
		if e := (*loyalty.Error)(nil); err == nil || errors.As(err, &e) {
			t.Errorf("got %v, want an error that is nobody's fault", err)
		}
		if _, err := fetched(body, nil); err == nil {
			t.Error("no API, no error")
		}
	})
	t.Run("products beyond one page are read too", func(t *testing.T) {
		api := paged{}
		m, err := fetched(body, &api)
		if err != nil || len(m.Order.Lines) != 251 {
			t.Errorf("%d lines, %v", len(m.Order.Lines), err)
		}
	})
}

type failing struct{}

func (failing) Get(context.Context, string) ([]byte, error) {
	return nil, errors.New("connection reset")
}

type paged struct{ id int }

func (p *paged) Get(_ context.Context, path string) ([]byte, error) {
	if !strings.Contains(path, "/products") {
		return stub["/v2/orders/118"], nil
	}
	count := 250
	if strings.HasSuffix(path, "page=2") {
		count = 1
	}
	var list []string
	for range count {
		p.id++
		list = append(list, fmt.Sprintf(`{"id": %d, "quantity": 1, "total_ex_tax": "1.0000"}`, p.id))
	}
	return []byte("[" + strings.Join(list, ",") + "]"), nil
}

func TestHTTPOrderAPI(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Auth-Token") != "token":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/stores/x/v2/orders/1":
			_, _ = w.Write([]byte(`{}`))
		case r.URL.Path == "/stores/x/v2/orders/2":
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/stores/x/v2/orders/3":
			http.Redirect(w, r, "/stores/x/v2/orders/1", http.StatusFound)
		case r.URL.Path == "/stores/x/v2/orders/4":
			_, _ = w.Write(make([]byte, 5<<20))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	api := storefront.HTTPOrderAPI{BaseURL: server.URL + "/stores/x/", Token: "token"}
	for path, want := range map[string]string{"/v2/orders/1": "{}", "/v2/orders/2": ""} {
		if body, err := api.Get(t.Context(), path); err != nil || string(body) != want {
			t.Errorf("%s: %q, %v", path, body, err)
		}
	}
	for _, path := range []string{"/v2/orders/3", "/v2/orders/4"} {
		if _, err := api.Get(t.Context(), path); err == nil {
			t.Errorf("%s: a redirect or 5 MiB was taken", path)
		}
	}
	_, err := api.Get(t.Context(), "/v2/orders/5")
	if e := (*loyalty.Error)(nil); !errors.As(err, &e) || e.Kind != loyalty.Missing {
		t.Errorf("404 is %v, want Missing", err)
	}
	api.Token = "secret token"
	if _, err = api.Get(t.Context(), "/v2/orders/1"); err == nil || strings.Contains(err.Error(), "secret token") {
		t.Errorf("got %v", err)
	}
}
