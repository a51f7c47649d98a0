package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"regulars/shared/table"
	"regulars/shared/table/embedded"
)

// durable is how many transactions of two items of 500 bytes a second the
// embedded table has on disk, for some writers at once.
func durable(ctx context.Context, writers int, during time.Duration) (float64, error) {
	dir, err := os.MkdirTemp("", "regulars-bench")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	engine, err := embedded.Open(filepath.Join(dir, "table.db"))
	if err != nil {
		return 0, err
	}
	defer engine.Close()
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	body := make([]byte, 500)
	begin := time.Now()
	for w := range writers {
		wg.Go(func() {
			for i := int64(1); time.Since(begin) < during; i++ {
				account := table.Item{Key: table.Key{PK: fmt.Sprint("member ", w), SK: "ACCOUNT"}, Version: i, Body: body}
				order := table.Item{Key: table.Key{PK: fmt.Sprint("order ", w, " ", i), SK: "ORDER"}, Version: 1, Body: body}
				if err := engine.Write(ctx, table.Write{Item: account}, table.Write{Item: order}); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(begin).Seconds(), nil
}
