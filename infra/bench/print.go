package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// sheet is a table of figures in Markdown, aligned for people.
type sheet [][]string

func (s *sheet) row(cells ...any) {
	var r []string
	for _, c := range cells {
		switch c := c.(type) {
		case float64:
			r = append(r, strings.TrimSuffix(fmt.Sprintf("%.2f", c), ".00"))
		case time.Duration:
			r = append(r, fmt.Sprintf("%.3f", c.Seconds()*1000))
		default:
			r = append(r, fmt.Sprint(c))
		}
	}
	*s = append(*s, r)
}

// print writes the sheet; its first row is the head.
func (s sheet) print(w io.Writer, title string) {
	fmt.Fprintf(w, "\n%s\n\n", title)
	widths := make([]int, len(s[0]))
	for _, r := range s {
		for i, c := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for n, r := range s {
		for i, c := range r {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if i == 0 {
				fmt.Fprintf(w, "| %s%s ", c, pad)
			} else {
				fmt.Fprintf(w, "| %s%s ", pad, c)
			}
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for i, width := range widths {
				if i == 0 {
					fmt.Fprintf(w, "|-%s-", strings.Repeat("-", width))
				} else {
					fmt.Fprintf(w, "|-%s:", strings.Repeat("-", width))
				}
			}
			fmt.Fprintln(w, "|")
		}
	}
}

// spread is the mean and the ends of figures.
func spread(costs []units, of func(units) float64) (mean, low, high float64) {
	for i, c := range costs {
		x := of(c)
		mean += x / float64(len(costs))
		if low = min(low, x); i == 0 {
			low = x
		}
		high = max(high, x)
	}
	return mean, low, high
}

func written(u units) float64 { return u.Write }
func indexed(u units) float64 { return u.Index }
func read(u units) float64    { return u.Read }
