package strict_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

type target struct {
	Name   string            `json:"name"`
	Points int64             `json:"points"`
	Map    map[string]string `json:"map"`
	List   []target          `json:"list"`
}

func TestWhatIsRefused(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"list":[`, n/2) + strings.Repeat(`]}`, n/2) }
	for name, c := range map[string]struct{ body, path string }{
		"duplicate key":            {`{"points": 1, "points": 2}`, "/points"},
		"case variant":             {`{"points": 1, "Points": 2}`, "/Points"},
		"unicode case variant":     {`{"points": 1, "point` + "ſ" + `": 2}`, "/pointſ"},
		"duplicate in a map":       {`{"map": {"a": "1", "A": "2"}}`, "/map/A"},
		"unknown key":              {`{"tier": "gold"}`, "/tier"},
		"unknown key deep":         {`{"list": [{}, {"tier": 1}]}`, "/list/1/tier"},
		"beyond 64 bits":           {`{"points": 9223372036854775808}`, "/points"},
		"fraction":                 {`{"points": 1.5}`, "/points"},
		"exponent beyond anything": {`{"points": 1e400}`, "/points"},
		"string for a number":      {`{"points": "1"}`, "/points"},
		"number for a string":      {`{"name": 1}`, "/name"},
		"too deep":                 {deep(66), ""},
		"far too deep":             {deep(100000), ""},
		"invalid UTF-8":            {"{\"name\": \"\xff\"}", ""},
		"lone surrogate":           {`{"name": "\ud800"}`, ""},
		"byte order mark":          {"\ufeff{}", ""},
		"nothing":                  {``, ""},
		"two values":               {`{} {}`, ""},
		"not closed":               {`{"name": "a"`, ""},
		"NaN":                      {`{"points": NaN}`, ""},
		"trailing comma":           {`{"points": 1,}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var v target
			err := strict.Decode([]byte(c.body), &v)
			var e *loyalty.Error
			if !errors.As(err, &e) || e.Kind != loyalty.Invalid || e.Details["reason"] == "" {
				t.Fatalf("%v", err)
			}
			if c.path != "" && e.Details["path"] != c.path {
				t.Errorf("path %v, want %s (%s)", e.Details["path"], c.path, e.Detail)
			}
		})
	}
}

// What is refused is not repeated at length.
func TestATimeThatIsNone(t *testing.T) {
	var v struct {
		At *time.Time `json:"at"`
	}
	err := strict.Decode([]byte(`{"at": "`+strings.Repeat("\u2028", 2000)+`"}`), &v)
	var e *loyalty.Error
	if !errors.As(err, &e) || e.Details["reason"] != "must be a time such as 2027-03-26T12:00:00Z" || len(e.Detail) > 200 {
		t.Errorf("%.500v", err)
	}
}

func TestWhatIsTaken(t *testing.T) {
	var v target
	if err := strict.Decode([]byte(`{"name": "نورا \u05d0", "points": 9007199254740993, "list": [{}]}`), &v); err != nil || v.Points != 9007199254740993 || v.Name != "نورا א" {
		t.Errorf("%+v %v", v, err)
	}
	if err := strict.DecodeLoose([]byte(`{"vendor": {"new": 1}, "points": 7}`), &v); err != nil || v.Points != 7 {
		t.Errorf("%+v %v", v, err)
	}
	if err := strict.DecodeLoose([]byte(`{"id": 1, "ID": 2}`), &v); err == nil {
		t.Error("a case variant was taken from a vendor")
	}
}
