package loyalty

import "slices"

// Worth is what an order is worth in points of one wallet, and why. It is a
// function of the order's newest state, the terms pinned to it and the Case,
// of nothing else: so neither the order of deliveries nor the way in which a
// refund is split can change where it ends.
type Worth struct {
	Points int64
	Base   int64 // what the rates alone give, rounded: before multipliers, fixed points and limits
	Lines  []LineWorth

	Goods    int64 // eligible goods after discounts, minor units of the order's currency
	Returned int64 // the part of Goods that was refunded or cancelled
	Paid     int64 // goods that are left, without what points paid, minor units of the program's currency, rounded down
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

// Worth values an order in a wallet, "" for points. Refused with
// points_out_of_range when the result is beyond MaxPoints, with
// currency_not_accepted when no rate is stated for the order's currency.
func (t *Terms) Worth(o *Order, wallet string, c Case) (Worth, error) {
	s, err := t.scene(o, c)
	if err != nil {
		return Worth{}, err
	}
	w, _, err := t.worth(s, wallet)
	return w, err
}

// worth also answers what each rule gave, where any of those that apply is
// bounded, gives fixed points or depends on a tier that is crossed.
func (t *Terms) worth(s *scene, wallet string) (Worth, []Share, error) {
	p := t.purse(wallet)
	return t.worthBy(s, p, p.match(s))
}

func (t *Terms) worthBy(s *scene, p *purse, m matched) (Worth, []Share, error) {
	goods := sum(s.net)
	w := Worth{Goods: goods, Returned: goods - sum(s.Left), Paid: s.ours(sum(s.pays)), Lines: make([]LineWorth, len(s.Order.Lines))}
	var weights []int64
	quick, ok := quickSum{}, false
	var shares []Share
	if t.plain(s, p, m) {
		quick, ok = p.quick(t, s, m)
	}
	if ok {
		w.Points, w.Base, weights = quick.points, quick.base, quick.weights
	} else {
		d, fits := t.detail(s, p, m)
		if !fits {
			return Worth{}, nil, tooMany("the order")
		}
		w.Points, w.Base, shares = d.Points, d.Base, d.Shares
		for i, part := range splitExactly(d.Points, d.lines) {
			w.Lines[i].Points = part
		}
	}
	if w.Points > MaxPoints || w.Base > MaxPoints {
		return Worth{}, nil, tooMany("the order")
	}
	if !t.counts(s.Order) {
		w.Points, w.Base = 0, 0
		clear(w.Lines)
		shares = nil
	} else if ok {
		for i, part := range split(w.Points, weights) {
			w.Lines[i].Points = part
		}
	}
	for i := range w.Lines {
		w.Lines[i].ID, w.Lines[i].Net = s.Order.Lines[i].ID, s.pays[i]
	}
	return w, shares, nil
}

func tooMany(what string) error {
	return Refuse("points_out_of_range", what+" would earn more points than can be counted")
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
	var byLine map[string]int64
	var single int64
	for _, r := range o.Refunds {
		if byLine == nil {
			byLine = map[string]int64{}
		}
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
