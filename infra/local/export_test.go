package local

import (
	"context"
	"strings"

	"regulars/shared/table"
	"regulars/shared/web"
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

// Refreshed waits until no segment run is under way.
func (h *Host) Refreshed() { h.segments.group.Wait() }

// AddKey makes another API key of the program.
func (h *Host) AddKey(ctx context.Context, key string, scope web.Scope) error {
	return h.PutKey(ctx, key, table.APIKey{Program: Program, Scope: string(scope)})
}

// PutKey makes an API key of any program, in any state.
func (h *Host) PutKey(ctx context.Context, key string, k table.APIKey) error {
	return h.store.PutAPIKey(ctx, web.HashKey(key), k)
}

// AddProgram makes another program in the same table.
func (h *Host) AddProgram(ctx context.Context, program, adminKey string, connections ...table.Connection) error {
	return Setup(ctx, h.store, Deployment{Program: program, AdminKey: adminKey, Connections: connections, Now: h.Clock.Now()})
}

// Holds tells whether any item of the table has the text in its key or body.
func (h *Host) Holds(ctx context.Context, text string) (bool, error) {
	for cursor := ""; ; {
		page, err := h.store.Engine.Scan(ctx, cursor, 500)
		if err != nil {
			return false, err
		}
		for _, it := range page.Items {
			if strings.Contains(it.PK+it.SK+string(it.Body), text) {
				return true, nil
			}
		}
		if cursor = page.Cursor; cursor == "" {
			return false, nil
		}
	}
}
