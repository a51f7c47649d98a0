package durability

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// told maps the types of ledger entries to those of the events that tell of
// them, merges and redemptions aside.
var told = map[string]string{
	"earn": "points.earned", "activate": "points.activated", "expire": "points.expired", "clawback": "points.clawed_back",
	"restore": "points.restored", "adjust": "points.adjusted", "writeoff": "points.written_off",
}

// ledger is a member's entries, oldest first.
func (s *shop) ledger(member string) (entries []object) {
	s.t.Helper()
	for cursor := ""; ; {
		status, _, raw, err := s.call("GET", "/v1/members/"+member+"/ledger?limit=200&cursor="+cursor, "", nil)
		if err != nil || status != 200 {
			s.t.Errorf("the ledger of %s: %d %s %v", member, status, raw, err)
			return nil
		}
		page := decode(s.t, raw)
		for _, e := range page["data"].([]any) {
			entries = append([]object{e.(object)}, entries...)
		}
		if cursor, _ = page["next_cursor"].(string); cursor == "" {
			return entries
		}
	}
}

// eventsTellEveryMovementOnce holds the events against the ledgers: one event
// for each movement and none beside, those of a member in the order of the
// ledger. inOne is whether all items share one change log: where each has its
// own, as on DynamoDB, redemptions are told beside the account's entries. It
// answers how many events there are, and how many tell of a hold that expired.
func (s *shop) eventsTellEveryMovementOnce(inOne bool) (count, expired int) {
	s.t.Helper()
	type place struct {
		at   int
		kind string
		data object
	}
	by := map[string]place{} // what each event tells of, by its name there
	ids := map[string]bool{}
	inside := map[string]bool{} // who is in which segment
	list := s.must("GET", "/_local/events", nil)["data"].([]any)
	for i, v := range list {
		e := v.(object)
		id, kind, data := e["id"].(string), e["type"].(string), e["data"].(object)
		if ids[id] {
			s.t.Errorf("event %s is there twice", id)
		}
		ids[id] = true
		about := ""
		switch kind {
		case "redemption.captured":
			about = data["redemption"].(string)
		case "member.merged":
			about = "merge of " + data["merged"].(string)
		case "member.enrolled":
			about = "enrolment of " + data["member"].(string)
		case "redemption.cancelled":
			about = "cancellation of " + data["redemption"].(string)
		case "hold.expired":
			about = data["hold"].(string)
		case "segment.entered", "segment.left":
			what := fmt.Sprint(data["member"], " ", data["segment"])
			if inside[what] == (kind == "segment.entered") {
				s.t.Errorf("event %d, %s, tells of %s what was so before", i, kind, what)
			}
			inside[what] = !inside[what]
			continue
		default:
			about = data["entry"].(string)
		}
		if had, ok := by[about]; ok {
			s.t.Errorf("%s is told of by event %d and event %d", about, had.at, i)
		}
		by[about] = place{i, kind, data}
	}
	var mu sync.Mutex
	matched := map[string]bool{}
	members := append(append([]string{}, s.members...), s.guests...)
	each(members, func(member string) {
		entries := s.ledger(member)
		mu.Lock()
		defer mu.Unlock()
		matched["enrolment of "+member] = true
		last := -1
		for _, e := range entries {
			about, kind := e["id"].(string), told[e["type"].(string)]
			switch e["type"] {
			case "redeem":
				about, kind = e["ref"].(string), "redemption.captured"
			case "merge":
				about, kind = "merge of "+member, "member.merged"
				if number(e["points"]) > 0 { // into this one
					about = "merge of " + e["ref"].(string)
				}
			case "restore":
				matched["cancellation of "+e["ref"].(string)] = true
			}
			if number(e["points"]) == 0 && kind != "member.merged" && kind != "points.activated" {
				continue // an order that earned nothing is no news
			}
			got, ok := by[about]
			if !ok || got.kind != kind {
				s.t.Errorf("entry %v of %s is told of by %+v, want a %s", e["id"], member, got, kind)
				continue
			}
			if p := got.data["points"]; kind != "redemption.captured" && kind != "member.merged" && p != e["points"] || kind == "redemption.captured" && number(p) != -number(e["points"]) {
				s.t.Errorf("entry %v moves %v, its event says %v", e["id"], e["points"], p)
			}
			matched[about] = true
			if !inOne && (kind == "redemption.captured" || kind == "member.merged") {
				continue
			}
			if got.at <= last {
				s.t.Errorf("entry %v of %s is told of before the one before it", e["id"], member)
			}
			last = got.at
		}
	})
	for about, p := range by {
		if p.kind == "hold.expired" {
			expired++
		} else if !matched[about] {
			s.t.Errorf("event %d, %s, tells of %s, of which no ledger knows", p.at, p.kind, about)
		}
	}
	for _, m := range members {
		if by["enrolment of "+m].kind == "" {
			s.t.Errorf("nothing tells of the enrolment of %s", m)
		}
		status, _, raw, err := s.call("GET", "/v1/members/"+m, "", nil)
		if err != nil || status != 200 {
			s.t.Errorf("%s: %d %s %v", m, status, raw, err)
			continue
		}
		shown := decode(s.t, raw)
		if shown["id"] != m {
			continue // merged away: the other one's segments are shown
		}
		var in []any
		for what := range inside {
			if segment, hers := strings.CutPrefix(what, m+" "); hers && inside[what] {
				in = append(in, segment)
			}
		}
		if got := shown["segments"].([]any); len(got) != len(in) || slices.ContainsFunc(got, func(v any) bool { return !slices.Contains(in, v) }) {
			s.t.Errorf("%s is in %v, events tell of %v", m, got, in)
		}
	}
	return len(list), expired
}
