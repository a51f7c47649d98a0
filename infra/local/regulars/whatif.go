package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"regulars/infra/local"
	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/program/when"
	"regulars/shared/simulation"
	"regulars/shared/table"
	"regulars/shared/yaml"
)

// asked is what the command was asked.
type asked struct {
	program, base, history, out string
	workers                     int
	redeemed, until             string
	reach                       int
}

// whatif plays a draft over recorded history and leaves its report as JSON and
// as a page to look at.
func whatif(ctx context.Context, c local.Config, args []string, out, progress io.Writer) error {
	var a asked
	flags := flag.NewFlagSet("whatif", flag.ContinueOnError)
	flags.StringVar(&a.program, "program", "", "the draft, YAML or JSON as PUT /v1/program takes it")
	flags.StringVar(&a.base, "base", "", "what it is compared with; else the program in force, or with -history the default one")
	flags.StringVar(&a.history, "history", "", "orders, a body of POST /v1/orders per line; else those of the table")
	flags.StringVar(&a.out, "out", "whatif", "directory for the report")
	flags.IntVar(&a.workers, "workers", runtime.NumCPU(), "how many work at once; the report does not depend on it")
	flags.StringVar(&a.redeemed, "redemption", simulation.DefaultRedeemed, "which part of points people spend, 0 to 1")
	flags.IntVar(&a.reach, "reach", simulation.DefaultReach, "months within which the median member should have a reward")
	flags.StringVar(&a.until, "until", "", "the end of history, RFC 3339; else the newest order of the file, or now")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || a.program == "" {
		return errors.Join(err, errors.New("usage: regulars whatif -program draft.yaml [-base current.yaml] [-history orders.ndjson] [-out DIR]; -h lists the rest"))
	}
	debug.SetGCPercent(400) // little is alive at a time: room is cheaper than collecting it
	report, err := a.answer(ctx, c, progress)
	if err != nil {
		return explained(err)
	}
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	page, err := picture(report)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(a.out, 0o755); err != nil {
		return err
	}
	for name, body := range map[string][]byte{"report.json": append(raw, '\n'), "report.html": page} {
		if err := os.WriteFile(filepath.Join(a.out, name), body, 0o644); err != nil {
			return err
		}
	}
	summary(out, report)
	fmt.Fprintf(out, "\nThe pictures are in %s, every figure in %s.\n", filepath.Join(a.out, "report.html"), filepath.Join(a.out, "report.json"))
	fmt.Fprintf(out, "Publish the draft with: curl -X PUT $API/v1/program -H \"$KEY\" -H 'Content-Type: application/yaml' --data-binary @%s\n", a.program)
	return nil
}

// answer asks the question and plays it.
func (a *asked) answer(ctx context.Context, c local.Config, progress io.Writer) (simulation.Report, error) {
	q := &simulation.Question{Reach: a.reach}
	var err error
	if q.Draft, err = terms(a.program); err != nil {
		return simulation.Report{}, err
	}
	if q.Redeemed, err = part(a.redeemed); err != nil {
		return simulation.Report{}, err
	}
	if a.reach < 1 || a.reach > 120 {
		return simulation.Report{}, loyalty.Malformed("-reach", fmt.Sprint(a.reach), "must be from 1 to 120 months")
	}
	if a.until != "" {
		if q.Until, err = time.Parse(time.RFC3339, a.until); err != nil {
			return simulation.Report{}, loyalty.Malformed("-until", a.until, "is not a time such as 2026-03-15T08:00:00Z")
		}
	}
	scratch, err := os.MkdirTemp("", "regulars-whatif-")
	if err != nil {
		return simulation.Report{}, err
	}
	defer os.RemoveAll(scratch)
	bar := &bar{out: progress}
	w := local.WhatIf{Work: simulation.Work{Files: local.Dir(scratch), Of: "run"}, Workers: a.workers, Progress: bar.show}
	defer bar.end()
	var all *simulation.Partial
	if a.history != "" {
		all, err = a.ofFile(ctx, &w, q)
	} else {
		all, err = a.ofTable(ctx, c, &w, q)
	}
	if err != nil {
		return simulation.Report{}, err
	}
	return q.Report(all)
}

// ofFile plays the orders of a file.
func (a *asked) ofFile(ctx context.Context, w *local.WhatIf, q *simulation.Question) (all *simulation.Partial, err error) {
	if a.base == "" {
		q.Base, err = defaults()
	} else {
		q.Base, err = terms(a.base)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(a.history)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var newest atomic.Int64
	return w.Run(ctx, parts(f, &newest), info.Size(), func() (*simulation.Question, error) {
		if q.Until.IsZero() {
			q.Until = time.Unix(newest.Load(), 0)
		}
		return q, nil
	})
}

// partBytes is how much of a file one worker reads at a time.
const partBytes = 16 << 20

// parts cuts a history file at its lines, and notes the newest order.
func parts(f io.Reader, newest *atomic.Int64) iter.Seq2[local.Part, error] {
	return func(yield func(local.Part, error) bool) {
		in := bufio.NewReaderSize(f, 1<<20)
		for line := 1; ; {
			part := make([]byte, partBytes)
			n, err := io.ReadFull(in, part)
			part = part[:n]
			if err == nil { // up to the end of the line
				var rest []byte
				rest, err = in.ReadBytes('\n')
				part = append(part, rest...)
			}
			last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
			if err != nil && !last {
				yield(local.Part{}, err)
				return
			}
			if len(part) > 0 && !yield(local.Part{Size: int64(len(part)), Orders: noting(simulation.Lines(part, line), newest)}, nil) || last {
				return
			}
			line += bytes.Count(part, []byte("\n"))
		}
	}
}

// noting notes the newest time of any order.
func noting(orders iter.Seq2[simulation.Purchase, error], newest *atomic.Int64) iter.Seq2[simulation.Purchase, error] {
	return func(yield func(simulation.Purchase, error) bool) {
		var most int64
		for p, err := range orders {
			for _, at := range []time.Time{p.Order.PlacedAt, p.Order.PaidAt, p.Order.FulfilledAt} {
				if !at.IsZero() {
					most = max(most, at.Unix())
				}
			}
			if !yield(p, err) {
				return
			}
		}
		for had := newest.Load(); had < most && !newest.CompareAndSwap(had, most); had = newest.Load() {
		}
	}
}

// ofTable plays the orders of this machine's table against its program.
func (a *asked) ofTable(ctx context.Context, c local.Config, w *local.WhatIf, q *simulation.Question) (*simulation.Partial, error) {
	engine, _, err := local.Table(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%w; while `make run` has it open, ask POST /v1/simulations", err)
	}
	if file, ok := engine.(io.Closer); ok {
		defer file.Close()
	}
	store := table.NewStore(engine)
	if a.base != "" {
		q.Base, err = terms(a.base)
	} else {
		err = store.View(ctx, local.Program, func(tx *table.Tx) (err error) { q.Base, err = tx.Terms(); return err })
	}
	if err != nil {
		return nil, err
	}
	if q.Until.IsZero() {
		q.Until = time.Now().Truncate(time.Second)
	}
	return w.Run(ctx, local.Recorded(ctx, store, local.Program, nil), local.Segments, func() (*simulation.Question, error) { return q, nil })
}

// terms reads a program document from a file.
func terms(file string) (*loyalty.Terms, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	raw, err := yaml.ToJSON("", body)
	if err == nil {
		var doc program.Document
		if doc, _, err = program.ParseVersioned(raw, when.Compiler{}); err == nil {
			return doc.Compile(1, when.Compiler{})
		}
	}
	return nil, fmt.Errorf("%s: %w", file, err)
}

func defaults() (*loyalty.Terms, error) {
	doc, err := program.Parse([]byte("{}"), nil)
	if err != nil {
		return nil, err
	}
	return doc.Compile(1, when.Compiler{})
}

var share = regexp.MustCompile(`^(0(\.\d{1,9})?|1(\.0{1,9})?)$`)

func part(s string) (*big.Rat, error) {
	if !share.MatchString(s) {
		return nil, loyalty.Malformed("-redemption", s, "must be a decimal from 0 to 1, such as 0.8")
	}
	x, _ := new(big.Rat).SetString(s)
	return x, nil
}

// explained adds to a refusal where, what and why, for people.
func explained(err error) error {
	var e *loyalty.Error
	if !errors.As(err, &e) || e.Details["nearest"] == nil {
		return err
	}
	return fmt.Errorf("%w (did you mean %v?)", err, e.Details["nearest"])
}
