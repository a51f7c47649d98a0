package segments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/refresh"
	"regulars/shared/segment"
	"regulars/shared/table"
)

// Run names a run, in the events of its steps too.
type Run struct {
	Program string `json:"program"`
	ID      string `json:"id"` // without prefix
}

// Steps are what a run consists of: Plan; Read for every shard; Merge, and as
// long as that asks for more Refine for every shard and Merge again; Score for
// every shard; Finish; and Fail when one of them fails for good. Each can be
// done again. A run that began later overtakes this one: then a step answers
// ErrOvertaken, and nothing is decided by it any more.
type Steps struct {
	Store *table.Store
	Files refresh.Files
	Now   func() time.Time // to tell how long steps took, and when a run ended
	ID    func() string    // of a run that Begin makes: new, unique, sortable

	// Writers is how many accounts of a shard are written at once; 0: one. Each
	// waits for the table some milliseconds, and computes for a part of one.
	Writers int
}

// ErrOvertaken is of a run that goes on after a later one began.
var ErrOvertaken = errors.New("a later run has begun")

// work is where a run keeps its files.
func work(files refresh.Files, r Run) refresh.Work {
	return refresh.Work{Files: files, Of: "segments/" + r.Program + "/" + r.ID, ShardOf: table.GroupOf, Percentile: table.Percentile}
}

// Work is where a run keeps its files.
func (s *Steps) Work(r Run) refresh.Work {
	w := work(s.Files, r)
	w.Now, w.Writers = s.Now, s.Writers
	return w
}

// begin writes a new run of an instant.
func begin(tx *table.Tx, id string, now time.Time) error {
	return tx.BeginSegmentRun(&table.SegmentRun{ID: id, At: now.Unix(), Stage: table.Running})
}

// Begin writes a new run for every program, as a schedule wants it.
func (s *Steps) Begin(ctx context.Context) ([]Run, error) {
	programs, err := s.Store.Programs(ctx)
	if err != nil {
		return nil, err
	}
	var runs []Run
	for _, p := range programs {
		r, err := s.BeginOne(ctx, p, s.ID())
		if err != nil {
			return runs, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// BeginOne writes a new run of one program.
func (s *Steps) BeginOne(ctx context.Context, program, id string) (Run, error) {
	return Run{program, id}, s.Store.Update(ctx, program, func(tx *table.Tx) error { return begin(tx, id, s.Now()) })
}

// Open tells whether a run has not ended.
func (s *Steps) Open(ctx context.Context, r Run) (open bool, err error) {
	err = s.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		x, err := tx.SegmentRun(r.ID)
		open = err == nil && x.Stage == table.Running
		return err
	})
	return open, err
}

// Shapes are runs as the API shows them.
func (s *Steps) Shapes(ctx context.Context, runs []Run) ([]Shape, error) {
	out := []Shape{}
	for _, r := range runs {
		if err := s.Store.View(ctx, r.Program, func(tx *table.Tx) error {
			x, err := tx.SegmentRun(r.ID)
			if err == nil {
				out = append(out, shape(x))
			}
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Plan keeps what the run goes by: the program's zone and currency, the
// segments that it defines, the last good models.
func (s *Steps) Plan(ctx context.Context, r Run) error {
	return s.Work(r).Keep(ctx, func() (*refresh.Plan, error) {
		var p *refresh.Plan
		err := s.Store.View(ctx, r.Program, func(tx *table.Tx) (err error) { p, err = plan(tx, r.ID); return err })
		return p, err
	})
}

func plan(tx *table.Tx, id string) (*refresh.Plan, error) {
	x, err := tx.SegmentRun(id)
	if err != nil {
		return nil, err
	}
	t, err := tx.Terms()
	if err != nil {
		return nil, err
	}
	p := &refresh.Plan{
		At: x.At, Today: int32(loyalty.DayOf(time.Unix(x.At, 0), t.Zone)), Currency: t.Currency,
		Rules: segment.DefaultRules(), Yearly: refresh.DefaultYearly, Depth: 1, Decay: "0",
	}
	if r := t.Referral; r != nil {
		p.Depth, p.Decay = r.Network.Depth, r.Network.Decay.RatString()
	}
	v, percent, err := tx.RolledOut()
	if err != nil {
		return nil, err
	}
	if v != nil {
		p.Rollout = &refresh.Rollout{Version: v.Number, Percent: percent, Since: int32(loyalty.DayOf(time.Unix(v.At, 0), t.Zone))}
	}
	if p.Defined, err = defined(tx); err != nil {
		return nil, err
	}
	c, err := cuts(tx)
	if c != nil {
		p.Good = c.Models
	}
	return p, err
}

// defined are the segments that the program defines itself.
func defined(tx *table.Tx) ([]refresh.Definition, error) {
	all, err := tx.DefinedSegments()
	if err != nil {
		return nil, err
	}
	out := make([]refresh.Definition, len(all))
	for i, raw := range all {
		if err := json.Unmarshal(raw, &out[i]); err != nil {
			return nil, fmt.Errorf("a segment that was kept: %w", err)
		}
	}
	return out, nil
}

// cuts are those of the newest finished run, nil before there is one.
func cuts(tx *table.Tx) (*refresh.Cuts, error) {
	kept, err := tx.Cuts()
	if kept == nil || err != nil {
		return nil, err
	}
	c := &refresh.Cuts{}
	if err := json.Unmarshal(kept.JSON, c); err != nil {
		return nil, fmt.Errorf("the cuts of run %s: %w", kept.Run, err)
	}
	return c, nil
}

// Read reads the members of one shard.
func (s *Steps) Read(ctx context.Context, r Run, shard int) error {
	return s.Work(r).Read(ctx, shard, func(attributes bool, visit func(string, []byte, map[string]string) error) error {
		return s.Store.Sides(ctx, r.Program, shard, attributes, visit)
	})
}

// Merge takes the run further, and tells whether to refine once more.
func (s *Steps) Merge(ctx context.Context, r Run) (more bool, err error) {
	if err := s.ahead(ctx, r); err != nil {
		return false, err
	}
	return s.Work(r).Merge(ctx)
}

// Refine looks at one shard once more.
func (s *Steps) Refine(ctx context.Context, r Run, shard int) error {
	return s.Work(r).Refine(ctx, shard)
}

// Score decides about the members of one shard, and writes who changed.
func (s *Steps) Score(ctx context.Context, r Run, shard int) error {
	return s.Work(r).Score(ctx, shard, func(member string, attributes bool, judge func(*loyalty.Account, map[string]string) (bool, error)) error {
		return s.Store.Update(ctx, r.Program, func(tx *table.Tx) error {
			if err := newest(tx, r); err != nil {
				return err
			}
			a, err := tx.Account(member)
			if err != nil {
				return err
			}
			var told map[string]string
			if attributes {
				if told, err = tx.Attributes(member); err != nil {
					return err
				}
			}
			write, err := judge(a, told)
			if err != nil || !write {
				return err
			}
			return tx.PutAccount(a)
		})
	})
}

// newest tells whether no later run has begun.
func newest(tx *table.Tx, r Run) error {
	id, err := tx.NewestSegmentRun()
	if err == nil && id != r.ID {
		err = ErrOvertaken
	}
	return err
}

func (s *Steps) ahead(ctx context.Context, r Run) error {
	return s.Store.View(ctx, r.Program, func(tx *table.Tx) error { return newest(tx, r) })
}

// Finish ends a run with its result. From then on its cuts are the program's,
// unless a later run has ended before.
func (s *Steps) Finish(ctx context.Context, r Run) (*refresh.Result, error) {
	if err := s.ahead(ctx, r); err != nil { // not all shards of one that is overtaken are scored
		return nil, err
	}
	result, found, err := s.Work(r).Finish(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	kept, err := json.Marshal(found)
	if err != nil {
		return nil, err
	}
	return result, s.Store.Update(ctx, r.Program, func(tx *table.Tx) error {
		x, err := tx.SegmentRun(r.ID)
		if err != nil || x.Stage != table.Running {
			return err
		}
		if err := newest(tx, r); err != nil {
			return err
		}
		if _, err := tx.Cuts(); err != nil {
			return err
		}
		x.Stage, x.Result, x.Ended = table.Done, raw, s.Now().Unix()
		tx.PutSegmentRun(x)
		tx.PutCuts(&table.Cuts{Run: r.ID, At: x.At, JSON: kept})
		return nil
	})
}

// Fail ends a run without a result. A run that has ended stays as it is.
func (s *Steps) Fail(ctx context.Context, r Run, why string) error {
	return s.Store.Update(ctx, r.Program, func(tx *table.Tx) error {
		x, err := tx.SegmentRun(r.ID)
		if err != nil || x.Stage != table.Running {
			return err
		}
		x.Stage, x.Reason, x.Ended = table.Failed, why, s.Now().Unix()
		tx.PutSegmentRun(x)
		return nil
	})
}

// Each does a stage's step for every shard, some at once or one after the other.
type Each func(ctx context.Context, stage string, do func(ctx context.Context, shard int) error) error

// Run does all steps of a run that are not done yet.
func (s *Steps) Run(ctx context.Context, r Run, each Each) (*refresh.Result, error) {
	of := func(stage string, step func(context.Context, Run, int) error) error {
		return each(ctx, stage, func(ctx context.Context, shard int) error { return step(ctx, r, shard) })
	}
	if err := s.Plan(ctx, r); err != nil {
		return nil, err
	}
	if err := of("read", s.Read); err != nil {
		return nil, err
	}
	for {
		more, err := s.Merge(ctx, r)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if err := of("refine", s.Refine); err != nil {
			return nil, err
		}
	}
	if err := of("score", s.Score); err != nil {
		return nil, err
	}
	return s.Finish(ctx, r)
}
