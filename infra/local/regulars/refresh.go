package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/oklog/ulid/v2"

	segments "regulars/functions/segment"
	"regulars/infra/local"
	"regulars/shared/table"
)

// renew runs the segments of this machine's table anew, and writes what the
// run found.
func renew(ctx context.Context, c local.Config, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("refresh", flag.ContinueOnError)
	workers := flags.Int("workers", runtime.NumCPU(), "how many work at once; the result does not depend on it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	engine, _, err := local.Table(ctx, c)
	if err != nil {
		return err
	}
	if file, ok := engine.(io.Closer); ok {
		defer file.Close()
	}
	scratch, err := os.MkdirTemp("", "regulars-refresh-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	bar := &bar{out: progress}
	defer bar.end()
	r := local.Refresh{
		Steps:   segments.Steps{Store: table.NewStore(engine), Files: local.Dir(scratch), Now: time.Now, ID: func() string { return ulid.Make().String() }, Writers: local.Writers},
		Workers: *workers, Progress: bar.show,
	}
	runs, err := r.Steps.Begin(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		result, err := r.Run(ctx, run)
		if err != nil {
			return fmt.Errorf("run seg_%s: %w", run.ID, err)
		}
		raw, err := json.MarshalIndent(result, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\n", raw)
	}
	return nil
}
