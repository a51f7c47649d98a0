package members

import (
	"context"

	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Entitlements are what a member may have or do without points.
type Entitlements struct {
	Tier *string               `json:"tier"`
	Data []loyalty.Entitlement `json:"data"`
}

// entitlements answers the member's benefits, or with ?id= only that one:
// none is an empty list.
func (h *Handler) entitlements(ctx context.Context, r *web.Request) (web.Answer, error) {
	only := r.URL.Query().Get("id")
	return h.view(ctx, r, func(tx *table.Tx, a *loyalty.Account) (any, error) {
		t, err := tx.TermsOfMember(a.Member)
		if err != nil {
			return nil, err
		}
		p, _, err := tx.Profile(a.Member)
		if err != nil {
			return nil, err
		}
		now := h.Gate.Clock()
		a = a.AsOf(now, t)
		out := Entitlements{Data: []loyalty.Entitlement{}}
		if tier := a.Tier(now, t); tier != "" {
			out.Tier = &tier
		}
		for _, e := range a.Entitlements(now, t, p.External[loyalty.CardSource] != "") {
			if only == "" || e.ID == only {
				out.Data = append(out.Data, e)
			}
		}
		return out, nil
	})
}

// vouchers lists the vouchers that the member can use, oldest first.
func (h *Handler) vouchers(ctx context.Context, r *web.Request) (web.Answer, error) {
	return h.view(ctx, r, func(tx *table.Tx, a *loyalty.Account) (any, error) {
		t, err := tx.TermsOfMember(a.Member)
		if err != nil {
			return nil, err
		}
		now := h.Gate.Clock()
		a = a.AsOf(now, t)
		page := web.Page[web.Voucher]{Data: []web.Voucher{}}
		for _, open := range a.Vouchers {
			v, err := tx.Voucher(open.Code)
			if err != nil {
				return nil, err
			}
			page.Data = append(page.Data, web.VoucherOf(v, a.Member, now))
		}
		return page, nil
	})
}

// Chosen is what a member has by their choice.
type Chosen struct {
	Wallet  string       `json:"wallet,omitempty"` // "points", or the id of a wallet
	Points  int64        `json:"points"`
	Voucher *web.Voucher `json:"voucher,omitempty"`
}

// choose gives the member one of the rewards that wait for a choice.
func (h *Handler) choose(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q struct {
		ID     string `json:"id"` // of the automatic reward
		Choice string `json:"choice"`
	}
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	now, seed := h.Gate.Clock(), h.Gate.Seed()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		a, err := tx.HolderOf(r.PathValue("id"))
		if err != nil {
			return web.Answer{}, err
		}
		t, err := tx.TermsOfMember(a.Member)
		if err != nil {
			return web.Answer{}, err
		}
		award, ref, v, err := a.Choose(q.ID, q.Choice, seed, t, now)
		if err != nil {
			return web.Answer{}, err
		}
		out := Chosen{Wallet: award.Wallet, Points: award.Points}
		switch {
		case v != nil:
			tx.PutVoucher(v)
			shown := web.VoucherOf(v, a.Member, now)
			out.Voucher = &shown
		case award.Wallet != "":
			if _, err := tx.Credit(a, award, loyalty.Entry{Ref: ref, Reason: q.Choice, At: now.Unix(), Terms: t.Version}, now); err != nil {
				return web.Answer{}, err
			}
		default:
			out.Wallet = "points"
		}
		return web.Answer{Body: out}, tx.PutAccount(a)
	})
}
