package segment

import (
	"errors"
	"fmt"
	"math/big"
)

// ErrLiability is for figures that no programme can have, or a result over int64.
var ErrLiability = errors.New("figures that cannot be")

// Ratio is an exact fraction, as 80 of 100 points that are expected to be redeemed.
type Ratio struct {
	Num int64 `json:"num"`
	Den int64 `json:"den"` // over 0
}

// nearest is a ratio that is not negative as a whole number, halves up.
func nearest(r *big.Rat) (int64, error) {
	n := new(big.Int).Lsh(r.Num(), 1)
	n.Add(n, r.Denom()).Div(n, new(big.Int).Lsh(r.Denom(), 1))
	if !n.IsInt64() {
		return 0, fmt.Errorf("%w: %v", ErrLiability, n)
	}
	return n.Int64(), nil
}

// Sale is one with points, as IFRS 15 sees it: of the goods, and of a right to goods to come.
type Sale struct {
	Price      int64 // minor units paid for both; also the stand-alone price of the goods
	Points     int64 // given
	PointValue int64 // minor units that a point pays for
	Redemption Ratio // of the points, that are expected to be redeemed: at most 1
}

// PointsShare is the part of the price that is deferred until points are redeemed (IFRS
// 15.74 and B40; its example 52):
//
//	price · standalone / (price + standalone),  standalone = points · value · redemption
//
// exactly, and then to the nearest minor unit, halves up.
func (s Sale) PointsShare() (int64, error) {
	if s.Price < 0 || s.Points < 0 || s.PointValue < 0 || !s.Redemption.share() {
		return 0, fmt.Errorf("%w: %+v", ErrLiability, s)
	}
	standalone := s.Redemption.of(s.Points, s.PointValue)
	price := new(big.Rat).SetInt64(s.Price)
	whole := new(big.Rat).Add(price, standalone)
	if whole.Sign() == 0 {
		return 0, nil
	}
	return nearest(standalone.Mul(standalone, price).Quo(standalone, whole))
}

// Recognized is how much of a points share has been earned in all, when so many of the
// points that are expected to be redeemed in all have been (B44 to B46): to the nearest
// minor unit, halves up. Expectations change; what a period earns is the difference to
// what was recognized before, so that the periods add up to the share exactly.
func Recognized(share, redeemed, expected int64) (int64, error) {
	if share < 0 || redeemed < 0 || expected < redeemed {
		return 0, fmt.Errorf("%w: %d redeemed of %d expected", ErrLiability, redeemed, expected)
	}
	if expected == 0 {
		return 0, nil
	}
	return int64(portion(uint64(share), uint64(redeemed), uint64(expected), half)), nil
}

// Liability is what outstanding points cost, as far as they are expected to be redeemed
// (the rest is breakage): points · value · redemption in minor units, to the nearest,
// halves up. Points that are pending count too, where the books say so: they were earned.
func Liability(points, pointValue int64, redemption Ratio) (int64, error) {
	if points < 0 || pointValue < 0 || !redemption.share() {
		return 0, fmt.Errorf("%w: %d points at %d, %+v", ErrLiability, points, pointValue, redemption)
	}
	return nearest(redemption.of(points, pointValue))
}

// share is whether a ratio is a part of one.
func (r Ratio) share() bool { return r.Den > 0 && r.Num >= 0 && r.Num <= r.Den }

func (r Ratio) of(points, value int64) *big.Rat {
	out := big.NewRat(r.Num, r.Den)
	out.Mul(out, new(big.Rat).SetInt64(points))
	return out.Mul(out, new(big.Rat).SetInt64(value))
}
