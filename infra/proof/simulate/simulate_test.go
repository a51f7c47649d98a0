package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"regulars/shared/table"
	"regulars/shared/table/dynamo"
	"regulars/shared/table/embedded"
	"regulars/shared/table/tabletest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // refusals by the thousand are what is simulated
	os.Exit(m.Run())
}

// deadline is some time before the test's own.
func deadline(t *testing.T) time.Time {
	if end, ok := t.Deadline(); ok && time.Until(end) < 2*time.Minute {
		return end.Add(-time.Second)
	}
	return time.Now().Add(time.Minute)
}

// 20,000 operations under every fault, and no difference to the model.
func TestSimulation(t *testing.T) {
	const seed, ops = 1, 20_000
	r, failed := simulate(seed, ops, func(int, tally) {})
	if failed != nil {
		t.Fatalf("go run ./infra/proof/simulate -seed %d -world %d: %v", seed, failed.world, failed.wrong)
	}
	t.Log(r)
	// A simulation in which nothing goes wrong would prove little.
	if r.Operations != ops || r.Deliveries < ops*3/2 || r.Faults < ops/2 || r.Crashes < ops/100 || r.Writes < ops || r.Events < ops/2 {
		t.Errorf("too little happened: %+v", r)
	}
	for _, k := range kinds {
		done, unanswered := 0, 0
		for o, n := range r.Outcomes {
			if o.kind == k.Name && (strings.HasPrefix(o.end, "20") || o.end == "done" || o.end == "404 not_found") {
				done += n
			}
			if o.kind == k.Name && o.end == "no answer" {
				unanswered += n
			}
		}
		if done == 0 || unanswered == 0 {
			t.Errorf("%s: %d ended well, %d had no answer", k.Name, done, unanswered)
		}
	}
}

// Worlds that once showed a fault, which was mended.
func TestSeedsThatFoundSomething(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		world int
		ops   int
		what  string
	}{
		{1, 0, 1300, "an order just after an erasure went to the erased member, by an identity read a little old"},
		{1, 1, 8500, "a refusal was answered although it could not be kept under its idempotency key"},
		{1, 3, perWorld, "a merge took over a profile read a little old, and an erasure missed who had been merged before"},
		{2, 6, 9900, "a change of a member just merged away went to a profile that nobody reads"},
		{2, 9, 6500, "an erasure of many merged members began anew with every attempt"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			if testing.Short() {
				c.ops = min(c.ops, 2000)
			}
			if w := play(c.seed, c.world, c.ops, nil, seam{}, nil); w.wrong != nil {
				t.Error(w.wrong)
			}
		})
	}
}

// Eventual reads that are always old, and nothing else that hides it.
func TestReadsThatAreAlwaysOld(t *testing.T) {
	w := newWorld(3, odds{stale: 1, together: .2, duplicate: .2, reorder: .1}, seam{})
	if w.live(5000, nil); w.wrong != nil {
		t.Error(w.wrong)
	}
}

func TestSameSeedSameDigest(t *testing.T) {
	digest := func(seed uint64) string {
		w := play(seed, 0, 1500, nil, seam{}, nil)
		if w.wrong != nil {
			t.Error(w.wrong)
		}
		return w.digest()
	}
	first := digest(7)
	if again := digest(7); again != first {
		t.Errorf("the same seed ended at %s and at %s", first, again)
	}
	if digest(8) == first {
		t.Error("another seed ended at the same digest")
	}
}

// The same world on every engine ends in the same table, to the byte.
func TestEnginesEndAtOneDigest(t *testing.T) {
	const seed, ops = 11, 250
	live := func(t *testing.T, e table.Engine) string {
		w := openWorld(seed, usual, seam{}, e, nil)
		if w.live(ops, nil); w.wrong != nil {
			t.Error(w.wrong)
		}
		return w.digest()
	}
	memory := newWorld(seed, usual, seam{})
	memory.feed = nil
	if memory.live(ops, nil); memory.wrong != nil {
		t.Fatal(memory.wrong)
	}
	want := memory.digest()
	t.Run("embedded", func(t *testing.T) {
		e, err := embedded.Open(filepath.Join(t.TempDir(), "table.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if got := live(t, e); got != want {
			t.Errorf("digest %s, in memory %s", got, want)
		}
	})
	t.Run("dynamodb", func(t *testing.T) {
		endpoint, key := tabletest.DynamoDBLocal(t)
		client := dynamodb.NewFromConfig(dynamo.LocalConfig(endpoint, key+"simulate"))
		if err := dynamo.CreateTable(t.Context(), client, "simulated"); err != nil {
			t.Fatal(err)
		}
		if got := live(t, dynamo.New(client, "simulated")); got != want {
			t.Errorf("digest %s, in memory %s", got, want)
		}
	})
}

// What is printed to see a failure again is understood.
func TestOperationsAreNamedByNumber(t *testing.T) {
	list, err := parseInts("3,17,20")
	if err != nil || fmt.Sprint(list) != "[3 17 20]" || joinInts(list) != "3,17,20" {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := parseInts("3,x"); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("%v", err)
	}
	w := play(1, 0, 21, kept(list), seam{}, nil)
	if w.tally.Operations != 3 {
		t.Errorf("%d operations were done of 3", w.tally.Operations)
	}
}
