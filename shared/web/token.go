package web

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// signers are the keys of member tokens, the one that signs first.
// Keys that anyone could guess do not sign.
func (s Secrets) signers() []string {
	var keys []string
	for _, k := range append(slices.Clone(s.TokenKeys), s.TokenKey) {
		if len(k) >= minTokenKey {
			keys = append(keys, k)
		}
	}
	return keys
}

// minTokenKey is the least length of a key of member tokens, in bytes: that of
// an HS256 signature (RFC 7518, section 3.2).
const minTokenKey = 32

// tokenLife is how long a member token is valid.
const tokenLife = 15 * time.Minute

type claims struct {
	Program string `json:"prg"`
	Under   string `json:"gen"` // see under
	jwt.RegisteredClaims
}

// audience keeps our tokens from serving anywhere else.
const audience = "regulars-member"

// under is what a token was issued under: who held the member's points, and
// that holder's generation. It is not a time, so no clock decides whether a
// token came before a revocation. A merge changes the holder, which ends the
// tokens of who was merged away: they were given to somebody who may be
// another person than the one whose data they would now show.
func under(holder string, t table.Tokens) string { return holder + "." + t.Generation }

// MemberToken makes a token with which a member reads its own data. Refused
// for an erased member, behind whom nobody is.
func (g *Gate) MemberToken(ctx context.Context, tx *table.Tx, program, member string) (token string, until time.Time, err error) {
	s, err := g.Secrets(ctx)
	if err != nil {
		return "", until, err
	}
	keys := s.signers()
	if len(keys) == 0 {
		return "", until, errors.New("the deployment's secret has no key for member tokens")
	}
	a, err := tx.HolderOf(member)
	if err != nil {
		return "", until, err
	}
	t, err := tx.Tokens(a.Member)
	if err != nil {
		return "", until, err
	}
	if t.Closed {
		return "", until, loyalty.Refuse("member_erased", "the member was erased: nobody is there to read")
	}
	now := g.Clock()
	until = now.Add(tokenLife)
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims{program, under(a.Member, t), jwt.RegisteredClaims{
		Subject: member, Audience: jwt.ClaimStrings{audience},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(until),
	}}).SignedString([]byte(keys[0]))
	return token, until, err
}

// member finds out whose a member token is.
func (g *Gate) member(ctx context.Context, token string) (Caller, error) {
	s, err := g.Secrets(ctx)
	if err != nil {
		return Caller{}, err
	}
	for _, key := range s.signers() {
		var c claims
		_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return []byte(key), nil },
			jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithAudience(audience), jwt.WithExpirationRequired(), jwt.WithTimeFunc(g.Clock))
		if err != nil || c.Program == "" || c.Subject == "" {
			continue
		}
		if ok, err := g.stands(ctx, c); !ok || err != nil {
			if err != nil {
				return Caller{}, err
			}
			break // revoked
		}
		return Caller{Program: c.Program, Scope: Member, Self: c.Subject}, nil
	}
	return Caller{}, unauthorized("the token is not valid, or no longer")
}

// stands tells whether a signed token was issued under what holds now. One
// that seems revoked is looked up again: it may be newer than what is
// remembered here.
func (g *Gate) stands(ctx context.Context, c claims) (bool, error) {
	for range 2 {
		good, err := g.standing(ctx, c.Program, c.Subject)
		if err != nil || good != nil && *good == c.Under {
			return err == nil, err
		}
		g.tokens.known.Delete(standingName(c.Program, c.Subject))
	}
	return false, nil
}

func standingName(program, member string) string { return program + "#" + member }

// standing is what a member's tokens must have been issued under; nil when
// none is good: the member is not known, or erased.
func (g *Gate) standing(ctx context.Context, program, member string) (*string, error) {
	return g.tokens.remembered(standingName(program, member), func() (good *string, err error) {
		err = g.Store.View(ctx, program, func(tx *table.Tx) error {
			a, err := tx.HolderOf(member)
			if err != nil {
				return err
			}
			t, err := tx.Tokens(a.Member)
			if err == nil && !t.Closed {
				u := under(a.Member, t)
				good = &u
			}
			return err
		})
		var none *loyalty.Error
		if errors.As(err, &none) && none.Kind == loyalty.Missing {
			err = nil
		}
		return good, err
	})
}

// ForgetTokens has every member's standing read again: what this process has
// just revoked is refused at once here, and elsewhere when cacheLife is over.
func (g *Gate) ForgetTokens() { g.tokens.forget() }

// tokens remembers what members' tokens must have been issued under. There
// may be a million members, so it is emptied before it grows large.
type tokens struct {
	known sync.Map // program#member -> cached[*string]
	count atomic.Int64
}

const mostStandings = 10_000

func (t *tokens) remembered(name string, read func() (*string, error)) (*string, error) {
	return remembered(&t.known, name, func() (*string, error) {
		if t.count.Add(1) > mostStandings {
			t.forget()
		}
		return read()
	})
}

func (t *tokens) forget() {
	t.known.Clear()
	t.count.Store(0)
}
