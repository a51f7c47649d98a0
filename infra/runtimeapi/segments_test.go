package runtimeapi

import (
	"fmt"
	"testing"

	"regulars/infra/topology"
)

// A segment run as the deployed state machine runs it, by the binaries that
// ship: asked for, of a schedule, overtaken, and failed.
func TestSegmentRuns(t *testing.T) {
	d := deploy(t)
	var started [][2]string
	begun := make(chan struct{}, 10)
	d.Cloud.Start = func(machine, input string) { started = append(started, [2]string{machine, input}); begun <- struct{}{} }
	for i := range 3 {
		member := d.must(201, "members", "POST", "/v1/members", fmt.Sprintf(`{"name":"%d"}`, i))["id"].(string)
		d.must(200, "earn", "POST", "/v1/orders", fmt.Sprintf(
			`{"source":"till","id":"%d","version":1,"state":"paid","currency":"ILS","member":%q,"lines":[{"id":"1","amount":%d}]}`, i, member, 1000<<i))
	}
	step := d.function(topology.Segments.Steps)
	ask := func() (id, input string) {
		t.Helper()
		id = d.must(202, "segment", "POST", "/v1/segment-runs", "")["id"].(string)
		<-begun
		got := started[len(started)-1]
		if want := [2]string{topology.Segments.Name, fmt.Sprintf(`{"program":"local","id":%q}`, id[len("seg_"):])}; got != want {
			t.Errorf("started %s, want %s", got, want)
		}
		return id, got[1]
	}
	get := func(id, status string) object {
		t.Helper()
		run := d.must(200, "segment", "GET", "/v1/segment-runs/"+id, "")
		if run["status"] != status {
			t.Errorf("%s is %v, want %s", id, run, status)
		}
		return run
	}

	id, input := ask()
	if run := get(id, "running"); run["progress"].(object)["of"] != float64(topology.Segments.Shards) {
		t.Errorf("%v", run)
	}
	if err := d.Refresh(t.Context(), step, input); err != nil {
		t.Fatal(err)
	}
	if run := get(id, "done"); run["result"].(object)["members"] != 3.0 || run["result"].(object)["buyers"] != 3.0 {
		t.Errorf("%v", run)
	}

	// A run of the schedule is one of every program.
	if err := d.Refresh(t.Context(), step, `{"schedule":"segment"}`); err != nil {
		t.Fatal(err)
	}
	runs := d.must(200, "segment", "GET", "/v1/segment-runs", "")["data"].([]any)
	if len(runs) != 2 || runs[0].(object)["status"] != "done" {
		t.Errorf("after the schedule: %v", runs)
	}

	// One that a later one overtakes ends well for the machine, and says so.
	old, late := ask()
	id, input = ask()
	for _, input := range []string{late, input} {
		if err := d.Refresh(t.Context(), step, input); err != nil {
			t.Error(err)
		}
	}
	if run := get(old, "failed"); run["reason"] != "a later run began before this one ended" {
		t.Errorf("%v", run)
	}
	get(id, "done")

	// One that cannot go on says so too, and the alarm hears of it.
	id, input = ask()
	d.Cloud.Put("segments/local/"+id[len("seg_"):]+"/plan.json", []byte("{"))
	if err := d.Refresh(t.Context(), step, input); err == nil {
		t.Error("a run without a plan ended well")
	}
	if run := get(id, "failed"); run["reason"] == nil {
		t.Errorf("%v", run)
	}
}
