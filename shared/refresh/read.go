package refresh

import (
	"bytes"
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
	if err := w.Files.Put(ctx, w.rows(shard), bytes.Join(append(r.blocks, r.rows), nil)); err != nil {
		return err
	}
	r.blocks, r.rows = nil, nil // the most of what it holds
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

// blockRows are allocated at once.
const blockRows = 4096

// reader makes rows of the members of a shard.
type reader struct {
	plan       *Plan
	conditions *conditions
	calendar   calendar
	thresholds *segment.Thresholds
	treated    func(member string) bool // nil: nothing is rolled out by percent

	glance     loyalty.Glance
	row        row
	months     []int32
	rows       []byte
	blocks     [][]byte // of rows before: all in one would be copied again and again as they grow
	part       *part
	histograms [figures]*segment.Histogram
	values     [figures][]int64 // that are not counted yet: many at once take less

	bought, spends, held []uint64 // see countAll
}

func newReader(p *Plan) (*reader, error) {
	c, err := compile(p.Defined, p.Today)
	if err != nil {
		return nil, err
	}
	return &reader{
		plan: p, conditions: c, calendar: newCalendar(p.month()), thresholds: p.Rules.On(p.Today),
		part: newPart(p.month()), histograms: newHistograms(),
	}, nil
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
	if len(r.rows) == cap(r.rows) {
		r.blocks, r.rows = append(r.blocks, r.rows), make([]byte, 0, blockRows*rowBytes)
	}
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
	figuresOf(m, r.thresholds, func(figure int, v int64) {
		if r.values[figure] = append(r.values[figure], v); len(r.values[figure]) == 1024 {
			r.count(figure)
		}
	})
	r.bought = append(r.bought, key(m.Days-1, int64(m.Last-m.First), int64(max(r.plan.Today, m.Last)-m.First)))
	if sum := m.Spent - m.FirstSpent; m.Days > 1 && sum > 0 {
		r.spends = append(r.spends, spendKey(m.Days-1, sum))
	}
	if held, ok := r.calendar.holdout(g, m); ok {
		r.held = append(r.held, held)
	}
	r.months = r.calendar.months(g, m.First, r.months[:0])
	p.Cohorts.Add(r.months...)
}

func (r *reader) count(figure int) {
	r.histograms[figure].Add(r.values[figure]...)
	r.values[figure] = r.values[figure][:0]
}

// finish packs what was counted and gathered.
func (r *reader) finish() (err error) {
	for i, h := range r.histograms {
		r.count(i)
		if r.part.Histograms[i], err = h.MarshalBinary(); err != nil {
			return err
		}
	}
	spare := make([]uint64, len(r.bought))
	r.part.Bought, r.part.Spends, r.part.Held = countAll(r.bought, spare, 0), countAll(r.spends, spare, 0), countAll(r.held, spare, actualBits)
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
