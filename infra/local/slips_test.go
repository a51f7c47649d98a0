package local_test

import (
	"bytes"
	"testing"
	"time"

	"regulars/shared/program/slip"
)

// A program with mistakes in it is published and reads back as it was
// answered, or refused with path and reason and nothing is published; soon,
// and as it is described.
func TestSlipsInAProgram(t *testing.T) {
	s, _ := described(t)
	s.must("PUT", "/v1/program", slip.Rich)
	taken := 0
	for seed := range uint64(400) {
		doc := slip.Mutate(slip.Rich, seed, 1+int(seed%3))
		before := s.must("GET", "/v1/program", nil)
		from := time.Now()
		a := s.do("PUT", "/v1/program", doc, "Content-Type", "application/json")
		if took := time.Since(from); took > time.Second {
			t.Errorf("%s took %v", doc, took)
		}
		after := s.must("GET", "/v1/program", nil)
		switch a.status {
		case 200:
			taken++
			if !bytes.Equal(a.raw, after.raw) {
				t.Errorf("%s reads back as %s", a.raw, after.raw)
			}
		case 400, 422:
			if a.str("details.path") == "" || a.str("details.reason") == "" {
				t.Errorf("%s: %s", doc, a.raw)
			}
			if !bytes.Equal(before.raw, after.raw) {
				t.Errorf("%s was refused and published", doc)
			}
		default:
			t.Errorf("%s: %d %s", doc, a.status, a.raw)
		}
	}
	if taken < 20 || taken > 380 {
		t.Errorf("%d of 400 were taken", taken)
	}
}
