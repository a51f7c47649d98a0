// Package memory is the table in memory, for simulations: a third engine, as
// exact as the others (it passes the same tests) and forgotten at the end.
package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"regulars/shared/table"
)

// Engine implements table.Engine and table.Feed. Every read is consistent.
type Engine struct {
	mu    sync.RWMutex
	parts map[string]map[string]table.Item // by partition key, then sort key
	due   map[string]map[table.Key]string  // by shard: when an item is due
	group map[string]map[table.Key]bool    // by group: whose members they are
	log   []table.Change                   // every change, for the feed
	keys  []table.Key                      // of all items, in order; nil after a key came or went
}

// New is an empty table.
func New() *Engine {
	return &Engine{parts: map[string]map[string]table.Item{}, due: map[string]map[table.Key]string{}, group: map[string]map[table.Key]bool{}}
}

// Get implements table.Engine.
func (e *Engine) Get(ctx context.Context, k table.Key, _ bool) (table.Item, error) {
	if err := errors.Join(ctx.Err(), k.Check()); err != nil {
		return table.Item{}, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	it, ok := e.parts[k.PK][k.SK]
	if !ok {
		return table.Item{}, table.ErrNotFound
	}
	return copied(it), nil
}

// copied has a body of its own: what a caller does to it stays with the caller.
func copied(it table.Item) table.Item {
	it.Body, it.Side = slices.Clone(it.Body), slices.Clone(it.Side)
	return it
}

// Write implements table.Engine.
func (e *Engine) Write(ctx context.Context, writes ...table.Write) error {
	if err := errors.Join(ctx.Err(), table.CheckWrites(writes)); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range writes {
		want := w.Item.Version - 1
		if w.Delete {
			want = w.Item.Version
		}
		if stored := e.parts[w.Item.PK][w.Item.SK].Version; stored != want {
			return fmt.Errorf("write %q %q: version %d, expected %d: %w", w.Item.PK, w.Item.SK, stored, want, table.ErrConflict)
		}
	}
	for _, w := range writes {
		e.apply(w)
	}
	return nil
}

func (e *Engine) apply(w table.Write) {
	k := w.Item.Key
	old, had := e.parts[k.PK][k.SK]
	change := table.Change{Key: k, Old: old}
	delete(e.due[old.Due.Shard], k)
	delete(e.group[old.Group], k)
	if had == w.Delete {
		e.keys = nil
	}
	if w.Delete {
		if delete(e.parts[k.PK], k.SK); len(e.parts[k.PK]) == 0 {
			delete(e.parts, k.PK)
		}
	} else {
		it := copied(w.Item)
		if e.parts[k.PK] == nil {
			e.parts[k.PK] = map[string]table.Item{}
		}
		e.parts[k.PK][k.SK] = it
		if it.Due != (table.Due{}) {
			if e.due[it.Due.Shard] == nil {
				e.due[it.Due.Shard] = map[table.Key]string{}
			}
			e.due[it.Due.Shard][k] = it.Due.At
		}
		if it.Group != "" {
			if e.group[it.Group] == nil {
				e.group[it.Group] = map[table.Key]bool{}
			}
			e.group[it.Group][k] = true
		}
		change.New = it
	}
	e.log = append(e.log, change)
}

// Query implements table.Engine.
func (e *Engine) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := errors.Join(ctx.Err(), q.Check()); err != nil {
		return table.Page{}, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	var sks []string
	for sk := range e.parts[q.PK] {
		if strings.HasPrefix(sk, q.Prefix) && (q.After == "" || !q.Desc && sk > q.After || q.Desc && sk < q.After) {
			sks = append(sks, sk)
		}
	}
	slices.Sort(sks)
	if q.Desc {
		slices.Reverse(sks)
	}
	var p table.Page
	size := 0
	for _, sk := range sks {
		if len(p.Items) == q.Limit || size >= table.PageBytes {
			p.Cursor = p.Items[len(p.Items)-1].SK
			break
		}
		it := copied(e.parts[q.PK][sk])
		p.Items, size = append(p.Items, it), size+len(it.Body)
	}
	return p, nil
}

// DueBefore implements table.Engine. A cursor is the place of the last key.
func (e *Engine) DueBefore(ctx context.Context, shard, before, cursor string, limit int) (keys []table.Key, next string, err error) {
	if err := errors.Join(checkCursor(cursor), ctx.Err(), table.CheckLimit(limit)); err != nil {
		return nil, "", err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	byPlace := map[string]table.Key{}
	for k, at := range e.due[shard] {
		if place := at + "\x00" + joined(k); at <= before && place > cursor {
			byPlace[place] = k
		}
	}
	places := slices.Sorted(maps.Keys(byPlace))
	for i, place := range places[:min(limit, len(places))] {
		keys = append(keys, byPlace[place])
		if i == limit-1 && len(places) > limit {
			next = place
		}
	}
	return keys, next, nil
}

// Members implements table.Engine.
func (e *Engine) Members(ctx context.Context, group string, after table.Key, limit int) (keys []table.Key, more bool, err error) {
	if err := errors.Join(ctx.Err(), table.CheckLimit(limit)); err != nil {
		return nil, false, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	for k := range e.group[group] {
		if after == (table.Key{}) || joined(k) > joined(after) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b table.Key) int { return cmp.Compare(joined(a), joined(b)) })
	return keys[:min(len(keys), limit)], len(keys) > limit, nil
}

// Sides implements table.Engine.
func (e *Engine) Sides(ctx context.Context, keys []table.Key, visit func(k table.Key, side []byte) error) error {
	if err := errors.Join(ctx.Err(), table.CheckSides(keys)); err != nil {
		return err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, k := range keys {
		if it, ok := e.parts[k.PK][k.SK]; ok {
			if err := visit(k, it.Side); err != nil {
				return err
			}
		}
	}
	return nil
}

// Scan implements table.Engine, in key order. A cursor is the last key.
func (e *Engine) Scan(ctx context.Context, cursor string, limit int) (p table.Page, err error) {
	if err := errors.Join(checkCursor(cursor), ctx.Err(), table.CheckLimit(limit)); err != nil {
		return table.Page{}, err
	}
	return e.walk(cursor, limit, func(table.Key) bool { return true }), nil
}

// Segment implements table.Engine, in key order. A cursor is the last key.
func (e *Engine) Segment(ctx context.Context, s table.Segment, cursor string, limit int) (p table.Page, err error) {
	if err := errors.Join(checkCursor(cursor), ctx.Err(), s.Check(), table.CheckLimit(limit)); err != nil {
		return table.Page{}, err
	}
	return e.walk(cursor, limit, s.Has), nil
}

func (e *Engine) walk(cursor string, limit int, has func(table.Key) bool) (p table.Page) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.keys == nil {
		for pk, part := range e.parts {
			for sk := range part {
				e.keys = append(e.keys, table.Key{PK: pk, SK: sk})
			}
		}
		slices.SortFunc(e.keys, func(a, b table.Key) int { return cmp.Compare(joined(a), joined(b)) })
	}
	first := 0
	if cursor != "" {
		first = sort.Search(len(e.keys), func(i int) bool { return joined(e.keys[i]) > cursor })
	}
	size := 0
	for _, k := range e.keys[first:] {
		if !has(k) {
			continue
		}
		if len(p.Items) == limit || size >= table.PageBytes {
			p.Cursor = joined(p.Items[len(p.Items)-1].Key)
			break
		}
		it := copied(e.parts[k.PK][k.SK])
		p.Items, size = append(p.Items, it), size+len(it.Body)
	}
	return p
}

func checkCursor(cursor string) error {
	if cursor != "" && !strings.Contains(cursor, "\x00") {
		return fmt.Errorf("memory: %q is not a cursor", cursor)
	}
	return nil
}

// joined is a key in one piece; no part has a NUL.
func joined(k table.Key) string { return k.PK + "\x00" + k.SK }

// Changes implements table.Feed; next is how many changes were told.
func (e *Engine) Changes(ctx context.Context, after string, limit int) (changes []table.Change, next string, err error) {
	told := 0
	if after != "" {
		if told, err = strconv.Atoi(after); err != nil {
			return nil, "", fmt.Errorf("memory: %q is not a place in the log", after)
		}
	}
	if err := errors.Join(ctx.Err(), table.CheckLimit(limit)); err != nil {
		return nil, "", err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	told = min(max(told, 0), len(e.log))
	changes = slices.Clone(e.log[told:min(told+limit, len(e.log))])
	return changes, strconv.Itoa(told + len(changes)), nil
}
