package segment

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
)

// GammaGamma is the Gamma-Gamma model of spend of Fader and Hardie (2013, note 025): what
// a member spends on a purchase day is gamma distributed (shape P) around her own mean,
// and the means differ between members, gamma again (shape Q, and V in units of money).
// All three are positive; the mean over members is finite where Q is over 1.
//
// The model supposes that how much does not depend on how often.
type GammaGamma struct {
	P float64 `json:"p"`
	Q float64 `json:"q"`
	V float64 `json:"v"`
}

// Spend is what the model knows of a member who has repeated, and how many are so.
type Spend struct {
	X    int64   // days with a purchase after the first
	Mean float64 // spent on one of these days, in the unit that V then has
	N    int64   // members with exactly these
}

// Spend of a member, in minor units: false when she has not repeated, or when
// nothing is left of what she bought: the model knows positive amounts only.
func (m *Member) Spend() (Spend, bool) {
	x, sum := m.Days-1, m.Spent-m.FirstSpent
	if x < 1 || sum <= 0 {
		return Spend{}, false
	}
	return Spend{X: x, Mean: float64(sum) / float64(x), N: 1}, true
}

// Mean is what a member is expected to spend on a purchase day to come, given hers:
// between her own mean and that of all, nearer to hers the more days she has
// (formula 5 of the note). With x = 0 it is the mean over members.
func (m GammaGamma) Mean(x int64, mean float64) float64 {
	px := m.P * float64(x)
	return (px*mean + m.P*m.V) / (px + m.Q - 1)
}

// Density of a member's mean spend over x purchase days (formula 1a of the note).
func (m GammaGamma) Density(x int64, mean float64) float64 {
	n := float64(x)
	px := m.P * n
	return math.Exp(px*math.Log(n*mean) - math.Log(mean) + m.Q*math.Log(m.V) - (px+m.Q)*math.Log(n*mean+m.V) - mathext.Lbeta(px, m.Q))
}

// MergeSpends adds up the members with the same spend, in order. What is merged already
// is answered as it is.
func MergeSpends(rows []Spend) []Spend {
	order := func(a, b Spend) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Mean, b.Mean)) }
	if ascends(rows, order) {
		return rows
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, order)
	merged := rows[:0]
	for _, s := range rows {
		if last := len(merged) - 1; last >= 0 && merged[last].X == s.X && merged[last].Mean == s.Mean {
			merged[last].N += s.N
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// FitGammaGamma is the model under which this spend is most likely. Errors:
// ErrPurchases, ErrTooFew. A fit that has not converged is no error: it says why,
// and its model must not be used.
func FitGammaGamma(rows []Spend) (Fit[GammaGamma], error) {
	rows = MergeSpends(rows)
	var fit Fit[GammaGamma]
	var sum float64
	for _, s := range rows {
		if s.X < 1 || s.X > mostPurchases || s.N <= 0 || !(s.Mean > 0) || math.IsInf(s.Mean, 0) {
			return fit, fmt.Errorf("%w: %+v", ErrPurchases, s)
		}
		fit.Members += s.N
		sum += s.Mean * float64(s.N)
	}
	fit.Repeaters = fit.Members
	if fit.Repeaters < MinRepeaters {
		return fit, fmt.Errorf("%w: %d have repeated, %d are needed", ErrTooFew, fit.Repeaters, MinRepeaters)
	}
	climb := func(rows []Spend, start []float64) ([]float64, []float64, float64, string) {
		groups := groupSpends(rows)
		return maximum(func(parameters, gradient []float64, hessian *mat.SymDense) float64 {
			return (GammaGamma{parameters[0], parameters[1], parameters[2]}).surface(groups, gradient, hessian)
		}, start, float64(fit.Members))
	}
	start := []float64{2, 2, sum / float64(fit.Members) / 2} // so that the mean over members, p·v/(q-1), is theirs
	at, errs, best, reason := climb(rows, near(rows, start, climb))
	fit.Model, fit.Errors, fit.LogLikelihood = GammaGamma{at[0], at[1], at[2]}, GammaGamma{errs[0], errs[1], errs[2]}, best
	if reason == "" && fit.Model.Q <= 1 {
		reason = "so few spend so much that the mean is infinite (q is not over 1)"
	}
	fit.Converged, fit.Reason = reason == "", reason
	return fit, nil
}

// spendGroup are merged rows with one X, and what no parameter changes of them.
type spendGroup struct {
	x    float64
	n    float64 // members
	logs float64 // sum of the logarithms of what each of them spent
	rows []Spend
}

func groupSpends(rows []Spend) (groups []spendGroup) {
	for len(rows) > 0 {
		g := spendGroup{x: float64(rows[0].X)}
		i := 0
		for ; i < len(rows) && rows[i].X == rows[0].X; i++ {
			g.n += float64(rows[i].N)
			g.logs += float64(rows[i].N) * math.Log(g.x*rows[i].Mean)
		}
		g.rows, rows = rows[:i], rows[i:]
		groups = append(groups, g)
	}
	return groups
}

// surface is the log likelihood of rows by their X, with its derivatives by P, Q and V.
// The gamma functions depend on X only; of a row there is left ln(x·mean + V).
func (m GammaGamma) surface(groups []spendGroup, gradient []float64, hessian *mat.SymDense) float64 {
	clear(gradient)
	hessian.Zero()
	add := func(i, j int, v float64) { hessian.SetSym(i, j, hessian.At(i, j)+v) }
	logV, total := math.Log(m.V), 0.0
	for i := range groups {
		g := &groups[i]
		n, x := g.n, g.x
		px := m.P * x
		k := px + m.Q
		var logs, inverses, squares float64 // of all wholes
		for i := range g.rows {
			whole, count := x*g.rows[i].Mean+m.V, float64(g.rows[i].N)
			part := count / whole
			logs += count * math.Log(whole)
			inverses += part
			squares += part / whole
		}
		digamma, trigamma := mathext.Digamma(k), mathext.Zeta(2, k)
		total += (px-1)*g.logs + n*math.Log(x) - k*logs + n*(m.Q*logV-mathext.Lbeta(px, m.Q))
		gradient[0] += x*(g.logs-logs) + n*x*(digamma-mathext.Digamma(px))
		gradient[1] += n*(digamma-mathext.Digamma(m.Q)+logV) - logs
		gradient[2] += n*m.Q/m.V - k*inverses
		add(0, 0, n*x*x*(trigamma-mathext.Zeta(2, px)))
		add(0, 1, n*x*trigamma)
		add(0, 2, -x*inverses)
		add(1, 1, n*(trigamma-mathext.Zeta(2, m.Q)))
		add(1, 2, n/m.V-inverses)
		add(2, 2, k*squares-n*m.Q/(m.V*m.V))
	}
	return total
}
