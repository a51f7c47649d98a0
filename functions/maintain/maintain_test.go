package maintain_test

import (
	"context"
	"errors"
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

// The accounts that a member has of wallets are due by themselves, and are
// told of as a member's, not as members.
func TestRunSettlesWallets(t *testing.T) {
	e := due(t)
	s := table.NewStore(e)
	update := func(decide func(tx *table.Tx) error) {
		t.Helper()
		if err := s.Update(context.Background(), "p", decide); err != nil {
			t.Fatal(err)
		}
	}
	raw := []byte(`{"wallets": [{"id": "cashback", "kind": "cashback", "expiry": {"after": "P6M"}}, {"id": "bonus", "kind": "bonus"}]}`)
	doc, err := program.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	update(func(tx *table.Tx) error {
		_, err := tx.Publish(doc, raw, start)
		return err
	})
	for i := range people {
		update(func(tx *table.Tx) error {
			a, err := tx.Account(fmt.Sprint("M", i))
			if err != nil {
				return err
			}
			for _, wallet := range []string{"cashback", "bonus"} {
				if _, err := tx.Credit(a, loyalty.Award{Wallet: wallet, Points: 500}, loyalty.Entry{Ref: "x", At: start.Unix()}, start); err != nil {
					return err
				}
			}
			return tx.PutAccount(a)
		})
	}
	if n := standing(t, e); n != 2*people { // a bonus has no end
		t.Errorf("%d accounts stand in the index, want %d", n, 2*people)
	}
	if r := run(t, handler(e, 200*24*time.Hour)); r != (maintain.Report{Schedule: "expire", Members: people, Entries: people, Holds: people, Complete: true}) {
		t.Errorf("the cashback: %+v", r)
	}
	if n := standing(t, e); n != people {
		t.Errorf("%d accounts stand in the index, want %d", n, people)
	}
	if r := run(t, handler(e, 400*24*time.Hour)); r.Members != people || r.Entries != people || r.Expired != 100*people {
		t.Errorf("the points: %+v", r)
	}
	if n := standing(t, e); n != 0 {
		t.Errorf("%d accounts stand in the index", n)
	}
	err = s.View(context.Background(), "p", func(tx *table.Tx) error {
		for wallet, left := range map[string]int64{"": 0, "cashback": 0, "bonus": 500} {
			a, err := tx.WalletAccount("M7", wallet)
			if err != nil {
				return err
			}
			if v := loyalty.Verify(a, a.Tail); !v.Valid || a.Balance != left {
				t.Errorf("%q: %+v", wallet, a)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// standing is how many accounts stand in the due index.
func standing(t *testing.T, e table.Engine) (n int) {
	t.Helper()
	for shard := range table.DueShards {
		keys, _, err := e.DueBefore(context.Background(), table.DueShard(shard), "9999", "", 1000)
		if err != nil {
			t.Fatal(err)
		}
		n += len(keys)
	}
	return n
}

// A wallet that the program has no more is settled too, and by its own: the
// program's levels are of points.
func TestRunSettlesAWalletThatIsLeft(t *testing.T) {
	e := due(t)
	s := table.NewStore(e)
	for _, raw := range []string{`{"wallets": [{"id": "cashback", "kind": "cashback", "expiry": {"after": "P6M"}}]}`, `{"tiers": {"levels": [{"id": "all", "from": 0}]}}`} {
		doc, err := program.Parse([]byte(raw), nil)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(context.Background(), "p", func(tx *table.Tx) error {
			a, err := tx.Account("M1")
			if err != nil {
				return err
			}
			if _, err := tx.Publish(doc, []byte(raw), start); err != nil || len(doc.Wallets) == 0 {
				return err
			}
			w := &loyalty.Account{Member: "M1", Wallet: "cashback"}
			terms, err := doc.Compile(2, nil)
			if err != nil {
				return err
			}
			in, _ := terms.In("cashback")
			w.Credit(500, loyalty.Entry{Ref: "x", At: start.Unix()}, start, in)
			a.AddWallet("cashback")
			if _, err := tx.WalletAccount("M1", "cashback"); err != nil {
				return err
			}
			return errors.Join(tx.PutAccount(w), tx.PutAccount(a))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	run(t, handler(e, 200*24*time.Hour))
	err := s.View(context.Background(), "p", func(tx *table.Tx) error {
		a, err := tx.WalletAccount("M1", "cashback")
		if err == nil && (a.Balance != 0 || a.Standing.Level != "") {
			t.Errorf("%+v", a)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
