package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/infra/local"
	"regulars/infra/runtimeapi"
	"regulars/infra/topology"
	"regulars/shared/table/tabletest"
)

const (
	testKey    = "sk_conformance"
	testSecret = "conformance-secret"
)

// host is a local host of its own.
func host(t *testing.T, c local.Config) Target {
	t.Helper()
	c.APIKey, c.WebhookSecret, c.DataDir = testKey, testSecret, t.TempDir()
	h, err := local.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return Target{URL: srv.URL, Key: testKey, Secret: testSecret, Slack: time.Second, loopback: true}
}

// deployed is the binaries that ship, behind what plays API Gateway.
func deployed(t *testing.T) Target {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: the binaries that ship were not judged: it takes a while")
	}
	endpoint, access := tabletest.DynamoDBLocal(t)
	binaries, dir := map[string]string{}, t.TempDir()
	for _, f := range topology.Functions {
		if f.Arrivals || f.Name == topology.Default || slices.ContainsFunc(topology.Routes, func(r topology.Route) bool { return r.Function == f.Name }) {
			path, err := runtimeapi.Build(t.Context(), dir, f.Name, runtime.GOARCH)
			if err != nil {
				t.Fatal(err)
			}
			binaries[f.Name] = path
		}
	}
	d, err := runtimeapi.Deploy(t.Context(), endpoint, access, testKey, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]*runtimeapi.Process{}
	for _, m := range topology.Machines {
		binary, err := runtimeapi.Build(t.Context(), dir, m.Steps, runtime.GOARCH)
		if err != nil {
			t.Fatal(err)
		}
		step, err := runtimeapi.Run(t.Context(), binary, d.Env(m.Steps), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { step.Close() })
		steps[m.Name] = step
	}
	does := map[string]func(context.Context, *runtimeapi.Process, string) error{topology.Simulations.Name: d.Simulate, topology.Segments.Name: d.Refresh}
	var turn sync.Mutex
	d.Cloud.Start = func(machine, input string) {
		turn.Lock()
		defer turn.Unlock()
		if err := does[machine](t.Context(), steps[machine], input); err != nil {
			t.Error(err)
		}
	}
	g, err := runtimeapi.NewGateway(d, binaries, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g)
	t.Cleanup(func() {
		srv.Close()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		d.Close()
	})
	return Target{URL: srv.URL, Key: testKey, Secret: testSecret, Slack: time.Second, loopback: true}
}

// get reads from a target what is JSON.
func get(t *testing.T, target Target, path string) (body object) {
	t.Helper()
	req, err := http.NewRequest("GET", target.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+target.Key)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return body
}

// own is a document that a shop might have in force.
const own = `{"currency": "ILS", "clawback": "clamp", "hold": {"timeout": "PT7M"}, "exchange": {"USD": "3.70"}}`

// judge plays scenarios against a target on which own is in force, and checks
// that they leave it so.
func judge(t *testing.T, ctx context.Context, target Target, only string) (Report, string, error) {
	t.Helper()
	s := &shop{ctx: t.Context(), target: target}
	if a, err := s.try(t.Context(), "PUT", "/v1/program", own); err != nil || a.status != 200 {
		t.Fatal(a, err)
	}
	before := get(t, target, "/v1/program")
	chosen, err := choose(only)
	if err != nil {
		t.Fatal(err)
	}
	var out lockedBuffer
	r, err := Play(ctx, target, chosen, &out)
	after := get(t, target, "/v1/program")
	delete(before, "version")
	delete(after, "version")
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the program was\n%v and is\n%v", before, after)
	}
	return r, out.String(), err
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// skippedParts are what was not judged, as "scenario: part".
func skippedParts(r Report) []string {
	var list []string
	for _, p := range r.Parts {
		if p.Outcome == Skipped {
			list = append(list, p.Scenario[:strings.IndexByte(p.Scenario, ' ')]+": "+p.Name)
		}
	}
	return list
}

// A local host lacks nothing: all is judged, all holds, twice in a row.
func TestLocalHost(t *testing.T) {
	t.Parallel()
	engines := map[string]func(t *testing.T) local.Config{
		"embedded": func(*testing.T) local.Config { return local.Config{} },
		"dynamodb": func(t *testing.T) local.Config {
			endpoint, access := tabletest.DynamoDBLocal(t)
			return local.Config{TableEndpoint: endpoint, AccessKey: access + "conformance"}
		},
	}
	for name, config := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := host(t, config(t))
			r, out, err := judge(t, t.Context(), target, "")
			for _, p := range r.Parts { // each under its own name
				t.Run(p.Scenario+"/"+p.Name, func(t *testing.T) {
					if p.Outcome != OK {
						t.Error(p.Outcome, strings.Join(p.Why, "\n"))
					}
				})
			}
			if err != nil || r.Count(OK) < 40 {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Log(out[strings.LastIndex(out, "\nVersion"):])
			now, err := time.Parse(time.RFC3339, get(t, target, "/_local/clock")["now"].(string))
			if err != nil || time.Since(now).Abs() > time.Minute {
				t.Errorf("the clock was left at %v", now)
			}
			if r, out, err := judge(t, t.Context(), target, "SC1 |SC14|idempotency|webhook"); err != nil || r.Count(OK) != len(r.Parts) {
				t.Fatalf("a second run beside what the first one left: %v\n%s", err, out)
			}
		})
	}
}

// The binaries that ship are judged as a deployed stack is. What needs a clock
// that can be set cannot be judged there, and nothing else may be left out.
func TestDeployed(t *testing.T) {
	t.Parallel()
	r, out, err := judge(t, t.Context(), deployed(t), "")
	if err != nil || r.Count(Failed) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	want := []string{
		"SC5: the second half on day 110, to the second",
		"SC6: the job writes it down once",
		"SC6: a second before, and at the instant",
		"SC6: the double day 2027-03-26",
		"SC7: on days 20 and 44",
		"SC8: the job tells of it once",
		"SC8: after 15 minutes, to the second",
		"SC9: one step down when the period ends",
		"SC10: the ladder",
		"SC10: told twice and in any order",
		"SC10: the first order within thirty days",
		"SC10: a code on the order",
		"SC14: one event",
		"SC14: A had referred G",
		"SC15: 20 000 earned",
		"SC16: 63.70, 27.40 and 8.90 %",
		"SC18: the default after 30 days",
		"SC18: the member's choice",
		"SC18: a refund before the period closes",
		"SC18: a refund after it has closed",
	}
	if got := skippedParts(r); !slices.Equal(got, want) {
		t.Errorf("skipped:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	t.Log(out[strings.LastIndex(out, "\nVersion"):])
}

// Without the secret what needs webhooks is skipped, and said to be.
func TestWithoutTheSecret(t *testing.T) {
	t.Parallel()
	target := host(t, local.Config{})
	target.Secret = ""
	r, out, err := judge(t, t.Context(), target, "SC1 |webhook|strict")
	if err != nil || r.Count(Failed) > 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	want := []string{
		"SC1: as told, by webhook", "SC1: each of the 30 orders of delivery, by webhook", "SC1: a refund that comes alone waits for its order",
		"strict: a storefront may send keys that nobody knows, and nothing else", "webhook: standard", "webhook: shopify",
	}
	if got := skippedParts(r); !slices.Equal(got, want) {
		t.Errorf("skipped:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, want := range []string{"SKIP  as told, by webhook", "no webhook secret was given", "Not judged, 6 parts"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

// An interrupted run puts back the program (judge looks) and frees the clock.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	target := host(t, local.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	target.URL = between(t, target, func(r *http.Request) {
		if r.URL.Path == "/_local/clock" && r.Method == "PUT" {
			time.AfterFunc(20*time.Millisecond, cancel)
		}
	}, nil)
	r, out, err := judge(t, ctx, target, "SC6")
	if err == nil || !strings.Contains(err.Error(), "interrupted") || r.Count(Failed) > 0 || !strings.Contains(out, "Not everything was played") {
		t.Errorf("%v\n%s", err, out)
	}
	now, err := time.Parse(time.RFC3339, get(t, target, "/_local/clock")["now"].(string))
	if err != nil || time.Since(now).Abs() > time.Minute {
		t.Errorf("the clock was left at %v", now)
	}
}

// Somebody else's program is not published over.
func TestAnotherPublishes(t *testing.T) {
	t.Parallel()
	target := host(t, local.Config{})
	n := 0
	s := &shop{ctx: t.Context(), target: target}
	target.URL = between(t, target, func(r *http.Request) {
		if r.URL.Path == "/v1/orders" {
			if n++; n == 5 {
				if a, err := s.try(t.Context(), "PUT", "/v1/program", `{"hold": {"timeout": "PT99M"}}`); err != nil || a.status != 200 {
					t.Error(a, err)
				}
			}
		}
	}, nil)
	var out lockedBuffer
	_, err := Play(t.Context(), target, scenarios, &out)
	if err == nil || !strings.Contains(err.Error(), "somebody else published") || !strings.Contains(err.Error(), "was not put back") {
		t.Errorf("%v\n%s", err, &out)
	}
	if hold := get(t, target, "/v1/program")["hold"]; fmt.Sprint(hold) != "map[timeout:PT99M]" {
		t.Errorf("in force is %v", hold)
	}
}

// A target too slow for the time that points were given to live gets more,
// and no blame.
func TestSlowTarget(t *testing.T) {
	t.Parallel()
	target := host(t, local.Config{})
	members := 0
	var once sync.Once
	target.URL = between(t, target, func(r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "POST /v1/members":
			members++
		case "POST /v1/redemptions":
			once.Do(func() { time.Sleep(2500 * time.Millisecond) })
		}
	}, nil)
	r, out, err := judge(t, t.Context(), target, "SC7")
	if err != nil || r.Count(OK) != 2 || members < 3 /* a part was played again */ {
		t.Errorf("%d members, %v\n%s", members, err, out)
	}
}

func TestCommand(t *testing.T) {
	target := host(t, local.Config{})
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-list"}, 0, "SC4 refund after spending"},
		{nil, 2, "usage: conformance"},
		{[]string{"-url", target.URL, "-key", testKey, "-run", "nothing so called"}, 2, "matches nothing"},
		{[]string{"-url", "ftp://x", "-key", "k"}, 2, "not an http"},
		{[]string{"-url", "https://api.example.com", "-key", "k"}, 2, "say -yes"},
		{[]string{"-url", target.URL, "-key", "sk_wrong"}, 2, "cannot be read"},
		{[]string{"-url", "http://127.0.0.1:1", "-key", "k"}, 2, "nothing answers"},
		{[]string{"-url", target.URL, "-key", testKey, "-run", "SC3"}, 0, "Everything holds"},
	} {
		var out, errs bytes.Buffer
		if code := command(t.Context(), c.args, &out, &errs); code != c.code || !strings.Contains(out.String()+errs.String(), c.says) {
			t.Errorf("%q: status %d, want %d and %q:\n%s%s", c.args, code, c.code, c.says, &out, &errs)
		}
	}
}

// Names say which file to open, and -run tells them apart.
func TestScenariosAreNamed(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios {
		if s.Name == "" || s.Proves == "" || s.Play == nil || seen[s.Name] {
			t.Errorf("%+v", s)
		}
		seen[s.Name] = true
	}
	if n := len(slices.Collect(maps.Keys(seen))); n != len(scenarios) {
		t.Errorf("%d names for %d scenarios", n, len(scenarios))
	}
}
