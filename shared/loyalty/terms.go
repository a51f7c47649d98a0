package loyalty

import (
	"math/big"
	"time"
)

// Terms are one version of a program's rules, ready to decide with. Package
// program makes them from the program document. They never change: an order
// keeps the version that it was first applied under.
type Terms struct {
	Version  int64
	Currency string // ISO 4217
	Zone     *time.Location

	Point   Price
	Earning Earning
	Expiry  *Expiry // nil: points never expire

	Clawback Policy
	Hold     Period // how long a hold lasts

	Minimum  int64    // fewest points in a redemption
	MaxShare *big.Rat // largest part of an order that points may pay, 0 to 1
	Grace    Period   // life of points that are restored after their own lot ended

	// Exchange says what one minor unit of another currency is worth in minor
	// units of Currency.
	Exchange map[string]*big.Rat
}

// Price says that Points points pay Amount minor units.
type Price struct{ Points, Amount int64 }

// Earning says what an order earns.
type Earning struct {
	When          State // Paid or Fulfilled
	PaidPartEarns bool  // the part that points paid earns too
	Rounding      Rounding
	Stacking      Stacking
	Pending       Period // from payment until the points can be used
	Rules         []Rule
}

// Rule is one earning rule of an order: a rate or a multiplier, in some
// windows of time or always.
type Rule struct {
	ID         string
	Rate       *big.Rat // points per minor unit; nil when the rule is a multiplier
	Multiplier *big.Rat
	During     []Window // empty: always
}

// Window is a half-open span of time.
type Window struct{ From, To time.Time }

// Holds tells whether the rule applies at an instant.
func (r *Rule) Holds(at time.Time) bool {
	for _, w := range r.During {
		if !at.Before(w.From) && at.Before(w.To) {
			return true
		}
	}
	return len(r.During) == 0
}

// Stacking is how several multipliers (and several rates) combine.
type Stacking string

// The ways to stack: only the best, the sum of what each adds, the product.
const (
	StackBest     Stacking = "best"
	StackAdd      Stacking = "add"
	StackMultiply Stacking = "multiply"
)

// Policy is what happens when more points are clawed back than a member has.
type Policy string

// The policies: owe and show it as debt, write the rest off, or show a
// negative balance. Owed points are paid from the next points in all but
// clamp (SC4).
const (
	Debt     Policy = "debt"
	Clamp    Policy = "clamp"
	Negative Policy = "negative"
)

// Expiry says how long points live.
type Expiry struct {
	After Period
	To    EndOf
}

// factor is how many points one minor unit of the program's currency earns
// at an instant, and the ids of the rules that say so.
func (t *Terms) factor(at time.Time) (*big.Rat, []string) {
	rate, boost := new(big.Rat), big.NewRat(1, 1)
	var applied []string
	one := big.NewRat(1, 1)
	for i := range t.Earning.Rules {
		r := &t.Earning.Rules[i]
		if !r.Holds(at) {
			continue
		}
		applied = append(applied, r.ID)
		into, x := rate, r.Rate
		if r.Multiplier != nil {
			into, x = boost, r.Multiplier
		}
		switch {
		case t.Earning.Stacking == StackBest:
			if x.Cmp(into) > 0 {
				into.Set(x)
			}
		case r.Multiplier == nil:
			rate.Add(rate, x)
		case t.Earning.Stacking == StackAdd:
			boost.Add(boost, new(big.Rat).Sub(x, one))
		default:
			boost.Mul(boost, x)
		}
	}
	return rate.Mul(rate, boost), applied
}

// exchange is the worth of a minor unit of currency in minor units of the
// program's, nil when the program states no rate.
func (t *Terms) exchange(currency string) *big.Rat {
	if currency == t.Currency {
		return big.NewRat(1, 1)
	}
	return t.Exchange[currency]
}

// Accepts tells whether orders in a currency can earn.
func (t *Terms) Accepts(currency string) bool { return t.exchange(currency) != nil }

// Value is what points pay, in minor units of the program's currency, rounded
// down. Refused with points_out_of_range beyond MaxPoints minor units.
func (t *Terms) Value(points int64) (int64, error) {
	v := new(big.Int).Mul(big.NewInt(points), big.NewInt(t.Point.Amount))
	if v.Div(v, big.NewInt(t.Point.Points)); v.Cmp(big.NewInt(MaxPoints)) > 0 {
		return 0, Refuse("points_out_of_range", "that many points would pay more money than can be counted")
	}
	return v.Int64(), nil
}

// expires is when points earned at an instant die; the zero time is never.
func (t *Terms) expires(at time.Time) time.Time {
	if t.Expiry == nil {
		return time.Time{}
	}
	return t.Expiry.To.roundUp(t.Expiry.After.After(at, t.Zone), t.Zone)
}
