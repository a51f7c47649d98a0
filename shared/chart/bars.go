package chart

// Bars stand beside each other for each label, or upon each other.
type Bars struct {
	Frame
	Labels  []string
	Series  []Series
	Stacked bool
}

// SVG draws it.
func (b Bars) SVG() []byte {
	p := begin(b.Frame, width, heightFor(b.Labels))
	top := p.legend(b.Series, p.swatch)
	low, high := bounds(b.Series, b.Stacked)
	s := newScale(low, high, top+22)
	p.axes(b.Frame, s, b.Labels)
	wide := min(slot(b.Labels)*0.72, 90)
	for i, label := range b.Labels {
		x := place(b.Labels, i) - wide/2
		var up, down float64
		for j, row := range b.Series {
			if i >= len(row.Values) || row.Values[i] == 0 {
				continue
			}
			v := float64(row.Values[i])
			from, at, w := 0.0, x, wide
			switch {
			case !b.Stacked:
				w = wide / float64(len(b.Series))
				at = x + w*float64(j)
			case v > 0:
				from, up = up, up+v
			default:
				from, down = down, down+v
			}
			p.bar(s, at, w, from, from+v, palette[j%len(palette)], b.tip(label, row.Name, row.Values[i]))
		}
	}
	return p.end()
}

func (f Frame) tip(label, name string, v int64) string {
	out := label
	if name != "" {
		out += ", " + name
	}
	return out + ": " + Number(v, f.Decimals)
}

// bar draws a bar from one value to another, a hair apart from its neighbours.
func (p *picture) bar(s scale, x, w, from, to float64, fill, tip string) {
	high, low := s.y(max(from, to)), s.y(min(from, to))
	gap := min(w*0.1, 1)
	p.rect(x+gap/2, high, w-gap, max(low-high, 0.6), fill, tip)
}

func (p *picture) swatch(x, y float64, i int) {
	p.rect(x, y-7, 16, 12, palette[i%len(palette)], "")
}

// Waterfall shows how steps lead from one total to another.
type Waterfall struct {
	Frame
	Steps []Step
}

// Step adds its value to what was before; a total stands on the ground.
type Step struct {
	Name  string
	Value int64
	Total bool
}

// SVG draws it. Each step has its number on it.
func (w Waterfall) SVG() []byte {
	var at, low, high float64
	var labels []string
	for _, step := range w.Steps {
		if step.Total {
			at = 0
		}
		at += float64(step.Value)
		low, high = min(low, at), max(high, at)
		labels = append(labels, step.Name)
	}
	p := begin(w.Frame, width, heightFor(labels))
	s := newScale(low, high, 104)
	p.axes(w.Frame, s, labels)
	wide := min(slot(labels)*0.72, 90)
	at = 0
	for i, step := range w.Steps {
		from, fill := at, palette[2]
		switch {
		case step.Total:
			from, fill = 0, palette[0]
		case step.Value < 0:
			fill = palette[5]
		}
		to := from + float64(step.Value)
		x := place(labels, i) - wide/2
		p.bar(s, x, wide, from, to, fill, w.tip(step.Name, "", step.Value))
		sign := ""
		if step.Value > 0 && !step.Total {
			sign = "+"
		}
		p.text(x+wide/2, s.y(max(from, to))-5, 20, sign+Number(step.Value, w.Decimals), `text-anchor="middle" font-size="11" fill="`+ink+`"`)
		if i+1 < len(w.Steps) {
			p.line(x+wide, s.y(to), x+slot(labels), s.y(to), `stroke="`+faint+`" stroke-dasharray="2 2"`)
		}
		at = to
	}
	return p.end()
}
