package segment

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// Fit is a model's maximum of the likelihood.
type Fit[M any] struct {
	Model         M       `json:"model"`
	Errors        M       `json:"standard_errors"` // of each parameter; 0 when not Converged
	LogLikelihood float64 `json:"log_likelihood"`
	Members       int64   `json:"members"`   // that the model was fitted to
	Repeaters     int64   `json:"repeaters"` // of them, with a purchase after the first
	Converged     bool    `json:"converged"`
	Reason        string  `json:"reason,omitempty"` // why not
}

// ErrTooFew is for samples that are too small to say anything: under MinRepeaters members
// who have repeated. Forecasts of so few would be noise with decimals.
var ErrTooFew = errors.New("too few members for a model")

// ErrPurchases is for purchases that cannot be.
var ErrPurchases = errors.New("purchases that cannot be")

// MinRepeaters is how many members with a repeat purchase a fit needs. A choice: with
// fifty of the 946 of CDNOW, the standard errors of A and B would be as large as A and B.
const MinRepeaters = 50

// A surface is a log likelihood over positive parameters. It fills the gradient, and the
// Hessian (its upper triangle), which costs little beside the logarithms of every member.
type surface func(parameters, gradient []float64, hessian *mat.SymDense) float64

// maximum climbs a surface in the logarithms of the parameters (so they stay
// positive, and r and alpha have like scales) by Newton's method, and stops where the
// gradient per unit of weight is nil: under 1e-4 over all, or 1e-7 for each of many. The
// log likelihood of more has no digits left to climb by.
//
// The standard errors are of the observed information: the inverse of the negative
// Hessian of the log likelihood at the maximum, in the logarithms, carried to the
// parameters by the delta method.
func maximum(f surface, start []float64, weight float64) (at, errs []float64, best float64, reason string) {
	n := len(start)
	from, parameters, gradient := make([]float64, n), make([]float64, n), make([]float64, n)
	hessian := mat.NewSymDense(n, nil)
	for i, v := range start {
		from[i] = math.Log(v)
	}
	last := make([]float64, n) // where value, gradient and hessian were taken
	var value float64
	last[0] = math.NaN()
	look := func(logs []float64) {
		if slices.Equal(logs, last) { // the optimizer asks for each of the three at a point
			return
		}
		copy(last, logs)
		for i, v := range logs {
			if parameters[i] = math.Exp(v); parameters[i] == 0 || math.IsInf(parameters[i], 1) {
				value = math.Inf(-1) // too long a step
				return
			}
		}
		value = f(parameters, gradient, hessian)
		for i, p := range parameters {
			gradient[i] *= p
			for j := i; j < n; j++ {
				h := hessian.At(i, j) * p * parameters[j]
				if i == j {
					h += gradient[i]
				}
				hessian.SetSym(i, j, h)
			}
		}
	}
	threshold := max(1e-4, 1e-7*weight)
	result, err := optimize.Minimize(optimize.Problem{
		Func: func(logs []float64) float64 {
			look(logs)
			return -value / weight
		},
		Grad: func(to, logs []float64) {
			look(logs)
			for i, g := range gradient {
				to[i] = -g / weight
			}
		},
		Hess: func(to *mat.SymDense, logs []float64) {
			look(logs)
			to.ScaleSym(-1/weight, hessian)
		},
	}, from, &optimize.Settings{GradientThreshold: threshold / weight, MajorIterations: 500}, &optimize.Newton{})
	at, errs = slices.Clone(start), make([]float64, n)
	if result == nil {
		return at, errs, math.NaN(), err.Error()
	}
	look(result.X)
	copy(at, parameters)
	for _, slope := range gradient {
		// The line search may give up at the last digit; the gradient has the last word.
		if slope = math.Abs(slope); !(slope <= 10*threshold) {
			return at, errs, value, fmt.Sprintf("the slope is still %.2g after %d steps", slope, result.MajorIterations)
		}
	}
	var information, covariance mat.SymDense
	information.ScaleSym(-1, hessian)
	var factor mat.Cholesky
	if !factor.Factorize(&information) {
		return at, errs, value, "the likelihood is flat: the data do not tell the parameters apart"
	}
	if err := factor.InverseTo(&covariance); err != nil {
		return at, errs, value, "the likelihood is nearly flat: " + err.Error()
	}
	for i := range n {
		errs[i] = at[i] * math.Sqrt(covariance.At(i, i))
	}
	return at, errs, value, ""
}

// near is where the climb over many rows begins: at the maximum over one in so many of
// them, from which it is a step or two; where that has none, or rows are few, at start.
func near[R any](rows []R, start []float64, climb func(rows []R, start []float64) (at, errs []float64, best float64, reason string)) []float64 {
	const oneIn, few = 16, 16_000
	if len(rows) < few {
		return start
	}
	var some []R
	for i := 0; i < len(rows); i += oneIn {
		some = append(some, rows[i])
	}
	if at, _, _, reason := climb(some, start); reason == "" {
		return at
	}
	return start
}
