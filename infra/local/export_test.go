package local

import (
	"context"

	"regulars/shared/table"
)

// Written is what was written to the table since place ("" is the beginning),
// and the place to ask from next time: how tests see that a refused request
// left nothing behind.
func (h *Host) Written(ctx context.Context, place string) (keys []table.Key, next string, err error) {
	for {
		changes, next, err := h.outbox.feed.Changes(ctx, place, 500)
		if err != nil || len(changes) == 0 {
			return keys, next, err
		}
		for _, c := range changes {
			keys = append(keys, c.Key)
		}
		place = next
	}
}
