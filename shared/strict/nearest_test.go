package strict_test

import (
	"testing"

	"regulars/shared/strict"
)

func TestTheNearestName(t *testing.T) {
	known := []string{"gold", "silver", "multiplier", "friday", "saturday", "half_up"}
	for word, want := range map[string]string{
		"gloden": "gold", "glod": "gold", "GOLD": "gold", "multiplyer": "multiplier", "fri": "friday", "fridya": "friday", "half-up": "half_up",
		"platinum": "", "x": "", "": "", " ": "",
	} {
		if got := strict.Nearest(word, known); got != want {
			t.Errorf("%q is %q, want %q", word, got, want)
		}
	}
}
