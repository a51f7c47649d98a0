package program_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/program/slip"
)

// A document is refused for a reason that has a path, or it compiles and says
// the same when it is read again.
func FuzzParse(f *testing.F) {
	for _, doc := range documents {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, version, err := program.ParseVersioned(raw, nil)
		if err != nil {
			var e *loyalty.Error
			if !errors.As(err, &e) || e.Kind != loyalty.Invalid && e.Kind != loyalty.Refused || e.Details["path"] == "" {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		if _, err := doc.Compile(1, nil); err != nil {
			t.Errorf("%q was taken and does not compile: %v", raw, err)
		}
		full, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		again, err := program.Parse(full, nil)
		if err != nil {
			t.Fatalf("%q (version %d) is not taken as it was published: %v", raw, version, err)
		}
		same, err := json.Marshal(again)
		if diff := cmp.Diff(string(full), string(same)); err != nil || diff != "" {
			t.Errorf("%q (version %d) reads back as another document: %v\n%s", raw, version, err, diff)
		}
	})
}

// What a slip of the keyboard or of a program makes of a valid document is
// taken and reads back as itself, or is refused with path and reason; soon.
func FuzzSlips(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed, uint8(seed%5))
	}
	f.Fuzz(func(t *testing.T, seed uint64, slips uint8) {
		doc := slip.Mutate(slip.Rich, seed, 1+int(slips%5))
		from := time.Now()
		d, _, err := program.ParseVersioned(doc, nil)
		if took := time.Since(from); took > time.Second {
			t.Errorf("%s took %v", doc, took)
		}
		if err != nil {
			var e *loyalty.Error
			if !errors.As(err, &e) || e.Kind != loyalty.Invalid && e.Kind != loyalty.Refused || fmt.Sprint(e.Details["path"]) == "" || fmt.Sprint(e.Details["reason"]) == "" {
				t.Fatalf("%s: %v", doc, err)
			}
			return
		}
		full, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := program.Parse(full, nil)
		if err != nil {
			t.Fatalf("%s is not taken as it was published: %v", full, err)
		}
		same, err := json.Marshal(again)
		if diff := cmp.Diff(string(full), string(same)); err != nil || diff != "" {
			t.Errorf("%s reads back as another document: %v\n%s", doc, err, diff)
		}
	})
}

var documents = []string{
	rich, `{"tiers": null, "wallets": [null], "plans": [{}], "automatic_rewards": [{}], "achievements": [{}], "rollout": {}}`,
	`{"tiers": {"window": "none", "levels": [{"id": "a", "from": 0, "benefits": {"x": -0, "y": 1e12, "z": "…"}}]}}`, `{"wallets": [{"id": "w", "kind": "bonus", "expiry": null}]}`,
	"{}", "null", "[]", `{"version": 3}`, `{"version": -1}`, `{"currency": "JPY"}`, `{"expiry": "none"}`, `{"expiry": {"after": "P1Y", "to_end_of": "month"}}`, `{"expiry": "never"}`,
	`{"currency": "ILS", "time_zone": "Asia/Jerusalem", "languages": ["he", "en"], "shop": {"url": "https://shop.example/"}, "point_value": {"points": 100, "amount": 500},
	  "earning": {"basis": "net", "when": "fulfilled", "rounding": "half_up", "stacking": "multiply", "pending": "P14D", "rules": [
	    {"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}}, {"id": "double", "on": "order", "multiplier": "2", "during": {"dates": ["2027-03-26"]}}]},
	  "clawback": "clamp", "hold": {"timeout": "PT15M"}, "redemption": {"minimum": 50, "max_share_of_order": "0.5", "restore_grace": "P30D"}, "exchange": {"USD": "3.7"}}`,
	`{"exchange": {}}`, `{"earning": {"rules": []}}`, `{"earning": {"rules": [{"id": "a", "on": "activity"}]}}`, `{"tiers": {}}`, `{"hold": {"timeout": "P9999Y"}}`, `{"exchange": {"USD": "1e9"}}`, `{"redemption": {"max_share_of_order": "0.3333333333333333333333333"}}`,
}
