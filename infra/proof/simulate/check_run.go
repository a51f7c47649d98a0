package main

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// looks notes what a step of a run reads at this moment, as the model has it.
func (w *world) looks(t *task, keys ...table.Key) {
	if t.m.refresh == nil {
		return
	}
	for _, k := range keys {
		p := w.programme(table.ProgramOf(k))
		switch {
		case p == nil: // what is of all programs
		case k.SK == "NEWEST":
			t.newest = p.newest
		case k.SK == "DEFINED#":
			t.planned = p.defined
		case k.SK == "ACCOUNT" && t.m.refresh.name == "read":
			t.looked = append(t.looked, p.members[k.PK[strings.LastIndexByte(k.PK, '#')+1:]])
		}
	}
}

// filed follows a file of a run: what it was made of is from now on what the
// run knows.
func (t *task) filed(name string) {
	x := t.m.refresh.run
	if path.Base(name) == "plan.json" {
		x.defined, x.depth = t.planned, 1
		if t.m.program.rules().refer != nil {
			x.depth = 3
		}
		return
	}
	if path.Base(path.Dir(name)) == "parts" {
		shard, err := strconv.Atoi(path.Base(name))
		if err != nil {
			panic(err)
		}
		x.seen[shard] = t.looked
	}
}

// refreshed lets the model do what a transaction of a run did.
func (w *world) refreshed(t *task, writes []table.Write) {
	for _, wr := range writes {
		p := w.programme(table.ProgramOf(wr.Item.Key))
		switch {
		case strings.HasPrefix(wr.Item.SK, "RUN#"):
			w.turned(t, p, wr.Item)
		case wr.Item.SK == "ACCOUNT":
			w.rescored(t, p, wr.Item)
		}
	}
}

// Wrote implements inParts: a run has the id that the product gave it.
func (q *wantRefresh) Wrote(p *programme, writes []table.Write) {
	for _, wr := range writes {
		if id, ok := strings.CutPrefix(wr.Item.SK, "RUN#"); ok {
			p.begins(id, q.now)
		}
	}
}

// Left implements inParts.
func (q *wantRefresh) Left(p *programme, answer map[string]any) string {
	id, ok := answer["id"].(string)
	if !ok || p.runs[strings.TrimPrefix(id, "seg_")] == nil {
		return fmt.Sprintf("the run %s never began", id)
	}
	return ""
}

func (p *programme) begins(id string, now time.Time) {
	p.runs[id] = &segmentRun{id: id, today: dateOf(now.Unix()), seen: map[int][]*member{}}
	p.newest = id
}

// turned follows a run that begins or ends.
func (w *world) turned(t *task, p *programme, it table.Item) {
	r, err := table.Decode[table.SegmentRun](it)
	if err != nil {
		w.violated(t.m.step, "%v", err)
		return
	}
	x := p.runs[r.ID]
	switch {
	case r.Stage == table.Running:
		p.begins(r.ID, t.now)
	case r.Stage == table.Failed && t.newest != x.id:
	case r.Stage != table.Done || t.newest != x.id || x.finished:
		w.violated(t.m.step, "the run %s of %s is %s, and the newest is %s", r.ID, p.name, r.Stage, t.newest)
	default:
		w.finished(t, p, x, r)
	}
}

// rescored follows a run that puts a member into other segments: by what she
// is now and by the borders of the run.
func (w *world) rescored(t *task, p *programme, it table.Item) {
	a, err := table.Decode[loyalty.Account](it)
	if err != nil {
		w.violated(t.m.step, "%v", err)
		return
	}
	x := t.m.refresh.run
	if t.newest != x.id {
		w.violated(t.m.step, "the run %s decides about %s, though %s began later", x.id, a.Member, t.newest)
	}
	w.measured(t, x)
	if w.wrong != nil {
		return
	}
	m := p.members[a.Member].copy()
	before := m.segments
	m.enter(x.judge(m))
	if got := slices.Sorted(slices.Values(a.Segments)); !slices.Equal(got, m.segments) {
		w.violated(t.m.step, "the run %s puts %s into %v, and should into %v: %+v", x.id, m.id, got, m.segments, m.figures(x.today))
	} else if slices.Equal(before, got) {
		w.violated(t.m.step, "the run %s writes %s, who stays in %v", x.id, m.id, got)
	}
	p.store(m)
}

// measured finds the borders of a run when they are needed first.
func (w *world) measured(t *task, x *segmentRun) {
	if x.borders != nil {
		return
	}
	if len(x.seen) < shards {
		w.violated(t.m.step, "the run %s decides when it has read %d of %d shards", x.id, len(x.seen), shards)
		return
	}
	var state struct {
		Cuts struct{ Models struct{ Buying *buying } }
	}
	if err := json.Unmarshal(w.newestFile("segments/"+t.m.program.name+"/"+x.id+"/states"), &state); err != nil {
		w.violated(t.m.step, "the state of run %s: %v", x.id, err)
		return
	}
	x.measure(state.Cuts.Models.Buying)
}

// count is of the members of a segment when a run looked at them.
type count struct{ members, spent int64 }

// finished holds the result of a run against all that it read, and every
// member who has not changed since against what she was read to be.
func (w *world) finished(t *task, p *programme, x *segmentRun, r *table.SegmentRun) {
	w.measured(t, x)
	if w.wrong != nil {
		return
	}
	x.finished, p.finished = true, x
	var told struct {
		Members, Buyers, Balance, Heavy int64
		Groups, Spent, Entered, Left    map[string]int64
	}
	if err := json.Unmarshal(r.Result, &told); err != nil {
		w.violated(t.m.step, "the result of run %s: %v", x.id, err)
		return
	}
	want := told
	want.Members, want.Buyers, want.Balance, want.Heavy = 0, 0, 0, x.heavy
	want.Groups, want.Spent, want.Entered, want.Left = map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	known := map[string]bool{}
	for _, id := range shippedSegments {
		known[id] = true
	}
	for _, d := range x.defined {
		known[d.id] = true
	}
	x.found = map[string]count{}
	for id := range known {
		want.Groups[id], want.Spent[id] = 0, 0
	}
	for _, m := range x.everyone() {
		f, in := m.figures(x.today), x.judge(m)
		want.Members++
		want.Balance += m.balance
		if f.days > 0 {
			want.Buyers++
		}
		for _, s := range in {
			want.Groups[s]++
			want.Spent[s] += f.yearSpent
			if !slices.Contains(m.segments, s) {
				want.Entered[s]++
			}
		}
		for _, s := range m.segments {
			if known[s] && !slices.Contains(in, s) {
				want.Left[s]++
			}
		}
		if is := p.members[m.id]; is.same(m) && !slices.Equal(is.segments, in) {
			w.violated(t.m.step, "the run %s read %s, who has not changed since: she is in %v, and should be in %v", x.id, m.id, is.segments, in)
		}
	}
	for id := range known {
		x.found[id] = count{want.Groups[id], want.Spent[id]}
	}
	if got, should := fmt.Sprint(told), fmt.Sprint(want); got != should {
		w.violated(t.m.step, "the run %s of %s comes to\n%s\nand should to\n%s", x.id, p.name, got, should)
	}
}

// same tells whether nothing was decided about a member since that could put
// her into other segments.
func (m *member) same(before *member) bool {
	return m.into == "" && m.basket == before.basket && m.asked == before.asked && m.friends == before.friends && m.born == before.born && m.balance == before.balance
}
