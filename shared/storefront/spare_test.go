package storefront_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
)

// What a webhook says of who sent the buyer and of what the buyer may be known
// again by. It is put into the samples after the field that is named here.
func TestSignsOfWebhooks(t *testing.T) {
	shopify, woo, stripe := `"test": false,`, `"status": "completed",`, `"mode": "payment",`
	home := loyalty.Address{Line: "Herzl 5 Flat 3", City: "Haifa", Postcode: "3303142", Country: "IL"}
	at := func(a loyalty.Address) *loyalty.Signs { return &loyalty.Signs{Address: a} }
	long := strings.Repeat("x", 501)
	for _, row := range []struct {
		name, kind, after, says string
		code                    string
		signs                   *loyalty.Signs
	}{
		{"a note", "shopify", shopify, `"note_attributes": [{"name": "gift", "value": "yes"}, {"name": "ref", "value": "ANNA7"}],`, "ANNA7", nil},
		{"a note in other letters", "shopify", shopify, `"note_attributes": [{"name": " Referral_Code", "value": "anna-7"}],`, "anna-7", nil},
		{"a note goes before the page", "shopify", shopify, `"note_attributes": [{"name": "referral", "value": "ANNA7"}], "landing_site": "/?ref=BORIS",`, "ANNA7", nil},
		{"the page that the buyer came in by", "shopify", shopify, `"landing_site": "/products/x?utm_source=mail&ref=%D7%93%D7%A0%D7%947",`, "דנה7", nil},
		{"a whole address of a page", "shopify", shopify, `"landing_site": "https://shop.example/?ref=ANNA7#top",`, "ANNA7", nil},
		{"a page without a code", "shopify", shopify, `"landing_site": "/?source=abc",`, "", nil},
		{"no page", "shopify", shopify, `"landing_site": "http://%zz?ref=x",`, "", nil},
		{"notes of another shape", "shopify", shopify, `"note_attributes": {"ref": "ANNA7"}, "landing_site": 5, "browser_ip": [1], "client_details": "x", "shipping_address": [], "billing_address": 7,`, "", nil},
		{"a note that is no text beside one that is", "shopify", shopify, `"note_attributes": [{"name": "ref", "value": 7}, {"name": 8, "value": "y"}, {"name": "ref", "value": "ANNA7"}],`, "ANNA7", nil},
		{"a note that is too long", "shopify", shopify, `"note_attributes": [{"name": "ref", "value": "` + long + `"}], "landing_site": "/?ref=ANNA7",`, "ANNA7", nil},
		{"a code on the page that is too long", "shopify", shopify, `"landing_site": "/?ref=` + long + `",`, "", nil},
		{"the network", "shopify", shopify, `"browser_ip": "203.0.113.5", "client_details": {"browser_ip": "203.0.113.6"},`, "", &loyalty.Signs{IP: "203.0.113.5"}},
		{"the network of the client", "shopify", shopify, `"browser_ip": null, "client_details": {"browser_ip": "203.0.113.6", "session_hash": null},`, "", &loyalty.Signs{IP: "203.0.113.6"}},
		{"a network that is too long", "shopify", shopify, `"browser_ip": "` + long + `",`, "", nil},
		{
			"where parcels go", "shopify", shopify,
			`"shipping_address": {"address1": "Herzl 5", "address2": "Flat 3", "city": "Haifa", "zip": "3303142", "country": "Israel", "country_code": "IL"}, "billing_address": {"address1": "Jaffa 1", "city": "Jerusalem"},`, "", at(home),
		},
		{"a street that is too long", "shopify", shopify, `"shipping_address": {"address1": "` + long + `", "city": "Haifa"},`, "", nil},
		{
			"where bills go", "shopify", shopify,
			`"shipping_address": null, "billing_address": {"address1": "Herzl 5", "address2": "Flat 3", "city": "Haifa", "zip": "3303142", "country_code": "IL"},`, "", at(home),
		},

		{"a field of a plugin", "woocommerce", woo, `"meta_data": [{"id": 1, "key": "_wp_x", "value": {"a": [1]}}, {"id": 2, "key": "_referral_code", "value": "ANNA7"}],`, "ANNA7", nil},
		{"the page of the session", "woocommerce", woo, `"meta_data": [{"key": "_wc_order_attribution_session_entry", "value": "https://shop.example/?ref=ANNA7&x=` + long + `"}],`, "ANNA7", nil},
		{"fields of another shape", "woocommerce", woo, `"meta_data": {"ref": "x"}, "customer_ip_address": 5, "shipping": "x",`, "", nil},
		{"the network", "woocommerce", woo, `"customer_ip_address": "203.0.113.5",`, "", &loyalty.Signs{IP: "203.0.113.5"}},
		{"where parcels go", "woocommerce", woo, `"shipping": {"address_1": "Herzl 5", "address_2": "Flat 3", "city": "Haifa", "postcode": "3303142", "country": "IL"},`, "", at(home)},
		{"no street", "woocommerce", woo, `"shipping": {"address_1": "", "city": "Haifa", "country": "IL"},`, "", nil},

		{"metadata", "stripe", stripe, `"metadata": {"cart": "7", "referral_code": "ANNA7"},`, "ANNA7", nil},
		{"the shop's own id is no code", "stripe", stripe, `"client_reference_id": "ANNA7",`, "", nil},
		{"metadata of another shape", "stripe", stripe, `"metadata": ["ANNA7"],`, "", nil},
		{"metadata that is too long", "stripe", stripe, `"metadata": {"referral_code": "` + long + `"},`, "", nil},
	} {
		t.Run(row.kind+": "+row.name, func(t *testing.T) {
			body := change(t, sample(row.kind), row.after, row.after+row.says)
			got := order(t, row.kind, kinds[row.kind], body)
			if got.ReferralCode != row.code {
				t.Errorf("the code is %.50q, want %q", got.ReferralCode, row.code)
			}
			if diff := cmp.Diff(row.signs, got.Signs); diff != "" {
				t.Errorf("signs (-want +got):\n%s", diff)
			}
			if again := order(t, row.kind, kinds[row.kind], body); !cmp.Equal(got, again) { // or it would be no duplicate
				t.Errorf("the same delivery reads as %+v", again)
			}
		})
	}
	t.Run("woocommerce: where bills go", func(t *testing.T) {
		body := change(t, sample("woocommerce"), `"billing": {`, `"billing": {"address_1": "Herzl 5", "address_2": "Flat 3", "city": "Haifa", "postcode": "3303142", "country": "IL", `)
		if got := order(t, "woocommerce", kinds["woocommerce"], body); !cmp.Equal(got.Signs, at(home)) || got.Customer.ExternalID != "26" {
			t.Errorf("%+v, customer %+v", got.Signs, got.Customer)
		}
		body = change(t, sample("woocommerce"), `"billing": {`, `"billing": {"address_1": 5, "city": [], `)
		if got := order(t, "woocommerce", kinds["woocommerce"], body); got.Signs != nil {
			t.Errorf("%+v", got.Signs)
		}
	})
}
