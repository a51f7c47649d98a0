package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"
)

// perWorld is how many operations one world has. Worlds are independent, and
// each has its own rules, odds and season.
const perWorld = 10_000

// every is how many operations lie between two checks.
const every = 1000

// play runs a world: its first `last` operations, of those the kept ones (nil:
// all). tell is told each operation's outcome; it may be nil.
func play(seed uint64, number, last int, keep map[int]bool, front seam, tell func(string)) *world {
	own := worldSeed(seed, number)
	w := newWorld(own, drawOdds(rand.New(rand.NewPCG(own, 2))), front)
	w.tell = tell
	w.live(last, keep)
	return w
}

// live does the operations of a world, and ends it.
func (w *world) live(last int, keep map[int]bool) {
	for i := 0; i < last && w.wrong == nil; i++ {
		w.step(i, keep == nil || keep[i])
		if i%every == every-1 {
			w.check(i)
		}
	}
	if w.wrong == nil {
		w.finish(last)
	}
}

// report is what a simulation did.
type report struct {
	tally
	Worlds int
	Digest string
}

func (r report) String() string {
	return fmt.Sprintf("%d operations in %d worlds: %d deliveries, %d of them duplicates; %d transactions, %d faults, %d crashes; %d events\ndigest %s\n",
		r.Operations, r.Worlds, r.Deliveries, r.Duplicates, r.Writes, r.Faults, r.Crashes, r.Events, r.Digest)
}

// failure is a world in which something was wrong.
type failure struct {
	world int
	wrong *violation
}

// simulate runs so many operations, worlds side by side on all processors. Of
// several failures the first world's is answered.
func simulate(seed uint64, ops int, progress func(done int, t tally)) (report, *failure) {
	worlds := (ops + perWorld - 1) / perWorld
	digests := make([]string, worlds)
	var mu sync.Mutex
	var sum tally
	var failed *failure
	next := 0
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				mu.Lock()
				n := next
				next++
				stop := n >= worlds || failed != nil
				mu.Unlock()
				if stop {
					return
				}
				w := play(seed, n, min(perWorld, ops-n*perWorld), nil, seam{}, nil)
				digest := w.digest()
				mu.Lock()
				digests[n] = digest
				sum.add(w.tally)
				if w.wrong != nil && (failed == nil || n < failed.world) {
					failed = &failure{n, w.wrong}
				}
				progress(sum.Operations, sum)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	h := sha256.New()
	for _, d := range digests {
		fmt.Fprintln(h, d)
	}
	return report{sum, worlds, hex.EncodeToString(h.Sum(nil)[:8])}, failed
}

// worldSeed is the seed of one world of a simulation.
func worldSeed(seed uint64, world int) uint64 {
	return rand.New(rand.NewPCG(seed, uint64(world))).Uint64()
}

// shrink looks for few operations that still fail, by leaving out ever smaller
// runs of them (after Zeller and Hildebrandt, "Simplifying and Isolating
// Failure-Inducing Input", 2002). The time between operations stays, so that
// what happens by the clock still does.
func shrink(seed uint64, world, last int, front seam, until time.Time) []int {
	steps := make([]int, last)
	for i := range steps {
		steps[i] = i
	}
	fails := func(of []int) bool {
		return len(of) > 0 && play(seed, world, last, kept(of), front, nil).wrong != nil
	}
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at < len(steps) && time.Now().Before(until); {
			rest := slices.Concat(steps[:at], steps[min(at+size, len(steps)):])
			if fails(rest) {
				steps = rest
			} else {
				at += size
			}
		}
	}
	return steps
}
