package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"regulars/shared/table"
	"regulars/shared/table/embedded"
	"regulars/shared/web"
)

// door is a table behind gates. It lives in a bubble of package synctest, so
// that what is remembered for a while is forgotten without waiting.
type door struct {
	t     testing.TB
	store *table.Store
	keys  []string // of member tokens
}

// member is who stands at the door.
const member = "01TESTMEMBER"

func bubble(t *testing.T, test func(t *testing.T, d *door)) {
	synctest.Test(t, func(t *testing.T) { test(t, newDoor(t)) })
}

func newDoor(t testing.TB) *door {
	t.Helper()
	engine, err := embedded.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	d := &door{t, table.NewStore(engine), []string{"the first key of member tokens, long enough"}}
	for _, program := range []string{"main", "other"} {
		for _, id := range []string{member, "01ANOTHER"} {
			d.update(program, func(tx *table.Tx) error { return tx.Enrol(&table.Profile{Member: id, CreatedAt: 1}) })
		}
	}
	return d
}

func (d *door) update(program string, decide func(*table.Tx) error) {
	d.t.Helper()
	if err := d.store.Update(context.Background(), program, decide); err != nil {
		d.t.Fatal(err)
	}
}

// gate is one process.
func (d *door) gate() *web.Gate {
	return &web.Gate{
		Store: d.store, Clock: time.Now, Timeout: time.Minute,
		Secrets: func(context.Context) (web.Secrets, error) { return web.Secrets{TokenKeys: d.keys}, nil },
	}
}

// ask sends a request for a member as a process would get it, and answers the
// status and, with 200, who was let in.
func ask(g *web.Gate, id, authorization string, scopes ...web.Scope) (int, web.Caller) {
	var in web.Caller
	mux := http.NewServeMux()
	mux.Handle("GET /v1/members/{id}", g.Handle(func(_ context.Context, r *web.Request) (web.Answer, error) {
		in = r.Caller
		return web.Answer{}, nil
	}, scopes...))
	r := httptest.NewRequest("GET", "/v1/members/"+id, nil)
	r.Header.Set("Authorization", authorization)
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK && (in != web.Caller{} || !json.Valid(rec.Body.Bytes())) {
		panic("a refused request reached its handler: " + rec.Body.String())
	}
	return rec.Code, in
}

func (d *door) asked(want int, g *web.Gate, token, what string) {
	d.t.Helper()
	if got, _ := ask(g, "mem_"+member, "Bearer "+token, web.Server, web.Member); got != want {
		d.t.Errorf("%s: %d, want %d", what, got, want)
	}
}

func (d *door) key(key string, k table.APIKey) {
	d.t.Helper()
	k.Program = "main"
	if err := d.store.PutAPIKey(context.Background(), web.HashKey(key), k); err != nil {
		d.t.Fatal(err)
	}
}

func TestKeysEndByTheClockAndByRevocation(t *testing.T) {
	bubble(t, func(t *testing.T, d *door) {
		g := d.gate()
		d.key("sk_ends", table.APIKey{Scope: "server", Until: time.Now().Add(time.Hour).Unix()})
		d.key("sk_revoked", table.APIKey{Scope: "server"})
		d.asked(200, g, "sk_ends", "before its end")
		d.asked(200, g, "sk_revoked", "before the revocation")
		d.asked(401, g, "sk_unknown", "a key that nobody made")

		d.key("sk_revoked", table.APIKey{Scope: "server", Revoked: time.Now().Unix()})
		d.key("sk_unknown", table.APIKey{Scope: "server"})
		d.asked(401, d.gate(), "sk_revoked", "a process that never saw it")
		d.asked(200, g, "sk_unknown", "a key that was made after it was asked for")
		time.Sleep(30 * time.Second)
		d.asked(401, g, "sk_revoked", "30 seconds after the revocation")

		time.Sleep(time.Hour - 31*time.Second)
		d.asked(200, g, "sk_ends", "a second before its end")
		time.Sleep(time.Second)
		d.asked(401, g, "sk_ends", "at its end")
	})
}

func TestScopesAreInclusiveForAdminsOnly(t *testing.T) {
	bubble(t, func(t *testing.T, d *door) {
		d.key("sk_server", table.APIKey{Scope: "server"})
		d.key("sk_admin", table.APIKey{Scope: "admin"})
		d.key("sk_strange", table.APIKey{Scope: "root"})
		for _, c := range []struct {
			key    string
			scopes []web.Scope
			want   int
		}{
			{"sk_server", []web.Scope{web.Server}, 200},
			{"sk_admin", []web.Scope{web.Server}, 200},
			{"sk_admin", []web.Scope{web.Admin}, 200},
			{"sk_server", []web.Scope{web.Admin}, 403},
			{"sk_admin", []web.Scope{web.Member}, 403},
			{"sk_strange", []web.Scope{web.Server, web.Member, web.Admin}, 403},
		} {
			if got, _ := ask(d.gate(), "mem_"+member, "Bearer "+c.key, c.scopes...); got != c.want {
				t.Errorf("%s of %v: %d, want %d", c.key, c.scopes, got, c.want)
			}
		}
	})
}

// What is of no member is open to every member of its program, and only there.
func TestMembersReadWhatIsOfNoMember(t *testing.T) {
	bubble(t, func(t *testing.T, d *door) {
		g := d.gate()
		token := d.token(g, "main", member)
		if got, in := ask(g, "mem_OTHER", "Bearer "+token, web.Server, web.Members); got != 200 || in.Self != "mem_"+member || in.Scope != web.Member {
			t.Errorf("%d, as %+v", got, in)
		}
		if got, _ := ask(g, "mem_OTHER", "Bearer "+token, web.Server, web.Member); got != 404 {
			t.Errorf("another member's own: %d", got)
		}
		if got, _ := ask(g, "mem_"+member, "Bearer "+token, web.Server); got != 403 {
			t.Errorf("a server's: %d", got)
		}
		d.key("sk_server", table.APIKey{Scope: "server"})
		if got, _ := ask(g, "mem_"+member, "Bearer sk_server", web.Members); got != 403 {
			t.Errorf("a server where members are asked for: %d", got)
		}
	})
}

// A page can neither run nor load anything; what is no page has no such words.
func TestPagesRunNothing(t *testing.T) {
	for _, c := range []struct {
		body   any
		kind   string
		policy bool
	}{{web.HTML("<p>hi"), "text/html; charset=utf-8", true}, {map[string]int{}, "application/json", false}} {
		rec := httptest.NewRecorder()
		h := func(context.Context, *web.Request) (web.Answer, error) { return web.Answer{Body: c.body}, nil }
		(&web.Gate{Timeout: time.Minute}).Handle(h).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
		policy := rec.Header().Get("Content-Security-Policy")
		if rec.Header().Get("Content-Type") != c.kind || rec.Header().Get("X-Content-Type-Options") != "nosniff" || (policy != "") != c.policy {
			t.Errorf("%v", rec.Header())
		}
		if c.policy && (!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script")) {
			t.Errorf("the policy is %s", policy)
		}
	}
}

// What goes wrong inside is told by a request id and by nothing else.
func TestWhatIsInsideStaysInside(t *testing.T) {
	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	defer slog.SetDefault(before)
	for what, h := range map[string]web.Handler{
		"a panic":   func(context.Context, *web.Request) (web.Answer, error) { panic("secret") },
		"an error":  func(context.Context, *web.Request) (web.Answer, error) { return web.Answer{}, errors.New("secret") },
		"an answer": func(context.Context, *web.Request) (web.Answer, error) { return web.Answer{Body: func() {}}, nil },
		"a timeout": func(context.Context, *web.Request) (web.Answer, error) {
			return web.Answer{}, fmt.Errorf("secret: %w", context.DeadlineExceeded)
		},
	} {
		rec := httptest.NewRecorder()
		(&web.Gate{Timeout: time.Minute}).Handle(h).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
		var p web.Problem
		if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || p.RequestID == "" || p.Status != rec.Code || len(p.Details) > 0 {
			t.Errorf("%s: %s (%v)", what, rec.Body, err)
		}
		want := map[bool]int{true: 503, false: 500}[what == "a timeout"]
		if rec.Code != want || strings.Contains(rec.Body.String(), "secret") || strings.Contains(rec.Body.String(), "func") {
			t.Errorf("%s: %d %s", what, rec.Code, rec.Body)
		}
	}
}
