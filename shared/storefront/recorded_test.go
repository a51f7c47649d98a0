package storefront_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/storefront"
)

// What a recorded payload reads as, beside the reasons for ignoring it.
const (
	anOrder     = "order"
	aRefund     = "refund"
	aCustomer   = "customer"
	aRequest    = "privacy request"
	isMalformed = "malformed"
)

func outcome(m storefront.Message, err error) string {
	switch {
	case err != nil:
		return isMalformed
	case m.Order != nil:
		return anOrder
	case m.Refund != nil:
		return aRefund
	case m.Customer != nil:
		return aCustomer
	case m.Privacy != nil:
		return aRequest
	}
	return m.Ignored
}

// TestEveryRecordedPayload reads every file of real payloads as the webhook
// that it is or, where it is a REST object, as the one that would carry it.
func TestEveryRecordedPayload(t *testing.T) {
	type row struct{ file, topic, want, why string }
	bare := func(t *testing.T, body string) string { return body }
	member := func(name string) func(*testing.T, string) string {
		return func(t *testing.T, body string) string { return unwrap(t, body, name) }
	}
	event := func(kind string) func(*testing.T, string) string {
		return func(_ *testing.T, body string) string {
			return `{"type":"` + kind + `","livemode":true,"data":` + body + `}`
		}
	}
	object := func(kind string) func(*testing.T, string) string {
		return func(_ *testing.T, body string) string {
			return `{"type":"` + kind + `","livemode":true,"data":{"object":` + body + `}}`
		}
	}
	wrap := map[string]func(*testing.T, string) string{
		"shopify/goshopify_order.json": member("order"), "shopify/goshopify_customer.json": member("customer"), "shopify/py_customer.json": member("customer"),
		"stripe/charge.refunded.json": event("charge.refunded"), "stripe/charge.succeeded.json": event("charge.succeeded"),
		"stripe/charge.updated.json": event("charge.updated"), "stripe/customer.deleted.json": event("customer.deleted"),
		"stripe/customer.updated.json": event("customer.updated"), "stripe/invoice.payment_failed.json": event("invoice.payment_failed"),
		"stripe/object_charge.json":           object("charge.refunded"),
		"stripe/object_checkout.session.json": object("checkout.session.completed"),
		"stripe/object_payment_intent.json":   object("payment_intent.succeeded"),
		"stripe/object_customer.json":         object("customer.created"),
		"stripe/object_coupon.json":           object("coupon.created"), "stripe/object_promotion_code.json": object("promotion_code.created"),
	}
	seen := map[string]bool{}
	for _, r := range []row{
		{"shopify/order_450789469_partially_refunded_discount_code.json", "orders/updated", anOrder, ""},
		{"shopify/order_450789469_authorized_not_paid.json", "orders/create", anOrder, "placed: no money yet"},
		{"shopify/order_450789469_email_changed.json", "orders/updated", anOrder, ""},
		{"shopify/order_1073459963_two_tax_lines_three_items.json", "orders/paid", anOrder, ""},
		{"shopify/order_1073459969_guest_no_customer_no_email.json", "orders/paid", anOrder, "without a customer"},
		{"shopify/order_1073459972_paid_customer.json", "orders/fulfilled", anOrder, ""},
		{"shopify/order_1073459981_paid_percentage_discount_FAKE30.json", "orders/paid", anOrder, ""},
		{"shopify/order_1073459983_pending.json", "orders/create", anOrder, ""},
		{"shopify/goshopify_order.json", "orders/create", storefront.TestOrder, "test: true"},
		{"shopify/test_notification_orders_create_2019.json", "orders/create", storefront.TestOrder, "test: true"},
		{"shopify/refund_509562969_two_lines_legacy_restock.json", "refunds/create", aRefund, ""},
		{"shopify/refund_929361471.json", "refunds/create", storefront.TestOrder, "its transaction is a test"},
		{"shopify/refund_calculate_test_5.json", "refunds/create", storefront.NoGoodsRefunded, "an estimate, nothing refunded"},
		{"shopify/refund_calculate_test_6.json", "refunds/create", isMalformed, "an estimate: neither a refund's nor an order's id"},
		{"shopify/py_refund_calculate.json", "refunds/create", storefront.NoGoodsRefunded, "an estimate, wrapped: nothing that is known"},
		{"shopify/customer_1073339458_5.json", "customers/create", aCustomer, ""},
		{"shopify/customer_1073339462_1.json", "customers/create", aCustomer, ""},
		{"shopify/customer_207119551_2.json", "customers/update", aCustomer, ""},
		{"shopify/customer_207119551_4.json", "customers/update", aCustomer, ""},
		{"shopify/goshopify_customer.json", "customers/update", aCustomer, ""},
		{"shopify/py_customer.json", "customers/update", aCustomer, ""},
		{"shopify/customers_redact_int_ids.json", "customers/redact", aRequest, ""},
		{"shopify/customers_redact_string_ids.json", "customers/redact", aRequest, ""},
		{"shopify/shop_redact_int.json", "shop/redact", aRequest, ""},
		{"shopify/shop_redact_string.json", "shop/redact", aRequest, ""},
		{"shopify/gift_card_list.json", "gift_cards/create", storefront.UnknownEvent, ""},
		{"shopify/goshopify_transactions.json", "order_transactions/create", storefront.UnknownEvent, ""},
		{"shopify/goshopify_lineitem_properties_empty_object.json", "orders/create", isMalformed, "a part of a line, no order"},
		{"shopify/goshopify_lineitem_properties_invalid1.json", "orders/create", isMalformed, "a part of a line, no order"},
		{"shopify/goshopify_lineitem_properties_invalid2.json", "orders/create", isMalformed, "a part of a line, no order"},
		{"shopify/goshopify_lineitem_properties_object.json", "orders/create", isMalformed, "a part of a line, no order"},

		{"square/customer.created.json", "", aCustomer, ""},
		{"square/customer.deleted.json", "", aCustomer, ""},
		{"square/customer.updated.json", "", aCustomer, ""},
		{"square/gift_card.activity.created.json", "", storefront.UnknownEvent, ""},
		{"square/gift_card.activity.updated.json", "", storefront.UnknownEvent, ""},
		{"square/gift_card.created.json", "", storefront.UnknownEvent, ""},
		{"square/gift_card.customer_linked.json", "", storefront.UnknownEvent, ""},
		{"square/gift_card.customer_unlinked.json", "", storefront.UnknownEvent, ""},
		{"square/gift_card.updated.json", "", storefront.UnknownEvent, ""},
		{"square/loyalty.account.created.json", "", storefront.UnknownEvent, ""},
		{"square/loyalty.account.deleted.json", "", storefront.UnknownEvent, ""},
		{"square/loyalty.account.updated.json", "", storefront.UnknownEvent, ""},
		{"square/loyalty.event.created.json", "", storefront.UnknownEvent, ""},
		{"square/loyalty.program.created.json", "", storefront.UnknownEvent, ""},
		{"square/loyalty.program.updated.json", "", storefront.UnknownEvent, ""},
		{"square/loyalty.promotion.created.json", "", storefront.UnknownEvent, ""},
		{"square/loyalty.promotion.updated.json", "", storefront.UnknownEvent, ""},
		{"square/order.created.json", "", storefront.NoAmounts, ""},
		{"square/payment.created.json", "", anOrder, "placed: approved, not completed"},
		{"square/refund.created.json", "", storefront.RefundNotCompleted, "pending"},

		{"stripe/charge.refunded.json", "", aRefund, ""},
		{"stripe/charge.succeeded.json", "", storefront.UnknownEvent, "payment_intent.succeeded tells the same"},
		{"stripe/charge.updated.json", "", storefront.UnknownEvent, ""},
		{"stripe/customer.deleted.json", "", storefront.UnknownEvent, ""},
		{"stripe/customer.updated.json", "", storefront.UnknownEvent, ""},
		{"stripe/dotnet_customer_updated.json", "", storefront.UnknownEvent, ""},
		{"stripe/event_test_signature.json", "", storefront.UnknownEvent, ""},
		{"stripe/invoice.payment_failed.json", "", storefront.UnknownEvent, ""},
		{"stripe/object_charge.json", "", aRefund, "of 0: nothing refunded yet"},
		{"stripe/object_checkout.session.json", "", storefront.NotPaid, "unpaid"},
		{"stripe/object_coupon.json", "", storefront.UnknownEvent, ""},
		{"stripe/object_customer.json", "", storefront.UnknownEvent, ""},
		{"stripe/object_event.json", "", storefront.UnknownEvent, "plan.created"},
		{"stripe/object_payment_intent.json", "", anOrder, "of 0: nothing received"},
		{"stripe/object_promotion_code.json", "", storefront.UnknownEvent, ""},

		{"woocommerce/docs_orders_1.json", "order.created", anOrder, ""},
		{"woocommerce/docs_orders_2.json", "order.updated", isMalformed, "a list; TestRecordedOrders reads its second order"},
		{"woocommerce/docs_order-refunds_1.json", "order.updated", isMalformed, "a refund: comes inside its order"},
		{"woocommerce/docs_customers_1.json", "customer.created", aCustomer, ""},
		{"woocommerce/docs_customers_2.json", "customer.updated", isMalformed, "a list"},
		{"woocommerce/docs_customers_3.json", "customer.updated", aCustomer, ""},
		{"woocommerce/docs_customers_4.json", "customer.updated", isMalformed, "a batch"},
		{"woocommerce/docs_customers_5.json", "customer.updated", isMalformed, "a list"},
		{"woocommerce/docs_coupons_1.json", "coupon.created", storefront.UnknownEvent, ""},
		{"woocommerce/docs_coupons_2.json", "coupon.updated", storefront.UnknownEvent, ""},
		{"woocommerce/docs_coupons_3.json", "coupon.updated", storefront.UnknownEvent, ""},
		{"woocommerce/docs_coupons_4.json", "coupon.updated", storefront.UnknownEvent, ""},
		{"woocommerce/docs_webhooks_1.json", "action.x", storefront.UnknownEvent, ""},
		{"woocommerce/docs_webhooks_2.json", "action.x", storefront.UnknownEvent, ""},
		{"woocommerce/docs_webhooks_3.json", "action.x", storefront.UnknownEvent, ""},
		{"woocommerce/docs_webhooks_4.json", "action.x", storefront.UnknownEvent, ""},
		{"woocommerce/docs_webhooks_5.json", "action.x", storefront.UnknownEvent, ""},
	} {
		seen[r.file] = true
		t.Run(r.file, func(t *testing.T) {
			kind, _, _ := strings.Cut(r.file, "/")
			as := wrap[r.file]
			if as == nil {
				as = bare
			}
			m, err := read(kind, headers("X-Shopify-Topic", r.topic, "X-WC-Webhook-Topic", r.topic), as(t, recorded(t, r.file)))
			if got := outcome(m, err); got != r.want {
				t.Errorf("reads as %s (%v), want %s; %s", got, err, r.want, r.why)
			}
			if err != nil {
				wantMalformed(t, err, "")
			}
		})
	}
	files, err := filepath.Glob(filepath.Join(shared(t, "webhooks"), "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no recorded payloads", err)
	}
	for _, f := range files {
		name := filepath.Base(filepath.Dir(f)) + "/" + filepath.Base(f)
		if !seen[name] && filepath.Base(f) != "INDEX.json" {
			t.Errorf("%s is in no row", name)
		}
	}
}

func TestRecordedOrders(t *testing.T) {
	updated := headers("X-Shopify-Topic", "orders/updated")
	bob := &loyalty.Customer{ExternalID: "207119551", Email: "bob.norman@mail.example.com", EmailVerified: true, Phone: "+16136120707", Name: "Bob Norman"}
	ipod := func(id, sku string, back int64) loyalty.Line {
		return loyalty.Line{ID: id, SKU: sku, Title: "IPod Nano - 8gb", Quantity: 1, UnitPrice: 19900, Amount: 19900, RefundedQuantity: back}
	}
	refund := loyalty.Refund{ID: "509562969", Amount: 39133, Lines: []loyalty.RefundLine{{Line: "703073504", Amount: 19566}, {Line: "466157049", Amount: 19567}}}

	t.Run("a discount spread over three lines, two of them refunded: subtotals count, not the 209.00 of the transaction", func(t *testing.T) {
		want := &loyalty.Order{
			Source: "shopify", ID: "450789469", Version: loyalty.At(instant("2008-01-10T16:00:00Z")), State: loyalty.Paid, Currency: "USD",
			PlacedAt: instant("2008-01-10T16:00:00Z"), PaidAt: instant("2008-01-10T16:00:00Z"), Channel: "web", Customer: bob,
			Lines: []loyalty.Line{ipod("466157049", "IPOD2008GREEN", 1), ipod("518995019", "IPOD2008RED", 0), ipod("703073504", "IPOD2008BLACK", 1)},
			Discounts: []loyalty.Discount{
				{Code: "TENOFF", Amount: 334, Lines: []string{"466157049"}},
				{Code: "TENOFF", Amount: 333, Lines: []string{"518995019"}},
				{Code: "TENOFF", Amount: 333, Lines: []string{"703073504"}},
			},
			Tax: 1194, Refunds: []loyalty.Refund{refund},
			Signs: &loyalty.Signs{IP: "0.0.0.0", Address: loyalty.Address{Line: "Chestnut Street 92", City: "Louisville", Postcode: "40202", Country: "US"}},
		}
		got := order(t, "shopify", updated, recorded(t, "shopify/order_450789469_partially_refunded_discount_code.json"))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("its refund alone says the same", func(t *testing.T) {
		m, err := read("shopify", headers("X-Shopify-Topic", "refunds/create"), recorded(t, "shopify/refund_509562969_two_lines_legacy_restock.json"))
		if err != nil {
			t.Fatal(err)
		}
		want := &storefront.OrderRefund{Source: "shopify", Order: "450789469", Currency: "USD", Refund: refund}
		if diff := cmp.Diff(want, m.Refund); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a refund of shipping is none of goods", func(t *testing.T) {
		body := change(t, recorded(t, "shopify/refund_929361471.json"), `"test": true`, `"test": false`)
		m, err := read("shopify", headers("X-Shopify-Topic", "refunds/create"), body)
		if err != nil || m.Ignored != storefront.NoGoodsRefunded {
			t.Errorf("got %+v, %v", m, err)
		}
	})
	t.Run("authorized is not paid", func(t *testing.T) {
		got := order(t, "shopify", updated, recorded(t, "shopify/order_450789469_authorized_not_paid.json"))
		if got.State != loyalty.Placed || !got.PaidAt.IsZero() {
			t.Errorf("got %s, paid at %v", got.State, got.PaidAt)
		}
	})
	t.Run("two tax lines on top do not touch the goods", func(t *testing.T) {
		got := order(t, "shopify", updated, recorded(t, "shopify/order_1073459963_two_tax_lines_three_items.json"))
		if a := []int64{got.Lines[0].Amount, got.Lines[1].Amount, got.Lines[2].Amount, got.Tax}; !cmp.Equal(a, []int64{12999, 8595, 3998, 1445}) {
			t.Errorf("got %v", a)
		}
		if got.Customer != nil {
			t.Errorf("got the customer %+v of an order that names nobody", got.Customer)
		}
	})
	t.Run("a test notification's id beyond 2^53 stays as it is", func(t *testing.T) {
		body := change(t, recorded(t, "shopify/test_notification_orders_create_2019.json"), `"test": true`, `"test": false`)
		got := order(t, "shopify", updated, body)
		if got.ID != "820982911946154508" || got.Customer.ExternalID != "115310627314723954" || got.State != loyalty.Cancelled {
			t.Errorf("got %s of %+v, %s", got.ID, got.Customer, got.State)
		}
	})
	t.Run("a price that includes tax earns without it", func(t *testing.T) {
		body := change(t, recorded(t, "shopify/order_450789469_partially_refunded_discount_code.json"), `"taxes_included": false`, `"taxes_included": true`)
		got := order(t, "shopify", updated, body)
		if got.Lines[0].Amount != 19900-398 || got.Refunds[0].Amount != 39133-2*398 {
			t.Errorf("line %d, refund %d", got.Lines[0].Amount, got.Refunds[0].Amount)
		}
	})
	t.Run("a tip is told apart", func(t *testing.T) {
		body := change(t, recorded(t, "shopify/order_1073459972_paid_customer.json"), `"total_tip_received": "0.00"`, `"total_tip_received": "4.50"`)
		if got := order(t, "shopify", updated, body); got.Tip != 450 || got.Lines[0].Amount != 19900 || got.State != loyalty.Fulfilled {
			t.Errorf("tip %d, line %d, %s", got.Tip, got.Lines[0].Amount, got.State)
		}
	})
	t.Run("WooCommerce: a guest's order of two lines", func(t *testing.T) {
		got := order(t, "woocommerce", headers("X-WC-Webhook-Topic", "order.created"), recorded(t, "woocommerce/docs_orders_1.json"))
		want := &loyalty.Order{
			Source: "woocommerce", ID: "727", Version: loyalty.At(instant("2017-03-22T19:28:08Z")), State: loyalty.Paid, Currency: "USD",
			PlacedAt: instant("2017-03-22T19:28:02Z"), PaidAt: instant("2017-03-22T19:28:08Z"), Channel: "rest-api",
			Customer: &loyalty.Customer{Email: "john.doe@example.com", Phone: "(555) 555-5555", Name: "John Doe"},
			Lines: []loyalty.Line{
				{ID: "315", Title: "Woo Single #1", Quantity: 2, UnitPrice: 300, Amount: 600},
				{ID: "316", SKU: "Bar3", Title: "Ship Your Idea &ndash; Color: Black, Size: M Test", Quantity: 1, UnitPrice: 1200, Amount: 1200},
			},
			Shipping: 1000, Tax: 135,
			Signs: &loyalty.Signs{Address: loyalty.Address{Line: "969 Market", City: "San Francisco", Postcode: "94103", Country: "US"}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("WooCommerce: refunds by id", func(t *testing.T) {
		list := recorded(t, "woocommerce/docs_orders_2.json")
		second := list[strings.LastIndex(list, "\n  {")+1 : strings.LastIndex(list, "]")]
		got := order(t, "woocommerce", headers("X-WC-Webhook-Topic", "order.updated"), second)
		want := []loyalty.Refund{{ID: "726", Amount: 1000}, {ID: "724", Amount: 900}}
		if diff := cmp.Diff(want, got.Refunds); diff != "" || got.Customer.ExternalID != "26" {
			t.Errorf("customer %+v, refunds %s", got.Customer, diff)
		}
	})
	t.Run("Stripe: what was refunded of a charge so far", func(t *testing.T) {
		m, err := read("stripe", nil, `{"type":"charge.refunded","livemode":true,"data":`+recorded(t, "stripe/charge.refunded.json")+`}`)
		if err != nil {
			t.Fatal(err)
		}
		want := &storefront.OrderRefund{Source: "stripe", Order: "pm_1234", Currency: "USD", Refund: loyalty.Refund{ID: "ch_chargeid", Amount: 500}}
		if diff := cmp.Diff(want, m.Refund); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("Shopify: ids of a redaction are text, whatever was sent", func(t *testing.T) {
		for _, file := range []string{"shopify/customers_redact_int_ids.json", "shopify/customers_redact_string_ids.json"} {
			m, err := read("shopify", headers("X-Shopify-Topic", "customers/redact"), recorded(t, file))
			if err != nil {
				t.Fatal(err)
			}
			want := &storefront.PrivacyRequest{
				Source: "shopify", Topic: "customers/redact", ID: "123456", Orders: []string{"987654321"},
				Customer: loyalty.Customer{ExternalID: "123456", Email: "hello@example.com", Phone: "555-555-5555"},
			}
			if diff := cmp.Diff(want, m.Privacy); diff != "" {
				t.Error(diff)
			}
		}
	})
	t.Run("Square: a customer that was deleted is only an id", func(t *testing.T) {
		m, err := read("square", nil, recorded(t, "square/customer.deleted.json"))
		if err != nil {
			t.Fatal(err)
		}
		want := &storefront.CustomerChange{Source: "square", Deleted: true, Customer: loyalty.Customer{ExternalID: "QPTXM8PQNX3Q726ZYHPMNP46XC"}}
		if diff := cmp.Diff(want, m.Customer); diff != "" {
			t.Error(diff)
		}
	})
}

// TestHostileJSON sends the JSONTestSuite to every storefront: nothing panics,
// and nothing is an order.
func TestHostileJSON(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "badinput/JSONTestSuite/test_parsing"), "*.json"))
	if err != nil || len(files) < 300 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := storefront.ParseOrder(body); err == nil {
			t.Errorf("%s is an order of ours", filepath.Base(f))
		}
		for kind, header := range kinds {
			if m, err := read(kind, header, string(body)); err == nil {
				t.Errorf("%s: %s reads it as %s", filepath.Base(f), kind, outcome(m, err))
			}
		}
	}
}
