package members

import (
	"context"
	"math"

	"regulars/shared/referrals"
	"regulars/shared/table"
	"regulars/shared/web"
)

type privacyRequest struct {
	Member string `json:"member"`
}

// Export is all that is stored of a person: who she is, who was merged into
// her, every ledger entry, of points and of every wallet, and every order of them all.
type Export struct {
	Member Shape       `json:"member"`
	Merged []Shape     `json:"merged"`
	Ledger []web.Entry `json:"ledger"`
	Orders []OrderLine `json:"orders"`
}

func (h *Handler) export(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q privacyRequest
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	var out Export
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		out = Export{Merged: []Shape{}, Ledger: []web.Entry{}} // it may be read again
		holder, err := tx.HolderOf(q.Member)
		if err != nil {
			return err
		}
		whole, _, err := tx.Profile(holder.Member)
		if err != nil {
			return err
		}
		page := web.Page[OrderLine]{Data: []OrderLine{}}
		for _, m := range append([]string{holder.Member}, whole.Merged...) {
			a, err := tx.Account(m)
			if err != nil {
				return err
			}
			s, err := h.show(tx, a)
			if err != nil {
				return err
			}
			if m == holder.Member {
				out.Member = s
			} else {
				out.Merged = append(out.Merged, s)
			}
			for _, wallet := range append([]string{""}, a.Wallets...) {
				of, err := tx.WalletAccount(m, wallet)
				if err != nil {
					return err
				}
				entries, err := tx.Entries(of, 0, int(of.Seq))
				if err != nil {
					return err
				}
				out.Ledger = append(out.Ledger, web.EntriesOf(entries)...)
			}
			if _, err := ordersOf(tx, m, 0, math.MaxInt, &page); err != nil {
				return err
			}
		}
		out.Orders = page.Data
		return nil
	})
	return web.Answer{Body: out}, err
}

// erase removes a person's data and ends her tokens. Points and ledger stay,
// of nobody's.
func (h *Handler) erase(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q privacyRequest
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	var member string
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		a, err := tx.HolderOf(q.Member)
		if err == nil {
			member = a.Member
		}
		return err
	})
	if err != nil {
		return web.Answer{}, err
	}
	defer h.Gate.ForgetTokens()
	if err := h.Gate.Store.Erase(ctx, r.Program, member, h.Gate.Clock(), referrals.Forget); err != nil {
		return web.Answer{}, err
	}
	return web.Answer{Body: map[string]any{"member": "mem_" + member, "erased": true}}, nil
}
