// Package redeem answers the routes by which points pay: holds, captures,
// releases, redemptions and their cancellation. The rules are in package
// loyalty; here a request becomes a value and a decision becomes an answer.
package redeem

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Handler serves the routes of the function.
type Handler struct{ Gate *web.Gate }

// Routes of the function.
func (h *Handler) Routes() web.Routes {
	return web.Routes{
		"POST /v1/holds":                   h.Gate.Handle(h.hold, web.Server),
		"GET /v1/holds/{id}":               h.Gate.Handle(h.get("hld_", "hold"), web.Server),
		"POST /v1/holds/{id}/capture":      h.Gate.Handle(h.capture, web.Server),
		"POST /v1/holds/{id}/release":      h.Gate.Handle(h.release, web.Server),
		"POST /v1/redemptions":             h.Gate.Handle(h.redeem, web.Server),
		"GET /v1/redemptions/{id}":         h.Gate.Handle(h.get("rdm_", "redemption"), web.Server),
		"POST /v1/redemptions/{id}/cancel": h.Gate.Handle(h.cancel, web.Server),

		"POST /v1/payouts":              h.Gate.Handle(h.payout, web.Server),
		"GET /v1/payouts/{id}":          h.Gate.Handle(h.get(payoutPrefix, "payout"), web.Server),
		"POST /v1/payouts/{id}/approve": h.Gate.Handle(h.approve, web.Admin),
		"POST /v1/payouts/{id}/reject":  h.Gate.Handle(h.reject, web.Admin),

		"POST /v1/vouchers/validate":       h.Gate.Handle(h.validate, web.Server),
		"POST /v1/vouchers/redeem":         h.Gate.Handle(h.useVoucher, web.Server),
		"POST /v1/vouchers/{code}/release": h.Gate.Handle(h.releaseVoucher, web.Server),
	}
}

// Shape is a hold or redemption as the API shows it. Value is in minor units.
type Shape struct {
	ID         string       `json:"id"`
	Status     string       `json:"status"`
	Member     string       `json:"member"`
	Points     int64        `json:"points"`
	Wallet     string       `json:"wallet,omitempty"` // of the points, where it is another than points
	Value      Money        `json:"value"`
	ExpiresAt  *time.Time   `json:"expires_at,omitempty"`
	Hold       string       `json:"hold,omitempty"`
	Redemption string       `json:"redemption,omitempty"`
	Restored   int64        `json:"restored"`
	Order      *web.OrderID `json:"order,omitempty"`
	CreatedAt  time.Time    `json:"created_at"`
	CapturedAt *time.Time   `json:"captured_at,omitempty"`
}

// Money is minor units of a currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

func shape(prefix string, r *loyalty.Redemption, now time.Time) Shape {
	s := Shape{
		ID: prefix + r.ID, Status: string(r.StageAt(now)), Member: "mem_" + r.Member, Points: r.Points, Wallet: r.Wallet, Value: Money{r.Value, r.Currency},
		Hold: "hld_" + r.ID, Restored: r.Restored, Order: web.OrderOf(r.Order), CreatedAt: web.Instant(r.At),
	}
	if r.Captured != 0 {
		at := web.Instant(r.Captured)
		s.CapturedAt, s.Redemption = &at, "rdm_"+r.ID
	} else {
		at := web.Instant(r.Until)
		s.ExpiresAt = &at
	}
	return s
}

// shown is a hold, a redemption or a payout, by the prefix of its id.
func shown(prefix string, r *loyalty.Redemption, now time.Time) any {
	if r.Payout {
		return payoutShape(r)
	}
	return shape(prefix, r, now)
}

type holdRequest struct {
	Member      string  `json:"member"`
	Points      *int64  `json:"points"`
	Reward      *string `json:"reward"`
	Wallet      string  `json:"wallet"`       // of the points; points themselves when left out
	OrderAmount *int64  `json:"order_amount"` // minor units
}

func (q *holdRequest) check() (points, orderAmount int64, err error) {
	if q.Reward != nil {
		return 0, 0, &loyalty.Error{Kind: loyalty.Refused, Code: "not_supported_yet", Detail: "rewards are not supported yet", Details: map[string]any{"path": "/reward"}}
	}
	if q.Points == nil || *q.Points < 1 || *q.Points > loyalty.MaxPoints {
		return 0, 0, loyalty.Malformed("/points", text(q.Points), "must be a whole number from 1")
	}
	if q.OrderAmount != nil {
		if orderAmount = *q.OrderAmount; orderAmount < 1 || orderAmount > loyalty.MaxPoints {
			return 0, 0, loyalty.Malformed("/order_amount", text(q.OrderAmount), "must be minor units from 1")
		}
	}
	return *q.Points, orderAmount, nil
}

func (h *Handler) hold(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q holdRequest
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	points, amount, err := q.check()
	if err != nil {
		return web.Answer{}, err
	}
	id, now := h.Gate.ID(), h.Gate.Clock()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		a, red, _, err := holdPoints(tx, id, q.Member, q.Wallet, points, amount, now)
		if err != nil {
			return web.Answer{}, err
		}
		tx.PutRedemption(red)
		return web.Answer{Status: http.StatusCreated, Body: shape("hld_", red, now)}, tx.PutAccount(a)
	})
}

// redeem holds and captures at once.
func (h *Handler) redeem(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q struct {
		holdRequest
		Order *web.OrderID `json:"order"`
	}
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	order, err := orderRef(q.Order)
	if err != nil {
		return web.Answer{}, err
	}
	points, amount, err := q.check()
	if err != nil {
		return web.Answer{}, err
	}
	id, now := h.Gate.ID(), h.Gate.Clock()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		a, red, t, err := holdPoints(tx, id, q.Member, q.Wallet, points, amount, now)
		if err != nil {
			return web.Answer{}, err
		}
		if err := a.Capture(red, order, t, now); err != nil {
			return web.Answer{}, err
		}
		tx.PutRedemption(red)
		return web.Answer{Status: http.StatusCreated, Body: shape("rdm_", red, now)}, tx.PutAccount(a)
	})
}

// holdPoints makes hold id of a member's points, by the terms in force. The
// caller puts account and hold.
func holdPoints(tx *table.Tx, id, member, wallet string, points, orderAmount int64, now time.Time) (*loyalty.Account, *loyalty.Redemption, *loyalty.Terms, error) {
	holder, err := tx.HolderOf(member)
	if err != nil {
		return nil, nil, nil, err
	}
	a, t, err := tx.Wallet(holder.Member, wallet)
	if err != nil {
		return nil, nil, nil, err
	}
	red, err := a.Hold(id, points, orderAmount, t, now)
	return a, red, t, err
}

func (h *Handler) capture(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q struct {
		Order *web.OrderID `json:"order"`
	}
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	order, err := orderRef(q.Order)
	if err != nil {
		return web.Answer{}, err
	}
	return h.change(ctx, r, "hld_", "hold", func(a *loyalty.Account, red *loyalty.Redemption, t *loyalty.Terms, now time.Time) error {
		return a.Capture(red, order, t, now)
	})
}

func (h *Handler) release(ctx context.Context, r *web.Request) (web.Answer, error) {
	if err := r.Decode(&struct{}{}); err != nil {
		return web.Answer{}, err
	}
	return h.change(ctx, r, "hld_", "hold", func(a *loyalty.Account, red *loyalty.Redemption, t *loyalty.Terms, now time.Time) error {
		return a.Release(red, t, now)
	})
}

func (h *Handler) cancel(ctx context.Context, r *web.Request) (web.Answer, error) {
	if err := r.Decode(&struct{}{}); err != nil {
		return web.Answer{}, err
	}
	return h.change(ctx, r, "rdm_", "redemption", func(a *loyalty.Account, red *loyalty.Redemption, t *loyalty.Terms, now time.Time) error {
		return a.Cancel(red, t, now)
	})
}

// change lets one decision about a hold or redemption change it and the
// account that holds its member's points.
func (h *Handler) change(ctx context.Context, r *web.Request, prefix, what string,
	decide func(*loyalty.Account, *loyalty.Redemption, *loyalty.Terms, time.Time) error,
) (web.Answer, error) {
	id, err := r.PathID("id", prefix, what)
	if err != nil {
		return web.Answer{}, err
	}
	now := h.Gate.Clock()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		red, err := tx.Redemption(id)
		if err != nil {
			return web.Answer{}, err
		}
		if red.Payout != (prefix == payoutPrefix) {
			return web.Answer{}, loyalty.NotFound(what)
		}
		before := *red
		holder, err := tx.Holder(red.Member)
		if err != nil {
			return web.Answer{}, err
		}
		all, err := tx.TermsOfMember(holder.Member)
		if err != nil {
			return web.Answer{}, err
		}
		t, _ := all.In(red.Wallet) // the program may have it no more: what is held there ends all the same
		a, err := tx.WalletAccount(holder.Member, red.Wallet)
		if err != nil {
			return web.Answer{}, err
		}
		red.Member = a.Member
		if err := decide(a, red, t, now); err != nil {
			return web.Answer{}, err
		}
		answer := web.Answer{Body: shown(prefix, red, now)}
		if red.Stage == before.Stage { // it was so already
			return answer, nil
		}
		tx.PutRedemption(red)
		return answer, tx.PutAccount(a)
	})
}

func (h *Handler) get(prefix, what string) web.Handler {
	return func(ctx context.Context, r *web.Request) (web.Answer, error) {
		id, err := r.PathID("id", prefix, what)
		if err != nil {
			return web.Answer{}, err
		}
		var out web.Answer
		err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
			red, err := tx.Redemption(id)
			if err != nil {
				return err
			}
			if prefix == "rdm_" && red.Captured == 0 || red.Payout != (prefix == payoutPrefix) {
				return loyalty.NotFound(what)
			}
			out.Body = shown(prefix, red, h.Gate.Clock())
			return nil
		})
		return out, err
	}
}

func orderRef(o *web.OrderID) (loyalty.OrderRef, error) {
	if o == nil {
		return loyalty.OrderRef{}, nil
	}
	if !loyalty.ValidSource(o.Source) {
		return loyalty.OrderRef{}, loyalty.Malformed("/order/source", o.Source, loyalty.SourceRule)
	}
	if !loyalty.ValidID(o.ID) {
		return loyalty.OrderRef{}, loyalty.Malformed("/order/id", o.ID, loyalty.IDRule)
	}
	return loyalty.OrderRef{Source: o.Source, ID: o.ID}, nil
}

func text(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
