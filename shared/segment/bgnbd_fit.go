package segment

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// mostPurchases is far above what days with a purchase a member can have.
const mostPurchases = 100_000

// MergePurchases adds up the members with the same purchases, in order. Members in
// shards are merged by merging what their shards merged. What is merged already is
// answered as it is.
func MergePurchases(rows []Purchases) []Purchases {
	order := func(a, b Purchases) int {
		return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.T, b.T), cmp.Compare(a.Tx, b.Tx))
	}
	if ascends(rows, order) {
		return rows
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, order)
	merged := rows[:0]
	for _, p := range rows {
		if last := len(merged) - 1; last >= 0 && merged[last].X == p.X && merged[last].T == p.T && merged[last].Tx == p.Tx {
			merged[last].N += p.N
		} else {
			merged = append(merged, p)
		}
	}
	return merged
}

// ascends is whether each row is beyond the one before.
func ascends[R any](rows []R, order func(a, b R) int) bool {
	for i := 1; i < len(rows); i++ {
		if order(rows[i-1], rows[i]) >= 0 {
			return false
		}
	}
	return true
}

// FitBGNBD is the model under which these purchases are most likely. Errors:
// ErrPurchases, ErrTooFew. A fit that has not converged is no error: it says why,
// and its model must not be used.
func FitBGNBD(rows []Purchases) (Fit[BGNBD], error) {
	rows = MergePurchases(rows)
	var fit Fit[BGNBD]
	var weeks float64
	for _, p := range rows {
		if !p.possible() {
			return fit, fmt.Errorf("%w: %+v", ErrPurchases, p)
		}
		fit.Members += p.N
		weeks += p.T * float64(p.N)
		if p.X > 0 {
			fit.Repeaters += p.N
		}
	}
	if fit.Repeaters < MinRepeaters {
		return fit, fmt.Errorf("%w: %d have repeated, %d are needed", ErrTooFew, fit.Repeaters, MinRepeaters)
	}
	climb := func(rows []Purchases, start []float64) ([]float64, []float64, float64, string) {
		return maximum(func(parameters, gradient []float64, hessian *mat.SymDense) float64 {
			return (BGNBD{parameters[0], parameters[1], parameters[2], parameters[3]}).surface(rows, gradient, hessian)
		}, start, float64(fit.Members))
	}
	start := []float64{.5, weeks / float64(fit.Members) / 2, 1, 2}
	at, errs, best, reason := climb(rows, near(rows, start, climb))
	fit.Model, fit.Errors = BGNBD{at[0], at[1], at[2], at[3]}, BGNBD{errs[0], errs[1], errs[2], errs[3]}
	fit.LogLikelihood, fit.Converged, fit.Reason = best, reason == "", reason
	return fit, nil
}

func (p Purchases) possible() bool {
	return p.X >= 0 && p.X <= mostPurchases && p.N > 0 && (p.X == 0) == (p.Tx == 0) &&
		p.Tx >= 0 && p.Tx <= p.T && !math.IsInf(p.T, 0)
}

// rising follows ln g(g+1)...(g+n-1) and its two derivatives by g as n grows: sums,
// where differences of gamma functions would cancel.
type rising struct {
	g                  float64
	n                  int64
	log, first, second float64
}

func (s *rising) to(n int64) {
	for ; s.n < n; s.n++ {
		v := s.g + float64(s.n)
		s.log += math.Log(v)
		s.first += 1 / v
		s.second -= 1 / (v * v)
	}
}

// surface is the log likelihood of merged rows (in order of X) with its derivatives
// by R, Alpha, A and B. What depends on X only is taken once for all rows with that X,
// and what on X and T for those with both.
func (m BGNBD) surface(rows []Purchases, gradient []float64, hessian *mat.SymDense) float64 {
	clear(gradient)
	hessian.Zero()
	add := func(i, j int, v float64) { hessian.SetSym(i, j, hessian.At(i, j)+v) }
	rx, bx, abx := rising{g: m.R}, rising{g: m.B}, rising{g: m.A + m.B}
	logAlpha, total := math.Log(m.Alpha), 0.0

	for len(rows) > 0 {
		x := rows[0].X
		rx.to(x)
		bx.to(x)
		abx.to(x)
		k := m.R + float64(x)      // the power of both ages
		b1 := m.B + float64(x) - 1 // of the member who stopped after her last purchase
		odds := math.Log(m.A) - math.Log(b1)
		// Sums over the members: of their log likelihood, of the probability that each has
		// stopped, of the means over both cases of the age's logarithm, of one by it, and of
		// one by its square; and of the variance of the cases, by the differences between them.
		var n, sum, stopped, logs, inverses, squares float64
		var vary, varyR, varyAlpha, varyRR, varyRAlpha, varyAlphaAlpha float64
		var logAge, byAge float64
		t := math.NaN()
		i := 0
		for ; i < len(rows) && rows[i].X == x; i++ {
			p := &rows[i]
			if p.T != t {
				t = p.T
				logAge, byAge = math.Log(m.Alpha+t), 1/(m.Alpha+t)
			}
			count := float64(p.N)
			n += count
			if x == 0 {
				sum -= count * k * logAge
				logs += count * logAge
				inverses += count * byAge
				squares += count * byAge * byAge
				continue
			}
			seen := m.Alpha + p.Tx
			logSeen, bySeen := math.Log(seen), 1/seen
			// w is the probability that she has stopped, given all this.
			var w, either float64
			if d := odds + k*(logAge-logSeen); d > 0 {
				e := math.Exp(-d)
				w, either = 1/(1+e), d+math.Log(1+e)
			} else {
				e := math.Exp(d)
				w, either = e/(1+e), math.Log(1+e)
			}
			sum += count * (either - k*logAge)
			stopped += count * w
			logs += count * (w*logSeen + (1-w)*logAge)
			inverses += count * (w*bySeen + (1-w)*byAge)
			squares += count * (w*bySeen*bySeen + (1-w)*byAge*byAge)
			v, byR, byAlpha := count*w*(1-w), logAge-logSeen, k*(byAge-bySeen)
			vary += v
			varyR += v * byR
			varyAlpha += v * byAlpha
			varyRR += v * byR * byR
			varyRAlpha += v * byR * byAlpha
			varyAlphaAlpha += v * byAlpha * byAlpha
		}
		total += sum + n*(rx.log+bx.log-abx.log+m.R*logAlpha)
		gradient[0] += n*(rx.first+logAlpha) - logs
		gradient[1] += n*m.R/m.Alpha - k*inverses
		gradient[2] += stopped/m.A - n*abx.first
		gradient[3] += n * (bx.first - abx.first)
		add(0, 0, n*rx.second+varyRR)
		add(0, 1, n/m.Alpha+varyRAlpha-inverses)
		add(1, 1, varyAlphaAlpha+k*squares-n*m.R/(m.Alpha*m.Alpha))
		add(2, 2, (vary-stopped)/(m.A*m.A)-n*abx.second)
		add(2, 3, -n*abx.second)
		add(3, 3, n*(bx.second-abx.second))
		if x > 0 {
			gradient[3] -= stopped / b1
			add(0, 2, varyR/m.A)
			add(0, 3, -varyR/b1)
			add(1, 2, varyAlpha/m.A)
			add(1, 3, -varyAlpha/b1)
			add(2, 3, -vary/(m.A*b1))
			add(3, 3, (vary+stopped)/(b1*b1))
		}
		rows = rows[i:]
	}
	return total
}
