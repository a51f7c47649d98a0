package loyalty

import (
	"cmp"
	"math/big"
	"math/bits"
	"slices"
)

// purse is the rules of orders that pay to one wallet, highest priority
// first, with their numbers over common denominators, so that the exact worth
// of an ordinary order is a sum of whole numbers.
type purse struct {
	rules []Rule
	nums  []uint64 // of each rate over rateDen, of each multiplier over timesDen; 0 for fixed points

	rateDen, timesDen uint64
	whole             bool // all of that fits
}

// tierRule begins the id that the multiplier of a tier level has as a rule.
const tierRule = "tier:"

// Seal makes the terms ready to be decided with. It is called once, when all
// of them is set.
func (t *Terms) Seal() *Terms {
	t.purses = map[string]*purse{"": t.sorted("")}
	for _, w := range t.Wallets {
		t.purses[w.ID] = t.sorted(w.ID)
	}
	t.Needs = Needs{Tier: t.Tiers != nil}
	ask := func(f *Filter, when Condition) {
		t.Needs.Number = t.Needs.Number || f.From > 0 || f.To > 0 || when != nil
		t.Needs.Segments = t.Needs.Segments || len(f.Segments) > 0 || when != nil
		t.Needs.Attributes = t.Needs.Attributes || len(f.Attributes) > 0
	}
	for i := range t.Earning.Rules {
		ask(&t.Earning.Rules[i].Where, t.Earning.Rules[i].When)
	}
	for i := range t.Goals {
		ask(&t.Goals[i].Where, t.Goals[i].When)
	}
	for i := range t.Boards {
		ask(&t.Boards[i].Where, t.Boards[i].When)
	}
	return t
}

func (t *Terms) sorted(wallet string) *purse {
	p := &purse{rateDen: 1, timesDen: 1, whole: true}
	for _, r := range t.Earning.Rules {
		if r.Activity == "" && r.Wallet == wallet {
			p.rules = append(p.rules, r)
		}
	}
	if t.Tiers != nil && wallet == "" {
		for _, l := range t.Tiers.Levels {
			if l.Multiplier != nil {
				p.rules = append(p.rules, Rule{ID: tierRule + l.ID, Multiplier: l.Multiplier, Where: Filter{Tiers: []string{l.ID}}})
			}
		}
	}
	slices.SortStableFunc(p.rules, func(a, b Rule) int { return cmp.Compare(b.Priority, a.Priority) })
	for _, r := range p.rules {
		if r.Rate != nil {
			p.rateDen = p.common(p.rateDen, r.Rate)
		}
		if r.Multiplier != nil {
			p.timesDen = p.common(p.timesDen, r.Multiplier)
		}
	}
	for _, r := range p.rules {
		switch {
		case r.Rate != nil:
			p.nums = append(p.nums, p.over(r.Rate, p.rateDen))
		case r.Multiplier != nil:
			p.nums = append(p.nums, p.over(r.Multiplier, p.timesDen))
		default:
			p.nums = append(p.nums, 0)
		}
	}
	return p
}

// common is the least common multiple of den and r's denominator.
func (p *purse) common(den uint64, r *big.Rat) uint64 {
	if !p.whole || !r.Denom().IsUint64() {
		p.whole = false
		return den
	}
	d := r.Denom().Uint64()
	hi, lo := bits.Mul64(den/gcd(den, d), d)
	p.whole = hi == 0
	return lo
}

// over is the numerator that r has over den.
func (p *purse) over(r *big.Rat, den uint64) uint64 {
	if !p.whole || !r.Num().IsUint64() {
		p.whole = false
		return 0
	}
	hi, lo := bits.Mul64(r.Num().Uint64(), den/r.Denom().Uint64())
	p.whole = p.whole && hi == 0
	return lo
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// matched is what the rules of a purse came to for one order.
type matched struct {
	applied []int   // rules that apply, by their place in the purse
	hits    []lines // the lines on which each rule applies
	unmet   []Unmet
}

// match looks at every rule.
func (p *purse) match(s *scene) matched {
	words := len(s.Order.Lines)/64 + 1
	bitsets := make([]uint64, words*len(p.rules))
	m := matched{applied: make([]int, 0, len(p.rules)), hits: make([]lines, len(p.rules)), unmet: make([]Unmet, len(p.rules))}
	for i := range p.rules {
		r := &p.rules[i]
		m.hits[i] = bitsets[i*words : (i+1)*words]
		m.unmet[i] = s.matches(&r.Where, r.When, &r.During, m.hits[i])
		if room, bound := s.Facts.room(r.ID); m.unmet[i] == Met && bound && room <= 0 {
			m.unmet[i] = UnmetLimit
		}
		if m.unmet[i] == Met && r.Group != "" && slices.ContainsFunc(m.applied, func(j int) bool { return p.rules[j].Group == r.Group }) {
			m.unmet[i] = UnmetGroup
		}
		if m.unmet[i] == Met {
			m.applied = append(m.applied, i)
		}
	}
	return m
}

// plain tells whether the worth is rates and multipliers of what the lines
// paid, with nothing bounded and no tier crossed.
func (t *Terms) plain(s *scene, p *purse, m matched) bool {
	if !p.whole || s.Order.Currency != t.Currency || t.Tiers != nil && t.Tiers.Crossing == SplitAtThreshold {
		return false
	}
	for _, i := range m.applied {
		if r := &p.rules[i]; r.Limit != nil || r.Budget > 0 || r.Points > 0 {
			return false
		}
	}
	return true
}

type quickSum struct {
	points, base int64
	weights      []int64 // in proportion to what each line earned
}

// quick adds up in whole numbers. The second answer is false when something
// does not fit; then detail does the same sum without bounds, and a test
// holds that both agree.
func (p *purse) quick(t *Terms, s *scene, m matched) (quickSum, bool) {
	n := len(s.Order.Lines)
	factors := make([]uint64, 2*n) // of each line: rates and multipliers, then rates alone
	with, alone := factors[:n], factors[n:]
	most := 0 // multipliers on one line
	var c carry
	for i := range n {
		if s.pays[i] == 0 {
			continue
		}
		rate, times, count := uint64(0), p.timesDen, 0
		for _, j := range m.applied {
			if !m.hits[j].has(i) {
				continue
			}
			num := p.nums[j]
			switch {
			case p.rules[j].Rate != nil && t.Earning.Stacking == StackBest:
				rate = max(rate, num)
			case p.rules[j].Rate != nil:
				rate = c.add(rate, num)
			case t.Earning.Stacking == StackBest:
				times = max(times, num)
			case t.Earning.Stacking == StackAdd:
				times = c.add(times, num-p.timesDen)
			default:
				if count++; count == 1 {
					times = num
				} else {
					times = c.times(times, num)
				}
			}
		}
		most = max(most, count)
		alone[i], with[i] = rate, c.times(rate, times)
	}
	den := c.times(p.rateDen, p.timesDen)
	if most > 1 { // lines with fewer multipliers are brought over the same denominator
		for i := range n {
			count := 0
			for _, j := range m.applied {
				if p.rules[j].Multiplier != nil && m.hits[j].has(i) {
					count++
				}
			}
			for range most - max(count, 1) {
				with[i] = c.times(with[i], p.timesDen)
			}
		}
		for range most - 1 {
			den = c.times(den, p.timesDen)
		}
	}
	var q quickSum
	q.points = c.round(t.Earning.Rounding, s.pays, with, den)
	q.base = c.round(t.Earning.Rounding, s.pays, alone, p.rateDen)
	var common uint64
	for _, f := range with {
		common = gcd(common, f)
	}
	q.weights = make([]int64, n)
	var all uint64
	for i, f := range with {
		if common > 0 {
			w := c.times(uint64(s.pays[i]), f/common)
			all = c.add(all, w)
			q.weights[i] = int64(w)
		}
	}
	return q, !c.over && all < 1<<63
}

// carry notes when whole numbers do not fit.
type carry struct{ over bool }

func (c *carry) add(a, b uint64) uint64 {
	sum, over := bits.Add64(a, b, 0)
	c.over = c.over || over != 0
	return sum
}

func (c *carry) times(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	c.over = c.over || hi != 0
	return lo
}

// round is the sum of amounts times factors over den, rounded.
func (c *carry) round(r Rounding, amounts []int64, factors []uint64, den uint64) int64 {
	var hi, lo, out uint64
	put := func(h, l uint64) {
		var up uint64
		lo, up = bits.Add64(lo, l, 0)
		hi, out = bits.Add64(hi, h, up)
		c.over = c.over || out != 0
	}
	for i, a := range amounts {
		put(bits.Mul64(uint64(a), factors[i]))
	}
	switch r {
	case Ceil:
		put(0, den-1)
	case HalfUp: // floor(x + 1/2) = floor((2·num + den) / (2·den))
		put(hi, lo)
		put(0, den)
		den = c.add(den, den)
	}
	if c.over || den == 0 || hi >= den {
		c.over = true
		return 0
	}
	q, _ := bits.Div64(hi, lo, den)
	c.over = c.over || q > 1<<62
	return int64(q)
}
