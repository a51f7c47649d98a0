package maintain_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"regulars/functions/maintain"
	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/table"
	"regulars/shared/table/embedded"
	"regulars/shared/table/tabletest"
)

const people = 60

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// due is a table in which every member has 100 points that die after a year
// and a hold of 10 of them.
func due(t *testing.T) table.Engine {
	t.Helper()
	e, err := embedded.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	doc, err := program.Parse([]byte(`{}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := table.NewStore(e)
	update := func(decide func(tx *table.Tx) error) {
		t.Helper()
		if err := s.Update(context.Background(), "p", decide); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx *table.Tx) error {
		_, err := tx.Publish(doc, []byte(`{}`), start)
		return err
	})
	for i := range people {
		update(func(tx *table.Tx) error {
			terms, err := tx.Terms()
			if err != nil {
				return err
			}
			m := fmt.Sprint("M", i)
			if err := tx.Enrol(&table.Profile{Member: m, CreatedAt: start.Unix()}); err != nil {
				return err
			}
			a := &loyalty.Account{Member: m}
			if err := a.Adjust(100, "adj", "", terms, start); err != nil {
				return err
			}
			red, err := a.Hold(fmt.Sprint("H", i), 10, 0, terms, start)
			if err != nil {
				return err
			}
			tx.PutRedemption(red)
			return tx.PutAccount(a)
		})
	}
	return e
}

func handler(e table.Engine, after time.Duration) *maintain.Handler {
	return &maintain.Handler{Store: table.NewStore(e), Clock: func() time.Time { return start.Add(after) }}
}

func run(t *testing.T, h *maintain.Handler) maintain.Report {
	t.Helper()
	r, err := h.Run(context.Background(), maintain.Event{Schedule: "expire"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunWritesDownWhatIsDueOnce(t *testing.T) {
	e := due(t)
	if r := run(t, handler(e, time.Minute)); r != (maintain.Report{Schedule: "expire", Complete: true}) {
		t.Errorf("nothing is due: %+v", r)
	}
	if r := run(t, handler(e, time.Hour)); r.Holds != people || r.Entries != 0 || r.Expired != 0 {
		t.Errorf("the holds: %+v", r)
	}
	year := handler(e, 400*24*time.Hour)
	if r := run(t, year); r.Members != people || r.Expired != 100*people || r.Entries != people {
		t.Errorf("the points: %+v", r)
	}
	if r := run(t, year); r.Members != 0 {
		t.Errorf("again: %+v", r)
	}
}

// Two runs at once, and writes whose answers are lost, write nothing twice.
func TestRunsThatOverlapAndFailWriteNothingTwice(t *testing.T) {
	e := due(t)
	var n atomic.Int64
	faulty := tabletest.Faulty(e, func([]table.Write) tabletest.Fault {
		switch n.Add(1) % 5 {
		case 0:
			return tabletest.Lost
		case 1:
			return tabletest.Failed
		case 2:
			return tabletest.Conflict
		}
		return tabletest.None
	})
	h := handler(faulty, 400*24*time.Hour)
	var wg sync.WaitGroup
	var failed atomic.Bool
	for range 2 {
		wg.Go(func() {
			r, err := h.Run(context.Background(), maintain.Event{Schedule: "expire"})
			if err != nil && r.Failed > 0 {
				failed.Store(true)
			}
		})
	}
	wg.Wait()
	if !failed.Load() {
		t.Error("no fault was told of")
	}
	run(t, handler(e, 400*24*time.Hour)) // what failed is still due
	s := table.NewStore(e)
	for i := range people {
		err := s.View(context.Background(), "p", func(tx *table.Tx) error {
			a, err := tx.Account(fmt.Sprint("M", i))
			if err != nil {
				return err
			}
			if v := loyalty.Verify(a, a.Tail); !v.Valid || a.Seq != 2 || a.Balance != 0 || len(a.Holds) != 0 {
				t.Errorf("M%d: %+v", i, a)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestARunOutOfTimeIsContinuedByTheNext(t *testing.T) {
	e := due(t)
	h := handler(e, 400*24*time.Hour)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r, err := h.Run(ctx, maintain.Event{Schedule: "expire"})
	if err != nil || r.Complete || r.Members != 0 {
		t.Errorf("%+v %v", r, err)
	}
	if r := run(t, h); !r.Complete || r.Members != people {
		t.Errorf("the next: %+v", r)
	}
}
