package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"regulars/shared/table/tabletest"
)

func main() {
	ctx := context.Background()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	endpoint := os.Getenv("REGULARS_DYNAMODB_LOCAL")
	var err error
	if endpoint == "" {
		if endpoint, err = tabletest.StartDynamoDBLocal(); err != nil {
			panic(err)
		}
	}
	s, err := openShop(ctx, endpoint)
	if err != nil {
		panic(err)
	}
	defer s.Close()
	p := func(l string) { fmt.Fprintln(os.Stderr, l) }
	fs, m, err := operations(s, 200, 80, p)
	if err != nil {
		panic(err)
	}
	for _, f := range fs {
		var w, r, i float64
		for _, c := range f.costs {
			w += c.Write
			r += c.Read
			i += c.Index
		}
		n := float64(len(f.costs))
		fmt.Printf("%-30s n=%d w=%.2f (index %.2f) r=%.2f last %v\n", f.name, len(f.costs), w/n, i/n, r/n, f.costs[len(f.costs)-1].Sizes)
	}
	fmt.Println(s.meter.stored("local#MEMBER#" + m.id[4:]))
	for _, o := range others {
		m := s.join(o, p)
		n := 130
		if o.every == day && o.spends == 0 {
			n = 370
		}
		m.live(n)
		orders, _, _, _ := m.live(40)
		f := figure{o.name, orders}
		var w, r, i float64
		for _, c := range f.costs {
			w += c.Write
			r += c.Read
			i += c.Index
		}
		n2 := float64(len(f.costs))
		if s.err != nil {
			panic(s.err)
		}
		fmt.Printf("%-30s n=%d w=%.2f (index %.2f) r=%.2f last %v\n", f.name, len(f.costs), w/n2, i/n2, r/n2, f.costs[len(f.costs)-1].Sizes)
		for _, c := range f.costs {
			fmt.Print(c.Sizes, " ")
		}
		fmt.Println(s.meter.stored("local#MEMBER#" + m.id[4:]))
	}
}
