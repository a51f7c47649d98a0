// Package storefront turns what a shop's systems send into what the domain
// knows: it verifies the signature over the raw bytes, then reads the vendor's
// spelling into a loyalty.Order, a refund, a customer or a privacy request.
//
// Rules that hold for every storefront: money is read exactly from the decimal
// text, never through a float; tax, shipping and tips are kept apart from the
// goods; card data is never decoded; an event that is unknown or earns nothing
// is Ignored with a reason, so that the vendor stops sending it again.
//
// There is no storage here, no HTTP status, and no decision about points.
package storefront

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"regulars/shared/loyalty"
)

// Connection is one configured webhook endpoint.
type Connection struct {
	ID      string   // of the connection; also the source of its orders
	Kind    string   // shopify, woocommerce, bigcommerce, stripe, square or standard
	Secrets []string // newest first; two during a rotation; Verify says what each kind expects
	URL     string   // where the storefront sends to, exactly as configured there: Square signs it
}

// Delivery is one webhook as it came in.
type Delivery struct {
	Header http.Header
	Body   []byte      // the raw bytes: signatures are over these
	At     []time.Time // instants against which a signed timestamp may be checked; any may match
}

// Message is what a delivery says. Exactly one field is set.
type Message struct {
	Order    *loyalty.Order  // the whole newest state of an order
	Refund   *OrderRefund    // one refund, without its order
	Customer *CustomerChange // the shop's record of a person was made, changed or deleted
	Privacy  *PrivacyRequest // a person or a shop asks for their data, or for its erasure
	Ignored  string          // why it earns nothing: snake_case, stable
}

// The reasons for which a delivery is ignored.
const (
	UnknownEvent       = "unknown_event"
	TestOrder          = "test_order"
	Ping               = "ping"
	NoAmounts          = "no_amounts"           // names an order and says nothing of money
	NotPaid            = "not_paid"             // a checkout whose payment is still to come
	NoGoodsRefunded    = "no_goods_refunded"    // a refund of shipping only
	RefundNotCompleted = "refund_not_completed" // pending, rejected or failed
	NoOrder            = "no_order"             // a refund that belongs to no payment
	OrderDeleted       = "order_deleted"        // see readWooCommerce
	OrderNotFound      = "order_not_found"      // see readBigCommerce
)

// OrderRefund is a refund that came without its order. The amount is in minor
// units of Currency.
type OrderRefund struct {
	Source, Order string
	Currency      string // ISO 4217, upper case
	Refund        loyalty.Refund
}

// CustomerChange is a shop's customer record as it now is; a deleted one has
// only its id.
type CustomerChange struct {
	Source   string
	Customer loyalty.Customer
	Deleted  bool
}

// PrivacyRequest is Shopify's customers/data_request, customers/redact or
// shop/redact. ID is the vendor's id of the request, else of whom it concerns.
type PrivacyRequest struct {
	Source, Topic string
	ID            string
	Customer      loyalty.Customer
	Orders        []string
}

// Read parses a delivery that Verify let pass. A malformed body is a
// *loyalty.Error of kind Invalid; what fetch fails with is wrapped. fetch is
// used by bigcommerce only and may be nil elsewhere.
func Read(ctx context.Context, c Connection, d Delivery, fetch OrderAPI) (Message, error) {
	m, err := read(ctx, c, d, fetch)
	if err != nil {
		return Message{}, err
	}
	if err := checkMessage(m); err != nil {
		return Message{}, err
	}
	return m, nil
}

func read(ctx context.Context, c Connection, d Delivery, fetch OrderAPI) (Message, error) {
	switch c.Kind {
	case "shopify":
		return readShopify(c, d)
	case "woocommerce":
		return readWooCommerce(c, d)
	case "bigcommerce":
		return readBigCommerce(ctx, c, d, fetch)
	case "stripe":
		return readStripe(c, d)
	case "square":
		return readSquare(c, d)
	case "standard":
		return readStandard(d)
	}
	return Message{}, fmt.Errorf("connection %q is of the unknown kind %q", c.ID, c.Kind)
}

func ignored(reason string) (Message, error) { return Message{Ignored: reason}, nil }

// known is the customer, nil when nothing tells who it is.
func known(c loyalty.Customer) *loyalty.Customer {
	if c.Anonymous() {
		return nil
	}
	return &c
}

func fullName(first, last string) string { return clip(strings.TrimSpace(first + " " + last)) }

// billing is the address that WooCommerce and BigCommerce bill, alike.
type billing struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
	Phone     string `json:"phone"`
}

// customer is who is billed, under the shop's id of them; 0 is a guest.
func (b billing) customer(id ident) *loyalty.Customer {
	if id == "0" {
		id = ""
	}
	return known(loyalty.Customer{
		ExternalID: string(id), Email: b.Email, Phone: b.Phone, Name: fullName(b.FirstName, b.LastName),
	})
}

// header is the value of a header that stands exactly once, else "". Twice is
// as good as absent: which of the two was signed or meant, nobody knows.
func header(h http.Header, name string) string {
	if v := h.Values(name); len(v) == 1 {
		return v[0]
	}
	return ""
}
