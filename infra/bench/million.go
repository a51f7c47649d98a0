package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	segments "regulars/functions/segment"
	"regulars/infra/local"
	"regulars/shared/refresh"
	"regulars/shared/table"
	"regulars/shared/table/embedded"
)

// refreshTable makes an embedded table of so many members, nearly all of them in
// their segments as a run before has left them, and refreshes it as a host does.
func refreshTable(ctx context.Context, w, progress io.Writer, members int) error {
	dir, err := os.MkdirTemp("", "regulars-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "table.db")
	engine, err := embedded.Open(path)
	if err != nil {
		return err
	}
	defer engine.Close()
	t := sheet{{"step", "seconds", "CPU seconds", "MB at most", "accounts written"}}
	timed := func(what string, do func() (any, error)) error {
		peak, begin, cpu := highest(), time.Now(), computed()
		written, err := do()
		fmt.Fprintln(progress)
		t.row(what, time.Since(begin).Seconds(), (computed() - cpu).Seconds(), peak()>>20, written)
		return err
	}
	last := ""
	var mu sync.Mutex
	show := func(stage string, done, of int64) {
		mu.Lock()
		defer mu.Unlock()
		if line := fmt.Sprintf("%s %3d %%", stage, 100*done/of); line != last {
			fmt.Fprintf(progress, "\r%-20s", line)
			last = line
		}
	}
	c := crowd{members: members}
	show("making members", 0, 1)
	if err := c.settle(ctx); err != nil {
		return err
	}
	if err := timed("members written", func() (any, error) {
		return members, fill(ctx, engine, c, 64, func(done int) { show("members", int64(done), int64(members)) })
	}); err != nil {
		return err
	}
	r := local.Refresh{
		Steps: segments.Steps{
			Store: table.NewStore(engine), Files: local.Dir(filepath.Join(dir, "files")), Now: time.Now, Writers: local.Writers,
		},
		Workers: max(1, runtime.NumCPU()/2), Progress: show,
	}
	took := sheet{{"read", "merge", "of it fit", "refine", "score"}}
	if err := timed("refresh", func() (any, error) {
		result, err := refreshOnce(ctx, &r)
		if err != nil {
			return "", err
		}
		if result.Members != int64(members) || result.Writes != int64(c.astray) {
			return "", fmt.Errorf("%d members of %d were looked at, %d of %d changed", result.Members, members, result.Writes, c.astray)
		}
		seconds := func(stage string) float64 { return float64(result.Took[stage]) / 1000 }
		took.row(seconds("read"), seconds("merge"), seconds("fit"), seconds("refine"), seconds("score"))
		return result.Writes, nil
	}); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	t.print(w, fmt.Sprintf("A refresh of %d members in the embedded table, %d shards at once; its file has %d MB", members, r.Workers, info.Size()>>20))
	took.print(w, "Seconds of its stages, of all shards together")
	return nil
}

// refreshOnce begins a run as of the crowd's day, and does all of it.
func refreshOnce(ctx context.Context, r *local.Refresh) (*refresh.Result, error) {
	begin := r.Steps
	begin.Now = func() time.Time { return time.Unix(crowdDay*86400, 0) }
	run, err := begin.BeginOne(ctx, local.Program, "RUN")
	if err != nil {
		return nil, err
	}
	return r.Run(ctx, run)
}

// fill writes the accounts of a crowd in large transactions, some at once.
func fill(ctx context.Context, engine table.Engine, c crowd, atOnce int, progress func(done int)) error {
	var batch []table.Write
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	free := make(chan struct{}, atOnce)
	flush := func() {
		writes := batch
		batch = nil
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			if err := engine.Write(ctx, writes...); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = err
			}
		})
	}
	done := 0
	err := c.items(ctx, func(it table.Item) error {
		if batch = append(batch, table.Write{Item: it}); len(batch) == table.MaxWrites {
			flush()
		}
		if done++; done%1000 == 0 {
			progress(done)
		}
		return nil
	})
	if len(batch) > 0 {
		flush()
	}
	group.Wait()
	if err == nil {
		err = failed
	}
	return err
}
