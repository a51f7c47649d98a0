// Package program answers the routes about the program document and the API
// itself: reading and publishing rules, the API's description, health, and
// whatever no route answers.
package program

import (
	"context"
	"encoding/json"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/table"
	"regulars/shared/web"
	"regulars/shared/yaml"
)

// Handler serves the routes of the function.
type Handler struct {
	Gate *web.Gate
}

// Routes of the function. Default answers what no route does.
func (h *Handler) Routes() web.Routes {
	return web.Routes{
		"GET /v1/program":          h.Gate.Handle(h.get, web.Server),
		"PUT /v1/program":          h.Gate.Handle(h.put, web.Admin),
		"GET /v1/program/versions": h.Gate.Handle(h.versions, web.Server),
		"GET /v1/program/terms":    h.Gate.Handle(h.terms, web.Server, web.Members),
		"GET /openapi.json":        h.Gate.Handle(openapi),
		"GET /healthz":             h.Gate.Handle(h.health),
		"/":                        h.Gate.Handle(nowhere),
	}
}

// Shape is a published program: the document, defaults filled in, and its
// version. Sent back changed, it is refused if another version came between.
type Shape struct {
	Version int64 `json:"version"`
	program.Document
}

// Listed is a program in the list of versions.
type Listed struct {
	PublishedAt time.Time `json:"published_at"`
	Shape
}

func shape(v *table.Version) (Shape, error) {
	doc, err := program.Parse(v.Doc, nil)
	return Shape{v.Number, doc}, err
}

func (h *Handler) get(ctx context.Context, r *web.Request) (web.Answer, error) {
	var out web.Answer
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		v, err := tx.CurrentVersion()
		if err != nil {
			return err
		}
		out.Body, err = shape(v)
		return err
	})
	return out, err
}

func (h *Handler) put(ctx context.Context, r *web.Request) (web.Answer, error) {
	raw, err := yaml.ToJSON(r.Header.Get("Content-Type"), r.Body)
	if err != nil {
		return web.Answer{}, err
	}
	doc, want, err := program.ParseVersioned(raw, h.Gate.Store.Expressions)
	if err != nil {
		return web.Answer{}, err
	}
	full, err := json.Marshal(doc)
	if err != nil {
		return web.Answer{}, err
	}
	if want == 0 {
		if want, err = r.IfMatch(); err != nil {
			return web.Answer{}, err
		}
	}
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		if want != 0 {
			v, err := tx.CurrentVersion()
			if err != nil {
				return web.Answer{}, err
			}
			if v.Number != want {
				return web.Answer{}, &loyalty.Error{Kind: loyalty.Conflict, Code: "version_conflict", Detail: "another version was published since you read the program", Details: map[string]any{"version": v.Number}}
			}
		}
		v, err := tx.Publish(doc, full, h.Gate.Clock())
		if err != nil {
			return web.Answer{}, err
		}
		return web.Answer{Body: Shape{v.Number, doc}}, nil
	})
}

func (h *Handler) versions(ctx context.Context, r *web.Request) (web.Answer, error) {
	limit, err := r.Limit()
	if err != nil {
		return web.Answer{}, err
	}
	from, err := r.After()
	if err != nil {
		return web.Answer{}, err
	}
	page := web.Page[Listed]{Data: []Listed{}}
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		newest, err := tx.CurrentVersion()
		if err != nil {
			return err
		}
		n := newest.Number
		if from > 0 {
			n = min(n, from)
		}
		for ; n > 0; n-- {
			if len(page.Data) == limit {
				page.HasMore, page.NextCursor = true, web.Cursor(n)
				return nil
			}
			v, err := tx.Version(n)
			if err != nil {
				return err
			}
			s, err := shape(v)
			if err != nil {
				return err
			}
			page.Data = append(page.Data, Listed{web.Instant(v.At), s})
		}
		return nil
	})
	return web.Answer{Body: page}, err
}

func (h *Handler) health(context.Context, *web.Request) (web.Answer, error) {
	return web.Answer{Body: map[string]string{"status": "ok"}}, nil
}

func nowhere(_ context.Context, r *web.Request) (web.Answer, error) {
	return web.Answer{}, web.Nowhere(r.Request)
}

func openapi(context.Context, *web.Request) (web.Answer, error) {
	return web.Answer{Body: json.RawMessage(description)}, nil
}
