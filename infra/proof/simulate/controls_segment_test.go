package main

import (
	"context"
	"slices"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// What systems of this kind get wrong about segments.

// segmentKinds is a world in which members buy and runs look at them.
var segmentKinds = []Kind{
	newOrder, changedOrder, enrolMember, mergeMembers, erasePerson, defineSegment, previewSegment, readSegment,
	{"segment run", 4, askRefresh.Draw},
	{"segment schedule", 4, beginRefreshes.Draw},
}

// scoring tells whether a step of a run is under way that writes accounts.
func scoring(ctx context.Context) bool {
	t, ok := ctx.Value(taskKey{}).(*task)
	return ok && t.m.refresh != nil && t.m.refresh.name == "score"
}

// changed alters what an account says of itself and what stands beside it.
func changed(it table.Item, f func(*loyalty.Account)) table.Item {
	a, err := table.Decode[loyalty.Account](it)
	if err != nil {
		return it
	}
	f(a)
	it.Side = a.Side()
	return it
}

// sticky leaves members in the segments that a run takes them out of.
type sticky struct{ table.Engine }

func (e *sticky) Write(ctx context.Context, writes ...table.Write) error {
	for i, w := range writes {
		if !scoring(ctx) || w.Item.SK != "ACCOUNT" {
			continue
		}
		it, err := e.Engine.Get(ctx, w.Item.Key, true)
		if err != nil {
			return err
		}
		was, err := table.Decode[loyalty.Account](it)
		if err != nil {
			return err
		}
		writes[i].Item = changed(w.Item, func(a *loyalty.Account) {
			for _, s := range was.Segments {
				if !slices.Contains(a.Segments, s) {
					a.Segments = append(a.Segments, s)
				}
			}
		})
	}
	return e.Engine.Write(ctx, writes...)
}

// bygone lets a run decide about members as they were when it read them.
type bygone struct {
	table.Engine
	sides map[table.Key][]byte
}

func (e *bygone) Sides(ctx context.Context, keys []table.Key, visit func(table.Key, []byte) error) error {
	return e.Engine.Sides(ctx, keys, func(k table.Key, side []byte) error {
		e.sides[k] = slices.Clone(side)
		return visit(k, side)
	})
}

func (e *bygone) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	if side, read := e.sides[k]; read && err == nil && scoring(ctx) {
		it.Side = slices.Clone(side)
	}
	return it, err
}

// obstinate lets a run go on that was overtaken.
type obstinate struct{ table.Engine }

func (e *obstinate) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	if t, ok := ctx.Value(taskKey{}).(*task); ok && k.SK == "NEWEST" && t.m.refresh != nil && t.m.refresh.run != nil {
		return change(it, err, func(id *string) { *id = t.m.refresh.run.id })
	}
	return it, err
}

// hasty writes accounts that a run put elsewhere without the number of the change.
type hasty struct{ table.Engine }

func (e *hasty) Write(ctx context.Context, writes ...table.Write) error {
	for i, w := range writes {
		if scoring(ctx) && w.Item.SK == "ACCOUNT" {
			writes[i].Item = changed(w.Item, func(a *loyalty.Account) { a.SegmentSeq-- })
		}
	}
	return e.Engine.Write(ctx, writes...)
}

// unaware finds no segments that the program defines.
type unaware struct{ table.Engine }

func (e *unaware) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := e.Engine.Query(ctx, q)
	if strings.HasPrefix(q.Prefix, "DEFINED#") {
		page.Items = nil
	}
	return page, err
}

// absent does not see some of the members of a group.
type absent struct{ table.Engine }

func (e *absent) Members(ctx context.Context, group string, after table.Key, limit int) ([]table.Key, bool, error) {
	keys, more, err := e.Engine.Members(ctx, group, after, limit)
	return keys[:min(len(keys), 1)], more, err
}

// muffled announces no segment that is left.
type muffled struct{ table.Feed }

func (f *muffled) Changes(ctx context.Context, after string, limit int) ([]table.Change, string, error) {
	changes, next, err := f.Feed.Changes(ctx, after, limit)
	for i, c := range changes {
		if c.SK != "ACCOUNT" || c.Old.Version == 0 || c.New.Version == 0 {
			continue
		}
		old, err := table.Decode[loyalty.Account](c.Old)
		if err != nil {
			return nil, "", err
		}
		now, err := table.Decode[loyalty.Account](c.New)
		if err != nil {
			return nil, "", err
		}
		changes[i].Old = changed(c.Old, func(a *loyalty.Account) {
			a.Segments = slices.DeleteFunc(slices.Clone(old.Segments), func(s string) bool { return !slices.Contains(now.Segments, s) })
		})
	}
	return changes, next, err
}
