package members

import (
	"context"

	"regulars/shared/loyalty"
	"regulars/shared/person"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Card is a card that somebody shows. Whoever has it, it collects points:
// until it is bound it is a guest's.
type Card struct {
	Number       string                `json:"number"`
	Bound        bool                  `json:"bound"`  // it is an enrolled member's
	Member       *string               `json:"member"` // null: nothing was bought with it yet
	Points       int64                 `json:"points"` // available
	Entitlements []loyalty.Entitlement `json:"entitlements"`
}

// card answers what a card that is shown is worth at the till.
func (h *Handler) card(ctx context.Context, r *web.Request) (web.Answer, error) {
	number := r.PathValue("number")
	if !loyalty.ValidID(number) {
		return web.Answer{}, loyalty.NotFound("card")
	}
	out := Card{Number: number, Entitlements: []loyalty.Entitlement{}}
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		now := h.Gate.Clock()
		known, err := tx.Match(loyalty.CardSource, &loyalty.Customer{Card: number})
		if err != nil {
			return err
		}
		if known == "" {
			t, err := tx.Terms()
			if err != nil {
				return err
			}
			out.Entitlements = append(out.Entitlements, t.CardEntitlements()...)
			return nil
		}
		a, err := tx.Holder(known)
		if err != nil {
			return err
		}
		p, _, err := tx.Profile(a.Member)
		if err != nil {
			return err
		}
		t, err := tx.TermsOfMember(a.Member)
		if err != nil {
			return err
		}
		id := "mem_" + a.Member
		out.Member, out.Bound = &id, !p.Guest
		out.Points = a.BalanceAt(now, t).Available
		out.Entitlements = append(out.Entitlements, a.AsOf(now, t).Entitlements(now, t, true)...)
		return nil
	})
	return web.Answer{Body: out}, err
}

// bindCard makes a card a member's own, with all that was collected on it.
// The conflict member_exists is another enrolled member's card.
func (h *Handler) bindCard(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q struct {
		Number string `json:"number"`
	}
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	if !loyalty.ValidID(q.Number) {
		return web.Answer{}, loyalty.Malformed("/number", q.Number, loyalty.IDRule)
	}
	seed := h.Gate.Seed()
	defer h.Gate.ForgetTokens()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		if err := tx.Fresh(); err != nil { // whose the card is decides, and is not written
			return web.Answer{}, err
		}
		a, err := tx.HolderOf(r.PathValue("id"))
		if err != nil {
			return web.Answer{}, err
		}
		known, err := tx.Match(loyalty.CardSource, &loyalty.Customer{Card: q.Number})
		if err != nil {
			return web.Answer{}, err
		}
		if known != "" {
			return h.bindKnown(tx, a, known, seed)
		}
		p, version, err := tx.Profile(a.Member)
		if err != nil {
			return web.Answer{}, err
		}
		c := person.Change{ExternalIDs: map[string]string{loyalty.CardSource: q.Number}}
		was := p.Clone()
		if err := c.Apply(p); err != nil {
			return web.Answer{}, err
		}
		if err := tx.PutProfile(was, p, true); err != nil {
			return web.Answer{}, publicMember(err)
		}
		body, err := h.shape(tx, p, version+1, a)
		return web.Answer{Body: body}, err
	})
}

// bindKnown merges the guest whom a card is of into the member.
func (h *Handler) bindKnown(tx *table.Tx, a *loyalty.Account, known, seed string) (web.Answer, error) {
	holder, err := tx.Holder(known)
	if err != nil {
		return web.Answer{}, err
	}
	if holder.Member == a.Member {
		body, err := h.show(tx, a)
		return web.Answer{Body: body}, err
	}
	p, _, err := tx.Profile(holder.Member)
	if err != nil {
		return web.Answer{}, err
	}
	if !p.Guest {
		return web.Answer{}, &loyalty.Error{Kind: loyalty.Conflict, Code: "member_exists", Detail: "the card is another member's", Details: map[string]any{"identity": "card", "member": "mem_" + holder.Member}}
	}
	body, err := h.mergeInto(tx, a, holder.Member, seed, h.Gate.Clock())
	return web.Answer{Body: body}, err
}
