package main

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// A program defines a segment, or another content of one.
var defineSegment = Kind{Name: "segment", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	if r.IntN(2) == 0 {
		return nil
	}
	return &message{op: &define{drawDefinition(w, p, r)}, program: p}
}}

// ownSegments are the ids of segments that programs define.
var ownSegments = []string{"vip", "sleepers", "near", "asked"}

func drawDefinition(w *world, p *programme, r *rand.Rand) *definition {
	d := &definition{id: ownSegments[r.IntN(len(ownSegments))]}
	if r.IntN(4) == 0 {
		for range r.IntN(6) {
			if m := w.someone(p, r); m != nil && !slices.Contains(d.list, m.id) {
				d.list = append(d.list, m.id)
			}
		}
		return d
	}
	d.where = drawCondition(r, 3)
	return d
}

var (
	shippedSegments = []string{
		"regular_heavy", "regular_light", "infrequent_heavy", "infrequent_light", "former", "top_20", "next_40",
		"declining", "at_risk", "new", "repeat", "multi_store", "birthday_month", "advocates",
	}
	statistics = []string{
		"orders", "purchase_days", "spent", "year_orders", "year_days", "year_spent", "stores", "friends", "points", "birth_month", "days_since_last", "days_since_first",
	}
)

// drawCondition makes up one of at most so many parts within each other.
func drawCondition(r *rand.Rand, deep int) *condition {
	c := &condition{}
	switch n := r.IntN(8); {
	case n < 2:
		c.segments = []string{shippedSegments[r.IntN(len(shippedSegments))], shippedSegments[r.IntN(len(shippedSegments))]}
	case n < 3:
		c.rfm = []string{[]string{"champions", "lost"}[r.IntN(2)]}
	case n < 5 || deep == 1:
		c.statistic = statistics[r.IntN(len(statistics))]
		from, to := r.Int64N(12), r.Int64N(60)
		if slices.Contains([]string{"spent", "year_spent", "points"}, c.statistic) {
			from, to = 100*money(r), 200*money(r)
		}
		c.from, c.to = &from, &to
		switch r.IntN(4) {
		case 0:
			c.from = nil
		case 1, 2:
			c.to = nil
		}
	case n < 6:
		c.all = []condition{*drawCondition(r, deep-1), *drawCondition(r, deep-1)}
	case n < 7:
		c.any = []condition{*drawCondition(r, deep-1), *drawCondition(r, deep-1)}
	default:
		c.not = drawCondition(r, deep-1)
		c.segments = []string{"repeat", "new"}
	}
	return c
}

type define struct{ d *definition }

func (q *define) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "PUT", "/v1/segments/"+q.d.id, encoded(q.d.body()))
}

func encoded(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func (q *define) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	a := answer{200, "", []value{{"id", q.d.id}, {"built_in", false}}}
	return a, func() {
		p.defined = slices.DeleteFunc(slices.Clone(p.defined), func(d *definition) bool { return d.id == q.d.id })
		p.defined = append(p.defined, q.d)
	}
}

// A merchant asks how many members a segment would have. It is alone, since it
// looks at one member after the other.
var previewSegment = Kind{Name: "preview", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	if r.IntN(3) > 0 {
		return nil
	}
	return &message{op: &preview{drawDefinition(w, p, r)}, program: p, alone: true}
}}

type preview struct{ d *definition }

func (q *preview) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/segments/preview", encoded(q.d.body()))
}

func (q *preview) Decide(p *programme, now time.Time, _ string) (answer, func()) {
	n, of := int64(0), int64(0)
	for _, id := range p.people {
		m := p.members[id]
		if m.into != "" {
			continue
		}
		f, rfm := m.figures(dateOf(now.Unix())), ""
		if p.finished != nil {
			rfm = p.finished.named(f)
		}
		if of++; q.d.has(f, m.segments, rfm) {
			n++
		}
	}
	return answer{200, "", []value{{"members", n}, {"of", of}, {"complete", true}, {"estimate", n}}}, nil
}

// A merchant looks at a segment: how many members the newest run found in it.
var readSegment = Kind{Name: "segment read", Weight: 1, Draw: func(_ *world, p *programme, r *rand.Rand) *message {
	all := slices.Concat(shippedSegments, ownSegments)
	return &message{op: &lookIn{all[r.IntN(len(all))]}, program: p}
}}

type lookIn struct{ id string }

func (l *lookIn) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "GET", "/v1/segments/"+l.id, "")
}

func (l *lookIn) Decide(p *programme, _ time.Time, _ string) (answer, func()) {
	own := slices.ContainsFunc(p.defined, func(d *definition) bool { return d.id == l.id })
	shipped := slices.Contains(shippedSegments, l.id)
	if !own && !shipped {
		return refuse(404, "not_found"), nil
	}
	a := answer{200, "", []value{{"id", l.id}, {"built_in", shipped}, {"members", nil}, {"spent", nil}}}
	if p.finished != nil {
		if n, known := p.finished.found[l.id]; known {
			a.values[2].want, a.values[3].want = n.members, n.spent
		}
	}
	return a, nil
}

// A merchant wants the segments of all members to be looked at now, and now
// and then once more while that goes on.
var askRefresh = Kind{Name: "segment run", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	if r.IntN(24) > 0 {
		return nil
	}
	m := w.refreshAsked(p, r)
	if r.IntN(3) == 0 {
		again := w.refreshAsked(p, r)
		again.kind = "segment run"
		w.deliver(again, w.clock+r.Int64N(24*3600))
	}
	return m
}}

func (w *world) refreshAsked(p *programme, r *rand.Rand) *message {
	m := &message{op: &wantRefresh{}, program: p}
	if r.IntN(2) == 0 {
		m.key = w.key("refresh")
	}
	m.acked = func(body map[string]any) { w.drive(p, body["id"].(string)[len("seg_"):]) }
	return m
}

type wantRefresh struct{ now time.Time }

func (*wantRefresh) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/segment-runs", "{}")
}

func (q *wantRefresh) Decide(_ *programme, now time.Time, _ string) (answer, func()) {
	q.now = now
	return answer{202, "", []value{{"status", "running"}}}, func() {}
}
