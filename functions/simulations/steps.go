package simulations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/simulation"
	"regulars/shared/table"
)

// Run names a run, in the events of its steps too.
type Run struct {
	Program string `json:"program"`
	ID      string `json:"id"`
}

// Steps are what a run consists of: Partition for every part of history, then
// Play for every shard, then Merge, and Fail when one of them fails for good.
// Each can be done again.
type Steps struct {
	Store *table.Store
	Files simulation.Files
}

// work is where a run keeps its files.
func work(files simulation.Files, program, id string) simulation.Work {
	return simulation.Work{Files: files, Of: "simulations/" + program + "/" + id}
}

// Work is where a run keeps its files.
func (s *Steps) Work(r Run) simulation.Work { return work(s.Files, r.Program, r.ID) }

// Partition splits one part of history, of the members that are asked about.
func (s *Steps) Partition(ctx context.Context, r Run, name string, records iter.Seq2[*loyalty.Record, error]) (int64, error) {
	asked, err := s.asked(ctx, r)
	if err != nil {
		return 0, err
	}
	return s.Work(r).Split(ctx, name, simulation.Told(records, asked.Members))
}

// Play plays one shard.
func (s *Steps) Play(ctx context.Context, r Run, shard int) error {
	_, q, err := s.Question(ctx, r)
	if err != nil {
		return err
	}
	return s.Work(r).Play(ctx, q, shard)
}

// Merge writes the report. One that is there already stays.
func (s *Steps) Merge(ctx context.Context, r Run) error {
	_, q, err := s.Question(ctx, r)
	if err != nil {
		return err
	}
	all, err := s.Work(r).Merge(ctx)
	if err != nil {
		return err
	}
	return s.Answer(ctx, r, q, all)
}

// Answer ends a run with its report, or with why there can be none.
func (s *Steps) Answer(ctx context.Context, r Run, q *simulation.Question, all *simulation.Partial) error {
	report, err := q.Report(all)
	var refused *loyalty.Error
	if errors.As(err, &refused) {
		return s.Fail(ctx, r, refused.Detail)
	}
	if err != nil {
		return err
	}
	raw, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return s.end(ctx, r, func(x *table.Simulation) { x.Stage, x.Report = table.Done, raw })
}

// Fail ends a run without a report. A run that has ended stays as it is.
func (s *Steps) Fail(ctx context.Context, r Run, why string) error {
	return s.end(ctx, r, func(x *table.Simulation) { x.Stage, x.Reason = table.Failed, why })
}

func (s *Steps) end(ctx context.Context, r Run, how func(*table.Simulation)) error {
	return s.Store.Update(ctx, r.Program, func(tx *table.Tx) error {
		x, err := tx.Simulation(r.ID)
		if err != nil || x.Stage != table.Running {
			return err
		}
		how(x)
		tx.PutSimulation(x)
		return nil
	})
}

func (s *Steps) asked(ctx context.Context, r Run) (x *table.Simulation, err error) {
	err = s.Store.View(ctx, r.Program, func(tx *table.Tx) error { x, err = tx.Simulation(r.ID); return err })
	return x, err
}

// Question is what a run was asked, ready to be played.
func (s *Steps) Question(ctx context.Context, r Run) (x *table.Simulation, q *simulation.Question, err error) {
	err = s.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		if x, err = tx.Simulation(r.ID); err != nil {
			return err
		}
		q = &simulation.Question{Until: time.Unix(x.Until, 0), Redeemed: ratio(x.Redeemed), Reach: x.Reach}
		q.Base, err = tx.TermsOf(x.Base)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	draft, err := program.Parse(x.Draft, s.Store.Expressions)
	if err == nil {
		q.Draft, err = draft.Compile(x.Base+1, s.Store.Expressions)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("kept draft of simulation %s: %w", r.ID, err)
	}
	return x, q, nil
}
