// Package earn answers the routes by which orders come in: the storefronts'
// webhooks and the API's own. An order becomes a value, package orders
// takes it into the table in one transaction, the answer tells what it is
// worth.
package earn

import (
	"context"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/orders"
	"regulars/shared/storefront"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Handler serves the routes of the function.
type Handler struct {
	Gate *web.Gate

	// Orders gives access to the orders API of a storefront whose webhooks
	// only name an order.
	Orders func(c table.Connection, token string) storefront.OrderAPI

	// Now is the instant that signatures are checked against beside the
	// business clock; they are the same but on a host whose clock was set.
	Now func() time.Time
}

// Routes of the function.
func (h *Handler) Routes() web.Routes {
	return web.Routes{
		"POST /v1/webhooks/{connection}":                  h.Gate.Handle(h.webhook),
		"POST /v1/orders":                                 h.Gate.Handle(h.order, web.Server),
		"POST /v1/orders/evaluate":                        h.Gate.Handle(h.evaluate, web.Server),
		"GET /v1/orders/{source}/{id}":                    h.Gate.Handle(h.get, web.Server),
		"POST /v1/activities":                             h.Gate.Handle(h.activity, web.Server),
		"GET /v1/members/{id}/ledger/{entry}/explanation": h.Gate.Handle(h.explain, web.Server, web.Member),
	}
}

// Result is what became of an order.
type Result struct {
	Status  loyalty.Status `json:"status"`
	Reason  string         `json:"reason,omitempty"` // why it was ignored
	Order   *web.OrderID   `json:"order,omitempty"`
	Member  string         `json:"member,omitempty"`
	Points  int64          `json:"points"`  // what the order is worth now
	Pending int64          `json:"pending"` // how many of them cannot be used yet
	Entries []web.Entry    `json:"entries"` // all that the order moved so far, oldest first
}

func ignored(reason string) Result {
	return Result{Status: loyalty.Ignored, Reason: reason, Entries: []web.Entry{}}
}

// Why orders are ignored, beside the reasons of packages storefront and orders.
const (
	unknownMember = "unknown_member"
	foreignSource = "source_of_another_connection"
)

func (h *Handler) order(ctx context.Context, r *web.Request) (web.Answer, error) {
	in, err := storefront.ParseOrder(r.Body)
	if err != nil {
		return web.Answer{}, err
	}
	by := orders.Teller{Now: h.Gate.Clock(), Guest: h.Gate.ID(), Seed: h.Gate.Seed()}
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		t, err := orders.Take(tx, &in, by)
		res, err := h.taken(tx, t, err)
		return web.Answer{Body: res}, err
	})
}

// taken tells what became of a delivery.
func (h *Handler) taken(tx *table.Tx, t orders.Taken, err error) (Result, error) {
	if err != nil {
		return Result{}, err
	}
	if t.Record == nil {
		return ignored(t.Reason), nil
	}
	return h.result(tx, t.Status, t.Record)
}

// result tells what the order is worth now.
func (h *Handler) result(tx *table.Tx, status loyalty.Status, rec *loyalty.Record) (Result, error) {
	res := Result{Status: status, Order: web.OrderOf(rec.Order.Ref()), Points: rec.Points, Pending: rec.PendingAt(h.Gate.Clock()), Entries: []web.Entry{}}
	if rec.Member == "" {
		return res, nil
	}
	holder, err := tx.Holder(rec.Member)
	if err != nil {
		return Result{}, err
	}
	res.Member = "mem_" + holder.Member
	entries, err := tx.EntriesOf(rec)
	res.Entries = web.EntriesOf(entries)
	return res, err
}

// Stored is an order as GET shows it.
type Stored struct {
	OrderShape
	Member      string      `json:"member"`
	Points      int64       `json:"points"`
	Pending     int64       `json:"pending"`
	RuleVersion int64       `json:"rule_version,omitempty"`
	Entries     []web.Entry `json:"entries"`
}

func (h *Handler) get(ctx context.Context, r *web.Request) (web.Answer, error) {
	of := loyalty.OrderRef{Source: r.PathValue("source"), ID: r.PathValue("id")}
	if !loyalty.ValidSource(of.Source) || !loyalty.ValidID(of.ID) {
		return web.Answer{}, loyalty.NotFound("order")
	}
	var out web.Answer
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		rec, err := tx.Record(of)
		if err != nil {
			return err
		}
		if rec == nil {
			return loyalty.NotFound("order")
		}
		res, err := h.result(tx, "", rec)
		out.Body = Stored{shapeOf(&rec.Order), res.Member, res.Points, res.Pending, rec.Terms, res.Entries}
		return err
	})
	return out, err
}
