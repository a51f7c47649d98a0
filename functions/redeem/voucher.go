package redeem

import (
	"context"

	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

type voucherRequest struct {
	Code   string       `json:"code"`
	Member string       `json:"member"` // who shows it; anyone when left out
	Order  *web.OrderID `json:"order"`  // in which it is used
}

// voucher reads the voucher of a code as people write it, and the account
// that it is of. Refused with voucher_not_usable for one of another member.
func voucher(tx *table.Tx, written, member string) (*loyalty.Voucher, *loyalty.Account, error) {
	code, ok := loyalty.VoucherCode(written)
	if !ok {
		return nil, nil, loyalty.NotFound("voucher")
	}
	v, err := tx.Voucher(code)
	if err != nil {
		return nil, nil, err
	}
	a, err := tx.Holder(v.Member)
	if err != nil || member == "" {
		return v, a, err
	}
	by, err := tx.HolderOf(member)
	if err == nil && by.Member != a.Member {
		err = loyalty.Refuse("voucher_not_usable", "the voucher is another member's")
	}
	return v, a, err
}

// validate answers the voucher if it can be used now; it writes nothing.
func (h *Handler) validate(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q voucherRequest
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	order, err := orderRef(q.Order)
	if err != nil {
		return web.Answer{}, err
	}
	var out web.Answer
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		v, a, err := voucher(tx, q.Code, q.Member)
		if err != nil {
			return err
		}
		tried := *v
		if err := a.Use(&tried, order, h.Gate.Clock()); err != nil {
			return err
		}
		out.Body = web.VoucherOf(v, a.Member, h.Gate.Clock())
		return nil
	})
	return out, err
}

func (h *Handler) useVoucher(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q voucherRequest
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	order, err := orderRef(q.Order)
	if err != nil {
		return web.Answer{}, err
	}
	now := h.Gate.Clock()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		v, a, err := voucher(tx, q.Code, q.Member)
		if err != nil {
			return web.Answer{}, err
		}
		before := *v
		if err := a.Use(v, order, now); err != nil {
			return web.Answer{}, err
		}
		answer := web.Answer{Body: web.VoucherOf(v, a.Member, now)}
		if *v == before {
			return answer, nil
		}
		tx.PutVoucher(v)
		return answer, tx.PutAccount(a)
	})
}

func (h *Handler) releaseVoucher(ctx context.Context, r *web.Request) (web.Answer, error) {
	if err := r.Decode(&struct{}{}); err != nil {
		return web.Answer{}, err
	}
	now := h.Gate.Clock()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		v, a, err := voucher(tx, r.PathValue("code"), "")
		if err != nil {
			return web.Answer{}, err
		}
		before := *v
		if err := a.ReleaseVoucher(v, now); err != nil {
			return web.Answer{}, err
		}
		answer := web.Answer{Body: web.VoucherOf(v, a.Member, now)}
		if *v == before {
			return answer, nil
		}
		tx.PutVoucher(v)
		return answer, tx.PutAccount(a)
	})
}
