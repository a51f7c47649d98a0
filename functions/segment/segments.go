// Package segments keeps every member in the segments that she belongs to: a
// run looks at all members (steps.go; package refresh computes), routes start
// one and show what it found, and which segments there are.
//
// Not here: who is in a segment, member by member (functions/members), and
// what an order changes at once (package orders).
package segments

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/refresh"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Handler serves the routes of the function.
type Handler struct {
	Gate  *web.Gate
	Files refresh.Files                                       // where runs keep their parts; nil: there are no runs
	Start func(ctx context.Context, program, id string) error // starts a run; again is no harm. ErrEnded when it ended before
}

// ErrEnded is what Start answers for a run that has ended, well or badly.
var ErrEnded = errors.New("the run has ended")

// Routes of the function.
func (h *Handler) Routes() web.Routes {
	return web.Routes{
		"POST /v1/segment-runs":     h.Gate.Handle(h.post, web.Admin),
		"GET /v1/segment-runs":      h.Gate.Handle(h.list, web.Server),
		"GET /v1/segment-runs/{id}": h.Gate.Handle(h.get, web.Server),
		"GET /v1/segments":          h.Gate.Handle(h.segments, web.Server),
		"GET /v1/segments/{id}":     h.Gate.Handle(h.segment, web.Server),
		"PUT /v1/segments/{id}":     h.Gate.Handle(h.define, web.Admin),
		"POST /v1/segments/preview": h.Gate.Handle(h.preview, web.Admin),
	}
}

// Shape is a run as the API shows it.
type Shape struct {
	ID       string          `json:"id"`
	Status   table.Stage     `json:"status"`
	At       *time.Time      `json:"at,omitempty"` // the instant that its figures are of
	EndedAt  *time.Time      `json:"ended_at,omitempty"`
	Progress *Progress       `json:"progress,omitempty"` // while it runs
	Reason   string          `json:"reason,omitempty"`   // why it failed
	Result   json.RawMessage `json:"result,omitempty"`
}

// Progress is how far a run is: read, refine or score, and how many of the
// shards of that are done.
type Progress struct {
	Stage string `json:"stage"`
	Done  int    `json:"done"`
	Of    int    `json:"of"`
}

func shape(r *table.SegmentRun) Shape {
	at := web.Instant(r.At)
	s := Shape{ID: "seg_" + r.ID, Status: r.Stage, At: &at, Reason: r.Reason, Result: r.Result}
	if r.Ended > 0 {
		ended := web.Instant(r.Ended)
		s.EndedAt = &ended
	}
	return s
}

func (h *Handler) post(ctx context.Context, r *web.Request) (web.Answer, error) {
	if err := r.Decode(&struct{}{}); err != nil {
		return web.Answer{}, err
	}
	now, id := h.Gate.Clock(), ""
	a, err := h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		id = h.Gate.ID()
		return web.Answer{Status: http.StatusAccepted, Body: Shape{ID: "seg_" + id, Status: table.Running}}, begin(tx, id, now)
	})
	if err == nil && id != "" {
		if err := h.start(ctx, r.Program, id); err != nil { // who asks for it starts it
			slog.ErrorContext(ctx, "segment run not started yet", "run", id, "error", err)
		}
	}
	return a, err
}

func (h *Handler) start(ctx context.Context, program, id string) error {
	if h.Start == nil {
		return nil
	}
	return h.Start(ctx, program, id)
}

func (h *Handler) list(ctx context.Context, r *web.Request) (web.Answer, error) {
	limit, err := r.Limit()
	if err != nil {
		return web.Answer{}, err
	}
	after := ""
	if c := r.URL.Query().Get("cursor"); c != "" {
		var ok bool
		if after, ok = loyalty.OwnID("seg_", c); !ok {
			return web.Answer{}, loyalty.Malformed("cursor", c, "is not a cursor that this list gave")
		}
	}
	page := web.Page[Shape]{Data: []Shape{}}
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		runs, next, err := tx.SegmentRuns(after, limit)
		for _, x := range runs {
			page.Data = append(page.Data, shape(x))
		}
		if page.HasMore = next != ""; page.HasMore {
			page.NextCursor = "seg_" + next
		}
		return err
	})
	return web.Answer{Body: page}, err
}

func (h *Handler) get(ctx context.Context, r *web.Request) (web.Answer, error) {
	id, err := r.PathID("id", "seg_", "segment run")
	if err != nil {
		return web.Answer{}, err
	}
	x, err := h.read(ctx, r.Program, id)
	if err != nil {
		return web.Answer{}, err
	}
	var progress *Progress
	if x.Stage == table.Running && h.Files != nil {
		p, err := work(h.Files, Run{r.Program, id}).Progress(ctx)
		if err != nil {
			return web.Answer{}, err
		}
		progress = &Progress{p.Stage, p.Done, refresh.Shards}
		// A start that was lost is made up for, and a run that ended without
		// a word is not waited for.
		err = h.start(ctx, r.Program, id)
		if errors.Is(err, ErrEnded) {
			steps := Steps{Store: h.Gate.Store, Now: h.Gate.Clock}
			if err = steps.Fail(ctx, Run{r.Program, id}, "the run ended without a result"); err == nil {
				x, err = h.read(ctx, r.Program, id)
			}
		}
		if err != nil {
			return web.Answer{}, err
		}
	}
	out := shape(x)
	if out.Status == table.Running {
		out.Progress = progress
	}
	return web.Answer{Body: out}, nil
}

func (h *Handler) read(ctx context.Context, program, id string) (x *table.SegmentRun, err error) {
	err = h.Gate.Store.View(ctx, program, func(tx *table.Tx) error { x, err = tx.SegmentRun(id); return err })
	return x, err
}
