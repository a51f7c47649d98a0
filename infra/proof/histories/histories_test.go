package histories

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"regulars/infra/local"
	"regulars/shared/table/tabletest"
)

var (
	ops  = flag.Int("ops", 10_000, "operations on both engines together")
	seed = flag.Uint64("seed", rand.Uint64(), "of the choice of operations")
)

var tables atomic.Int64 // each test has a database of its own

// open is a host of its own behind a listener; between may stand in front.
func open(t *testing.T, c local.Config, between func(http.Handler) http.Handler) (url string) {
	t.Helper()
	c.APIKey, c.WebhookSecret, c.DataDir = apiKey, "whsec-test", t.TempDir()
	h, err := local.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(noting(between(h)))
	t.Cleanup(func() {
		client.CloseIdleConnections()
		srv.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv.URL
}

// taken are the numbers of the requests that the host of the running test
// ended well, whether or not their client was still there.
var taken sync.Map

func noting(h http.Handler) http.Handler {
	taken.Clear()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := &statusWriter{ResponseWriter: w}
		h.ServeHTTP(status, r)
		if status.code < http.StatusInternalServerError {
			taken.Store(r.Header.Get(numbered), true)
		}
	})
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

func took(number string) bool {
	_, ok := taken.Load(number)
	return ok
}

func straight(h http.Handler) http.Handler { return h }

// engines runs a test on a fresh host of each engine.
func engines(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("embedded", func(t *testing.T) { test(t, open(t, local.Config{}, straight)) })
	t.Run("dynamodb", func(t *testing.T) {
		endpoint, access := tabletest.DynamoDBLocal(t)
		test(t, open(t, local.Config{TableEndpoint: endpoint, AccessKey: fmt.Sprintf("%sh%d", access, tables.Add(1))}, straight))
	})
}

// artefacts is a folder that outlives a test that fails: for its drawings,
// and for what the host logs meanwhile.
func artefacts(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "histories-")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "host.log"))
	if err != nil {
		t.Fatal(err)
	}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.Close()
		if t.Failed() {
			t.Logf("the host's log and the drawings are in %s", dir)
		} else {
			os.RemoveAll(dir)
		}
	})
	return dir
}

// Three quarters of the operations go to the embedded engine: DynamoDB Local
// does a fifth as many in a second.
func TestHistoriesAreLinearizable(t *testing.T) {
	t.Logf("-seed %d", *seed)
	engines(t, func(t *testing.T, url string) {
		share := *ops * 3 / 4
		if strings.HasSuffix(t.Name(), "dynamodb") {
			share = *ops - share
		}
		dir, start := artefacts(t), time.Now()
		var mu sync.Mutex
		var checked int
		var thinking time.Duration
		next := 1
		p := plan{url: url, ops: share, clients: 12, groups: 3, each: 100, cut: 0.04, seed: *seed, took: took}
		done, err := p.run(t.Context(), func(g *group) {
			began := time.Now()
			why := check(g.history, dir, patience)
			mu.Lock()
			defer mu.Unlock()
			checked += len(g.history)
			thinking += time.Since(began)
			if why != "" {
				t.Error(why)
			}
			for _, f := range g.faults {
				t.Error(f)
			}
			if n := 10 * checked / p.ops; n >= next && testing.Verbose() {
				next = n + 1
				fmt.Printf("  %s: %d operations sent and checked in %v\n", t.Name(), checked, time.Since(start).Round(time.Second))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if done.ops < p.ops || done.groups < p.ops/p.each {
			t.Errorf("not all was sent: %v", done)
		}
		t.Logf("%d clients, %v: %v, of which the checker thought %v", p.clients, time.Since(start).Round(time.Millisecond), done, thinking.Round(time.Millisecond))
	})
}
