// Package members answers the routes about people: enrolling, reading,
// changing and merging members, their ledgers and orders, adjustments by
// hand, tokens, and what a person may ask for by law.
package members

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/person"
	"regulars/shared/referrals"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Handler serves the routes of the function.
type Handler struct{ Gate *web.Gate }

// Routes of the function.
func (h *Handler) Routes() web.Routes {
	return web.Routes{
		"POST /v1/members":                         h.Gate.Handle(h.enrol, web.Server),
		"GET /v1/members":                          h.Gate.Handle(h.find, web.Server),
		"GET /v1/members/{id}":                     h.Gate.Handle(h.get, web.Server, web.Member),
		"PATCH /v1/members/{id}":                   h.Gate.Handle(h.patch, web.Server),
		"POST /v1/members/{id}/merge":              h.Gate.Handle(h.merge, web.Server),
		"POST /v1/members/{id}/tokens":             h.Gate.Handle(h.token, web.Server),
		"DELETE /v1/members/{id}/tokens":           h.Gate.Handle(h.revoke, web.Server),
		"POST /v1/members/{id}/adjustments":        h.Gate.Handle(h.adjust, web.Admin),
		"GET /v1/members/{id}/ledger":              h.Gate.Handle(h.ledger, web.Server, web.Member),
		"GET /v1/members/{id}/ledger/verification": h.Gate.Handle(h.verify, web.Server, web.Member),
		"GET /v1/members/{id}/orders":              h.Gate.Handle(h.orders, web.Server, web.Member),
		"GET /v1/members/{id}/entitlements":        h.Gate.Handle(h.entitlements, web.Server, web.Member),
		"GET /v1/members/{id}/vouchers":            h.Gate.Handle(h.vouchers, web.Server, web.Member),
		"POST /v1/members/{id}/choices":            h.Gate.Handle(h.choose, web.Server),
		"POST /v1/members/{id}/cards":              h.Gate.Handle(h.bindCard, web.Server),
		"GET /v1/cards/{number}":                   h.Gate.Handle(h.card, web.Server),

		"GET /v1/segments/{id}/members":            h.Gate.Handle(h.members, web.Server),
		"GET /v1/leaderboards/{id}":                h.Gate.Handle(h.leaderboard, web.Server),
		"GET /v1/partners/{id}/statements/{month}": h.Gate.Handle(h.statement, web.Admin),
		"POST /v1/partners/{id}/exchanges":         h.Gate.Handle(h.exchange, web.Server),
		"POST /v1/privacy/exports":                 h.Gate.Handle(h.export, web.Admin),
		"POST /v1/privacy/erasures":                h.Gate.Handle(h.erase, web.Admin),
	}
}

func (h *Handler) enrol(ctx context.Context, r *web.Request) (web.Answer, error) {
	var c person.Change
	if err := r.Decode(&c); err != nil {
		return web.Answer{}, err
	}
	p := &table.Profile{Member: h.Gate.ID(), CreatedAt: h.Gate.Clock().Unix()}
	if err := c.Apply(p); err != nil {
		return web.Answer{}, err
	}
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		if err := tx.Enrol(p); err != nil {
			return web.Answer{}, publicMember(err)
		}
		body, err := h.shape(tx, p, 1, &loyalty.Account{Member: p.Member})
		return web.Answer{Status: http.StatusCreated, Body: body}, err
	})
}

// publicMember writes the id in a member_exists as the API does.
func publicMember(err error) error {
	var e *loyalty.Error
	if errors.As(err, &e) && e.Code == "member_exists" {
		if id, ok := e.Details["member"].(string); ok {
			return &loyalty.Error{Kind: e.Kind, Code: e.Code, Detail: e.Detail, Details: map[string]any{"identity": e.Details["identity"], "member": "mem_" + id}}
		}
	}
	return err
}

func (h *Handler) get(ctx context.Context, r *web.Request) (web.Answer, error) {
	return h.view(ctx, r, func(tx *table.Tx, a *loyalty.Account) (any, error) { return h.show(tx, a) })
}

// view answers what read makes of the member in the path, or of the one that
// it was merged into.
func (h *Handler) view(ctx context.Context, r *web.Request, read func(*table.Tx, *loyalty.Account) (any, error)) (web.Answer, error) {
	var out web.Answer
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		a, err := tx.HolderOf(r.PathValue("id"))
		if err != nil {
			return err
		}
		out.Body, err = read(tx, a)
		return err
	})
	return out, err
}

func (h *Handler) find(ctx context.Context, r *web.Request) (web.Answer, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return web.Answer{}, loyalty.Malformed("query", r.URL.RawQuery, "is not a query: write special characters as %XX")
	}
	email, phone, external := q.Get("email"), q.Get("phone"), q.Get("external_id")
	if strings.HasPrefix(phone, " ") { // a plus that was not written as %2B
		phone = "+" + strings.TrimSpace(phone)
	}
	if email == "" && phone == "" && external == "" {
		return web.Answer{}, loyalty.Malformed("email", "", "say whom to look for: email, phone or external_id")
	}
	if external != "" && !loyalty.ValidID(external) {
		return web.Answer{}, loyalty.Malformed("external_id", external, loyalty.IDRule)
	}
	source := q.Get("source")
	if source != "" && !loyalty.ValidSource(source) {
		return web.Answer{}, loyalty.Malformed("source", source, loyalty.SourceRule)
	}
	limit, err := r.Limit()
	if err != nil {
		return web.Answer{}, err
	}
	after, err := r.After()
	if err != nil {
		return web.Answer{}, err
	}
	var page web.Page[Shape]
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		page = web.Page[Shape]{Data: []Shape{}} // it may be read again
		ids, err := tx.MembersWith(email, phone, external, source)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for i, id := range ids {
			a, err := tx.Holder(id)
			if err != nil {
				return err
			}
			if seen[a.Member] || int64(i) < after {
				seen[a.Member] = true
				continue
			}
			if len(page.Data) == limit {
				page.HasMore, page.NextCursor = true, web.Cursor(int64(i))
				break
			}
			seen[a.Member] = true
			s, err := h.show(tx, a)
			if err != nil {
				return err
			}
			page.Data = append(page.Data, s)
		}
		return nil
	})
	return web.Answer{Body: page}, err
}

func (h *Handler) patch(ctx context.Context, r *web.Request) (web.Answer, error) {
	want, err := r.IfMatch()
	if err != nil {
		return web.Answer{}, err
	}
	var c person.Change
	if err := r.Decode(&c); err != nil {
		return web.Answer{}, err
	}
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		a, p, version, err := tx.ProfileOf(r.PathValue("id"))
		if err != nil {
			return web.Answer{}, err
		}
		if want != 0 && want != version {
			return web.Answer{}, &loyalty.Error{Kind: loyalty.Conflict, Code: "version_conflict", Detail: "the member has changed since you read it", Details: map[string]any{"version": version}}
		}
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

func (h *Handler) merge(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q struct {
		Into string `json:"into"`
	}
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	id, err := r.PathID("id", "mem_", "member")
	if err != nil {
		return web.Answer{}, err
	}
	now, seed := h.Gate.Clock(), h.Gate.Seed()
	defer h.Gate.ForgetTokens() // those of the member who is merged away end
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		into, err := tx.HolderOf(q.Into)
		if err != nil {
			return web.Answer{}, err
		}
		body, err := h.mergeInto(tx, into, id, seed, now)
		return web.Answer{Body: body}, err
	})
}

// mergeInto moves all that a member has into another's account and profile.
func (h *Handler) mergeInto(tx *table.Tx, into *loyalty.Account, id, seed string, now time.Time) (Shape, error) {
	from, err := tx.Account(id)
	if err != nil {
		return Shape{}, err
	}
	t, err := tx.TermsOfMember(into.Member)
	if err != nil {
		return Shape{}, err
	}
	to, version, err := tx.Profile(into.Member)
	if err != nil {
		return Shape{}, err
	}
	holder, err := tx.Holder(id)
	if err != nil {
		return Shape{}, err
	}
	if from.Into != "" && holder.Member == into.Member { // it was done before
		return h.shape(tx, to, version, into)
	}
	if err := mergeWallets(tx, into, from, t, now); err != nil {
		return Shape{}, err
	}
	mine, theirs := slices.Clone(into.Tallies), slices.Clone(from.Tallies)
	vouchers, err := into.Merge(from, seed, t, now)
	if err != nil {
		return Shape{}, err
	}
	if err := errors.Join(tx.JoinPurchases(into, from), tx.PutScores(into, mine, t), tx.PutScores(from, theirs, t)); err != nil {
		return Shape{}, err
	}
	into.SegmentAtOnce(now, t)
	if err := tx.PutVouchers(vouchers, now); err != nil {
		return Shape{}, err
	}
	if err := errors.Join(tx.PutAccount(into), tx.PutAccount(from)); err != nil {
		return Shape{}, err
	}
	by := referrals.By{Now: now, Seed: seed + "r"}
	if changed, err := referrals.Settle(tx, into, by); err != nil {
		return Shape{}, err
	} else if changed {
		if err := tx.PutAccount(into); err != nil {
			return Shape{}, err
		}
	}
	guest, _, err := tx.Profile(id)
	if err != nil {
		return Shape{}, err
	}
	to.Adopt(guest)
	if err := tx.PutAdopted(to, guest); err != nil {
		return Shape{}, err
	}
	return h.shape(tx, to, version+1, into)
}

// mergeWallets moves what the other wallets hold.
func mergeWallets(tx *table.Tx, into, from *loyalty.Account, t *loyalty.Terms, now time.Time) error {
	if from.Member == into.Member || from.Into != "" {
		return nil // Merge refuses it
	}
	for _, wallet := range from.Wallets {
		mine, err := tx.WalletAccount(into.Member, wallet)
		if err != nil {
			return err
		}
		other, err := tx.WalletAccount(from.Member, wallet)
		if err != nil {
			return err
		}
		in, _ := t.In(wallet)
		if _, err := mine.Merge(other, "", in, now); err != nil {
			return err
		}
		if err := errors.Join(tx.PutAccount(mine), tx.PutAccount(other)); err != nil {
			return err
		}
		into.AddWallet(wallet)
	}
	return nil
}
