package main

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"regulars/functions/refer"
	"regulars/infra/topology"
	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// keeper is the event source mapping that lets referrals follow the change
// stream, the second reader of it beside the announcer: batches in order, a
// batch again after a failure or an end of the process, and now and then the
// stream from earlier on.
type keeper struct {
	place int  // in the stream
	busy  bool // a batch is on its way
}

// follow hands the next batch to a process, unless the one before is not
// done. What it decides by is not all written with it, so beside others it may
// tell of a stage that was so a moment before, and of the next right after: it
// comes alone, or the model would have to know which it saw.
func (w *world) follow(r *rand.Rand) {
	k := &w.keeper
	if w.feed == nil || k.busy {
		return
	}
	if w.chance(r, w.odds.replay) {
		w.tally.Faults++
		k.place = max(0, k.place-r.IntN(500))
	}
	changes, _, err := w.feed.Changes(context.Background(), strconv.Itoa(k.place), 1+r.IntN(topology.Changes.Batch))
	if err != nil {
		w.violated(0, "the stream cannot be read: %v", err)
	}
	if len(changes) == 0 {
		return
	}
	k.busy = true
	end := k.place + len(changes)
	w.send(&message{kind: "following", job: "follow", alone: true, changes: changes, acked: func(map[string]any) { k.place, k.busy = end, false }}, r)
}

// keep does a job of the keeper in a process.
func (w *world) keep(ctx context.Context, in *instance, t *task) error {
	k := &refer.Keeper{Store: in.store, Clock: func() time.Time { return in.task.now }, Seed: in.task.id, InTurn: true}
	if t.m.job == "follow" {
		_, err := k.Follow(ctx, t.m.changes)
		return err
	}
	_, err := k.Run(ctx, refer.Event{Schedule: "referrals"})
	return err
}

// kept lets the model do what a transaction of the keeper did.
func (w *world) kept(t *task, writes []table.Write) {
	for _, p := range w.programmes {
		if table.ProgramOf(writes[0].Item.Key) != p.name {
			continue
		}
		d := p.pairing(t.now)
		if t.m.job == "referrals" {
			for _, wr := range writes {
				if id, ok := strings.CutPrefix(wr.Item.SK, "REFERRAL#"); ok {
					r := d.referral(id)
					if r == nil {
						w.violated(t.m.step, "the schedule made the referral %s", id)
						return
					}
					d.due(r)
				}
			}
		} else {
			m := d.member(followed(writes))
			if d.catchUp(m) {
				d.put[m.id] = true
			}
		}
		d.store()
		if missed := p.learn(writes); missed != "" {
			w.violated(t.m.step, "%s %s", t.m.kind, missed)
		}
	}
}

// followed is the friend whom a transaction is about: it writes her referral,
// or her account alone.
func followed(writes []table.Write) string {
	for _, wr := range writes {
		if strings.HasPrefix(wr.Item.SK, "REFERRAL#") {
			if r, err := table.Decode[loyalty.Referral](wr.Item); err == nil {
				return r.Friend
			}
		}
	}
	return writes[0].Item.PK[strings.LastIndexByte(writes[0].Item.PK, '#')+1:]
}

// catchUp lets the keeper come to the end of the stream, and rewards who is
// safe, without faults; the stream has then more to tell.
func (w *world) catchUp(step int) {
	if w.feed == nil {
		return
	}
	odds, r := w.odds, rand.New(rand.NewPCG(w.seed, 3))
	defer func() { w.odds = odds }()
	w.odds = noFaults
	still := func() {
		for before := -1; before != w.keeper.place && w.wrong == nil; {
			before = w.keeper.place
			w.follow(r)
			w.runUntil(w.clock + 1)
		}
	}
	still()
	w.send(&message{step: step, kind: "referrals", job: "referrals"}, r)
	w.runUntil(w.clock + 1)
	still()
}
