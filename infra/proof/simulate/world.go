package main

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"regulars/infra/local"
	"regulars/infra/proof/simulate/memory"
	"regulars/shared/program/when"
	"regulars/shared/table"
	"regulars/shared/web"
)

// world is one simulated deployment: a table, its functions, its clients and
// the clock, and the model beside it. All that happens in it follows from its
// seed; one thing runs at a time.
type world struct {
	seed       uint64
	odds       odds
	base       table.Engine // without faults
	remote     table.Engine // the same table as the product reaches it
	feed       table.Feed
	front      seam
	kinds      []Kind
	weights    int // of all of them
	programmes []*programme
	shops      map[string]*shop // by program

	clock   int64 // unix seconds
	queue   queue
	turn    int // of deliveries, to keep the order of equal times
	numbers int

	instances []*instance
	tasks     []*task                  // under way
	previous  map[table.Key]table.Item // what an item was before its last write: what a stale read sees
	announcer *announcer
	keeper    keeper
	lost      []*message                   // until somebody reconciles
	waiting   []*message                   // for the next operation
	files     map[string]map[string][]byte // of runs, by directory

	wrong *violation
	tally tally
	tell  func(string) // what happens, for people; nil: nobody asks
}

// seam is where a test puts a deliberate fault between the product and what
// is simulated around it. Nil is none.
type seam struct {
	engine  func(*world, table.Engine) table.Engine // beneath a process's store
	feed    func(table.Feed) table.Feed             // before the announcer
	handler func(http.Handler) http.Handler         // before the functions
	kinds   []Kind                                  // what happens; nil: all kinds
}

// shop is what the clients of a program remember.
type shop struct {
	orders  []*shopOrder
	shopify map[string]shopifyState
	ids     map[string][]string // holds that are open, redemptions that were made
}

// tally counts what a world did.
type tally struct {
	Operations, Deliveries, Duplicates, Writes, Reads, Faults, Crashes, Events int

	Outcomes map[outcome]int
	Told     map[string]int // events by type
}

// outcome is how deliveries of one kind ended: a status, and its code or what
// became of the order.
type outcome struct{ kind, end string }

func (t *tally) add(o tally) {
	t.Operations += o.Operations
	t.Deliveries += o.Deliveries
	t.Duplicates += o.Duplicates
	t.Writes += o.Writes
	t.Reads += o.Reads
	t.Faults += o.Faults
	t.Crashes += o.Crashes
	t.Events += o.Events
	if t.Outcomes == nil {
		t.Outcomes, t.Told = map[outcome]int{}, map[string]int{}
	}
	for k, n := range o.Outcomes {
		t.Outcomes[k] += n
	}
	for k, n := range o.Told {
		t.Told[k] += n
	}
}

// violation is what must never happen.
type violation struct {
	step int
	what string
}

func (v *violation) Error() string { return fmt.Sprintf("at step %d: %s", v.step, v.what) }

func (w *world) violated(step int, format string, args ...any) {
	if w.wrong == nil {
		w.wrong = &violation{step, fmt.Sprintf(format, args...)}
	}
}

const secret = "whsec-of-the-simulation"

// newWorld sets a world up: two programs whose shops use the same ids.
func newWorld(seed uint64, o odds, front seam) *world {
	engine := memory.New()
	return openWorld(seed, o, front, engine, engine)
}

// openWorld is newWorld on another engine, which is empty; feed may be nil:
// then nothing is announced.
func openWorld(seed uint64, o odds, front seam, engine table.Engine, feed table.Feed) *world {
	r := rand.New(rand.NewPCG(seed, 0))
	w := &world{
		seed: seed, odds: o, base: engine, remote: engine, feed: feed, front: front, shops: map[string]*shop{}, previous: map[table.Key]table.Item{}, files: map[string]map[string][]byte{},
		tally: tally{Outcomes: map[outcome]int{}, Told: map[string]int{}},
		// Somewhere in four years: leap days, ends of years, both changes of the clocks.
		clock: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Unix() + r.Int64N(4*365*24*3600),
	}
	if w.kinds = kinds; front.kinds != nil {
		w.kinds = front.kinds
	}
	for _, k := range w.kinds {
		w.weights += k.Weight
	}
	if front.feed != nil {
		w.feed = front.feed(feed)
	}
	w.announcer = &announcer{world: w, seen: map[string]bool{}, refused: map[string]bool{}, exempt: map[string]bool{}}
	codes, clicks := map[string]codeOwner{}, map[string]int64{}
	for _, name := range []string{"north", "south"} {
		d := local.Deployment{Program: name, AdminKey: "sk_" + name, Now: time.Unix(w.clock, 0), Connections: []table.Connection{
			{ID: name + "-standard", Kind: "standard"}, {ID: name + "-shopify", Kind: "shopify"},
		}}
		if err := local.Setup(context.Background(), table.NewStore(engine), d); err != nil {
			panic(err) // the engine fails without any fault
		}
		p := &programme{
			name: name, key: d.AdminKey, members: map[string]*member{}, external: map[string]string{}, orders: map[string]*order{}, swapped: map[string]int64{},
			spent: map[string]*redemption{}, acts: map[string]*act{}, vouchers: map[string]*voucher{}, happened: map[string]string{}, receipts: map[string][]answer{}, asked: map[string]string{}, about: map[string]string{}, files: map[string]*workImport{},
			runs: map[string]*segmentRun{}, codes: codes, refs: map[string]*referral{}, claims: map[string]*claim{}, seen: map[string]int64{}, clicks: clicks,
		}
		// Setup published the defaults, which nothing here is decided under.
		p.versions = []rules{{version: 1}}
		w.programmes = append(w.programmes, p)
		w.shops[name] = &shop{shopify: map[string]shopifyState{}, ids: map[string][]string{}}
	}
	w.begin(r)
	return w
}

// begin publishes rules and enrols the first members, before any fault.
func (w *world) begin(r *rand.Rand) {
	odds := w.odds
	w.odds = noFaults
	for _, p := range w.programmes {
		all := draw(r)
		all.store, all.percent = "", 0
		w.send(&message{kind: "rules", op: &publish{all}, program: p, alone: true}, r)
		for range 3 + r.IntN(10) {
			m := enrolMember.Draw(w, p, r)
			m.kind = enrolMember.Name
			w.send(m, r)
		}
	}
	w.runUntil(w.clock + 1)
	w.odds = odds
}

// number is a new number; key a new idempotency key.
func (w *world) number() int { w.numbers++; return w.numbers }

func (w *world) key(what string) string { return fmt.Sprint(what, "-", w.number()) }

// remember keeps an id that a client was told; oneOf draws one of the newest.
func (w *world) remember(p *programme, what, id string) {
	s := w.shops[p.name]
	s.ids[what] = append(s.ids[what], id)
}

func (w *world) oneOf(p *programme, what string, r *rand.Rand) string {
	ids := w.shops[p.name].ids[what]
	if len(ids) == 0 {
		return ""
	}
	return ids[len(ids)-1-r.IntN(min(12, len(ids)))]
}

// captured is a redemption that may pay for an order.
func (w *world) captured(p *programme, r *rand.Rand) *redemption {
	if id := w.oneOf(p, "redemption", r); id != "" {
		return p.spent[id]
	}
	return nil
}

// step does operation number i, if it is kept, and all that is due by then.
func (w *world) step(i int, kept bool) {
	r := rand.New(rand.NewPCG(w.seed, uint64(i)+1))
	gap := int64(0)
	switch n := r.IntN(100); {
	case n < 20: // at the same instant as the one before
	case n < 97:
		gap = r.Int64N(2 * 3600)
	default:
		gap = r.Int64N(3 * 24 * 3600)
	}
	if gap > 0 {
		w.runUntil(w.clock + gap)
	}
	if !kept {
		return
	}
	w.tally.Operations++
	for range 20 {
		k := w.drawKind(r)
		p := w.programmes[r.IntN(len(w.programmes))]
		if m := k.Draw(w, p, r); m != nil {
			m.step, m.kind = i, k.Name
			w.send(m, r)
			break
		}
	}
	if len(w.waiting) > 0 && r.IntN(2) == 0 {
		w.goOn(i, r)
	}
	if w.feed != nil && r.IntN(4) == 0 {
		w.announcer.run(r)
	}
	if r.IntN(3) == 0 {
		w.follow(r)
	}
}

func (w *world) drawKind(r *rand.Rand) *Kind {
	n := r.IntN(w.weights)
	for i := range w.kinds {
		if n -= w.kinds[i].Weight; n < 0 {
			return &w.kinds[i]
		}
	}
	panic("the weights are summed wrong")
}

// send puts a message on its way, as its network treats it.
func (w *world) send(m *message, r *rand.Rand) {
	at := w.clock
	if m.late && w.chance(r, w.odds.reorder) {
		at += r.Int64N(72 * 3600)
	}
	switch {
	case m.late && w.chance(r, w.odds.lostForever):
		w.lost = append(w.lost, m)
		return
	case m.late && w.chance(r, w.odds.lost):
		at += backoff(r, 0)
	}
	w.deliver(m, at)
	if w.chance(r, w.odds.duplicate) {
		w.tally.Duplicates++
		w.deliver(m, at+r.Int64N(72*3600))
	}
	if w.chance(r, w.odds.together) {
		for range 1 + r.IntN(9) {
			w.tally.Duplicates++
			w.deliver(m, at)
		}
	}
}

// chance draws a fault; 1 is always.
func (w *world) chance(r *rand.Rand, odds float64) bool { return odds > 0 && r.Float64() < odds }

// backoff is how long a sender waits before it tries again.
func backoff(r *rand.Rand, tries int) int64 {
	waits := []int64{1, 60, 15 * 60, 3600, 6 * 3600}
	most := waits[min(tries, len(waits)-1)]
	return 1 + most/2 + r.Int64N(most)
}

// delivery is a message that arrives at an instant.
type delivery struct {
	at   int64
	turn int
	m    *message
}

type queue []delivery

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].turn < q[j].turn
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(delivery)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

func (w *world) deliver(m *message, at int64) {
	w.turn++
	m.due++
	heap.Push(&w.queue, delivery{at, w.turn, m})
}

// most is how many requests run at once.
const most = 12

// runUntil lets everything arrive that is due before an instant. What arrives
// in the same second runs at once.
func (w *world) runUntil(end int64) {
	for len(w.queue) > 0 && w.queue[0].at < end && w.wrong == nil {
		at := w.queue[0].at
		w.clock = max(w.clock, at)
		var group []*message
		for len(w.queue) > 0 && w.queue[0].at == at && len(group) < most {
			m := w.queue[0].m
			if m.alone && len(group) > 0 {
				break
			}
			heap.Pop(&w.queue)
			m.due--
			group = append(group, m)
			if m.alone {
				break
			}
		}
		w.run(group)
	}
	w.clock = max(w.clock, end)
}

// instance is one process of the functions: it serves one request at a time
// and keeps its caches from one to the next, as on Lambda.
type instance struct {
	task  *task
	store *table.Store
	serve func(t *task)
}

func (w *world) instance() *instance {
	for _, in := range w.instances {
		if in.task == nil {
			return in
		}
	}
	in := &instance{}
	engine := table.Engine(&wire{w})
	if w.front.engine != nil {
		engine = w.front.engine(w, engine)
	}
	in.store = table.NewStore(engine)
	in.store.Expressions = when.Compiler{}
	in.store.Pause = func(context.Context, time.Duration) error {
		in.task.wait()
		return nil
	}
	in.serve = w.functions(in)
	w.instances = append(w.instances, in)
	return in
}

var signers = web.Secrets{TokenKeys: []string{"signs the member tokens of the simulation"}, Connections: map[string][]string{
	"north-standard": {secret}, "north-shopify": {secret}, "south-standard": {secret}, "south-shopify": {secret},
}}
