// Command bench measures what the system costs: the units of DynamoDB's
// requests, stored bytes, CPU and allocations, the weight and the start of
// every function. Units and bytes are exact and the same everywhere; CPU and
// ratios can be compared between machines of one kind; times say least.
//
// It needs Java, or a DynamoDB Local named by REGULARS_DYNAMODB_LOCAL.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// sizes is how often things are done.
type sizes struct {
	history, times int // orders before the figures count, and while they do
	others         int // orders of the other shoppers
	computed       int // runs of what has no table
	handled        int // whole requests
	starts, warm   int // of each function
	durable        time.Duration

	crowd, paged, walked int // members of a refresh: in memory, from pages, on DynamoDB Local
}

func main() {
	quick := flag.Bool("quick", false, "fewer runs of everything")
	members := flag.Int("members", 0, "refresh so many members in an embedded table, and nothing else")
	scale := flag.Bool("scale", false, "only what a refresh of segments takes")
	flag.Parse()
	n := sizes{history: 200, times: 80, others: 380, computed: 20_000, handled: 2_000, starts: 11, warm: 500, durable: 3 * time.Second, crowd: 10_000_000, paged: 1_000_000, walked: 2560}
	if *quick {
		n = sizes{history: 40, times: 20, others: 60, computed: 2_000, handled: 200, starts: 3, warm: 50, durable: 500 * time.Millisecond, crowd: 100_000, paged: 64_000, walked: 1600}
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	begin := time.Now()
	progress := func(what string) { fmt.Fprintf(os.Stderr, "%5.1fs %s\n", time.Since(begin).Seconds(), what) }
	if *members > 0 {
		if err := refreshTable(context.Background(), os.Stdout, os.Stderr, *members); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := report(context.Background(), os.Stdout, n, *scale, progress); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
