package loyalty

import (
	"cmp"
	"math/big"
	"math/bits"
	"slices"
)

// Rounding is how a fraction of a point becomes whole, once per order.
type Rounding string

// The ways to round.
const (
	Floor  Rounding = "floor"
	HalfUp Rounding = "half_up"
	Ceil   Rounding = "ceil"
)

// whole rounds a non-negative ratio. The second answer is false when the
// result does not fit.
func (r Rounding) whole(x *big.Rat) (int64, bool) {
	num, den := new(big.Int).Set(x.Num()), x.Denom()
	switch r {
	case Ceil:
		num.Add(num, new(big.Int).Sub(den, big.NewInt(1)))
	case HalfUp: // floor(x + 1/2) = floor((2·num + den) / (2·den))
		num.Lsh(num, 1).Add(num, den)
		den = new(big.Int).Lsh(den, 1)
	}
	q := num.Div(num, den)
	return q.Int64(), q.IsInt64()
}

// share is floor(total·part/whole) without overflow, for 0 <= part <= whole.
func share(total, part, whole int64) int64 {
	if whole == 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(total), uint64(part))
	q, _ := bits.Div64(hi, lo, uint64(whole))
	return int64(q)
}

// nearest is total·part/whole rounded half up, for 0 <= part <= whole, whole > 0.
func nearest(total, part, whole int64) int64 {
	hi, lo := bits.Mul64(uint64(total), uint64(part))
	q, rest := bits.Div64(hi, lo, uint64(whole))
	if rest >= uint64(whole)-rest {
		q++
	}
	return int64(q)
}

// split divides total over weights by the largest remainder (Hamilton): the
// parts differ from the exact ones by less than one unit and sum to total.
// Between equal remainders the earlier part gets the unit.
func split(total int64, weights []int64) []int64 {
	parts := make([]int64, len(weights))
	var sum int64
	for _, w := range weights {
		sum += w
	}
	if sum == 0 {
		return parts
	}
	type remainder struct {
		at   int
		left uint64
	}
	var few [16]remainder // of an ordinary order, none is put on the heap
	rest, left := total, append(few[:0], make([]remainder, len(weights))...)
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(total), uint64(w))
		q, r := bits.Div64(hi, lo, uint64(sum))
		parts[i], left[i] = int64(q), remainder{i, r}
		rest -= int64(q)
	}
	slices.SortStableFunc(left, func(a, b remainder) int { return cmp.Compare(b.left, a.left) })
	for i := range rest {
		parts[left[i].at]++
	}
	return parts
}
