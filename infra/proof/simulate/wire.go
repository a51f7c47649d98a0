package main

import (
	"context"
	"errors"
	"strings"

	"regulars/shared/table"
)

// wire is the table as a process sees it over a network: every call may be
// the last of the process, may fail, may be slow enough for others to come
// first. It also watches that nobody reads or writes another program's items.
type wire struct{ w *world }

var (
	errThrottled = errors.New("simulated: the table is throttled")
	errTimeout   = errors.New("simulated: no answer from the table")
)

// call is the boundary before (and after) each call of the store.
func (x *wire) call(ctx context.Context, keys ...table.Key) *task {
	t := ctx.Value(taskKey{}).(*task)
	for _, k := range keys {
		if p := table.ProgramOf(k); p != "" && t.program != "" && p != t.program {
			x.w.violated(t.m.step, "%s of program %s touched %s %s", t.m.kind, t.program, k.PK, k.SK)
		}
	}
	t.boundary()
	t.wait()
	return t
}

// boundary is a point at which the process may end.
func (t *task) boundary() {
	t.calls++
	if t.crashed || t.calls == t.crashAt {
		t.crashed = true
		panic(crash{})
	}
}

// recovered is after how many calls of a request the table serves it whatever
// the odds: who has a thousand things to read would never see the end.
const recovered = 40

func (x *wire) fault(t *task, odds float64) bool {
	if t.calls < recovered && x.w.chance(t.rng, odds) {
		x.w.tally.Faults++
		return true
	}
	return false
}

// fails is a fault that the process sees as an error.
func (x *wire) fails(t *task, odds float64) bool {
	failed := x.fault(t, odds)
	t.failed = t.failed || failed
	return failed
}

// Get implements table.Engine.
func (x *wire) Get(ctx context.Context, k table.Key, consistent bool) (table.Item, error) {
	if strings.HasPrefix(k.PK, "KEY#") || strings.HasPrefix(k.PK, "CONNECTION#") {
		return x.w.base.Get(ctx, k, consistent) // cached by real time, which may not decide anything here
	}
	t := x.call(ctx, k)
	x.w.tally.Reads++
	if x.fails(t, x.w.odds.throttled) {
		return table.Item{}, errThrottled
	}
	if old, ok := x.w.previous[k]; !consistent && ok && x.fault(t, x.w.odds.stale) {
		if old.Version == 0 {
			return table.Item{}, table.ErrNotFound
		}
		return old, nil
	}
	it, err := x.w.remote.Get(ctx, k, consistent)
	x.w.looks(t, k)
	return it, t.saw(err)
}

// saw notes an error that is the network's own.
func (t *task) saw(err error) error {
	t.failed = t.failed || err != nil && !errors.Is(err, table.ErrNotFound) && !errors.Is(err, table.ErrConflict)
	return err
}

// Write implements table.Engine.
func (x *wire) Write(ctx context.Context, writes ...table.Write) error {
	keys := make([]table.Key, len(writes))
	for i, w := range writes {
		keys[i] = w.Item.Key
	}
	t := x.call(ctx, keys...)
	o := x.w.odds
	switch {
	case x.fails(t, o.throttled):
		return errThrottled
	case x.fault(t, o.conflict):
		return table.ErrConflict
	case x.fails(t, o.before):
		return errTimeout
	}
	before := make([]table.Item, len(keys))
	for i, k := range keys {
		it, err := x.w.base.Get(ctx, k, true)
		if err != nil && !errors.Is(err, table.ErrNotFound) {
			return err
		}
		before[i] = it
	}
	err := t.saw(x.w.remote.Write(ctx, writes...))
	if err != nil && (errors.Is(err, table.ErrConflict) || !x.stored(ctx, before[0], writes[0])) {
		return err
	}
	for i, k := range keys {
		x.w.previous[k] = before[i]
	}
	x.w.tally.Writes++
	x.w.wrote(t, writes)
	t.boundary()
	if err == nil && x.fails(t, o.after) {
		return errTimeout
	}
	return err
}

// stored tells whether a transaction of which the engine does not know the
// outcome was made: nobody else wrote meanwhile.
func (x *wire) stored(ctx context.Context, before table.Item, w table.Write) bool {
	it, err := x.w.base.Get(ctx, w.Item.Key, true)
	return err == nil && it.Version == before.Version+1 || w.Delete && before.Version > 0 && errors.Is(err, table.ErrNotFound)
}

// Query implements table.Engine.
func (x *wire) Query(ctx context.Context, q table.Query) (table.Page, error) {
	t := x.call(ctx, table.Key{PK: q.PK})
	x.w.tally.Reads++
	if x.fails(t, x.w.odds.throttled) {
		return table.Page{}, errThrottled
	}
	page, err := x.w.remote.Query(ctx, q)
	x.w.looks(t, table.Key{PK: q.PK, SK: q.Prefix})
	return page, t.saw(err)
}

// DueBefore implements table.Engine. The index lags: a key may not be there yet.
func (x *wire) DueBefore(ctx context.Context, shard, before, cursor string, limit int) ([]table.Key, string, error) {
	t := x.call(ctx)
	x.w.tally.Reads++
	if x.fails(t, x.w.odds.throttled) {
		return nil, "", errThrottled
	}
	keys, next, err := x.w.remote.DueBefore(ctx, shard, before, cursor, limit)
	err = t.saw(err)
	if len(keys) > 0 && x.fault(t, x.w.odds.stale) {
		keys = keys[:len(keys)-1]
	}
	return keys, next, err
}

// Members implements table.Engine. The index lags: a key may not be there yet.
func (x *wire) Members(ctx context.Context, group string, after table.Key, limit int) ([]table.Key, bool, error) {
	t := x.call(ctx)
	x.w.tally.Reads++
	if x.fails(t, x.w.odds.throttled) {
		return nil, false, errThrottled
	}
	keys, more, err := x.w.remote.Members(ctx, group, after, limit)
	return keys, more, t.saw(err)
}

// Sides implements table.Engine.
func (x *wire) Sides(ctx context.Context, keys []table.Key, visit func(k table.Key, side []byte) error) error {
	t := x.call(ctx, keys...)
	x.w.tally.Reads++
	if x.fails(t, x.w.odds.throttled) {
		return errThrottled
	}
	x.w.looks(t, keys...)
	return t.saw(x.w.remote.Sides(ctx, keys, visit))
}

// Scan implements table.Engine.
func (x *wire) Scan(ctx context.Context, cursor string, limit int) (table.Page, error) {
	x.call(ctx)
	return x.w.remote.Scan(ctx, cursor, limit)
}

// Segment implements table.Engine.
func (x *wire) Segment(ctx context.Context, s table.Segment, cursor string, limit int) (table.Page, error) {
	x.call(ctx)
	return x.w.remote.Segment(ctx, s, cursor, limit)
}
