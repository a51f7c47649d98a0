package simulations_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regulars/functions/simulations"
	"regulars/shared/bucket/buckettest"
	"regulars/shared/loyalty"
	"regulars/shared/orders"
	"regulars/shared/program"
	"regulars/shared/simulation"
	"regulars/shared/table"
	"regulars/shared/table/embedded"
)

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// recorded is a table with orders of some members, and a question about them.
func recorded(t *testing.T, r *rand.Rand) (*table.Store, simulations.Run) {
	t.Helper()
	engine := must[*embedded.Engine](t)(embedded.Open(filepath.Join(t.TempDir(), "table.db")))
	t.Cleanup(func() { engine.Close() })
	store := table.NewStore(engine)
	update := func(p string, decide func(*table.Tx) error) {
		t.Helper()
		if err := store.Update(t.Context(), p, decide); err != nil {
			t.Fatal(err)
		}
	}
	document := func(doc string) (program.Document, []byte) {
		d := must[program.Document](t)(program.Parse([]byte(doc), nil))
		return d, must[[]byte](t)(json.Marshal(d))
	}
	for _, p := range []string{"shop", "shop2"} { // whose name begins as the other's
		doc, raw := document(`{}`)
		update(p, func(tx *table.Tx) error { _, err := tx.Publish(doc, raw, now.AddDate(-2, 0, 0)); return err })
		for i := range 60 {
			at := now.AddDate(0, 0, -r.IntN(500))
			o := loyalty.Order{
				Source: "till", ID: fmt.Sprint(i), Version: loyalty.Revision{N: 1}, State: loyalty.Paid, Currency: "ILS", PaidAt: at, Refunded: int64(r.IntN(2) * 500),
				Customer: &loyalty.Customer{ExternalID: fmt.Sprint(r.IntN(15))}, Lines: []loyalty.Line{{ID: "1", Quantity: 1, Amount: int64(r.IntN(30000))}},
			}
			guest := fmt.Sprintf("%s%02d", strings.ToUpper(p), i)
			update(p, func(tx *table.Tx) error {
				_, err := orders.Take(tx, &o, orders.Teller{Now: now, Guest: guest, Seed: guest})
				return err
			})
		}
	}
	_, draft := document(`{"redemption": {"minimum": 200}, "tiers": {"levels": [{"id": "silver", "from": 300, "multiplier": "1.5"}]}}`)
	run := simulations.Run{Program: "shop", ID: "01RUN"}
	update("shop", func(tx *table.Tx) error {
		tx.PutSimulation(&table.Simulation{ID: run.ID, Base: 1, Draft: draft, Until: now.Unix(), Redeemed: "0.8", Reach: 6, At: now.Unix(), Stage: table.Running})
		return nil
	})
	return store, run
}

// export writes the table as DynamoDB exports one, into so many files.
func export(t *testing.T, store *table.Store, into *buckettest.Memory, n int, r *rand.Rand) (names []string) {
	t.Helper()
	parts := make([]bytes.Buffer, n)
	for cursor := ""; ; {
		page := must[table.Page](t)(store.Engine.Scan(t.Context(), cursor, 100))
		for _, it := range page.Items {
			type s struct{ S string }
			line := map[string]any{"Item": map[string]any{"pk": s{it.PK}, "sk": s{it.SK}, "v": map[string]string{"N": fmt.Sprint(it.Version)}, "b": map[string]any{"B": it.Body}}}
			if err := json.NewEncoder(&parts[r.IntN(n)]).Encode(line); err != nil {
				t.Fatal(err)
			}
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	for i := range parts {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		w.Write(parts[i].Bytes())
		w.Close()
		name := fmt.Sprintf("exports/01RUN/AWSDynamoDB/0001-abcd/data/part%d.json.gz", i)
		names = append(names, name)
		if err := into.Put(t.Context(), name, zipped.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	manifest := "exports/01RUN/AWSDynamoDB/0001-abcd/manifest-files.json"
	if err := into.Put(t.Context(), manifest, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	return append(names, manifest)
}

// The steps as the state machine runs them, in any order, some of them twice,
// come to what one pass over all orders comes to.
func TestTheStepsComeToTheSinglePass(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 1))
		store, run := recorded(t, r)
		files := &buckettest.Memory{}
		steps := simulations.Steps{Store: store, Files: files}
		do := func(e simulations.Event) {
			t.Helper()
			e.Run = run
			for range 1 + r.IntN(2) {
				if err := steps.Do(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
		}
		names := export(t, store, files, 1+r.IntN(5), r)
		for _, i := range r.Perm(len(names)) {
			do(simulations.Event{Step: "partition", File: names[i]})
		}
		if err := steps.Do(t.Context(), simulations.Event{Run: run, Step: "merge"}); err == nil {
			t.Error("merged before all was played")
		}
		for _, shard := range r.Perm(simulation.Shards) {
			do(simulations.Event{Step: "play", Shard: shard})
		}
		do(simulations.Event{Step: "merge"})
		do(simulations.Event{Step: "fail"}) // what has ended stays
		got := asked(t, store, run)

		_, q, err := steps.Question(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		var all bytes.Buffer
		for p, err := range simulation.Told(store.OrdersOf(t.Context(), "shop", 0, 1), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if err := simulation.Append(&all, &p); err != nil {
				t.Fatal(err)
			}
		}
		whole := must[*simulation.Partial](t)(q.PlayShard([][]byte{all.Bytes()}))
		want := must[[]byte](t)(json.Marshal(must[simulation.Report](t)(q.Report(whole))))
		if got.Stage != table.Done || !bytes.Equal(got.Report, want) || whole.Orders != 60 {
			t.Errorf("seed %d, %s:\n%s\nin one pass:\n%s", seed, got.Stage, got.Report, want)
		}
	}
}

func asked(t *testing.T, store *table.Store, run simulations.Run) (x *table.Simulation) {
	t.Helper()
	err := store.View(t.Context(), run.Program, func(tx *table.Tx) (err error) { x, err = tx.Simulation(run.ID); return err })
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestARunThatFailsSaysSo(t *testing.T) {
	store, run := recorded(t, rand.New(rand.NewPCG(9, 1)))
	files := &buckettest.Memory{}
	if err := files.Put(t.Context(), "x.json.gz", []byte("not gzip")); err != nil {
		t.Fatal(err)
	}
	steps := simulations.Steps{Store: store, Files: files}
	for _, e := range []simulations.Event{{Step: "partition", File: "x.json.gz"}, {Step: "partition", File: "none.json.gz"}, {Step: "dance"}} {
		e.Run = run
		if err := steps.Do(t.Context(), e); err == nil {
			t.Errorf("%+v was done", e)
		}
	}
	if err := steps.Do(t.Context(), simulations.Event{Run: run, Step: "fail", Error: json.RawMessage(`{"Cause": "x"}`)}); err != nil {
		t.Fatal(err)
	}
	if x := asked(t, store, run); x.Stage != table.Failed || x.Reason == "" || strings.Contains(x.Reason, "gzip") {
		t.Errorf("%+v", x)
	}
}
