package members

import (
	"context"
	"net/http"
	"time"

	"regulars/shared/table"
	"regulars/shared/web"
)

func (h *Handler) token(ctx context.Context, r *web.Request) (web.Answer, error) {
	if err := r.Decode(&struct{}{}); err != nil {
		return web.Answer{}, err
	}
	var out web.Answer
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		token, until, err := h.Gate.MemberToken(ctx, tx, r.Program, r.PathValue("id"))
		out = web.Answer{Status: http.StatusCreated, Body: map[string]any{"token": token, "expires_at": until.UTC().Truncate(time.Second)}}
		return err
	})
	return out, err
}

// revoke makes every token void that leads to the member: its own, and those
// of members that were merged into it.
func (h *Handler) revoke(ctx context.Context, r *web.Request) (web.Answer, error) {
	if err := r.Decode(&struct{}{}); err != nil {
		return web.Answer{}, err
	}
	generation := h.Gate.ID()
	defer h.Gate.ForgetTokens()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		if err := tx.Fresh(); err != nil { // the tokens of who was just merged away are the holder's to end
			return web.Answer{}, err
		}
		a, err := tx.HolderOf(r.PathValue("id"))
		if err != nil {
			return web.Answer{}, err
		}
		return web.Answer{Body: map[string]any{"member": "mem_" + a.Member, "revoked": true}}, tx.RevokeTokens(a.Member, generation)
	})
}
