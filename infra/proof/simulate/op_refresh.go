package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	segments "regulars/functions/segment"
	"regulars/shared/refresh"
	"regulars/shared/table"
)

// A schedule begins a run of every program.
var beginRefreshes = Kind{Name: "segment schedule", Weight: 1, Draw: func(w *world, _ *programme, r *rand.Rand) *message {
	if r.IntN(40) > 0 { // a run costs as much as some hundred orders
		return nil
	}
	return w.refreshesBegun()
}}

func (w *world) refreshesBegun() *message {
	s := &refreshStep{name: "begin"}
	return &message{job: "segments", refresh: s, acked: func(map[string]any) {
		for _, r := range s.did.Runs {
			w.drive(w.programme(r.Program), r.ID)
		}
	}}
}

// refreshStep is a message to the function that does the steps of runs.
type refreshStep struct {
	name   string
	run    *segmentRun // nil: begin makes them
	shards []int
	did    segments.Did
}

const shards = refresh.Shards

// machine drives a run as infra/segments.asl.json does.
type machine struct {
	w      *world
	p      *programme
	run    *segmentRun
	groups [][]int // of shards that one message is of
	left   int     // messages of the stage under way
}

// drive lets a run go on, once the world has begun it.
func (w *world) drive(p *programme, id string) {
	m := &machine{w: w, p: p, run: p.runs[id]}
	for shard := 0; shard < shards; shard += 16 {
		group := []int{shard}
		for len(group) < 16 {
			group = append(group, shard+len(group))
		}
		m.groups = append(m.groups, group)
	}
	m.next("plan")
}

// next sends the messages of a step with the next operations of the world.
func (c *machine) next(step string) {
	c.w.waiting = append(c.w.waiting, c.messages(step)...)
}

func (c *machine) messages(step string) (all []*message) {
	groups := [][]int{{0}}
	if step == "read" || step == "refine" || step == "score" {
		groups = c.groups
	}
	c.left = len(groups)
	for _, g := range groups {
		s := &refreshStep{name: step, run: c.run, shards: g}
		all = append(all, &message{kind: "run's " + step, job: "segments", program: c.p, refresh: s, acked: func(map[string]any) {
			if c.left--; c.left == 0 {
				c.done(s)
			}
		}})
	}
	return all
}

// done goes on from a step.
func (c *machine) done(s *refreshStep) {
	switch s.name {
	case "plan":
		c.next("read")
	case "read", "refine":
		c.next("merge")
	case "merge":
		switch {
		case s.did.Overtaken:
		case s.did.More:
			c.next("refine")
		default:
			c.next("score")
		}
	case "score":
		c.next("finish")
	}
}

// goOn sends what waits, at a step of the world.
func (w *world) goOn(step int, r *rand.Rand) {
	waiting := w.waiting
	w.waiting = nil
	for _, m := range waiting {
		m.step = step
		w.send(m, r)
	}
}

// refresh does a step in a process.
func (w *world) refresh(ctx context.Context, in *instance, t *task) error {
	s := t.m.refresh
	store := table.NewStore(mortal{in.store.Engine})
	store.Pause = in.store.Pause
	steps := &segments.Steps{Store: store, Files: &bucket{w, in}, Now: func() time.Time { return in.task.now }, ID: in.task.id}
	if s.run == nil {
		did, err := steps.Do(ctx, segments.Event{Step: s.name})
		s.did = did
		return err
	}
	for _, shard := range s.shards {
		t.looked = nil
		did, err := steps.Do(ctx, segments.Event{Run: segments.Run{Program: t.program, ID: s.run.id}, Step: s.name, Shard: shard})
		if s.did = did; err != nil {
			return err
		}
	}
	return nil
}

// mortal is the table of a process that may end while several goroutines use
// it: in place of a panic, which only one of them could catch, nothing answers
// any more.
type mortal struct{ table.Engine }

func ended(err *error) {
	switch p := recover(); p {
	case nil:
	case crash{}:
		*err = errEnded
	default:
		panic(p)
	}
}

var errEnded = errors.New("simulated: the process has ended")

// Get implements table.Engine.
func (e mortal) Get(ctx context.Context, k table.Key, consistent bool) (it table.Item, err error) {
	defer ended(&err)
	return e.Engine.Get(ctx, k, consistent)
}

// Write implements table.Engine.
func (e mortal) Write(ctx context.Context, writes ...table.Write) (err error) {
	defer ended(&err)
	return e.Engine.Write(ctx, writes...)
}

// Query implements table.Engine.
func (e mortal) Query(ctx context.Context, q table.Query) (page table.Page, err error) {
	defer ended(&err)
	return e.Engine.Query(ctx, q)
}

// Members implements table.Engine.
func (e mortal) Members(ctx context.Context, group string, after table.Key, limit int) (keys []table.Key, more bool, err error) {
	defer ended(&err)
	return e.Engine.Members(ctx, group, after, limit)
}

// Sides implements table.Engine.
func (e mortal) Sides(ctx context.Context, keys []table.Key, visit func(table.Key, []byte) error) (err error) {
	defer ended(&err)
	return e.Engine.Sides(ctx, keys, visit)
}

// bucket is where runs keep their files, as a process sees it: every write may
// fail, or be its last. Nobody comes first in between: of the files of a shard
// one is written last, and a step that finds it does nothing.
type bucket struct {
	w  *world
	in *instance
}

// perStep is about how many files a step writes that writes many: now and then
// all of them have to come through.
const perStep = 16

// Put implements refresh.Files.
func (b *bucket) Put(_ context.Context, name string, body []byte) error {
	t := b.in.task
	if (&wire{b.w}).fails(t, b.w.odds.before/perStep) {
		return errTimeout
	}
	dir := path.Dir(name)
	if b.w.files[dir] == nil {
		b.w.files[dir] = map[string][]byte{}
	}
	b.w.files[dir][name] = slices.Clone(body)
	t.filed(name)
	t.boundary()
	if (&wire{b.w}).fails(t, b.w.odds.after/perStep) {
		return errTimeout
	}
	return nil
}

// Get implements refresh.Files.
func (b *bucket) Get(_ context.Context, name string) ([]byte, error) {
	body, there := b.w.files[path.Dir(name)][name]
	if !there {
		return nil, fmt.Errorf("simulated: there is no %s", name)
	}
	return body, nil
}

// List implements refresh.Files.
func (b *bucket) List(_ context.Context, prefix string) (names []string, _ error) {
	for name := range b.w.files[strings.TrimSuffix(prefix, "/")] {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// newestFile is the last of a directory by name.
func (w *world) newestFile(dir string) []byte {
	newest := ""
	for name := range w.files[dir] {
		newest = max(newest, name)
	}
	return w.files[dir][newest]
}

// programme is the one of a name; nil for none.
func (w *world) programme(name string) *programme {
	for _, p := range w.programmes {
		if p.name == name {
			return p
		}
	}
	return nil
}
