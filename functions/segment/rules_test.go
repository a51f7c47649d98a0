package segments_test

import (
	"testing"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// What an order changes at once and what a run finds go by the same figures,
// which two packages state that do not know each other.
func TestOrdersAndRunsAgree(t *testing.T) {
	r := segment.DefaultRules()
	if r.NewDays != loyalty.NewDays || r.LapseMonths != loyalty.LapseMonths {
		t.Errorf("a run takes %d days and %d months, an order %d and %d", r.NewDays, r.LapseMonths, loyalty.NewDays, loyalty.LapseMonths)
	}
}
