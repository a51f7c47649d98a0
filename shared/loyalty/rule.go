package loyalty

import (
	"math/big"
	"slices"
	"time"
)

// Rule is one earning rule: what an order or an activity gives (exactly one
// of Rate, Multiplier and Points), and all that it asks for.
type Rule struct {
	ID       string
	Activity string // the type of activity that it rewards; "" for orders
	Wallet   string // where it pays to; "" is points

	Rate       *big.Rat // points per minor unit
	Multiplier *big.Rat // of what the rates give
	Points     int64    // once per order or activity

	Where    Filter
	When     Condition // nil: no expression
	During   Schedule
	Priority int    // the higher is looked at first
	Group    string // of one group only the first that applies counts; "" is none
	Limit    *Limit
	Budget   int64  // points that the whole program gives by it; 0: no end
	Cooldown Period // of an activity: the least time between two
}

// Filter is what a rule or a goal asks of an order, its lines and its member,
// as plain data. Empty fields ask for nothing; of a list one has to be met.
type Filter struct {
	Stores, Regions, Channels []string
	Sources                   []string // of the order
	Tiers, Segments           []string
	Attributes                []Attribute // all of them
	From, To                  int64       // which of the member's orders, the first is 1; 0: no bound

	SKUs, Categories, Collections []string // lines that count; the rest of the order does not
	Amount                        int64    // what the lines that count come to at least, minor units of the program's currency
	Quantity                      int64    // how many pieces they are at least
}

// Attribute is a member's attribute and the values that will do.
type Attribute struct {
	Name   string
	Values []string
}

// Limit is how often, or for how many points, one member can be rewarded by a
// rule in one period; 0 is no limit.
type Limit struct {
	Times  int64
	Points int64
	Per    Period // of the calendar; zero: ever
}

// Condition is a compiled `when` expression.
type Condition interface {
	// Holds answers for one line of an order, or for the order (the activity)
	// as a whole when the expression does not ask about lines. An error is an
	// expression that came to no answer: the rule does not apply.
	Holds(v *View) (bool, error)
	// PerLine tells whether the expression asks about lines.
	PerLine() bool
}

// View is what conditions look at.
type View struct {
	Order    *Order    // nil for an activity
	Left     []int64   // what is left of each line after discounts and refunds, minor units of the order's currency
	Line     int       // which line is looked at
	At       time.Time // when it counts as earned, in the program's zone
	Facts    *Facts
	Activity *Activity // nil for an order
}

// Schedule is when a rule applies. Its days and hours are those of the
// program's zone, so a day has 23 to 25 hours (SC6).
type Schedule struct {
	Spans    []Window // empty: always
	Weekdays uint8    // bit n is time.Weekday n; 0: every day
	Hours    []Hours  // empty: all day
}

// Window is a half-open span of time.
type Window struct{ From, To time.Time }

// Hours are minutes of the local day as its clocks show it, From inclusive,
// To exclusive. To at or before From runs into the next day, which then still
// counts as the weekday on which it began.
type Hours struct{ From, To int }

// Holds tells whether the schedule holds at an instant, given in its zone.
func (s *Schedule) Holds(at time.Time) bool {
	if len(s.Spans) > 0 && !slices.ContainsFunc(s.Spans, func(w Window) bool { return !at.Before(w.From) && at.Before(w.To) }) {
		return false
	}
	if s.Weekdays == 0 && len(s.Hours) == 0 {
		return true
	}
	today := s.on(at.Weekday())
	if len(s.Hours) == 0 {
		return today
	}
	minute := at.Hour()*60 + at.Minute()
	yesterday := s.on((at.Weekday() + 6) % 7)
	return slices.ContainsFunc(s.Hours, func(h Hours) bool {
		if h.From < h.To {
			return today && minute >= h.From && minute < h.To
		}
		return today && minute >= h.From || yesterday && minute < h.To
	})
}

func (s *Schedule) on(d time.Weekday) bool { return s.Weekdays == 0 || s.Weekdays>>d&1 == 1 }

// Unmet says which part of a rule an order or activity does not meet; "" is none.
type Unmet string

// What a rule can ask for, in the order in which it is looked at.
const (
	Met           Unmet = ""
	UnmetDuring   Unmet = "during"
	UnmetStore    Unmet = "where.stores"
	UnmetRegion   Unmet = "where.regions"
	UnmetChannel  Unmet = "where.channels"
	UnmetSource   Unmet = "where.sources"
	UnmetTier     Unmet = "where.tiers"
	UnmetSegment  Unmet = "where.segments"
	UnmetMember   Unmet = "where.attributes"
	UnmetNumber   Unmet = "where.order_number"
	UnmetLines    Unmet = "where.lines"
	UnmetAmount   Unmet = "where.minimum_amount"
	UnmetQuantity Unmet = "where.minimum_quantity"
	UnmetWhen     Unmet = "when"
	UnmetGroup    Unmet = "group"
	UnmetLimit    Unmet = "limit"
	UnmetBest     Unmet = "stacking" // applies, but another gives more
)

// order asks what concerns the order as a whole.
func (f *Filter) order(o *Order, x *Facts) Unmet {
	switch {
	case !among(f.Stores, o.Store):
		return UnmetStore
	case !among(f.Regions, o.Region):
		return UnmetRegion
	case !among(f.Channels, o.Channel):
		return UnmetChannel
	case !among(f.Sources, o.Source):
		return UnmetSource
	}
	return f.member(x)
}

// member asks what concerns the member.
func (f *Filter) member(x *Facts) Unmet {
	switch {
	case !among(f.Tiers, x.Tier):
		return UnmetTier
	case len(f.Segments) > 0 && !slices.ContainsFunc(x.Segments, func(s string) bool { return slices.Contains(f.Segments, s) }):
		return UnmetSegment
	case f.From > 0 && x.Number < f.From || f.To > 0 && x.Number > f.To:
		return UnmetNumber
	}
	for i := range f.Attributes {
		if !slices.Contains(f.Attributes[i].Values, x.Attributes[f.Attributes[i].Name]) {
			return UnmetMember
		}
	}
	return Met
}

// narrows tells whether not every line of an order counts.
func (f *Filter) narrows() bool {
	return len(f.SKUs) > 0 || len(f.Categories) > 0 || len(f.Collections) > 0
}

// line tells whether a line counts.
func (f *Filter) line(l *Line) bool {
	return among(f.SKUs, l.SKU) && among(f.Categories, l.Category) && among(f.Collections, l.Collection)
}

func among(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }

// scene is what the rules of one order look at, made once.
type scene struct {
	View
	zone  *time.Location
	net   []int64 // of each line after discounts
	pays  []int64 // of each line after refunds and the part that points paid: what rates are applied to
	rate  *big.Rat
	gifts map[string]int // line id -> pieces that a voucher paid
}

// scene reads an order as rules see it. Refused with currency_not_accepted.
func (t *Terms) scene(o *Order, c Case) (*scene, error) {
	rate := t.exchange(o.Currency)
	if rate == nil {
		return nil, Refuse("currency_not_accepted", "the program has no rate for "+o.Currency)
	}
	s := &scene{zone: t.Zone, net: discounted(o, false), rate: rate}
	left := remaining(o, s.net)
	s.gifts = c.gifts
	s.View = View{Order: o, Left: left, At: c.At.In(t.Zone), Facts: &c.Facts}
	s.pays = left
	if c.Paid > 0 && !t.Earning.PaidPartEarns { // what points pay earns nothing (SC5)
		inOrder, _ := HalfUp.whole(new(big.Rat).Quo(new(big.Rat).SetInt64(c.Paid), rate))
		s.pays = slices.Clone(left)
		for i, part := range split(min(inOrder, sum(left)), left) {
			s.pays[i] -= part
		}
	}
	return s, nil
}

// lines is a set of lines of an order.
type lines []uint64

func (l lines) has(i int) bool { return l[i/64]>>(i%64)&1 == 1 }
func (l lines) add(i int)      { l[i/64] |= 1 << (i % 64) }

// matches answers which lines of the order a filter, an expression and a
// schedule let count, in `into`, or the first thing that is not met.
func (s *scene) matches(f *Filter, when Condition, during *Schedule, into lines) Unmet {
	if !during.Holds(s.At) {
		return UnmetDuring
	}
	if no := f.order(s.Order, s.Facts); no != Met {
		return no
	}
	perLine := when != nil && when.PerLine()
	if when != nil && !perLine {
		if ok, err := when.Holds(&s.View); err != nil || !ok {
			return UnmetWhen
		}
	}
	narrows := f.narrows()
	var amount, quantity int64
	some := false
	for i := range s.Order.Lines {
		l := &s.Order.Lines[i]
		if l.GiftCard || narrows && !f.line(l) {
			continue
		}
		if perLine {
			s.Line = i
			if ok, err := when.Holds(&s.View); err != nil || !ok {
				continue
			}
		}
		into.add(i)
		some = true
		amount += s.Left[i]
		if f.Quantity > 0 {
			quantity += s.pieces(i)
		}
	}
	switch {
	case !some && perLine:
		return UnmetWhen
	case !some:
		return UnmetLines
	case f.Amount > 0 && s.ours(amount) < f.Amount:
		return UnmetAmount
	case quantity < f.Quantity:
		return UnmetQuantity
	}
	return Met
}

// ours turns an amount in the order's currency into one in the program's,
// minor units, rounded down.
func (s *scene) ours(amount int64) int64 {
	if s.rate == one {
		return amount
	}
	x := new(big.Rat).SetInt64(amount)
	n, fits := Floor.whole(x.Mul(x, s.rate))
	if !fits {
		return MaxPoints
	}
	return n
}

// pieces is how many pieces of a line are left, by what is left of its amount,
// so that a refund without a quantity counts too. To the nearest: a third of
// 1.00 comes back as 0.33 or as 0.34.
func (s *scene) pieces(i int) int64 {
	l := &s.Order.Lines[i]
	if s.net[i] == 0 || s.Left[i] == 0 {
		return 0
	}
	return max(0, nearest(l.Quantity, s.Left[i], s.net[i])-int64(s.gifts[l.ID]))
}
