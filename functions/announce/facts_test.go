package announce_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/events"
	"regulars/functions/announce"
	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/table"
	"regulars/shared/table/embedded"
)

var update = flag.Bool("update", false, "write events/samples anew")

// life is a program in a table: each step is one transaction, as the
// functions make them, and the table's feed tells what it changed.
type life struct {
	t     *testing.T
	store *table.Store
	feed  table.Feed
	now   time.Time
}

func begin(t *testing.T) *life {
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
	return &life{t, table.NewStore(e), e, time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC)}
}

// step decides something by the terms in force.
func (l *life) step(decide func(tx *table.Tx, terms *loyalty.Terms) error) {
	l.t.Helper()
	if err := l.store.Update(context.Background(), "shop1", func(tx *table.Tx) error {
		terms, err := tx.Terms()
		if err != nil {
			return err
		}
		return decide(tx, terms)
	}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) publish(doc string) {
	l.t.Helper()
	d, err := program.Parse([]byte(doc), nil)
	if err != nil {
		l.t.Fatal(err)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := l.store.Update(context.Background(), "shop1", func(tx *table.Tx) error {
		_, err := tx.Publish(d, raw, l.now)
		return err
	}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) enrol(member string, guest bool) {
	l.t.Helper()
	l.step(func(tx *table.Tx, _ *loyalty.Terms) error {
		return tx.Enrol(&table.Profile{Member: member, Guest: guest, CreatedAt: l.now.Unix()})
	})
}

// order brings a member's order to a state.
func (l *life) order(member, id string, version, refunded int64) {
	l.t.Helper()
	l.step(func(tx *table.Tx, terms *loyalty.Terms) error {
		in := &loyalty.Order{
			Source: "till", ID: id, Version: loyalty.Revision{N: version}, State: loyalty.Paid, Currency: "ILS", PaidAt: l.now,
			Lines: []loyalty.Line{{ID: "1", Quantity: 1, UnitPrice: 10000, Amount: 10000}}, Refunded: refunded,
		}
		rec, err := tx.Record(in.Ref())
		if err != nil {
			return err
		}
		if rec == nil {
			rec = &loyalty.Record{Member: member, Terms: terms.Version}
		}
		if _, err := rec.Receive(in, false); err != nil {
			return err
		}
		a, err := tx.Account(member)
		if err != nil {
			return err
		}
		if _, err := a.Apply(rec, loyalty.Telling{Pinned: terms, Current: terms, Now: l.now}); err != nil {
			return err
		}
		tx.PutRecord(rec)
		return tx.PutAccount(a)
	})
}

// account lets a decision change a member's account.
func (l *life) account(member string, decide func(tx *table.Tx, a *loyalty.Account, terms *loyalty.Terms) error) {
	l.t.Helper()
	l.step(func(tx *table.Tx, terms *loyalty.Terms) error {
		a, err := tx.Account(member)
		if err != nil {
			return err
		}
		if err := decide(tx, a, terms); err != nil {
			return err
		}
		return tx.PutAccount(a)
	})
}

func (l *life) hold(member, id string, points int64) {
	l.t.Helper()
	l.account(member, func(tx *table.Tx, a *loyalty.Account, terms *loyalty.Terms) error {
		red, err := a.Hold(id, points, 0, terms, l.now)
		if err == nil {
			tx.PutRedemption(red)
		}
		return err
	})
}

// redemption lets a decision change a redemption and its member's account.
func (l *life) redemption(member, id string, decide func(*loyalty.Account, *loyalty.Redemption, *loyalty.Terms) error) {
	l.t.Helper()
	l.account(member, func(tx *table.Tx, a *loyalty.Account, terms *loyalty.Terms) error {
		red, err := tx.Redemption(id)
		if err != nil {
			return err
		}
		err = decide(a, red, terms)
		tx.PutRedemption(red)
		return err
	})
}

func (l *life) settle(member string) {
	l.t.Helper()
	l.account(member, func(_ *table.Tx, a *loyalty.Account, terms *loyalty.Terms) error { a.Settle(l.now, terms); return nil })
}

func (l *life) changes() []table.Change {
	l.t.Helper()
	list, _, err := l.feed.Changes(context.Background(), "", 1000)
	if err != nil {
		l.t.Fatal(err)
	}
	return list
}

// whole is a life in which everything happens that is told.
func whole(t *testing.T) *life {
	const noa, guest = "01J0000000000000000000000A", "01J0000000000000000000000B"
	const held, spent, all = "01J0000000000000000000000H", "01J0000000000000000000000R", "01J0000000000000000000000S"
	l := begin(t)
	l.publish(`{"earning": {"pending": "P2D"}, "expiry": {"after": "P30D", "to_end_of": "none"}}`)
	l.enrol(noa, false)
	l.order(noa, "1001", 1, 0)
	l.now = l.now.Add(3 * 24 * time.Hour)
	l.settle(noa) // pending points can be used
	l.hold(noa, held, 20)
	l.now = l.now.Add(time.Hour)
	l.settle(noa) // the hold ends
	l.hold(noa, spent, 30)
	l.redemption(noa, spent, func(a *loyalty.Account, r *loyalty.Redemption, terms *loyalty.Terms) error {
		return a.Capture(r, loyalty.OrderRef{Source: "till", ID: "1002"}, terms, l.now)
	})
	l.redemption(noa, spent, func(a *loyalty.Account, r *loyalty.Redemption, terms *loyalty.Terms) error {
		return a.Cancel(r, terms, l.now)
	})
	l.order(noa, "1001", 2, 5000) // half comes back
	l.account(noa, func(_ *table.Tx, a *loyalty.Account, terms *loyalty.Terms) error {
		return a.Adjust(5, "adj_01J0000000000000000000000J", "for the delay", terms, l.now)
	})
	l.now = l.now.Add(60 * 24 * time.Hour)
	l.settle(noa) // all is over

	l.publish(`{"clawback": "clamp", "earning": {"pending": "P0D"}}`)
	l.order(noa, "1003", 1, 0)
	l.hold(noa, all, 100)
	l.redemption(noa, all, func(a *loyalty.Account, r *loyalty.Redemption, terms *loyalty.Terms) error {
		return a.Capture(r, loyalty.OrderRef{}, terms, l.now)
	})
	l.order(noa, "1003", 2, 10000) // more than is there
	l.enrol(guest, true)
	l.order(guest, "1004", 1, 0)
	l.step(func(tx *table.Tx, terms *loyalty.Terms) error {
		into, err := tx.Account(noa)
		if err != nil {
			return err
		}
		from, err := tx.Account(guest)
		if err != nil {
			return err
		}
		if _, err := into.Merge(from, "seed", terms, l.now); err != nil {
			return err
		}
		if err := tx.PutAccount(into); err != nil {
			return err
		}
		return tx.PutAccount(from)
	})
	l.step(func(tx *table.Tx, _ *loyalty.Terms) error {
		tx.PutPrivacyRequest("shopify\ncustomers/data_request\n1", table.PrivacyRequest{Connection: "shopify", Topic: "customers/data_request", Member: noa, At: l.now.Unix()})
		return nil
	})
	return l
}

func facts(t *testing.T, changes []table.Change) (list []events.Event) {
	t.Helper()
	for _, c := range changes {
		some, err := announce.Facts(c)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, some...)
	}
	return list
}

// What happened is told once each, in its order.
func TestFactsOfALife(t *testing.T) {
	var got []string
	for _, e := range facts(t, whole(t).changes()) {
		got = append(got, e.Type)
	}
	want := []string{
		"member.enrolled", "points.earned", "points.activated", "hold.expired", "redemption.captured", "points.restored", "redemption.cancelled",
		"points.clawed_back", "points.adjusted", "points.expired", "points.expired", "points.earned", "redemption.captured", "points.clawed_back", "points.written_off",
		"member.enrolled", "points.earned", "member.merged", "privacy.requested",
	}
	// The items of one transaction come in the order of writing, which says nothing.
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// The first event of each type is its sample, to the letter: what listeners
// parse does not change unseen.
func TestFactsAreTheSamples(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range facts(t, whole(t).changes()) {
		if seen[e.Type] {
			continue
		}
		seen[e.Type] = true
		got, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		if *update {
			if err := os.WriteFile("../../events/samples/"+e.Type+".json", got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := events.Files.ReadFile("samples/" + e.Type + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" && !*update {
			t.Errorf("%s changed; if it should, run go test ./functions/announce -update (-sample +now):\n%s", e.Type, diff)
		}
	}
	files, err := events.Files.ReadDir("samples")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(seen) {
		t.Errorf("%d types happened, there are %d samples", len(seen), len(files))
	}
}

// An id is of its cause: no two events share one, and a change that is told
// again has the same.
func TestFactsHaveIDsOfTheirOwn(t *testing.T) {
	changes := whole(t).changes()
	ids := map[string]bool{}
	once, again := facts(t, changes), facts(t, changes)
	for i, e := range once {
		if ids[e.ID] {
			t.Errorf("two events are %s", e.ID)
		}
		ids[e.ID] = true
		if again[i].ID != e.ID {
			t.Errorf("told again, %s is %s", e.ID, again[i].ID)
		}
	}
}

// Items that vanish, and items of kinds that tell nothing, are no news.
func TestFactsOfNothing(t *testing.T) {
	for _, c := range whole(t).changes() {
		gone := table.Change{Key: c.Key, Old: c.New}
		if list := facts(t, []table.Change{gone}); len(list) > 0 {
			t.Errorf("%s vanished and was told as %v", c.SK, list)
		}
		if same := (table.Change{Key: c.Key, Old: c.New, New: c.New}); len(facts(t, []table.Change{same})) > 0 {
			t.Errorf("%s was written again as it was, and was told", c.SK)
		}
		c.SK = "OTHER"
		if list := facts(t, []table.Change{c}); len(list) > 0 {
			t.Errorf("an item of another kind was told as %v", list)
		}
	}
}
