package local_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// refreshed waits for a segment run's end.
func (s *shop) refreshed(id string) answer {
	s.t.Helper()
	for range 1500 {
		if a := s.must("GET", "/v1/segment-runs/"+id, nil); a.str("status") != "running" {
			return a
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("segment run %s does not end", id)
	return answer{}
}

func listed(a answer, path string) []any {
	list, _ := a.at(path).([]any)
	return list
}

// Members are in their segments after a run, a member's answer says so, and
// listeners hear of it once.
func TestSegmentRun(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		segmentRun(t, s)
		want := map[string]int{"segment.entered top_20": 1, "segment.entered new": 2, "segment.entered north": 1, "segment.entered vip": 1, "segment.left new": 0}
		var heard map[string]int
		for range 100 { // a stream may be behind
			heard = s.heard()
			if heard["segment.entered vip"] > 0 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		for what, n := range want {
			if heard[what] != n {
				t.Errorf("%s was told %d times, want %d", what, heard[what], n)
			}
		}
	})
}

// heard is how often which segment was told of.
func (s *shop) heard() map[string]int {
	s.t.Helper()
	heard := map[string]int{}
	for _, e := range listed(s.must("GET", "/_local/events", nil), "data") {
		e := e.(map[string]any)
		if strings.HasPrefix(e["type"].(string), "segment.") {
			heard[e["type"].(string)+" "+e["data"].(map[string]any)["segment"].(string)]++
		}
	}
	return heard
}

func segmentRun(t *testing.T, s *shop) {
	s.clock("2026-03-15T08:00:00Z")
	big, small, none := s.enrol("big"), s.enrol("small"), s.enrol("none")
	s.earn(order("1", big, 50000))
	s.earn(order("2", small, 1000))
	s.must("PATCH", "/v1/members/"+small, object{"birth_date": object{"calendar": "gregorian", "date": "1990-03-28"}, "attributes": object{"city": "Haifa"}})
	s.must("PUT", "/v1/segments/vip", object{"name": "Very important", "list": []string{none}})
	where := object{"all": []object{{"attributes": object{"city": []string{"Haifa", "Akko"}}}, {"not": object{"segments": []string{"top_20"}}}}, "statistics": object{"orders": object{"from": 1}}}
	s.must("PUT", "/v1/segments/north", object{"where": where})
	if a := s.must("POST", "/v1/segments/preview", object{"where": where}); a.num("members") != 1 || a.num("of") != 3 {
		t.Errorf("preview %s", a.raw)
	}

	run := s.must("POST", "/v1/segment-runs", nil)
	if a := s.refreshed(run.str("id")); a.str("status") != "done" {
		t.Fatalf("run %s", a.raw)
	}
	in := func(segment string) (ids []string) {
		for cursor := ""; ; {
			a := s.must("GET", "/v1/segments/"+segment+"/members?limit=1&cursor="+cursor, nil)
			for _, m := range listed(a, "data") {
				ids = append(ids, m.(map[string]any)["id"].(string))
			}
			if cursor, _ = a.body["next_cursor"].(string); cursor == "" {
				slices.Sort(ids)
				return ids
			}
		}
	}
	for segment, want := range map[string][]string{
		"top_20": {big}, "new": {big, small}, "birthday_month": {small}, "infrequent_heavy": {big}, "infrequent_light": {small}, "vip": {none}, "north": {small}, "former": nil,
	} {
		slices.Sort(want)
		if got := in(segment); !slices.Equal(got, want) {
			t.Errorf("in %s are %v, want %v", segment, got, want)
		}
	}
	for forged, status := range map[string]int{"0": 400, "64 ": 400, "-1 ": 400, "0 x": 400, "0 A\x00B": 400, "0 " + strings.Repeat("9", 41): 400, "7 NOBODY": 200, "63 " + big[4:]: 200} {
		if a := s.do("GET", "/v1/segments/new/members?cursor="+base64.RawURLEncoding.EncodeToString([]byte(forged)), nil); a.status != status {
			t.Errorf("the cursor %q is answered %d %s", forged, a.status, a.raw)
		}
	}
	m := s.must("GET", "/v1/members/"+big, nil)
	if got := fmt.Sprint(m.body["segments"]); !strings.Contains(got, "top_20") || m.body["p_active"] != nil || m.body["rfm"] == nil {
		t.Errorf("member %s", m.raw)
	}
	again := s.must("POST", "/_local/schedules/segment/run", nil)
	if runs := listed(again, "runs"); len(runs) != 1 || runs[0].(map[string]any)["status"] != "done" {
		t.Errorf("schedule %s", again.raw)
	}
	if a := s.must("GET", "/v1/segment-runs", nil); len(listed(a, "data")) != 2 {
		t.Errorf("runs %s", a.raw)
	}
	if a := s.must("GET", "/v1/segments/vip", nil); a.num("members") != 1 {
		t.Errorf("segment %s", a.raw)
	}
}
