// Package imports answers the routes by which history is brought in: an import
// is asked for, its file is uploaded, and how far it is can be read. The work
// itself is package importer's.
package imports

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Handler serves the routes of the function.
type Handler struct {
	Gate *web.Gate

	// Upload makes the address to which the file named program/id is sent.
	Upload func(r *http.Request, name string) (Upload, error)
}

// Upload is where a file is to be sent, and until when.
type Upload struct {
	URL       string    `json:"url"`
	Method    string    `json:"method"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Routes of the function.
func (h *Handler) Routes() web.Routes {
	return web.Routes{
		"POST /v1/imports":     h.Gate.Handle(h.ask, web.Admin),
		"GET /v1/imports/{id}": h.Gate.Handle(h.get, web.Admin),
	}
}

// Shape is an import as the API shows it.
type Shape struct {
	ID        string             `json:"id"`
	Kind      string             `json:"kind"`
	Format    string             `json:"format"`
	Source    string             `json:"source,omitempty"`
	Status    table.ImportStatus `json:"status"`
	CreatedAt time.Time          `json:"created_at"`
	Upload    *Upload            `json:"upload,omitempty"` // in the answer to the request only
	Failure   *Refusal           `json:"failure,omitempty"`
	Progress  Progress           `json:"progress"`
	Rows      Rows               `json:"rows"`
	Points    Points             `json:"points"`
	Balances  *Balances          `json:"balances,omitempty"`
	Members   int64              `json:"members_made"`
	Refused   []Refusal          `json:"refused"` // the first hundred
}

// Progress is how much of the file is done.
type Progress struct {
	Bytes int64 `json:"bytes"`
	Of    int64 `json:"of"` // 0 until the work begins
	Lines int64 `json:"lines"`
}

// Rows counts what became of the rows that were read.
type Rows struct {
	Read      int64 `json:"read"`
	Applied   int64 `json:"applied"`
	Duplicate int64 `json:"duplicate"`
	Stale     int64 `json:"stale"`
	Ignored   int64 `json:"ignored"`
	Refused   int64 `json:"refused"`
}

// Points is what the rows' orders were worth, or their balances had opened,
// before the import and after it.
type Points struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
	Delta  int64 `json:"delta"`
}

// Balances reconciles what the file states: Stated is the sum of the others.
type Balances struct {
	Stated  int64 `json:"stated"`
	Opened  int64 `json:"opened"`
	Already int64 `json:"already_opened"`
	Refused int64 `json:"refused"` // as far as the rows say how many
}

// Refusal says which row was not taken, and why.
type Refusal struct {
	Line   int64  `json:"line"`
	Code   string `json:"code"`
	Path   string `json:"path"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

func shape(j *table.Import, refused []table.Refusal) Shape {
	s := Shape{
		ID: "imp_" + j.ID, Kind: j.Kind, Format: j.Format, Source: j.Source, Status: j.Status, CreatedAt: web.Instant(j.At),
		Progress: Progress{j.Offset, j.Size, j.Line},
		Rows:     Rows{j.Rows(), j.Applied, j.Duplicate, j.Stale, j.Ignored, j.Tally.Refused},
		Points:   Points{j.Before, j.After, j.After - j.Before}, Members: j.Members, Refused: []Refusal{},
	}
	if j.Kind == "balances" {
		s.Balances = &Balances{j.Stated, s.Points.Delta, j.Before, j.Withheld}
	}
	if j.Why != nil {
		s.Failure = new(Refusal(*j.Why))
	}
	for _, r := range refused {
		s.Refused = append(s.Refused, Refusal(r))
	}
	return s
}

// Request is what is asked for.
type Request struct {
	Kind   string `json:"kind"`
	Format string `json:"format"`
	Source string `json:"source"`
}

func (q *Request) check() error {
	for _, c := range []struct {
		path, value string
		of          []string
	}{{"/kind", q.Kind, []string{"orders", "members", "balances"}}, {"/format", q.Format, []string{"ndjson", "csv"}}} {
		if !slices.Contains(c.of, c.value) {
			return loyalty.Malformed(c.path, c.value, "must be one of "+strings.Join(c.of, ", "))
		}
	}
	needed := q.Kind == "balances" || q.Kind == "orders" && q.Format == "csv"
	switch {
	case needed && q.Source == "":
		return loyalty.Malformed("/source", "", "is required: the rows do not say of which source they are")
	case q.Source != "" && !loyalty.ValidSource(q.Source):
		return loyalty.Malformed("/source", q.Source, loyalty.SourceRule)
	case q.Source != "" && !needed && q.Format == "ndjson":
		return loyalty.Malformed("/source", q.Source, "each line of NDJSON names its own source")
	}
	return nil
}

func (h *Handler) ask(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q Request
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	if err := q.check(); err != nil {
		return web.Answer{}, err
	}
	j := &table.Import{ID: h.Gate.ID(), Kind: q.Kind, Format: q.Format, Source: q.Source, At: h.Gate.Clock().Unix(), Status: table.ImportWaiting}
	to, err := h.Upload(r.Request, r.Program+"/"+j.ID)
	if err != nil {
		return web.Answer{}, err
	}
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		if _, err := tx.Terms(); err != nil {
			return web.Answer{}, err
		}
		tx.PutImport(j)
		s := shape(j, nil)
		s.Upload = &to
		return web.Answer{Status: http.StatusAccepted, Body: s}, nil
	})
}

// most is how many refused rows are told of one by one.
const most = 100

func (h *Handler) get(ctx context.Context, r *web.Request) (web.Answer, error) {
	id, err := r.PathID("id", "imp_", "import")
	if err != nil {
		return web.Answer{}, err
	}
	var out web.Answer
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		j, err := tx.Import(id)
		if err != nil {
			return err
		}
		refused, err := tx.Refusals(id, most)
		out.Body = shape(j, refused)
		return err
	})
	return out, err
}
