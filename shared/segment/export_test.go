package segment

import "gonum.org/v1/gonum/mat"

// Surface shows the tests what the optimizer climbs.
func (m BGNBD) Surface(rows []Purchases, gradient []float64, hessian *mat.SymDense) float64 {
	return m.surface(rows, gradient, orNew(hessian, 4))
}

// Surface shows the tests what the optimizer climbs.
func (m GammaGamma) Surface(rows []Spend, gradient []float64, hessian *mat.SymDense) float64 {
	return m.surface(groupSpends(rows), gradient, orNew(hessian, 3))
}

// orNew is for who does not look at the Hessian.
func orNew(hessian *mat.SymDense, n int) *mat.SymDense {
	if hessian == nil {
		return mat.NewSymDense(n, nil)
	}
	return hessian
}
