package chart

import "math"

// scale maps values to heights.
type scale struct {
	low, high float64 // of the axis
	step      float64
	top       float64 // where high is drawn
}

// newScale has round steps (1, 2 or 5 times a power of ten) and zero in it.
func newScale(low, high, top float64) scale {
	low, high = min(low, 0), max(high, 0)
	if low == high {
		high = 1
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/5)))
	for _, times := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*times) <= 6 {
			step *= times
			break
		}
	}
	step = max(step, 1) // values are whole
	return scale{low: step * math.Floor(low/step), high: step * math.Ceil(high/step), step: step, top: top}
}

func (s scale) y(v float64) float64 {
	return bottom - (v-s.low)/(s.high-s.low)*(bottom-s.top)
}

// axes draws the lines of both axes, what they count and the labels of x.
func (p *picture) axes(f Frame, s scale, labels []string) {
	for v := s.low; v <= s.high+s.step/2; v += s.step {
		p.line(left, s.y(v), right, s.y(v), `stroke="`+line+`"`)
		p.text(left-8, s.y(v)+4, 14, short(v, f.Decimals), `text-anchor="end" fill="`+faint+`"`)
	}
	p.line(left, s.y(0), right, s.y(0), `stroke="`+faint+`"`)
	p.text(left-8, s.top-10, 40, f.Y, `text-anchor="start" fill="`+faint+`"`)
	p.text((left+right)/2, heightFor(labels)-10, 90, f.X, `text-anchor="middle" fill="`+faint+`"`)
	every := int(math.Ceil(16 / slot(labels))) // labels on a slant need the height of a line each
	for i, l := range labels {
		x := place(labels, i)
		switch {
		case !slanted(labels):
			p.text(x, bottom+18, 18, l, `text-anchor="middle" fill="`+ink+`"`)
		case i%every == 0:
			p.text(x+4, bottom+16, 18, l, `text-anchor="end" fill="`+ink+`" transform="rotate(-35 `+n(x+4)+` `+n(bottom+16)+`)"`)
		}
	}
	if len(labels) == 0 {
		p.text((left+right)/2, (s.top+bottom)/2, 40, "nothing to show yet", `text-anchor="middle" fill="`+faint+`"`)
	}
}

// slot is how wide the place of a label is, place its middle.
func slot(labels []string) float64 { return (right - left) / float64(max(len(labels), 1)) }

func place(labels []string, i int) float64 { return left + slot(labels)*(float64(i)+0.5) }

// slanted tells whether labels are too long to stand beside each other.
func slanted(labels []string) bool {
	longest := 0
	for _, l := range labels {
		longest = max(longest, len([]rune(cut(l, 18))))
	}
	return float64(longest)*letter > slot(labels)-4
}

// heightFor is the height of a chart with labels under it.
func heightFor(labels []string) float64 {
	if slanted(labels) {
		return bottom + 92
	}
	return bottom + 52
}

// bounds are the least and the greatest of all values; stacked, of the sums of
// those above and of those below zero at a place.
func bounds(series []Series, stacked bool) (low, high float64) {
	most := 0
	for _, s := range series {
		most = max(most, len(s.Values))
	}
	for i := range most {
		var up, down float64
		for _, s := range series {
			if i >= len(s.Values) {
				continue
			}
			v := float64(s.Values[i])
			if !stacked {
				low, high = min(low, v), max(high, v)
				continue
			}
			up, down = up+max(v, 0), down+min(v, 0)
		}
		low, high = min(low, down), max(high, up)
	}
	return low, high
}
