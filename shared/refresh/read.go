package refresh

import (
	"context"
	"slices"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// Walk calls visit with every member of a shard once: her id without prefix,
// the side of her account, and her attributes where they are asked for.
type Walk func(attributes bool, visit func(member string, side []byte, attributes map[string]string) error) error

// Read writes the rows of a shard, and its part.
func (w Work) Read(ctx context.Context, shard int, walk Walk) error {
	done, err := w.has(ctx, w.parts(), name(w.parts(), shard))
	if done || err != nil {
		return err
	}
	p, err := w.Plan(ctx)
	if err != nil {
		return err
	}
	began := w.now()
	r, err := newReader(p)
	if err == nil && p.Rollout != nil {
		r.treated = func(member string) bool { return w.Percentile(member) < p.Rollout.Percent }
	}
	if err != nil {
		return err
	}
	if err := walk(r.conditions.attributes(), r.member); err != nil {
		return err
	}
	if err := w.Files.Put(ctx, w.rows(shard), r.rows); err != nil {
		return err
	}
	if err := r.finish(); err != nil {
		return err
	}
	r.part.Took = w.since(began)
	raw, err := encoder.Marshal(r.part)
	if err != nil {
		return err
	}
	return w.Files.Put(ctx, name(w.parts(), shard), raw)
}

func (w Work) now() time.Time {
	if w.Now == nil {
		return time.Time{}
	}
	return w.Now()
}

func (w Work) since(began time.Time) int64 { return w.now().Sub(began).Milliseconds() }

// reader makes rows of the members of a shard.
type reader struct {
	plan       *Plan
	conditions *conditions
	calendar   calendar
	thresholds *segment.Thresholds
	treated    func(member string) bool // nil: nothing is rolled out by percent

	glance loyalty.Glance
	row    row
	months []int32
	rows   []byte
	part   *part
	values [figures][]int64

	bought, held []uint64 // see countAll
	spends       []uint64 // see spendAll
}

func newReader(p *Plan) (*reader, error) {
	c, err := compile(p.Defined, p.Today)
	if err != nil {
		return nil, err
	}
	return &reader{plan: p, conditions: c, calendar: newCalendar(p.month()), thresholds: p.Rules.On(p.Today), part: newPart(p.month())}, nil
}

// member takes one member of the shard.
func (r *reader) member(member string, side []byte, attributes map[string]string) error {
	g := &r.glance
	if err := g.Read(side); err != nil {
		return err
	}
	if g.Merged {
		r.part.Moved = append(r.part.Moved, moved{From: member, Into: string(g.Other)})
		return nil
	}
	r.conditions.row(g, &r.calendar, member, attributes, &r.row)
	r.rows = r.row.append(r.rows)
	r.sum(g, &r.row)
	if r.treated != nil {
		spent, bought := spentSince(g, int64(r.plan.Rollout.Since))
		if r.treated(member) {
			r.part.Treated.add(spent, bought)
		} else {
			r.part.Control.add(spent, bought)
		}
	}
	return nil
}

// spentSince is what a member spent from a day on, see Lift.
func spentSince(g *loyalty.Glance, day int64) (spent int64, bought bool) {
	month := int64(segment.Month(int32(day))) + monthZero
	for i := range g.Months {
		if s := &g.Months[i]; s.Number > month {
			spent, bought = spent+s.Spent, true
		}
	}
	for i := range g.Newest {
		if s := &g.Newest[i]; s.Number >= day {
			spent, bought = spent+s.Spent, true
		}
	}
	return spent, bought
}

// row is what a run keeps of a member.
func (c *conditions) row(g *loyalty.Glance, cal *calendar, member string, attributes map[string]string, x *row) {
	*x = row{}
	x.id = append(x.scratch[:0], member...)
	cal.figures(g, &x.m)
	x.balance, x.friends, x.shipped, x.born, x.sent = g.Balance, g.Friends, g.Shipped, g.Born, len(g.Other) > 0
	for _, name := range g.Named {
		if place, known := c.place[string(name)]; known {
			x.custom |= 1 << place
		} else {
			x.foreign = true
		}
	}
	if len(c.leaves) > 0 {
		x.leaves = c.hold(member, attributes)
	}
}

// sum adds a member to the part.
func (r *reader) sum(g *loyalty.Glance, x *row) {
	p, m := r.part, &x.m
	p.Members++
	p.Balance += x.balance
	if x.sent {
		p.Edges = append(p.Edges, edge{Member: string(x.id), Advocate: string(g.Other), Spent: m.Spent})
	}
	if m.Days == 0 {
		return
	}
	p.Buyers++
	add := func(figure int, v int64) { r.values[figure] = append(r.values[figure], v) }
	figuresOf(m, r.thresholds, add)
	r.bought = append(r.bought, key(m.Days-1, int64(m.Last-m.First), int64(max(r.plan.Today, m.Last)-m.First))<<actualBits)
	if sum := m.Spent - m.FirstSpent; m.Days > 1 && sum > 0 {
		r.spends = append(r.spends, gatheredSpend(m.Days-1, sum))
	}
	if held, ok := r.calendar.holdout(g, m); ok {
		r.held = append(r.held, held)
	}
	r.months = r.calendar.months(g, m.First, r.months[:0])
	p.Cohorts.Add(r.months...)
}

// finish counts what was gathered: one figure after the other, in the same memory.
func (r *reader) finish() (err error) {
	h := segment.NewHistogram()
	for i, values := range r.values {
		if len(values) == 0 {
			continue
		}
		h.Reset()
		h.Add(values...)
		if r.part.Histograms[i], err = h.MarshalBinary(); err != nil {
			return err
		}
	}
	r.part.Bought, r.part.Held, r.part.Spends = countAll(r.bought), countAll(r.held), spendAll(r.spends)
	return nil
}

// holdout is what a member did until the months of the holdout, and how often
// she bought in them. Her last purchase before them is known to the day, or,
// where that day has left her account, to the month: then it counts as on the
// month's last.
func (c *calendar) holdout(g *loyalty.Glance, m *segment.Member) (gathered uint64, ok bool) {
	if int64(m.First) >= c.held {
		return 0, false
	}
	var actual int64
	for i := range g.Months {
		if s := &g.Months[i]; s.Number >= c.month-HoldoutMonths {
			actual += s.Days
		}
	}
	last := int64(m.First)
	i := len(g.Newest)
	for i > 0 && g.Newest[i-1].Number >= c.held {
		i--
	}
	actual += int64(len(g.Newest) - i)
	x := m.Days - 1 - actual
	switch {
	case i > 0:
		last = g.Newest[i-1].Number
	case x > 0:
		for _, s := range slices.Backward(g.Months) {
			if s.Number < c.month-HoldoutMonths {
				last = firstDay(s.Number+1) - 1
				break
			}
		}
		last = max(last, int64(m.Second))
	}
	if x == 0 {
		last = int64(m.First)
	}
	return key(x, last-int64(m.First), c.held-int64(m.First))<<actualBits | uint64(min(actual, 1<<actualBits-1)), true
}
