package chart

import "strings"

// Lines go through the values of each series, from label to label. A series
// that is shorter than the labels ends where its values do.
type Lines struct {
	Frame
	Labels []string
	Series []Series
}

// SVG draws it.
func (l Lines) SVG() []byte {
	p := begin(l.Frame, width, heightFor(l.Labels))
	top := p.legend(l.Series, func(x, y float64, i int) {
		p.line(x, y-1, x+18, y-1, pen(i))
		p.dot(x+9, y-1, i, "")
	})
	low, high := bounds(l.Series, false)
	s := newScale(low, high, top+22)
	p.axes(l.Frame, s, l.Labels)
	for j, row := range l.Series {
		var path strings.Builder
		values := row.Values[:min(len(row.Values), len(l.Labels))]
		for i, v := range values {
			step := " L"
			if i == 0 {
				step = "M"
			}
			path.WriteString(step + n(place(l.Labels, i)) + " " + n(s.y(float64(v))))
		}
		if len(values) > 1 {
			p.add(`<path d="`, path.String(), `" fill="none" stroke-linejoin="round" `, pen(j), "/>\n")
		}
		for i, v := range values {
			p.dot(place(l.Labels, i), s.y(float64(v)), j, l.tip(l.Labels[i], row.Name, v))
		}
	}
	return p.end()
}

// pen is how line i is drawn: by colour, and for paper by its dashes.
func pen(i int) string {
	out := `stroke="` + palette[i%len(palette)] + `" stroke-width="2.2"`
	if d := dashes[i%len(dashes)]; d != "" {
		out += ` stroke-dasharray="` + d + `"`
	}
	return out
}

func (p *picture) dot(x, y float64, i int, tip string) {
	colour := palette[i%len(palette)]
	p.add(`<circle cx="`, n(x), `" cy="`, n(y), `" r="3.2" fill="`, paper, `" stroke="`, colour, `" stroke-width="1.8">`)
	if tip != "" {
		p.add(`<title>`, escape(tip), `</title>`)
	}
	p.add("</circle>\n")
}
