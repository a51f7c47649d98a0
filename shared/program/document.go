// Package program reads a program document: the merchant's rules as data.
// It parses, fills in defaults, refuses what cannot hold (path, value,
// reason) and compiles the rest into loyalty.Terms. It does not decide about
// points (package loyalty) and does not store documents (package table).
//
// The README beside this file lists every setting with its default.
package program

import (
	"encoding/json"

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

	WeekStarts   string        `json:"week_starts"` // a weekday in English
	Tiers        *Tiers        `json:"tiers,omitempty"`
	Wallets      []Wallet      `json:"wallets,omitempty"`
	Rewards      []Reward      `json:"rewards,omitempty"`
	Achievements []Achievement `json:"achievements,omitempty"`
	Automatic    []Automatic   `json:"automatic_rewards,omitempty"`
	Plans        []Plan        `json:"plans,omitempty"`
	Cards        *Cards        `json:"cards,omitempty"`
	Partners     []Partner     `json:"partners,omitempty"`
	Leaderboards []Leaderboard `json:"leaderboards,omitempty"`
	Rollout      *Rollout      `json:"rollout,omitempty"`
	Goal         *Goal         `json:"goal,omitempty"`

	Referral *Referral `json:"referral,omitempty"`

	Acknowledge []string `json:"acknowledge,omitempty"` // warnings that do not keep the document from being published
}

// Text is a name by language code, {"en": "Happy hour", "he": "..."}.
type Text map[string]string

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

// Rule is one earning rule. It gives exactly one of Rate, Multiplier, Points,
// Every and PunchCard.
type Rule struct {
	ID   string `json:"id"`
	Name Text   `json:"name,omitempty"`
	On   string `json:"on"` // order | activity

	Rate       *Rate      `json:"rate,omitempty"`
	Multiplier string     `json:"multiplier,omitempty"` // decimal, "1.25"
	Points     int64      `json:"points,omitempty"`     // once per order or activity
	Every      *Rate      `json:"every,omitempty"`      // points each time that so much is spent, over all orders; the rest is carried over
	PunchCard  *PunchCard `json:"punch_card,omitempty"`

	Activity string  `json:"activity,omitempty"` // the type of activity
	Wallet   string  `json:"wallet,omitempty"`   // where it pays to; points when left out
	Where    *Where  `json:"where,omitempty"`
	When     string  `json:"when,omitempty"` // an expression
	During   *During `json:"during,omitempty"`
	Priority int     `json:"priority,omitempty"`
	Group    string  `json:"group,omitempty"`
	Limit    *Limit  `json:"limit,omitempty"`
	Budget   int64   `json:"budget,omitempty"`
	Cooldown string  `json:"cooldown,omitempty"` // ISO 8601
}

// PunchCard gives a reward for every Size pieces.
type PunchCard struct {
	Size   int64  `json:"size"`
	When   string `json:"when,omitempty"`
	Reward string `json:"reward"`
}

// Where is what a rule asks for as plain data; of each list one has to be met.
type Where struct {
	SKUs        []string            `json:"skus,omitempty"`
	Categories  []string            `json:"categories,omitempty"`
	Collections []string            `json:"collections,omitempty"`
	Stores      []string            `json:"stores,omitempty"`
	Regions     []string            `json:"regions,omitempty"`
	Channels    []string            `json:"channels,omitempty"`
	Tiers       []string            `json:"tiers,omitempty"`
	Segments    []string            `json:"segments,omitempty"`
	Sources     []string            `json:"sources,omitempty"` // where the order was told from: a partner's till, a shop
	Attributes  map[string][]string `json:"attributes,omitempty"`
	OrderNumber *Span               `json:"order_number,omitempty"`
	Amount      int64               `json:"minimum_amount,omitempty"`   // minor units
	Quantity    int64               `json:"minimum_quantity,omitempty"` // pieces
}

// Span is from one number to another, both within; 0 is no bound.
type Span struct {
	From int64 `json:"from,omitempty"`
	To   int64 `json:"to,omitempty"`
}

// Limit bounds what one member gets by a rule in a period of the calendar.
type Limit struct {
	Times  int64  `json:"times,omitempty"`
	Points int64  `json:"points,omitempty"`
	Per    string `json:"per,omitempty"` // ISO 8601; ever when left out
}

// Rate gives Points points for every Amount minor units.
type Rate struct {
	Points int64 `json:"points"`
	Amount int64 `json:"amount"`
}

// During is when a rule applies, by the clocks and the calendar of the
// program's zone. All that is given has to hold.
type During struct {
	Dates    []string `json:"dates,omitempty"` // YYYY-MM-DD
	From     string   `json:"from,omitempty"`  // the first day
	Until    string   `json:"until,omitempty"` // the last day
	Weekdays []string `json:"weekdays,omitempty"`
	Hours    []Hours  `json:"hours,omitempty"`
}

// Hours are from one time of the day to another, the latter not within. To
// at or before From is on the next day.
type Hours struct {
	From string `json:"from"` // HH:MM
	To   string `json:"to"`
}

// Tiers are the levels of members.
type Tiers struct {
	QualifyBy loyalty.Measure   `json:"qualify_by"`
	Window    string            `json:"window"`   // ISO 8601 in months or more; "none": ever
	Validity  string            `json:"validity"` // ISO 8601
	Grace     string            `json:"grace"`    // ISO 8601
	Warning   string            `json:"warning"`  // ISO 8601
	Downgrade loyalty.Downgrade `json:"downgrade"`
	Crossing  loyalty.Crossing  `json:"crossing"`
	Levels    []Level           `json:"levels"`
}

// UnmarshalJSON fills in defaults.
func (t *Tiers) UnmarshalJSON(b []byte) error {
	type plain Tiers
	p := plain{QualifyBy: loyalty.ByBasePoints, Window: "P12M", Validity: "P12M", Grace: "P0D", Warning: "P30D", Downgrade: loyalty.AtPeriodEnd, Crossing: loyalty.TierBefore}
	if err := strict.Decode(b, &p); err != nil {
		return err
	}
	*t = Tiers(p)
	return nil
}

// Level is one tier, lowest first.
type Level struct {
	ID         string           `json:"id"`
	Name       Text             `json:"name,omitempty"`
	From       int64            `json:"from"`
	Multiplier string           `json:"multiplier,omitempty"`
	Benefits   loyalty.Benefits `json:"benefits,omitempty"`
}

// Wallet is a currency of value beside points, in minor units of money.
type Wallet struct {
	ID     string `json:"id"`
	Name   Text   `json:"name,omitempty"`
	Kind   string `json:"kind"` // cashback: can be paid out | bonus: can only be spent
	Expiry Expiry `json:"expiry"`
	Payout int64  `json:"minimum_payout,omitempty"` // minor units
}

// UnmarshalJSON fills in defaults: what is money does not expire unless said.
func (w *Wallet) UnmarshalJSON(b []byte) error {
	type plain Wallet
	p := plain{Expiry: Expiry{Never: true}}
	if err := strict.Decode(b, &p); err != nil {
		return err
	}
	*w = Wallet(p)
	return nil
}

// Reward is what vouchers are for.
type Reward struct {
	ID    string `json:"id"`
	Name  Text   `json:"name,omitempty"`
	Lasts string `json:"lasts,omitempty"` // ISO 8601, of a voucher; without end when left out
}

// Achievement is a goal: so many orders, pieces, stores or activities, or so
// much spent, or periods in a row.
type Achievement struct {
	ID       string           `json:"id"`
	Name     Text             `json:"name,omitempty"`
	Count    loyalty.Counting `json:"count"`
	Activity string           `json:"activity,omitempty"`
	Streak   string           `json:"streak,omitempty"` // ISO 8601
	Reach    int64            `json:"reach"`
	Repeat   bool             `json:"repeat,omitempty"`
	Points   int64            `json:"points,omitempty"`
	Reward   string           `json:"reward,omitempty"`
	Badge    bool             `json:"badge,omitempty"`
	Where    *Where           `json:"where,omitempty"`
	When     string           `json:"when,omitempty"`
	During   *During          `json:"during,omitempty"`
}

// Automatic is a reward at the end of every period for average use.
type Automatic struct {
	ID       string    `json:"id"`
	Name     Text      `json:"name,omitempty"`
	Every    string    `json:"every"`         // ISO 8601, whole months
	Average  string    `json:"average_per"`   // ISO 8601, whole months
	Within   string    `json:"choose_within"` // ISO 8601
	Brackets []Bracket `json:"brackets"`
}

// UnmarshalJSON fills in defaults.
func (a *Automatic) UnmarshalJSON(b []byte) error {
	type plain Automatic
	p := plain{Every: "P6M", Average: "P1M", Within: "P30D"}
	if err := strict.Decode(b, &p); err != nil {
		return err
	}
	*a = Automatic(p)
	return nil
}

// Bracket is what an average of From minor units or more gives.
type Bracket struct {
	From    int64    `json:"from"`
	Choices []Choice `json:"choices"` // the first is given when none is chosen
}

// Choice is one reward that a member can choose.
type Choice struct {
	ID     string `json:"id"`
	Name   Text   `json:"name,omitempty"`
	Wallet string `json:"wallet,omitempty"` // of Points; points when left out
	Points int64  `json:"points,omitempty"`
	Reward string `json:"reward,omitempty"` // a voucher for it
}

// Plan is a paid membership or a subscription.
type Plan struct {
	ID       string           `json:"id"`
	Name     Text             `json:"name,omitempty"`
	Activity string           `json:"activity"`            // begins and renews it
	EndsWith string           `json:"ends_with,omitempty"` // an activity that ends it at once
	Lasts    string           `json:"lasts"`               // ISO 8601
	Tier     string           `json:"tier,omitempty"`
	Benefits loyalty.Benefits `json:"benefits,omitempty"`
}

// Cards is what whoever shows a card has, also before it is anybody's.
type Cards struct {
	Benefits loyalty.Benefits `json:"benefits"`
}

// Partner is another business of a coalition. Orders from its sources earn
// and burn at its expense and ours; both settle by the month.
type Partner struct {
	ID       string    `json:"id"`
	Name     Text      `json:"name,omitempty"`
	Sources  []string  `json:"sources"`
	Settle   Rate      `json:"settle"`             // what Points points are worth between us and the partner, minor units
	Exchange *Exchange `json:"exchange,omitempty"` // points for the partner's own units, such as miles
}

// Exchange gives Units of a partner for Points points, rounded down.
type Exchange struct {
	Points  int64  `json:"points"`
	Units   int64  `json:"units"`
	Unit    string `json:"unit"`              // what they are called: miles
	Minimum int64  `json:"minimum,omitempty"` // points in one exchange
}

// Leaderboard ranks members by what they came to in a period.
type Leaderboard struct {
	ID     string           `json:"id"`
	Name   Text             `json:"name,omitempty"`
	Per    string           `json:"per"` // ISO 8601, of the calendar
	Count  loyalty.Counting `json:"count"`
	Where  *Where           `json:"where,omitempty"`
	When   string           `json:"when,omitempty"`
	Prizes []Prize          `json:"prizes,omitempty"`
}

// Prize is what the members of the ranks From to To have when a period ends.
type Prize struct {
	From   int64 `json:"from"`
	To     int64 `json:"to"`
	Points int64 `json:"points"`
}

// Goal is what the program is for: one number to look at, and the one reason
// that members are given to come back.
type Goal struct {
	KPI    string `json:"kpi"`
	Target string `json:"target"` // decimal, 0 to 1
	Reason Text   `json:"reason,omitempty"`
}

// Rollout says for whom a version is. The others keep the version before.
type Rollout struct {
	Stores  []string `json:"stores,omitempty"`
	Regions []string `json:"regions,omitempty"`
	Percent int64    `json:"percent,omitempty"` // of members, always the same ones
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
	var word string
	if json.Unmarshal(b, &word) == nil && len(b) > 0 && b[0] == '"' {
		refused := loyalty.Malformed("/", word, "must be none or an object")
		if near := strict.Nearest(word, []string{"none"}); near != "" {
			refused.Details["nearest"] = near
		}
		return refused
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
		WeekStarts: "monday",
		Hold:       Hold{Timeout: "PT15M"},
		Redemption: Redemption{Minimum: 1, MaxShare: "1", RestoreGrace: "P30D"},
	}
}

// Expressions compiles the text of a `when`. The error says why it cannot be one.
type Expressions interface {
	Compile(text string) (loyalty.Condition, error)
}

// Parse reads a document in JSON and fills in defaults. The error is a
// *loyalty.Error with path, value, reason and, where a name is not known, the
// nearest that is. Without Expressions those in the document are not looked at.
func Parse(doc []byte, x Expressions) (Document, error) {
	d, version, err := ParseVersioned(doc, x)
	if err == nil && version != 0 {
		err = loyalty.Malformed("/version", "", "unknown key")
	}
	return d, err
}

// ParseVersioned is Parse for a document that may say which version it was
// changed from, as `version`; 0 when it does not.
func ParseVersioned(doc []byte, x Expressions) (Document, int64, error) {
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
	if _, err := d.Compile(0, x); err != nil {
		return Document{}, 0, err
	}
	if err := d.parity(); err != nil {
		return Document{}, 0, err
	}
	return d, in.Version, nil
}
