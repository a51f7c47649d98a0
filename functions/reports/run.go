package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"regulars/shared/chart"
	"regulars/shared/loyalty"
	"regulars/shared/refresh"
	"regulars/shared/segment"
	"regulars/shared/table"
)

// found is a finished refresh as reports are made of it.
type found struct{ refresh.Result }

// asOf is what charts say of when.
func (f *found) asOf() string { return "as of " + f.At.UTC().Format(time.DateOnly) }

func (f *found) digits() int { return digits(f.Currency) }

// newest reads what the newest refresh that has finished found. Refused with
// the conflict no_refresh_yet.
func (h *Handler) newest(ctx context.Context, q *query) (*found, error) {
	f := &found{}
	return f, h.Gate.Store.View(ctx, q.Program, func(tx *table.Tx) error {
		c, err := tx.Cuts()
		if err != nil {
			return err
		}
		if c == nil {
			return &loyalty.Error{Kind: loyalty.Conflict, Code: "no_refresh_yet", Detail: "this report is made of a refresh of the segments, and none has finished yet"}
		}
		run, err := tx.SegmentRun(c.Run)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(run.Result, &f.Result); err != nil {
			return fmt.Errorf("figures of a refresh: %w", err)
		}
		return nil
	})
}

// mean is what each of some members spent, to the nearest; 0 of nobody.
func mean(spent, members int64) int64 {
	if members == 0 {
		return 0
	}
	return (spent + members/2) / members
}

// ofRun makes a report of the newest refresh alone.
func ofRun(make func(f *found) report) func(h *Handler, ctx context.Context, q *query) (report, error) {
	return func(h *Handler, ctx context.Context, q *query) (report, error) {
		f, err := h.newest(ctx, q)
		if err != nil {
			return report{}, err
		}
		return make(f), nil
	}
}

// Repeat is who came again.
type Repeat struct {
	At       time.Time `json:"at"`
	Currency string    `json:"currency"`
	refresh.Repeat
	Acquired []Brought `json:"by_first_purchase"`
}

// Brought compares who was brought by friends with the others.
type Brought struct {
	refresh.Acquisition
	ReferredMean  int64 `json:"referred_mean"` // minor units a member
	OtherwiseMean int64 `json:"otherwise_mean"`
}

func repeat(f *found) report {
	r := Repeat{f.At, f.Currency, f.Repeat, []Brought{}}
	s := sheet{{"buyers", "currency", "members", "spent"}}
	s.row("repeat", r.Currency, r.Repeaters, r.Revenue)
	s.row("once", r.Currency, r.Buyers-r.Repeaters, r.Spent-r.Revenue)
	c := chart.Bars{
		Frame: chart.Frame{Title: "Customers who came again", About: r.Rate + " % of the customers, " + r.Share + " % of the spend, " + f.asOf(), Y: "%", Decimals: 2}, Stacked: true, Labels: []string{"customers", "spend"},
		Series: []chart.Series{
			{Name: "came again", Values: []int64{hundredths(r.Repeaters, r.Buyers), hundredths(r.Revenue, r.Spent)}},
			{Name: "once", Values: []int64{hundredths(r.Buyers-r.Repeaters, r.Buyers), hundredths(r.Spent-r.Revenue, r.Spent)}},
		},
	}
	for _, a := range f.Acquired {
		r.Acquired = append(r.Acquired, Brought{a, mean(a.ReferredSpent, a.Referred), mean(a.OtherwiseSpent, a.Otherwise)})
		s.row("first in "+a.Month+", brought by friends", r.Currency, a.Referred, a.ReferredSpent)
		s.row("first in "+a.Month+", otherwise", r.Currency, a.Otherwise, a.OtherwiseSpent)
	}
	return report{r, s, c}
}

// hundredths is a part in percent, for charts with two decimals.
func hundredths(part, whole int64) int64 { return (rate(part, whole) + 50) / 100 }

// Deciles are tenths of the members who spent.
type Deciles struct {
	At       time.Time          `json:"at"`
	Currency string             `json:"currency"`
	Deciles  [10]segment.Decile `json:"deciles"`
	Top      Share              `json:"top_20"` // of the window
	Next     Share              `json:"next_40"`
	Rest     Share              `json:"rest"`
}

// Share is what some members spent.
type Share struct {
	Members int64  `json:"members"`
	Spent   int64  `json:"spent"`
	Percent string `json:"spent_percent"` // of what all did
}

func deciles(f *found) report {
	s := sheet{{"decile", "currency", "members", "spent", "share_percent", "cumulative_percent"}}
	c := chart.Lines{
		Frame:  chart.Frame{Title: "80/20", X: "members, the highest spend first, %", Y: "spend, %", Decimals: 2},
		Labels: []string{"0"}, Series: []chart.Series{{Name: "spend", Values: []int64{0}}, {Name: "if all spent alike", Values: []int64{0}}},
	}
	for i, d := range f.Deciles {
		s.row(strconv.Itoa(i+1), f.Currency, d.Members, d.Spent, d.Share, d.Cumulative)
		c.Labels = append(c.Labels, strconv.Itoa(10*(i+1)))
		n, _ := decimal(d.Cumulative)
		c.Series[0].Values, c.Series[1].Values = append(c.Series[0].Values, n/10_000), append(c.Series[1].Values, int64(i+1)*1000)
		if i == 1 {
			c.About = "The best 20 % bring " + d.Cumulative + " % of the spend, " + f.asOf()
		}
	}
	top, next, rest := f.Shares.Top, f.Shares.Next, f.Shares.Rest
	share := func(p segment.Part) Share {
		return Share{p.Members, p.Spent, segment.Percent(p.Spent, top.Spent+next.Spent+rest.Spent)}
	}
	return report{Deciles{f.At, f.Currency, f.Deciles, share(top), share(next), share(rest)}, s, c}
}

// Segments are members and spend by segment; a member may be in several.
type Segments struct {
	At       time.Time `json:"at"`
	Currency string    `json:"currency"`
	Members  int64     `json:"members"`
	Data     []Group   `json:"data"`
}

// Group is a segment.
type Group struct {
	Segment string `json:"segment"`
	Members int64  `json:"members"`
	Spent   int64  `json:"spent"` // in the window, minor units
	Percent string `json:"members_percent"`
}

func segments(f *found) report {
	out := Segments{At: f.At, Currency: f.Currency, Members: f.Members, Data: []Group{}}
	s := sheet{{"segment", "currency", "members", "members_percent", "spent"}}
	c := chart.Bars{Frame: chart.Frame{Title: "Spend by segment", About: "Of the window of twelve months, " + f.asOf() + "; a member may be in several", Y: f.Currency, Decimals: f.digits()}, Series: []chart.Series{{}}}
	for _, name := range slices.Sorted(maps.Keys(f.Groups)) {
		g := Group{name, f.Groups[name], f.Spent[name], segment.Percent(f.Groups[name], f.Members)}
		out.Data = append(out.Data, g)
		s.row(name, f.Currency, g.Members, g.Percent, g.Spent)
		c.Labels, c.Series[0].Values = append(c.Labels, name), append(c.Series[0].Values, g.Spent)
	}
	return report{out, s, c}
}

func migration(f *found) report {
	m := f.Migration
	if m == nil {
		m = &segment.Migration{Groups: []string{}, Counts: [][]int64{}}
	}
	names := make([]string, len(m.Groups))
	for i, g := range m.Groups {
		if names[i] = g; g == "" {
			names[i] = "none"
		}
	}
	s := sheet{{"from", "to", "members"}}
	for i, row := range m.Counts {
		for j, n := range row {
			s.row(names[i], names[j], n)
		}
	}
	c := chart.Heat{Frame: chart.Frame{Title: "From group to group", About: "Members by their group in the refresh before and now, " + f.asOf(), X: "now", Y: "before"}, Rows: names, Columns: names, Cells: m.Counts}
	return report{struct {
		At time.Time `json:"at"`
		*segment.Migration
	}{f.At, m}, s, c}
}

// Cohort are the members whose first purchase was in a month.
type Cohort struct {
	Month   string   `json:"month"`
	Members int64    `json:"members"`
	Active  []int64  `json:"active"` // who bought in the month itself and in each one since
	Percent []string `json:"active_percent"`
}

func cohorts(f *found) report {
	out := []Cohort{}
	s := sheet{{"first_purchase", "months_since", "members", "active", "active_percent"}}
	c := chart.Heat{Frame: chart.Frame{Title: "Who buys again", About: "Percent of the members of a month of first purchase who bought in a later one, " + f.asOf(), X: "months since", Y: "first purchase"}, Suffix: "%"}
	if f.Cohorts == nil {
		f.Cohorts = &segment.Cohorts{}
	}
	for i, row := range f.Cohorts.Active {
		if len(row) == 0 || row[0] == 0 {
			continue
		}
		co := Cohort{Month: time.Date(1970, time.Month(f.Cohorts.First)+time.Month(i)+1, 1, 0, 0, 0, 0, time.UTC).Format("2006-01"), Members: row[0], Active: row}
		cells := make([]int64, 0, len(row))
		for since, n := range row {
			p := segment.Percent(n, row[0])
			co.Percent = append(co.Percent, p)
			s.row(co.Month, int64(since), row[0], n, p)
			cells = append(cells, (hundredths(n, row[0])+50)/100)
		}
		out = append(out, co)
		c.Rows, c.Cells = append(c.Rows, co.Month), append(c.Cells, cells)
	}
	// The newest two years of each are drawn: more cannot be read.
	const most = 24
	first := max(0, len(c.Rows)-most)
	c.Rows, c.Cells = c.Rows[first:], c.Cells[first:]
	for i := range c.Cells {
		c.Cells[i] = c.Cells[i][:min(len(c.Cells[i]), most)]
	}
	if len(c.Cells) > 0 {
		for since := range len(c.Cells[0]) {
			c.Columns = append(c.Columns, strconv.Itoa(since))
		}
	}
	return report{struct {
		At   time.Time `json:"at"`
		Data []Cohort  `json:"data"`
	}{f.At, out}, s, c}
}

// Worth is how many members are expected to be worth how much.
type Worth struct {
	From    int64  `json:"from"`  // minor units
	Under   *int64 `json:"under"` // null: no bound
	Members int64  `json:"members"`
	Value   int64  `json:"value"` // of all of them together, minor units, rounded
}

func values(f *found) report {
	out := []Worth{}
	s := sheet{{"from", "under", "currency", "members", "value"}}
	c := chart.Bars{Frame: chart.Frame{Title: "What members are expected to be worth", About: "In the next 365 days, discounted, " + f.asOf(), X: f.Currency + ", from", Y: "members"}, Series: []chart.Series{{}}}
	d := f.Values
	if d == nil {
		d = &segment.Distribution{}
	}
	for i, n := range d.Members {
		w := Worth{Members: n, Value: int64(math.Round(d.Values[i]))}
		if i > 0 {
			w.From = d.Bounds[i-1]
		}
		if i < len(d.Bounds) {
			w.Under = &d.Bounds[i]
		}
		out = append(out, w)
		s.row(w.From, w.Under, f.Currency, w.Members, w.Value)
		c.Labels, c.Series[0].Values = append(c.Labels, chart.Number(w.From, f.digits())), append(c.Series[0].Values, n)
	}
	drawn := len(d.Members) // what lies above everybody is not
	for drawn > 0 && d.Members[drawn-1] == 0 {
		drawn--
	}
	c.Labels, c.Series[0].Values = c.Labels[:drawn], c.Series[0].Values[:drawn]
	return report{struct {
		At       time.Time `json:"at"`
		Currency string    `json:"currency"`
		Data     []Worth   `json:"data"`
	}{f.At, f.Currency, out}, s, c}
}

// Lift compares what members of a rollout spent with those who were held out.
type Lift struct {
	At          time.Time     `json:"at"`
	Currency    string        `json:"currency"`
	Since       string        `json:"since,omitempty"`
	Rollout     *refresh.Lift `json:"rollout"`      // null: no version is rolled out to a part of the members
	TreatedMean int64         `json:"treated_mean"` // minor units a member
	ControlMean int64         `json:"control_mean"`
	Percent     string        `json:"lift_percent"` // of the control's mean
	Incremental int64         `json:"incremental"`  // spend of the treated above what the control's mean would have come to
}

func lift(f *found) report {
	l := Lift{At: f.At, Currency: f.Currency, Rollout: f.Lift, Percent: "0.00"}
	s := sheet{{"side", "currency", "members", "buyers", "spent", "mean"}}
	c := chart.Bars{Frame: chart.Frame{Title: "Spend a member, with the rollout and without", About: "No version is rolled out to a part of the members, " + f.asOf(), Y: f.Currency, Decimals: f.digits()}}
	if r := l.Rollout; r != nil {
		l.Since = time.Unix(int64(r.Since)*24*60*60, 0).UTC().Format(time.DateOnly)
		l.TreatedMean, l.ControlMean = mean(r.Treated.Spent, r.Treated.Members), mean(r.Control.Spent, r.Control.Members)
		if l.ControlMean > 0 {
			l.Percent = segment.Percent(l.TreatedMean-l.ControlMean, l.ControlMean)
		}
		l.Incremental = r.Treated.Spent - l.ControlMean*r.Treated.Members
		s.row("treated", f.Currency, r.Treated.Members, r.Treated.Buyers, r.Treated.Spent, l.TreatedMean)
		s.row("control", f.Currency, r.Control.Members, r.Control.Buyers, r.Control.Spent, l.ControlMean)
		c.About = fmt.Sprintf("Since %s: %s %% more a member, %s in all", l.Since, l.Percent, amount(l.Incremental, f.Currency))
		c.Labels, c.Series = []string{"treated", "control"}, []chart.Series{{Values: []int64{l.TreatedMean, l.ControlMean}}}
	}
	return report{l, s, c}
}
