package local_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"regulars/infra/local"
	models "regulars/shared/segment"
)

// CDNOW, 2,357 customers of 1997, brought in as a file of orders and looked at
// on the last day of the calibration: the run fits the published parameters,
// and every member has the probability that her purchases and these say.
func TestCDNOW(t *testing.T) {
	t.Parallel()
	const data = "../../../shared/data/clv/"
	f, err := os.Open(data + "CDNOW_sample.txt")
	if err != nil {
		t.Skipf("SKIPPED, no data: %v", err)
	}
	defer f.Close()
	fit, params, likelihood := golden(t, data+"golden_values.json")

	// The file: a running number, the customer's, day, discs, dollars.
	end := day(t, "19970930")
	type purchases struct {
		models.Purchases
		first, last int
	}
	of := map[string]*purchases{}
	var file strings.Builder
	file.WriteString("order_id,version,state,currency,paid_at,external_id,line_id,amount\n")
	rows := int64(0)
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		c := strings.Fields(lines.Text())
		d := day(t, c[2])
		if d > end {
			continue
		}
		dollars, err := strconv.ParseFloat(c[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		rows++
		at := time.Unix(int64(d)*86400, 0).UTC().Add(10 * time.Hour)
		fmt.Fprintf(&file, "%d,1,paid,USD,%s,%s,1,%d\n", n, at.Format(time.RFC3339), c[1], int64(math.Round(dollars*100)))
		p := of[c[1]]
		if p == nil {
			p = &purchases{first: d, last: d}
			p.T = float64(end-d) / 7
			of[c[1]] = p
		}
		if d > p.last { // the file is in order of days; one purchase a day
			p.X++
			p.last = d
			p.Tx = float64(d-p.first) / 7
		}
	}

	s := open(t, local.Config{DataDir: t.TempDir()})
	s.program("{currency: USD, time_zone: UTC, earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}]}, expiry: none}")
	s.clock("1997-09-30T20:00:00Z")
	asked := s.must("POST", "/v1/imports", object{"kind": "orders", "format": "csv", "source": "till"})
	s.upload(asked, file.String())
	var done answer
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if done = s.must("GET", "/v1/imports/"+asked.str("id"), nil); done.str("status") == "done" {
			break
		} else if done.str("status") == "failed" || time.Now().After(end) {
			t.Fatalf("%s", done.raw)
		}
	}
	if done.num("rows.applied") != rows || done.num("members_made") != 2357 {
		t.Fatalf("%s", done.raw)
	}

	run := s.refreshed(s.must("POST", "/v1/segment-runs", nil).str("id"))
	var result struct {
		Result struct {
			Buyers int64 `json:"buyers"`
			Fits   struct {
				Buying struct {
					Fit models.Fit[models.BGNBD] `json:"fit"`
				} `json:"buying"`
			} `json:"fits"`
		} `json:"result"`
	}
	if err := json.Unmarshal(run.raw, &result); err != nil {
		t.Fatal(err)
	}
	got := result.Result.Fits.Buying.Fit
	t.Logf("%+v", got)
	if result.Result.Buyers != 2357 || !got.Converged {
		t.Fatalf("%s", run.raw)
	}
	is := func(what string, got, want, tolerance float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance) {
			t.Errorf("%s is %v, want %v to %v", what, got, want, tolerance)
		}
	}
	is("r", got.Model.R, fit.R, params)
	is("alpha", got.Model.Alpha, fit.Alpha, params)
	is("a", got.Model.A, fit.A, params)
	is("b", got.Model.B, fit.B, params)
	is("LL", got.LogLikelihood, fit.LL, likelihood)

	for id, p := range of {
		m := s.must("GET", "/v1/members?source=till&external_id="+id, nil)
		active, _ := m.at("data.0.p_active").(json.Number)
		if v, err := active.Float64(); err != nil {
			t.Fatalf("customer %s has no p_active: %s", id, m.raw)
		} else {
			is("p_active of customer "+id, v, got.Model.Active(p.X, p.Tx, p.T), 1e-12)
		}
		if m.at("data.0.clv.days_365") == nil {
			t.Fatalf("customer %s has no clv: %s", id, m.raw)
		}
	}
}

// published is a fit of BG/NBD as others published it.
type published struct {
	R, Alpha, A, B, LL float64
}

// golden is the published fit of BG/NBD to CDNOW in exact weeks, and how near
// parameters and log-likelihood are to come to it.
func golden(t *testing.T, name string) (want published, params, likelihood float64) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Skipf("SKIPPED, no data: %v", err)
	}
	var all []struct {
		Model, Function string
		Expected        json.RawMessage
		Tolerance       json.RawMessage `json:"abs_tol"`
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		if g.Model == "BG/NBD" && strings.HasPrefix(g.Function, "fit on btyd_cdnowSummary") {
			var off struct{ Params, LL float64 }
			if err := json.Unmarshal(g.Expected, &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(g.Tolerance, &off); err != nil {
				t.Fatal(err)
			}
			return want, off.Params, off.LL
		}
	}
	t.Fatalf("%s has no fit of BG/NBD in exact weeks", name)
	return want, 0, 0
}

// day is a date such as 19970930, in days since 1970.
func day(t *testing.T, date string) int {
	t.Helper()
	d, err := time.Parse("20060102", date)
	if err != nil {
		t.Fatal(err)
	}
	return int(d.Unix() / 86400)
}
