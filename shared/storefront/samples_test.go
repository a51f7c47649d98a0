package storefront_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
)

// TestSamples states what each sample under events/inbound is worth knowing for.
func TestSamples(t *testing.T) {
	want := map[string]*loyalty.Order{
		// Prices include 18 % VAT: 90.00 less 12.36; the id is 2^53 + 1; the
		// shopper saw dollars.
		"shopify": {
			Source: "shopify", ID: "9007199254740993", Version: loyalty.At(instant("2026-03-15T08:01:05Z")),
			State: loyalty.Paid, Currency: "ILS",
			PlacedAt: instant("2026-03-15T08:00:00Z"), PaidAt: instant("2026-03-15T08:01:00Z"), Channel: "web",
			Customer: &loyalty.Customer{ExternalID: "207119551", Email: "noa@example.co.il", EmailVerified: true, Phone: "+972501234567", Name: "נועה לוי"},
			Lines: []loyalty.Line{
				{ID: "466157049", SKU: "COFFEE-250", Title: "קפה קלוי 250 גרם", Quantity: 2, UnitPrice: 4500, Amount: 7764},
				{ID: "466157050", SKU: "GIFT-100", Title: "כרטיס מתנה", Quantity: 1, UnitPrice: 10000, Amount: 10000, GiftCard: true},
			},
			Discounts: []loyalty.Discount{{Code: "בוקר", Amount: 900, Lines: []string{"466157049"}}},
			Shipping:  2500, Tax: 1617,
		},
		"woocommerce": {
			Source: "woocommerce", ID: "727", Version: loyalty.At(instant("2026-03-16T09:30:00Z")),
			State: loyalty.Fulfilled, Currency: "ILS",
			PlacedAt: instant("2026-03-15T08:00:00Z"), PaidAt: instant("2026-03-15T08:01:00Z"), FulfilledAt: instant("2026-03-16T07:00:00Z"),
			Channel:  "checkout",
			Customer: &loyalty.Customer{ExternalID: "26", Email: "sara@example.co.il", Phone: "+972521234567", Name: "سارة حداد"},
			Lines: []loyalty.Line{
				{ID: "315", SKU: "OIL-750", Title: "زيت زيتون ٧٥٠ مل", Quantity: 1, UnitPrice: 4237, Amount: 4237},
				{ID: "316", SKU: "ZAATAR", Title: "זעתר", Quantity: 2, UnitPrice: 831, Amount: 1663},
			},
			Discounts: []loyalty.Discount{
				{Code: "אביב10", Amount: 423, Lines: []string{"315"}},
				{Code: "אביב10", Amount: 167, Lines: []string{"316"}},
			},
			Shipping: 2119, Tax: 1337,
			Refunds: []loyalty.Refund{{ID: "731", Amount: 883}},
		},
		// 86.4407 and 16.9492 are rounded; one of three came back.
		"bigcommerce": {
			Source: "bigcommerce", ID: "118", Version: loyalty.At(instant("2026-03-15T08:21:05Z")),
			State: loyalty.Paid, Currency: "ILS",
			PlacedAt: instant("2026-03-15T08:00:00Z"), PaidAt: instant("2026-03-15T08:00:00Z"), Channel: "www",
			Customer: &loyalty.Customer{ExternalID: "11", Email: "yael@example.co.il", Phone: "+972541234567", Name: "יעל כהן"},
			Lines: []loyalty.Line{
				{ID: "65", SKU: "MUG", Title: "ספל קרמיקה", Quantity: 3, UnitPrice: 2881, Amount: 8644, RefundedQuantity: 1},
				{ID: "66", Title: "שובר מתנה", Quantity: 1, UnitPrice: 5000, Amount: 5000, GiftCard: true},
			},
			Discounts: []loyalty.Discount{{Code: "SPRING", Amount: 1000, Lines: []string{"65"}}},
			Shipping:  1695, Tax: 2441,
		},
		"stripe": {
			Source: "stripe", ID: "pi_3QxYzAB7WZ01zgkWSjxsAJo3", Version: loyalty.Revision{N: 2},
			State: loyalty.Paid, Currency: "ILS",
			PlacedAt: instant("2026-03-15T08:00:00Z"), PaidAt: instant("2026-03-15T08:01:00Z"),
			Customer:  &loyalty.Customer{ExternalID: "cus_QXg1hqf4jFNsqG", Email: "dana@example.co.il", Phone: "+972531234567", Name: "דנה פרץ"},
			Lines:     []loyalty.Line{{ID: "goods", Quantity: 1, UnitPrice: 12000, Amount: 12000}},
			Discounts: []loyalty.Discount{{Amount: 2000}},
			Shipping:  2500, Tax: 1440,
		},
		"square": {
			Source: "square", ID: "hYy9pRFVxpDsO1FB05SunFWUe9JZY", Version: loyalty.At(instant("2026-03-15T08:01:01.198Z")),
			State: loyalty.Paid, Currency: "ILS",
			PlacedAt: instant("2026-03-15T08:00:00.086Z"), PaidAt: instant("2026-03-15T08:01:01.1Z"), Store: "S8GWD5R9QB376",
			Customer: &loyalty.Customer{ExternalID: "QPTXM8PQNX3Q726ZYHPMNP46XC"},
			Lines:    []loyalty.Line{{ID: "goods", Quantity: 1, UnitPrice: 6400, Amount: 6400}},
			Tip:      640, Refunded: 1400,
		},
		"standard": {
			Source: "till", ID: "1001", Version: loyalty.Revision{N: 3}, State: loyalty.Paid, Currency: "ILS",
			PlacedAt: instant("2026-03-15T08:00:00Z"), PaidAt: instant("2026-03-15T08:01:00Z"),
			Store: "tlv-1", Region: "center", Channel: "till",
			Customer: &loyalty.Customer{ExternalID: "77", Email: "avi@example.co.il", EmailVerified: true, Phone: "+972501234568", Name: "אבי מזרחי"},
			Lines: []loyalty.Line{
				{ID: "1", SKU: "CAP", Title: "הפוך גדול", Category: "coffee", Quantity: 2, UnitPrice: 1600, Amount: 3200},
				{ID: "2", SKU: "CAKE", Title: "كعك بسمسم", Category: "bakery", Quantity: 1, UnitPrice: 2200, Amount: 2200},
			},
			Discounts: []loyalty.Discount{{Code: "TEN", Amount: 320, Lines: []string{"1"}}},
			Tax:       822, Tip: 500,
		},
	}
	for kind, header := range kinds {
		t.Run(kind, func(t *testing.T) {
			if diff := cmp.Diff(want[kind], order(t, kind, header, sample(kind))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
