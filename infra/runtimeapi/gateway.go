package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"regulars/infra/topology"
)

// Gateway plays API Gateway and Lambda in front of a Deployment: it hands each
// request to the function that the topology routes it to, as an event of an
// HTTP API, each file that comes to the function that reads files, and starts
// one more process when all of a function are busy.
type Gateway struct {
	mux       http.ServeMux
	functions map[string]*fleet
	files     sync.WaitGroup // that are being read
}

// together is how many processes of one function run at once.
const together = 10

// NewGateway fronts a deployment with the binaries of the functions that have
// routes or read files, by name. What they log goes to log, from many at once.
func NewGateway(d *Deployment, binaries map[string]string, log io.Writer) (*Gateway, error) {
	g := &Gateway{functions: map[string]*fleet{}}
	of := func(function string) (*fleet, error) {
		if binaries[function] == "" {
			return nil, fmt.Errorf("there is no binary of %s", function)
		}
		f := g.functions[function]
		if f == nil {
			f = &fleet{start: func(ctx context.Context) (*Process, error) { return Run(ctx, binaries[function], d.Env(function), log) }, room: make(chan struct{}, together)}
			g.functions[function] = f
		}
		return f, nil
	}
	for _, r := range topology.Routes {
		f, err := of(r.Function)
		if err != nil {
			return nil, err
		}
		g.mux.HandleFunc(r.Method+" "+r.Path, f.serve)
	}
	f, err := of(topology.Default)
	if err != nil {
		return nil, err
	}
	g.mux.HandleFunc("/", f.serve)
	for _, reader := range topology.Functions {
		if !reader.Arrivals {
			continue
		}
		f, err := of(reader.Name)
		if err != nil {
			return nil, err
		}
		d.Cloud.came = func(key string) {
			g.files.Go(func() {
				if _, err := f.hand(context.Background(), []byte(fmt.Sprintf(`{"file":%q}`, key))); err != nil {
					fmt.Fprintln(log, err)
				}
			})
		}
	}
	return g, nil
}

// ServeHTTP answers as the deployed API would.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

// Close ends all processes. No request may be under way.
func (g *Gateway) Close() error {
	g.files.Wait()
	var all error
	for _, f := range g.functions {
		for _, p := range f.idle {
			all = errors.Join(all, p.Close())
		}
		f.idle = nil
	}
	return all
}

// fleet is the processes of one function.
type fleet struct {
	start func(context.Context) (*Process, error)
	room  chan struct{}
	mu    sync.Mutex
	idle  []*Process
}

// one is a process that is not busy.
func (f *fleet) one(ctx context.Context) (*Process, error) {
	f.mu.Lock()
	if n := len(f.idle); n > 0 {
		p := f.idle[n-1]
		f.idle = f.idle[:n-1]
		f.mu.Unlock()
		return p, nil
	}
	f.mu.Unlock()
	return f.start(ctx)
}

func (f *fleet) serve(w http.ResponseWriter, r *http.Request) {
	f.room <- struct{}{}
	defer func() { <-f.room }()
	a, err := f.invoke(r)
	if err != nil { // as API Gateway says it
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, `{"message":"Internal Server Error"}`)
		return
	}
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.Status)
	w.Write(a.Body)
}

// invoke hands one request over.
func (f *fleet) invoke(r *http.Request) (Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Response{}, err
	}
	in := Request{Method: r.Method, Path: r.URL.RequestURI(), Header: map[string]string{}, Body: body, Base64: !asText(r.Header.Get("Content-Type"))}
	for name, values := range r.Header {
		in.Header[name] = strings.Join(values, ",")
	}
	a, err := f.hand(context.WithoutCancel(r.Context()), in.Event()) // Lambda does not stop when the caller has gone
	if err != nil {
		return Response{}, err
	}
	return a.Response()
}

// hand hands one event over. A process that fails is not used again.
func (f *fleet) hand(ctx context.Context, event []byte) (Answer, error) {
	p, err := f.one(ctx)
	if err != nil {
		return Answer{}, err
	}
	a, err := p.Invoke(ctx, event)
	if err != nil {
		return Answer{}, errors.Join(err, p.Close())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, p)
	return a, nil
}

// asText tells whether an HTTP API hands a body over as it is; any other it
// encodes.
func asText(kind string) bool {
	kind, _, _ = mime.ParseMediaType(kind)
	switch kind {
	case "", "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}
