// Command simulate runs the product's own handlers over its own table code in
// simulated worlds, in which everything goes wrong that can, and holds what
// comes out against a plain model of a programme. Everything that happens
// follows from a seed: a failure is printed with what it takes to see it
// again, and shrunk to the few operations that it needs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // refusals by the thousand are what is simulated
	seed := flag.Uint64("seed", 1, "what all chance follows from")
	ops := flag.Int("ops", 1_000_000, "operations")
	one := flag.Int("world", -1, "run this world only")
	keep := flag.String("keep", "", "with -world: do these operations only, as \"3,17,20\"")
	flag.Parse()
	if err := run(*seed, *ops, *one, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "\nsimulate:", err)
		os.Exit(1)
	}
}

func run(seed uint64, ops, one int, keep string) error {
	if one >= 0 {
		return again(seed, one, keep)
	}
	began := time.Now()
	report, failed := simulate(seed, ops, func(done int, t tally) {
		fmt.Printf("\r%d of %d operations, %.0f s", done, ops, time.Since(began).Seconds())
	})
	fmt.Println()
	fmt.Print(report)
	if failed == nil {
		fmt.Printf("0 violations. Again: make simulate SEED=%d OPS=%d gives the same digest.\n", seed, ops)
		return nil
	}
	fmt.Printf("world %d: %v\n", failed.world, failed.wrong)
	fmt.Println("looking for few operations that fail, for two minutes at most ...")
	world, steps, wrong := shrink(seed, failed, seam{}, time.Now().Add(2*time.Minute))
	fmt.Printf("%d operations are enough: %v\nSee them again:\n\n  go run ./infra/proof/simulate -seed %d -world %d -keep %s\n",
		len(steps), wrong, seed, world, joinInts(steps))
	return errors.New("the product and the model differ")
}

// again runs one world, telling what it does.
func again(seed uint64, world int, keep string) error {
	steps, err := parseInts(keep)
	if err != nil {
		return err
	}
	last := perWorld
	if len(steps) > 0 {
		last = steps[len(steps)-1] + 1
	}
	w := play(seed, world, last, kept(steps), seam{}, func(line string) { fmt.Println(line) })
	fmt.Printf("digest %s\n", w.digest())
	if w.wrong != nil {
		return w.wrong
	}
	fmt.Println("0 violations")
	return nil
}

func kept(steps []int) map[int]bool {
	if len(steps) == 0 {
		return nil
	}
	k := map[int]bool{}
	for _, s := range steps {
		k[s] = true
	}
	return k
}

func joinInts(list []int) string {
	var b []string
	for _, n := range list {
		b = append(b, strconv.Itoa(n))
	}
	return strings.Join(b, ",")
}

func parseInts(s string) (list []int, err error) {
	for _, p := range strings.Split(s, ",") {
		if p == "" {
			continue
		}
		n, err := strconv.Atoi(p)
		if err != nil {
			return nil, fmt.Errorf("-keep: %q is not a number", p)
		}
		list = append(list, n)
	}
	return list, nil
}
