package segment

import (
	"errors"
	"fmt"
	"math"

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
// Hessian (by its upper triangle) where that is not nil.
type surface func(parameters, gradient []float64, hessian *mat.SymDense) float64

// maximum climbs a surface in the logarithms of the parameters (so they stay
// positive, and r and alpha have like scales) by BFGS, and stops where the gradient per
// unit of weight is nil: under 1e-4 over all, or 1e-7 for each of many. The log
// likelihood of more has no digits left to climb by.
//
// The standard errors are of the observed information: the inverse of the negative
// Hessian of the log likelihood at the maximum, which is computed analytically
// in the logarithms and carried to the parameters by the delta method.
func maximum(f surface, start []float64, weight float64) (at, errs []float64, best float64, reason string) {
	n := len(start)
	from, parameters, gradient := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, v := range start {
		from[i] = math.Log(v)
	}
	last := make([]float64, n) // where gradient was taken
	var value float64
	last[0] = math.NaN()
	look := func(logs []float64) {
		same := true
		for i, v := range logs {
			same = same && v == last[i]
		}
		if same { // the optimizer asks for the value and the gradient of a point one after the other
			return
		}
		copy(last, logs)
		for i, v := range logs {
			parameters[i] = math.Exp(v)
		}
		value = f(parameters, gradient, nil)
		for i := range gradient {
			gradient[i] *= parameters[i]
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
	}, from, &optimize.Settings{GradientThreshold: threshold / weight, MajorIterations: 500}, &optimize.BFGS{})
	if result == nil {
		return start, make([]float64, n), math.NaN(), err.Error()
	}

	at, errs = make([]float64, n), make([]float64, n)
	for i, v := range result.X {
		at[i] = math.Exp(v)
	}
	hessian := mat.NewSymDense(n, nil)
	best = f(at, gradient, hessian)
	information := mat.NewSymDense(n, nil)
	for i := range n {
		// The line search may give up at the last digit; the gradient has the last word.
		if slope := math.Abs(gradient[i] * at[i]); !(slope <= 10*threshold) {
			return at, errs, best, fmt.Sprintf("the slope is still %.2g after %d steps", slope, result.MajorIterations)
		}
		for j := i; j < n; j++ {
			h := hessian.At(i, j) * at[i] * at[j]
			if i == j {
				h += gradient[i] * at[i]
			}
			information.SetSym(i, j, -h)
		}
	}
	var factor mat.Cholesky
	if !factor.Factorize(information) {
		return at, errs, best, "the likelihood is flat: the data do not tell the parameters apart"
	}
	var covariance mat.SymDense
	if err := factor.InverseTo(&covariance); err != nil {
		return at, errs, best, "the likelihood is nearly flat: " + err.Error()
	}
	for i := range n {
		errs[i] = at[i] * math.Sqrt(covariance.At(i, i))
	}
	return at, errs, best, ""
}
