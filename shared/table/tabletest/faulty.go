package tabletest

import (
	"context"
	"errors"

	"regulars/shared/table"
)

// Fault is what goes wrong with one Write.
type Fault int

// The faults. Lost applies the write and loses the answer; Failed does not
// apply it, and the caller cannot know.
const (
	None Fault = iota
	Conflict
	Lost
	Failed
)

// What a Faulty engine's Write answers for Lost and for Failed.
var (
	ErrLost   = errors.New("tabletest: written, but the answer was lost")
	ErrFailed = errors.New("tabletest: not written")
)

// Faulty is engine with the fault that rule names for each call of Write.
func Faulty(engine table.Engine, rule func(writes []table.Write) Fault) table.Engine {
	return faulty{engine, rule}
}

type faulty struct {
	table.Engine
	rule func([]table.Write) Fault
}

func (f faulty) Write(ctx context.Context, writes ...table.Write) error {
	switch f.rule(writes) {
	case Conflict:
		return table.ErrConflict
	case Failed:
		return ErrFailed
	case Lost:
		if err := f.Engine.Write(ctx, writes...); err != nil {
			return err
		}
		return ErrLost
	default:
		return f.Engine.Write(ctx, writes...)
	}
}
