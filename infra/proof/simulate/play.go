package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
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

// String is the whole report: how each kind of operation ended, with bars.
func (r report) String() string {
	var b strings.Builder
	outcomes := slices.SortedFunc(maps.Keys(r.Outcomes), func(x, y outcome) int {
		return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(r.Outcomes[y], r.Outcomes[x]), cmp.Compare(x.end, y.end))
	})
	for i, o := range outcomes {
		kind := ""
		if i == 0 || outcomes[i-1].kind != o.kind {
			kind = o.kind
		}
		n := r.Outcomes[o]
		fmt.Fprintf(&b, "%-20s %-28s %8d %s\n", kind, o.end, n, strings.Repeat("▇", (n*400+r.Deliveries-1)/r.Deliveries))
	}
	b.WriteString("\n")
	for _, kind := range slices.Sorted(maps.Keys(r.Told)) {
		fmt.Fprintf(&b, "%-49s %8d told\n", kind, r.Told[kind])
	}
	fmt.Fprintf(&b, "\n%d operations in %d worlds: %d deliveries, %d of them duplicates; %d reads, %d transactions, %d faults, %d crashes; %d events\ndigest %s\n",
		r.Operations, r.Worlds, r.Deliveries, r.Duplicates, r.Reads, r.Writes, r.Faults, r.Crashes, r.Events, r.Digest)
	return b.String()
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

// shrink looks for few operations that fail: in many short worlds first, since
// most faults show in one of them, else in the one that failed.
func shrink(seed uint64, failed *failure, front seam, until time.Time) (world int, steps []int, wrong *violation) {
	world, last := failed.world, failed.wrong.step+1
	const short, firstShort = 250, 1_000_000 // far from the worlds of any simulation
	for n, half := firstShort, time.Now().Add(time.Until(until)/2); time.Now().Before(half); n++ {
		if w := play(seed, n, short, nil, front, nil); w.wrong != nil {
			world, last = n, min(w.wrong.step+1, short)
			break
		}
	}
	steps, wrong = leaveOut(seed, world, last, front, until)
	if wrong == nil {
		wrong = failed.wrong
	}
	return world, steps, wrong
}

// leaveOut leaves out ever smaller runs of a world's operations while it still
// fails (after Zeller and Hildebrandt, "Simplifying and Isolating
// Failure-Inducing Input", 2002). The time between operations stays, so that
// what happens by the clock still does.
func leaveOut(seed uint64, world, last int, front seam, until time.Time) (steps []int, wrong *violation) {
	for i := range last {
		steps = append(steps, i)
	}
	for before := len(steps) + 1; len(steps) < before; {
		before = len(steps)
		for size := max(len(steps)/2, 1); size > 0; size /= 2 {
			for at := 0; at < len(steps) && len(steps) > 1 && time.Now().Before(until); {
				rest := slices.Concat(steps[:at], steps[min(at+size, len(steps)):])
				if len(rest) == 0 {
					break
				}
				if w := play(seed, world, rest[len(rest)-1]+1, kept(rest), front, nil); w.wrong != nil { // as it will be seen again
					steps, wrong = rest, w.wrong
				} else {
					at += size
				}
			}
		}
	}
	return steps, wrong
}
