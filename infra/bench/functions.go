package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"regulars/infra/runtimeapi"
	"regulars/infra/topology"
)

// footprint is what a function weighs and takes.
type footprint struct {
	name        string
	zip, binary int64         // bytes, of what is deployed
	start       time.Duration // from the start of the process to its first poll
	startCPU    time.Duration
	first       time.Duration // the first invocation
	firstCPU    time.Duration
	warm        time.Duration
	warmCPU     time.Duration // mean of many
	memory      int64
}

// footprints measures every function of the topology against the emulator,
// without TLS. Times are medians.
func footprints(ctx context.Context, endpoint, accessKey string, starts, warm int, progress func(string)) ([]footprint, error) {
	bin, err := os.MkdirTemp("", "regulars-bin")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(bin)
	d, err := runtimeapi.Deploy(ctx, endpoint, accessKey, apiKey, secret)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	b := &bench{d: d, bin: bin, built: map[string]string{}, starts: starts, warm: warm}
	if err := b.seed(ctx); err != nil {
		return nil, err
	}
	var out []footprint
	for _, f := range topology.Functions {
		progress("function " + f.Name)
		one, err := b.measure(ctx, f.Name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		out = append(out, one)
	}
	return out, nil
}

type bench struct {
	d            *runtimeapi.Deployment
	bin          string
	built        map[string]string // the binary of a function, for this machine
	starts, warm int

	member string
	asked  string // an import that waits for its file
	draft  string // a simulation that was asked for
	begun  string // a segment run that has its plan, without prefix
	orders int
	batch  []byte // one change of an account
}

// seed makes a member with points to spend, through the functions.
func (b *bench) seed(ctx context.Context) error {
	var member struct{ ID string }
	if err := b.once(ctx, "members", event("POST", "/v1/members", object{"name": "נועה"}), &member); err != nil {
		return err
	}
	b.member = member.ID
	if err := b.once(ctx, "members", event("POST", "/v1/members/"+b.member+"/adjustments", object{"points": 1_000_000, "reason": "for the bench"}), nil); err != nil {
		return err
	}
	records, err := b.d.Changes(ctx)
	if err != nil {
		return err
	}
	var asked struct{ ID string }
	if err := b.once(ctx, "imports", event("POST", "/v1/imports", object{"kind": "members", "format": "csv"}), &asked); err != nil {
		return err
	}
	b.asked = asked.ID
	if err := b.once(ctx, "simulations", event("POST", "/v1/simulations", object{"program": object{}}), &asked); err != nil {
		return err
	}
	b.draft = asked.ID
	if err := b.once(ctx, "segment", event("POST", "/v1/segment-runs", nil), &asked); err != nil {
		return err
	}
	b.begun = strings.TrimPrefix(asked.ID, "seg_")
	if err := b.once(ctx, "refresh", b.step("plan"), nil); err != nil {
		return err
	}
	b.batch = runtimeapi.Batch(records[len(records)-1:], topology.Announced)
	return nil
}

func (b *bench) once(ctx context.Context, function string, event []byte, out any) error {
	p, err := b.run(ctx, function)
	if err != nil {
		return err
	}
	defer p.Close()
	a, err := p.Invoke(ctx, event)
	if err != nil || out == nil {
		return err
	}
	r, err := a.Response()
	if err != nil {
		return err
	}
	return json.Unmarshal(r.Body, out)
}

func (b *bench) run(ctx context.Context, function string) (*runtimeapi.Process, error) {
	if b.built[function] == "" {
		binary, err := runtimeapi.Build(ctx, b.bin, function, runtime.GOARCH)
		if err != nil {
			return nil, err
		}
		b.built[function] = binary
	}
	return runtimeapi.Run(ctx, b.built[function], b.d.Env(function), io.Discard)
}

// event is the next event for a function: what it does most.
func (b *bench) event(function string) []byte {
	b.orders++
	switch function {
	case "earn":
		return event("POST", "/v1/orders", order(fmt.Sprint(b.orders), 1, object{"member": b.member}, time.Now().Add(-time.Hour).Truncate(time.Second), 0))
	case "redeem":
		return event("POST", "/v1/redemptions", object{"member": b.member, "points": 1})
	case "members":
		return event("GET", "/v1/members/"+b.member, nil)
	case "refer":
		return event("GET", "/v1/members/"+b.member+"/referrals", nil)
	case "reports":
		return event("GET", "/v1/reports/liability", nil)
	case "announce", "qualify":
		return b.batch
	case "maintain":
		return []byte(`{"schedule":"expire"}`)
	case "imports":
		return event("GET", "/v1/imports/"+b.asked, nil)
	case "importer":
		return []byte(`{"schedule":"imports"}`)
	case "simulations":
		return event("GET", "/v1/simulations/"+b.draft, nil)
	case "segment":
		return event("GET", "/v1/segment-runs/seg_"+b.begun, nil)
	case "refresh":
		return b.step("read")
	case "replay":
		return []byte(`{"step":"partition","file":"a manifest, which has no orders"}`)
	}
	return event("GET", "/v1/program", nil)
}

// step is a step of the segment run.
func (b *bench) step(name string) []byte {
	return fmt.Appendf(nil, `{"step":%q,"program":"local","id":%q}`, name, b.begun)
}

func event(method, path string, body any) []byte {
	r := runtimeapi.Request{Method: method, Path: path, Header: map[string]string{"Authorization": "Bearer " + apiKey}}
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			panic("bench: bodies are plain data and always encode: " + err.Error())
		}
		r.Body = raw
	}
	return r.Event()
}

func (b *bench) measure(ctx context.Context, function string) (footprint, error) {
	f := footprint{name: function}
	deployed, err := runtimeapi.Build(ctx, b.bin, function, runtimeapi.Arch)
	if err != nil {
		return f, err
	}
	info, err := os.Stat(deployed)
	if err != nil {
		return f, err
	}
	zip, err := runtimeapi.Zip(deployed)
	if err != nil {
		return f, err
	}
	f.zip, f.binary = int64(len(zip)), info.Size()

	var start, startCPU, first, firstCPU, warm []time.Duration
	for i := range b.starts {
		p, err := b.run(ctx, function)
		if err != nil {
			return f, err
		}
		start, startCPU = append(start, p.Start), append(startCPU, p.CPU())
		took, err := b.invoke(ctx, p, function)
		first, firstCPU = append(first, took), append(firstCPU, p.CPU()-startCPU[i])
		if i == b.starts-1 && err == nil {
			before := p.CPU()
			for range b.warm {
				if took, err = b.invoke(ctx, p, function); err != nil {
					break
				}
				warm = append(warm, took)
			}
			f.warmCPU = (p.CPU() - before) / time.Duration(b.warm)
		}
		f.memory = max(f.memory, p.Memory())
		p.Close()
		if err != nil {
			return f, err
		}
	}
	f.start, f.startCPU, f.first, f.firstCPU, f.warm = median(start), median(startCPU), median(first), median(firstCPU), median(warm)
	return f, nil
}

// invoke hands over an event, and fails when it is not answered as it should.
func (b *bench) invoke(ctx context.Context, p *runtimeapi.Process, function string) (time.Duration, error) {
	a, err := p.Invoke(ctx, b.event(function))
	if err != nil {
		return 0, err
	}
	if r, err := a.Response(); err == nil && r.Status != 0 && r.Status/100 != 2 {
		return 0, fmt.Errorf("answered %d: %s", r.Status, r.Body)
	}
	return a.Took, nil
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)/2]
}
