package redeem

import (
	"context"
	"net/http"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

const payoutPrefix = "pay_"

// Payout is money of a wallet on its way to the member. Amount is in minor units.
type Payout struct {
	ID          string     `json:"id"`
	Status      string     `json:"status"` // requested, approved, rejected
	Member      string     `json:"member"`
	Wallet      string     `json:"wallet"`
	Amount      Money      `json:"amount"`
	RequestedAt time.Time  `json:"requested_at"`
	ApprovedAt  *time.Time `json:"approved_at,omitempty"`
}

func payoutShape(r *loyalty.Redemption) Payout {
	p := Payout{ID: payoutPrefix + r.ID, Status: "requested", Member: "mem_" + r.Member, Wallet: r.Wallet, Amount: Money{r.Value, r.Currency}, RequestedAt: web.Instant(r.At)}
	switch r.Stage {
	case loyalty.Captured:
		at := web.Instant(r.Captured)
		p.Status, p.ApprovedAt = "approved", &at
	case loyalty.Released:
		p.Status = "rejected"
	}
	return p
}

// payout holds money of a wallet until people decide about it.
func (h *Handler) payout(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q struct {
		Member string `json:"member"`
		Wallet string `json:"wallet"`
		Amount *int64 `json:"amount"` // minor units
	}
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	if q.Amount == nil || *q.Amount < 1 || *q.Amount > loyalty.MaxPoints {
		return web.Answer{}, loyalty.Malformed("/amount", text(q.Amount), "must be minor units from 1")
	}
	if q.Wallet == "" {
		return web.Answer{}, loyalty.Malformed("/wallet", "", "must name a wallet; points are not paid out")
	}
	id, now := h.Gate.ID(), h.Gate.Clock()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		holder, err := tx.HolderOf(q.Member)
		if err != nil {
			return web.Answer{}, err
		}
		if err := guard(tx, q.Wallet); err != nil {
			return web.Answer{}, err
		}
		a, t, err := tx.Wallet(holder.Member, q.Wallet)
		if err != nil {
			return web.Answer{}, err
		}
		red, err := a.AskPayout(id, *q.Amount, t.Wallet(q.Wallet), t, now)
		if err != nil {
			return web.Answer{}, err
		}
		tx.PutRedemption(red)
		return web.Answer{Status: http.StatusCreated, Body: payoutShape(red)}, tx.PutAccount(a)
	})
}

func (h *Handler) approve(ctx context.Context, r *web.Request) (web.Answer, error) {
	if err := r.Decode(&struct{}{}); err != nil {
		return web.Answer{}, err
	}
	return h.change(ctx, r, payoutPrefix, "payout", func(a *loyalty.Account, red *loyalty.Redemption, t *loyalty.Terms, now time.Time) error {
		if red.Stage == loyalty.Released {
			return decided("rejected")
		}
		return a.Capture(red, loyalty.OrderRef{}, t, now)
	})
}

func (h *Handler) reject(ctx context.Context, r *web.Request) (web.Answer, error) {
	if err := r.Decode(&struct{}{}); err != nil {
		return web.Answer{}, err
	}
	return h.change(ctx, r, payoutPrefix, "payout", func(a *loyalty.Account, red *loyalty.Redemption, t *loyalty.Terms, now time.Time) error {
		if red.Stage == loyalty.Captured {
			return decided("approved")
		}
		return a.Release(red, t, now)
	})
}

func decided(how string) error {
	return &loyalty.Error{Kind: loyalty.Conflict, Code: "payout_decided", Detail: "the payout was " + how + " before"}
}
