package segments_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	segments "regulars/functions/segment"
	"regulars/shared/bucket/buckettest"
	"regulars/shared/loyalty"
	"regulars/shared/orders"
	"regulars/shared/program"
	"regulars/shared/refresh"
	"regulars/shared/segment"
	"regulars/shared/table"
	"regulars/shared/table/embedded"
)

// shop is a program with members, and the truth about what they bought.
type shop struct {
	t      testing.TB
	engine table.Engine
	store  *table.Store
	files  *buckettest.Memory
	now    time.Time
	states map[string]loyalty.Order
	into   map[string]string
	runs   int
}

func newShop(t testing.TB, members int) *shop {
	e, err := embedded.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	s := &shop{
		t: t, engine: e, store: table.NewStore(e), files: &buckettest.Memory{}, now: time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC),
		states: map[string]loyalty.Order{}, into: map[string]string{},
	}
	s.update(func(tx *table.Tx) error {
		raw := []byte(`{"time_zone": "UTC"}`)
		doc, err := program.Parse(raw, nil)
		if err != nil {
			return err
		}
		_, err = tx.Publish(doc, raw, s.now)
		return err
	})
	for i := range members {
		s.update(func(tx *table.Tx) error { return tx.Enrol(&table.Profile{Member: member(i), CreatedAt: 1}) })
	}
	return s
}

func member(i int) string { return fmt.Sprintf("M%03d", i) }

func (s *shop) update(decide func(tx *table.Tx) error) {
	s.t.Helper()
	if err := s.store.Update(context.Background(), "p", decide); err != nil {
		s.t.Fatal(err)
	}
}

// sell tells an order, or its next state.
func (s *shop) sell(member, id string, at time.Time, amount int64, change func(*loyalty.Order)) {
	s.t.Helper()
	o, told := s.states[id]
	if !told {
		o = loyalty.Order{
			Source: "till", ID: id, State: loyalty.Paid, Currency: "ILS", PaidAt: at, Member: "mem_" + member, Store: fmt.Sprint("tlv-", amount%3),
			Lines: []loyalty.Line{{ID: "1", Quantity: 1, UnitPrice: amount, Amount: amount}},
		}
	}
	o.Version.N++
	if change != nil {
		change(&o)
	}
	s.states[id] = o
	s.update(func(tx *table.Tx) error {
		_, err := orders.Take(tx, &o, orders.Teller{Now: s.now, Seed: fmt.Sprint(id, o.Version.N)})
		return err
	})
}

func (s *shop) merge(from, into string) {
	s.t.Helper()
	if s.holder(from) == s.holder(into) {
		return
	}
	from, into = s.holder(from), s.holder(into)
	s.update(func(tx *table.Tx) error {
		t, err := tx.Terms()
		if err != nil {
			return err
		}
		a, err := tx.Account(into)
		if err != nil {
			return err
		}
		b, err := tx.Account(from)
		if err != nil {
			return err
		}
		if _, err := a.Merge(b, "seed", t, s.now); err != nil {
			return err
		}
		return errors.Join(tx.JoinPurchases(a, b), tx.PutAccount(a), tx.PutAccount(b))
	})
	s.into[from] = into
}

func (s *shop) holder(member string) string {
	for s.into[member] != "" {
		member = s.into[member]
	}
	return member
}

func (s *shop) steps() *segments.Steps {
	return &segments.Steps{Store: s.store, Files: s.files, Now: func() time.Time { return s.now }}
}

func (s *shop) begin() segments.Run {
	s.t.Helper()
	s.runs++
	r, err := s.steps().BeginOne(context.Background(), "p", fmt.Sprintf("RUN%03d", s.runs))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// drive does all steps of a run, one shard after the other.
func drive(ctx context.Context, steps *segments.Steps, r segments.Run) (*refresh.Result, error) {
	return steps.Run(ctx, r, func(ctx context.Context, _ string, do func(ctx context.Context, shard int) error) error {
		for shard := range refresh.Shards {
			if err := do(ctx, shard); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *shop) refresh() *refresh.Result {
	s.t.Helper()
	out, err := drive(context.Background(), s.steps(), s.begin())
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// accounts are those of all members who are left.
func (s *shop) accounts() map[string]*loyalty.Account {
	s.t.Helper()
	out := map[string]*loyalty.Account{}
	for cursor := ""; ; {
		page, err := s.engine.Scan(context.Background(), cursor, 1000)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, it := range page.Items {
			if it.SK == "ACCOUNT" {
				a, err := table.Decode[loyalty.Account](it)
				if err != nil {
					s.t.Fatal(err)
				}
				if a.Into == "" {
					out[a.Member] = a
				}
			}
		}
		if cursor = page.Cursor; cursor == "" {
			return out
		}
	}
}

// truth recomputes everybody's figures from the orders as they were told last.
func (s *shop) truth() []segment.Member {
	s.t.Helper()
	now := loyalty.MonthOf(s.now, time.UTC)
	type day struct{ orders, spent int64 }
	days := map[string]map[int64]day{}
	stores := map[string]map[string]bool{}
	for m := range s.accounts() {
		days[m], stores[m] = map[int64]day{}, map[string]bool{}
	}
	for _, o := range s.states {
		if o.State != loyalty.Paid || o.Refunded >= o.Lines[0].Amount {
			continue
		}
		m, n := s.holder(strings.TrimPrefix(o.Member, "mem_")), o.PaidAt.Unix()/86400
		d := days[m][n]
		days[m][n] = day{d.orders + 1, d.spent + o.Lines[0].Amount - o.Refunded}
		stores[m][o.Store] = true
	}
	var out []segment.Member
	for id, bought := range days {
		m := segment.Member{ID: id, Days: int64(len(bought)), Stores: len(stores[id])}
		for i, d := range slices.Sorted(maps.Keys(bought)) {
			x := bought[d]
			if i == 0 {
				m.First, m.FirstSpent = int32(d), x.spent
			}
			if i == 1 {
				m.Second = int32(d)
			}
			m.Last = int32(d)
			m.Orders += x.orders
			m.Spent += x.spent
			month := loyalty.MonthOf(time.Unix(d*86400, 0), time.UTC)
			if month >= now-12 && month <= now {
				m.WindowDays++
				m.WindowOrders += x.orders
				m.WindowSpent += x.spent
			}
			if month >= now-3 && month < now {
				m.Recent += x.spent
			}
			if month >= now-6 && month < now-3 {
				m.Before += x.spent
			}
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b segment.Member) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (s *shop) today() int32 { return int32(loyalty.DayOf(s.now, time.UTC)) }

// should is who must be in which segments, from scratch: everybody sorted in memory.
func (s *shop) should(all []segment.Member, models refresh.Models) map[string][]string {
	s.t.Helper()
	t := segment.DefaultRules().On(s.today())
	var presence []int64
	for i := range all {
		if t.Present(&all[i]) {
			presence = append(presence, all[i].WindowSpent)
		}
	}
	found, err := segment.Ranks(presence, segment.Median.Ranks(int64(len(presence)))...)
	if err != nil {
		s.t.Fatal(err)
	}
	t.FindHeavy(found)
	if t.Shares, err = segment.SharesOf(all); err != nil {
		s.t.Fatal(err)
	}
	out := map[string][]string{}
	for i := range all {
		m := &all[i]
		var active *float64
		if p, ok := m.Purchases(s.today()); ok && models.Buying != nil {
			a := models.Buying.Active(p.X, p.Tx, p.T)
			active = &a
		}
		names := t.Groups(m, active).Names()
		slices.Sort(names)
		out[m.ID] = names
	}
	return out
}

func (s *shop) are() map[string][]string {
	out := map[string][]string{}
	for m, a := range s.accounts() {
		var names []string
		names = append(names, a.Segments...)
		slices.Sort(names)
		out[m] = names
	}
	return out
}

// live lets random things happen.
func (s *shop) live(r *rand.Rand, members, n int) {
	ids := slices.Sorted(maps.Keys(s.states))
	for range n {
		switch k := r.IntN(20); {
		case k < 13 || len(ids) == 0:
			id := fmt.Sprint("o", len(s.states))
			at := s.now.AddDate(0, 0, -r.IntN(900)) // also told long after
			if r.IntN(3) == 0 {
				at = s.now.AddDate(0, 0, -r.IntN(20))
			}
			s.sell(s.holder(member(r.IntN(members))), id, at, int64(1+r.IntN(20))*500, nil)
			ids = append(ids, id)
		case k < 16:
			s.sell("", ids[r.IntN(len(ids))], time.Time{}, 0, func(o *loyalty.Order) { o.Refunded = int64(r.IntN(int(o.Lines[0].Amount) + 1)) })
		case k < 18:
			s.sell("", ids[r.IntN(len(ids))], time.Time{}, 0, func(o *loyalty.Order) { o.State = loyalty.Cancelled })
		case k < 19:
			s.merge(member(r.IntN(members)), member(r.IntN(members)))
		default:
			s.now = s.now.AddDate(0, 0, r.IntN(40))
		}
	}
}

func TestARefreshIsARecomputation(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			const members = 12
			s := newShop(t, members)
			for i := range 45 { // more days than an account has room for, some of which come back and move to others
				s.sell(member(0), fmt.Sprint("often", i), s.now.AddDate(0, 0, -i*(5+int(seed)*5)), 1000, nil)
			}
			for range 3 {
				s.live(r, members, 60)
				s.now = s.now.Add(time.Hour)
				result := s.refresh()
				all := s.truth()
				var repeat refresh.Repeat
				for i := range all {
					if m := &all[i]; m.Days > 0 {
						repeat.Buyers, repeat.Spent = repeat.Buyers+1, repeat.Spent+m.Spent
						if m.Days > 1 {
							repeat.Repeaters, repeat.Revenue = repeat.Repeaters+1, repeat.Revenue+m.Spent
						}
					}
				}
				repeat.Rate, repeat.Share = segment.Percent(repeat.Repeaters, repeat.Buyers), segment.Percent(repeat.Revenue, repeat.Spent)
				if diff := gocmp.Diff(repeat, result.Repeat); diff != "" || result.Members != int64(len(all)) {
					t.Errorf("%d members, want %d: %s", result.Members, len(all), diff)
				}
				if diff := gocmp.Diff(s.should(all, result.Models), s.are()); diff != "" {
					t.Fatal(diff)
				}
				groups := map[string]int64{}
				for _, names := range s.are() {
					for _, name := range names {
						groups[name]++
					}
				}
				spent, is := map[string]int64{}, s.are()
				for i := range all {
					for _, name := range is[all[i].ID] {
						spent[name] += all[i].WindowSpent
					}
				}
				for name, n := range result.Groups {
					if n != groups[name] || result.Spent[name] != spent[name] {
						t.Errorf("%d are in %s and spent %d, the result says %d and %d", groups[name], name, spent[name], n, result.Spent[name])
					}
				}
				if again := s.refresh(); again.Writes != 0 {
					t.Errorf("a second run wrote %d accounts", again.Writes)
				}
			}
		})
	}
}

// broken is an engine that fails in the middle of what it is asked.
type broken struct {
	table.Engine
	fail func() error
}

func (b *broken) Write(ctx context.Context, writes ...table.Write) error {
	if err := b.fail(); err != nil {
		return err
	}
	if err := b.Engine.Write(ctx, writes...); err != nil {
		return err
	}
	return b.fail() // the answer was lost
}

func (b *broken) Sides(ctx context.Context, keys []table.Key, visit func(table.Key, []byte) error) error {
	if err := b.fail(); err != nil {
		return err
	}
	return b.Engine.Sides(ctx, keys, visit)
}

// A run that crashes anywhere, again and again, comes to what it would have
// come to, and every change is told once.
func TestARunGoesOnAfterCrashes(t *testing.T) {
	crash := errors.New("the machine is gone")
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			s := newShop(t, 12)
			s.live(r, 12, 80)
			s.refresh()
			s.live(r, 12, 80)
			before := s.accounts()
			run := s.begin()

			fail := func() error {
				if r.IntN(25) == 0 {
					return crash
				}
				return nil
			}
			steps := s.steps()
			steps.Store = table.NewStore(&broken{s.engine, fail})
			s.files.Fail = func(string) error { return fail() }
			crashes := 0
			var result *refresh.Result
			for {
				var err error
				if result, err = drive(context.Background(), steps, run); err == nil {
					break
				}
				if !errors.Is(err, crash) {
					t.Fatal(err)
				}
				if crashes++; crashes > 5000 {
					t.Fatal("the run does not come to an end")
				}
			}
			s.files.Fail = nil
			if diff := gocmp.Diff(s.should(s.truth(), result.Models), s.are()); diff != "" {
				t.Error(diff)
			}
			for id, a := range s.accounts() {
				changed := int64(0)
				if was, is := slices.Sorted(slices.Values(before[id].Segments)), slices.Sorted(slices.Values(a.Segments)); !slices.Equal(was, is) {
					changed = 1
				}
				if n := a.SegmentSeq - before[id].SegmentSeq; n != changed {
					t.Errorf("the segments of %s changed %d times, want %d", id, n, changed)
				}
			}
			t.Logf("%d crashes", crashes)
		})
	}
}

// Of two runs at once the later one decides, whatever the steps' order.
func TestRunsThatOverlap(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			s := newShop(t, 12)
			s.live(r, 12, 80)
			first := s.begin()
			turns, next := make(chan struct{}), make(chan error, 1)
			begun, steps := s.now, s.steps()
			steps.Now = func() time.Time { return begun } // the shop's own goes on meanwhile
			// The first run goes one shard at a time, when it is let.
			go func() {
				_, err := steps.Run(context.Background(), first, func(ctx context.Context, _ string, do func(context.Context, int) error) error {
					for shard := range refresh.Shards {
						<-turns
						if err := do(ctx, shard); err != nil {
							return err
						}
					}
					return nil
				})
				next <- err
			}()
			ended := error(nil)
			over := false
			let := func(n int) {
				for range n {
					select {
					case turns <- struct{}{}:
					case ended = <-next:
						over = true
						return
					}
				}
			}
			let(r.IntN(5 * refresh.Shards))
			if over {
				t.Skip("SKIPPED: the first run was over before the second began, and nothing overlaps")
			}
			s.now = s.now.AddDate(0, 1, r.IntN(300))
			second := s.begin()
			result, err := s.steps().Run(context.Background(), second, func(ctx context.Context, _ string, do func(context.Context, int) error) error {
				for shard := range refresh.Shards {
					if !over {
						let(r.IntN(3))
					}
					if err := do(ctx, shard); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for !over {
				let(1)
			}
			if !errors.Is(ended, segments.ErrOvertaken) {
				t.Errorf("the first run ended with %v", ended)
			}
			if diff := gocmp.Diff(s.should(s.truth(), result.Models), s.are()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
