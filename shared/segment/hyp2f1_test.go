package segment_test

import (
	"math"
	"testing"

	"regulars/shared/segment"
)

// Values that mpmath gives at 25 digits.
func TestHyp2F1(t *testing.T) {
	worst := map[string]float64{}
	for _, row := range readTable(t, "clv/hyp2f1_mpmath.csv") {
		a, b, c, z, want := number(t, row["a"]), number(t, row["b"]), number(t, row["c"]), number(t, row["z"]), number(t, row["value_25_digits"])
		off := math.Abs(segment.Hyp2F1(a, b, c, z)/want - 1)
		if !(off <= 1e-12) {
			t.Errorf("%s: 2F1(%v, %v; %v; %v) is %v off %v", row["kind"], a, b, c, z, off, want)
		}
		worst[row["kind"]] = max(worst[row["kind"]], off)
	}
	t.Logf("largest relative errors: %v", worst)
}

func TestHyp2F1OfNothing(t *testing.T) {
	for _, c := range [][4]float64{{1, 1, 0, .5}, {1, 1, -2, .5}, {1, 1, 2, 1}, {1, 1, 2, -.1}, {1, 1, 2, math.NaN()}} {
		if got := segment.Hyp2F1(c[0], c[1], c[2], c[3]); !math.IsNaN(got) {
			t.Errorf("%v: %v", c, got)
		}
	}
	if got := segment.Hyp2F1(3, 4, 5, 0); got != 1 {
		t.Errorf("at 0: %v", got)
	}
}
