package members

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bojanz/currency"

	"regulars/shared/loyalty"
	"regulars/shared/refresh"
	"regulars/shared/segment"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Shape is a member as the API shows it.
type Shape struct {
	ID            string            `json:"id"`
	ExternalIDs   map[string]string `json:"external_ids"`
	Email         string            `json:"email"`
	EmailVerified bool              `json:"email_verified"`
	Phone         string            `json:"phone"`
	PhoneVerified bool              `json:"phone_verified"`
	Name          string            `json:"name"`
	Language      string            `json:"language"`
	BirthDate     *table.Birth      `json:"birth_date"`
	Consents      map[string]bool   `json:"consents"`
	Attributes    map[string]string `json:"attributes"`
	Guest         bool              `json:"guest"` // came with an order, did not enrol
	Points        Points            `json:"points"`
	Wallets       map[string]Wallet `json:"wallets"` // beside points, by their ids
	Tier          *Tier             `json:"tier"`    // null: the program has none
	Goals         []Goal            `json:"goals"`
	Badges        []string          `json:"badges"`
	Plans         []Plan            `json:"plans"`   // memberships that run
	Choices       []Offer           `json:"choices"` // rewards that wait for the member's choice
	Segments      []string          `json:"segments"`
	RFM           *RFM              `json:"rfm"`      // null: never bought, or no run has finished yet
	PActive       *float64          `json:"p_active"` // null: never bought, or there is no model
	CLV           *CLV              `json:"clv"`      // null as p_active
	CreatedAt     time.Time         `json:"created_at"`
	Version       int64             `json:"version"`
}

// Points is what a member has now.
type Points struct {
	Available int64      `json:"available"`
	Pending   int64      `json:"pending"`
	Held      int64      `json:"held"`
	Debt      int64      `json:"debt"`
	Expiring  []Expiring `json:"expiring"`
}

// Expiring is how many points die at an instant.
type Expiring struct {
	At     time.Time `json:"at"`
	Points int64     `json:"points"`
}

// Wallet is what a member has of a wallet, in minor units.
type Wallet struct {
	Points
	Withdrawable int64 `json:"withdrawable"` // of what is available
}

// Tier is where a member stands.
type Tier struct {
	ID         *string    `json:"id"` // null: none yet
	Qualifying int64      `json:"qualifying"`
	Until      *time.Time `json:"until"` // when it is looked at again; null: when something changes
	Next       *Next      `json:"next"`  // null: there is no higher one
}

// Next is the next tier, and what is missing to it.
type Next struct {
	ID      string `json:"id"`
	Missing int64  `json:"missing"`
}

// Goal is how far a member is with a punch card, a threshold or an achievement.
type Goal struct {
	ID    string `json:"id"`
	Have  int64  `json:"have"` // toward the next reward; below zero after a refund of what was rewarded and used
	Reach int64  `json:"reach"`
	Given int64  `json:"given"` // rewards so far
}

// Plan is a membership that runs.
type Plan struct {
	ID    string    `json:"id"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// RFM is a member's score by the cuts of the newest run, and its name.
type RFM struct {
	segment.RFM
	Group string `json:"group"`
}

// CLV is what a member is expected to spend from the instant of the newest run
// on, discounted: estimates, as plain numbers of the currency (412.5 is 412.50),
// unlike money, which is whole minor units. Purchases are days with one that are
// expected in 365 days.
type CLV struct {
	Days90    float64 `json:"days_90"`
	Days365   float64 `json:"days_365"`
	Purchases float64 `json:"purchases"`
	Currency  string  `json:"currency"`
}

// Offer is a reward that waits for the member's choice.
type Offer struct {
	ID      string    `json:"id"` // of the automatic reward
	Until   time.Time `json:"until"`
	Average int64     `json:"average"` // of the period it is for, minor units
	Choices []Choice  `json:"choices"` // the first is given when none is chosen
}

// Choice is one of them.
type Choice struct {
	ID     string `json:"id"`
	Wallet string `json:"wallet,omitempty"`
	Points int64  `json:"points,omitempty"`
	Reward string `json:"reward,omitempty"`
}

// show reads a member for an answer. One that was merged is shown as the
// member it was merged into.
func (h *Handler) show(tx *table.Tx, a *loyalty.Account) (Shape, error) {
	p, version, err := tx.Profile(a.Member)
	if err != nil {
		return Shape{}, err
	}
	return h.shape(tx, p, version, a)
}

func (h *Handler) shape(tx *table.Tx, p *table.Profile, version int64, a *loyalty.Account) (Shape, error) {
	t, err := tx.TermsOfMember(p.Member)
	if err != nil {
		return Shape{}, err
	}
	now := h.Gate.Clock()
	a = a.AsOf(now, t)
	s := Shape{
		ID: "mem_" + p.Member, ExternalIDs: map[string]string{}, Email: p.Email, EmailVerified: p.EmailVerified, Phone: p.Phone, PhoneVerified: p.PhoneVerified,
		Name: p.Name, Language: p.Language, Consents: map[string]bool{"email": false, "sms": false, "call": false}, Attributes: map[string]string{}, Guest: p.Guest,
		Points: pointsOf(a.BalanceAt(now, t)), Wallets: map[string]Wallet{}, Tier: tierOf(a, t, now),
		Goals: []Goal{}, Badges: []string{}, Plans: []Plan{}, Choices: []Offer{}, Segments: []string{},
		CreatedAt: web.Instant(p.CreatedAt), Version: version,
	}
	for source, id := range p.External {
		s.ExternalIDs[source] = id
	}
	for channel, yes := range p.Consents {
		s.Consents[channel] = yes
	}
	for name, value := range p.Attributes {
		s.Attributes[name] = value
	}
	if p.Birth != (table.Birth{}) {
		s.BirthDate = &p.Birth
	}
	for _, g := range a.Toward(t) {
		s.Goals = append(s.Goals, Goal{g.Goal, g.Have, g.Reach, g.Given})
		if g.Badge && g.Given > 0 {
			s.Badges = append(s.Badges, g.Goal)
		}
	}
	for _, m := range a.Memberships {
		s.Plans = append(s.Plans, Plan{m.ID, web.Instant(m.Since), web.Instant(m.Until)})
	}
	s.Choices = append(s.Choices, offersOf(a, t)...)
	s.Segments = append(s.Segments, a.Segments...)
	return s, errors.Join(estimate(tx, a, &s), walletsOf(tx, a, t, now, &s))
}

// estimate says what the newest run's cuts make of what a member bought.
func estimate(tx *table.Tx, a *loyalty.Account, s *Shape) error {
	kept, err := tx.Cuts()
	if kept == nil || err != nil || a.Purchases.Days() == 0 {
		return err
	}
	var c refresh.Cuts
	if err := json.Unmarshal(kept.JSON, &c); err != nil {
		return fmt.Errorf("the cuts of run %s: %w", kept.Run, err)
	}
	e := c.Of(&a.Purchases, a.Orders)
	if group := e.RFM.Group(); group != "" {
		s.RFM = &RFM{e.RFM, group}
	}
	s.PActive = e.Active
	if v := e.Value; v != nil {
		digits, _ := currency.GetDigits(c.Currency) // a program's currency is a known one
		unit := math.Pow10(int(digits))
		s.CLV = &CLV{v.Days90 / unit, v.Days365 / unit, v.Purchases, c.Currency}
	}
	return nil
}

func pointsOf(b loyalty.Balance) Points {
	p := Points{b.Available, b.Pending, b.Held, b.Debt, []Expiring{}}
	for _, e := range b.Expiring {
		p.Expiring = append(p.Expiring, Expiring{web.Instant(e.Expires), e.Points})
	}
	return p
}

func walletsOf(tx *table.Tx, a *loyalty.Account, t *loyalty.Terms, now time.Time, s *Shape) error {
	for _, id := range a.Wallets {
		tx.OneMoment()
		w, err := tx.WalletAccount(a.Member, id)
		if err != nil {
			return err
		}
		in, known := t.In(id)
		shown := Wallet{Points: pointsOf(w.BalanceAt(now, in))}
		if known && t.Wallet(id).Withdrawable { // else the program has it no more, the member still does
			shown.Withdrawable = max(0, shown.Available)
		}
		s.Wallets[id] = shown
	}
	return nil
}

func tierOf(a *loyalty.Account, t *loyalty.Terms, now time.Time) *Tier {
	if t.Tiers == nil {
		return nil
	}
	out := &Tier{Qualifying: a.Qualifying(now, t)}
	if id := a.Tier(now, t); id != "" {
		out.ID = &id
	}
	if a.Standing.Until > 0 {
		at := web.Instant(a.Standing.Until)
		out.Until = &at
	}
	if l, missing, ok := a.NextLevel(now, t); ok {
		out.Next = &Next{l, missing}
	}
	return out
}

func offersOf(a *loyalty.Account, t *loyalty.Terms) []Offer {
	var out []Offer
	for _, o := range a.Offers(t) {
		shown := Offer{ID: o.Bonus, Until: web.Instant(o.Until), Average: o.Average, Choices: []Choice{}}
		for _, c := range o.Choices {
			shown.Choices = append(shown.Choices, Choice{c.ID, c.Wallet, c.Points, c.Reward})
		}
		out = append(out, shown)
	}
	return out
}
