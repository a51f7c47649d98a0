// Package announce turns changes of the table into events on the bus. It
// decides nothing: what happened is read from the item before and after the
// change, and an event's id is derived from its cause, so a change that is
// announced twice has the same id twice.
package announce

import (
	"context"
	"fmt"

	"regulars/events"
	"regulars/shared/table"
)

// Bus takes events. Put answers for each event whether it was taken, in their
// order; an error means that nothing is known of any.
type Bus interface {
	Put(ctx context.Context, batch []events.Event) (taken []bool, err error)
}

// BatchSize is how many events EventBridge takes in one PutEvents call.
const BatchSize = 10

// Handler announces changes.
type Handler struct{ Bus Bus }

// Announce announces changes in their order and answers how many of them,
// from the first on, are announced whole. With fewer than all there is an
// error, and the rest has to be given again.
func (h *Handler) Announce(ctx context.Context, changes []table.Change) (int, error) {
	var batch []events.Event
	var from []int // which change each event is of
	for i, c := range changes {
		facts, err := Facts(c)
		if err != nil {
			if done, err := h.put(ctx, batch, from); err != nil {
				return done, err
			}
			return i, err
		}
		for _, f := range facts {
			batch, from = append(batch, f), append(from, i)
		}
	}
	if done, err := h.put(ctx, batch, from); err != nil {
		return done, err
	}
	return len(changes), nil
}

// attempts is how often events are put that the bus refused while it took
// others: one change may be of many events, all of which have to be taken
// before the next change can be announced.
const attempts = 3

// put sends events and answers the change of the first that was not taken.
func (h *Handler) put(ctx context.Context, batch []events.Event, from []int) (int, error) {
	for len(batch) > 0 {
		n := min(BatchSize, len(batch))
		left, of := batch[:n], from[:n]
		for range attempts {
			taken, err := h.Bus.Put(ctx, left)
			if err != nil {
				return of[0], fmt.Errorf("put events: %w", err)
			}
			var refused []events.Event
			var where []int
			for i, e := range left {
				if i >= len(taken) || !taken[i] {
					refused, where = append(refused, e), append(where, of[i])
				}
			}
			if left, of = refused, where; len(left) == 0 {
				break
			}
		}
		if len(left) > 0 {
			return of[0], fmt.Errorf("the bus did not take event %s of type %s", left[0].ID, left[0].Type)
		}
		batch, from = batch[n:], from[n:]
	}
	return 0, nil
}
