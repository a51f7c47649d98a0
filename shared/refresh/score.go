package refresh

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// tally is what the members of some shards come to.
type tally struct {
	Shipped  [32]group              `json:"shipped"` // by place of the bit
	Custom   [64]group              `json:"custom"`
	Entered  map[string]int64       `json:"entered"`
	Left     map[string]int64       `json:"left"`
	RFM      map[string]int64       `json:"rfm"`
	Repeat   Repeat                 `json:"repeat"`
	Moved    *segment.Migration     `json:"moved"`
	Values   *segment.Distribution  `json:"values"`
	Acquired map[int32]*Acquisition `json:"acquired"`
	Network  Network                `json:"network"`
	Writes   int64                  `json:"writes"`
	Took     int64                  `json:"took"`
}

type group struct {
	Members int64 `json:"members"`
	Spent   int64 `json:"spent"` // in the window, minor units
}

var five = []string{"regular_heavy", "regular_light", "infrequent_heavy", "infrequent_light", "former"}

func newTally() *tally {
	return &tally{
		Entered: map[string]int64{}, Left: map[string]int64{}, RFM: map[string]int64{}, Acquired: map[int32]*Acquisition{},
		Moved: segment.NewMigration(five...), Values: segment.NewDistribution(),
	}
}

// Score judges the rows of a shard. Who is in other segments than when she was
// read is decided anew, by what she has bought by now and by the cuts of the run.
func (w Work) Score(ctx context.Context, shard int, decide Decide) error {
	at := name(w.scores(), shard)
	if done, err := w.has(ctx, w.scores(), at); done || err != nil {
		return err
	}
	p, err := w.Plan(ctx)
	if err != nil {
		return err
	}
	s, err := w.state(ctx)
	if err != nil {
		return err
	}
	if s == nil || !s.Done {
		return errors.New("refresh: not all is found yet")
	}
	began := w.now()
	raw, err := w.Files.Get(ctx, name(w.network(), shard))
	if err != nil {
		return err
	}
	var list []valued
	if err := decoder.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("%s does not hold what was written: %w", name(w.network(), shard), err)
	}
	network := make(map[string]valued, len(list))
	for _, v := range list {
		network[v.Member] = v
	}
	rows, err := w.Files.Get(ctx, w.rows(shard))
	if err != nil {
		return err
	}
	o, err := w.readOutlooks(ctx)
	if err != nil {
		return err
	}
	j, err := newJudge(s, p, network, o)
	if err != nil {
		return err
	}
	cal := newCalendar(p.month())
	writers := w.writers(decide, (&decider{judge: j, plan: p, calendar: cal}).decide)
	sc := scorer{judge: j, plan: p, calendar: cal, tally: newTally()}
	err = eachRow(rows, func(r *row) error { return sc.row(r, writers.add) })
	if err := errors.Join(err, writers.wait()); err != nil {
		return err
	}
	sc.name()
	sc.tally.Took = w.since(began)
	return w.put(ctx, at, sc.tally)
}

type scorer struct {
	*judge
	plan     *Plan
	calendar calendar
	tally    *tally
	rfm      [6][6][6]int64 // members by score
}

// row counts a member, and hands her to changed if she is in other segments than before.
func (s *scorer) row(r *row, changed func(member string, attributes bool) error) error {
	v := s.of(r)
	s.count(r, v)
	if v.shipped == r.shipped && v.custom == r.custom && !r.foreign {
		return nil
	}
	for left := r.shipped &^ v.shipped; left != 0; left &= left - 1 {
		s.tally.Left[loyalty.SegmentNames(left & -left)[0]]++
	}
	for entered := v.shipped &^ r.shipped; entered != 0; entered &= entered - 1 {
		s.tally.Entered[loyalty.SegmentNames(entered & -entered)[0]]++
	}
	for left := r.custom &^ v.custom; left != 0; left &= left - 1 {
		s.tally.Left[s.plan.Defined[bits.TrailingZeros64(left)].ID]++
	}
	for entered := v.custom &^ r.custom; entered != 0; entered &= entered - 1 {
		s.tally.Entered[s.plan.Defined[bits.TrailingZeros64(entered)].ID]++
	}
	s.tally.Writes++
	return changed(string(r.id), s.conditions.attributes())
}

// count adds a member to the figures.
func (s *scorer) count(r *row, v verdict) {
	t, m := s.tally, &r.m
	for bit := v.shipped; bit != 0; bit &= bit - 1 {
		t.Shipped[bits.TrailingZeros32(bit)].add(m)
	}
	for bit := v.custom; bit != 0; bit &= bit - 1 {
		t.Custom[bits.TrailingZeros64(bit)].add(m)
	}
	t.Moved.Counts[fiveOf(r.shipped)][fiveOf(v.shipped)]++
	t.Network.add(r, v, s.cuts.Thresholds.Heavy)
	if m.Days == 0 {
		return
	}
	s.rfm[v.rfm.R][v.rfm.F][v.rfm.M]++
	t.Repeat.add(m)
	if s.lifetime != nil {
		t.Values.Add(v.worth)
	}
	month := s.calendar.monthOf(m.First)
	a := t.Acquired[month]
	if a == nil {
		a = &Acquisition{}
		t.Acquired[month] = a
	}
	a.add(r)
}

// name counts the scores by the names of their groups.
func (s *scorer) name() {
	for r := range s.rfm {
		for f := range s.rfm[r] {
			for m, n := range s.rfm[r][f] {
				if n > 0 {
					s.tally.RFM[segment.RFM{R: r, F: f, M: m}.Group()] += n
				}
			}
		}
	}
}

func (g *group) add(m *segment.Member) {
	g.Members++
	g.Spent += m.WindowSpent
}

// fiveBits are the bits of the five groups that exclude each other, by their
// place in a migration.
var fiveBits = func() (bits []uint32) {
	for _, name := range five {
		bits = append(bits, loyalty.SegmentBit(name))
	}
	return bits
}()

func fiveOf(shipped uint32) int {
	return slices.IndexFunc(fiveBits, func(b uint32) bool { return b&shipped != 0 }) + 1
}

func (t *tally) merge(o *tally) error {
	for i := range t.Shipped {
		t.Shipped[i].merge(o.Shipped[i])
	}
	for i := range t.Custom {
		t.Custom[i].merge(o.Custom[i])
	}
	for _, x := range []struct{ into, from map[string]int64 }{{t.Entered, o.Entered}, {t.Left, o.Left}, {t.RFM, o.RFM}} {
		for name, n := range x.from {
			x.into[name] += n
		}
	}
	for month, a := range o.Acquired {
		if t.Acquired[month] == nil {
			t.Acquired[month] = &Acquisition{}
		}
		t.Acquired[month].merge(a)
	}
	t.Repeat.merge(&o.Repeat)
	t.Network.merge(&o.Network)
	t.Writes += o.Writes
	t.Took += o.Took
	return errors.Join(t.Moved.Merge(o.Moved), t.Values.Merge(o.Values))
}

func (g *group) merge(o group) {
	g.Members += o.Members
	g.Spent += o.Spent
}
