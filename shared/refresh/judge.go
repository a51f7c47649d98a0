package refresh

import (
	"math/bits"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// judge says which segments a row is in, by the cuts of a run.
type judge struct {
	cuts       *Cuts
	conditions *conditions
	lifetime   *segment.Lifetime // nil without both models
	outlooks   outlooks
	friends    int64             // see State.Friends
	month      int64             // 1 to 12
	network    map[string]valued // of the shard
}

// shippedBits has the bit of an account for each group of package segment.
var shippedBits = func() (at []uint32) {
	for g := segment.Top20; g <= segment.MultiStore; g <<= 1 {
		at = append(at, loyalty.SegmentBit(g.Names()[0]))
	}
	return at
}()

var (
	birthdayBit  = loyalty.SegmentBit("birthday_month")
	advocatesBit = loyalty.SegmentBit("advocates")
)

func newJudge(s *State, p *Plan, network map[string]valued, o outlooks) (*judge, error) {
	c, err := compile(p.Defined, p.Today)
	if err != nil {
		return nil, err
	}
	_, month, _ := civil(p.Today)
	return &judge{month: int64(month), cuts: &s.Cuts, conditions: c, lifetime: s.Cuts.lifetime(), outlooks: o, friends: s.Friends, network: network}, nil
}

// verdict is what a run says of a member.
type verdict struct {
	shipped uint32
	custom  uint64
	rfm     segment.RFM
	active  float64 // the probability that she still buys; 0 without a model
	worth   float64 // what she is expected to spend in a year, discounted, in minor units; 0 without both
	valued  valued  // nothing of who has no network
}

func (j *judge) of(r *row) (v verdict) {
	m, t := &r.m, &j.cuts.Thresholds
	if j.cuts.RFM != nil {
		v.rfm = j.cuts.RFM.ScoreOf(m, j.cuts.Today)
	}
	var active *float64
	if b := j.cuts.Models.Buying; b != nil && m.Days > 0 {
		p, _ := m.Purchases(j.cuts.Today)
		v.active = b.Active(p.X, p.Tx, p.T)
		active = &v.active
		if j.lifetime != nil {
			v.worth = j.lifetime.Mean(m) * v.active * j.outlooks.year(p.X, int64(max(j.cuts.Today, m.Last)-m.First), j.lifetime)
		}
	}
	if s := &t.Shares; s.Top.Last != nil && m.WindowSpent == s.Top.Last.Spent || s.Next.Last != nil && m.WindowSpent == s.Next.Last.Spent {
		m.ID = string(r.id) // which decides between equals only
	}
	for g := t.Groups(m, active); g != 0; g &= g - 1 {
		v.shipped |= shippedBits[bits.TrailingZeros16(uint16(g))]
	}
	if r.born == j.month {
		v.shipped |= birthdayBit
	}
	if len(j.network) > 0 {
		v.valued = j.network[string(r.id)]
	}
	if r.friends >= AdvocateFriends || r.friends > 0 && j.friends > 0 && v.valued.Value >= j.friends {
		v.shipped |= advocatesBit
	}
	if len(j.conditions.nodes) > 0 {
		v.custom = j.conditions.of(r, v.shipped, v.rfm)
	}
	return v
}

// names of the segments, as an account keeps them.
func (j *judge) names(v verdict, defined []Definition) []string {
	names := loyalty.SegmentNames(v.shipped)
	for c := v.custom; c != 0; c &= c - 1 {
		names = append(names, defined[bits.TrailingZeros64(c)].ID)
	}
	return names
}
