// Package runtimeapi runs a built function as AWS Lambda does: a process that
// asks the Lambda Runtime API for its next event and posts its answer there
// (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). The smoke test and
// the bench use it: what they run is what ships. Beside it stand a builder,
// the events of the cloud and a stand-in for the secret and the bus.
package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Process is a function that was started and waits for its next event.
type Process struct {
	Start time.Duration // from the start of the process until it asked for its first event

	cmd    *exec.Cmd
	server *http.Server
	polls  chan struct{} // it asks for an event
	events chan []byte
	posts  chan post
	ended  chan struct{}
}

// post is what the function posts, and how long after its event.
type post struct {
	body  []byte
	after time.Duration
	err   error
}

// Answer is what a function made of an event.
type Answer struct {
	Body []byte
	Took time.Duration // from handing over the event until the answer was here
}

// life is how long an invocation may take; the functions see it as their deadline.
const life = 30 * time.Second

// Run starts a binary with nothing but env, NAME=value each, in its
// environment, and waits until it asks for its first event. What it logs goes
// to log.
func Run(ctx context.Context, binary string, env []string, log io.Writer) (*Process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Process{polls: make(chan struct{}), events: make(chan []byte), posts: make(chan post), ended: make(chan struct{})}
	p.server = &http.Server{Handler: p.routes(), ReadHeaderTimeout: life}
	go p.server.Serve(l) // until Close

	p.cmd = exec.Command(binary)
	p.cmd.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + l.Addr().String()}, env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	begin := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, p.server.Close())
	}
	go func() {
		p.cmd.Wait() // how it ended is in ProcessState
		close(p.ended)
	}()
	if _, err := wait(ctx, p, p.polls); err != nil {
		p.Close()
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	p.Start = time.Since(begin)
	return p, nil
}

// Invoke hands over an event and waits for the answer, and until the function
// asks for the next event: only then has it done all that it does. An error
// that the function answers is an error here.
func (p *Process) Invoke(ctx context.Context, event []byte) (Answer, error) {
	select {
	case p.events <- event:
	case <-p.ended:
		return Answer{}, p.exit()
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
	got, err := wait(ctx, p, p.posts)
	if err == nil {
		_, err = wait(ctx, p, p.polls)
	}
	return Answer{got.body, got.after}, errors.Join(got.err, err)
}

// Close ends the process, as Lambda does: without a word.
func (p *Process) Close() error {
	p.cmd.Process.Kill() // fails when it ended by itself
	<-p.ended
	return p.server.Close()
}

func (p *Process) exit() error { return fmt.Errorf("the process ended: %v", p.cmd.ProcessState) }

// wait receives what the process does next.
func wait[T any](ctx context.Context, p *Process, c <-chan T) (got T, err error) {
	select {
	case got = <-c:
		return got, nil
	case <-p.ended:
		return got, p.exit()
	case <-ctx.Done():
		return got, ctx.Err()
	case <-time.After(life):
		return got, fmt.Errorf("no word within %v", life)
	}
}

// routes is the Runtime API. One event is out at a time, so its id need not
// be looked at but for what must not happen.
func (p *Process) routes() http.Handler {
	mux := http.NewServeMux()
	var id int
	var handed time.Time
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case p.polls <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		select {
		case event := <-p.events:
			id++
			h := w.Header()
			h.Set("Content-Type", "application/json")
			h.Set("Lambda-Runtime-Aws-Request-Id", strconv.Itoa(id))
			h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(life).UnixMilli(), 10))
			h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:local:live")
			h.Set("Lambda-Runtime-Trace-Id", fmt.Sprintf("Root=1-5bef4de7-%024x", id))
			handed = time.Now()
			w.Write(event)
		case <-r.Context().Done():
		}
	})
	take := func(w http.ResponseWriter, r *http.Request) {
		after := time.Since(handed)
		body, err := io.ReadAll(r.Body)
		if err == nil && strings.HasSuffix(r.URL.Path, "/error") {
			err = fmt.Errorf("the function failed: %s", body)
		}
		if at := r.PathValue("id"); at != "" && at != strconv.Itoa(id) {
			err = fmt.Errorf("an answer to event %s, but %d is out", at, id)
		}
		w.WriteHeader(http.StatusAccepted)
		w.(http.Flusher).Flush()
		select {
		case p.posts <- post{body, after, err}:
		case <-r.Context().Done():
		case <-time.After(life): // nobody asked: an error before the first event
		}
	}
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", take)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", take)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", take)
	return mux
}
