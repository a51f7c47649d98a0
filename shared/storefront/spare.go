package storefront

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"regulars/shared/loyalty"
)

// What tells a friend from a stranger stands in fields that every shop fills
// in its own way. An order can do without: what is not of the shape that is
// expected, or too long, is left out.

// spare is a field that an order can do without. Of another shape it is zero.
type spare[T any] struct{ v T }

// UnmarshalJSON never fails.
func (s *spare[T]) UnmarshalJSON(b []byte) error {
	var v T
	if json.Unmarshal(b, &v) == nil {
		s.v = v
	}
	return nil
}

// short is a text, "" when it is too long.
func short(s string) string {
	if len(s) > maxText {
		return ""
	}
	return s
}

// note is a named value that a shop's own code put on an order.
type note struct {
	Name  spare[string] `json:"name"` // Shopify
	Key   spare[string] `json:"key"`  // WooCommerce
	Value spare[string] `json:"value"`
}

// noted is what can be read of the first note under one of the names of which
// anything can.
func noted(notes []note, read func(string) string, names ...string) string {
	for _, name := range names {
		for _, n := range notes {
			if found := read(n.Value.v); found != "" && strings.EqualFold(strings.TrimSpace(n.Name.v+n.Key.v), name) {
				return found
			}
		}
	}
	return ""
}

// fromLink is the code on the page that a buyer came in by: links lead there with it.
func fromLink(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return ""
	}
	return short(u.Query().Get("ref"))
}

// place is an address as Shopify and WooCommerce spell it.
type place struct {
	Line1    spare[string] `json:"address1"`  // Shopify
	Line2    spare[string] `json:"address2"`  // Shopify
	WooLine1 spare[string] `json:"address_1"` // WooCommerce
	WooLine2 spare[string] `json:"address_2"` // WooCommerce
	City     spare[string] `json:"city"`
	Zip      spare[string] `json:"zip"`          // Shopify
	Postcode spare[string] `json:"postcode"`     // WooCommerce
	Code     spare[string] `json:"country_code"` // Shopify
	Country  spare[string] `json:"country"`      // WooCommerce: the code. Shopify: the name
}

// address is where parcels go; zero when no street is said.
func (p place) address() loyalty.Address {
	line := strings.TrimSpace(cmp.Or(p.Line1.v, p.WooLine1.v) + " " + cmp.Or(p.Line2.v, p.WooLine2.v))
	a := loyalty.Address{
		Line: short(line), City: short(p.City.v), Postcode: short(cmp.Or(p.Zip.v, p.Postcode.v)), Country: short(cmp.Or(p.Code.v, p.Country.v)),
	}
	if a.Line == "" {
		return loyalty.Address{}
	}
	return a
}

// signs are what is known of a buyer: the network, and the first address that
// says a street. nil for neither.
func signs(ip string, places ...spare[place]) *loyalty.Signs {
	s := loyalty.Signs{IP: short(ip)}
	if i := slices.IndexFunc(places, func(p spare[place]) bool { return p.v.address() != loyalty.Address{} }); i >= 0 {
		s.Address = places[i].v.address()
	}
	if s == (loyalty.Signs{}) {
		return nil
	}
	return &s
}
