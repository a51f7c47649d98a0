package main

import (
	"bytes"
	_ "embed" // the page below
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"

	"github.com/bojanz/currency"

	"regulars/shared/simulation"
)

//go:embed picture.html
var pageText string

// chart is the width of a chart of the page, in its own units.
const chart = 460

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"count":  grouped,
	"signed": signed,
	"money":  money,
	"moved":  moved,
	"days":   daysOf,
	"tier":   func(id string) string { return orElse(id, "no tier") },
	// bar is how long a bar for n is when the longest is for most.
	"bar":  func(n, most int64) float64 { return chart * float64(max(n, 0)) / float64(max(most, 1)) },
	"add":  func(a, b float64) float64 { return a + b },
	"heat": func(n, most int64) float64 { return 0.08 + 0.8*float64(n)/float64(max(most, 1)) },
}).Parse(pageText))

// picture is a report as a page that stands alone: no script, nothing fetched.
func picture(r simulation.Report) ([]byte, error) {
	v := struct {
		simulation.Report
		MostPoints, MostDays, MostMoved int64
		FewRules                        []simulation.Line
		TierNames                       []string
		Moved                           map[string]map[string]int64
		Waits                           []wait
	}{Report: r, FewRules: r.Rules[:min(len(r.Rules), 12)], Moved: map[string]map[string]int64{}}
	for _, l := range r.Rules {
		v.MostPoints = max(v.MostPoints, l.Base, l.Draft)
	}
	seen := map[string]bool{}
	for _, m := range r.Tiers {
		for _, id := range []string{m.From, m.To} {
			if !seen[id] {
				seen[id] = true
				v.TierNames = append(v.TierNames, id)
			}
		}
		if v.Moved[m.From] == nil {
			v.Moved[m.From] = map[string]int64{}
		}
		v.Moved[m.From][m.To] = m.Members
		v.MostMoved = max(v.MostMoved, m.Members)
	}
	for _, w := range []wait{
		{"median, now", r.FirstReward.Base.Median, false},
		{"median, draft", r.FirstReward.Draft.Median, true},
		{"9 of 10, now", r.FirstReward.Base.P90, false},
		{"9 of 10, draft", r.FirstReward.Draft.P90, true},
	} {
		if v.Waits = append(v.Waits, w); w.Days != nil {
			v.MostDays = max(v.MostDays, *w.Days)
		}
	}
	var out bytes.Buffer
	err := page.Execute(&out, v)
	return out.Bytes(), err
}

// wait is how long some part of the members waits for a first reward.
type wait struct {
	Who   string
	Days  *int64
	Draft bool
}

// Known tells whether so many had a reward at all.
func (w wait) Known() bool { return w.Days != nil }

// Long is the wait in days, 0 when it has no end in history.
func (w wait) Long() int64 {
	if w.Days == nil {
		return 0
	}
	return *w.Days
}

// summary tells a report in a few lines.
func summary(w io.Writer, r simulation.Report) {
	fmt.Fprintf(w, "\n%s orders of %s members until %s\n\n", grouped(r.Orders.Told), grouped(r.Members.All), r.Until.Format("2 January 2006"))
	row := func(name, base, draft, delta string) {
		fmt.Fprintf(w, "%-26s %16s %16s %16s\n", name, base, draft, delta)
	}
	figure := func(name string, f simulation.Figure) {
		row(name, grouped(f.Base), grouped(f.Draft), signed(f.Delta))
	}
	row("", "now", "draft", "difference")
	figure("points", r.Points)
	row("cost, "+percent(r.Redeemed)+" redeemed", money(r.Money.Base, r.Currency), money(r.Money.Draft, r.Currency), moved(r.Money.Delta, r.Currency))
	for _, l := range r.Rules {
		figure("  "+l.ID, l.Figure)
	}
	for _, g := range r.Goals {
		figure("reached: "+g.Goal, g.Figure)
	}
	for _, l := range r.Wallets {
		row("wallet "+l.ID, money(l.Base, r.Currency), money(l.Draft, r.Currency), moved(l.Delta, r.Currency))
	}
	row("first reward, median", daysOf(r.FirstReward.Base.Median), daysOf(r.FirstReward.Draft.Median), "")
	row("first reward, 9 of 10", daysOf(r.FirstReward.Base.P90), daysOf(r.FirstReward.Draft.P90), "")
	for _, l := range r.Refused {
		figure("refused: "+l.ID, l.Figure)
	}
	fmt.Fprintf(w, "\n%s members gain %s %s\n%s lose  %s %s\n%s stay as they are\n",
		pad(r.Members.Gain), stripe(r.Members.Gain, r.Members.All), share100(r.Members.Gain, r.Members.All),
		pad(r.Members.Lose), stripe(r.Members.Lose, r.Members.All), share100(r.Members.Lose, r.Members.All), pad(r.Members.Same))
	for _, m := range r.Tiers {
		if m.From != m.To {
			fmt.Fprintf(w, "%s from %s to %s\n", pad(m.Members), orElse(m.From, "no tier"), orElse(m.To, "no tier"))
		}
	}
	for _, n := range r.Warnings {
		fmt.Fprintf(w, "\nWARNING %s: %s\n", n.Code, n.Detail)
	}
	fmt.Fprintln(w, "\nWhat this does not look at:")
	for _, n := range r.Assumptions {
		fmt.Fprintf(w, "  %s\n", n.Detail)
	}
}

func pad(n int64) string { return fmt.Sprintf("%12s", grouped(n)) }

func stripe(n, of int64) string { return strings.Repeat("█", int(30*n/max(1, of))) }

func share100(n, of int64) string { return strconv.FormatInt(100*n/max(1, of), 10) + " %" }

// grouped writes a number with thousands apart.
func grouped(n int64) string {
	s := strconv.FormatInt(max(n, -n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if n < 0 {
		return "-" + s
	}
	return s
}

func signed(n int64) string {
	if n > 0 {
		return "+" + grouped(n)
	}
	return grouped(n)
}

// money writes minor units as people do.
func money(n int64, code string) string {
	digits, _ := currency.GetDigits(code)
	unit := int64(1)
	for range digits {
		unit *= 10
	}
	s := grouped(max(n, -n) / unit)
	if digits > 0 {
		s += fmt.Sprintf(".%0*d", int(digits), max(n, -n)%unit)
	}
	if n < 0 {
		s = "-" + s
	}
	return s + " " + code
}

// moved writes how much more money it is.
func moved(n int64, code string) string {
	if n > 0 {
		return "+" + money(n, code)
	}
	return money(n, code)
}

func daysOf(n *int64) string {
	switch {
	case n == nil:
		return "never so far"
	case *n == 1:
		return "1 day"
	}
	return grouped(*n) + " days"
}

// percent writes a decimal from 0 to 1 as a percentage.
func percent(s string) string {
	f, _ := strconv.ParseFloat(s, 64)
	return strconv.FormatFloat(100*f, 'f', -1, 64) + " %"
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
