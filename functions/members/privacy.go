package members

import (
	"context"

	"regulars/shared/table"
	"regulars/shared/web"
)

type privacyRequest struct {
	Member string `json:"member"`
}

// export answers all that is stored of a person.
func (h *Handler) export(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q privacyRequest
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	var out web.Answer
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		a, err := web.HolderOf(tx, q.Member)
		if err != nil {
			return err
		}
		s, err := h.show(tx, a)
		if err != nil {
			return err
		}
		entries, err := tx.Entries(a, 0, int(a.Seq))
		out.Body = map[string]any{"member": s, "ledger": web.EntriesOf(entries)}
		return err
	})
	return out, err
}

// erase removes a person's data. Points and ledger stay, of nobody's.
func (h *Handler) erase(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q privacyRequest
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		a, err := web.HolderOf(tx, q.Member)
		if err != nil {
			return web.Answer{}, err
		}
		if err := tx.Erase(a.Member, h.Gate.Clock()); err != nil {
			return web.Answer{}, err
		}
		return web.Answer{Body: map[string]any{"member": "mem_" + a.Member, "erased": true}}, nil
	})
}
