package local

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"regulars/functions/simulations"
	"regulars/shared/simulation"
	"regulars/shared/table"
)

// runs are the simulations of a host, beside its requests. One that a restart
// cuts short begins anew with the next start: its directory says that it had
// begun.
type runs struct {
	steps simulations.Steps
	dir   Dir
	ctx   context.Context // ends with the host
	stop  context.CancelFunc
	group sync.WaitGroup

	turn    sync.Mutex // one at a time: requests go on meanwhile
	mu      sync.Mutex
	running map[simulations.Run]bool
}

func newRuns(store *table.Store, dir Dir) *runs {
	r := &runs{steps: simulations.Steps{Store: store, Files: dir}, dir: dir, running: map[simulations.Run]bool{}}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

// resume starts what had begun before.
func (r *runs) resume() error {
	begun, err := filepath.Glob(r.dir.path(r.steps.Work(simulations.Run{Program: "*", ID: "*"}).Of))
	for _, path := range begun {
		program, id := filepath.Base(filepath.Dir(path)), filepath.Base(path)
		if err := r.start(r.ctx, program, id); err != nil {
			return err
		}
	}
	return err
}

func (r *runs) close() error {
	r.stop()
	r.group.Wait()
	return nil
}

// start is simulations.Handler.Start.
func (r *runs) start(_ context.Context, program, id string) error {
	run := simulations.Run{Program: program, ID: id}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[run] || r.ctx.Err() != nil {
		return nil
	}
	r.running[run] = true
	r.group.Go(func() {
		r.turn.Lock()
		defer r.turn.Unlock()
		if err := r.run(run); err != nil && r.ctx.Err() == nil {
			slog.Error("simulation failed", "simulation", id, "error", err)
			if err := r.steps.Fail(r.ctx, run, "something went wrong here; it has been logged"); err != nil {
				slog.Error("simulation not ended", "simulation", id, "error", err)
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.running, run)
	})
	return nil
}

// run does all steps of a run that has not ended, from the first on: what an
// earlier start left is of another moment.
func (r *runs) run(run simulations.Run) error {
	asked, q, err := r.steps.Question(r.ctx, run)
	if err != nil {
		return err
	}
	work := r.steps.Work(run)
	if err := os.RemoveAll(r.dir.path(work.Of)); err != nil || asked.Stage != table.Running {
		return err
	}
	if err := os.MkdirAll(r.dir.path(work.Of), 0o700); err != nil {
		return err
	}
	w := WhatIf{Work: work, Workers: max(1, runtime.NumCPU()/2)}
	all, err := w.Run(r.ctx, Recorded(r.ctx, r.steps.Store, run.Program, asked.Members), Segments, func() (*simulation.Question, error) { return q, nil })
	if err == nil {
		err = r.steps.Answer(r.ctx, run, q, all)
	}
	if r.ctx.Err() != nil {
		return err
	}
	if rest := os.RemoveAll(r.dir.path(work.Of)); err == nil {
		err = rest
	}
	return err
}
