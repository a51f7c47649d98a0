package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Scope is what a caller may do.
type Scope string

// The scopes: a member reads itself only; an admin may do what a server may.
const (
	Member Scope = "member"
	Server Scope = "server"
	Admin  Scope = "admin"
)

// Members lets in any member of the program: for routes to what is of no
// member. A caller's own scope is never this.
const Members Scope = "members"

// Caller is who sent a request.
type Caller struct {
	Program string
	Scope   Scope
	Self    string // the member, for scope Member
}

// Gate is what every function's handlers stand behind.
type Gate struct {
	Store   *table.Store
	Clock   func() time.Time                       // business time
	Secrets func(context.Context) (Secrets, error) // the deployment's secrets, fresh enough for a rotation
	Timeout time.Duration                          // what a request may take
	NewID   func() string                          // makes the part of an id behind its prefix; nil: a ULID

	keys        sync.Map // hash of an API key -> cached[*table.APIKey]
	connections sync.Map // id of a connection -> cached[*table.Connection]
	owned       sync.Map // name of a source -> cached[*bool]: a connection has it
	tokens      tokens
}

// ID is a new, unique, sortable id, without prefix.
func (g *Gate) ID() string {
	if g.NewID != nil {
		return g.NewID()
	}
	return ulid.Make().String()
}

// Seed is a new secret that nobody can guess.
func (g *Gate) Seed() string {
	if g.NewID != nil {
		return g.NewID()
	}
	return rand.Text()
}

// Secrets are the deployment's secrets, newest first where there are several.
type Secrets struct {
	TokenKey    string              `json:"token_key"`   // signs member tokens after TokenKeys: the deployment made it
	TokenKeys   []string            `json:"token_keys"`  // sign member tokens
	Connections map[string][]string `json:"connections"` // connection id -> webhook secrets
	APITokens   map[string]string   `json:"api_tokens"`  // connection id -> token for the storefront's API
}

// Handle makes h answer requests of callers that have one of the scopes (an
// admin has server's rights too). With no scope it answers anyone.
func (g *Gate) Handle(h Handler, scopes ...Scope) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		ctx, cancel := context.WithTimeout(hr.Context(), g.Timeout)
		defer cancel()
		r := &Request{Request: hr, ID: requestID(hr)}
		answer, err := g.guarded(ctx, r, h, scopes)
		if err != nil {
			answer = problem(ctx, r.ID, err)
		}
		answer.send(w)
	})
}

// guarded turns a panic into an error: one request must not end the process
// for those beside it, nor leave its own without an answer.
func (g *Gate) guarded(ctx context.Context, r *Request, h Handler, scopes []Scope) (out reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return g.answer(ctx, r, h, scopes)
}

func (g *Gate) answer(ctx context.Context, r *Request, h Handler, scopes []Scope) (reply, error) {
	var err error
	if len(scopes) > 0 {
		if r.Caller, err = g.caller(ctx, r.Request, scopes); err != nil {
			return reply{}, err
		}
	}
	if r.Body, err = body(r.Request); err != nil {
		return reply{}, err
	}
	a, err := h(ctx, r)
	switch {
	case err != nil:
		return reply{}, err
	case r.given != nil:
		return *r.given, nil
	}
	return a.reply()
}

// caller finds out who asks.
func (g *Gate) caller(ctx context.Context, r *http.Request, scopes []Scope) (Caller, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" || len(token) > 2000 {
		return Caller{}, unauthorized("send an API key as Authorization: Bearer <key>")
	}
	var c Caller
	var err error
	if strings.Count(token, ".") == 2 {
		c, err = g.member(ctx, token)
	} else {
		c, err = g.key(ctx, token)
	}
	if err != nil {
		return Caller{}, err
	}
	for _, s := range scopes {
		if c.Scope == s || c.Scope == Admin && s == Server || c.Scope == Member && s == Members {
			if s == Member && r.PathValue("id") != c.Self { // nobody learns whether another member exists
				return Caller{}, loyalty.NotFound("member")
			}
			return c, nil
		}
	}
	return Caller{}, &loyalty.Error{Kind: loyalty.Forbidden, Code: "forbidden", Detail: "this key may not do that"}
}

// cached is what was read of a thing that rarely changes, and when.
type cached[T any] struct {
	what T
	read time.Time
}

// cacheLife is how long a key, a connection or a member's standing is believed
// without looking again: what a revocation takes to reach every function.
const cacheLife = 30 * time.Second

// remembered reads through a cache. What was not found (nil) is not
// remembered: anyone can make up any number of names.
func remembered[T any](cache *sync.Map, name string, read func() (*T, error)) (*T, error) {
	if c, ok := cache.Load(name); ok && time.Since(c.(cached[*T]).read) < cacheLife {
		return c.(cached[*T]).what, nil
	}
	v, err := read()
	if err == nil && v != nil {
		cache.Store(name, cached[*T]{v, time.Now()})
	}
	return v, err
}

// Owned tells whether a source of orders is that of a connection. The names
// that are asked for come from verified deliveries, so both answers are
// remembered.
func (g *Gate) Owned(ctx context.Context, source string) (bool, error) {
	owned, err := remembered(&g.owned, source, func() (*bool, error) {
		_, err := g.Store.Connection(ctx, source)
		var none *loyalty.Error
		found := err == nil
		if errors.As(err, &none) && none.Kind == loyalty.Missing {
			err = nil
		}
		return &found, err
	})
	return err == nil && *owned, err
}

// Connection reads a webhook connection. Missing when there is none.
func (g *Gate) Connection(ctx context.Context, id string) (*table.Connection, error) {
	return remembered(&g.connections, id, func() (*table.Connection, error) { return g.Store.Connection(ctx, id) })
}

func (g *Gate) key(ctx context.Context, token string) (Caller, error) {
	hash := HashKey(token)
	k, err := remembered(&g.keys, hash, func() (*table.APIKey, error) { return g.Store.APIKey(ctx, hash) })
	if err != nil {
		return Caller{}, err
	}
	if k == nil {
		return Caller{}, unauthorized("the API key is not known")
	}
	now := g.Clock().Unix()
	if k.Revoked != 0 || k.Until != 0 && k.Until <= now {
		return Caller{}, unauthorized("the API key is no longer valid")
	}
	return Caller{Program: k.Program, Scope: Scope(k.Scope)}, nil
}

// HashKey is under what an API key is stored.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func unauthorized(detail string) error {
	return &loyalty.Error{Kind: loyalty.Unauthorized, Code: "unauthorized", Detail: detail}
}
