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
// shards are merged by merging what their shards merged.
func MergePurchases(rows []Purchases) []Purchases {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b Purchases) int {
		return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.T, b.T), cmp.Compare(a.Tx, b.Tx))
	})
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
	start := []float64{.5, weeks / float64(fit.Members) / 2, 1, 2}
	at, errs, best, reason := maximum(func(parameters, gradient []float64, hessian *mat.SymDense) float64 {
		return (BGNBD{parameters[0], parameters[1], parameters[2], parameters[3]}).surface(rows, gradient, hessian)
	}, start, float64(fit.Members))
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
// by R, Alpha, A and B. What depends on X only is taken once for all rows with that X.
func (m BGNBD) surface(rows []Purchases, gradient []float64, hessian *mat.SymDense) float64 {
	clear(gradient)
	second := hessian != nil
	if second {
		hessian.Zero()
	}
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
		var n, sum, gr, galpha, dead float64
		i := 0
		for ; i < len(rows) && rows[i].X == x; i++ {
			p := &rows[i]
			count := float64(p.N)
			n += count
			age := m.Alpha + p.T
			logAge := math.Log(age)
			if x == 0 {
				sum -= count * k * logAge
				gr -= count * logAge
				galpha -= count * k / age
				if second {
					add(0, 1, -count/age)
					add(1, 1, count*k/(age*age))
				}
				continue
			}
			seen := m.Alpha + p.Tx
			logSeen := math.Log(seen)
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
			gr -= count * (w*logSeen + (1-w)*logAge)
			galpha -= count * k * (w/seen + (1-w)/age)
			dead += count * w
			if second {
				apart := [4]float64{logAge - logSeen, k/age - k/seen, 1 / m.A, -1 / b1}
				for i := range 4 {
					for j := i; j < 4; j++ {
						add(i, j, count*w*(1-w)*apart[i]*apart[j])
					}
				}
				add(0, 1, -count*(w/seen+(1-w)/age))
				add(1, 1, count*k*(w/(seen*seen)+(1-w)/(age*age)))
				add(2, 2, -count*w/(m.A*m.A))
				add(3, 3, count*w/(b1*b1))
			}
		}
		total += sum + n*(rx.log+bx.log-abx.log+m.R*logAlpha)
		gradient[0] += gr + n*(rx.first+logAlpha)
		gradient[1] += galpha + n*m.R/m.Alpha
		gradient[2] += dead/m.A - n*abx.first
		gradient[3] += n * (bx.first - abx.first)
		if x > 0 {
			gradient[3] -= dead / b1
		}
		if second {
			add(0, 0, n*rx.second)
			add(0, 1, n/m.Alpha)
			add(1, 1, -n*m.R/(m.Alpha*m.Alpha))
			add(2, 2, -n*abx.second)
			add(2, 3, -n*abx.second)
			add(3, 3, n*(bx.second-abx.second))
		}
		rows = rows[i:]
	}
	return total
}
