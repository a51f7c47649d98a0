package loyalty

import (
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Partner is another business of a coalition: members earn and spend points
// in its shops too, and the two of us settle by the month.
type Partner struct {
	ID       string
	Sources  []string // where its orders are told from
	Settle   Price    // what points are worth between us, minor units
	Exchange *Swap    // nil: none
}

// Swap gives Units of a partner's own currency for Points points.
type Swap struct {
	Points, Units int64
	Unit          string
	Least         int64 // points in one exchange
}

// PartnerOf is the partner in whose shops a source's orders are; nil for our own.
func (t *Terms) PartnerOf(source string) *Partner {
	for i := range t.Partners {
		if slices.Contains(t.Partners[i].Sources, source) {
			return &t.Partners[i]
		}
	}
	return nil
}

// Partner is the partner of an id; nil when there is none.
func (t *Terms) Partner(id string) *Partner {
	for i := range t.Partners {
		if t.Partners[i].ID == id {
			return &t.Partners[i]
		}
	}
	return nil
}

// Movement is one line of a partner's statement.
type Movement struct {
	Type   string   `cbor:"1,keyasint"` // earn, clawback, burn, restore, exchange
	Points int64    `cbor:"2,keyasint"`
	Value  int64    `cbor:"3,keyasint,omitempty"` // of a burn or a restore: what the points paid, minor units
	Units  int64    `cbor:"4,keyasint,omitempty"` // of an exchange
	At     int64    `cbor:"5,keyasint"`
	Member string   `cbor:"6,keyasint"`
	Order  OrderRef `cbor:"7,keyasint,omitzero"`
}

// Statement is what a partner and the program owe each other for a month.
type Statement struct {
	Movements   int64 `json:"movements"`
	Earned      int64 `json:"earned"`       // points given in the partner's shops
	ClawedBack  int64 `json:"clawed_back"`  // of them, taken back
	Burned      int64 `json:"burned"`       // points that paid there
	BurnedValue int64 `json:"burned_value"` // what they paid, less what came back, minor units
	Restored    int64 `json:"restored"`
	Exchanged   int64 `json:"exchanged"` // points given for the partner's units
	Units       int64 `json:"units"`

	PartnerOwes int64 `json:"partner_owes"` // for points given there, minor units, rounded down
	ProgramOwes int64 `json:"program_owes"` // for points burned there and exchanged, minor units
	Net         int64 `json:"net"`          // what the partner pays; below zero what it is paid
}

// Add takes a movement into the statement.
func (s *Statement) Add(m Movement) {
	s.Movements++
	switch m.Type {
	case "earn":
		s.Earned += m.Points
	case "clawback":
		s.ClawedBack += m.Points
	case "burn":
		s.Burned += m.Points
		s.BurnedValue += m.Value
	case "restore":
		s.Restored += m.Points
		s.BurnedValue -= m.Value
	case "exchange":
		s.Exchanged += m.Points
		s.Units += m.Units
	}
}

// Close values the statement by what was agreed. Points are valued together,
// so that no fraction is lost by the movement.
func (s *Statement) Close(p *Partner) {
	value := func(points int64) int64 {
		n, _ := Floor.whole(new(big.Rat).Mul(big.NewRat(p.Settle.Amount, p.Settle.Points), new(big.Rat).SetInt64(max(0, points))))
		return n
	}
	s.PartnerOwes = value(s.Earned - s.ClawedBack)
	s.ProgramOwes = s.BurnedValue + value(s.Exchanged)
	s.Net = s.PartnerOwes - s.ProgramOwes
}

// Swap gives points for units of a partner. ref names the exchange. Refused
// with below_minimum, insufficient_points or no_exchange.
func (a *Account) Swap(points int64, p *Partner, ref string, t *Terms, now time.Time) (units int64, err error) {
	a.Settle(now, t)
	x := p.Exchange
	if x == nil {
		return 0, Refuse("no_exchange", "the partner takes no points for anything of its own")
	}
	if points < x.Least {
		return 0, &Error{Kind: Refused, Code: "below_minimum", Detail: fmt.Sprintf("an exchange is of at least %d points", x.Least), Details: map[string]any{"minimum": x.Least, "missing": x.Least - points}}
	}
	if have := a.usable(); points > have {
		return 0, insufficient(have-a.shown(t), points)
	}
	units, fits := Floor.whole(new(big.Rat).Mul(big.NewRat(x.Units, x.Points), new(big.Rat).SetInt64(points)))
	if !fits {
		return 0, Refuse("points_out_of_range", "that many points would be more units than can be counted")
	}
	if units == 0 {
		return 0, Refuse("below_minimum", "that few points are not one "+x.Unit)
	}
	e := Entry{Type: Redeem, Points: -points, At: now.Unix(), Ref: ref, Terms: t.Version, Reason: "exchange"}
	for _, part := range a.take(points) {
		e.Lots = append(e.Lots, Part{Expires: part.Expires, Points: -part.Points})
	}
	a.append(e)
	a.payOwed(now.Unix(), t)
	a.At = now.Unix()
	return units, nil
}
