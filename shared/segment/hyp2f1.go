package segment

import "math"

// Hyp2F1 is the Gauss hypergeometric function 2F1(a, b; c; z) for 0 <= z < 1, as
// BG/NBD's paper writes its expectations: relative error about 1e-13 for
// parameters up to some hundreds. Other z, and c = 0, -1, -2, ..., give NaN.
//
// It sums the defining series (Abramowitz and Stegun 15.1.1). Where that has
// many terms because they grow at first, as with a, b and c near each other
// and large, Euler's transformation (15.3.3) leaves small parameters and few terms.
func Hyp2F1(a, b, c, z float64) float64 {
	if !(z >= 0 && z < 1) || c <= 0 && c == math.Trunc(c) {
		return math.NaN()
	}
	factor := 1.0
	if power := c - a - b; power < 0 {
		a, b, factor = c-a, c-b, math.Pow(1-z, power)
	}
	term, sum := 1.0, 1.0
	for n := 0.0; n < 1e6; n++ {
		ratio := (a + n) / (c + n) * ((b + n) / (1 + n)) * z
		term *= ratio
		sum += term
		if n > -c && negligible(term, math.Abs(ratio), sum) {
			break
		}
	}
	return factor * sum
}
