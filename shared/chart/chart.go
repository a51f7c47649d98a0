// Package chart draws charts as SVG: pure functions of plain data, the same
// bytes for the same data. A picture stands alone: no script, nothing fetched,
// no style sheet. It has a title and a description for who cannot see it, and
// colours (Okabe and Ito, 2008) that the colour-blind tell apart; where a chart
// has several series, lines differ in dashes too, so that paper will do.
//
// Text comes from merchants and members: it is escaped, cut where it is too
// long, and isolated (U+2068, U+2069), so that a Hebrew or Arabic name moves
// none of the numbers beside it.
//
// Not here: what is drawn (package reports), pages around charts, and
// interaction of any kind.
package chart

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode"
)

// Frame is what all charts have. Every value is a whole number with so many
// Decimals: 1234 with 2 of them is 12.34.
type Frame struct {
	Title, About string // About is read to who cannot see the chart, and shown under the title
	X, Y         string // what the axes count
	Decimals     int
}

// Series is one row of values, named in the legend.
type Series struct {
	Name   string
	Values []int64
}

// The size of a chart, and where its axes are. Units are those of the viewBox.
const (
	width       = 760.0
	left, right = 78.0, 740.0
	bottom      = 350.0
	letter      = 6.4 // about the width of one
)

const (
	ink, faint, line = "#1f2933", "#52606d", "#d5dbe1"
	paper            = "#ffffff"
)

var (
	palette = []string{"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a8a00", "#000000"}
	dashes  = []string{"", "7 4", "2 3", "10 3 2 3", "5 2", "1 4", "12 4", "3 6"}
)

// picture is an SVG in the making.
type picture struct{ bytes.Buffer }

func begin(f Frame, w, h float64) *picture {
	p := &picture{}
	p.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 `, n(w), ` `, n(h), `" role="img" aria-labelledby="title about" font-family="system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans Hebrew', 'Noto Sans Arabic', sans-serif" font-size="12">`+"\n")
	p.add(`<title id="title">`, escape(f.Title), `</title>`+"\n")
	p.add(`<desc id="about">`, escape(f.About), `</desc>`+"\n")
	p.add(`<rect width="`, n(w), `" height="`, n(h), `" fill="`, paper, `"/>`+"\n")
	p.text(20, 28, 90, f.Title, `font-size="17" font-weight="600" fill="`+ink+`"`)
	p.text(20, 47, 110, f.About, `fill="`+faint+`"`)
	return p
}

func (p *picture) end() []byte {
	p.add("</svg>\n")
	return p.Bytes()
}

func (p *picture) add(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
}

func n(f float64) string {
	s := strconv.FormatFloat(f, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0")
}

// plain is a text without what no XML may hold, and without marks that turn
// the direction of what is around them.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || r == 0xfffe || r == 0xffff:
			return ' '
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// cut shortens a text to so many letters.
func cut(s string, most int) string {
	r := []rune(plain(s))
	if len(r) > most {
		r = append(r[:most-1:most-1], '…')
	}
	return string(r)
}

// text writes a text of so many letters at most.
func (p *picture) text(x, y float64, most int, s, more string) {
	if s == "" {
		return
	}
	p.add(`<text x="`, n(x), `" y="`, n(y), `" `, more, `>`, "\u2068", escape(cut(s, most)), "\u2069", `</text>`+"\n")
}

func (p *picture) rect(x, y, w, h float64, fill, tip string) {
	p.add(`<rect x="`, n(x), `" y="`, n(y), `" width="`, n(w), `" height="`, n(h), `" fill="`, fill, `">`)
	if tip != "" {
		p.add(`<title>`, escape(tip), `</title>`)
	}
	p.add("</rect>\n")
}

func (p *picture) line(x1, y1, x2, y2 float64, more string) {
	p.add(`<line x1="`, n(x1), `" y1="`, n(y1), `" x2="`, n(x2), `" y2="`, n(y2), `" `, more, "/>\n")
}

// Number writes a value with its decimals and its thousands apart.
func Number(v int64, decimals int) string {
	s := strconv.FormatUint(magnitude(v), 10)
	for len(s) <= decimals {
		s = "0" + s
	}
	whole, rest := s[:len(s)-decimals], s[len(s)-decimals:]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	if v < 0 {
		return "−" + whole
	}
	return whole
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// short writes a value for an axis: 1.2M for 1,200,000.
func short(v float64, decimals int) string {
	for range decimals {
		v /= 10
	}
	size := max(v, -v)
	for _, u := range []struct {
		least float64
		name  string
	}{{1e15, "P"}, {1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e3, "k"}} {
		if size < u.least {
			continue
		}
		return strings.Replace(strconv.FormatFloat(v/u.least, 'f', -1, 32)+u.name, "-", "−", 1)
	}
	return strings.Replace(strconv.FormatFloat(v, 'f', -1, 32), "-", "−", 1)
}

// legend names the series in a row under the title, and answers where the
// chart may begin.
func (p *picture) legend(series []Series, mark func(x, y float64, i int)) float64 {
	x, y := 20.0, 70.0
	if len(series) < 2 {
		return y
	}
	for i, s := range series {
		name := cut(s.Name, 28)
		wide := 26 + letter*float64(len([]rune(name))) + 18
		if x+wide > width && x > 20 {
			x, y = 20, y+18
		}
		mark(x, y-4, i)
		p.text(x+24, y, 28, name, `fill="`+ink+`"`)
		x += wide
	}
	return y + 14
}

// escape is a text for an SVG that nobody sees the place of: titles, tips.
func escape(s string) string { return html.EscapeString(plain(s)) }
