package chart

import (
	"fmt"
	"math"
)

// Heat is a table whose cells are the darker, the greater they are. A cell
// that there is none of (Nothing) is left out.
type Heat struct {
	Frame
	Rows, Columns []string
	Cells         [][]int64 // [row][column]
	Suffix        string    // behind every number, such as %
}

// Nothing is a cell without a value.
const Nothing = math.MinInt64

// SVG draws it, as high as its rows need.
func (h Heat) SVG() []byte {
	const rowHeight = 26.0
	names := 0
	for _, r := range h.Rows {
		names = max(names, len([]rune(cut(r, 22))))
	}
	x0 := 28 + letter*float64(max(names, 4)) + 10
	cell := min((right-x0)/float64(max(len(h.Columns), 1)), 130)
	longest := 0
	for _, c := range h.Columns {
		longest = max(longest, len([]rune(cut(c, 16))))
	}
	slanted := float64(longest)*letter > cell-2
	top := 112.0
	if slanted {
		top += 34
	}
	p := begin(h.Frame, width, top+rowHeight*float64(len(h.Rows))+24)
	if h.X != "" {
		p.text(20, 74, 100, h.Y+" ↓   "+h.X+" →", `fill="`+faint+`"`)
	}
	if len(h.Rows) == 0 {
		p.text(width/2, top, 40, "nothing to show yet", `text-anchor="middle" fill="`+faint+`"`)
	}
	for j, c := range h.Columns {
		x := x0 + cell*(float64(j)+0.5)
		if slanted {
			p.text(x, top-8, 16, c, `text-anchor="start" fill="`+ink+`" transform="rotate(-35 `+n(x)+` `+n(top-8)+`)"`)
		} else {
			p.text(x, top-8, 16, c, `text-anchor="middle" fill="`+ink+`"`)
		}
	}
	var most int64
	for _, row := range h.Cells {
		for _, v := range row {
			most = max(most, v)
		}
	}
	for i, name := range h.Rows {
		y := top + rowHeight*float64(i)
		p.text(x0-8, y+17, 22, name, `text-anchor="end" fill="`+ink+`"`)
		if i >= len(h.Cells) {
			continue
		}
		for j, v := range h.Cells[i] {
			if v == Nothing || j >= len(h.Columns) {
				continue
			}
			fill, over := shade(float64(max(v, 0)) / float64(max(most, 1)))
			x := x0 + cell*float64(j)
			p.rect(x+1, y+1, cell-2, rowHeight-2, fill, h.tip(name, h.Columns[j], v)+h.Suffix)
			label := Number(v, h.Decimals) + h.Suffix
			if float64(len([]rune(label)))*5.6 > cell-4 {
				label = short(float64(v), h.Decimals) + h.Suffix
			}
			p.text(x+cell/2, y+17, 16, label, `text-anchor="middle" font-size="11" fill="`+over+`"`)
		}
	}
	return p.end()
}

// shade is from nearly white to dark blue, and the ink that is readable on it:
// one hue, so it stays in order for the colour-blind and on paper.
func shade(part float64) (fill, over string) {
	mix := func(light, dark float64) int { return int(math.Round(light + (dark-light)*math.Sqrt(part))) }
	over = ink
	if part > 0.3 {
		over = paper
	}
	return fmt.Sprintf("#%02x%02x%02x", mix(0xf1, 0x08), mix(0xf6, 0x45), mix(0xfb, 0x8a)), over
}
