// Package local is the whole system in one process: every function behind
// the routes of the topology, the table in a file (or on a DynamoDB
// endpoint), the change stream, the schedules. It is what `make run` starts
// and what the tests drive over HTTP. What is here and not in the cloud is
// under /_local only.
package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"regulars/events/inbound"
	"regulars/functions/changes"
	"regulars/functions/earn"
	"regulars/functions/importer"
	"regulars/functions/imports"
	"regulars/functions/maintain"
	"regulars/functions/members"
	"regulars/functions/program"
	"regulars/functions/redeem"
	"regulars/functions/refer"
	"regulars/functions/reports"
	segments "regulars/functions/segment"
	"regulars/functions/simulations"
	"regulars/functions/totals"
	"regulars/infra/topology"
	"regulars/shared/program/when"
	"regulars/shared/storefront"
	"regulars/shared/table"
	"regulars/shared/table/dynamo/stream"
	"regulars/shared/table/embedded"
	"regulars/shared/web"
)

// Config is what the environment decides.
type Config struct {
	Addr          string // host:port; a host other than loopback needs Remote
	Remote        bool   // others may reach it
	APIKey        string // of scope admin
	WebhookSecret string // of every connection; each is named after its source
	DataDir       string // where the embedded table and the events live
	TableEndpoint string // a DynamoDB endpoint to use instead of the embedded table
	AccessKey     string // for TableEndpoint: letters and digits
}

const (
	// Program is the id of the one program of a local host.
	Program = "local"
	// TableName is the table's name on a DynamoDB endpoint.
	TableName = "regulars"
)

// Host is the running system.
type Host struct {
	Clock *Clock

	store    *table.Store
	maintain *maintain.Handler
	keeper   *refer.Keeper
	importer *importer.Handler
	uploads  *uploads
	life     context.Context // ends with the host, and the work on imports with it
	working  sync.WaitGroup
	outbox   *outbox
	segments *refreshes
	handler  http.Handler
	close    []func() error
}

// Open starts the system without listening.
func Open(ctx context.Context, c Config) (h *Host, err error) {
	h = &Host{Clock: &Clock{}}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, err
	}
	engine, feed, err := Table(ctx, c)
	if err != nil {
		return nil, err
	}
	if file, ok := engine.(io.Closer); ok {
		h.close = append(h.close, file.Close)
	}
	h.store = table.NewStore(engine)
	h.store.Expressions = when.Compiler{}
	h.keeper = &refer.Keeper{Store: h.store, Clock: h.Clock.Now, Seed: rand.Text}
	if h.outbox, err = openOutbox(filepath.Join(c.DataDir, "events.db"), feed, changes.All(h.keeper.Follow, (&totals.Counter{Store: h.store}).Follow)); err != nil {
		return nil, err
	}
	h.close = append(h.close, h.outbox.Close)
	h.maintain = &maintain.Handler{Store: h.store, Clock: h.Clock.Now}
	if h.uploads, err = openUploads(filepath.Join(c.DataDir, "uploads")); err != nil {
		return nil, err
	}
	h.importer = &importer.Handler{Store: h.store, Clock: h.Clock.Now, Files: h.uploads}
	life, end := context.WithCancel(context.Background())
	h.life = life
	h.close = append(h.close, func() error { end(); h.working.Wait(); return nil })
	if err := Setup(ctx, h.store, Deployment{Program: Program, AdminKey: c.APIKey, Connections: ownConnections(), Now: time.Now()}); err != nil {
		return nil, err
	}
	h.handler, err = h.routes(c)
	return h, err
}

// Table opens the table that c names, and its change feed. A table in a file
// is an io.Closer.
func Table(ctx context.Context, c Config) (table.Engine, table.Feed, error) {
	if c.TableEndpoint != "" {
		return stream.Emulator(ctx, c.TableEndpoint, c.AccessKey, TableName)
	}
	e, err := embedded.Open(filepath.Join(c.DataDir, "table.db"))
	if err != nil {
		return nil, nil, fmt.Errorf("open the table in %s: %w", c.DataDir, err)
	}
	return e, e, nil
}

// routes are the API and what steers this host.
func (h *Host) routes(c Config) (http.Handler, error) {
	runs := newRuns(h.store, Dir(c.DataDir))
	h.close = append(h.close, runs.close)
	gate := &web.Gate{Store: h.store, Clock: h.Clock.Now, Timeout: 28 * time.Second, Secrets: localSecrets(c.WebhookSecret)}
	h.segments = newRefreshes(h.store, Dir(c.DataDir), h.Clock.Now, gate.ID)
	h.close = append(h.close, h.segments.close)
	mux, err := API(gate, h.uploads.address, runs, h.segments)
	if err != nil {
		return nil, err
	}
	h.control(mux)
	return h.caughtUp(web.Straight(mux)), errors.Join(runs.resume(), h.segments.resume())
}

// caughtUp lets whoever looks at referrals and reports wait for the stream, which
// brings them to what orders say: here nobody has to look twice.
func (h *Host) caughtUp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && (strings.Contains(r.URL.Path, "/referrals") || strings.HasPrefix(r.URL.Path, "/v1/reports")) {
			if err := h.outbox.Drain(r.Context()); err != nil {
				slog.Error("referrals and reports may be a little old", "error", err)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// API puts every function behind its routes of the topology, and fails when
// the two do not agree. upload makes the addresses for files of imports.
// Without runs, simulations are kept and not run, and so are segment runs
// without refreshes.
func API(gate *web.Gate, upload func(r *http.Request, name string) (imports.Upload, error), runs *runs, refreshes *refreshes) (*http.ServeMux, error) {
	recorded, err := recordedOrders()
	if err != nil {
		return nil, err
	}
	simulated := simulations.Handler{Gate: gate}
	if runs != nil {
		simulated.Files, simulated.Start = runs.dir, runs.start
	}
	refreshed := segments.Handler{Gate: gate}
	if refreshes != nil {
		refreshed.Files, refreshed.Start = refreshes.dir, refreshes.start
	}
	functions := map[string]web.Routes{
		"earn":    (&earn.Handler{Gate: gate, Now: time.Now, Orders: func(table.Connection, string) storefront.OrderAPI { return recorded }}).Routes(),
		"redeem":  (&redeem.Handler{Gate: gate}).Routes(),
		"members": (&members.Handler{Gate: gate}).Routes(),
		"program": (&program.Handler{Gate: gate}).Routes(),
		"refer":   (&refer.Handler{Gate: gate, Home: "/"}).Routes(),
		"reports": (&reports.Handler{Gate: gate}).Routes(),
		"imports": (&imports.Handler{Gate: gate, Upload: upload}).Routes(),

		"simulations": simulated.Routes(),
		"segment":     refreshed.Routes(),
	}
	mux := http.NewServeMux()
	count := 0
	for _, r := range topology.Routes {
		pattern := r.Method + " " + r.Path
		handler := functions[r.Function][pattern]
		if handler == nil {
			return nil, fmt.Errorf("function %s does not answer %s", r.Function, pattern)
		}
		mux.Handle(pattern, handler)
		count++
	}
	mux.Handle("/", functions[topology.Default]["/"])
	total := -1 // the default
	for _, rs := range functions {
		total += len(rs)
	}
	if total != count {
		return nil, fmt.Errorf("the functions answer %d routes, the topology has %d", total, count)
	}
	return mux, nil
}

// ServeHTTP answers as the API does.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.handler.ServeHTTP(w, r) }

// Close ends it; what was acknowledged is on disk already.
func (h *Host) Close() error {
	var all error
	for i := len(h.close) - 1; i >= 0; i-- {
		all = errors.Join(all, h.close[i]())
	}
	return all
}

// Run serves until ctx ends, and runs the stream and the schedules beside.
func (h *Host) Run(ctx context.Context, c Config, ready func(url string)) error {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); !c.Remote && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is not a loopback address: this host has one well-known key; set ALLOW_REMOTE=yes if others may reach it", host)
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10}
	go h.background(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		wait, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(wait); err != nil {
			slog.Error("not all requests ended in time", "error", err)
		}
	}()
	if ready != nil {
		ready("http://" + l.Addr().String())
	}
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped // Serve returns at once; the requests that have begun need the table a little longer
	return nil
}

// background drains the stream and runs the schedules while ctx lasts.
func (h *Host) background(ctx context.Context) {
	if err := h.resume(); err != nil {
		slog.Error("imports not resumed", "error", err)
	}
	for _, s := range topology.Schedules {
		go every(ctx, s.Every, func() {
			if _, err := h.schedule(ctx, s); err != nil {
				slog.Error("schedule failed", "schedule", s.Name, "error", err)
			}
		})
	}
	every(ctx, time.Second, func() {
		if err := h.outbox.Drain(ctx); err != nil && ctx.Err() == nil {
			slog.Error("events not announced yet", "error", err)
		}
	})
}

// schedule runs one schedule and answers its report.
func (h *Host) schedule(ctx context.Context, s topology.Schedule) (report any, err error) {
	if s.Function == "importer" {
		return h.importer.Run(ctx, importer.Event{Schedule: s.Name})
	}
	if s.Function == "refresh" {
		return h.segments.schedule(ctx)
	}
	if s.Function == "qualify" {
		if err := h.outbox.Drain(ctx); err != nil { // what has happened before the run counts in it
			return nil, err
		}
		return h.keeper.Run(ctx, refer.Event{Schedule: s.Name})
	}
	return h.maintain.Run(ctx, maintain.Event{Schedule: s.Name})
}

func every(ctx context.Context, d time.Duration, do func()) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			do()
		case <-ctx.Done():
			return
		}
	}
}

// recordedOrders answers for BigCommerce's API with a recorded store: its
// webhooks only name an order, and there is no store to ask here.
func recordedOrders() (storefront.StubOrderAPI, error) {
	stub := storefront.StubOrderAPI{}
	for path, file := range map[string]string{"/v2/orders/118": "bigcommerce_order_118.json", "/v2/orders/118/products": "bigcommerce_order_118_products.json"} {
		body, err := inbound.Files.ReadFile(file)
		if err != nil {
			return nil, err
		}
		stub[path] = body
	}
	return stub, nil
}
