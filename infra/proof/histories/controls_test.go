package histories

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"regulars/infra/local"
)

// What a checker that proves something must find: hosts that are wrong.
var wrongs = map[string]func(host http.Handler) http.Handler{
	"a read is answered from a cache": func(host http.Handler) http.Handler {
		var cache sync.Map
		var n atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != "GET" || strings.Count(r.URL.Path, "/") != 3 {
				host.ServeHTTP(w, r)
				return
			}
			if old, ok := cache.Load(r.URL.Path); ok && n.Add(1)%4 == 0 {
				w.Write(old.([]byte))
				return
			}
			got := record(host, r)
			if got.Code == http.StatusOK {
				cache.Store(r.URL.Path, got.Body.Bytes())
			}
			pass(w, got)
		})
	},
	"a hold is acknowledged and not made": func(host http.Handler) http.Handler {
		var n atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v1/holds" || n.Add(1)%10 != 0 {
				host.ServeHTTP(w, r)
				return
			}
			var q struct {
				Member string
				Points int64
			}
			json.NewDecoder(r.Body).Decode(&q)
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id": "hld_LOST%d", "status": "held", "member": %q, "points": %d, "value": {"amount": %d}, "restored": 0}`, n.Load(), q.Member, q.Points, 5*q.Points)
		})
	},
	"points are spent and stay": func(host http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got := record(host, r)
			if r.URL.Path == "/v1/redemptions" && got.Code == http.StatusCreated {
				var red struct{ ID string }
				json.Unmarshal(got.Body.Bytes(), &red)
				undo := httptest.NewRequest("POST", "/v1/redemptions/"+red.ID+"/cancel", http.NoBody)
				undo.Header.Set("Authorization", "Bearer "+apiKey)
				record(host, undo)
			}
			pass(w, got)
		})
	},
	"an adjustment is made twice": func(host http.Handler) http.Handler {
		var n atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/adjustments") && r.Header.Get("Idempotency-Key") == "" && n.Add(1)%5 == 0 {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				record(host, r)
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
			host.ServeHTTP(w, r)
		})
	},
	"idempotency keys are forgotten": func(host http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Idempotency-Key")
			host.ServeHTTP(w, r)
		})
	},
	"a release is acknowledged before it is made": func(host http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hold, ok := strings.CutSuffix(r.URL.Path, "/release")
			if !ok {
				host.ServeHTTP(w, r)
				return
			}
			look := httptest.NewRequest("GET", hold, http.NoBody)
			look.Header.Set("Authorization", "Bearer "+apiKey)
			got := record(host, look)
			if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"held"`) {
				host.ServeHTTP(w, r)
				return
			}
			w.Write(bytes.Replace(got.Body.Bytes(), []byte(`"held"`), []byte(`"released"`), 1))
			later := httptest.NewRequest("POST", r.URL.Path, http.NoBody)
			later.Header.Set("Authorization", "Bearer "+apiKey)
			time.AfterFunc(20*time.Millisecond, func() { record(host, later) })
		})
	},
}

func record(host http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	host.ServeHTTP(w, r)
	return w
}

func pass(w http.ResponseWriter, got *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), got.Header())
	w.WriteHeader(got.Code)
	w.Write(got.Body.Bytes())
}

// collect is the histories of a short run.
func collect(t *testing.T, url string, ops int) (histories [][]porcupine.Operation) {
	t.Helper()
	var mu sync.Mutex
	p := plan{url: url, ops: ops, clients: 8, groups: 2, each: 100, seed: *seed}
	if _, err := p.run(t.Context(), func(g *group) {
		mu.Lock()
		defer mu.Unlock()
		histories = append(histories, g.history)
	}); err != nil {
		t.Fatal(err)
	}
	return histories
}

func TestWrongHostsAreFound(t *testing.T) {
	for what, wrong := range wrongs {
		t.Run(what, func(t *testing.T) {
			dir := artefacts(t)
			for _, h := range collect(t, open(t, local.Config{}, wrong), 500) {
				if why := check(h, dir, patience); strings.Contains(why, "is not linearizable") {
					t.Log(why)
					return
				}
			}
			t.Errorf("-seed %d: no history shows it", *seed)
		})
	}
}

// beyond is more points than there are at any moment: what is wrong by a few, or tells of another member,
// may be right a moment earlier or later, beside a request under way.
const beyond = 1 << 40

var changes = []func(*answer){
	func(a *answer) { a.Available += beyond },
	func(a *answer) { a.Held += beyond },
	func(a *answer) { a.Points += beyond },
	func(a *answer) { a.Balance -= beyond },
	func(a *answer) { a.State += "?" },
	func(a *answer) { a.Status++ },
	func(a *answer) { a.Member += 100 },
}

// A good history of which one answer was changed is a bad one.
func TestChangedAnswersAreFound(t *testing.T) {
	dir := artefacts(t)
	var good []porcupine.Operation
	for _, h := range collect(t, open(t, local.Config{}, straight), 100) {
		good = append(good, h...)
	}
	if why := check(good, dir, patience); why != "" {
		t.Fatalf("-seed %d: %s", *seed, why)
	}
	changed := 0
	for i, op := range good {
		out := op.Output.(outcome)
		if out.Lost {
			continue
		}
		bad := slices.Clone(good)
		changes[i%len(changes)](&out.answer)
		bad[i].Output = out
		if judge(bad, patience) != porcupine.Illegal {
			t.Errorf("-seed %d: it was not found that this was changed: %s", *seed, inWords(bad[i]))
		}
		changed++
	}
	t.Logf("%d changes of %d answers found", changed, len(good))
}

// What the checker cannot decide in time is a failure.
func TestNoVerdictIsAFailure(t *testing.T) {
	// A read that no subset of 30 lost adjustments explains: all would have to be tried.
	hard := []porcupine.Operation{{Input: request{Kind: readMember}, Call: 1, Return: 2, Output: outcome{answer: answer{Status: 200, Member: 1, Available: 1 << 40}}}}
	for i := range 30 {
		hard = append(hard, porcupine.Operation{Input: request{Kind: adjust, Points: 1 << i}, Return: math.MaxInt64, Output: outcome{Lost: true}})
	}
	if why := check(hard, artefacts(t), 20*time.Millisecond); !strings.HasPrefix(why, "no verdict") {
		t.Errorf("%q", why)
	}
}
