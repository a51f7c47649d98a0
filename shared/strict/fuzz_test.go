package strict_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// What is taken is what the standard decoder reads too, and reads back as
// itself; what is refused is told by path and reason.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"name": "a", "points": 7, "map": {"a": "1"}, "list": [{}]}`, `{"points": 1, "Points": 2}`, `{"map": {"k": "1", "K": "2"}}`, `{"list": [[[[]]]]}`,
		`{"points": 9223372036854775808}`, `{"points": 1e2}`, `{"points": -0}`, `{"name": "\ud800"}`, `null`, `{"name": null}`, "\ufeff{}", `{}{}`, ` {} `,
	} {
		f.Add([]byte(s))
	}
	files, err := filepath.Glob("../../../shared/data/badinput/JSONTestSuite/test_parsing/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files { // beside the repository or not there
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 10_000 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v, loose, same, again target
		err := strict.Decode(body, &v)
		if e := (*loyalty.Error)(nil); err != nil && (!errors.As(err, &e) || e.Kind != loyalty.Invalid || e.Details["path"] == "" || e.Details["reason"] == "") {
			t.Fatalf("%q: %v", body, err)
		}
		if looseErr := strict.DecodeLoose(body, &loose); err != nil || looseErr != nil {
			if err == nil {
				t.Errorf("%q is taken, but not where unknown keys are: %v", body, looseErr)
			}
			return
		}
		if diff := cmp.Diff(v, loose); diff != "" {
			t.Errorf("%q is taken in two ways:\n%s", body, diff)
		}
		if err := json.Unmarshal(body, &same); err != nil || !cmp.Equal(v, same) {
			t.Errorf("%q is %+v, and %+v to the standard decoder (%v)", body, v, same, err)
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := strict.Decode(out, &again); err != nil || !cmp.Equal(v, again) {
			t.Errorf("%q reads back as %+v (%v)", out, again, err)
		}
	})
}
