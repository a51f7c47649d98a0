package local_test

import (
	"testing"

	"regulars/infra/topology"
	"regulars/shared/refresh"
	"regulars/shared/simulation"
	"regulars/shared/table"
)

// A deployment plays as many shards as a history is split into, and walks as
// many as the members of a program are.
func TestShardsAreThoseOfTheTopology(t *testing.T) {
	if topology.Simulations.Shards != simulation.Shards {
		t.Errorf("the topology has %d shards, package simulation %d", topology.Simulations.Shards, simulation.Shards)
	}
	if topology.Segments.Shards != refresh.Shards || refresh.Shards != table.MemberGroups {
		t.Errorf("the topology has %d shards, package refresh %d, the table %d groups of members", topology.Segments.Shards, refresh.Shards, table.MemberGroups)
	}
}
