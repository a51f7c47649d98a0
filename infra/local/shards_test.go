package local_test

import (
	"testing"

	"regulars/infra/topology"
	"regulars/shared/simulation"
)

// A deployment plays as many shards as a history is split into.
func TestShardsAreThoseOfTheTopology(t *testing.T) {
	if topology.Simulations.Shards != simulation.Shards {
		t.Errorf("the topology has %d shards, package simulation %d", topology.Simulations.Shards, simulation.Shards)
	}
}
