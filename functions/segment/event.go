package segments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"regulars/shared/loyalty"
)

// Event is one step of a run, as the state machine asks for it.
type Event struct {
	Run
	Step  string          `json:"step"`            // begin (runs of all programs), plan, read, merge, refine, score, finish or fail
	Shard int             `json:"shard,omitempty"` // of read, refine and score
	Error json.RawMessage `json:"error,omitempty"` // why it fails
}

// Did is what a step answers. More says to refine every shard and merge again.
type Did struct {
	More      bool  `json:"more"`
	Overtaken bool  `json:"overtaken"`      // a later run has begun: this one has ended and said so
	Runs      []Run `json:"runs,omitempty"` // that begin wrote
}

// Do does a step. Doing it again changes nothing. A run that is overtaken by a
// later one ends as failed, and says so; nobody has to look at that, so it is
// no error here.
func (s *Steps) Do(ctx context.Context, e Event) (d Did, err error) {
	switch e.Step {
	case "begin":
		d.Runs, err = s.Begin(ctx)
	case "plan":
		err = s.Plan(ctx, e.Run)
	case "read":
		err = s.Read(ctx, e.Run, e.Shard)
	case "merge":
		d.More, err = s.Merge(ctx, e.Run)
	case "refine":
		err = s.Refine(ctx, e.Run, e.Shard)
	case "score":
		err = s.Score(ctx, e.Run, e.Shard)
	case "finish":
		_, err = s.Finish(ctx, e.Run)
	case "fail":
		slog.ErrorContext(ctx, "segment run failed", "run", e.ID, "error", string(e.Error))
		err = s.Fail(ctx, e.Run, Why(nil))
	default:
		err = fmt.Errorf("there is no step %q", e.Step)
	}
	if errors.Is(err, ErrOvertaken) {
		d.Overtaken, err = true, s.Fail(ctx, e.Run, Why(err))
	}
	return d, err
}

// Why a run failed, for those who ask.
func Why(err error) string {
	var refused *loyalty.Error
	switch {
	case errors.Is(err, ErrOvertaken):
		return "a later run began before this one ended"
	case errors.As(err, &refused):
		return refused.Detail
	}
	return "something went wrong here; it has been logged"
}
