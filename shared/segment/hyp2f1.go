package segment

import "math"

// Hyp2F1 is the Gauss hypergeometric function 2F1(a, b; c; z) for 0 <= z < 1, as
// BG/NBD writes its expectations: relative error about 1e-13 for parameters up to
// some hundreds. Other z, and c = 0, -1, -2, ..., give NaN.
//
// The defining series (Abramowitz and Stegun 15.1.1) and the same after Euler's
// transformation (15.3.3) are two ways to the number. Where the terms of the
// first change sign or are many, the second has few; the one that loses fewer
// digits to cancellation and rounding is taken; the power that Euler's brings
// costs about one rounding for each unit of its exponent.
func Hyp2F1(a, b, c, z float64) float64 {
	if !(z >= 0 && z < 1) || c <= 0 && c == math.Trunc(c) {
		return math.NaN()
	}
	f, loss := series2F1(a, b, c, z)
	if power := c - a - b; power < 0 {
		if g, other := series2F1(c-a, c-b, c, z); other+math.Abs(power) < loss {
			return math.Pow(1-z, power) * g
		}
	}
	return f
}

// series2F1 sums the series, and says how many roundings of the last place it
// may have lost: one for every term, times what cancelled.
func series2F1(a, b, c, z float64) (sum, loss float64) {
	sum = 1
	term, size, n := 1.0, 1.0, 0.0
	for ; n < 1e6; n++ {
		ratio := (a + n) / (c + n) * ((b + n) / (1 + n)) * z
		term *= ratio
		sum += term
		size += math.Abs(term)
		// The rest is about term·ratio/(1-ratio) once the ratio is under one.
		if r := math.Abs(ratio); r < 1 && math.Abs(term)*r <= (1-r)*0x1p-56*math.Abs(sum) && n > -c {
			break
		}
	}
	return sum, n * size / math.Abs(sum)
}
