// Package web is the edge: requests in, answers and problem documents out. It
// limits sizes, knows who is asking, replays answers to repeated requests and
// turns errors into statuses. Nothing outside this package knows a header or
// a status, and nothing inside knows a rule about points.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/oklog/ulid/v2"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// MaxBody is how many bytes of a body are read.
const MaxBody = 1 << 20

// Request is a request that passed the gate.
type Request struct {
	*http.Request
	Caller
	Body []byte // at most MaxBody
	ID   string // of the request, also in every log line and problem

	given *reply // what was answered to this request before
}

// Decode reads the body strictly; an empty body is an empty object.
func (r *Request) Decode(v any) error {
	if len(r.Body) == 0 {
		return nil
	}
	return strict.Decode(r.Body, v)
}

// Answer is what a handler answers: a status and a value that becomes JSON,
// unless it is HTML, SVG, CSV or a Redirect. The zero Status is 200.
type Answer struct {
	Status int
	Body   any
}

// HTML is a page for people, with styles of its own and nothing else: no
// browser will run a script in it, load anything or send anything from it.
type HTML []byte

// SVG is a picture; like a page it can load and run nothing.
type SVG []byte

// CSV is a table for a spreadsheet.
type CSV []byte

// Redirect leads to an absolute address, with 302.
type Redirect string

const pictureKind = "image/svg+xml"

const pageKind = "text/html; charset=utf-8"

// policy is the Content-Security-Policy of pages.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler answers a request or returns an error. A *loyalty.Error is shown to
// the caller; any other error is logged and becomes a bare 500.
type Handler func(ctx context.Context, r *Request) (Answer, error)

// reply is an answer ready to be sent, or to be kept and sent again.
type reply struct {
	status     int
	kind       string
	body       []byte
	location   string // of a redirect
	retryAfter int    // seconds; 0: not said
	replayed   bool
}

func (a Answer) reply() (reply, error) {
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	switch b := a.Body.(type) {
	case HTML:
		return reply{status: a.Status, kind: pageKind, body: b}, nil
	case SVG:
		return reply{status: a.Status, kind: pictureKind, body: b}, nil
	case CSV:
		return reply{status: a.Status, kind: "text/csv; charset=utf-8", body: b}, nil
	case Redirect:
		return reply{status: http.StatusFound, kind: "text/plain; charset=utf-8", location: string(b)}, nil
	}
	body, err := json.Marshal(a.Body)
	if err != nil {
		return reply{}, err
	}
	return reply{status: a.Status, kind: "application/json", body: body}, nil
}

func (p reply) send(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", p.kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.location != "" {
		h.Set("Location", p.location)
		h.Set("Referrer-Policy", "no-referrer")
	}
	if p.kind == pageKind || p.kind == pictureKind {
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
	}
	if p.replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	if p.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	w.WriteHeader(p.status)
	w.Write(p.body)
}

// Problem is a problem document (RFC 9457) with our members.
type Problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Code      string         `json:"code"`
	Detail    string         `json:"detail"`
	RequestID string         `json:"request_id"`
	Details   map[string]any `json:"details,omitempty"`
}

var statuses = map[loyalty.Kind]int{
	loyalty.Invalid:      http.StatusBadRequest,
	loyalty.Refused:      http.StatusUnprocessableEntity,
	loyalty.Conflict:     http.StatusConflict,
	loyalty.Missing:      http.StatusNotFound,
	loyalty.Unauthorized: http.StatusUnauthorized,
	loyalty.Forbidden:    http.StatusForbidden,
	loyalty.TooLarge:     http.StatusRequestEntityTooLarge,
	loyalty.TooMany:      http.StatusTooManyRequests,
}

// problem turns an error into the answer for it. What is not meant for the
// caller goes to the log, and a bare 500 (503 when time ran out) goes out.
func problem(ctx context.Context, id string, err error) reply {
	var shown *loyalty.Error
	p := Problem{Type: "about:blank", RequestID: id}
	switch {
	case errors.As(err, &shown):
		p.Status, p.Code, p.Detail, p.Details = statuses[shown.Kind], shown.Code, shown.Detail, shown.Details
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		slog.ErrorContext(ctx, "out of time", "request_id", id, "error", err)
		p.Status, p.Code, p.Detail = http.StatusServiceUnavailable, "unavailable", "the request took too long; try again, with the same Idempotency-Key if you sent one"
	default:
		slog.ErrorContext(ctx, "request failed", "request_id", id, "error", err)
		p.Status, p.Code, p.Detail = http.StatusInternalServerError, "internal", "something went wrong here; it has been logged under the request_id"
	}
	p.Title = http.StatusText(p.Status)
	body, err := json.Marshal(p)
	if err != nil { // details hold plain values only
		body = []byte(`{"status":500,"code":"internal"}`)
	}
	out := reply{status: p.Status, kind: "application/problem+json", body: body}
	if after, ok := p.Details["retry_after"].(int); ok {
		out.retryAfter = after
	}
	return out
}

// body reads what was sent, up to MaxBody.
func body(r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return nil, loyalty.Malformed("body", "", "could not be read to its end")
	}
	if len(b) > MaxBody {
		return nil, &loyalty.Error{Kind: loyalty.TooLarge, Code: "body_too_large", Detail: "a body may have at most 1 MiB", Details: map[string]any{"most": MaxBody}}
	}
	return b, nil
}

// requestID is the gateway's id of the request, or a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Amzn-Trace-Id"); id != "" && len(id) < 200 {
		return id
	}
	return "req_" + ulid.Make().String()
}

// Page is one page of a list.
type Page[T any] struct {
	Data       []T    `json:"data"`
	HasMore    bool   `json:"has_more"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// Limit reads the limit parameter: 50 when absent, at most 200.
func (r *Request) Limit() (int, error) {
	s := r.URL.Query().Get("limit")
	if s == "" {
		return 50, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 200 {
		return 0, loyalty.Malformed("limit", s, "must be a whole number from 1 to 200")
	}
	return n, nil
}

// IfMatch tells which version the caller wants to change; 0 when it does not say.
func (r *Request) IfMatch() (int64, error) {
	s := strings.Trim(r.Header.Get("If-Match"), `"`)
	if s == "" || s == "*" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return 0, loyalty.Malformed("If-Match", s, "must be the version of the resource")
	}
	return n, nil
}

// PathID reads a path parameter that is an id with the given prefix and
// answers what follows the prefix. What cannot be such an id is not found.
func (r *Request) PathID(name, prefix, what string) (string, error) {
	id, ok := loyalty.OwnID(prefix, r.PathValue(name))
	if !ok {
		return "", loyalty.NotFound(what)
	}
	return id, nil
}
