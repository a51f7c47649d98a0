package yaml_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/yaml"
)

// A document in YAML becomes JSON or is refused, and a program says the same
// in both.
func FuzzYAML(f *testing.F) {
	for _, doc := range []string{
		"", "{}", "currency: ILS", "currency: &x ILS\nshop: *x", "<<: {a: 1}", "? a", "a: !!binary aGk=", "a: 2026-03-15", "a: 0x10", "a: 1_000", "a: .inf", "a: 1e400", "a: ~", "--- {}\n--- {}", "a: |\n  b", "\xff", "\ufeffa: b",
		"earning:\n  pending: P14D\n  rules:\n    - {id: base, on: order, rate: {points: 1, amount: 100}}\n    - {id: double-day, on: order, multiplier: \"2\", during: {dates: [2027-03-26]}}\n",
		"expiry: none\nexchange: {USD: \"3.7\"}\nredemption: {minimum: 50, max_share_of_order: \"0.5\"}", "version: 3", "tiers: {}", "- a\n- b", "[[[[[[]]]]]]", "a: {b: {c: {d: }}}",
	} {
		f.Add([]byte(doc))
	}
	shown := func(err error) bool {
		var e *loyalty.Error
		return errors.As(err, &e) && (e.Kind == loyalty.Invalid || e.Kind == loyalty.Refused || e.Kind == loyalty.TooLarge)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		raw, err := yaml.ToJSON("application/yaml", body)
		if err != nil {
			if !shown(err) {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		if !json.Valid(raw) {
			t.Fatalf("%q becomes %q", body, raw)
		}
		doc, _, err := program.ParseVersioned(raw, nil)
		if err != nil {
			if !shown(err) {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		full, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		raw, err = yaml.ToJSON("application/yaml", full) // JSON is YAML
		if err != nil {
			t.Fatalf("%s is not read as YAML: %v", full, err)
		}
		again, err := program.Parse(raw, nil)
		if err != nil {
			t.Fatalf("%s is not taken as YAML: %v", full, err)
		}
		same, err := json.Marshal(again)
		if diff := cmp.Diff(string(full), string(same)); err != nil || diff != "" {
			t.Errorf("%q reads back as another document: %v\n%s", body, err, diff)
		}
	})
}
