// Package table is the single table: its keys, its items, its access
// patterns, over the small contract of an Engine. It retries conflicts and
// decides nothing about points; it knows nothing of HTTP. README.md lists
// every access pattern with what it costs.
package table

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

// Store is the table as the functions see it.
type Store struct {
	Engine Engine
	Pause  func(ctx context.Context, most time.Duration) error // waits at most that long after a conflict; nil: a random while

	Expressions program.Expressions // compiles the rules' `when`; nil for functions that value nothing

	terms sync.Map // program#version -> *loyalty.Terms; versions never change
	turns [64]chan struct{}
}

// NewStore makes a store on an engine.
func NewStore(e Engine) *Store {
	s := &Store{Engine: e}
	for i := range s.turns {
		s.turns[i] = make(chan struct{}, 1)
	}
	return s
}

// Tx is one decision: what it reads, then what it writes, all or nothing.
// Every item that is written must have been read, and is written only if it
// is still as it was read.
type Tx struct {
	ctx        context.Context
	store      *Store
	program    string
	consistent bool
	items      map[Key]*row
	order      []Key                    // of writing
	accounts   map[Key]*loyalty.Account // as put
	oneMoment  bool
}

type row struct {
	old   Item // Version 0: absent
	write *Write
}

// Update runs decide and writes what it asked for in one transaction. When
// another write came between, decide runs again on fresh reads, until ctx
// ends; so decide must have no effect but through tx. The first run may read
// data a little old, which is cheaper and safe, since the write is
// conditional. No condition guards what writes nothing, a refusal above all:
// it is decided again on fresh reads until two runs have read the same.
func (s *Store) Update(ctx context.Context, program string, decide func(*Tx) error) error {
	waited := false
	var before *Tx
	for attempt := 0; ; attempt++ {
		tx := &Tx{ctx: ctx, store: s, program: program, consistent: attempt > 0, items: map[Key]*row{}, accounts: map[Key]*loyalty.Account{}}
		err := decide(tx)
		var refused *loyalty.Error
		unguarded := err == nil && tx.idle() || errors.As(err, &refused)
		if unguarded && !tx.sawTheSame(before) || err != nil && !tx.consistent {
			before = tx
			continue
		}
		if err == nil {
			err = tx.commit()
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if err := s.pause(ctx, attempt); err != nil {
			return fmt.Errorf("after %d conflicts: %w", attempt+1, err)
		}
		if !waited && len(tx.order) > 0 {
			done, err := s.turn(ctx, tx.order[len(tx.order)-1])
			if err != nil {
				return fmt.Errorf("waiting for a turn: %w", err)
			}
			defer done()
			waited = true
		}
	}
}

// turn makes those of this process that have met a conflict on an item wait
// for each other instead of racing again. Other processes are raced against.
func (s *Store) turn(ctx context.Context, k Key) (done func(), err error) {
	h := fnv.New32a()
	h.Write([]byte(k.PK))
	c := s.turns[h.Sum32()%uint32(len(s.turns))]
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// View runs read on fresh reads and writes nothing. It runs it again, until
// two runs have read the same, where it asks for that with OneMoment: what it
// answers with has to begin anew each time.
func (s *Store) View(ctx context.Context, program string, read func(*Tx) error) error {
	var before *Tx
	for {
		tx := &Tx{ctx: ctx, store: s, program: program, consistent: true, items: map[Key]*row{}, accounts: map[Key]*loyalty.Account{}}
		if err := read(tx); err != nil || !tx.oneMoment || tx.sawTheSame(before) {
			return err
		}
		before = tx
	}
}

// Program is the id of the program that the decision is in.
func (tx *Tx) Program() string { return tx.program }

// OneMoment is for an answer that is made of several items which change
// together: without it some may be of before a change and others of after it.
func (tx *Tx) OneMoment() { tx.oneMoment = true }

// pause waits a random while that grows with the attempts (full jitter, as in
// "Exponential Backoff And Jitter", AWS Architecture Blog 2015).
func (s *Store) pause(ctx context.Context, attempt int) error {
	most := min(2*time.Millisecond<<min(attempt, 9), time.Second)
	if s.Pause != nil {
		return s.Pause(ctx, most)
	}
	select {
	case <-time.After(rand.N(most)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// idle tells whether nothing but receipts would be written: then no condition
// guards what was read.
func (tx *Tx) idle() bool {
	for _, k := range tx.order {
		if k.SK != "RECEIPT" {
			return false
		}
	}
	return true
}

// sawTheSame tells whether the run before read all that this one read, in the
// same versions: then all of it was so at one moment, when that run ended.
// Otherwise one item may have been read before a change and another after it.
func (tx *Tx) sawTheSame(before *Tx) bool {
	for k, r := range tx.items {
		if before == nil || before.items[k] == nil || before.items[k].old.Version != r.old.Version {
			return false
		}
	}
	return true
}

func (tx *Tx) commit() error {
	writes := make([]Write, 0, len(tx.order))
	for _, k := range tx.order {
		writes = append(writes, *tx.items[k].write)
	}
	if len(writes) == 0 {
		return nil
	}
	return tx.store.Engine.Write(tx.ctx, writes...)
}

// item reads an item once; absent is a row with version 0.
func (tx *Tx) item(k Key) (*row, error) { return tx.read(k, tx.consistent) }

func (tx *Tx) read(k Key, consistent bool) (*row, error) {
	if r, ok := tx.items[k]; ok {
		return r, nil
	}
	it, err := tx.store.Engine.Get(tx.ctx, k, consistent)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("get %s: %w", k.SK, err)
	}
	r := &row{old: it}
	tx.items[k] = r
	return r, nil
}

// get reads and decodes an item, as this transaction leaves it; nil when there is none.
func get[T any](tx *Tx, k Key) (*T, error) {
	r, err := tx.item(k)
	if err != nil {
		return nil, err
	}
	it := r.old
	if r.write != nil {
		it = r.write.Item
	}
	if it.Version == 0 || r.write != nil && r.write.Delete {
		return nil, nil
	}
	return Decode[T](it)
}

// Fresh is for a decision about an account that it reads and does not write:
// it makes Update run it again, on fresh reads, if these may be a little old.
func (tx *Tx) Fresh() error {
	if !tx.consistent {
		return ErrConflict
	}
	return nil
}

// fresh is get for what decides and is not written: no condition would find
// out that it was read a little old.
func fresh[T any](tx *Tx, k Key) (*T, error) {
	if _, err := tx.read(k, true); err != nil {
		return nil, err
	}
	return get[T](tx, k)
}

// put writes an item that was read in this transaction.
func (tx *Tx) put(k Key, body []byte, set ...func(*Item)) {
	r := tx.items[k]
	if r == nil { // a key that is new by construction
		r = &row{}
		tx.items[k] = r
	}
	it := Item{Key: k, Version: r.old.Version + 1, Body: body, Due: r.old.Due}
	for _, f := range set {
		f(&it)
	}
	tx.enlist(k, Write{Item: it})
}

// remove deletes an item that was read in this transaction.
func (tx *Tx) remove(k Key) {
	if r := tx.items[k]; r != nil && r.old.Version > 0 {
		tx.enlist(k, Write{Item: r.old, Delete: true})
	}
}

func (tx *Tx) enlist(k Key, w Write) {
	r := tx.items[k]
	if r.write == nil {
		tx.order = append(tx.order, k)
	}
	r.write = &w
}
