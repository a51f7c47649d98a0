package announce_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/events"
	"regulars/functions/announce"
	"regulars/shared/loyalty"
	"regulars/shared/orders"
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
	const guest = "01J0000000000000000000000B"
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

// take brings an order to a state as the functions do, by all of the rules.
func (l *life) take(in loyalty.Order) {
	l.t.Helper()
	in.Source, in.Currency, in.PaidAt = "till", "ILS", l.now
	in.Lines = []loyalty.Line{{ID: "1", Quantity: 1, UnitPrice: 60000, Amount: 60000}}
	if in.State == "" {
		in.State = loyalty.Paid
	}
	l.step(func(tx *table.Tx, _ *loyalty.Terms) error {
		_, err := orders.Take(tx, &in, orders.Teller{Now: l.now, Seed: "seed/" + in.ID})
		return err
	})
}

// wallet lets a decision change a member's account of a wallet.
func (l *life) wallet(member string, decide func(tx *table.Tx, a *loyalty.Account, terms *loyalty.Terms) error) {
	l.t.Helper()
	l.step(func(tx *table.Tx, _ *loyalty.Terms) error {
		a, terms, err := tx.Wallet(member, "cashback")
		if err != nil {
			return err
		}
		if err := decide(tx, a, terms); err != nil {
			return err
		}
		return tx.PutAccount(a)
	})
}

// payout asks for money of the wallet and decides about it a day later.
func (l *life) payout(member, id string, decide func(a *loyalty.Account, r *loyalty.Redemption, terms *loyalty.Terms) error) {
	l.t.Helper()
	l.wallet(member, func(tx *table.Tx, a *loyalty.Account, terms *loyalty.Terms) error {
		red, err := a.AskPayout(id, 1000, terms.Wallet("cashback"), terms, l.now)
		if err == nil {
			tx.PutRedemption(red)
		}
		return err
	})
	l.now = l.now.Add(24 * time.Hour)
	l.wallet(member, func(tx *table.Tx, a *loyalty.Account, terms *loyalty.Terms) error {
		red, err := tx.Redemption(id)
		if err != nil {
			return err
		}
		err = decide(a, red, terms)
		tx.PutRedemption(red)
		return err
	})
}

// merge merges from into a member, with the wallet.
func (l *life) merge(into, from string) {
	l.t.Helper()
	l.step(func(tx *table.Tx, terms *loyalty.Terms) error {
		in, _ := terms.In("cashback")
		for _, wallet := range []string{"cashback", ""} {
			a, err := tx.WalletAccount(into, wallet)
			if err != nil {
				return err
			}
			b, err := tx.WalletAccount(from, wallet)
			if err != nil {
				return err
			}
			if wallet == "" {
				in = terms
			}
			vouchers, err := a.Merge(b, "merge", in, l.now)
			if err := errors.Join(err, tx.PutVouchers(vouchers, l.now), tx.PutAccount(a), tx.PutAccount(b)); err != nil {
				return err
			}
		}
		return nil
	})
}

// member is who lives the life of rewards, other is merged into her.
const (
	noa   = "01J0000000000000000000000A"
	other = "01J0000000000000000000000C"
)

// rewarded is a life with all that is told beside points: tiers, vouchers,
// badges, choices, and money of a wallet.
func rewarded(t *testing.T) *life {
	l := begin(t)
	l.publish(`{
		"wallets": [{"id": "cashback", "kind": "cashback", "expiry": {"after": "P6M"}}],
		"rewards": [{"id": "free-coffee", "lasts": "P60D"}],
		"earning": {"rules": [
			{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}},
			{"id": "back", "on": "order", "rate": {"points": 5, "amount": 100}, "wallet": "cashback"},
			{"id": "card", "on": "order", "punch_card": {"size": 1, "reward": "free-coffee"}}
		]},
		"achievements": [{"id": "explorer", "count": "orders", "reach": 1, "badge": true}],
		"tiers": {"window": "P6M", "levels": [{"id": "silver", "from": 100}]},
		"automatic_rewards": [{"id": "half-year", "brackets": [{"from": 1, "choices": [{"id": "points", "points": 5}]}]}]
	}`)
	l.enrol(noa, false)
	l.take(loyalty.Order{ID: "1001", Version: loyalty.Revision{N: 1}, Member: "mem_" + noa})
	l.payout(noa, "01J0000000000000000000000P", func(a *loyalty.Account, r *loyalty.Redemption, terms *loyalty.Terms) error {
		return a.Capture(r, loyalty.OrderRef{}, terms, l.now)
	})
	l.payout(noa, "01J0000000000000000000000Q", func(a *loyalty.Account, r *loyalty.Redemption, terms *loyalty.Terms) error {
		return a.Release(r, terms, l.now)
	})
	var code string
	l.account(noa, func(_ *table.Tx, a *loyalty.Account, _ *loyalty.Terms) error { code = a.Vouchers[0].Code; return nil })
	gift := []loyalty.Discount{{Code: code, Amount: 1000, Lines: []string{"1"}}}
	l.take(loyalty.Order{ID: "1002", Version: loyalty.Revision{N: 1}, Member: "mem_" + noa, Discounts: gift})
	l.take(loyalty.Order{ID: "1002", Version: loyalty.Revision{N: 2}, Member: "mem_" + noa, Discounts: gift, State: loyalty.Cancelled}) // she has it again
	l.take(loyalty.Order{ID: "1002", Version: loyalty.Revision{N: 3}, Member: "mem_" + noa, Discounts: gift, State: loyalty.Cancelled})
	l.take(loyalty.Order{ID: "1003", Version: loyalty.Revision{N: 1}, Member: "mem_" + noa})
	l.take(loyalty.Order{ID: "1003", Version: loyalty.Revision{N: 2}, Member: "mem_" + noa, State: loyalty.Cancelled}) // and its voucher
	l.enrol(other, false)
	l.take(loyalty.Order{ID: "2001", Version: loyalty.Revision{N: 1}, Member: "mem_" + other})
	l.merge(noa, other)
	for _, at := range []time.Time{
		time.Date(2026, 6, 30, 21, 0, 0, 0, time.UTC), // the half year is over
		time.Date(2026, 7, 30, 21, 0, 0, 0, time.UTC), // and the time to choose
		time.Date(2027, 2, 15, 22, 0, 0, 0, time.UTC), // a month before the level ends
		time.Date(2027, 3, 18, 22, 0, 0, 0, time.UTC),
	} {
		l.now = at
		l.settle(noa)
		l.wallet(noa, func(_ *table.Tx, a *loyalty.Account, terms *loyalty.Terms) error { a.Settle(l.now, terms); return nil })
	}
	return l
}

// lives are all lives, in the order in which samples are taken from them.
func lives(t *testing.T) [][]table.Change {
	t.Helper()
	return [][]table.Change{whole(t).changes(), rewarded(t).changes(), referred(t).changes()}
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

// So is what was rewarded. Nothing is told twice by those who were merged, nor
// by a payout that ends: no hold of it expired.
func TestFactsOfRewards(t *testing.T) {
	var got []string
	for _, e := range facts(t, rewarded(t).changes()) {
		var data struct{ Member, Wallet, Tier, Badge, Segment string }
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Fatal(err)
		}
		who := map[string]string{"mem_" + noa: "noa", "mem_" + other: "other"}[data.Member]
		got = append(got, strings.Join(strings.Fields(strings.Join([]string{e.Time.Format("0102"), e.Type, who, data.Wallet + data.Tier + data.Badge + data.Segment}, " ")), " "))
	}
	want := []string{
		"0215 tier.will_downgrade noa silver",
		"0315 badge.awarded noa explorer",
		"0315 member.enrolled noa",
		"0315 payout.requested noa cashback",
		"0315 points.earned noa",
		"0315 points.earned noa cashback",
		"0315 points.expired noa",
		"0315 reward.issued noa",
		"0317 tier.downgraded noa",
		"0315 tier.upgraded noa silver",
		"0316 payout.approved noa cashback",
		"0316 payout.requested noa cashback",
		"0317 badge.awarded other explorer",
		"0317 member.enrolled other",
		"0317 member.merged noa",
		"0317 payout.rejected noa cashback",
		"0317 points.clawed_back noa",
		"0317 points.clawed_back noa",
		"0317 points.clawed_back noa cashback",
		"0317 points.clawed_back noa cashback",
		"0317 points.earned noa",
		"0317 points.earned noa",
		"0317 points.earned noa cashback",
		"0317 points.earned noa cashback",
		"0317 points.earned other",
		"0317 points.earned other cashback",
		"0317 points.expired noa",
		"0317 reward.issued noa",
		"0317 reward.issued other",
		"0317 reward.used noa",
		"0317 reward.withdrawn noa",
		"0315 segment.entered noa new",
		"0317 segment.entered noa new",
		"0317 segment.entered noa new",
		"0317 segment.entered noa repeat",
		"0317 segment.entered noa repeat",
		"0317 segment.entered other new",
		"0317 segment.left noa new",
		"0317 segment.left noa new",
		"0317 segment.left noa repeat",
		"0317 segment.left noa repeat",
		"0317 tier.upgraded other silver",
		"0630 reward.choice_offered noa",
		"0730 points.earned noa",
		"0915 points.expired noa cashback",
		"0917 points.expired noa cashback",
	}
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
	for _, e := range facts(t, slices.Concat(lives(t)...)) {
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
	for _, changes := range lives(t) {
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
}

// Items that vanish, and items of kinds that tell nothing, are no news.
func TestFactsOfNothing(t *testing.T) {
	for _, c := range slices.Concat(lives(t)...) {
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
