package durability

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
)

// each runs do for all of a list, eight at a time.
func each[T any](list []T, do func(T)) {
	var all sync.WaitGroup
	slots := make(chan struct{}, 8)
	for _, v := range list {
		slots <- struct{}{}
		all.Go(func() {
			do(v)
			<-slots
		})
	}
	all.Wait()
}

// everythingAcknowledgedIsThere holds what the host shows against the
// journal from place `from` on: the effect of each answered request, unless a
// later one that was not answered changed it.
func (s *shop) everythingAcknowledgedIsThere(from int) {
	s.t.Helper()
	allowed := map[string][]*request{} // by where to look: the newest answered and what may have followed
	var places []string
	for _, r := range s.journal[from:] {
		if r.look == "" {
			continue
		}
		if allowed[r.look] == nil {
			places = append(places, r.look)
		}
		if r.status != 0 {
			allowed[r.look] = nil
		}
		allowed[r.look] = append(allowed[r.look], r)
	}
	each(places, func(look string) {
		status, _, raw, err := s.call("GET", look, "", nil)
		newest := allowed[look][0]
		if status == 404 && newest.status == 0 {
			return // it was never acknowledged
		}
		if err != nil || status != 200 {
			s.t.Errorf("%s, acknowledged with %s: %d %s %v", look, newest.answer, status, raw, err)
			return
		}
		got := fmt.Sprint(decode(s.t, raw)[newest.field])
		if !slices.ContainsFunc(allowed[look], func(r *request) bool { return r.shows == got }) {
			s.t.Errorf("%s shows %s %s, acknowledged was %s", look, newest.field, got, newest.shows)
		}
	})
}

// balances holds every member's points against all that was answered and any
// part of what was not.
func (s *shop) balances() {
	s.t.Helper()
	sum := map[string]move{}
	open := map[string][]move{}
	for _, r := range s.journal {
		for _, m := range r.moves {
			if r.status == 0 {
				open[m.member] = append(open[m.member], m)
				continue
			}
			was := sum[m.member]
			sum[m.member] = move{m.member, was.available + m.available, was.held + m.held}
		}
	}
	each(s.members, func(id string) {
		status, _, raw, err := s.call("GET", "/v1/members/"+id, "", nil)
		if err != nil || status != 200 {
			s.t.Errorf("%s: %d %s %v", id, status, raw, err)
			return
		}
		p := decode(s.t, raw)["points"].(object)
		got := move{id, number(p["available"]), number(p["held"])}
		possible := []move{sum[id]}
		for _, o := range open[id] {
			for _, before := range slices.Clone(possible) {
				possible = append(possible, move{id, before.available + o.available, before.held + o.held})
			}
		}
		if !slices.Contains(possible, got) || number(p["debt"]) != 0 {
			s.t.Errorf("%s has %s, want %v or with some of %v", id, raw, sum[id], open[id])
		}
	})
}

// answersAreRepeated sends what was answered again: the same bytes must come
// back, and be called a repetition.
func (s *shop) answersAreRepeated(list []*request) {
	s.t.Helper()
	each(list, func(r *request) {
		if r.status == 0 {
			return
		}
		status, header, raw, err := s.call("POST", r.path, r.key, r.body)
		if err != nil || status != r.status || !bytes.Equal(raw, r.answer) || header.Get("Idempotent-Replayed") != "true" {
			s.t.Errorf("%s was answered with %d %s, now with %d %s %v %v", r.path, r.status, r.answer, status, raw, header, err)
		}
	})
}

// ledgersHold has every ledger recomputed.
func (s *shop) ledgersHold(members []string) {
	s.t.Helper()
	each(members, func(id string) {
		status, _, raw, err := s.call("GET", "/v1/members/"+id+"/ledger/verification", "", nil)
		if err != nil || status != 200 || decode(s.t, raw)["valid"] != true {
			s.t.Errorf("the ledger of %s: %d %s %v", id, status, raw, err)
		}
	})
}
