package totals_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/functions/totals"
	"regulars/shared/loyalty"
	"regulars/shared/orders"
	"regulars/shared/program"
	"regulars/shared/table"
	"regulars/shared/table/embedded"
	"regulars/shared/table/tabletest"
)

const rules = `{"wallets": [{"id": "cash", "kind": "cashback"}],
	"earning": {"pending": "P10D", "rules": [
		{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}},
		{"id": "back", "on": "order", "wallet": "cash", "rate": {"points": 5, "amount": 100}}]},
	"expiry": {"after": "P2M", "to_end_of": "month"}, "redemption": {"minimum": 1}}`

// TestMain checks fewer histories than usual: each is a file of its own.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "30"); err != nil { // -rapid.checks on the command line overrides it
		panic(err)
	}
	os.Exit(m.Run())
}

// shop makes histories.
type shop struct {
	*rapid.T
	engine *embedded.Engine
	store  *table.Store
	now    time.Time
	orders map[string]loyalty.Order
	spent  []string // redemptions
	n      int
}

func open(t *rapid.T) *shop {
	dir, err := os.MkdirTemp("", "totals")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	e, err := embedded.Open(filepath.Join(dir, "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	s := &shop{T: t, engine: e, store: table.NewStore(e), now: time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC), orders: map[string]loyalty.Order{}}
	doc, err := program.Parse([]byte(rules), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.update(func(tx *table.Tx) error { _, err := tx.Publish(doc, []byte(rules), s.now); return err })
	for _, m := range members {
		s.update(func(tx *table.Tx) error { return tx.Enrol(&table.Profile{Member: m, CreatedAt: 1}) })
	}
	return s
}

var members = []string{"A", "B", "C", "D"}

// update does what a request would; what is refused is not done.
func (s *shop) update(decide func(tx *table.Tx) error) {
	var refused *loyalty.Error
	if err := s.store.Update(context.Background(), "p", decide); err != nil && !errors.As(err, &refused) {
		s.Fatal(err)
	}
}

// act does one thing, by chance.
func (s *shop) act() {
	s.n++
	s.now = s.now.Add(time.Duration(rapid.Int64Range(0, 12*24).Draw(s.T, "hours")) * time.Hour)
	member := rapid.SampledFrom(members).Draw(s.T, "member")
	id := fmt.Sprint(rapid.IntRange(1, 5).Draw(s.T, "id"))
	on := func(decide func(a *loyalty.Account, t *loyalty.Terms, tx *table.Tx) error) {
		s.update(func(tx *table.Tx) error {
			a, err := tx.Holder(member)
			if err != nil {
				return err
			}
			t, err := tx.Terms()
			if err != nil {
				return err
			}
			if err := decide(a, t, tx); err != nil {
				return err
			}
			return tx.PutAccount(a)
		})
	}
	switch rapid.SampledFrom([]string{"order", "order", "order", "cancel", "spend", "spend", "undo", "gift", "settle", "merge", "hold"}).Draw(s.T, "act") {
	case "order", "cancel":
		o, told := s.orders[id]
		if !told {
			o = loyalty.Order{
				Source: "till", ID: id, State: loyalty.Paid, Currency: "ILS", PaidAt: s.now, Member: "mem_" + member,
				Lines: []loyalty.Line{{ID: "1", Quantity: 1, UnitPrice: 9000, Amount: 9000}},
			}
		} else {
			o.State = loyalty.Cancelled
		}
		o.Version.N++
		s.orders[id] = o
		s.update(func(tx *table.Tx) error {
			_, err := orders.Take(tx, &o, orders.Teller{Now: s.now, Seed: fmt.Sprint(s.n)})
			return err
		})
	case "spend", "hold":
		capture := rapid.Bool().Draw(s.T, "capture")
		points := rapid.Int64Range(1, 100).Draw(s.T, "points")
		on(func(a *loyalty.Account, t *loyalty.Terms, tx *table.Tx) error {
			r, err := a.Hold(fmt.Sprint("R", s.n), points, 0, t, s.now)
			if err != nil {
				return err
			}
			if _, err := tx.Redemption(r.ID); err == nil {
				return nil
			}
			if capture {
				if err := a.Capture(r, loyalty.OrderRef{}, t, s.now); err != nil {
					return err
				}
			}
			tx.PutRedemption(r)
			return nil
		})
		s.spent = append(s.spent, fmt.Sprint("R", s.n))
	case "undo":
		if len(s.spent) == 0 {
			return
		}
		id := rapid.SampledFrom(s.spent).Draw(s.T, "redemption")
		s.update(func(tx *table.Tx) error {
			r, err := tx.Redemption(id)
			if err != nil {
				return err
			}
			a, err := tx.Holder(r.Member)
			if err != nil {
				return err
			}
			t, err := tx.Terms()
			if err != nil {
				return err
			}
			if err := a.Cancel(r, t, s.now); err != nil {
				return err
			}
			tx.PutRedemption(r)
			return tx.PutAccount(a)
		})
	case "gift":
		on(func(a *loyalty.Account, t *loyalty.Terms, _ *table.Tx) error {
			return a.Adjust(rapid.Int64Range(1, 500).Draw(s.T, "points"), fmt.Sprint("gift ", s.n), "", t, s.now)
		})
	case "settle":
		on(func(a *loyalty.Account, t *loyalty.Terms, _ *table.Tx) error { a.Settle(s.now, t); return nil })
	case "merge":
		other := rapid.SampledFrom(members).Draw(s.T, "other")
		on(func(a *loyalty.Account, t *loyalty.Terms, tx *table.Tx) error {
			from, err := tx.Account(other)
			if err != nil {
				return err
			}
			if _, err := a.Merge(from, fmt.Sprint(s.n), t, s.now); err != nil {
				return err
			}
			return tx.PutAccount(from)
		})
	}
}

// deliver gives the changes as Lambda may: three shards beside each other,
// each in its order, with batches that overlap, again and again, and the
// transactions of the counter failing, applied or not. Some are lost if lossy.
func (s *shop) deliver(lossy bool) {
	changes, _, err := s.engine.Changes(context.Background(), "", 1000)
	if err != nil {
		s.Fatal(err)
	}
	var shards [3][]table.Change
	for _, c := range changes {
		h := fnv.New32a()
		h.Write([]byte(c.PK))
		shards[h.Sum32()%3] = append(shards[h.Sum32()%3], c)
	}
	faults := tabletest.Faulty(s.engine, func([]table.Write) tabletest.Fault {
		return rapid.SampledFrom([]tabletest.Fault{tabletest.None, tabletest.None, tabletest.Lost, tabletest.Failed, tabletest.Conflict}).Draw(s.T, "fault")
	})
	c := totals.Counter{Store: table.NewStore(faults)}
	c.Store.Pause = func(context.Context, time.Duration) error { return nil }
	var place [3]int
	for {
		var open []int
		for n := range shards {
			if place[n] < len(shards[n]) {
				open = append(open, n)
			}
		}
		if len(open) == 0 {
			return
		}
		n := rapid.SampledFrom(open).Draw(s.T, "shard")
		from := max(0, place[n]-rapid.IntRange(0, 3).Draw(s.T, "again"))
		to := min(len(shards[n]), place[n]+rapid.IntRange(0, 9).Draw(s.T, "more"))
		done, err := c.Follow(context.Background(), shards[n][from:to])
		if err == nil && done != to-from {
			s.Fatalf("%d of %d done without an error", done, to-from)
		}
		if crashed := rapid.IntRange(0, 5).Draw(s.T, "crash") == 0; !crashed {
			place[n] = max(place[n], from+done)
		}
		if lossy && rapid.IntRange(0, 9).Draw(s.T, "lost") == 0 {
			place[n] = min(place[n]+rapid.IntRange(0, 5).Draw(s.T, "how many"), len(shards[n]))
		}
	}
}

func (s *shop) equal() bool {
	c := totals.Counter{Store: s.store}
	ledgers, err := c.Recount(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	equal := true
	for _, wallet := range []string{"", "cash"} {
		want := ledgers[totals.Book{Program: "p", Wallet: wallet}]
		if want == nil {
			want = totals.NewSums()
		}
		got, err := totals.Stored(context.Background(), s.store, "p", wallet)
		if err != nil {
			s.Fatal(err)
		}
		if !got.Equal(want) {
			equal = false
			s.Logf("wallet %q: %s", wallet, cmp.Diff(want, got))
		}
	}
	return equal
}

// However the stream gives changes, totals come to what the ledgers say.
func TestEveryEntryIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := open(t)
		for range rapid.IntRange(1, 3).Draw(t, "rounds") { // each tells again all that was told before
			for range rapid.IntRange(1, 25).Draw(t, "acts") {
				s.act()
			}
			s.deliver(false)
			if !s.equal() {
				t.Fatal("the totals are not what the ledgers say")
			}
		}
	})
}

// What no change told is counted with the next of the account, or by a rebuild.
func TestWhatWasLostIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := open(t)
		for range rapid.IntRange(1, 25).Draw(t, "acts") {
			s.act()
		}
		s.deliver(true)
		if rapid.Bool().Draw(t, "rebuilt") {
			c := totals.Counter{Store: s.store}
			if err := c.Rebuild(context.Background()); err != nil {
				t.Fatal(err)
			}
		} else { // every account moves once more
			for _, m := range members {
				s.update(func(tx *table.Tx) error {
					for _, wallet := range []string{"", "cash"} {
						a, err := tx.WalletAccount(m, wallet)
						if err != nil {
							return err
						}
						terms, err := tx.Terms()
						if err != nil {
							return err
						}
						if err := a.Adjust(1, fmt.Sprint("last", m), "", terms, s.now); err != nil {
							return err
						}
						if err := tx.PutAccount(a); err != nil {
							return err
						}
					}
					return nil
				})
			}
			changes, _, err := s.engine.Changes(context.Background(), "", 1000)
			if err != nil {
				t.Fatal(err)
			}
			last := map[table.Key]table.Change{}
			for _, c := range changes {
				last[c.Key] = c
			}
			for _, change := range last {
				if _, err := (&totals.Counter{Store: s.store}).Follow(context.Background(), []table.Change{change}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !s.equal() {
			t.Fatal("the totals are not what the ledgers say")
		}
	})
}

// A history that is longer than a transaction is counted in several.
func TestALongHistoryIsCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := open(t)
		days := rapid.IntRange(95, 110).Draw(t, "days")
		s.update(func(tx *table.Tx) error {
			terms, err := tx.Terms()
			if err != nil {
				return err
			}
			for _, m := range members[:2] {
				a, err := tx.Account(m)
				if err != nil {
					return err
				}
				for n := range days {
					s.now = s.now.AddDate(0, 0, 1)
					if err := a.Adjust(int64(n)+1, fmt.Sprint(n), "", terms, s.now); err != nil {
						return err
					}
				}
				if err := tx.PutAccount(a); err != nil {
					return err
				}
			}
			return nil
		})
		s.deliver(false)
		if !s.equal() {
			t.Fatal("the totals are not what the ledgers say")
		}
	})
}
