// Package refresh says of every member of a program which groups she is in: a
// run in steps over files, each of which can be done again after a crash and
// then gives the same.
//
//	Read     every shard: members become rows of a file, and what is summed of them a part
//	Merge    the parts become one state; while a rank is not exact:
//	Refine   every shard: its rows are counted once more, where the state asks; then Merge again
//	Score    every shard: the groups of each row; who is in others than before is decided anew and written
//	Finish   the parts of scoring become the result
//
// It computes with package segment, and reads what package loyalty keeps of a
// member. It knows neither table nor HTTP nor clock: where members come from
// and how one is written the caller says.
//
// Not here: reports over the result, what a member's own answer shows beyond
// Of (state.go), and what an order changes at once (package orders).
package refresh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"regulars/shared/segment"
)

// Files keeps what is between the steps of a run: a bucket or a directory.
// Putting again under a name replaces; nothing is read while it is written.
type Files interface {
	Put(ctx context.Context, name string, body []byte) error
	Get(ctx context.Context, name string) ([]byte, error)
	List(ctx context.Context, prefix string) ([]string, error) // all names that begin so
}

// Shards is how many parts the members of a program are read in.
const Shards = 64

// Work is one run.
type Work struct {
	Files      Files
	Of         string                    // begins the names of the run's files
	ShardOf    func(member string) int   // in which shard a member is read
	Percentile func(member string) int64 // 0 to 99: a version that is rolled out to so many percent is for those under it
	Writers    int                       // how many changes of a shard are decided at once; 0: one
	Now        func() time.Time          // to tell how long a step took; nil: it is not told
}

// Plan is what a run goes by. It is made once, and all steps keep to it.
type Plan struct {
	At       int64         `json:"at"`    // the instant that all figures are of, unix seconds
	Today    int32         `json:"today"` // local day since 1970
	Currency string        `json:"currency"`
	Rules    segment.Rules `json:"rules"`
	Yearly   float64       `json:"yearly"` // what a value in a year is discounted by
	Depth    int64         `json:"depth"`  // generations of friends that count
	Decay    string        `json:"decay"`  // of each generation, a ratio such as 1/2
	Good     Models        `json:"good"`   // the last models that converged; none if there were none
	Defined  []Definition  `json:"defined,omitempty"`
	Rollout  *Rollout      `json:"rollout,omitempty"`
}

// Rollout is a version of the program that is for a part of the members.
type Rollout struct {
	Version int64 `json:"version"`
	Percent int64 `json:"percent"`
	Since   int32 `json:"since"` // local day of its publication
}

// DefaultYearly is the discount rate where nothing else is said.
const DefaultYearly = 0.1

// HoldoutMonths is how many whole months, and this one, a model is not shown
// to see what it would have forecast for them.
const HoldoutMonths = 3

// decay is the plan's, 0 for none.
func (p *Plan) decay() *big.Rat {
	r, ok := new(big.Rat).SetString(p.Decay)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// month is the plan's, counted as loyalty.MonthOf does (year·12 + month).
func (p *Plan) month() int64 { return int64(segment.Month(p.Today)) + monthZero }

// monthZero is January 1970 by that count.
const monthZero = 12*1970 + 1

// civil is the date of a local day.
func civil(day int32) (int, time.Month, int) { return time.Unix(int64(day)*86400, 0).UTC().Date() }

// firstDay of a month.
func firstDay(month int64) int64 {
	return time.Date(1970, time.Month(month-monthZero+1), 1, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

func (w Work) plan() string            { return w.Of + "/plan.json" }
func (w Work) rows(shard int) string   { return fmt.Sprintf("%s/rows/%02d", w.Of, shard) }
func (w Work) parts() string           { return w.Of + "/parts/" }
func (w Work) states() string          { return w.Of + "/states/" }
func (w Work) fine(pass int) string    { return fmt.Sprintf("%s/fine%02d/", w.Of, pass) }
func (w Work) network() string         { return w.Of + "/network/" }
func (w Work) outlooks() string        { return w.Of + "/outlooks" }
func (w Work) scores() string          { return w.Of + "/scores/" }
func name(prefix string, n int) string { return fmt.Sprintf("%s%02d", prefix, n) }

// Keep keeps the plan that make makes, unless there is one already.
func (w Work) Keep(ctx context.Context, make func() (*Plan, error)) error {
	there, err := w.has(ctx, w.Of+"/", w.plan())
	if there || err != nil {
		return err
	}
	p, err := make()
	if err != nil {
		return err
	}
	return w.put(ctx, w.plan(), p)
}

// Plan that was kept.
func (w Work) Plan(ctx context.Context) (*Plan, error) {
	p := &Plan{}
	return p, w.get(ctx, w.plan(), p)
}

func (w Work) has(ctx context.Context, prefix, name string) (bool, error) {
	names, err := w.Files.List(ctx, prefix)
	for _, n := range names {
		if n == name {
			return true, err
		}
	}
	return false, err
}

// Progress is how many shards of a stage are done.
type Progress struct {
	Stage string // read, refine or score
	Done  int
}

// Progress of the run, by the files that are there.
func (w Work) Progress(ctx context.Context) (Progress, error) {
	s, err := w.state(ctx)
	if err != nil {
		return Progress{}, err
	}
	p, prefix := Progress{Stage: "read"}, w.parts()
	switch {
	case s != nil && s.Done:
		p.Stage, prefix = "score", w.scores()
	case s != nil:
		p.Stage, prefix = "refine", w.fine(s.Pass)
	}
	names, err := w.Files.List(ctx, prefix)
	p.Done = len(names)
	return p, err
}

// put and get keep a value as JSON.
func (w Work) put(ctx context.Context, name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.Files.Put(ctx, name, raw)
}

func (w Work) get(ctx context.Context, name string, v any) error {
	raw, err := w.Files.Get(ctx, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s does not hold what was written: %w", name, err)
	}
	return nil
}

// all calls read with the file of each shard, and fails while one is missing.
func (w Work) all(ctx context.Context, prefix string, read func(shard int, raw []byte) error) error {
	for shard := range Shards {
		raw, err := w.Files.Get(ctx, name(prefix, shard))
		if err != nil {
			return err
		}
		if err := read(shard, raw); err != nil {
			return fmt.Errorf("%s does not hold what was written: %w", name(prefix, shard), err)
		}
	}
	return nil
}

var errShort = errors.New("refresh: a file that ends early")
