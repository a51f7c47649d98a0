package loyalty

import (
	"math/big"
	"time"
)

// Both values an order in whole numbers and in exact ratios. The first are
// not to be had where something does not fit or is bounded.
func (t *Terms) Both(o *Order, wallet string, c Case) (points, base int64, lines []int64, whole bool, d Detail, fits bool) {
	s, err := t.scene(o, c)
	if err != nil {
		return 0, 0, nil, false, Detail{}, false
	}
	p := t.purse(wallet)
	m := p.match(s)
	if t.plain(s, p, m) {
		var q quickSum
		q, whole = p.quick(t, s, m)
		if points, base = q.points, q.base; whole {
			lines = split(points, q.weights)
		}
	}
	d, fits = t.detail(s, p, m)
	return points, base, lines, whole, d, fits
}

// OfLines is the part of each line.
func (d *Detail) OfLines() []int64 { return splitExactly(d.Points, d.lines) }

// WholeParts, Whole and Pieces are what laws are held against.
var (
	WholeParts = wholeParts
	Nearest    = nearest
)

func Whole(r Rounding, x *big.Rat) (int64, bool) { return r.whole(x) }

// Start is when the period of the calendar began.
func (t *Terms) Start(p Period, at int64) int64 { return p.start(time.Unix(at, 0), t.Zone, t.Week) }

// Next is when the one after it begins.
func (t *Terms) Next(p Period, start int64) int64 { return p.next(start, t.Zone) }
