package runtimeapi

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"regulars/infra/local"
	"regulars/shared/table"
	"regulars/shared/table/dynamo"
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

// deployment is a table of its own, set up, and a cloud around it.
type deployment struct {
	t                   *testing.T
	cloud               *Cloud
	endpoint, accessKey string
	table               string
	env                 []string
	running             map[string]*Process
}

func deploy(t *testing.T) *deployment {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs binaries")
	}
	d := &deployment{t: t, cloud: &Cloud{}, table: "smoke-" + fmt.Sprint(time.Now().UnixNano()), running: map[string]*Process{}}
	d.endpoint, d.accessKey = tabletest.DynamoDBLocal(t)
	client := dynamodb.NewFromConfig(dynamo.LocalConfig(d.endpoint, d.accessKey))
	if err := dynamo.CreateTable(t.Context(), client, d.table); err != nil {
		t.Fatal(err)
	}
	store := table.NewStore(dynamo.New(client, d.table))
	err := local.Setup(t.Context(), store, local.Deployment{Program: "smoke", AdminKey: key, Now: time.Now(),
		Connections: []table.Connection{{ID: "till", Kind: "standard"}, {ID: "shopify", Kind: "shopify"}}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"token_key": "of member tokens", "connections": map[string][]string{"till": {secret}, "shopify": {secret}}})
	if err != nil {
		t.Fatal(err)
	}
	d.cloud.Secret = string(raw)
	srv := httptest.NewServer(d.cloud)
	t.Cleanup(srv.Close)
	d.env = Environment(d.endpoint, srv.URL, d.accessKey, d.table)
	return d
}

// function is the running function of a name, started when first asked for.
func (d *deployment) function(name string) *Process {
	d.t.Helper()
	if p := d.running[name]; p != nil {
		return p
	}
	p, err := Run(d.t.Context(), binary(d.t, name), d.env, d.t.Output())
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
