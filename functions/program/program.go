// Package program answers the routes about the program document and the API
// itself: reading and publishing rules, the API's description, health, and
// whatever no route answers.
package program

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/strict"
	"regulars/shared/table"
	"regulars/shared/web"
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
	doc, err := program.Parse(v.Doc)
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
	raw, err := toJSON(r.Header.Get("Content-Type"), r.Body)
	if err != nil {
		return web.Answer{}, err
	}
	doc, want, err := program.ParseVersioned(raw)
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

// maxDocument is how large a program document may be: it is stored as one
// item and read in one go.
const maxDocument = 64 << 10

// toJSON reads a document that may be written in YAML. JSON is YAML too, but
// is left as it is: its own reader is the stricter one.
func toJSON(contentType string, body []byte) ([]byte, error) {
	if len(body) > maxDocument {
		return nil, &loyalty.Error{Kind: loyalty.TooLarge, Code: "body_too_large", Detail: "a program document may have at most 64 KiB", Details: map[string]any{"most": maxDocument}}
	}
	text := strings.TrimSpace(string(body))
	if !strings.Contains(contentType, "yaml") && (strings.Contains(contentType, "json") || strings.HasPrefix(text, "{")) {
		return body, nil
	}
	if nesting(text) > strict.MaxDepth {
		return nil, loyalty.Malformed("/", "", fmt.Sprintf("nested deeper than %d", strict.MaxDepth))
	}
	file, err := parser.ParseBytes(body, 0)
	if err != nil {
		return nil, loyalty.Malformed("/", "", "is neither JSON nor YAML: "+firstLine(yaml.FormatError(err, false, false)))
	}
	for _, doc := range file.Docs {
		var aliases aliasFinder
		if doc.Body != nil {
			ast.Walk(&aliases, doc.Body)
		}
		if aliases.found {
			return nil, loyalty.Malformed("/", "", "YAML anchors and aliases are not read: write the value where it belongs")
		}
	}
	if len(file.Docs) > 1 {
		return nil, loyalty.Malformed("/", "", "more than one YAML document")
	}
	raw, err := yaml.YAMLToJSON(body)
	if err != nil {
		return nil, loyalty.Malformed("/", "", "is not YAML: "+firstLine(yaml.FormatError(err, false, false)))
	}
	return raw, nil
}

// nesting is how deep a YAML text nests by brackets or by dashes on one line,
// quotes aside: its parser takes time with the square of that before it refuses.
func nesting(text string) (most int) {
	depth := 0
	for _, c := range []byte(text) {
		switch c {
		case '[', '{':
			depth++
			most = max(most, depth)
		case ']', '}':
			depth--
		}
	}
	for line := range strings.Lines(text) {
		rest := strings.TrimLeft(line, "-? \t")
		most = max(most, len(strings.Fields(line[:len(line)-len(rest)])))
	}
	return most
}

type aliasFinder struct{ found bool }

// Visit implements ast.Visitor.
func (f *aliasFinder) Visit(n ast.Node) ast.Visitor {
	switch n.Type() {
	case ast.AnchorType, ast.AliasType, ast.MergeKeyType:
		f.found = true
		return nil
	}
	return f
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
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
