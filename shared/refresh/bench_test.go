package refresh_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"regulars/shared/bucket/buckettest"
	"regulars/shared/loyalty"
	"regulars/shared/refresh"
	"regulars/shared/segment"
)

const today = 20_500

// sides are those of synthetic members, shard by shard.
func sides(b testing.TB, members int) (ids [refresh.Shards][]string, packed [refresh.Shards][][]byte) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range members {
		a := loyalty.Account{Member: fmt.Sprintf("01J%023d", i), Balance: int64(r.IntN(1000))}
		years := &loyalty.Years{Read: func(int64) (loyalty.Spans, error) { return nil, nil }}
		n := 1 + int(r.ExpFloat64()*3)
		for range n {
			a.Orders++
			day := today - int64(r.IntN(700))
			if err := a.Purchases.Replace(loyalty.Bought{}, loyalty.Bought{Day: day, Orders: 1, Spent: 500 + int64(r.IntN(20000)), Store: fmt.Sprint("tlv-", r.IntN(4))}, years); err != nil {
				b.Fatal(err)
			}
		}
		ids[i%refresh.Shards] = append(ids[i%refresh.Shards], a.Member)
		packed[i%refresh.Shards] = append(packed[i%refresh.Shards], a.Side())
	}
	return ids, packed
}

// A run over members in memory: CPU of all steps, and of none of the table.
func BenchmarkRun(b *testing.B) {
	for _, members := range []int{0, 200_000} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			ids, packed := sides(b, members)
			ctx := context.Background()
			for b.Loop() {
				w := refresh.Work{Files: &buckettest.Memory{}, Of: "run", ShardOf: func(string) int { return 0 }}
				plan := &refresh.Plan{At: today * 86400, Today: today, Currency: "ILS", Rules: segment.DefaultRules(), Yearly: 0.1, Depth: 3, Decay: "1/2"}
				if err := w.Keep(ctx, func() (*refresh.Plan, error) { return plan, nil }); err != nil {
					b.Fatal(err)
				}
				clock := time.Now()
				lap := func(what string) {
					b.ReportMetric(float64(time.Since(clock).Milliseconds()), what+"-ms")
					clock = time.Now()
				}
				for shard := range refresh.Shards {
					err := w.Read(ctx, shard, func(_ bool, visit func(string, []byte, map[string]string) error) error {
						for i, side := range packed[shard] {
							if err := visit(ids[shard][i], side, nil); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						b.Fatal(err)
					}
				}
				lap("read")
				for {
					more, err := w.Merge(ctx)
					if err != nil {
						b.Fatal(err)
					}
					lap("merge")
					if !more {
						break
					}
					for shard := range refresh.Shards {
						if err := w.Refine(ctx, shard); err != nil {
							b.Fatal(err)
						}
					}
					lap("refine")
				}
				for shard := range refresh.Shards {
					if err := w.Score(ctx, shard, func(string, bool, func(*loyalty.Account, map[string]string) (bool, error)) error { return nil }); err != nil {
						b.Fatal(err)
					}
				}
				lap("score")
			}
		})
	}
}
