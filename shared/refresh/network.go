package refresh

import (
	"cmp"
	"context"
	"math/big"
	"slices"
)

// valued is what a member's network is worth: what those whom she sent spent,
// and those whom they sent, each further generation by so much less; in minor
// units, halves up.
type valued struct {
	_       struct{} `cbor:",toarray"`
	Member  string
	Value   int64
	Members int64 // in it, down to the plan's depth
}

// AdvocateFriends is from how many qualified friends a member is an advocate
// whatever they spent.
const AdvocateFriends = 3

// connect writes what the networks of a shard's members are worth, for each
// shard, and answers from which value on one is among the top 20 % of all that
// are worth anything: ties are in, and without any it is 0.
func (w Work) connect(ctx context.Context, p *Plan, all *part) (int64, error) {
	shards := make([][]valued, Shards)
	var values []int64
	for _, v := range network(all.Edges, all.Moved, p.Depth, p.decay()) {
		at := w.ShardOf(v.Member)
		shards[at] = append(shards[at], v)
		if v.Value > 0 {
			values = append(values, v.Value)
		}
	}
	for shard, list := range shards {
		raw, err := encoder.Marshal(list)
		if err != nil {
			return 0, err
		}
		if err := w.Files.Put(ctx, name(w.network(), shard), raw); err != nil {
			return 0, err
		}
	}
	if len(values) == 0 {
		return 0, nil
	}
	slices.Sort(values)
	return values[len(values)-max(1, (len(values)*20+50)/100)], nil
}

// network walks from each member up to who sent her, and to who sent that one,
// so many generations. Members who came in a circle, which cannot be, are not
// counted for themselves.
func network(edges []edge, merged []moved, depth int64, decay *big.Rat) []valued {
	into := make(map[string]string, len(merged))
	for _, m := range merged {
		into[m.From] = m.Into
	}
	holder := func(member string) string {
		for range len(into) + 1 {
			next, gone := into[member]
			if !gone {
				break
			}
			member = next
		}
		return member
	}
	sentBy := make(map[string]string, len(edges))
	for _, e := range edges {
		sentBy[e.Member] = holder(e.Advocate)
	}
	type sums struct {
		members     int64
		generations []int64
	}
	known := map[string]*sums{}
	for _, e := range edges {
		at := e.Member
		for generation := range depth {
			up, sent := sentBy[at]
			if !sent || up == e.Member {
				break
			}
			x := known[up]
			if x == nil {
				x = &sums{generations: make([]int64, depth)}
				known[up] = x
			}
			x.members++
			x.generations[generation] += e.Spent
			at = up
		}
	}
	out := make([]valued, 0, len(known))
	for member, x := range known {
		out = append(out, valued{Member: member, Value: decayed(x.generations, decay), Members: x.members})
	}
	slices.SortFunc(out, func(a, b valued) int { return cmp.Compare(a.Member, b.Member) })
	return out
}

// decayed is the sum of generations, each times a ratio to the power of how
// far it is from the first.
func decayed(generations []int64, ratio *big.Rat) int64 {
	if !slices.ContainsFunc(generations[1:], func(n int64) bool { return n != 0 }) {
		return generations[0] // as of most
	}
	sum, weight := new(big.Rat), big.NewRat(1, 1)
	for _, n := range generations {
		sum.Add(sum, new(big.Rat).Mul(weight, new(big.Rat).SetInt64(n)))
		weight = new(big.Rat).Mul(weight, ratio)
	}
	n := new(big.Int).Lsh(sum.Num(), 1)
	n.Add(n, sum.Denom()).Div(n, new(big.Int).Lsh(sum.Denom(), 1))
	return n.Int64()
}
