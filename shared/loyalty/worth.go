package loyalty

import (
	"math/big"
	"slices"
	"time"
)

// Worth is what an order is worth in points, and why. It is a function of the
// order's newest state, the terms pinned to it and what points paid for it,
// of nothing else: so neither the order of deliveries nor the way in which a
// refund is split can change where it ends.
type Worth struct {
	Points int64
	Lines  []LineWorth
	Rules  []string // ids of the rules that applied

	Goods    int64 // eligible goods after discounts, minor units of the order's currency
	Returned int64 // the part of Goods that was refunded or cancelled
}

// LineWorth is the part of one line: Net is what earned (minor units of the
// order's currency, after discounts, refunds and the part that points paid).
type LineWorth struct {
	ID     string
	Net    int64
	Points int64
}

// MaxPoints bounds what one order or adjustment can move.
const MaxPoints = 1_000_000_000_000_000

// Worth values an order. paid is what points still pay of it, in minor units
// of the program's currency; at is when the order counts as earned, which
// decides the windows. Refused with points_out_of_range when the result is
// beyond MaxPoints.
func (t *Terms) Worth(o *Order, paid int64, at time.Time) (Worth, error) {
	net := discounted(o, false)
	w := Worth{Goods: sum(net), Lines: make([]LineWorth, len(o.Lines)), Rules: []string{}}
	left := remaining(o, net)
	w.Returned = w.Goods - sum(left)

	rate := t.exchange(o.Currency)
	if rate == nil {
		return Worth{}, Refuse("currency_not_accepted", "the program has no rate for "+o.Currency)
	}
	// What points pay earns nothing (SC5).
	inOrder, _ := HalfUp.whole(new(big.Rat).Quo(new(big.Rat).SetInt64(paid), rate))
	if t.Earning.PaidPartEarns {
		inOrder = 0
	}
	for i, part := range split(min(inOrder, sum(left)), left) {
		left[i] -= part
	}

	factor, rules := t.factor(at)
	w.Rules = append(w.Rules, rules...)
	exact := new(big.Rat).SetInt64(sum(left))
	exact.Mul(exact, factor).Mul(exact, rate)
	points, fits := t.Earning.Rounding.whole(exact)
	if !fits || points > MaxPoints {
		return Worth{}, Refuse("points_out_of_range", "the order would earn more points than can be counted")
	}
	if t.counts(o) {
		w.Points = points
	}
	for i, part := range split(w.Points, left) {
		w.Lines[i] = LineWorth{ID: o.Lines[i].ID, Net: left[i], Points: part}
	}
	return w, nil
}

// counts tells whether the order has come far enough to earn.
func (t *Terms) counts(o *Order) bool {
	return o.State == Fulfilled || o.State == Paid && t.Earning.When == Paid
}

// returned is how much of a redemption's points an order has to give back: in
// proportion to its goods that came back, all of them when it is cancelled.
// Where there were no goods, gift cards count as such.
func returned(o *Order, points int64) int64 {
	if o.State == Cancelled {
		return points
	}
	net := discounted(o, false)
	if sum(net) == 0 {
		net = discounted(o, true)
	}
	goods := sum(net)
	return share(points, goods-sum(remaining(o, net)), goods)
}

// discounted is what remains of each line after discounts; gift cards are
// stored value, not goods, and remain 0 unless asked for.
func discounted(o *Order, giftCards bool) []int64 {
	net := make([]int64, len(o.Lines))
	for i, l := range o.Lines {
		if !l.GiftCard || giftCards {
			net[i] = l.Amount
		}
	}
	for _, d := range o.Discounts {
		weights := make([]int64, len(net))
		for i, l := range o.Lines {
			if len(d.Lines) == 0 || slices.Contains(d.Lines, l.ID) {
				weights[i] = net[i]
			}
		}
		for i, part := range split(min(d.Amount, sum(weights)), weights) {
			net[i] -= part
		}
	}
	return net
}

// remaining is what is left of each line's net after refunds. A source may
// state totals per line, a total for the order, or single refunds; the larger
// of what is stated and what the refunds sum to counts. A total beyond the
// lines' own is spread over them by largest remainder.
func remaining(o *Order, net []int64) []int64 {
	left := make([]int64, len(net))
	if o.State == Cancelled {
		return left
	}
	copy(left, net)
	byLine, single := map[string]int64{}, int64(0)
	for _, r := range o.Refunds {
		single += r.Amount
		for _, l := range r.Lines {
			if slices.ContainsFunc(o.Lines, func(x Line) bool { return x.ID == l.Line }) {
				byLine[l.Line] += l.Amount
			} else { // a line that the order no longer has: it came off the goods with it
				single -= l.Amount
			}
		}
	}
	var named int64
	for i, l := range o.Lines {
		refunded := byLine[l.ID]
		switch {
		case l.RefundedAmount != nil:
			refunded = max(refunded, *l.RefundedAmount)
		case l.Quantity > 0:
			refunded = max(refunded, share(net[i], min(l.RefundedQuantity, l.Quantity), l.Quantity))
		}
		left[i] -= min(refunded, net[i])
		named += refunded
	}
	if rest := max(o.Refunded, single) - named; rest > 0 {
		for i, part := range split(min(rest, sum(left)), left) {
			left[i] -= part
		}
	}
	return left
}

func sum(xs []int64) (total int64) {
	for _, x := range xs {
		total += x
	}
	return total
}
