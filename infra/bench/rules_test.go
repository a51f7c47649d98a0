package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Both forms of the rules ask for the same, or their costs could not be
// compared.
func TestRulesAreTheSameInBothForms(t *testing.T) {
	o, c := basket()
	plain, err := rulesOf(false)
	if err != nil {
		t.Fatal(err)
	}
	cel, err := rulesOf(true)
	if err != nil {
		t.Fatal(err)
	}
	want, err := plain.Worth(o, "", c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := cel.Worth(o, "", c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || want.Points == 0 {
		t.Errorf("%d points (-plain +cel):\n%s", want.Points, diff)
	}
}

// Counts of allocations are the same on every machine.
func TestRulesAllocateLittle(t *testing.T) {
	o, c := basket()
	for name, most := range map[string]float64{"plain": 16, "cel": 400} {
		terms, err := rulesOf(name == "cel")
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { terms.Worth(o, "", c) }); n > most {
			t.Errorf("%s: %.0f allocations for an order, at most %.0f", name, n, most)
		}
	}
}

func BenchmarkRules(b *testing.B) {
	o, c := basket()
	for _, form := range []string{"plain", "cel"} {
		b.Run(form, func(b *testing.B) {
			terms, err := rulesOf(form == "cel")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := terms.Worth(o, "", c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
