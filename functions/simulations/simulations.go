// Package simulations answers what a draft of the program would have given for
// recorded history. A request keeps the question and starts a run beside; the
// run's steps (steps.go) split, play and merge, on this machine or as a state
// machine; the report lands with the question. Package simulation plays; here
// is what is asked, kept and told.
package simulations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"regexp"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/simulation"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Handler serves the routes of the function.
type Handler struct {
	Gate  *web.Gate
	Files simulation.Files                                    // where runs keep their parts; nil: there are no runs
	Start func(ctx context.Context, program, id string) error // starts a run; again is no harm. ErrEnded when it ended before
}

// ErrEnded is what Start answers for a run that has ended, well or badly.
var ErrEnded = errors.New("the run has ended")

// Routes of the function.
func (h *Handler) Routes() web.Routes {
	return web.Routes{
		"POST /v1/simulations":     h.Gate.Handle(h.post, web.Admin),
		"GET /v1/simulations/{id}": h.Gate.Handle(h.get, web.Admin),
	}
}

// Asked is the body of a request.
type Asked struct {
	Program  jsontext.Value `json:"program"`             // the draft
	Redeemed string         `json:"expected_redemption"` // decimal, 0 to 1
	Reach    int            `json:"reach_months"`
	Until    *string        `json:"until"`   // RFC 3339, the end of history; now when left out
	Members  []string       `json:"members"` // only these; all when left out
}

// Shape is a simulation as the API shows it.
type Shape struct {
	ID        string          `json:"id"`
	Status    table.Stage     `json:"status"`
	Until     *time.Time      `json:"until,omitempty"`
	CreatedAt *time.Time      `json:"created_at,omitempty"`
	Progress  *Progress       `json:"progress,omitempty"`
	Reason    string          `json:"reason,omitempty"` // why it failed
	Report    json.RawMessage `json:"report,omitempty"`
}

// Progress is how many of a run's shards are played.
type Progress struct {
	Done int `json:"done"`
	Of   int `json:"of"`
}

const (
	mostMembers = 100
	mostMonths  = 120
)

var decimal = regexp.MustCompile(`^(0(\.\d{1,9})?|1(\.0{1,9})?)$`)

func (h *Handler) post(ctx context.Context, r *web.Request) (web.Answer, error) {
	in := Asked{Redeemed: simulation.DefaultRedeemed, Reach: simulation.DefaultReach}
	if err := r.Decode(&in); err != nil {
		return web.Answer{}, err
	}
	now := h.Gate.Clock()
	until := now
	if in.Until != nil {
		var err error
		if until, err = time.Parse(time.RFC3339, *in.Until); err != nil {
			return web.Answer{}, loyalty.Malformed("/until", *in.Until, "must be a time such as 2026-03-15T08:00:00Z")
		}
	}
	switch {
	case len(in.Program) == 0:
		return web.Answer{}, loyalty.Malformed("/program", "", "is required: the draft, as PUT /v1/program takes it")
	case !decimal.MatchString(in.Redeemed):
		return web.Answer{}, loyalty.Malformed("/expected_redemption", in.Redeemed, `must be a decimal string from 0 to 1, such as "0.8"`)
	case in.Reach < 1 || in.Reach > mostMonths:
		return web.Answer{}, loyalty.Malformed("/reach_months", fmt.Sprint(in.Reach), fmt.Sprintf("must be from 1 to %d", mostMonths))
	case until.After(now) || until.Unix() <= 0:
		return web.Answer{}, loyalty.Malformed("/until", until.Format(time.RFC3339), "must be a time of the past")
	case len(in.Members) > mostMembers:
		return web.Answer{}, loyalty.Malformed("/members", fmt.Sprint(len(in.Members)), fmt.Sprintf("at most %d", mostMembers))
	}
	draft, err := program.Parse(in.Program, h.Gate.Store.Expressions)
	if err != nil {
		return web.Answer{}, within("/program", err)
	}
	full, err := json.Marshal(draft)
	if err != nil {
		return web.Answer{}, err
	}
	id := ""
	a, err := h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		base, err := tx.MayPublish(&draft)
		if err != nil {
			return web.Answer{}, within("/program", err)
		}
		for _, m := range in.Members {
			if _, err := tx.HolderOf(m); err != nil {
				return web.Answer{}, err
			}
		}
		id = h.Gate.ID()
		tx.PutSimulation(&table.Simulation{
			ID: id, Base: base, Draft: full, Until: until.Unix(), Redeemed: in.Redeemed, Reach: in.Reach, Members: in.Members, At: now.Unix(), Stage: table.Running,
		})
		return web.Answer{Status: http.StatusAccepted, Body: Shape{ID: "sim_" + id, Status: table.Running}}, nil
	})
	if err == nil && id != "" {
		if err := h.start(ctx, r.Program, id); err != nil { // who asks for it starts it
			slog.ErrorContext(ctx, "simulation not started yet", "simulation", id, "error", err)
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

// within moves the path of a refusal to where the document stands.
func within(at string, err error) error {
	var e *loyalty.Error
	if !errors.As(err, &e) {
		return err
	}
	path, ok := e.Details["path"].(string)
	if !ok {
		return err
	}
	moved := *e
	moved.Details = map[string]any{}
	for k, v := range e.Details {
		moved.Details[k] = v
	}
	moved.Details["path"] = at + path
	if e.Detail == path+": "+fmt.Sprint(e.Details["reason"]) {
		moved.Detail = at + e.Detail
	}
	return &moved
}

func (h *Handler) get(ctx context.Context, r *web.Request) (web.Answer, error) {
	id, err := r.PathID("id", "sim_", "simulation")
	if err != nil {
		return web.Answer{}, err
	}
	s, err := h.read(ctx, r.Program, id)
	if err != nil {
		return web.Answer{}, err
	}
	out := Shape{ID: "sim_" + id, Progress: &Progress{Of: simulation.Shards}}
	if s.Stage == table.Running && h.Files != nil {
		if out.Progress.Done, err = work(h.Files, r.Program, id).Played(ctx); err != nil {
			return web.Answer{}, err
		}
		// A start that was lost is made up for, and a run that ended without
		// a word is not waited for.
		err := h.start(ctx, r.Program, id)
		if errors.Is(err, ErrEnded) {
			s, err = h.ended(ctx, r.Program, id)
		}
		if err != nil {
			return web.Answer{}, err
		}
	}
	if s.Stage == table.Done {
		out.Progress.Done = simulation.Shards
	}
	until, at := web.Instant(s.Until), web.Instant(s.At)
	out.Status, out.Until, out.CreatedAt, out.Reason, out.Report = s.Stage, &until, &at, s.Reason, s.Report
	return web.Answer{Body: out}, nil
}

func (h *Handler) read(ctx context.Context, program, id string) (s *table.Simulation, err error) {
	err = h.Gate.Store.View(ctx, program, func(tx *table.Tx) error { s, err = tx.Simulation(id); return err })
	return s, err
}

// ended reads a run that is over, and says that it failed if it has no end.
func (h *Handler) ended(ctx context.Context, program, id string) (s *table.Simulation, err error) {
	if err := (&Steps{Store: h.Gate.Store}).Fail(ctx, Run{program, id}, "the run ended without a report"); err != nil {
		return nil, err
	}
	return h.read(ctx, program, id)
}

// ratio is a decimal that was checked when it came.
func ratio(s string) *big.Rat {
	x, _ := new(big.Rat).SetString(s)
	return x
}
