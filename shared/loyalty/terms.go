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

	Tiers    *Tiers   // nil: the program has none
	Goals    []Goal   // punch cards, thresholds, badges, streaks
	Bonuses  []Bonus  // automatic rewards for average use
	Plans    []Plan   // memberships and subscriptions
	Wallets  []Wallet // beside points
	Rewards  []Reward // what vouchers are for
	Partners []Partner
	Boards   []Board

	Referral *ReferralTerms // nil: the program has none

	Shop         string   // absolute address of the shop on the web, or ""
	CardBenefits Benefits // of whoever shows a card

	Week time.Weekday // on which a week begins

	Needs  Needs // set by Seal, as are the purses
	purses map[string]*purse
}

// Wallet is another currency of value beside points, in minor units of the
// program's currency. Cashback can be paid out, a bonus cannot (SC22).
type Wallet struct {
	ID           string
	Withdrawable bool
	Expiry       *Expiry // nil: never
	Least        int64   // smallest payout, minor units
}

// Reward is something that a voucher is for.
type Reward struct {
	ID    string
	Lasts Period // of a voucher; zero: it has no end
}

// In is the terms as they hold for a wallet: one whose points are minor units
// of money and live by its own expiry. The second answer is false when there
// is no such wallet; what is left of one that there was does not expire.
func (t *Terms) In(wallet string) (*Terms, bool) {
	if wallet == "" {
		return t, true
	}
	w := t.Wallet(wallet)
	known := w != nil
	if !known {
		w = &Wallet{}
	}
	in := *t
	in.Expiry, in.Point, in.Minimum, in.Tiers, in.Goals, in.Bonuses, in.Plans = w.Expiry, Price{1, 1}, 1, nil, nil, nil, nil
	return &in, known
}

// Price says that Points points pay Amount minor units.
type Price struct{ Points, Amount int64 }

// Earning says what orders and activities earn.
type Earning struct {
	When          State // Paid or Fulfilled
	PaidPartEarns bool  // the part that points paid earns too
	Rounding      Rounding
	Stacking      Stacking
	Pending       Period // from payment until the points can be used
	Rules         []Rule
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

// purse is the rules that pay to a wallet.
func (t *Terms) purse(wallet string) *purse {
	if t.purses == nil {
		panic("loyalty: terms are used that were not sealed")
	}
	if p := t.purses[wallet]; p != nil {
		return p
	}
	return &purse{}
}

// exchange is the worth of a minor unit of currency in minor units of the
// program's, nil when the program states no rate.
func (t *Terms) exchange(currency string) *big.Rat {
	if currency == t.Currency {
		return one
	}
	return t.Exchange[currency]
}

var one = big.NewRat(1, 1) // nobody changes it

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

// WalletIDs are all wallets, points first, as "".
func (t *Terms) WalletIDs() []string {
	out := []string{""}
	for i := range t.Wallets {
		out = append(out, t.Wallets[i].ID)
	}
	return out
}
