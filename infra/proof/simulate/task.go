package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"regulars/functions/maintain"
	"regulars/infra/local"
	"regulars/shared/table"
	"regulars/shared/web"
)

// task is one delivery being served: a coroutine that the world lets run from
// one call of the store to the next.
type task struct {
	w       *world
	m       *message
	in      *instance
	program string // whose items it may see; "" for any
	rng     *rand.Rand
	now     time.Time // by the clock of its process
	skewed  bool

	pause   func(struct{}) bool
	calls   int // of the store
	crashAt int // the call at which the process ends; 0: none
	crashed bool
	failed  bool // some call of the store failed
	ids     int  // the first of its new ids

	looked  []*member     // whom a step of a run read last, as they were then
	planned []*definition // and which definitions
	newest  string        // and which run was the newest

	status   int
	header   http.Header
	body     bytes.Buffer
	possible []answer // what may be answered
	written  bool     // it had its effect
}

// crash is thrown where a process ends.
type crash struct{}

// run serves messages at once, one step of one of them at a time.
func (w *world) run(group []*message) {
	r := rand.New(rand.NewPCG(w.seed^0x9e3779b97f4a7c15, uint64(w.turn)))
	w.tasks = w.tasks[:0]
	var steps []func() (struct{}, bool)
	for _, m := range group {
		t := w.begun(m, r)
		next, stop := iter.Pull(func(yield func(struct{}) bool) {
			t.pause = yield
			t.serve()
		})
		defer stop()
		steps = append(steps, next)
	}
	for live := append([]*task(nil), w.tasks...); len(live) > 0; {
		i := 0
		if len(live) > 1 {
			i = r.IntN(len(live))
		}
		if _, more := steps[i](); !more {
			w.served(live[i], r)
			live, steps = append(live[:i], live[i+1:]...), append(steps[:i], steps[i+1:]...)
		}
	}
	w.tasks = w.tasks[:0]
}

func (w *world) begun(m *message, r *rand.Rand) *task {
	w.tally.Deliveries++
	m.tries++
	t := &task{w: w, m: m, in: w.instance(), rng: rand.New(rand.NewPCG(r.Uint64(), uint64(m.step))), now: time.Unix(w.clock, 0)}
	t.in.task = t
	if m.program != nil && !m.public {
		t.program = m.program.name
	}
	if w.chance(t.rng, w.odds.skew) {
		t.skewed = true
		t.now = t.now.Add(time.Duration(t.rng.Int64N(1201)-600) * time.Second)
	}
	if w.chance(t.rng, w.odds.crash) {
		t.crashAt = 1 + t.rng.IntN(12)
	}
	if m.crashAt > 0 && m.tries == 1 {
		t.crashAt = m.crashAt
	}
	w.tasks = append(w.tasks, t)
	t.expect()
	return t
}

// functions are the handlers of one process.
func (w *world) functions(in *instance) func(*task) {
	gate := &web.Gate{
		Store: in.store, Timeout: time.Hour,
		Clock:   func() time.Time { return in.task.now },
		Secrets: func(context.Context) (web.Secrets, error) { return signers, nil },
		NewID:   func() string { return in.task.id() },
	}
	mux, err := local.API(gate, address, nil, nil)
	if err != nil {
		panic(err)
	}
	mux.HandleFunc("POST /work/{program}/{id}", w.work(in))
	api := http.Handler(mux)
	if w.front.handler != nil {
		api = w.front.handler(mux)
	}
	schedule := &maintain.Handler{Store: in.store, Clock: gate.Clock, InTurn: true}
	return func(t *task) {
		if t.m.op == nil {
			ctx := context.WithValue(context.Background(), taskKey{}, t)
			var err error
			switch t.m.job {
			case "":
				_, err = schedule.Run(ctx, maintain.Event{Schedule: "expire"})
			case "segments":
				err = w.refresh(ctx, in, t)
			default:
				err = w.keep(ctx, in, t)
			}
			if t.status = http.StatusOK; err != nil {
				t.status = http.StatusInternalServerError
			}
			return
		}
		r := t.m.op.Request(t.m.program, time.Unix(w.clock, 0))
		r = r.WithContext(context.WithValue(r.Context(), taskKey{}, t))
		r.Header.Set("X-Amzn-Trace-Id", "simulated") // or request ids would differ
		if t.m.key != "" {
			r.Header.Set("Idempotency-Key", t.m.key)
		}
		api.ServeHTTP(t, r)
	}
}

type taskKey struct{}

// serve runs the handler; a crash ends it.
func (t *task) serve() {
	defer func() {
		if p := recover(); p != nil && p != (crash{}) {
			panic(p)
		}
	}()
	t.in.serve(t)
}

// wait lets others go first.
func (t *task) wait() {
	if len(t.w.tasks) > 1 {
		t.pause(struct{}{})
	}
}

// id is what the product calls something new: sortable, and the same every
// time the world runs. The first one of a request names what it makes; the
// seeds of voucher codes come from here too, after it.
func (t *task) id() string {
	n := t.w.number()
	if t.ids == 0 {
		t.ids = n
	}
	return fmt.Sprintf("%026d", n)
}

// Header, Write and WriteHeader implement http.ResponseWriter.
func (t *task) Header() http.Header {
	if t.header == nil {
		t.header = http.Header{}
	}
	return t.header
}

func (t *task) Write(b []byte) (int, error) { return t.body.Write(b) }
func (t *task) WriteHeader(status int)      { t.status = status }

// decide is what the model says now: what may be answered, and the effect.
func (t *task) decide() ([]answer, func()) {
	if t.m.op == nil {
		return nil, nil
	}
	p := t.m.program
	if given := p.receipts[t.m.key]; t.m.key != "" && given != nil {
		return given, nil
	}
	a, effect := t.m.op.Decide(p, t.now, fmt.Sprintf("%026d", t.ids))
	return []answer{a}, effect
}

// expect notes what may be answered if nothing is written from here on.
func (t *task) expect() {
	if t.written {
		return
	}
	_, parts := t.m.op.(inParts)
	if a, effect := t.decide(); effect == nil || parts {
		t.possible = append(t.possible, a...)
	}
}

// wrote is called with every transaction that a task made.
func (w *world) wrote(t *task, writes []table.Write) {
	effect := false
	for _, wr := range writes {
		effect = effect || wr.Item.SK != "RECEIPT"
		if t.m.op == nil && t.m.job == "" && isAccount(wr.Item.Key) {
			w.settled(t, wr.Item.Key)
		}
	}
	switch {
	case t.m.refresh != nil:
		w.refreshed(t, writes)
	case t.m.op == nil && t.m.job != "":
		w.kept(t, writes)
	case t.m.op == nil:
	case effect:
		parts, inParts := t.m.op.(inParts)
		if t.written && !inParts {
			w.violated(t.m.step, "%s was written twice by one request", t.m)
			return
		}
		answers, do := t.decide()
		if do == nil {
			w.violated(t.m.step, "%s wrote %s where nothing was to change: the answer is to be %v", t.m, keysOf(writes), answers)
			return
		}
		do()
		if inParts {
			parts.Wrote(t.m.program, writes)
		}
		if missed := t.m.program.learn(writes); missed != "" {
			w.violated(t.m.step, "%s %s", t.m, missed)
		}
		t.possible, t.written = answers, true
		if t.m.key != "" {
			t.m.program.receipts[t.m.key] = answers
		}
	case t.m.key != "":
		t.m.program.receipts[t.m.key] = t.possible
	}
	for _, other := range w.tasks {
		if other != t {
			other.expect()
		}
	}
}

func (w *world) settled(t *task, k table.Key) {
	for _, p := range w.programmes {
		if table.ProgramOf(k) == p.name {
			if m := p.members[k.PK[strings.LastIndexByte(k.PK, '#')+1:]]; m != nil {
				m = m.copy()
				m.settled(table.WalletOf(k), t.now, p)
				p.store(m)
			}
		}
	}
}

// isAccount tells whether an item is what a member has of a wallet.
func isAccount(k table.Key) bool { return k.SK == "ACCOUNT" || strings.HasPrefix(k.SK, "ACCOUNT#") }

func keysOf(writes []table.Write) string {
	var keys []string
	for _, wr := range writes {
		keys = append(keys, wr.Item.PK+" "+wr.Item.SK)
	}
	return strings.Join(keys, ", ")
}

// served looks at the answer, and sends again what has none.
func (w *world) served(t *task, r *rand.Rand) {
	t.in.task = nil
	m := t.m
	if t.crashed {
		w.tally.Crashes++
		// A process that ended takes its caches along.
		for i, in := range w.instances {
			if in == t.in {
				w.instances = append(w.instances[:i], w.instances[i+1:]...)
				break
			}
		}
	}
	if w.tell != nil {
		w.tell(t.String())
	}
	outside := t.status == http.StatusUnauthorized && t.skewed // of a signature's five minutes
	if t.crashed || t.status >= 500 || outside {
		w.tally.Outcomes[outcome{m.kind, "no answer"}]++
		if t.status >= 500 && !t.failed && !t.crashed {
			w.violated(m.step, "%s was answered %d, and nothing had failed", m, t.status)
		}
		if !m.done && m.due == 0 {
			if m.tries > 1000 {
				w.violated(m.step, "%s never got an answer", m.kind)
				return
			}
			w.deliver(m, w.clock+backoff(r, m.tries))
		}
		return
	}
	if m.op == nil {
		w.tally.Outcomes[outcome{m.kind, "done"}]++
		if !m.done && m.acked != nil {
			m.acked(nil)
		}
		m.done = true
		return
	}
	var body map[string]any
	dec := json.NewDecoder(bytes.NewReader(t.body.Bytes()))
	dec.UseNumber()
	if err := dec.Decode(&body); err != nil && err != io.EOF {
		w.violated(m.step, "%s was answered %d with what is no JSON: %s", m.kind, t.status, t.body.Bytes())
		return
	}
	if !t.expected(body) {
		w.violated(m.step, "%s was answered %d %s, and should be %v", m, t.status, t.body.Bytes(), t.possible)
		return
	}
	end := fmt.Sprint(t.status)
	for _, more := range []string{"code", "status"} {
		if s, ok := body[more].(string); ok && (more != "code" || t.status >= 400) { // a voucher has a code too
			end += " " + s
			break
		}
	}
	w.tally.Outcomes[outcome{m.kind, end}]++
	if parts, ok := m.op.(inParts); ok {
		if left := parts.Left(m.program, body); left != "" {
			w.violated(m.step, "%s was answered, and %s", m, left)
		}
	}
	switch {
	case m.done && m.key != "" && !bytes.Equal(m.reply, t.body.Bytes()):
		w.violated(m.step, "%s was answered %s, and again under the same key %s", m.kind, m.reply, t.body.Bytes())
	case !m.done:
		m.done, m.reply = true, bytes.Clone(t.body.Bytes())
		if m.acked != nil {
			m.acked(body)
		}
	}
}

// String tells what a delivery was and how it ended.
func (t *task) String() string {
	end := fmt.Sprint(t.status, " ", t.body.String())
	if t.crashed {
		end = fmt.Sprint("the process ended at call ", t.calls)
	}
	return fmt.Sprintf("%s  step %d, %s\n    %s", t.now.UTC().Format(time.RFC3339), t.m.step, t.m, end)
}

func (t *task) expected(body map[string]any) bool {
	for _, a := range t.possible {
		if a.is(t.status, body) {
			return true
		}
	}
	return false
}

func (a answer) is(status int, body map[string]any) bool {
	if a.status != status || a.code != "" && body["code"] != a.code {
		return false
	}
	for _, v := range a.values {
		if fmt.Sprint(at(body, v.path)) != fmt.Sprint(v.want) {
			return false
		}
	}
	return true
}

// at reads a value by its path, "data.0.seq".
func at(v any, path string) any {
	for _, p := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}
