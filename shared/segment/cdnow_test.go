package segment_test

import (
	"bufio"
	"strings"
	"testing"
	"time"

	"regulars/shared/segment"
)

// A customer of CDNOW: what the first 39 weeks know of her, and what she did in
// the 39 after.
type customer struct {
	segment.Purchases
	repeated float64 // spent in the calibration after the first day
	held     int64   // days with a purchase in the holdout
}

// cdnowExact is the elog of CDNOW in exact weeks, as BTYD's cdnowSummary has it:
// calibration to 1997-09-30, one purchase a day.
func cdnowExact(t testing.TB) []customer {
	t.Helper()
	end := day(t, "19970930")
	type seen struct{ first, last int }
	var out []customer
	was := map[string]*seen{}
	at := map[string]int{}
	lines := bufio.NewScanner(open(t, "clv/CDNOW_sample.txt"))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		d, spent := day(t, f[2]), number(t, f[4])
		s := was[f[1]]
		if s == nil {
			was[f[1]], at[f[1]] = &seen{d, d}, len(out)
			out = append(out, customer{Purchases: segment.Purchases{T: float64(end-d) / 7, N: 1}})
			continue
		}
		c := &out[at[f[1]]]
		again := s.last == d // the file is in order of days
		s.last = d
		if d > end {
			if !again {
				c.held++
			}
			continue
		}
		if d != s.first {
			c.repeated += spent
			if !again {
				c.X++
				c.Tx = float64(d-s.first) / 7
			}
		}
	}
	return out
}

func day(t testing.TB, s string) int {
	t.Helper()
	d, err := time.Parse("20060102", s)
	if err != nil {
		t.Fatal(err)
	}
	return int(d.Unix() / 86400)
}

// cdnowRounded is the summary in weeks of two decimals.
func cdnowRounded(t testing.TB) []segment.Purchases {
	t.Helper()
	var out []segment.Purchases
	for _, row := range readTable(t, "clv/cdnow_customers_summary.csv") {
		out = append(out, segment.Purchases{X: whole(t, row["frequency"]), Tx: number(t, row["recency"]), T: number(t, row["T"]), N: 1})
	}
	return out
}

func purchases(all []customer) []segment.Purchases {
	var out []segment.Purchases
	for _, c := range all {
		out = append(out, c.Purchases)
	}
	return out
}

func spends(all []customer) []segment.Spend {
	var out []segment.Spend
	for _, c := range all {
		if c.X > 0 && c.repeated > 0 {
			out = append(out, segment.Spend{X: c.X, Mean: c.repeated / float64(c.X), N: 1})
		}
	}
	return out
}
