package segment

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// BGNBD is the BG/NBD model of Fader, Hardie and Lee, "Counting Your Customers"
// the Easy Way, Marketing Science 24 (2005): while active, a member buys at
// random at her own rate, and stops after each purchase with her own probability.
// Rates are gamma distributed over the members (shape R, and Alpha weeks), the
// probabilities beta (A, B). All four are positive.
//
// Purchases are days with a purchase; the first is where a member's time begins
// and is not counted.
type BGNBD struct {
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// Purchases is what the model knows of a member, and how many members are so.
type Purchases struct {
	X  int64   // days with a purchase after the first
	Tx float64 // weeks from the first purchase to the last; 0 when X is 0
	T  float64 // weeks from the first purchase to now
	N  int64   // members with exactly these
}

// Purchases of a member as known on a day (local days since 1970): false when
// she never bought. A day before her last purchase counts as that one.
func (m *Member) Purchases(today int32) (Purchases, bool) {
	if m.Days == 0 {
		return Purchases{}, false
	}
	return Purchases{X: m.Days - 1, Tx: float64(m.Last-m.First) / 7, T: float64(max(today, m.Last)-m.First) / 7, N: 1}, true
}

// Active is the probability that a member has not stopped (P(alive)): 1 before a
// second purchase, for one stops only after a purchase that repeats. The last
// formula of Fader, Hardie and Lee, "Computing P(alive) Using the BG/NBD Model"
// (2008); the power of a large X goes to 0 or 1 and does not overflow into NaN.
func (m BGNBD) Active(x int64, tx, t float64) float64 {
	if x == 0 {
		return 1
	}
	return 1 / (1 + m.stopped(float64(x), tx, t))
}

// stopped is the odds that a member who has repeated has stopped.
func (m BGNBD) stopped(x, tx, t float64) float64 {
	return m.A / (m.B + x - 1) * math.Exp((m.R+x)*math.Log1p((t-tx)/(m.Alpha+tx)))
}

// Expected is E[X(t)], the purchases of a new member in her first weeks after the first
// purchase, which is not counted: formula 9 of the paper of 2005.
func (m BGNBD) Expected(weeks float64) float64 {
	return m.future(0).in(weeks, m.Alpha)
}

// ExpectedOf is E[Y(t) | x, tx, T], the purchases of a member in the weeks from
// now on, given hers until now: formula 10 of the paper of 2005.
func (m BGNBD) ExpectedOf(x int64, tx, t, weeks float64) float64 {
	return m.future(x).in(weeks, m.Alpha+t) * m.Active(x, tx, t)
}

// A future is the part of the paper's formula 10 before its last factor,
//
//	C/(a-1) · [1 - (1-z)^(r+x) 2F1(r+x, b+x; C; z)],  C = a+b+x-1,  z = t/(alpha+T+t)
//
// as a power series. Written so it overflows for large x, loses all digits
// when a is near 1, and has no value where C = 0. After Euler's transformation the
// bracket is 1 - (1-z)^(a-1) 2F1(a-1, C-r-x; C; z), and since (1-z)^(1-a) is
// 2F1(a-1, C; C; z), the whole is
//
//	(1-z)^(a-1) · Σ k>=1  (a)_{k-1}/k! · D_k · z^k,  D_k = C · [1 - (C-r-x)_k/(C)_k]
//
// with D_1 = r+x and D_{k+1} = D_k + (r+x) · (C-r-x)_k/(C+1)_{k-1}/(C+k): sums of
// what is positive, but for the first terms where C < r+x.
type future struct {
	a, c, rx float64
}

func (m BGNBD) future(x int64) future {
	return future{a: m.A, c: m.A + m.B + float64(x) - 1, rx: m.R + float64(x)}
}

// in is the future of the next weeks, when since weeks (alpha and what has
// passed) are behind.
func (f future) in(weeks, since float64) float64 {
	var sum [1]float64
	f.over([]float64{weeks}, since, sum[:])
	return sum[0]
}

// mostHorizons is how many futures are summed at once.
const mostHorizons = 16

// over is in, for rising horizons at once: the coefficients are the same.
func (f future) over(weeks []float64, since float64, sums []float64) {
	if f.a > mostApart {
		f.alike(weeks, since, sums)
		return
	}
	var zs, powers [mostHorizons]float64
	n := len(weeks)
	for i, w := range weeks {
		zs[i] = max(w, 0) / (since + max(w, 0))
		powers[i] = zs[i]
	}
	clear(sums)
	from := 0 // of the horizons that are not complete; the near ones are first
	c, d, share := 1.0, f.rx, f.c-f.rx
	for k := 1.0; from < n && k < 1e6; k++ {
		term := c * d
		for i := from; i < n; i++ {
			sums[i] += term * powers[i]
			powers[i] *= zs[i]
		}
		part := 1 / (f.c + k)
		next := d + f.rx*share*part
		growth := (f.a + k - 1) / (k + 1)
		for from < n && negligible(term*powers[from], zs[from]*max(growth, 1)*max(math.Abs(next/d), 1), sums[from]) {
			from++
		}
		share *= (f.c - f.rx + k) * part
		c *= growth
		d = next
	}
	for i, w := range weeks {
		sums[i] *= math.Exp((f.a - 1) * math.Log(since/(since+max(w, 0))))
	}
}

// mostApart is an a up to which every term of the series fits a float64.
const mostApart = 50

// alike is over where members stop with nearly the same probability: a is large,
// and terms of the series more than fit. The formula as the paper prints it has
// no such terms there, and its bracket is not near 0.
func (f future) alike(weeks []float64, since float64, sums []float64) {
	for i, w := range weeks {
		w = max(w, 0)
		left := math.Exp(-f.rx * math.Log1p(w/since)) // (1-z)^(r+x)
		sums[i] = f.c / (f.a - 1) * (1 - left*Hyp2F1(f.rx, f.c-f.a+1, f.c, w/(since+w)))
	}
}

// negligible is whether a geometric series from a term on changes nothing of a sum.
func negligible(term, ratio, sum float64) bool {
	last := 0x1p-54 * math.Abs(sum)
	return math.Abs(term) <= last && ratio < 1 && math.Abs(term) <= (1-ratio)*last
}

// Probability is P(X(t) = x) of a new member in her first weeks: formula 8 of the paper
// of 2005, with the sum over smaller counts as the incomplete beta function that it is.
func (m BGNBD) Probability(x int64, weeks float64) float64 {
	n, z := float64(x), weeks/(m.Alpha+weeks)
	none := m.R * math.Log1p(-z)
	if x == 0 {
		return math.Exp(none)
	}
	beta := mathext.Lbeta(m.A, m.B)
	active := math.Exp(mathext.Lbeta(m.A, m.B+n) - beta + logRising(m.R, n) - lgamma(n+1) + none + n*math.Log(z))
	stopped := math.Exp(mathext.Lbeta(m.A+1, m.B+n-1)-beta) * mathext.RegIncBeta(n, m.R, z)
	return active + stopped
}

// LogLikelihood of a member's purchases (of one, whatever N is), with the
// factorials left out as in the paper of 2005.
func (m BGNBD) LogLikelihood(p Purchases) float64 {
	x := float64(p.X)
	common := logRising(m.R, x) + logRising(m.B, x) - logRising(m.A+m.B, x) + m.R*math.Log(m.Alpha)
	active := -(m.R + x) * math.Log(m.Alpha+p.T)
	if p.X == 0 {
		return common + active
	}
	return common + active + math.Log1p(m.stopped(x, p.Tx, p.T))
}

// logRising is the logarithm of g·(g+1)···(g+n-1).
func logRising(g, n float64) float64 { return lgamma(g+n) - lgamma(g) }

func lgamma(x float64) float64 {
	l, _ := math.Lgamma(x)
	return l
}
