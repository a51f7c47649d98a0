package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Each control is a mistake that systems of this kind are known to make. The
// simulation has to notice every one, or its silence proves nothing.
var controls = []struct {
	name  string
	fault seam
}{
	{"an order is known by its delivery id only", beneath(func(w *world, e table.Engine) table.Engine {
		return &byDelivery{Engine: e, w: w, seen: map[string]bool{}}
	})},
	{"an idempotency key is good for ten minutes", beneath(func(w *world, e table.Engine) table.Engine {
		return &tenMinutes{Engine: e, w: w, at: map[table.Key]int64{}}
	})},
	{"balance and ledger are two writes", beneath(func(_ *world, e table.Engine) table.Engine { return &twoWrites{e} })},
	{"a refund is decided by the rules of today", beneath(func(_ *world, e table.Engine) table.Engine { return &today{e} })},
	{"a write is acknowledged before it is made", beneath(func(_ *world, e table.Engine) table.Engine { return &tooSoon{e} })},
	{"every read may be a little old", beneath(func(_ *world, e table.Engine) table.Engine { return &old{e} })},
	{"a version is not compared", beneath(func(w *world, e table.Engine) table.Engine { return &blind{e, w} })},
	{"another program's member is found", beneath(func(_ *world, e table.Engine) table.Engine { return &open{e} })},
	{"a voucher can be used twice", beneath(func(_ *world, e table.Engine) table.Engine { return &reusable{e} })},
	{"a payout forgets its hold", beneath(func(_ *world, e table.Engine) table.Engine { return &forgetful{e} })},
	{"a refund is valued by the tier of today", beneath(func(_ *world, e table.Engine) table.Engine { return &repriced{e} })},
	{"a budget is counted by each process for itself", beneath(func(_ *world, e table.Engine) table.Engine { return &spendthrift{e} })},
	{"an activity is rewarded as often as it is told", beneath(func(_ *world, e table.Engine) table.Engine { return &generous{e} })},
	{"cashback has no conditions on it", beneath(func(w *world, e table.Engine) table.Engine { return &loose{e, w} })},
	{"what an order counted as spent is not taken back", beneath(func(_ *world, e table.Engine) table.Engine { return &hoarding{e} })},
	{lateToShow, seam{engine: func(_ *world, e table.Engine) table.Engine { return &short{e} }, kinds: []Kind{newOrder, changedOrder, mergeMembers, runSchedule}}},
	{"a rank is not kept", beneath(func(_ *world, e table.Engine) table.Engine { return &ranking{e} })},
	{"a refund leaves the rewards of a referral", beneath(func(_ *world, e table.Engine) table.Engine { return &lenient{e} })},
	{"every order of a friend counts", beneath(func(_ *world, e table.Engine) table.Engine { return &anyOrder{e} })},
	{"registrations are forgotten", beneath(func(_ *world, e table.Engine) table.Engine { return &forgotten{e} })},
	{"who was merged is still two", beneath(func(_ *world, e table.Engine) table.Engine { return &twins{e} })},
	{"a code leads into every program", beneath(func(_ *world, e table.Engine) table.Engine { return &everywhere{e} })},
	{"nobody looks at networks", beneath(func(_ *world, e table.Engine) table.Engine { return &trusting{e} })},
	{"a run leaves members in segments", inRuns(func(e table.Engine) table.Engine { return &sticky{e} })},
	{"a run decides by what it read", inRuns(func() func(table.Engine) table.Engine {
		sides := map[table.Key][]byte{}
		return func(e table.Engine) table.Engine { return &bygone{e, sides} }
	}())},
	{"a run that was overtaken goes on", inRuns(func(e table.Engine) table.Engine { return &obstinate{e} })},
	{"a run's changes have no number", inRuns(func(e table.Engine) table.Engine { return &hasty{e} })},
	{"a run knows no segments of the program's own", inRuns(func(e table.Engine) table.Engine { return &unaware{e} })},
	{"a run misses members", inRuns(func(e table.Engine) table.Engine { return &absent{e} })},
	{"a segment that is left is not announced", seam{feed: func(f table.Feed) table.Feed { return &muffled{f} }, kinds: segmentKinds}},
	{"money is a float", seam{handler: floats}},
	{"a request in a hundred fails by itself", seam{handler: flaky}},
	{"a change is not announced", seam{feed: func(f table.Feed) table.Feed { return &deaf{Feed: f} }}},
}

// lateToShow is a mistake that shows only on who has bought on many days.
const lateToShow = "days that leave the account are lost"

// inRuns is beneath, in a world in which runs are most of what happens.
func inRuns(f func(table.Engine) table.Engine) seam {
	return seam{engine: func(_ *world, e table.Engine) table.Engine { return f(e) }, kinds: segmentKinds}
}

func beneath(f func(*world, table.Engine) table.Engine) seam { return seam{engine: f} }

func TestEveryControlIsNoticed(t *testing.T) {
	t.Parallel()
	for _, c := range controls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for world := range 5 {
				last := 3000
				switch {
				case c.name == lateToShow:
					last = perWorld
				case c.fault.kinds != nil:
					last = 1000 // of what is to go wrong
				}
				if what := noticed(world, last, c.fault); what != "" {
					t.Logf("world %d, %s", world, what[:min(len(what), 300)])
					return
				}
			}
			t.Error("nothing was noticed")
		})
	}
}

// noticed is what was noticed in a world; "" for nothing. What a fault left may
// be so wrong that a process falls over it.
func noticed(world, last int, fault seam) (what string) {
	defer func() {
		if p := recover(); p != nil {
			what = fmt.Sprint("a process fell over: ", p)
		}
	}()
	if w := play(1, world, last, nil, fault, nil); w.wrong != nil {
		return w.wrong.Error()
	}
	return ""
}

// A failure shrinks to what it needs.
func TestAFailureIsShrunk(t *testing.T) {
	fault := seam{handler: floats}
	w := play(1, 1, 500, nil, fault, nil)
	if w.wrong == nil {
		t.Fatal("nothing was noticed")
	}
	world, steps, wrong := shrink(1, &failure{0, w.wrong}, fault, deadline(t))
	if len(steps) > 8 { // one order can be enough, or the few that come to a goal together
		t.Errorf("%d operations are left: %v", len(steps), steps)
	}
	if again := play(1, world, steps[len(steps)-1]+1, kept(steps), fault, nil); again.wrong == nil || again.wrong.what != wrong.what {
		t.Errorf("what is left fails with %v, and should with %v", again.wrong, wrong)
	}
	t.Logf("%d operations shrink to %v", w.wrong.step+1, steps)
}

func isOrder(k table.Key) bool { return k.SK == "ORDER" }

// anew lets a write of what was pretended absent through.
func anew(ctx context.Context, e table.Engine, writes []table.Write, which func(table.Key) bool) error {
	for i, w := range writes {
		if which(w.Item.Key) {
			it, err := e.Get(ctx, w.Item.Key, true)
			if err != nil && !errors.Is(err, table.ErrNotFound) {
				return err
			}
			writes[i].Item.Version = it.Version + 1
		}
	}
	return e.Write(ctx, writes...)
}

// byDelivery forgets an order when the delivery has another id.
type byDelivery struct {
	table.Engine
	w    *world
	seen map[string]bool
}

func (e *byDelivery) id(ctx context.Context, k table.Key) string {
	t := ctx.Value(taskKey{}).(*task)
	return fmt.Sprint(k.PK, t.m.step, "/", e.w.clock) // what comes at once is one delivery
}

func (e *byDelivery) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	if isOrder(k) && !e.seen[e.id(ctx, k)] {
		return table.Item{}, table.ErrNotFound
	}
	return e.Engine.Get(ctx, k, c)
}

func (e *byDelivery) Write(ctx context.Context, writes ...table.Write) error {
	err := anew(ctx, e.Engine, writes, isOrder)
	for _, w := range writes {
		if err == nil && isOrder(w.Item.Key) {
			e.seen[e.id(ctx, w.Item.Key)] = true
		}
	}
	return err
}

// tenMinutes forgets answers, as the token of a DynamoDB transaction does.
type tenMinutes struct {
	table.Engine
	w  *world
	at map[table.Key]int64
}

func (e *tenMinutes) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	if at := e.at[k]; at != 0 && at < e.w.clock-600 {
		return table.Item{}, table.ErrNotFound
	}
	return e.Engine.Get(ctx, k, c)
}

func (e *tenMinutes) Write(ctx context.Context, writes ...table.Write) error {
	err := anew(ctx, e.Engine, writes, func(k table.Key) bool { return k.SK == "RECEIPT" })
	for _, w := range writes {
		if err == nil && w.Item.SK == "RECEIPT" {
			e.at[w.Item.Key] = e.w.clock
		}
	}
	return err
}

// twoWrites writes the order after the account.
type twoWrites struct{ table.Engine }

func (e *twoWrites) Write(ctx context.Context, writes ...table.Write) error {
	var account, rest []table.Write
	for _, w := range writes {
		if w.Item.SK == "ACCOUNT" {
			account = append(account, w)
		} else {
			rest = append(rest, w)
		}
	}
	for _, part := range [][]table.Write{account, rest} {
		if len(part) > 0 {
			if err := e.Engine.Write(ctx, part...); err != nil {
				return err
			}
		}
	}
	return nil
}

// today makes every order one of the rules in force.
type today struct{ table.Engine }

func (e *today) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	if err != nil || !isOrder(k) {
		return it, err
	}
	current, err := e.Engine.Get(ctx, table.Key{PK: table.ProgramOf(k) + "#PROGRAM", SK: "CURRENT"}, true)
	if err != nil {
		return it, err
	}
	now, err := table.Decode[table.Current](current)
	if err != nil {
		return it, err
	}
	rec, err := table.Decode[loyalty.Record](it)
	if err != nil || rec.Terms == 0 {
		return it, err
	}
	rec.Terms = now.Version
	it.Body, err = cbor.Marshal(rec)
	return it, err
}

// tooSoon loses now and then what it acknowledged.
type tooSoon struct{ table.Engine }

func (e *tooSoon) Write(ctx context.Context, writes ...table.Write) error {
	if ctx.Value(taskKey{}).(*task).rng.IntN(100) == 0 {
		return nil
	}
	return e.Engine.Write(ctx, writes...)
}

// old never reads fresh.
type old struct{ table.Engine }

func (e *old) Get(ctx context.Context, k table.Key, _ bool) (table.Item, error) {
	return e.Engine.Get(ctx, k, false)
}

// blind overwrites an account whatever it has become.
type blind struct {
	table.Engine
	w *world
}

func (e *blind) Write(ctx context.Context, writes ...table.Write) error {
	for i, w := range writes {
		if it, err := e.w.base.Get(ctx, w.Item.Key, true); err == nil && w.Item.SK == "ACCOUNT" {
			writes[i].Item.Version = it.Version + 1
		}
	}
	return e.Engine.Write(ctx, writes...)
}

// open looks for a member in every program.
type open struct{ table.Engine }

func (e *open) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	if errors.Is(err, table.ErrNotFound) && k.SK == "ACCOUNT" {
		k.PK = strings.NewReplacer("north#", "south#", "south#", "north#").Replace(k.PK)
		return e.Engine.Get(ctx, k, c)
	}
	return it, err
}

// change alters what an item says.
func change[T any](it table.Item, err error, f func(*T)) (table.Item, error) {
	if err != nil {
		return it, err
	}
	v, err := table.Decode[T](it)
	if err != nil {
		return it, err
	}
	f(v)
	it.Body, err = cbor.Marshal(v)
	return it, err
}

// reusable finds every voucher as it was issued.
type reusable struct{ table.Engine }

func (e *reusable) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	if k.SK != "VOUCHER" {
		return it, err
	}
	return change(it, err, func(v *loyalty.Voucher) { v.Stage = loyalty.VoucherIssued })
}

// forgetful writes a new payout and not what it holds.
type forgetful struct{ table.Engine }

func (e *forgetful) Write(ctx context.Context, writes ...table.Write) error {
	for _, w := range writes {
		if w.Item.SK != "REDEMPTION" || w.Item.Version > 1 {
			continue
		}
		r, err := table.Decode[loyalty.Redemption](w.Item)
		if err != nil {
			return err
		}
		if r.Payout {
			return e.Engine.Write(ctx, slices.DeleteFunc(writes, func(w table.Write) bool { return isAccount(w.Item.Key) })...)
		}
	}
	return e.Engine.Write(ctx, writes...)
}

// repriced lets every order be one of the tier that its member has by now.
type repriced struct{ table.Engine }

func (e *repriced) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	if !isOrder(k) {
		return it, err
	}
	return change(it, err, func(rec *loyalty.Record) {
		of, err := e.Engine.Get(ctx, table.Key{PK: table.ProgramOf(k) + "#MEMBER#" + rec.Member, SK: "ACCOUNT"}, true)
		if err != nil {
			return
		}
		if a, err := table.Decode[loyalty.Account](of); err == nil && rec.Facts.Tier != "" {
			rec.Facts.Tier = a.Standing.Level
		}
	})
}

// spendthrift knows of no other who drew from a budget.
type spendthrift struct{ table.Engine }

func (e *spendthrift) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	if k.SK != "BUDGET" {
		return it, err
	}
	return change(it, err, func(b *loyalty.Budget) { b.Used = 0 })
}

// generous knows no activity again.
type generous struct{ table.Engine }

func isAct(k table.Key) bool { return k.SK == "ACT" }

func (e *generous) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	if isAct(k) {
		return table.Item{}, table.ErrNotFound
	}
	return e.Engine.Get(ctx, k, c)
}

func (e *generous) Write(ctx context.Context, writes ...table.Write) error {
	return anew(ctx, e.Engine, writes, isAct)
}

// loose overwrites what a member has of another wallet whatever it has become.
type loose struct {
	table.Engine
	w *world
}

func (e *loose) Write(ctx context.Context, writes ...table.Write) error {
	for i, w := range writes {
		if it, err := e.w.base.Get(ctx, w.Item.Key, true); err == nil && strings.HasPrefix(w.Item.SK, "ACCOUNT#") {
			writes[i].Item.Version = it.Version + 1
		}
	}
	return e.Engine.Write(ctx, writes...)
}

// hoarding does not know what an order counted as spent before.
type hoarding struct{ table.Engine }

func (e *hoarding) Get(ctx context.Context, k table.Key, c bool) (table.Item, error) {
	it, err := e.Engine.Get(ctx, k, c)
	if !isOrder(k) {
		return it, err
	}
	return change(it, err, func(rec *loyalty.Record) { rec.Bought.Spent = 0 })
}

// short keeps no days but those on the account.
type short struct{ table.Engine }

func (e *short) Write(ctx context.Context, writes ...table.Write) error {
	return e.Engine.Write(ctx, slices.DeleteFunc(writes, func(w table.Write) bool { return strings.HasPrefix(w.Item.SK, "DAYS#") })...)
}

// floats reads money as many do: in units, by a float, cut off.
func floats(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/orders" {
			next.ServeHTTP(w, r)
			return
		}
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		var order map[string]any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&order); err != nil {
			panic(err)
		}
		for _, l := range order["lines"].([]any) {
			l := l.(map[string]any)
			n, err := l["amount"].(json.Number).Int64()
			if err != nil {
				panic(err)
			}
			units := float64(n) / 100 // 1.15
			l["amount"] = int64(units * 100)
		}
		if raw, err = json.Marshal(order); err != nil {
			panic(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		next.ServeHTTP(w, r)
	})
}

// flaky answers 500 where nothing was wrong; tried again, all is well.
func flaky(next http.Handler) http.Handler {
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n%100 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// deaf misses one change in a hundred.
type deaf struct{ table.Feed }

func (f *deaf) Changes(ctx context.Context, after string, limit int) ([]table.Change, string, error) {
	changes, next, err := f.Feed.Changes(ctx, after, limit)
	for i, c := range changes {
		if c.New.Version%100 == 7 {
			changes[i].SK = "PAGE#"
		}
	}
	return changes, next, err
}
