// Package refer answers the routes by which members bring friends: personal
// codes and their links, registrations, referrals and what people decide about
// them. Beside the routes it follows the friends' accounts and rewards who
// is safe (keep.go). The rules are in package loyalty, what goes
// into the table in package referrals.
package refer

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"

	"regulars/shared/code"
	"regulars/shared/loyalty"
	"regulars/shared/referrals"
	"regulars/shared/storefront"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Handler serves the routes of the function.
type Handler struct {
	Gate *web.Gate
	Home string // where links lead of a program that names no shop; "": nowhere
}

// Routes of the function.
func (h *Handler) Routes() web.Routes {
	return web.Routes{
		"POST /v1/members/{id}/referral-code": h.Gate.Handle(h.code, web.Server),
		"GET /v1/members/{id}/referrals":      h.Gate.Handle(h.list, web.Server, web.Member),
		"POST /v1/referrals":                  h.Gate.Handle(h.register, web.Server),
		"GET /v1/referrals/{id}":              h.Gate.Handle(h.get, web.Server),
		"POST /v1/referrals/{id}/approve":     h.Gate.Handle(h.decide((*loyalty.Referral).Approve), web.Admin),
		"POST /v1/referrals/{id}/reject":      h.Gate.Handle(h.decide((*loyalty.Referral).Reject), web.Admin),
		"GET /r/{code}":                       h.Gate.Handle(h.link),
		"GET /r/{code}/qr.svg":                h.Gate.Handle(h.picture),
	}
}

// CodeShape is a member's code as the API shows it.
type CodeShape struct {
	Code string `json:"code"`
	URL  string `json:"url"` // the link to share
}

// mostCodes is how many codes a member may have chosen: all of them lead here.
const mostCodes = 5

// code gives a member a personal code: the one they have, one that they
// choose, or a new one.
func (h *Handler) code(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q struct {
		Code string `json:"code"`
	}
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	wanted := ""
	if q.Code != "" {
		if why := code.Readable(q.Code); why != "" {
			return web.Answer{}, loyalty.Malformed("/code", q.Code, refusals[why])
		}
		wanted, _ = code.Normalize(q.Code)
	}
	seed := h.Gate.Seed()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		a, p, _, err := tx.ProfileOf(r.PathValue("id"))
		if err != nil {
			return web.Answer{}, err
		}
		if len(p.Codes) > 0 && (wanted == "" || wanted == p.Codes[0]) {
			return web.Answer{Body: h.codeShape(r, p.Codes[0])}, nil
		}
		c, err := free(tx, wanted, a.Member, seed)
		if err != nil {
			return web.Answer{}, err
		}
		if len(p.Codes) >= mostCodes {
			return web.Answer{}, loyalty.Refuse("too_many_codes", "a member may have chosen five codes")
		}
		was := p.Clone()
		p.Codes = append([]string{c}, p.Codes...)
		tx.PutCode(c, a.Member)
		return web.Answer{Body: h.codeShape(r, c)}, tx.PutProfile(was, p, false)
	})
}

var refusals = map[code.Refusal]string{
	code.TooShort: "a code has at least 3 letters and digits", code.TooLong: "a code has at most 24 letters and digits",
	code.Characters: "a code has letters of A to Z, Hebrew, Arabic or Persian, and digits", code.FewDigits: "a code of digits alone has at least 4",
	code.Mixed:    "the letters of a code are of one script",
	code.Reserved: "the code is reserved",
}

// free is a code that nobody has: the wanted one, or a new one. Refused with
// the conflict code_taken.
func free(tx *table.Tx, wanted, member, seed string) (string, error) {
	for n := byte(0); ; n++ {
		c := wanted
		if c == "" {
			c = code.Generate(random(seed, n))
		}
		owner, taken, err := tx.Code(c)
		switch {
		case err != nil:
			return "", err
		case !taken, owner == member:
			return c, nil
		case wanted != "":
			return "", &loyalty.Error{Kind: loyalty.Conflict, Code: "code_taken", Detail: "somebody has this code", Details: map[string]any{"path": "/code", "value": wanted}}
		}
	}
}

// random is made from a secret seed, so that a decision that is made again makes
// the same code.
func random(seed string, n byte) []byte {
	sum := sha256.Sum256(append([]byte(seed), n))
	return sum[:]
}

func (h *Handler) codeShape(r *web.Request, c string) CodeShape {
	return CodeShape{Code: c, URL: address(r) + "/r/" + url.PathEscape(c)}
}

// register notes that a friend came by a code.
func (h *Handler) register(ctx context.Context, r *web.Request) (web.Answer, error) {
	in, err := parse(r.Body)
	if err != nil {
		return web.Answer{}, err
	}
	by := referrals.By{Now: h.Gate.Clock(), Seed: h.Gate.Seed()}
	in.Marks = referrals.Marks(r.Program, in.signs)
	id := table.ReferralID(by.Now, h.Gate.ID())
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		if err := tx.Fresh(); err != nil { // what decides most of it is not written
			return web.Answer{}, err
		}
		ref, err := referrals.Register(tx, in.Registration, id, by)
		if err != nil {
			return web.Answer{}, err
		}
		return web.Answer{Status: http.StatusCreated, Body: Registered{ID: ref.Ref(), Code: ref.Code, Status: string(loyalty.Registered)}}, nil
	})
}

// Registered is the answer to a registration, the same whoever the friend is:
// whether an e-mail is a customer's cannot be found out with it.
type Registered struct {
	ID     string `json:"id"`
	Code   string `json:"code"`
	Status string `json:"status"`
}

type registration struct {
	referrals.Registration
	signs *loyalty.Signs
}

// parse reads the body of a registration.
func parse(body []byte) (registration, error) {
	in, err := storefront.ParseReferral(body)
	if err != nil {
		return registration{}, err
	}
	return registration{referrals.Registration{Code: in.Code, Customer: &in.Customer, Source: in.Source, Clicked: in.ClickedAt, Staff: in.Staff}, in.Signs}, nil
}

func (h *Handler) get(ctx context.Context, r *web.Request) (web.Answer, error) {
	id, err := r.PathID("id", "rfl_", "referral")
	if err != nil {
		return web.Answer{}, err
	}
	var out web.Answer
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		ref, err := tx.Referral(id)
		if err != nil {
			return err
		}
		out.Body, err = h.showing(tx, r).shape(ref)
		return err
	})
	return out, err
}

// decide lets a person decide about a referral under review.
func (h *Handler) decide(verdict func(*loyalty.Referral) error) web.Handler {
	return func(ctx context.Context, r *web.Request) (web.Answer, error) {
		id, err := r.PathID("id", "rfl_", "referral")
		if err != nil {
			return web.Answer{}, err
		}
		if err := r.Decode(&struct{}{}); err != nil {
			return web.Answer{}, err
		}
		by := referrals.By{Now: h.Gate.Clock(), Seed: h.Gate.Seed()}
		return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
			ref, err := tx.Referral(id)
			if err != nil {
				return web.Answer{}, err
			}
			if err := verdict(ref); err != nil {
				return web.Answer{}, err
			}
			if err := referrals.SettleDue(tx, ref, by); err != nil {
				return web.Answer{}, err
			}
			body, err := h.showing(tx, r).shape(ref)
			return web.Answer{Body: body}, err
		})
	}
}

// list is whom a member referred, newest first.
func (h *Handler) list(ctx context.Context, r *web.Request) (web.Answer, error) {
	limit, err := r.Limit()
	if err != nil {
		return web.Answer{}, err
	}
	member, after, err := place(r)
	if err != nil {
		return web.Answer{}, err
	}
	var page web.Page[Shape]
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		page = web.Page[Shape]{Data: []Shape{}}
		a, err := tx.HolderOf(r.PathValue("id"))
		if err != nil {
			return err
		}
		p, _, err := tx.Profile(a.Member)
		if err != nil {
			return err
		}
		show := h.showing(tx, r, p.Language)
		all := append([]string{a.Member}, p.Merged...) // theirs first, then whom those brought who were merged in
		for i, m := range all {
			if member != "" && m != member {
				continue
			}
			member = ""
			list, next, err := tx.ReferralsOf(m, after, limit-len(page.Data))
			if err != nil {
				return err
			}
			after = ""
			for _, ref := range list {
				s, err := show.shape(ref)
				if err != nil {
					return err
				}
				page.Data = append(page.Data, s)
			}
			if next != "" || len(page.Data) == limit && i+1 < len(all) {
				if page.HasMore = true; next == "" {
					m = all[i+1]
				}
				page.NextCursor = m + "." + next
				break
			}
		}
		return nil
	})
	return web.Answer{Body: page}, err
}

// place is where a list goes on: with which member's friends, after which.
func place(r *web.Request) (member, after string, err error) {
	s := r.URL.Query().Get("cursor")
	if s == "" {
		return "", "", nil
	}
	member, after, ok := strings.Cut(s, ".")
	_, known := loyalty.OwnID("", member)
	_, id := loyalty.OwnID("", after)
	if !ok || !known || after != "" && !id {
		return "", "", loyalty.Malformed("cursor", s, "is not a cursor that this list gave")
	}
	return member, after, nil
}
