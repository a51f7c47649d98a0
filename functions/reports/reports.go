// Package reports answers the routes of reports: each is one value, shown as
// JSON, as a table for a spreadsheet, or as a chart. What moved comes from the
// totals (package totals counts them), what is owed is held against the
// balances of all members, and what needs every member's purchases comes from
// the newest refresh of the segments.
//
// Not here: counting, refreshing, and the drawing of charts (package chart).
package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/web"
)

// Handler serves the routes of the function.
type Handler struct{ Gate *web.Gate }

// Routes of the function.
func (h *Handler) Routes() web.Routes {
	return web.Routes{
		"GET /v1/reports":        h.Gate.Handle(h.list, web.Admin),
		"GET /v1/reports/{name}": h.Gate.Handle(h.report, web.Admin),
	}
}

// report is a report that was made: what it is as JSON, as a table, and drawn.
type report struct {
	body    any
	table   sheet
	picture interface{ SVG() []byte }
}

// kind is a report that there is.
type kind struct {
	name, about string
	make        func(h *Handler, ctx context.Context, q *query) (report, error)
}

var kinds = []kind{
	{"liability", "what the points of all members come to and cost, month by month, held against their balances", (*Handler).liability},
	{"breakage", "what part of points is never spent, by the lots whose time is over", (*Handler).breakage},
	{"redemption", "points given and points spent, month by month", (*Handler).redemption},
	{"roi", "what members bought and what their points cost, month by month", (*Handler).roi},
	{"referrals", "friends that members brought, month by month", (*Handler).referrals},
	{"repeat", "customers who came again, and what they bring", ofRun(repeat)},
	{"deciles", "which part of the members brings which part of the spend: the 80/20 curve", ofRun(deciles)},
	{"segments", "members and spend by segment", ofRun(segments)},
	{"migration", "how members went from group to group between two refreshes", ofRun(migration)},
	{"cohorts", "who buys again, by the month of the first purchase", ofRun(cohorts)},
	{"clv", "what members are expected to be worth", ofRun(values)},
	{"lift", "what members of a rollout spent beside those who were held out", ofRun(lift)},
	{"goal", "one figure of the program beside what it should be", (*Handler).goal},
}

// Listed is a report as the list tells of it.
type Listed struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Formats []string `json:"formats"`
}

var formats = []string{"json", "csv", "svg"}

func (h *Handler) list(context.Context, *web.Request) (web.Answer, error) {
	page := web.Page[Listed]{Data: []Listed{}}
	for _, k := range kinds {
		page.Data = append(page.Data, Listed{k.name, k.about, formats})
	}
	return web.Answer{Body: page}, nil
}

func (h *Handler) report(ctx context.Context, r *web.Request) (web.Answer, error) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == r.PathValue("name") })
	if i < 0 {
		return web.Answer{}, loyalty.NotFound("report; GET /v1/reports lists them")
	}
	q, err := h.query(r)
	if err != nil {
		return web.Answer{}, err
	}
	made, err := kinds[i].make(h, ctx, q)
	switch {
	case err != nil:
		return web.Answer{}, err
	case q.format == "csv":
		return web.Answer{Body: made.table.csv()}, nil
	case q.format == "svg":
		return web.Answer{Body: web.SVG(made.picture.SVG())}, nil
	}
	return web.Answer{Body: made.body}, nil
}

// query is what was asked of a report.
type query struct {
	*web.Request
	now         time.Time
	format      string
	from, until time.Time // the first and the last day, midnight UTC
}

// mostMonths is how many months a report may be of.
const mostMonths = 120

// query reads what all reports may be asked.
func (h *Handler) query(r *web.Request) (*query, error) {
	q := &query{Request: r, now: h.Gate.Clock().UTC(), format: cmp.Or(r.URL.Query().Get("format"), "json")}
	if !slices.Contains(formats, q.format) {
		return nil, loyalty.Malformed("format", q.format, "must be json, csv or svg")
	}
	var err error
	if q.until, err = q.day("until", q.now.Format(time.DateOnly), true); err != nil {
		return nil, err
	}
	year := q.until.AddDate(0, 0, 1-q.until.Day()).AddDate(0, -11, 0)
	if q.from, err = q.day("from", year.Format(time.DateOnly), false); err != nil {
		return nil, err
	}
	if q.from.After(q.until) || !q.from.AddDate(0, mostMonths, 0).After(q.until) {
		return nil, loyalty.Malformed("from", q.text("from"), "must not be after until, nor more than 120 months before it")
	}
	return q, nil
}

func (q *query) text(name string) string { return q.URL.Query().Get(name) }

// day is a parameter that names a day, or a month: its first day, or its last.
func (q *query) day(name, otherwise string, last bool) (time.Time, error) {
	s := cmp.Or(q.text(name), otherwise)
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		if day, err = time.Parse("2006-01", s); err == nil && last {
			day = day.AddDate(0, 1, -1)
		}
	}
	if err != nil || day.Year() < 1970 || day.Year() > 9998 {
		return day, loyalty.Malformed(name, s, "must be a day such as 2026-11-05 or a month such as 2026-11")
	}
	return day, nil
}

// ratio is a parameter that is a decimal from 0 to 1, in millionths.
func (q *query) ratio(name string, otherwise int64) (int64, error) {
	s := q.text(name)
	if s == "" {
		return otherwise, nil
	}
	n, ok := decimal(s)
	if !ok || n > millionth {
		return 0, loyalty.Malformed(name, s, "must be a decimal from 0 to 1 with at most six places, such as 0.8")
	}
	return n, nil
}

const millionth = 1_000_000

// decimal reads a decimal that is not negative, in millionths; up to a thousand million.
func decimal(s string) (n int64, ok bool) {
	whole, rest, _ := strings.Cut(s, ".")
	if len(whole) < 1 || len(whole) > 9 || len(rest) > 6 || strings.HasSuffix(s, ".") {
		return 0, false
	}
	for _, d := range whole + rest + strings.Repeat("0", 6-len(rest)) {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + int64(d-'0')
	}
	return n, true
}

// written is a ratio in millionths as a decimal: "0.8".
func written(n int64) string {
	s := fmt.Sprintf("%d.%06d", n/millionth, n%millionth)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// months are the months of the time that was asked for, oldest first.
func (q *query) months() (out []string) {
	for m := q.from.AddDate(0, 0, 1-q.from.Day()); !m.After(q.until); m = m.AddDate(0, 1, 0) {
		out = append(out, m.Format("2006-01"))
	}
	return out
}

// span is the time that a report is of, as its JSON has it. Days are UTC.
type span struct {
	From  string `json:"from"`
	Until string `json:"until"`
}

func (q *query) span() span {
	return span{q.from.Format(time.DateOnly), q.until.Format(time.DateOnly)}
}

func (s span) String() string { return s.From + " to " + s.Until }
