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
	t.Parallel()
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
	schemas, err := filepath.Glob("../../../events/schemas/*.json")
	if err != nil || len(schemas) < 20 {
		t.Fatal(len(schemas), err)
	}
	for _, path := range schemas { // there is one for each type
		if kind := strings.TrimSuffix(filepath.Base(path), ".json"); kind != "envelope" && r.Told[kind] == 0 {
			t.Errorf("no %s was told", kind)
		}
	}
	for _, k := range kinds {
		done := 0
		for o, n := range r.Outcomes {
			if o.kind == k.Name && (strings.HasPrefix(o.end, "20") || o.end == "done" || o.end == "404 not_found") {
				done += n
			}
		}
		if done == 0 {
			t.Errorf("no %s ended well", k.Name)
		}
	}
}

// Short worlds that showed a fault which was mended since.
func TestSeedsThatFoundSomething(t *testing.T) {
	t.Parallel()
	for world, what := range map[int]string{
		1_000_142: "an order went to a member who had just been erased",
		1_000_031: "a refusal was answered although it could not be kept under its idempotency key",
		1_000_016: "a redaction that was cut short forgot whom it was about",
		1_000_282: "a customer's new name went to a member who had just been merged away",
	} {
		if w := play(1, world, 250, nil, seam{}, nil); w.wrong != nil {
			t.Errorf("%s: %v", what, w.wrong)
		}
	}
}

// Eventual reads that are always old, and nothing else that hides it.
func TestReadsThatAreAlwaysOld(t *testing.T) {
	t.Parallel()
	w := newWorld(3, odds{stale: 1, together: .2, duplicate: .2, reorder: .1}, seam{})
	if w.live(5000, nil); w.wrong != nil {
		t.Error(w.wrong)
	}
}

func TestSameSeedSameDigest(t *testing.T) {
	t.Parallel()
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
