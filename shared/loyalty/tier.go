package loyalty

import (
	"math/big"
	"slices"
	"time"
)

// Tiers is how members rise and fall by what they buy.
type Tiers struct {
	QualifyBy Measure
	Window    Period // how far back counts; zero: ever
	Validity  Period // how long a level is kept once reached
	Grace     Period // how much longer, after that
	Warning   Period // how long before the end a member is told
	Downgrade Downgrade
	Crossing  Crossing
	Levels    []Level // by From, lowest first
}

// Level is one tier. Whoever has From or more qualifies for it.
type Level struct {
	ID         string
	From       int64
	Multiplier *big.Rat // nil: none
	Benefits   Benefits
}

// Measure is what qualifies a member.
type Measure string

// The measures: points before multipliers, minor units of the program's
// currency after refunds and without what points paid, or orders.
const (
	ByBasePoints Measure = "base_points"
	BySpend      Measure = "spend"
	ByOrders     Measure = "orders"
)

// Downgrade is when a level is lost that is no longer qualified for.
type Downgrade string

// When a level is lost: at the end of its validity and then one step, as soon
// as the member no longer qualifies, or never.
const (
	AtPeriodEnd Downgrade = "period_end"
	AtOnce      Downgrade = "at_once"
	Never       Downgrade = "never"
)

// Crossing is how an order is valued that takes its member over a threshold.
type Crossing string

// The ways: by the tier before it, or up to the threshold by the old tier and
// beyond by the new (SC9).
const (
	TierBefore       Crossing = "tier_before"
	SplitAtThreshold Crossing = "split_at_threshold"
)

// Standing is where a member stands in the tiers.
type Standing struct {
	Level   string `cbor:"1,keyasint,omitempty"`  // "" is none
	Until   int64  `cbor:"2,keyasint,omitempty"`  // when the level is looked at again, unix seconds; 0: not before something changes
	Warn    int64  `cbor:"3,keyasint,omitempty"`  // when to warn of losing it; 0: done, or nothing to warn of
	Months  Months `cbor:"4,keyasint,omitempty"`  // what qualifies, by month, oldest first
	Changes int64  `cbor:"5,keyasint,omitempty"`  // how often the level changed
	Warned  int64  `cbor:"6,keyasint,omitempty"`  // the Until that was warned of last
	Late    bool   `cbor:"7,keyasint,omitempty"`  // Until is the end of the grace
	Shifts  int64  `cbor:"8,keyasint,omitempty"`  // when a month leaves the window, where that is to be noticed
	Rank    int64  `cbor:"9,keyasint,omitempty"`  // of the level when it was reached: 1 is the lowest, 0 none
	Since   int64  `cbor:"10,keyasint,omitempty"` // when the level last changed, unix seconds
}

// Month is what qualified in one month of the program's zone. Months are
// told apart also where no window is set: another version may set one, and
// what an order added is taken away from where it was added.
type Month struct {
	Number int64 // 12 times the year plus the month, 1 to 12
	Points int64
}

// MonthOf is where something at an instant counts: 12 times the year plus the
// month, 1 to 12.
func MonthOf(at time.Time, zone *time.Location) int64 {
	y, m, _ := at.In(zone).Date()
	return 12*int64(y) + int64(m)
}

// first is the earliest month that counts at an instant. A window is
// stretched to whole months in the member's favor: P12M counts the current
// month and the twelve before it.
func (x *Tiers) first(now time.Time, zone *time.Location) int64 {
	if x.Window.IsZero() {
		return 0
	}
	back := time.Date(now.In(zone).Year(), now.In(zone).Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, -x.Window.Months, -x.Window.Days)
	return 12*int64(back.Year()) + int64(back.Month())
}

// Qualifying is what qualifies a member at an instant.
func (a *Account) Qualifying(now time.Time, t *Terms) int64 {
	if t.Tiers == nil {
		return 0
	}
	first := t.Tiers.first(now, t.Zone)
	var n int64
	for _, m := range a.Standing.Months {
		if m.Number >= first {
			n += m.Points
		}
	}
	return n
}

// qualifyIn adds to what qualifies in a month.
func (a *Account) qualifyIn(number, points int64) {
	if points == 0 {
		return
	}
	months := a.Standing.Months
	i := 0
	for i < len(months) && months[i].Number < number {
		i++
	}
	switch {
	case i < len(months) && months[i].Number == number:
		if months[i].Points += points; months[i].Points == 0 {
			months = slices.Delete(months, i, i+1)
		}
	default:
		months = append(months[:i:i], append([]Month{{Number: number, Points: points}}, months[i:]...)...)
	}
	a.Standing.Months = months
}

// measure is what an order of that worth qualifies for.
func (x *Tiers) measure(w *Worth, counts bool) int64 {
	switch {
	case !counts:
		return 0
	case x.QualifyBy == BySpend:
		return w.Paid
	case x.QualifyBy == ByOrders:
		if w.Paid > 0 {
			return 1
		}
		return 0
	}
	return w.Base
}

// at is the place of the highest level that so much qualifies for; -1 is none.
func (x *Tiers) at(qualifying int64) int {
	i := -1
	for i+1 < len(x.Levels) && qualifying >= x.Levels[i+1].From {
		i++
	}
	return i
}

// place is the place of a level by its id; -1 for one that the terms do not have.
func (x *Tiers) place(id string) int {
	for i := range x.Levels {
		if x.Levels[i].ID == id {
			return i
		}
	}
	return -1
}

func (x *Tiers) id(place int) string {
	if place < 0 {
		return ""
	}
	return x.Levels[place].ID
}

// stand brings a member's level to what now qualifies for, at an instant at
// which something about it changed or its time has come.
func (a *Account) stand(now time.Time, t *Terms) {
	x, s := t.Tiers, &a.Standing
	if x == nil {
		s.Until, s.Warn, s.Shifts = 0, 0, 0
		return
	}
	first := x.first(now, t.Zone)
	for len(s.Months) > 0 && s.Months[0].Number < first-1 { // one more is kept, for clocks that go back
		s.Months = s.Months[1:]
	}
	has, fits := x.place(s.Level), x.at(a.Qualifying(now, t))
	due := s.Until > 0 && s.Until <= now.Unix()
	switch {
	case fits > has:
		a.reach(fits, now, t)
	case has < 0:
		if s.Level != "" { // the terms no longer have it
			s.Level, s.Rank, s.Since = "", 0, now.Unix()
			s.Changes++
		}
		s.Until, s.Warn, s.Late = 0, 0, false
	case x.Downgrade == Never:
		s.Until, s.Warn = 0, 0
	case x.Downgrade == AtOnce && fits < has:
		a.reach(fits, now, t)
	case s.Until == 0: // a level that was reached where it had no end has one from now on
		a.renew(now, t)
	case due && fits == has:
		a.renew(time.Unix(s.Until, 0), t)
	case due && !s.Late && !x.Grace.IsZero():
		s.Until, s.Late = x.Grace.After(time.Unix(s.Until, 0), t.Zone).Unix(), true
	case due:
		a.reach(has-1, time.Unix(s.Until, 0), t) // one step
	case s.Late && fits == has, s.Until == 0: // made up for within the grace; or kept without end until the terms changed
		a.renew(now, t)
	}
	if s.Warn > 0 && s.Warn <= now.Unix() {
		s.Warn = 0
		if s.Until > now.Unix() && a.fallsAt(s.Until, t) {
			s.Warned = s.Until
		}
	}
	s.Shifts = 0
	if x.Downgrade == AtOnce && s.Level != "" && !x.Window.IsZero() {
		y, m, _ := now.In(t.Zone).Date()
		s.Shifts = StartOfDay(y, m+1, 1, t.Zone).Unix()
	}
}

// fallsAt tells whether the member would lose the level at the end of its validity.
func (a *Account) fallsAt(until int64, t *Terms) bool {
	return t.Tiers.at(a.Qualifying(time.Unix(until, 0), t)) < t.Tiers.place(a.Standing.Level)
}

// reach gives a member a level.
func (a *Account) reach(place int, from time.Time, t *Terms) {
	a.Standing.Level, a.Standing.Rank = t.Tiers.id(place), int64(place+1)
	a.Standing.Changes++
	a.Standing.Since = from.Unix()
	a.renew(from, t)
}

// renew starts the validity of the member's level.
func (a *Account) renew(from time.Time, t *Terms) {
	x, s := t.Tiers, &a.Standing
	end := x.Validity.After(from, t.Zone)
	if from.Unix() != s.Until { // else it goes on from the end of a day
		end = EndOfDay.roundUp(end, t.Zone)
	}
	s.Until, s.Warn, s.Late = 0, 0, false
	if s.Level == "" || x.Downgrade == Never || x.Validity.IsZero() {
		return
	}
	s.Until = end.Unix()
	if !x.Warning.IsZero() {
		s.Warn = max(from.Unix(), x.Warning.before(time.Unix(s.Until, 0), t.Zone).Unix())
	}
}

// before is the instant one period before t, by the calendar of zone.
func (p Period) before(t time.Time, zone *time.Location) time.Time {
	return Period{Months: -p.Months, Days: -p.Days, Exact: -p.Exact}.After(t, zone)
}

// Tier is a member's level at an instant: what purchases brought it to, what a
// membership gives, or what asks for nothing, whichever is highest. "" is none.
func (a *Account) Tier(now time.Time, t *Terms) string {
	if t.Tiers == nil {
		return ""
	}
	place := max(t.Tiers.place(a.Standing.Level), t.Tiers.at(0))
	for _, m := range a.Memberships {
		if m.Until > now.Unix() {
			place = max(place, t.Tiers.place(t.membershipTier(m.ID)))
		}
	}
	return t.Tiers.id(place)
}

// NextLevel is the level above the member's and what is missing to it; false
// when there is none.
func (a *Account) NextLevel(now time.Time, t *Terms) (id string, missing int64, ok bool) {
	if t.Tiers == nil {
		return "", 0, false
	}
	next := t.Tiers.place(a.Tier(now, t)) + 1
	if next == len(t.Tiers.Levels) {
		return "", 0, false
	}
	l := &t.Tiers.Levels[next]
	return l.ID, max(0, l.From-a.Qualifying(now, t)), true
}

// stretches parts an order at the thresholds that it takes its member over.
func (t *Terms) stretches(s *scene, base *big.Rat) []Stretch {
	whole := []Stretch{{Tier: s.Facts.Tier, Of: big.NewRat(1, 1)}}
	if t.Tiers == nil || t.Tiers.Crossing != SplitAtThreshold {
		return whole
	}
	x := t.Tiers
	size := base
	switch x.QualifyBy {
	case BySpend:
		size = new(big.Rat).SetInt64(sum(s.pays))
		size.Mul(size, s.rate)
	case ByOrders:
		return whole
	}
	if size.Sign() == 0 {
		return whole
	}
	tier, done := max(x.place(s.Facts.Tier), x.at(s.Facts.Qualifying)), new(big.Rat)
	var out []Stretch
	for next := tier + 1; next < len(x.Levels); next++ {
		to := new(big.Rat).SetInt64(x.Levels[next].From - s.Facts.Qualifying)
		if to.Quo(to, size); to.Cmp(big.NewRat(1, 1)) >= 0 {
			break
		}
		if to.Sign() > 0 {
			out = append(out, Stretch{Tier: x.id(next - 1), Of: new(big.Rat).Sub(to, done)})
			done = to
		}
	}
	last := Stretch{Of: new(big.Rat).Sub(big.NewRat(1, 1), done)}
	last.Tier = x.id(max(tier, tier+len(out)))
	return append(out, last)
}
