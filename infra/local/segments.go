package local

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	segments "regulars/functions/segment"
	"regulars/shared/refresh"
	"regulars/shared/table"
)

// Refresh is a segment run on this machine: all of its steps, so many shards
// at once. What is done already is not done again.
type Refresh struct {
	Steps    segments.Steps
	Workers  int
	Progress func(stage string, done, of int64) // called by several at once; nil: nobody looks
}

// Writers is for Steps on an embedded table, which makes one commit of as many
// writes as wait for it.
const Writers = 256

// Run does all steps of a run that are left.
func (r *Refresh) Run(ctx context.Context, run segments.Run) (*refresh.Result, error) {
	return r.Steps.Run(ctx, run, func(ctx context.Context, stage string, do func(ctx context.Context, shard int) error) error {
		w := WhatIf{Workers: r.Workers, Progress: r.Progress}
		var done atomic.Int64
		return w.each(ctx, func(yield func(func() error, error) bool) {
			for shard := range refresh.Shards {
				if !yield(func() error {
					err := do(ctx, shard)
					w.tell(stage, done.Add(1), refresh.Shards)
					return err
				}, nil) {
					return
				}
			}
		})
	})
}

// refreshes are the segment runs of a host, beside its requests. One that a
// restart cuts short goes on with the next start.
type refreshes struct {
	Refresh
	dir   Dir
	ctx   context.Context // ends with the host
	stop  context.CancelFunc
	group sync.WaitGroup

	turn    sync.Mutex // one at a time: requests go on meanwhile
	mu      sync.Mutex
	running map[segments.Run]chan struct{} // closed when it has ended
}

func newRefreshes(store *table.Store, dir Dir, now func() time.Time, id func() string) *refreshes {
	r := &refreshes{
		Refresh: Refresh{Steps: segments.Steps{Store: store, Files: dir, Now: now, ID: id, Writers: Writers}, Workers: max(1, runtime.NumCPU()/2)},
		dir:     dir, running: map[segments.Run]chan struct{}{},
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

// resume goes on with what had begun before.
func (r *refreshes) resume() error {
	begun, err := filepath.Glob(r.dir.path(r.Steps.Work(segments.Run{Program: "*", ID: "*"}).Of))
	for _, path := range begun {
		if err := r.start(r.ctx, filepath.Base(filepath.Dir(path)), filepath.Base(path)); err != nil {
			return err
		}
	}
	return err
}

func (r *refreshes) close() error {
	r.stop()
	r.group.Wait()
	return nil
}

// start is segments.Handler.Start.
func (r *refreshes) start(_ context.Context, program, id string) error {
	r.begin(segments.Run{Program: program, ID: id})
	return nil
}

// begin runs beside, and answers what is closed when the run has ended.
func (r *refreshes) begin(run segments.Run) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ended := r.running[run]; ended != nil {
		return ended
	}
	ended := make(chan struct{})
	if r.ctx.Err() != nil {
		close(ended)
		return ended
	}
	r.running[run] = ended
	r.group.Go(func() {
		defer close(ended)
		r.turn.Lock()
		defer r.turn.Unlock()
		if err := r.run(run); err != nil && r.ctx.Err() == nil {
			if !errors.Is(err, segments.ErrOvertaken) {
				slog.Error("segment run failed", "run", run.ID, "error", err)
			}
			if err := r.Steps.Fail(r.ctx, run, segments.Why(err)); err != nil {
				slog.Error("segment run not ended", "run", run.ID, "error", err)
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.running, run)
	})
	return ended
}

// run does what is left of a run that has not ended, and forgets its files.
func (r *refreshes) run(run segments.Run) error {
	of := r.dir.path(r.Steps.Work(run).Of)
	open, err := r.Steps.Open(r.ctx, run)
	if err == nil && open {
		_, err = r.Run(r.ctx, run)
	}
	if r.ctx.Err() != nil {
		return err
	}
	return errors.Join(err, os.RemoveAll(of))
}

// schedule begins a run of every program, waits, and answers what they came to.
func (r *refreshes) schedule(ctx context.Context) (map[string]any, error) {
	begun, err := r.Steps.Begin(ctx)
	if err != nil {
		return nil, err
	}
	for _, run := range begun {
		select {
		case <-r.begin(run):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	shapes, err := r.Steps.Shapes(ctx, begun)
	return map[string]any{"runs": shapes}, err
}
