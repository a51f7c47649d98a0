package local_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"regulars/infra/local"
)

// SC15 (b): 20,000 points earned, 5,000 spent, 100 of those given back, 2,500
// expired and 600 clawed back are 12,000, 480.00 at 5 and 80 %; with 3,000 that
// are pending 600.00. What the stream counted ties with what members have.
func TestSC15LiabilityTies(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.program(`
currency: ILS
point_value: {points: 1, amount: 5}
earning: {pending: P14D, rules: [{id: base, on: order, rate: {points: 1, amount: 100}}]}
expiry: {after: P6M, to_end_of: month}
redemption: {minimum: 1}`)
		s.clock("2026-01-10T08:00:00Z")
		first, second, third := s.enrol("=1+1"), s.enrol("Dana"), s.enrol("Omar")
		paid := func(at string) object { return object{"paid_at": at} }
		s.earn(order("o1", first, 250_000, paid("2026-01-10T08:00:00Z")))
		early := s.must("GET", "/v1/reports/liability?from=2026-01&until=2026-01", nil)
		if early.num("total.pending") != 2_500 || early.num("total.earned") != 0 || early.at("ties") != true {
			t.Errorf("pending points are not apart: %s", early.raw)
		}
		s.clock("2026-03-01T08:00:00Z")
		s.earn(order("o2", second, 1_690_000, paid("2026-03-01T08:00:00Z")))
		s.earn(order("o3", second, 60_000, paid("2026-03-01T08:00:00Z")))
		s.clock("2026-03-20T08:00:00Z")
		s.redeem(second, 4_900)
		s.must("POST", "/v1/redemptions/"+s.redeem(second, 100)+"/cancel", object{})
		s.clock("2026-04-02T08:00:00Z")
		s.earn(order("o3", second, 60_000, paid("2026-03-01T08:00:00Z"), object{"version": 2, "state": "cancelled"}))
		s.clock("2026-08-01T08:00:00Z")
		s.must("POST", "/_local/schedules/expire/run", nil)
		s.earn(order("o4", third, 300_000, paid("2026-08-01T08:00:00Z")))

		const path = "/v1/reports/liability?from=2026-01&until=2026-08&expected_redemption=0.8"
		check := func(a answer, want map[string]int64) {
			t.Helper()
			for name, n := range want {
				if got := a.num(name); got != n {
					t.Errorf("%s is %d, want %d: %s", name, got, n, a.raw)
				}
			}
		}
		a := s.must("GET", path, nil)
		check(a, map[string]int64{
			"total.opening": 0, "total.earned": 20_000, "total.spent": 5_000, "total.expired": 2_500, "total.clawed_back": 600, "total.restored": 100,
			"total.closing": 12_000, "total.cost": 480_00, "total.pending": 3_000, "total.with_pending": 600_00, "total.value": 600_00,
			"counted": 15_000, "balances": 15_000, "difference": 0,
			"months.0.earned": 2_500, "months.0.pending": 0, "months.2.earned": 17_500, "months.2.pending": 0, "months.2.spent": 5_000, "months.3.clawed_back": 600, "months.7.closing": 12_000, "months.7.opening": 12_000,
		})
		if a.at("ties") != true {
			t.Errorf("it does not tie: %s", a.raw)
		}
		// The time before is the opening; the ends of lots say what to expect.
		a = s.must("GET", "/v1/reports/liability?from=2026-04-01&until=2026-04-30", nil)
		check(a, map[string]int64{"total.opening": 15_100, "total.clawed_back": 600, "total.closing": 14_500})
		if a.str("expected_redemption_basis") != "ended_lots" || a.str("expected_redemption") != "0" {
			t.Errorf("of lots that ended: %s", a.raw)
		}
		a = s.must("GET", "/v1/reports/redemption?from=2026-01&until=2026-08", nil)
		check(a, map[string]int64{"total.given": 22_400, "total.spent": 4_900})
		a = s.must("GET", "/v1/reports/breakage", nil)
		check(a, map[string]int64{"months.0.expired": 2_500, "expired": 2_500})
		a = s.must("GET", "/v1/reports/roi?from=2026-01&until=2026-08&expected_redemption=0.8&margin=0.5", nil)
		check(a, map[string]int64{"total.orders": 3, "total.revenue": 2_240_000, "total.points": 22_400, "total.cost": 22_400 * 4, "total.paid": 4_900 * 5, "total.profit": 1_120_000 - 22_400*4})

		s.drawn(path + "&format=svg")
		table := s.table(path + "&format=csv")
		if last := strings.Join(table[len(table)-1], ","); last != "total,ILS,0,20000,0,0,5000,100,2500,600,0,0,12000,3000,0,60000,48000,60000" {
			t.Errorf("the last row is %s", last)
		}
	})
}

// drawn gets a chart and holds that it is a picture.
func (s *shop) drawn(path string) {
	s.t.Helper()
	a := s.must("GET", path, nil)
	if a.header.Get("Content-Type") != "image/svg+xml" {
		s.t.Errorf("%s is %s", path, a.header.Get("Content-Type"))
	}
	d := xml.NewDecoder(bytes.NewReader(a.raw))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			s.t.Errorf("%s: %v", path, err)
			return
		}
	}
}

// table gets a report as a table.
func (s *shop) table(path string) [][]string {
	s.t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(s.must("GET", path, nil).raw)).ReadAll()
	if err != nil || len(rows) == 0 {
		s.t.Fatalf("%s: %d rows, %v", path, len(rows), err)
	}
	return rows
}

// Every report there is answers in every format, or says that no refresh has finished.
func TestReportsAreListed(t *testing.T) {
	s := open(t, local.Config{DataDir: t.TempDir()})
	s.program("earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}]}")
	list := s.must("GET", "/v1/reports", nil)
	names := list.at("data").([]any)
	if len(names) != 13 {
		t.Errorf("%d reports: %s", len(names), list.raw)
	}
	for _, n := range names {
		name := n.(map[string]any)["name"].(string)
		path := "/v1/reports/" + name
		if a := s.do("GET", path, nil); a.status == 409 && a.str("code") == "no_refresh_yet" {
			continue
		}
		s.must("GET", path, nil)
		s.table(path + "?format=csv")
		s.drawn(path + "?format=svg")
	}
	s.refused(404, "not_found", "GET", "/v1/reports/secrets", nil)
	for _, bad := range []string{
		"liability?format=pdf", "liability?from=yesterday", "liability?until=2026-13", "liability?from=2026-05&until=2026-04", "liability?from=1990-01", "liability?expected_redemption=80%25",
		"liability?expected_redemption=1.1", "liability?expected_redemption=-1", "roi?margin=a", "goal?kpi=happiness&format=csv", "goal?target=2", "referrals?from=2026-11-05",
	} {
		s.refused(400, "invalid_request", "GET", "/v1/reports/"+bad, nil)
	}
	s.must("GET", "/v1/reports/goal?kpi=redemption_rate&target=0.4", nil)
}

// The goal of the document is that of the report; what is asked for goes before it.
func TestTheGoalIsTheDocuments(t *testing.T) {
	s := open(t, local.Config{DataDir: t.TempDir()})
	s.program(`goal: {kpi: redemption_rate, target: "0.123456789", reason: {en: "Your tenth coffee is free"}}`)
	for query, want := range map[string][]any{
		"":                                {"redemption_rate", "12.35", false},
		"?target=0":                       {"redemption_rate", "0.00", true},
		"?kpi=redemption_rate":            {"redemption_rate", "12.35", false},
		"?kpi=redemption_rate&target=0.5": {"redemption_rate", "50.00", false},
	} {
		a := s.must("GET", "/v1/reports/goal"+query, nil)
		if got := []any{a.str("kpi"), a.at("target_percent"), a.at("reached")}; !slices.Equal(got, want) || a.str("reason.en") != "Your tenth coffee is free" {
			t.Errorf("%s: %s, want %v", query, a.raw, want)
		}
	}
	s.program("{}")
	if a := s.must("GET", "/v1/reports/goal?kpi=redemption_rate", nil); a.at("target_percent") != nil || a.at("reached") != nil || a.at("reason") != nil {
		t.Errorf("without a goal: %s", a.raw)
	}
	s.refused(409, "no_refresh_yet", "GET", "/v1/reports/goal", nil)
}

// SC16's ten members, refreshed: every report of a refresh in every format.
func TestReportsOfARefresh(t *testing.T) {
	s := open(t, local.Config{DataDir: t.TempDir()})
	s.program("earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}]}")
	s.clock("2026-11-01T08:00:00Z")
	for i, spend := range []int64{5200, 4100, 1500, 900, 900, 700, 700, 300, 200, 100} {
		member := s.enrol(fmt.Sprint("member ", i))
		s.earn(order(fmt.Sprint("o", i), member, spend*100))
	}
	run := s.must("POST", "/v1/segment-runs", object{}).str("id")
	for range 200 {
		if a := s.must("GET", "/v1/segment-runs/"+run, nil); a.str("status") == "done" {
			break
		} else if a.str("status") == "failed" {
			t.Fatalf("%s", a.raw)
		}
		time.Sleep(50 * time.Millisecond)
	}
	d := s.must("GET", "/v1/reports/deciles", nil)
	if d.str("top_20.spent_percent") != "63.70" || d.str("next_40.spent_percent") != "27.40" || d.str("rest.spent_percent") != "8.90" || d.str("deciles.1.cumulative") != "63.70" || d.num("deciles.0.spent") != 520_000 {
		t.Errorf("80/20: %s", d.raw)
	}
	g := s.must("GET", "/v1/reports/segments", nil)
	if g.num("members") != 10 || !strings.Contains(string(g.raw), `{"segment":"top_20","members":2,"spent":930000,"members_percent":"20.00"}`) {
		t.Errorf("segments: %s", g.raw)
	}
	r := s.must("GET", "/v1/reports/repeat", nil)
	if r.num("buyers") != 10 || r.num("repeaters") != 0 || r.num("spent") != 1_460_000 || r.num("by_first_purchase.0.otherwise_mean") != 146_000 {
		t.Errorf("repeat: %s", r.raw)
	}
	c := s.must("GET", "/v1/reports/cohorts", nil)
	if n := len(c.at("data").([]any)); n != 1 || c.str("data.0.month") != "2026-11" || c.num("data.0.members") != 10 {
		t.Errorf("cohorts: %s", c.raw)
	}
	if goal := s.must("GET", "/v1/reports/goal?target=0.5&kpi=active_share", nil); goal.at("reached") != true || goal.str("target_percent") != "50.00" {
		t.Errorf("goal: %s", goal.raw)
	}
	for _, name := range []string{"repeat", "deciles", "segments", "migration", "cohorts", "clv", "lift", "goal"} {
		s.must("GET", "/v1/reports/"+name, nil)
		s.table("/v1/reports/" + name + "?format=csv")
		s.drawn("/v1/reports/" + name + "?format=svg")
	}
}

// Totals that were never counted, as of a table that is older than they are, are
// found to be missing, and counted by a rebuild.
func TestTotalsAreCountedAnew(t *testing.T) {
	dir := t.TempDir()
	host, err := local.Open(t.Context(), local.Config{DataDir: dir, APIKey: key, WebhookSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(host)
	s := &shop{t, srv.URL, host}
	s.program("earning: {rules: [{id: base, on: order, rate: {points: 1, amount: 100}}]}")
	member := s.enrol("Dana")
	s.earn(order("o1", member, 10_000))
	srv.Close()
	if err := host.Close(); err != nil {
		t.Fatal(err)
	}
	engine, _, err := local.Table(t.Context(), local.Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.(io.Closer).Close()
	var out strings.Builder
	if err := local.Totals(t.Context(), engine, false, &out); err == nil {
		t.Errorf("nothing was missed: %s", out.String())
	}
	if err := local.Totals(t.Context(), engine, true, &out); err != nil {
		t.Errorf("%v: %s", err, out.String())
	}
}
