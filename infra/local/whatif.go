package local

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"regulars/shared/simulation"
	"regulars/shared/table"
)

// WhatIf is a simulation on this machine: a history, split and played by so
// many workers at once. Its answer does not depend on their number.
type WhatIf struct {
	Work     simulation.Work
	Workers  int
	Progress func(stage string, done, of int64) // called by several at once; nil: nobody looks
}

// Part is a part of a history, to be read by one worker. Size is for the
// progress only.
type Part struct {
	Size   int64
	Orders iter.Seq2[simulation.Purchase, error]
}

// Run splits the parts, whose sizes sum to total, plays all shards and merges.
// q is asked for when the history has been split: what it asks may depend on
// what was read.
func (w *WhatIf) Run(ctx context.Context, parts iter.Seq2[Part, error], total int64, q func() (*simulation.Question, error)) (*simulation.Partial, error) {
	var read atomic.Int64
	n := 0
	err := w.each(ctx, func(yield func(func() error, error) bool) {
		for part, err := range parts {
			name := fmt.Sprintf("%08d", n)
			n++
			if !yield(func() error {
				_, err := w.Work.Split(ctx, name, part.Orders)
				w.tell("reading", read.Add(part.Size), total)
				return err
			}, err) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	question, err := q()
	if err != nil {
		return nil, err
	}
	var played atomic.Int64
	err = w.each(ctx, func(yield func(func() error, error) bool) {
		for shard := range simulation.Shards {
			if !yield(func() error {
				err := w.Work.Play(ctx, question, shard)
				w.tell("playing", played.Add(1), simulation.Shards)
				return err
			}, nil) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return w.Work.Merge(ctx)
}

func (w *WhatIf) tell(stage string, done, of int64) {
	if w.Progress != nil {
		w.Progress(stage, done, of)
	}
}

// each does all of the work, by as many workers as there are, and stops soon
// after something failed.
func (w *WhatIf) each(ctx context.Context, work iter.Seq2[func() error, error]) error {
	var group sync.WaitGroup
	var failed atomic.Bool
	var mu sync.Mutex
	var failures []error
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		failed.Store(true)
		failures = append(failures, err)
	}
	free := make(chan struct{}, max(1, w.Workers))
	for do, err := range work {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			fail(err)
		}
		if failed.Load() {
			break
		}
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			if err := do(); err != nil {
				fail(err)
			}
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

// Segments is how many parts the orders of a table are read in.
const Segments = 16

// Recorded are the orders of a program's table, in Segments parts of size 1;
// of these members only, where any are named.
func Recorded(ctx context.Context, store *table.Store, program string, members []string) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		for n := range Segments {
			if !yield(Part{Size: 1, Orders: simulation.Told(store.OrdersOf(ctx, program, n, Segments), members)}, nil) {
				return
			}
		}
	}
}
