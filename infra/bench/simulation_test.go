package main

import "testing"

// A usual draft over a million orders takes a minute of CPU at most; a
// machine that others use too is given three.
func TestASimulationIsQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: simulations were not measured: -short")
	}
	efforts, err := simulations(5_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range efforts {
		t.Logf("%s: %v, %.0f allocations", e.name, e.cpu, e.allocs)
		if e.cpu.Microseconds() > 180 {
			t.Errorf("%s: %v an order", e.name, e.cpu)
		}
	}
}
