package histories

import "math/rand/v2"

// choose decides what a client asks for next. Numbers are small and points
// scarce, so that requests meet each other and many have to be refused.
func (g *group) choose(rng *rand.Rand) request {
	member := rng.IntN(len(g.members))
	r := request{Group: g.number, Member: member}
	if rng.IntN(5) < 2 {
		g.keys++
		r.Key = g.keys
	}
	switch n := rng.IntN(100); {
	case n < 8 && len(g.sent) > 0: // again, perhaps while it is on its way
		recent := g.sent[max(0, len(g.sent)-8):]
		return recent[rng.IntN(len(recent))]
	case n < 22:
		return g.newOrder(r, rng)
	case n < 38 && len(g.orders) > 0:
		return g.newVersion(r, rng)
	case n < 50:
		r.Kind, r.Points = hold, 1+rng.Int64N(40)
	case n < 56:
		r.Kind, r.Points = redeem, 1+rng.Int64N(40)
	case n < 72 && len(g.known) > 0:
		r.Kind = []kind{capture, capture, capture, release, release, cancel, cancel}[rng.IntN(7)]
		r.Member, r.Hold = 0, g.known[max(0, len(g.known)-1-rng.IntN(4))]
	case n < 81:
		if r.Kind, r.Points = adjust, 1+rng.Int64N(30); rng.IntN(2) == 0 {
			r.Points = -r.Points
		}
	case n < 83:
		r.Kind, r.Into = merge, rng.IntN(len(g.members))
	default:
		return g.read(rng)
	}
	if r.Kind == hold || r.Kind == redeem {
		r.Hold = len(g.holds)
		g.holds = append(g.holds, "")
	}
	return r
}

func (g *group) newOrder(r request, rng *rand.Rand) request {
	r.Kind, r.Order, r.Version, r.Amount = earn, len(g.orders), 1+rng.Int64N(3), 100+rng.Int64N(5000)
	g.orders = append(g.orders, r)
	return r
}

// newVersion tells of an order again: newer, the same or older, with other
// refunds, now and then as if another member had bought.
func (g *group) newVersion(r request, rng *rand.Rand) request {
	i := max(0, len(g.orders)-1-rng.IntN(4))
	key, other := r.Key, r.Member
	r = g.orders[i]
	r.Key = key
	if rng.IntN(8) == 0 {
		r.Member = other
	}
	if rng.IntN(3) > 0 {
		r.Refunded = rng.Int64N(r.Amount + 1)
	}
	if r.Version += rng.Int64N(4) - 1; r.Version < 1 {
		r.Version = 1
	}
	if r.Version > g.orders[i].Version {
		g.orders[i] = r
	}
	return r
}

func (g *group) read(rng *rand.Rand) request {
	r := request{Group: g.number, Kind: readMember, Member: rng.IntN(len(g.members))}
	switch n := rng.IntN(10); {
	case n < 2 && len(g.orders) > 0:
		return request{Group: g.number, Kind: readOrder, Order: rng.IntN(len(g.orders))}
	case n < 4 && len(g.known) > 0:
		return request{Group: g.number, Kind: readHold, Hold: g.known[rng.IntN(len(g.known))]}
	case n < 5:
		r.Kind = verify
	}
	return r
}

// again tells whether sending a request twice has one effect.
func again(r request) bool {
	return r.Key != 0 || r.Kind == earn || r.Kind == capture || r.Kind == release || r.Kind == cancel || r.Kind == merge
}

// closing are the reads that pin down where a group ended.
func (g *group) closing() []request {
	var all []request
	for m := range g.members {
		all = append(all, request{Group: g.number, Kind: readMember, Member: m}, request{Group: g.number, Kind: verify, Member: m})
	}
	for o := range g.orders {
		all = append(all, request{Group: g.number, Kind: readOrder, Order: o})
	}
	for _, h := range g.known {
		all = append(all, request{Group: g.number, Kind: readHold, Hold: h})
	}
	return all
}
