// Package earn answers the routes by which orders come in: the storefronts'
// webhooks and the API's own. An order becomes a value, package loyalty
// decides what it is worth, one transaction writes the order, the account and
// the ledger. The guard against doing anything twice is the order's own
// record, never a delivery id.
package earn

import (
	"context"
	"errors"
	"strings"
	"time"

	"regulars/shared/loyalty"
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
		"POST /v1/webhooks/{connection}": h.Gate.Handle(h.webhook),
		"POST /v1/orders":                h.Gate.Handle(h.order, web.Server),
		"POST /v1/orders/evaluate":       h.Gate.Handle(h.evaluate, web.Server),
		"GET /v1/orders/{source}/{id}":   h.Gate.Handle(h.get, web.Server),
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

// Why orders are ignored, beside the reasons of package storefront.
const (
	noCustomer        = "no_customer"
	currencyRefused   = "currency_not_accepted"
	unknownMember     = "unknown_member"
	foreignSource     = "source_of_another_connection"
	currencyDiffers   = "refund_in_another_currency"
	redemptionStrange = "redemption_not_usable"
)

func (h *Handler) order(ctx context.Context, r *web.Request) (web.Answer, error) {
	in, err := storefront.ParseOrder(r.Body)
	if err != nil {
		return web.Answer{}, err
	}
	member := h.Gate.ID()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		res, err := h.take(tx, &in, member, false)
		return web.Answer{Body: res}, err
	})
}

// take brings the table to an order's newest state. guest is the id of the
// member to make if nobody is known to have bought. A webhook is told why an
// order earns nothing; a caller of the API gets an error for it.
func (h *Handler) take(tx *table.Tx, in *loyalty.Order, guest string, webhook bool) (Result, error) {
	if in.Test {
		return ignored(storefront.TestOrder), nil
	}
	rec, err := tx.Record(in.Ref())
	if err != nil {
		return Result{}, err
	}
	if rec == nil {
		rec = &loyalty.Record{}
	}
	status, err := rec.Receive(in, webhook)
	if err != nil {
		return Result{}, err
	}
	if status == loyalty.Applied {
		if rec.Member == "" && in.Member == "" && in.Customer.Anonymous() {
			return ignored(noCustomer), nil
		}
		if err := h.apply(tx, rec, in, guest); err != nil {
			return Result{}, err
		}
	}
	return h.result(tx, status, rec)
}

// refund takes one refund that came without its order.
func (h *Handler) refund(tx *table.Tx, in *storefront.OrderRefund) (Result, error) {
	of := loyalty.OrderRef{Source: in.Source, ID: in.Order}
	rec, err := tx.Record(of)
	if err != nil {
		return Result{}, err
	}
	if rec == nil {
		rec = &loyalty.Record{}
	}
	if c := rec.Order.Currency; c != "" && c != in.Currency {
		return ignored(currencyDiffers), nil
	}
	status := rec.ReceiveRefund(of, in.Refund, in.Currency)
	switch status {
	case loyalty.Waiting:
		if err := keep(tx, rec); err != nil {
			return Result{}, err
		}
	case loyalty.Applied:
		if err := h.apply(tx, rec, &rec.Order, ""); err != nil {
			return Result{}, err
		}
	case loyalty.Duplicate:
		if rec.Order.State == loyalty.Parked {
			status = loyalty.Waiting
		}
	}
	return h.result(tx, status, rec)
}

// apply lets the ledger follow a record that changed, and writes both.
func (h *Handler) apply(tx *table.Tx, rec *loyalty.Record, in *loyalty.Order, guest string) error {
	now := h.Gate.Clock()
	current, err := tx.Terms()
	if err != nil {
		return err
	}
	if rec.Terms == 0 {
		rec.Terms = current.Version
	}
	pinned, err := tx.TermsOf(rec.Terms)
	if err != nil {
		return err
	}
	if !pinned.Accepts(rec.Order.Currency) {
		return loyalty.Refuse(currencyRefused, "the program is in "+pinned.Currency+" and states no rate for "+rec.Order.Currency)
	}
	a, err := h.account(tx, rec, in, guest, now)
	if err != nil {
		return err
	}
	red, err := redemption(tx, rec.Order.Redemption)
	if err != nil {
		return err
	}
	if err := a.Apply(rec, red, pinned, current, now); err != nil {
		return err
	}
	if red != nil {
		tx.PutRedemption(red)
	}
	if err := keep(tx, rec); err != nil {
		return err
	}
	return tx.PutAccount(a)
}

// keep writes a record, unless its storefront told of so many refunds, one
// after the other, that it has no room for them.
func keep(tx *table.Tx, rec *loyalty.Record) error {
	if !storefront.Fits(&rec.Order) {
		return loyalty.Refuse("too_many_refunds", "the order has more refunds than can be kept")
	}
	tx.PutRecord(rec)
	return nil
}

// account is the account of the order's member: whom the record names, else
// whom the caller names, else whom the shop's customer is known to be, else a
// new guest.
func (h *Handler) account(tx *table.Tx, rec *loyalty.Record, in *loyalty.Order, guest string, now time.Time) (*loyalty.Account, error) {
	if rec.Member != "" {
		return tx.Holder(rec.Member)
	}
	if in.Member != "" {
		a, err := web.HolderOf(tx, in.Member)
		if err == nil {
			rec.Member = a.Member
		}
		return a, err
	}
	known, err := tx.Match(in.Source, in.Customer)
	if err != nil {
		return nil, err
	}
	if known != "" {
		a, err := tx.Holder(known)
		if err != nil {
			return nil, err
		}
		rec.Member = a.Member
		return a, tx.Recognize(a.Member, in.Source, in.Customer)
	}
	rec.Member = guest
	return &loyalty.Account{Member: guest}, tx.Enrol(guestProfile(guest, in.Source, in.Customer, now))
}

func guestProfile(id, source string, c *loyalty.Customer, now time.Time) *table.Profile {
	p := &table.Profile{
		Member: id, Guest: true, CreatedAt: now.Unix(), Name: c.Name,
		Email: c.Email, EmailVerified: c.EmailVerified, Phone: c.Phone, PhoneVerified: c.PhoneVerified,
	}
	if c.ExternalID != "" {
		p.External = map[string]string{source: c.ExternalID}
	}
	return p
}

// redemption reads the redemption that paid a part of an order; nil for none.
func redemption(tx *table.Tx, id string) (*loyalty.Redemption, error) {
	if id == "" {
		return nil, nil
	}
	bare, ok := strings.CutPrefix(id, "rdm_")
	if !ok || !web.IsID(bare) {
		return nil, loyalty.Refuse(redemptionStrange, "there is no such redemption")
	}
	red, err := tx.Redemption(bare)
	var none *loyalty.Error
	if errors.As(err, &none) && none.Kind == loyalty.Missing {
		return nil, loyalty.Refuse(redemptionStrange, "there is no such redemption")
	}
	if err != nil {
		return nil, err
	}
	a, err := tx.Holder(red.Member) // who has it now, after merges
	if err != nil {
		return nil, err
	}
	red.Member = a.Member
	return red, nil
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

// Evaluation is what an order would be worth.
type Evaluation struct {
	Points int64      `json:"points"`
	Goods  int64      `json:"goods"` // what earns, minor units of the order's currency
	Rules  []string   `json:"rules"` // that apply
	Lines  []EvalLine `json:"lines"`
}

// EvalLine is the part of one line.
type EvalLine struct {
	ID     string `json:"id"`
	Net    int64  `json:"net"`
	Points int64  `json:"points"`
}

// evaluate answers what a basket would earn if it were paid now; it writes nothing.
func (h *Handler) evaluate(ctx context.Context, r *web.Request) (web.Answer, error) {
	in, err := storefront.ParseOrder(r.Body)
	if err != nil {
		return web.Answer{}, err
	}
	var out web.Answer
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		t, err := tx.Terms()
		if err != nil {
			return err
		}
		rec, err := tx.Record(in.Ref())
		if err != nil {
			return err
		}
		if rec != nil && rec.Terms != 0 {
			if t, err = tx.TermsOf(rec.Terms); err != nil {
				return err
			}
		}
		if !t.Accepts(in.Currency) {
			return loyalty.Refuse(currencyRefused, "the program is in "+t.Currency+" and states no rate for "+in.Currency)
		}
		red, err := redemption(tx, in.Redemption)
		if err != nil {
			return err
		}
		var paid int64
		if red != nil {
			paid = red.Paying(&in)
		}
		if in.State != loyalty.Cancelled {
			in.State = loyalty.Fulfilled
		}
		w, err := t.Worth(&in, paid, t.EarnedAt(&in, h.Gate.Clock()))
		if err != nil {
			return err
		}
		e := Evaluation{Points: w.Points, Goods: w.Goods - w.Returned, Rules: w.Rules, Lines: []EvalLine{}}
		for _, l := range w.Lines {
			e.Lines = append(e.Lines, EvalLine(l))
		}
		out.Body = e
		return nil
	})
	return out, err
}
