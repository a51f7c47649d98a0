package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"regulars/infra/local"
	"regulars/shared/table/tabletest"
)

// report measures everything, or only what scales with the members, and prints
// it, each part as soon as it is there.
func report(ctx context.Context, w io.Writer, n sizes, scale bool, progress func(string)) error {
	endpoint := os.Getenv("REGULARS_DYNAMODB_LOCAL")
	if endpoint == "" {
		progress("starting DynamoDB Local")
		var err error
		if endpoint, err = tabletest.StartDynamoDBLocal(); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "%s, %s/%s, %d CPUs\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if scale {
		return reportScale(ctx, w, endpoint, n, progress)
	}
	if err := reportUnits(ctx, w, endpoint, n, progress); err != nil {
		return err
	}
	if err := reportEffort(ctx, w, n, progress); err != nil {
		return err
	}
	if err := reportScale(ctx, w, endpoint, n, progress); err != nil {
		return err
	}
	return reportFunctions(ctx, w, endpoint, n, progress)
}

func reportUnits(ctx context.Context, w io.Writer, endpoint string, n sizes, progress func(string)) error {
	s, err := openShop(ctx, endpoint)
	if err != nil {
		return err
	}
	defer s.Close()
	figures, m, err := operations(s, n.history, n.times, progress)
	if err != nil {
		return err
	}
	t := sheet{{"operation", "runs", "write units", "min", "max", "of the index", "read units", "min", "max"}}
	t.figures(figures)
	t.print(w, fmt.Sprintf("Units of DynamoDB, for a member who buys %s, after %d orders", regular.name, n.history))
	stored(s, m).print(w, "Bytes of that member, names of attributes included")

	figures, err = referrals(s, n.times, progress)
	if err != nil {
		return err
	}
	t = sheet{{"operation", "runs", "write units", "min", "max", "of the index", "read units", "min", "max"}}
	t.figures(figures)
	t.print(w, "Units of a friend whom a member brings")

	t = sheet{{"who buys", "orders", "write units", "min", "max", "schedule", "account", "bytes an entry"}}
	for _, who := range others {
		m := s.join(who, progress)
		m.live(n.others - n.times)
		orders, clocks, _, _ := m.live(n.times)
		if err := s.failure(); err != nil {
			return err
		}
		write, low, high := spread(orders, written)
		clock, _, _ := spread(clocks, written)
		_, _, account := spread(orders, func(u units) float64 { return float64(u.Sizes["ACCOUNT"]) })
		bytes, _ := s.meter.stored(local.Program + "#MEMBER#" + strings.TrimPrefix(m.id, "mem_"))
		t.row(who.name, m.orders, write, low, high, clock, fmt.Sprintf("%.0f", account), float64(bytes["ACCOUNT"]+bytes["PAGE"])/float64(m.entries()))
	}
	t.print(w, "A new order of other members: write units, those of the schedule that runs between, largest account in bytes")
	return nil
}

// figures adds a row for each operation.
func (s *sheet) figures(figures []figure) {
	for _, f := range figures {
		write, wlow, whigh := spread(f.costs, written)
		index, _, _ := spread(f.costs, indexed)
		reads, rlow, rhigh := spread(f.costs, read)
		s.row(f.name, len(f.costs), write, wlow, whigh, index, reads, rlow, rhigh)
	}
}

// stored is what the items of a member take.
func stored(s *shop, m *member) sheet {
	bytes, count := s.meter.stored(local.Program + "#MEMBER#" + strings.TrimPrefix(m.id, "mem_"))
	all, _ := s.meter.stored("")
	entries := m.entries()
	t := sheet{{"what", "items", "bytes", "bytes each"}}
	t.row("account, with the newest entries", count["ACCOUNT"], bytes["ACCOUNT"], "")
	t.row("pages of older entries", count["PAGE"], bytes["PAGE"], bytes["PAGE"]/max(1, count["PAGE"]))
	t.row("ledger entries on both", entries, bytes["ACCOUNT"]+bytes["PAGE"], float64(bytes["ACCOUNT"]+bytes["PAGE"])/float64(max(1, entries)))
	t.row("orders of two lines", m.orders, all["ORDER"], all["ORDER"]/max(1, m.orders))
	t.row("profile", count["PROFILE"], bytes["PROFILE"], "")
	return t
}

func reportEffort(ctx context.Context, w io.Writer, n sizes, progress func(string)) error {
	progress("webhooks to decisions")
	efforts, err := decisions(n.computed)
	if err != nil {
		return err
	}
	progress("whole requests on the embedded table")
	more, err := handlers(ctx, n.handled)
	if err != nil {
		return err
	}
	progress("simulation of history")
	played, err := simulations(n.computed)
	if err != nil {
		return err
	}
	t := sheet{{"what", "CPU ms", "allocations", "bytes allocated"}}
	for _, e := range slices.Concat(efforts, more, played) {
		t.row(e.name, e.cpu, fmt.Sprintf("%.0f", e.allocs), fmt.Sprintf("%.0f", e.bytes))
	}
	t.print(w, "Effort of one run in this process")

	progress("rules as plain data and as expressions")
	forms, err := valuing(n.computed)
	if err != nil {
		return err
	}
	t = sheet{{"20 rules as", "CPU µs", "of plain", "allocations", "of plain", "bytes allocated"}}
	for _, e := range forms {
		t.row(e.name, fmt.Sprintf("%.1f", e.cpu.Seconds()*1e6), fmt.Sprintf("%.1f", e.cpu.Seconds()/forms[0].cpu.Seconds()),
			fmt.Sprintf("%.0f", e.allocs), fmt.Sprintf("%.1f", e.allocs/forms[0].allocs), fmt.Sprintf("%.0f", e.bytes))
	}
	t.print(w, "What an order of ten lines is worth")

	t = sheet{{"writers", "transactions of two items a second"}}
	for _, writers := range []int{1, 16, 64} {
		progress(fmt.Sprintf("durable writes, %d writers", writers))
		rate, err := durable(ctx, writers, n.durable)
		if err != nil {
			return err
		}
		t.row(writers, fmt.Sprintf("%.0f", rate))
	}
	t.print(w, "The embedded table, each commit on disk")
	return nil
}

func reportFunctions(ctx context.Context, w io.Writer, endpoint string, n sizes, progress func(string)) error {
	feet, err := footprints(ctx, endpoint, rand.Text(), n.starts, n.warm, progress)
	if err != nil {
		return err
	}
	t := sheet{{"function", "zip kB", "binary kB", "start ms", "CPU ms", "first call ms", "CPU ms", "warm ms", "CPU ms", "memory MB"}}
	for _, f := range feet {
		t.row(f.name, f.zip/1000, f.binary/1000, f.start, f.startCPU, f.first, f.firstCPU, f.warm, f.warmCPU, float64(f.memory)/1e6)
	}
	t.print(w, "Functions: sizes for arm64; the rest on this machine, on one thread, DynamoDB Local behind, no TLS")
	return nil
}
