package main

import "testing"

// The refresh of a crowd finds out the same from pages and from the SDK's maps;
// its groups and scores are of all who ever bought. What it takes depends on the
// machine, which others use too: the bench prints it.
func TestARefreshOfACrowd(t *testing.T) {
	const members = 6400
	p, err := pages(t.Context(), members) // which fails if the two do not find the same changes
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("read %v, through maps %v; merge %v, refine %v, score %v, to ask %v, to fit %v", p.lean.read, p.maps.read, p.lean.merge, p.lean.refine, p.lean.score, p.asking, p.lean.fit)
	r := p.lean.result
	if r.Members != members || r.Writes < members/25 || r.Writes > members/20 {
		t.Errorf("%d changes of %d members", r.Writes, r.Members)
	}
	var grouped, scored int64
	for _, g := range []string{"regular_heavy", "regular_light", "infrequent_heavy", "infrequent_light", "former"} {
		grouped += r.Groups[g]
	}
	for _, n := range r.RFM {
		scored += n
	}
	if grouped != r.Buyers || scored != r.Buyers || r.Buyers == 0 {
		t.Errorf("%d in a group, %d scored, of %d who bought", grouped, scored, r.Buyers)
	}
}
