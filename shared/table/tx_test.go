package table_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/table"
	"regulars/shared/table/embedded"
	"regulars/shared/table/tabletest"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func engine(t *testing.T) *embedded.Engine {
	t.Helper()
	e, err := embedded.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// store is a store on an engine with a program and one member.
func store(t *testing.T, e table.Engine) *table.Store {
	t.Helper()
	s := table.NewStore(e)
	doc, err := program.Parse([]byte(`{}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *table.Tx) error {
		if _, err := tx.Publish(doc, []byte(`{}`), now); err != nil {
			return err
		}
		return tx.Enrol(&table.Profile{Member: "M", CreatedAt: now.Unix()})
	})
	return s
}

func update(t *testing.T, s *table.Store, decide func(*table.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), "p", decide); err != nil {
		t.Fatal(err)
	}
}

// gift adds a point to the member.
func gift(tx *table.Tx) error {
	a, err := tx.Account("M")
	if err != nil {
		return err
	}
	t, err := tx.Terms()
	if err != nil {
		return err
	}
	if err := a.Adjust(1, fmt.Sprint("gift ", a.Seq), "", t, now); err != nil {
		return err
	}
	return tx.PutAccount(a)
}

func balance(t *testing.T, s *table.Store) (points, entries int64, valid bool) {
	t.Helper()
	err := s.View(context.Background(), "p", func(tx *table.Tx) error {
		a, err := tx.Account("M")
		if err != nil {
			return err
		}
		ledger, err := tx.Ledger(a)
		v := loyalty.Verify(a, ledger)
		points, entries, valid = a.Balance, v.Entries, v.Valid
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return points, entries, valid
}

func TestConflictsAreDecidedAgain(t *testing.T) {
	s := store(t, engine(t))
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if err := s.Update(context.Background(), "p", gift); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if points, entries, valid := balance(t, s); points != 200 || entries != 200 || !valid {
		t.Errorf("%d points in %d entries, valid %v", points, entries, valid)
	}
}

func TestConflictsEndWithTheDeadline(t *testing.T) {
	e := engine(t)
	store(t, e)
	s := table.NewStore(tabletest.Faulty(e, func([]table.Write) tabletest.Fault { return tabletest.Conflict }))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.Update(ctx, "p", gift); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if points, _, _ := balance(t, s); points != 0 {
		t.Errorf("%d points", points)
	}
}

// stale answers reads that need not be fresh with what was there before.
type stale struct {
	table.Engine
	old map[table.Key]table.Item
}

func (s stale) Get(ctx context.Context, k table.Key, consistent bool) (table.Item, error) {
	if it, ok := s.old[k]; ok && !consistent {
		return it, nil
	}
	return s.Engine.Get(ctx, k, consistent)
}

func TestARefusalIsGivenOnFreshReadsOnly(t *testing.T) {
	e := engine(t)
	fresh := store(t, e)
	k := table.Key{PK: "p#MEMBER#M", SK: "ACCOUNT"}
	before, err := e.Get(context.Background(), k, true)
	if err != nil {
		t.Fatal(err)
	}
	update(t, fresh, gift)
	s := table.NewStore(stale{e, map[table.Key]table.Item{k: before}})
	spend := func(tx *table.Tx) error {
		a, err := tx.Account("M")
		if err != nil {
			return err
		}
		terms, err := tx.Terms()
		if err != nil {
			return err
		}
		red, err := a.Hold("H", 1, 0, terms, now)
		if err != nil {
			return err
		}
		tx.PutRedemption(red)
		return tx.PutAccount(a)
	}
	if err := s.Update(context.Background(), "p", spend); err != nil {
		t.Errorf("the point is there, and yet: %v", err)
	}
}

// between changes two items in one transaction after the first of them was read.
type between struct {
	table.Engine
	after  table.Key
	change func()
}

func (b *between) Get(ctx context.Context, k table.Key, consistent bool) (table.Item, error) {
	it, err := b.Engine.Get(ctx, k, consistent)
	if k == b.after && consistent && b.change != nil {
		f := b.change
		b.change = nil
		f()
	}
	return it, err
}

// Two members have 10 points together, which go from one to the other: a
// refusal that tells of another sum was made from two states.
func TestARefusalIsOfOneMoment(t *testing.T) {
	e := engine(t)
	s := store(t, e)
	update(t, s, func(tx *table.Tx) error { return tx.Enrol(&table.Profile{Member: "N", CreatedAt: now.Unix()}) })
	move := func(tx *table.Tx, member string, points int64) error {
		a, err := tx.Account(member)
		if err != nil {
			return err
		}
		terms, err := tx.Terms()
		if err != nil {
			return err
		}
		return errors.Join(a.Adjust(points, "adj", "", terms, now), tx.PutAccount(a))
	}
	update(t, s, func(tx *table.Tx) error { return move(tx, "M", 10) })
	meddled := &between{Engine: e, after: table.Key{PK: "p#MEMBER#M", SK: "ACCOUNT"}, change: func() {
		update(t, s, func(tx *table.Tx) error { return errors.Join(move(tx, "M", -10), move(tx, "N", 10)) })
	}}
	err := table.NewStore(meddled).Update(context.Background(), "p", func(tx *table.Tx) error {
		m, err := tx.Account("M")
		if err != nil {
			return err
		}
		n, err := tx.Account("N")
		if err != nil {
			return err
		}
		return loyalty.Refuse("sum", fmt.Sprint(m.Balance+n.Balance))
	})
	var refused *loyalty.Error
	if !errors.As(err, &refused) || refused.Detail != "10" {
		t.Errorf("%v, want 10", err)
	}
	if meddled.change != nil {
		t.Error("nothing was changed, so nothing is proven")
	}
}

func TestFullRunsOfEntriesGoToPages(t *testing.T) {
	e := engine(t)
	s := store(t, e)
	for i := range 150 {
		update(t, s, gift)
		it, err := e.Get(context.Background(), table.Key{PK: "p#MEMBER#M", SK: "ACCOUNT"}, true)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(it.Body); n > 1024 {
			t.Fatalf("after %d entries the account's body has %d bytes", i+1, n)
		}
	}
	pages, err := e.Query(context.Background(), table.Query{PK: "p#MEMBER#M", Prefix: "PAGE#", Limit: 100})
	if err != nil || len(pages.Items) < 3 {
		t.Fatalf("%d pages, %v", len(pages.Items), err)
	}
	if points, entries, valid := balance(t, s); points != 150 || entries != 150 || !valid {
		t.Errorf("%d points in %d entries, valid %v", points, entries, valid)
	}
	err = s.View(context.Background(), "p", func(tx *table.Tx) error {
		a, err := tx.Account("M")
		if err != nil {
			return err
		}
		for from := int64(1); from <= 150; from++ {
			got, err := tx.Entries(a, from, 3)
			if err != nil {
				return err
			}
			if int64(len(got)) != min(3, from) || got[0].Seq != from {
				t.Errorf("from %d: %d entries", from, len(got))
			}
			if len(got) > 1 && got[0].Prev != got[1].Hash {
				t.Errorf("entry %d does not follow its predecessor", from)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The index moves to an earlier instant with the points and to a later one
// with the schedule only.
func TestDueIndexMovesForwardWithTheScheduleOnly(t *testing.T) {
	e := engine(t)
	s := store(t, e)
	at := func() string {
		t.Helper()
		it, err := e.Get(context.Background(), table.Key{PK: "p#MEMBER#M", SK: "ACCOUNT"}, true)
		if err != nil {
			t.Fatal(err)
		}
		return it.Due.At
	}
	terms := func(days int) *loyalty.Terms {
		return &loyalty.Terms{
			Zone: time.UTC, Point: loyalty.Price{Points: 1, Amount: 1}, MaxShare: big.NewRat(1, 1),
			Expiry: &loyalty.Expiry{After: loyalty.Period{Days: days}}, Hold: loyalty.Period{Exact: time.Minute},
		}
	}
	adjust := func(n int64, days int) {
		update(t, s, func(tx *table.Tx) error {
			a, err := tx.Account("M")
			if err != nil {
				return err
			}
			if err := a.Adjust(n, "adj", "", terms(days), now); err != nil {
				return err
			}
			return tx.PutAccount(a)
		})
	}
	adjust(10, 20)
	if got := at(); got != "2026-03-21T12:00:00Z" {
		t.Fatalf("due %s", got)
	}
	adjust(10, 40)
	adjust(10, 10)
	if got := at(); got != "2026-03-11T12:00:00Z" {
		t.Fatalf("due %s", got)
	}
	adjust(-10, 10) // spends what dies first
	if got := at(); got != "2026-03-11T12:00:00Z" {
		t.Errorf("due %s, should have stayed", got)
	}
	update(t, s, func(tx *table.Tx) error {
		a, err := tx.Account("M")
		if err != nil {
			return err
		}
		return tx.Settled(a)
	})
	if got := at(); got != "2026-03-21T12:00:00Z" {
		t.Errorf("settled, due %s", got)
	}
}

func TestNoProgramReadsAnother(t *testing.T) {
	s := store(t, engine(t))
	err := s.View(context.Background(), "q", func(tx *table.Tx) error {
		_, err := tx.Account("M")
		return err
	})
	var e *loyalty.Error
	if !errors.As(err, &e) || e.Kind != loyalty.Missing {
		t.Errorf("%v", err)
	}
}

// meddling writes between the reading of an account and of its pages.
type meddling struct {
	table.Engine
	once func()
}

func (m *meddling) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if m.once != nil {
		f := m.once
		m.once = nil
		f()
	}
	return m.Engine.Query(ctx, q)
}

func TestALedgerIsReadWholeWhileItIsWrittenTo(t *testing.T) {
	e := engine(t)
	s := store(t, e)
	for range 50 {
		update(t, s, gift)
	}
	meddler := &meddling{Engine: e, once: func() {
		for range 50 { // the tail that was read goes to a page
			update(t, s, gift)
		}
	}}
	if points, entries, valid := balance(t, table.NewStore(meddler)); points != 50 || entries != 50 || !valid {
		t.Errorf("%d points in %d entries, valid %v", points, entries, valid)
	}
	if meddler.once != nil {
		t.Error("no page was read, so nothing is proven")
	}
}

// What a transaction wrote it reads: a budget that two parts of a decision
// draw on is drawn on twice.
func TestATransactionReadsWhatItWrote(t *testing.T) {
	s := store(t, engine(t))
	draw := func(tx *table.Tx, points int64) error {
		b, err := tx.Budget("launch")
		if err != nil {
			return err
		}
		b.Used += points
		tx.PutBudget(b)
		return nil
	}
	for range 2 { // where there is none yet, and where there is one
		update(t, s, func(tx *table.Tx) error { return errors.Join(draw(tx, 3), draw(tx, 4)) })
	}
	update(t, s, func(tx *table.Tx) error {
		b, err := tx.Budget("launch")
		if err == nil && b.Used != 14 {
			t.Errorf("%d are used of the budget, want 14", b.Used)
		}
		return err
	})
}
