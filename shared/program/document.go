// Package program reads a program document: the merchant's rules as data.
// It parses, fills in defaults, refuses what cannot hold (path, value,
// reason) and compiles the rest into loyalty.Terms. It does not decide about
// points (package loyalty) and does not store documents (package table).
//
// The README beside this file lists every setting with its default.
package program

import (
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// Document is the program document as its author wrote it, defaults filled in.
type Document struct {
	Currency   string            `json:"currency"`
	TimeZone   string            `json:"time_zone"`
	Languages  []string          `json:"languages"`
	Shop       Shop              `json:"shop,omitzero"`
	PointValue PointValue        `json:"point_value"`
	Earning    Earning           `json:"earning"`
	Expiry     Expiry            `json:"expiry"`
	Clawback   loyalty.Policy    `json:"clawback"`
	Hold       Hold              `json:"hold"`
	Redemption Redemption        `json:"redemption"`
	Exchange   map[string]string `json:"exchange,omitempty"` // currency -> what one of it is worth in Currency, e.g. {"USD": "3.70"}

	// What later parts of the system use. Refused until then, not ignored.
	Tiers    jsontext.Value `json:"tiers,omitempty"`
	Referral jsontext.Value `json:"referral,omitempty"`
}

// Shop is where the shop is on the web.
type Shop struct {
	URL string `json:"url,omitempty"`
}

// PointValue says that Points points pay Amount minor units.
type PointValue struct {
	Points int64 `json:"points"`
	Amount int64 `json:"amount"`
}

// Earning says what an order earns.
type Earning struct {
	Basis    string           `json:"basis"`    // net | goods
	When     loyalty.State    `json:"when"`     // paid | fulfilled
	Rounding loyalty.Rounding `json:"rounding"` // floor | half_up | ceil
	Stacking loyalty.Stacking `json:"stacking"` // best | add | multiply
	Pending  string           `json:"pending"`  // ISO 8601
	Rules    []Rule           `json:"rules"`
}

// Rule is one earning rule: a rate or a multiplier, always or on some dates.
type Rule struct {
	ID         string  `json:"id"`
	On         string  `json:"on"` // order
	Rate       *Rate   `json:"rate,omitempty"`
	Multiplier string  `json:"multiplier,omitempty"` // decimal, "1.25"
	During     *During `json:"during,omitempty"`

	Activity  jsontext.Value `json:"activity,omitempty"`
	Points    jsontext.Value `json:"points,omitempty"`
	Limit     jsontext.Value `json:"limit,omitempty"`
	PunchCard jsontext.Value `json:"punch_card,omitempty"`
	When      jsontext.Value `json:"when,omitempty"`
}

// Rate gives Points points for every Amount minor units.
type Rate struct {
	Points int64 `json:"points"`
	Amount int64 `json:"amount"`
}

// During limits a rule to whole days of the program's zone.
type During struct {
	Dates []string `json:"dates"` // YYYY-MM-DD
}

// Expiry says how long points live. In a document it may also be "none".
type Expiry struct {
	Never bool          `json:"-"`
	After string        `json:"after"` // ISO 8601
	To    loyalty.EndOf `json:"to_end_of"`
}

// UnmarshalJSON takes an object or the word none.
func (e *Expiry) UnmarshalJSON(b []byte) error {
	if string(b) == `"none"` {
		*e = Expiry{Never: true}
		return nil
	}
	type plain Expiry
	p := plain(defaults().Expiry)
	if err := strict.Decode(b, &p); err != nil {
		return err
	}
	*e = Expiry(p)
	return nil
}

// MarshalJSON is the inverse of UnmarshalJSON.
func (e Expiry) MarshalJSON() ([]byte, error) {
	if e.Never {
		return []byte(`"none"`), nil
	}
	type plain Expiry
	return json.Marshal(plain(e))
}

// Hold says how long points stay held.
type Hold struct {
	Timeout string `json:"timeout"` // ISO 8601
}

// Redemption limits what points may pay.
type Redemption struct {
	Minimum      int64  `json:"minimum"`            // points
	MaxShare     string `json:"max_share_of_order"` // decimal, 0 to 1
	RestoreGrace string `json:"restore_grace"`      // ISO 8601
}

// defaults is the document of a program that says nothing.
func defaults() Document {
	return Document{
		Currency: "ILS", TimeZone: "Asia/Jerusalem", Languages: []string{"en", "he", "ar", "fa"},
		PointValue: PointValue{Points: 100, Amount: 500},
		Earning: Earning{
			Basis: "net", When: loyalty.Paid, Rounding: loyalty.Floor, Stacking: loyalty.StackBest, Pending: "P0D",
			Rules: []Rule{{ID: "base", On: "order", Rate: &Rate{Points: 1, Amount: 100}}},
		},
		Expiry:     Expiry{After: "P12M", To: loyalty.EndOfDay},
		Clawback:   loyalty.Debt,
		Hold:       Hold{Timeout: "PT15M"},
		Redemption: Redemption{Minimum: 1, MaxShare: "1", RestoreGrace: "P30D"},
	}
}

// Parse reads a document in JSON and fills in defaults. The error is a
// *loyalty.Error with path, value and reason.
func Parse(doc []byte) (Document, error) {
	d, version, err := ParseVersioned(doc)
	if err == nil && version != 0 {
		err = loyalty.Malformed("/version", "", "unknown key")
	}
	return d, err
}

// ParseVersioned is Parse for a document that may say which version it was
// changed from, as `version`; 0 when it does not.
func ParseVersioned(doc []byte) (Document, int64, error) {
	in := struct {
		Version int64 `json:"version"`
		Document
	}{Document: defaults()}
	in.Earning.Rules = nil
	if err := strict.Decode(doc, &in); err != nil {
		return Document{}, 0, err
	}
	d := in.Document
	if d.Earning.Rules == nil {
		d.Earning.Rules = defaults().Earning.Rules
	}
	if _, err := d.Compile(0); err != nil {
		return Document{}, 0, err
	}
	return d, in.Version, nil
}
