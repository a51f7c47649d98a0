package runtimeapi

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"regulars/infra/topology"
	"regulars/shared/table/tabletest"
)

const (
	key    = "sk_smoke"
	secret = "whsec-smoke"
)

var bin string // folder of the binaries

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "regulars-bin"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(bin)
	os.Exit(code)
}

var built struct {
	sync.Mutex
	paths map[string]string
}

// binary is a function's, built for this machine as the one that ships is.
func binary(t *testing.T, function string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if built.paths[function] == "" {
		path, err := Build(t.Context(), bin, function, runtime.GOARCH)
		if err != nil {
			t.Fatal(err)
		}
		if built.paths == nil {
			built.paths = map[string]string{}
		}
		built.paths[function] = path
	}
	return built.paths[function]
}

// deployment is a table of its own with the functions around it.
type deployment struct {
	*Deployment
	t       *testing.T
	running map[string]*Process
}

func deploy(t *testing.T) *deployment {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: the binaries that ship were not run: it takes a while")
	}
	endpoint, accessKey := tabletest.DynamoDBLocal(t)
	d, err := Deploy(t.Context(), endpoint, accessKey, key, secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return &deployment{d, t, map[string]*Process{}}
}

// function is the running function of a name, started when first asked for.
func (d *deployment) function(name string) *Process {
	d.t.Helper()
	if p := d.running[name]; p != nil {
		return p
	}
	p, err := Run(d.t.Context(), binary(d.t, name), d.Env(name), d.t.Output())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { p.Close() })
	d.running[name] = p
	return p
}

// invoke hands an event to a function.
func (d *deployment) invoke(name string, event []byte) Answer {
	d.t.Helper()
	a, err := d.function(name).Invoke(d.t.Context(), event)
	if err != nil {
		d.t.Fatalf("%s: %v", name, err)
	}
	return a
}

// send hands a request to a function, with the admin key unless it has headers.
func (d *deployment) send(name string, r Request) Response {
	d.t.Helper()
	if r.Header == nil {
		r.Header = map[string]string{"Authorization": "Bearer " + key}
	}
	out, err := d.invoke(name, r.Event()).Response()
	if err != nil {
		d.t.Fatalf("%s: %v", name, err)
	}
	return out
}

// must is send for a request that has to be answered with a status and JSON.
func (d *deployment) must(status int, name, method, path, body string) object {
	d.t.Helper()
	return d.read(status, d.send(name, Request{Method: method, Path: path, Body: []byte(body)}))
}

type object = map[string]any

func (d *deployment) read(status int, r Response) (out object) {
	d.t.Helper()
	if r.Status != status {
		d.t.Fatalf("answered %d, want %d: %s", r.Status, status, r.Body)
	}
	if err := json.Unmarshal(r.Body, &out); err != nil {
		d.t.Fatalf("%s: %v", r.Body, err)
	}
	return out
}

// qualify hands the function of that name all changes so far.
func (d *deployment) qualify() {
	d.t.Helper()
	records, err := d.Changes(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	reader := topology.Functions[slices.IndexFunc(topology.Functions, func(f topology.Function) bool { return f.Name == "qualify" })]
	var out struct {
		Failed *[]any `json:"batchItemFailures"`
	}
	a := d.invoke("qualify", Batch(records, reader.Stream))
	if err := json.Unmarshal(a.Body, &out); err != nil || out.Failed == nil || len(*out.Failed) != 0 {
		d.t.Errorf("the changes are answered %s: %v", a.Body, err)
	}
}
