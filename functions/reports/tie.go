package reports

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

const (
	walkers  = 16               // partitions of the members that are read at once
	walkTime = 20 * time.Second // of the 28 that a request has
)

// tie holds what all entries come to against the sum of all members' balances,
// which a walk over them reads: half a read unit each. Where there are too many for
// one request, it says so.
func (h *Handler) tie(ctx context.Context, q *query, l *Liability) error {
	sum, err := h.balances(ctx, q.Program)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		l.Unchecked = "there are too many members to sum their balances in one request"
		return nil
	}
	if err != nil {
		return err
	}
	difference := sum - l.Counted
	ties := difference == 0
	l.Ties, l.Balances, l.Difference = &ties, &sum, &difference
	return nil
}

// balances is the sum of the balances of all members, pending points among it.
func (h *Handler) balances(ctx context.Context, program string) (int64, error) {
	ctx, stop := context.WithTimeout(ctx, walkTime)
	defer stop()
	var sum, next atomic.Int64
	failures := make(chan error, walkers)
	var group sync.WaitGroup
	for range walkers {
		group.Go(func() {
			for n := next.Add(1) - 1; n < table.MemberGroups; n = next.Add(1) - 1 {
				part, err := h.balancesOf(ctx, table.MemberGroup(program, int(n)))
				if err != nil {
					failures <- err
					stop()
					return
				}
				sum.Add(part)
			}
		})
	}
	group.Wait()
	select {
	case err := <-failures:
		if errors.Is(ctx.Err(), context.DeadlineExceeded) { // however the engine says so
			err = context.DeadlineExceeded
		}
		return 0, err
	default:
		return sum.Load(), nil
	}
}

func (h *Handler) balancesOf(ctx context.Context, group string) (sum int64, err error) {
	engine := h.Gate.Store.Engine
	for after := (table.Key{}); ; {
		keys, more, err := engine.Members(ctx, group, after, table.MaxPage)
		if err != nil {
			return 0, err
		}
		for some := range slices.Chunk(keys, table.MaxSides) {
			err := engine.Sides(ctx, some, func(_ table.Key, side []byte) error {
				s, err := loyalty.ReadSummary(side)
				sum += s.Balance
				return err
			})
			if err != nil {
				return 0, err
			}
		}
		if !more {
			return sum, nil
		}
		after = keys[len(keys)-1]
	}
}
