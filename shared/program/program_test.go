package program_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

func TestWhatAProgramMayNotSay(t *testing.T) {
	for doc, want := range map[string][2]string{ // path, code
		`{"currency": "XXY"}`:                             {"/currency", "invalid_program"},
		`{"currency": "ils"}`:                             {"/currency", "invalid_program"},
		`{"time_zone": "Mars/Base"}`:                      {"/time_zone", "invalid_program"},
		`{"time_zone": "../etc/passwd"}`:                  {"/time_zone", "invalid_program"},
		`{"time_zone": ""}`:                               {"/time_zone", "invalid_program"},
		`{"languages": []}`:                               {"/languages", "invalid_program"},
		`{"languages": ["he", "Hebrew"]}`:                 {"/languages/1", "invalid_program"},
		`{"shop": {"url": "shop.example"}}`:               {"/shop/url", "invalid_program"},
		`{"point_value": {"points": 0, "amount": 5}}`:     {"/point_value/points", "invalid_program"},
		`{"earning": {"rounding": "up"}}`:                 {"/earning/rounding", "invalid_program"},
		`{"earning": {"pending": "14 days"}}`:             {"/earning/pending", "invalid_program"},
		`{"earning": {"basis": "gross"}}`:                 {"/earning/basis", "invalid_program"},
		`{"earning": {"when": "placed"}}`:                 {"/earning/when", "invalid_program"},
		`{"expiry": {"after": "P0D"}}`:                    {"/expiry/after", "invalid_program"},
		`{"expiry": {"to_end_of": "week"}}`:               {"/expiry/to_end_of", "invalid_program"},
		`{"clawback": "forgive"}`:                         {"/clawback", "invalid_program"},
		`{"hold": {"timeout": "PT0S"}}`:                   {"/hold/timeout", "invalid_program"},
		`{"redemption": {"max_share_of_order": "1.1"}}`:   {"/redemption/max_share_of_order", "invalid_program"},
		`{"redemption": {"max_share_of_order": "1e400"}}`: {"/redemption/max_share_of_order", "invalid_program"},
		`{"redemption": {"minimum": 0}}`:                  {"/redemption/minimum", "invalid_program"},
		`{"exchange": {"ILS": "1"}}`:                      {"/exchange/ILS", "invalid_program"},
		`{"exchange": {"USD": "0"}}`:                      {"/exchange/USD", "invalid_program"},
		`{"earning": {"rules": [{"id": "A", "on": "order", "rate": {"points": 1, "amount": 1}}]}}`:                               {"/earning/rules/0/id", "invalid_program"},
		`{"earning": {"rules": [{"id": "a", "on": "order"}]}}`:                                                                   {"/earning/rules/0", "invalid_program"},
		`{"earning": {"rules": [{"id": "a", "on": "refund", "multiplier": "2"}]}}`:                                               {"/earning/rules/0/on", "invalid_program"},
		`{"earning": {"rules": [{"id": "a", "on": "order", "multiplier": "0.5"}]}}`:                                              {"/earning/rules/0/multiplier", "invalid_program"},
		`{"earning": {"rules": [{"id": "a", "on": "order", "multiplier": "2", "during": {"dates": ["2027-02-30"]}}]}}`:           {"/earning/rules/0/during/dates/0", "invalid_program"},
		`{"earning": {"rules": [{"id": "a", "on": "order", "multiplier": "2"}, {"id": "a", "on": "order", "multiplier": "2"}]}}`: {"/earning/rules/1/id", "invalid_program"},
		`{"tiers": {"levels": []}}`: {"/tiers", "not_supported_yet"},
		`{"referral": {}}`:          {"/referral", "not_supported_yet"},
		`{"earning": {"rules": [{"id": "a", "on": "activity", "activity": "own_cup", "points": 10}]}}`: {"/earning/rules/0/activity", "not_supported_yet"},
		`{"earning": {"rules": [{"id": "a", "on": "order", "punch_card": {"size": 10}}]}}`:             {"/earning/rules/0/punch_card", "not_supported_yet"},
		`{"curency": "ILS"}`:                     {"/curency", "invalid_request"},
		`{"currency": "ILS", "Currency": "USD"}`: {"/Currency", "invalid_request"},
		`{"redemption": {"minimum": 1.5}}`:       {"/redemption/minimum", "invalid_request"},
		`[]`:                                     {"/", "invalid_request"},
	} {
		t.Run(doc, func(t *testing.T) {
			_, err := program.Parse([]byte(doc), nil)
			var e *loyalty.Error
			if !errors.As(err, &e) {
				t.Fatalf("taken, or not explained: %v", err)
			}
			if e.Code != want[1] || e.Details["path"] != want[0] || e.Details["reason"] == "" {
				t.Errorf("%s %v", e.Code, e.Details)
			}
		})
	}
}

// A stored document reads back as it was, every default written out.
func TestDocumentsKeepTheirMeaning(t *testing.T) {
	for _, doc := range []string{`{}`, `{"expiry": "none"}`, `{"expiry": {"after": "P6M"}}`, `{"earning": {"rules": []}, "exchange": {"USD": "3.7"}, "clawback": "clamp"}`} {
		d, err := program.Parse([]byte(doc), nil)
		if err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := program.Parse(raw, nil)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Errorf("%s: %s", doc, diff)
		}
	}
}
