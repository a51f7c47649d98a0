package embedded_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"regulars/shared/table"
	"regulars/shared/table/embedded"
	"regulars/shared/table/tabletest"
)

func open(t testing.TB) *embedded.Engine {
	t.Helper()
	e, err := embedded.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestEngine(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Engine { return open(t) })
}

func TestFeed(t *testing.T) {
	tabletest.RunFeed(t, func(t *testing.T) (table.Engine, table.Feed) {
		e := open(t)
		return e, e
	})
}

func item(pk string, version int64) table.Write {
	return table.Write{Item: table.Item{Key: table.Key{PK: pk, SK: "s"}, Version: version, Body: bytes.Repeat([]byte{7}, 1000)}}
}

func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.db")
	e, err := embedded.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(path); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second open: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Write(t.Context(), item("p", 1)); err == nil || errors.Is(err, table.ErrConflict) {
		t.Errorf("write after close: %v", err)
	}
}

// TestKill kills a process that reports each write once it is acknowledged,
// and looks for all of them.
func TestKill(t *testing.T) {
	if path := os.Getenv("EMBEDDED_KILL"); path != "" {
		e, err := embedded.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; ; n++ {
			if err := e.Write(t.Context(), item(fmt.Sprint(n), 1), item("last", int64(n+1))); err != nil {
				t.Fatal(err)
			}
			fmt.Println("written", n)
		}
	}
	path := filepath.Join(t.TempDir(), "table.db")
	cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), "EMBEDDED_KILL="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := -1
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Sscanf(lines.Text(), "written %d", &last)
		if last == 100 {
			cmd.Process.Kill()
		}
	}
	cmd.Wait()
	e, err := embedded.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for n := range last + 1 {
		if _, err := e.Get(t.Context(), table.Key{PK: fmt.Sprint(n), SK: "s"}, true); err != nil {
			t.Errorf("write %d of %d: %v", n, last, err)
		}
	}
	it, err := e.Get(t.Context(), table.Key{PK: "last", SK: "s"}, true)
	if err != nil || it.Version < int64(last+1) {
		t.Errorf("version %d after %d writes: %v", it.Version, last+1, err)
	}
	// Feed and items are one transaction: the log tells exactly these writes.
	changes, _, err := e.Changes(t.Context(), "", 1000)
	if err != nil || int64(len(changes)) != 2*it.Version {
		t.Errorf("%d changes of %d transactions: %v", len(changes), it.Version, err)
	}
}

// BenchmarkWrite is a durable transaction of two items of 1 KB, as an order
// and its account are: a lone writer waits for a sync, many share one.
func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			e := open(b)
			var id atomic.Int64
			b.SetParallelism(max(1, writers/runtime.GOMAXPROCS(0)))
			if writers == 1 {
				for b.Loop() {
					n := id.Add(1)
					write(b, e, item("member", n), item(fmt.Sprint("order", n), 1))
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				member := fmt.Sprint("member", id.Add(1))
				for v := int64(1); pb.Next(); v++ {
					write(b, e, item(member, v), item(fmt.Sprint(member, "#", v), 1))
				}
			})
		})
	}
}

func write(b *testing.B, e *embedded.Engine, writes ...table.Write) {
	if err := e.Write(b.Context(), writes...); err != nil {
		b.Error(err)
	}
}
