package loyalty

import (
	"math/big"
	"slices"
)

// Detail is the worth of an order with all that led to it, in exact numbers.
// It is what an explanation tells, and how an order is valued that some rule
// bounds, gives fixed points or that crosses a tier.
type Detail struct {
	Points int64
	Base   int64
	Exact  *big.Rat // before rounding
	Shares []Share  // what gave something, highest priority first
	Parts  []Stretch
	Rules  []Looked

	lines []*big.Rat
}

// Share is what one rule gave.
type Share struct {
	Rule   string
	Exact  *big.Rat // points, after what a limit or a budget took off
	Cut    *big.Rat // what that took off; nil for nothing
	Points int64    // its part of the rounded points, by largest remainder

	rule  *Rule
	lines []*big.Rat
}

// Stretch is a part of an order that was valued as of one tier. There is more
// than one only where the order crosses a threshold and the program splits it.
type Stretch struct {
	Tier string
	Of   *big.Rat // which part of the order
}

// Looked is a rule that was looked at.
type Looked struct {
	Rule  string
	Unmet Unmet    // the first thing that it asks for and was not so; "" when it applies
	Lines []string // ids of the lines on which it applies

	Missing int64 // to what it asks for at least: minor units of the program's currency, or pieces
}

// Explain is Worth with all that led to it.
func (t *Terms) Explain(o *Order, wallet string, c Case) (Worth, Detail, error) {
	s, err := t.scene(o, c)
	if err != nil {
		return Worth{}, Detail{}, err
	}
	p := t.purse(wallet)
	m := p.match(s)
	w, _, err := t.worthBy(s, p, m)
	if err != nil {
		return Worth{}, Detail{}, err
	}
	d, _ := t.detail(s, p, m) // it fits, as worth did
	for i := range p.rules {
		l := Looked{Rule: p.rules[i].ID, Unmet: m.unmet[i]}
		if l.Unmet == Met {
			if !slices.ContainsFunc(d.Shares, func(s Share) bool { return s.Rule == l.Rule }) {
				l.Unmet = UnmetBest
			}
			for j := range o.Lines {
				if m.hits[i].has(j) {
					l.Lines = append(l.Lines, o.Lines[j].ID)
				}
			}
		}
		l.Missing = s.missing(&p.rules[i].Where, l.Unmet, m.hits[i])
		d.Rules = append(d.Rules, l)
	}
	return w, d, nil
}

// missing is how much the lines that count lack of what a filter asks for.
func (s *scene) missing(f *Filter, unmet Unmet, hits lines) int64 {
	var amount, quantity int64
	for i := range s.Order.Lines {
		if hits.has(i) {
			amount += s.Left[i]
			quantity += s.pieces(i)
		}
	}
	switch unmet {
	case UnmetAmount:
		return f.Amount - s.ours(amount)
	case UnmetQuantity:
		return f.Quantity - quantity
	}
	return 0
}

// detail values an order rule by rule and line by line in exact ratios. The
// second answer is false when the points do not fit an int64.
func (t *Terms) detail(s *scene, p *purse, m matched) (Detail, bool) {
	d := Detail{}
	base := new(big.Rat)
	for i := range s.Order.Lines {
		base.Add(base, t.baseOf(s, p, m, i, nil))
	}
	shares := make([]Share, len(p.rules))
	give := func(rule, line int, x *big.Rat) {
		if x.Sign() == 0 {
			return
		}
		sh := &shares[rule]
		if sh.rule == nil {
			*sh = Share{Rule: p.rules[rule].ID, rule: &p.rules[rule], Exact: new(big.Rat), lines: make([]*big.Rat, len(s.Order.Lines))}
		}
		if sh.lines[line] == nil {
			sh.lines[line] = new(big.Rat)
		}
		sh.lines[line].Add(sh.lines[line], x)
		sh.Exact.Add(sh.Exact, x)
	}
	d.Parts = t.stretches(s, base)
	for _, part := range d.Parts {
		times := p.timesAs(m, part.Tier)
		for i := range s.Order.Lines {
			got := t.baseOf(s, p, m, i, func(rule int, x *big.Rat) {
				if len(d.Parts) > 1 {
					x = new(big.Rat).Mul(x, part.Of)
				}
				give(rule, i, x)
			})
			if len(d.Parts) > 1 {
				got.Mul(got, part.Of)
			}
			t.multiply(p, m, times, i, got, func(rule int, x *big.Rat) { give(rule, i, x) })
		}
	}
	for _, j := range m.applied {
		p.fixed(s, m, j, func(line int, x *big.Rat) { give(j, line, x) })
	}
	d.Exact = new(big.Rat)
	d.lines = make([]*big.Rat, len(s.Order.Lines))
	for i := range d.lines {
		d.lines[i] = new(big.Rat)
	}
	for i := range shares {
		sh := &shares[i]
		if sh.rule == nil {
			continue
		}
		sh.trim(s.Facts)
		d.Exact.Add(d.Exact, sh.Exact)
		for j, x := range sh.lines {
			if x != nil {
				d.lines[j].Add(d.lines[j], x)
			}
		}
		d.Shares = append(d.Shares, *sh)
	}
	var fits, baseFits bool
	d.Points, fits = t.Earning.Rounding.whole(d.Exact)
	d.Base, baseFits = t.Earning.Rounding.whole(base)
	if !fits || !baseFits || d.Points > MaxPoints {
		return d, false
	}
	exact := make([]*big.Rat, len(d.Shares))
	for i := range d.Shares {
		exact[i] = d.Shares[i].Exact
	}
	for i, n := range wholeParts(d.Points, exact) {
		d.Shares[i].Points = n
	}
	return d, true
}

// baseOf is what the rates give for a line; each tells what is whose.
func (t *Terms) baseOf(s *scene, p *purse, m matched, line int, each func(rule int, x *big.Rat)) *big.Rat {
	total := new(big.Rat)
	best := -1
	for _, j := range m.applied {
		if p.rules[j].Rate == nil || !m.hits[j].has(line) {
			continue
		}
		if t.Earning.Stacking == StackBest {
			if best < 0 || p.rules[j].Rate.Cmp(p.rules[best].Rate) > 0 {
				best = j
			}
			continue
		}
		x := s.points(line, p.rules[j].Rate)
		total.Add(total, x)
		if each != nil {
			each(j, x)
		}
	}
	if best >= 0 {
		x := s.points(line, p.rules[best].Rate)
		total.Add(total, x)
		if each != nil {
			each(best, x)
		}
	}
	return total
}

// points is what a rate gives for what a line paid.
func (s *scene) points(line int, rate *big.Rat) *big.Rat {
	x := new(big.Rat).SetInt64(s.pays[line])
	if x.Mul(x, rate); s.rate != one {
		x.Mul(x, s.rate)
	}
	return x
}

// timesAs are the multipliers that apply to a member of a tier.
func (p *purse) timesAs(m matched, tier string) []int {
	var out []int
	for i := range p.rules {
		r := &p.rules[i]
		if r.Multiplier == nil {
			continue
		}
		ofTier := r.ID == tierRule+tier
		if !isTier(r) && slices.Contains(m.applied, i) || ofTier {
			out = append(out, i)
		}
	}
	return out
}

func isTier(r *Rule) bool { return len(r.ID) > len(tierRule) && r.ID[:len(tierRule)] == tierRule }

// multiply tells what each multiplier adds to what the rates gave for a line.
func (t *Terms) multiply(p *purse, m matched, times []int, line int, base *big.Rat, each func(rule int, x *big.Rat)) {
	if len(times) == 0 {
		return
	}
	running := new(big.Rat).Set(base)
	best := -1
	for _, j := range times {
		r := &p.rules[j]
		if !isTier(r) && !m.hits[j].has(line) {
			continue
		}
		more := new(big.Rat).Sub(r.Multiplier, one)
		switch t.Earning.Stacking {
		case StackBest:
			if best < 0 || r.Multiplier.Cmp(p.rules[best].Multiplier) > 0 {
				best = j
			}
		case StackAdd:
			each(j, more.Mul(more, base))
		default:
			each(j, more.Mul(more, running))
			running.Mul(running, r.Multiplier)
		}
	}
	if best >= 0 {
		more := new(big.Rat).Sub(p.rules[best].Multiplier, one)
		each(best, more.Mul(more, base))
	}
}

// fixed gives a rule's fixed points: as much of them as is left of the goods
// that they were for, so that buying much and returning most gains nothing.
func (p *purse) fixed(s *scene, m matched, rule int, each func(line int, x *big.Rat)) {
	points := p.rules[rule].Points
	var goods int64
	for i := range s.Order.Lines {
		if m.hits[rule].has(i) {
			goods += s.net[i]
		}
	}
	if points == 0 || goods == 0 {
		return
	}
	for i := range s.Order.Lines {
		if m.hits[rule].has(i) && s.Left[i] > 0 {
			x := big.NewRat(s.Left[i], goods)
			each(i, x.Mul(x, new(big.Rat).SetInt64(points)))
		}
	}
}

// trim takes off what a limit or a budget does not leave room for.
func (sh *Share) trim(x *Facts) {
	room, bound := x.room(sh.Rule)
	most := new(big.Rat).SetInt64(room)
	if !bound || sh.Exact.Cmp(most) <= 0 {
		return
	}
	sh.Cut = new(big.Rat).Sub(sh.Exact, most)
	part := new(big.Rat).Quo(most, sh.Exact)
	for _, l := range sh.lines {
		if l != nil {
			l.Mul(l, part)
		}
	}
	sh.Exact = most
}

// wholeParts makes exact parts whole so that they sum to total, which is
// their sum rounded. No part moves by a whole unit, and one that is whole
// stays: what a limit leaves room for is never passed.
func wholeParts(total int64, exact []*big.Rat) []int64 {
	parts := make([]int64, len(exact))
	order := make([]int, len(exact))
	left := make([]*big.Rat, len(exact))
	for i, x := range exact {
		parts[i], _ = Floor.whole(x)
		total -= parts[i]
		order[i], left[i] = i, new(big.Rat).Sub(x, new(big.Rat).SetInt64(parts[i]))
	}
	slices.SortStableFunc(order, func(a, b int) int { return left[b].Cmp(left[a]) })
	for i := range total {
		parts[order[i]]++
	}
	return parts
}

// splitExactly is split for weights that are ratios.
func splitExactly(total int64, weights []*big.Rat) []int64 {
	parts := make([]int64, len(weights))
	all := new(big.Rat)
	for _, w := range weights {
		all.Add(all, w)
	}
	if all.Sign() == 0 {
		return parts
	}
	type remainder struct {
		at   int
		left *big.Rat
	}
	rest, left := total, make([]remainder, len(weights))
	for i, w := range weights {
		exact := new(big.Rat).SetInt64(total)
		exact.Mul(exact, w).Quo(exact, all)
		parts[i], _ = Floor.whole(exact)
		rest -= parts[i]
		left[i] = remainder{i, exact.Sub(exact, new(big.Rat).SetInt64(parts[i]))}
	}
	slices.SortStableFunc(left, func(a, b remainder) int { return b.left.Cmp(a.left) })
	for i := range rest {
		parts[left[i].at]++
	}
	return parts
}
