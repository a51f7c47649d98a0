package segment

import (
	"fmt"
	"math/bits"
)

// rounding of a ratio that is not negative.
type rounding int

const (
	up rounding = iota
	half
	down
)

// portion is total·part/whole, rounded, without overflow on the way. It must
// itself fit, as it does for part <= whole.
func portion(total, part, whole uint64, r rounding) uint64 {
	hi, lo := bits.Mul64(total, part)
	q, rest := bits.Div64(hi, lo, whole)
	if r == up && rest > 0 || r == half && rest >= whole-rest {
		q++
	}
	return q
}

// Percent is part of whole in percent with two decimals, of the exact ratio, halves
// away from zero: "63.70". Of nothing it is "0.00".
func Percent(part, whole int64) string {
	if whole == 0 {
		return "0.00"
	}
	sign, p, w := "", uint64(part), uint64(whole)
	if part < 0 {
		sign, p = "-", -p
	}
	if whole < 0 {
		w = -w
		if sign == "" && p > 0 {
			sign = "-"
		} else {
			sign = ""
		}
	}
	whole100 := p / w // parts above the whole are rare, and do not fit portion
	hundredths := whole100*10_000 + portion(10_000, p%w, w, half)
	return fmt.Sprintf("%s%d.%02d", sign, hundredths/100, hundredths%100)
}
