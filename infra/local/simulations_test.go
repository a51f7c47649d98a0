package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regulars/infra/local"
)

// simulated waits for a simulation's end.
func (s *shop) simulated(id string) answer {
	s.t.Helper()
	for range 300 {
		if a := s.must("GET", "/v1/simulations/"+id, nil); a.str("status") != "running" {
			return a
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("simulation %s does not end", id)
	return answer{}
}

// reportOf is the report as it was sent.
func reportOf(t *testing.T, a answer) []byte {
	t.Helper()
	var in struct {
		Report json.RawMessage `json:"report"`
	}
	if err := json.Unmarshal(a.raw, &in); err != nil {
		t.Fatal(err)
	}
	return in.Report
}

func sc19(more object) object {
	draft := object{"program": object{"earning": object{"rules": []object{{"id": "base", "on": "order", "rate": object{"points": 1, "amount": 80}, "where": object{"minimum_amount": 1000}}}}}}
	for k, v := range more {
		draft[k] = v
	}
	return draft
}

// SC19: the numbers, over the table of each engine, twice with the same bytes.
func TestSimulationOverTheTable(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.clock("2026-03-15T08:00:00Z")
		m, other := s.enrol("m"), s.enrol("other")
		for i, amount := range []int64{4995, 12000, 999} {
			s.earn(order("sc19-"+string(rune('a'+i)), m, amount))
		}
		s.earn(order("other", other, 10000))
		s.earn(order("later", m, 10000, object{"paid_at": "2026-03-20T08:00:00Z"})) // counts as paid when it came
		s.clock("2026-03-16T08:00:00Z")
		s.earn(order("tomorrow", m, 10000))

		ask := sc19(object{"members": []string{m}, "until": "2026-03-15T07:59:59Z"})
		none := s.simulated(s.must("POST", "/v1/simulations", ask).str("id"))
		if none.num("report.orders.told") != 5 || none.num("report.points.base") != 0 {
			t.Errorf("before the first order: %s", none.raw)
		}
		ask = sc19(object{"members": []string{m}, "until": "2026-03-15T12:00:00Z"})
		s.earn(order("later", m, 10000, object{"version": 2, "state": "cancelled", "paid_at": "2026-03-20T08:00:00Z"}))
		first := s.must("POST", "/v1/simulations", ask)
		if first.status != 202 || first.str("status") != "running" || !strings.HasPrefix(first.str("id"), "sim_") {
			t.Fatalf("asked: %d %s", first.status, first.raw)
		}
		done := s.simulated(first.str("id"))
		for path, want := range map[string]int64{
			"report.points.base": 178, "report.points.draft": 212, "report.points.delta": 34, "report.money.delta": 136, "report.members.all": 1, "progress.done": 128,
		} {
			if got := done.num(path); got != want {
				t.Errorf("%s is %d, want %d: %s", path, got, want, done.raw)
			}
		}
		again := s.simulated(s.must("POST", "/v1/simulations", ask).str("id"))
		if a, b := reportOf(t, done), reportOf(t, again); !bytes.Equal(a, b) {
			t.Errorf("twice:\n%s\n%s", a, b)
		}
		all := s.simulated(s.must("POST", "/v1/simulations", sc19(nil)).str("id"))
		if all.num("report.members.all") != 2 || all.num("report.points.base") != 178+100+100 {
			t.Errorf("all: %s", all.raw)
		}
	})
}

// A draft that could not be published is refused as there, with the path to
// where it stands.
func TestSimulationRefusesWhatCannotBePublished(t *testing.T) {
	s := open(t, local.Config{DataDir: t.TempDir()})
	m := s.enrol("m")
	s.earn(order("1", m, 1000))
	for _, c := range []struct {
		name         string
		body         any
		status       int
		code, detail string
	}{
		{"no draft", object{}, 400, "invalid_request", "/program"},
		{"an unknown key", object{"program": object{"expirx": "none"}}, 400, "invalid_request", "/program/expirx"},
		{"a setting that cannot be", object{"program": object{"redemption": object{"minimum": 0}}}, 400, "invalid_program", "/program/redemption/minimum"},
		{"another currency", object{"program": object{"currency": "USD"}}, 422, "currency_settled", "/program/currency"},
		{"more than all of the points", sc19(object{"expected_redemption": "1.1"}), 400, "invalid_request", "/expected_redemption"},
		{"no months", sc19(object{"reach_months": 0}), 400, "invalid_request", "/reach_months"},
		{"a time that is none", sc19(object{"until": "tomorrow"}), 400, "invalid_request", "/until"},
		{"the future", sc19(object{"until": "2999-01-01T00:00:00Z"}), 400, "invalid_request", "/until"},
		{"nobody", sc19(object{"members": []string{"mem_X"}}), 404, "not_found", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.refused(c.status, c.code, "POST", "/v1/simulations", c.body)
			if got := a.str("details.path"); got != c.detail {
				t.Errorf("path %q, want %q: %s", got, c.detail, a.raw)
			}
		})
	}
	s.refused(404, "not_found", "GET", "/v1/simulations/sim_X", nil)
}

// A run that the end of the host cuts short goes on with the next start.
func TestSimulationSurvivesARestart(t *testing.T) {
	c := local.Config{DataDir: t.TempDir(), APIKey: key, WebhookSecret: secret}
	h, err := local.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	s := &shop{t, srv.URL, h}
	m := s.enrol("m")
	for i := range 50 {
		s.earn(order(fmt.Sprint(i), m, 5000))
	}
	first := s.must("POST", "/v1/simulations", sc19(nil), "Idempotency-Key", "once")
	again := s.must("POST", "/v1/simulations", sc19(nil), "Idempotency-Key", "once")
	if again.str("id") != first.str("id") || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("asked twice: %s", again.raw)
	}
	srv.Close()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	if a := s.simulated(first.str("id")); a.str("status") != "done" || a.num("report.orders.told") != 50 {
		t.Errorf("after a restart: %s", a.raw)
	}
}
