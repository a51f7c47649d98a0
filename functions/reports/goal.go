package reports

import (
	"cmp"
	"context"
	"encoding/json"
	"math/big"
	"slices"
	"time"

	"regulars/shared/chart"
	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/refresh"
	"regulars/shared/segment"
	"regulars/shared/table"
)

// Goal is one figure of the program beside what it should be: by the goal of the
// program's document, if nothing else is asked for.
type Goal struct {
	At      time.Time `json:"at"`
	KPI     string    `json:"kpi"`
	Percent string    `json:"percent"`
	Target  *string   `json:"target_percent"` // null: none was given
	Reached *bool     `json:"reached"`

	Reason program.Text `json:"reason,omitempty"` // to come back, that the program gives, by language
}

// kpis are the figures that a goal may be of, each a part of a whole.
var kpis = map[string]func(f *found, m *moved, q *query) (part, whole int64){
	"repeat_rate":      func(f *found, _ *moved, _ *query) (int64, int64) { return f.Repeat.Repeaters, f.Repeat.Buyers },
	"share_of_revenue": func(f *found, _ *moved, _ *query) (int64, int64) { return f.Repeat.Revenue, f.Repeat.Spent }, // of who came again
	"active_share":     func(f *found, _ *moved, _ *query) (int64, int64) { return f.Buyers - f.Groups["former"], f.Buyers },
	"redemption_rate": func(_ *found, m *moved, q *query) (spent, given int64) {
		for _, month := range q.months() {
			t := m.months[month]
			spent, given = spent-t.Spent-t.Restored, given+t.Earned+t.Referred+t.Adjusted+t.ClawedBack
		}
		return spent, given
	},
}

func (h *Handler) goal(ctx context.Context, q *query) (report, error) {
	of, err := h.documented(ctx, q)
	if err != nil {
		return report{}, err
	}
	kpi := cmp.Or(q.text("kpi"), of.KPI, "repeat_rate")
	if kpis[kpi] == nil {
		return report{}, loyalty.Malformed("kpi", kpi, "must be repeat_rate, redemption_rate, share_of_revenue or active_share")
	}
	target := int64(-1)
	if should, ok := new(big.Rat).SetString(of.Target); ok && kpi == of.KPI {
		should.Mul(should, big.NewRat(millionth, 1))
		target = new(big.Int).Div(should.Num(), should.Denom()).Int64()
	}
	if target, err = q.ratio("target", target); err != nil {
		return report{}, err
	}
	f, m := &found{refresh.Result{At: q.now}}, moved{}
	if kpi == "redemption_rate" {
		m, err = h.moved(ctx, q)
	} else {
		f, err = h.newest(ctx, q)
	}
	if err != nil {
		return report{}, err
	}
	part, whole := kpis[kpi](f, &m, q)
	g := Goal{At: f.At, KPI: kpi, Percent: segment.Percent(part, whole), Reason: of.Reason}
	s := sheet{{"kpi", "percent", "target_percent"}}
	c := chart.Bars{Frame: chart.Frame{Title: "Goal: " + kpi, About: g.Percent + " %, " + f.asOf(), Y: "%", Decimals: 2}, Labels: []string{"now"}, Series: []chart.Series{{Values: []int64{hundredths(part, whole)}}}}
	row := []any{kpi, g.Percent}
	if target >= 0 {
		should, reached := segment.Percent(target, millionth), rate(part, whole) >= target
		g.Target, g.Reached = &should, &reached
		row = append(row, should)
		c.About = g.Percent + " % of " + should + " %, " + f.asOf()
		c.Labels, c.Series[0].Values = append(c.Labels, "goal"), append(c.Series[0].Values, (target+50)/100)
	}
	s = append(s, slices.Concat(row, make([]any, 3-len(row))))
	return report{g, s, c}, nil
}

// documented is the goal of the program's document; none when it has none.
func (h *Handler) documented(ctx context.Context, q *query) (program.Goal, error) {
	var doc struct {
		Goal program.Goal `json:"goal"`
	}
	err := h.Gate.Store.View(ctx, q.Program, func(tx *table.Tx) error {
		v, err := tx.CurrentVersion()
		if err != nil {
			return err
		}
		return json.Unmarshal(v.Doc, &doc)
	})
	return doc.Goal, err
}
