package histories

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
)

// plan is one run of clients against a host.
type plan struct {
	url     string
	ops     int     // requests, the closing reads of each group beside
	clients int     // that send in parallel
	groups  int     // in use at a time
	each    int     // requests per group
	cut     float64 // share of the requests whose client hangs up
	seed    uint64

	// took tells, of a request without answer, whether the host seems to have
	// done it. It only says where the checker looks first; nil says nothing.
	took func(number string) bool
}

// tally is what a run did.
type tally struct {
	ops, groups, members, lost, replayed, refused int
	byKind                                        map[kind]int
}

// field is the groups in use.
type field struct {
	plan
	ctx   context.Context
	start time.Time // of the history's clock, which is monotonic
	ended func(*group)

	number atomic.Int64 // of the newest request

	mu     sync.Mutex
	change *sync.Cond
	active []*group
	absent int // groups that have ended and are not replaced yet
	made   int
	tally  tally
	err    error // why the run cannot go on
}

// numbered is the header that numbers the requests of a run.
const numbered = "X-Number"

// program keeps the specification small: nothing expires, nothing is
// pending, what is clawed back beyond what is there is owed.
const program = `{"currency": "ILS", "expiry": "none", "clawback": "debt", "hold": {"timeout": "P30D"},
	"earning": {"rules": [{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}}]}}`

// run sends all requests of the plan and hands over each group when its
// history is whole.
func (p plan) run(ctx context.Context, ended func(*group)) (tally, error) {
	f := &field{plan: p, ctx: ctx, ended: ended, start: time.Now(), tally: tally{byKind: map[kind]int{}}}
	f.change = sync.NewCond(&f.mu)
	if res, body, err := call(ctx, p.url, "PUT", "/v1/program", json.RawMessage(program), nil); err != nil {
		return f.tally, err
	} else if res.StatusCode != http.StatusOK {
		return f.tally, fmt.Errorf("the program was answered with %d %s", res.StatusCode, body)
	}
	f.absent = p.groups
	for range p.groups {
		f.found()
	}
	var wg sync.WaitGroup
	for c := range p.clients {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(p.seed, uint64(c)))
			for self := c; ; {
				g := f.pick(rng)
				if g == nil {
					return
				}
				if f.one(g, self, rng) {
					self += p.clients // who hung up is another client from then on
				}
				f.leave(g)
			}
		})
	}
	wg.Wait()
	return f.tally, f.err
}

// found makes the next group, if there is to be one, in the place of one
// that is absent.
func (f *field) found() {
	f.mu.Lock()
	more := f.made*f.each < f.ops && f.err == nil
	if more {
		f.made++
	}
	g := newGroup(f.made, f.each)
	f.mu.Unlock()

	var err error
	if more {
		err = g.enrol(f.ctx, f.url)
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	f.absent--
	if err != nil {
		f.err = err
	} else if more {
		f.active = append(f.active, g)
	}
	f.change.Broadcast()
}

// pick takes a turn in one of the groups; nil when there are none left.
func (f *field) pick(rng *rand.Rand) *group {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.active) == 0 && f.absent > 0 {
		f.change.Wait()
	}
	if len(f.active) == 0 || f.err != nil || f.ctx.Err() != nil {
		return nil
	}
	i := rng.IntN(len(f.active))
	g := f.active[i]
	g.flying++
	if g.left--; g.left == 0 {
		f.active = slices.Delete(f.active, i, i+1)
		f.absent++
	}
	return g
}

// leave ends a turn. The last one of a group closes it.
func (f *field) leave(g *group) {
	f.mu.Lock()
	g.flying--
	last := g.flying == 0 && g.left == 0
	f.mu.Unlock()
	if !last {
		return
	}
	for _, r := range g.closing() {
		f.send(g, r, 0, 0)
	}
	for i, op := range g.history {
		g.history[i].Metadata = f.took == nil || f.took(op.Metadata.(string))
	}
	f.mu.Lock()
	f.tally.groups++
	f.tally.members += len(g.members)
	f.mu.Unlock()
	f.ended(g)
	f.found()
}

// one chooses a request and sends it.
func (f *field) one(g *group, self int, rng *rand.Rand) (lost bool) {
	g.mu.Lock()
	r := g.choose(rng)
	if again(r) {
		g.sent = append(g.sent, r)
	}
	g.mu.Unlock()
	var patience time.Duration
	if rng.Float64() < f.cut {
		patience = 100 * time.Microsecond << rng.IntN(9)
	}
	return f.send(g, r, self, patience)
}

// send sends a request and writes its operation into the group's history.
// With patience its client hangs up after that time.
func (f *field) send(g *group, r request, self int, patience time.Duration) (lost bool) {
	ctx := f.ctx
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	number := fmt.Sprint(f.number.Add(1))
	header := http.Header{numbered: {number}}
	if r.Key != 0 {
		header.Set("Idempotency-Key", fmt.Sprintf("group %d key %d", g.number, r.Key))
	}
	g.mu.Lock()
	method, path, body := g.wire(r)
	g.mu.Unlock()

	op := porcupine.Operation{ClientId: self, Input: r, Metadata: number, Call: int64(time.Since(f.start))}
	res, raw, err := call(ctx, f.url, method, path, body, header)
	op.Return = int64(time.Since(f.start))

	out := outcome{Lost: err != nil}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		var held string
		if out.answer, held, err = g.understand(r, res.StatusCode, raw); err != nil || res.StatusCode >= 500 {
			g.fault("%v was answered with %d %s %v", r, res.StatusCode, raw, err)
		}
		if held != "" {
			g.learn(r, held)
		}
		if r.Key != 0 {
			g.repeated(r.Key, raw, res.Header.Get("Idempotent-Replayed") == "true")
		}
	} else {
		op.Return = math.MaxInt64 // it may happen at any time from now on
	}
	if !out.Lost || !r.Kind.reads() {
		op.Output = out
		g.history = append(g.history, op)
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	f.tally.count(r, out, res)
	return out.Lost
}

func (t *tally) count(r request, out outcome, res *http.Response) {
	t.ops++
	t.byKind[r.Kind]++
	switch {
	case out.Lost:
		t.lost++
	case res.Header.Get("Idempotent-Replayed") == "true":
		t.replayed++
	case out.Status == http.StatusConflict || out.Status == http.StatusUnprocessableEntity:
		t.refused++
	}
}

func (t tally) String() string {
	return fmt.Sprintf("%d operations in %d groups of %d members in all: %d lost, %d replayed, %d refused; %v", t.ops, t.groups, t.members, t.lost, t.replayed, t.refused, t.byKind)
}
