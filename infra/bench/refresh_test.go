package main

import "testing"

// From the pages of a table to who changed a million members take 0.6 s of
// CPU at most; a machine that others use too is given three times that.
func TestARefreshIsQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	p, err := pages(t.Context(), 64_000)
	if err != nil {
		t.Fatal(err)
	}
	each := func(r *refreshed) float64 {
		return float64((r.all() - p.asking).Nanoseconds()) / float64(r.members)
	}
	t.Logf("%.0f ns a member (read %v, merge %v, refine %v, score %v), %.0f with the SDK's maps; %v to ask, %v to fit; %d changed", each(p.lean), p.lean.read, p.lean.merge, p.lean.refine, p.lean.score, each(p.maps), p.asking, p.lean.fit, p.lean.result.Writes)
}
