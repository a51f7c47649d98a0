package main

import "math/rand/v2"

// odds is how often what goes wrong, per message or per call of the store.
type odds struct {
	// Of a message.
	duplicate   float64 // delivered again, up to three days later
	together    float64 // delivered up to ten times at once
	reorder     float64 // up to three days late
	lost        float64 // until it is tried again
	lostForever float64 // until somebody reconciles
	skew        float64 // the clock of the process that serves it is up to ten minutes off

	// Of a call of the store.
	throttled float64 // refused
	conflict  float64 // another transaction was in the way
	before    float64 // timed out, not written
	after     float64 // timed out, written
	stale     float64 // an eventual read sees what was there before
	crash     float64 // the process ends; per delivery

	// Of the change stream.
	refused float64 // the bus takes only a part of a batch
	replay  float64 // the stream is read again from up to a day ago
	poison  float64 // a change that cannot be read

	favourite bool // one member has half of the traffic
}

// usual are the rates of a bad week, all at once.
var usual = odds{
	duplicate: .25, together: .05, reorder: .3, lost: .05, lostForever: .01, skew: .1,
	throttled: .02, conflict: .05, before: .05, after: .05, stale: .2, crash: .02,
	refused: .1, replay: .01, poison: .001,
}

var noFaults odds

// drawOdds mixes a world's own odds: each fault is as usual, or absent, or
// twice as frequent, since a fault can hide another.
func drawOdds(r *rand.Rand) odds {
	o := usual
	for _, f := range o.all() {
		*f *= []float64{0, 1, 1, 1, 2}[r.IntN(5)]
	}
	o.favourite = r.IntN(5) == 0
	return o
}

func (o *odds) all() []*float64 {
	return []*float64{
		&o.duplicate, &o.together, &o.reorder, &o.lost, &o.lostForever, &o.skew,
		&o.throttled, &o.conflict, &o.before, &o.after, &o.stale, &o.crash, &o.refused, &o.replay, &o.poison,
	}
}
