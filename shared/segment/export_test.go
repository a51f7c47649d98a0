package segment

import "gonum.org/v1/gonum/mat"

// Surface shows the tests what the optimizer climbs.
func (m BGNBD) Surface(rows []Purchases, gradient []float64, hessian *mat.SymDense) float64 {
	return m.surface(rows, gradient, hessian)
}

// Surface shows the tests what the optimizer climbs.
func (m GammaGamma) Surface(rows []Spend, gradient []float64, hessian *mat.SymDense) float64 {
	return m.surface(rows, gradient, hessian)
}
