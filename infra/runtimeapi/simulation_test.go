package runtimeapi

import (
	"fmt"
	"slices"
	"testing"

	"regulars/infra/topology"
)

// A simulation as the state machine runs it, by the binaries that ship: SC19.
func TestSimulation(t *testing.T) {
	d := deploy(t)
	member := d.must(201, "members", "POST", "/v1/members", `{"name":"נועה"}`)["id"].(string)
	for i, amount := range []int{4995, 12000, 999} {
		d.must(200, "earn", "POST", "/v1/orders", fmt.Sprintf(`{"source":"till","id":"%d","version":1,"state":"paid","currency":"ILS","member":%q,"lines":[{"id":"1","amount":%d}]}`, i, member, amount))
	}
	asked := d.must(202, "simulations", "POST", "/v1/simulations",
		`{"program":{"earning":{"rules":[{"id":"base","on":"order","rate":{"points":1,"amount":80},"where":{"minimum_amount":1000}}]}}}`)
	id := asked["id"].(string)
	run := id[len("sim_"):]
	if got := d.Cloud.Executions(); !slices.Equal(got, []string{run}) {
		t.Fatalf("started %v, want %s", got, run)
	}
	if a := d.must(200, "simulations", "GET", "/v1/simulations/"+id, ""); a["status"] != "running" {
		t.Errorf("%v", a)
	}
	if err := d.Simulate(t.Context(), d.function(topology.Simulations.Steps), fmt.Sprintf(`{"program":"local","id":%q}`, run)); err != nil {
		t.Fatal(err)
	}
	a := d.must(200, "simulations", "GET", "/v1/simulations/"+id, "")
	report, ok := a["report"].(map[string]any)
	if !ok || a["status"] != "done" || report["points"].(map[string]any)["delta"] != 34.0 || report["money"].(map[string]any)["delta"] != 136.0 {
		t.Errorf("%v", a)
	}

	// One that ends without a word is said to have failed.
	lost := d.must(202, "simulations", "POST", "/v1/simulations", `{"program":{}}`)["id"].(string)
	d.Cloud.End()
	if a := d.must(200, "simulations", "GET", "/v1/simulations/"+lost, ""); a["status"] != "failed" || a["reason"] == nil {
		t.Errorf("%v", a)
	}
}
