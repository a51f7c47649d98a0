package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"regulars/events"
	"regulars/functions/announce"
	"regulars/infra/topology"
	"regulars/shared/table"
)

// announcer is the event source mapping of the change stream and the bus
// behind the announce function: batches in order, the rest of a batch again
// after a failure, a change that fails too often set aside.
type announcer struct {
	world *world
	place int // in the stream
	tries int // of the change at place
	bad   int // place of a change that cannot be read, while it is; 0: none

	puts, crashAt int // calls of the bus, and the one at which the process ends; 0: none

	seen    map[string]bool // events by id
	told    []events.Event  // each event once, in the order of its first coming
	refused map[string]bool // the bus took others of its batch first
	exempt  map[string]bool // events of changes that were set aside
}

var errCut = errors.New("simulated: the bus did not answer")

// run hands on some batches.
func (a *announcer) run(r *rand.Rand) {
	for range 1 + r.IntN(4) {
		if a.batch(r) == 0 {
			return
		}
	}
}

// batch hands on one batch and answers how many changes it had.
func (a *announcer) batch(r *rand.Rand) int {
	w := a.world
	if w.chance(r, w.odds.replay) { // the stream is read again
		w.tally.Faults++
		a.place, a.tries = max(0, a.place-r.IntN(500)), 0
	}
	changes, _, err := w.feed.Changes(context.Background(), strconv.Itoa(a.place), 1+r.IntN(topology.Changes.Batch))
	if err != nil {
		w.violated(0, "the stream cannot be read: %v", err)
	}
	if len(changes) == 0 {
		return 0
	}
	var batch []table.Change
	var from []int
	for i, c := range changes {
		if slices.ContainsFunc(topology.Announced, func(prefix string) bool { return strings.HasPrefix(c.SK, prefix) }) {
			if place := a.place + i + 1; place == a.bad || a.bad == 0 && c.New.Version > 0 && w.chance(r, w.odds.poison) {
				a.bad = place
				c.New.Body = []byte{0xff}
			}
			batch, from = append(batch, c), append(from, i)
		}
	}
	done, err := a.announce(batch, r)
	if err == nil {
		a.place, a.tries = a.place+len(changes), 0
		return len(changes)
	}
	if first := a.place + from[done]; first > a.place || a.tries == 0 {
		if first > a.place {
			a.tries = 0
		}
		a.place = first
	}
	if a.tries++; a.tries > topology.Changes.Retries {
		a.setAside(changes, batch[done])
	}
	return len(changes)
}

// announce runs the function. One that ends in the middle has said nothing:
// the batch is given again from its first change.
func (a *announcer) announce(batch []table.Change, r *rand.Rand) (done int, err error) {
	defer func() {
		if p := recover(); p == (crash{}) {
			done, err = 0, errCut
		} else if p != nil {
			panic(p)
		}
	}()
	handler := &announce.Handler{Bus: &bus{announcer: a, r: r}}
	return handler.Announce(context.Background(), batch)
}

// setAside gives up a change, for people to look at.
func (a *announcer) setAside(changes []table.Change, c table.Change) {
	if a.bad != a.place+1 {
		a.world.violated(0, "a change that can be read was set aside: %s %s", c.PK, c.SK)
	}
	whole, _, err := a.world.feed.Changes(context.Background(), strconv.Itoa(a.place), 1)
	if err != nil || len(whole) != 1 {
		a.world.violated(0, "the stream cannot be read: %v", err)
		return
	}
	facts, err := announce.Facts(whole[0])
	if err != nil {
		a.world.violated(0, "a change cannot be read: %v", err)
	}
	for _, f := range facts {
		a.exempt[f.ID] = true
	}
	a.place, a.tries, a.bad = a.place+1, 0, 0
}

// bus takes events, and now and then only some of them.
type bus struct {
	announcer *announcer
	r         *rand.Rand
}

// Put implements announce.Bus.
func (b *bus) Put(_ context.Context, batch []events.Event) ([]bool, error) {
	w := b.announcer.world
	if b.announcer.puts++; b.announcer.puts == b.announcer.crashAt {
		panic(crash{})
	}
	taken := make([]bool, len(batch))
	cut := w.chance(b.r, w.odds.refused/2) // taken, and not answered
	for i, e := range batch {
		if w.chance(b.r, w.odds.refused/4) {
			w.tally.Faults++
			b.announcer.refused[e.ID] = true
			continue
		}
		taken[i] = true
		if !b.announcer.seen[e.ID] {
			b.announcer.seen[e.ID] = true
			b.announcer.told = append(b.announcer.told, e)
			w.tally.Events++
			w.tally.Told[e.Type]++
		}
	}
	if cut {
		w.tally.Faults++
		return nil, errCut
	}
	return taken, nil
}
