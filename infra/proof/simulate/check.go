package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"regulars/events"
	"regulars/functions/maintain"
	"regulars/infra/local"
	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// check holds what the product has of every member and order that changed
// since the last check against the model, and recomputes their ledgers.
func (w *world) check(step int) {
	store := table.NewStore(w.base)
	for _, p := range w.programmes {
		if err := store.View(context.Background(), p.name, func(tx *table.Tx) error {
			for _, id := range p.people {
				m := p.members[id]
				if !m.touched {
					continue
				}
				m.touched = false
				if err := w.checkMember(tx, p, m); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			w.violated(step, "program %s: %v", p.name, err)
		}
	}
}

// checkMember compares one member, to the lot and to the entry.
func (w *world) checkMember(tx *table.Tx, p *programme, m *member) error {
	a, err := tx.Account(m.id)
	if err != nil {
		return fmt.Errorf("member %s: %w", m.id, err)
	}
	ledger, err := tx.Ledger(a)
	if err != nil {
		return fmt.Errorf("ledger of %s: %w", m.id, err)
	}
	if v := loyalty.Verify(a, ledger); !v.Valid {
		return fmt.Errorf("the ledger of %s does not hold from entry %d on", m.id, v.FirstBad)
	}
	var got, want []string
	for _, e := range ledger {
		got = append(got, fmt.Sprint(e.Type, " ", e.Points))
	}
	for _, l := range m.ledger {
		want = append(want, fmt.Sprint(l.kind, " ", l.points))
	}
	if g, s := strings.Join(got, ", "), strings.Join(want, ", "); g != s {
		return fmt.Errorf("the ledger of %s is\n%s\nand should be\n%s", m.id, g, s)
	}
	lots := map[lot]bool{}
	for _, l := range a.Lots {
		lots[lot{l.Active, l.Expires, l.Points}] = true
	}
	for _, l := range m.lots {
		if !lots[l] {
			return fmt.Errorf("%s has the lots %+v, and should have %+v", m.id, a.Lots, m.lots)
		}
	}
	held := int64(0)
	for _, h := range a.Holds {
		held += h.Points()
	}
	if len(lots) != len(m.lots) || held != m.held() || a.Owed != m.owed || a.Balance != m.balance || a.Into != m.into {
		return fmt.Errorf("%s: the account is %+v, and should be %+v", m.id, a, m)
	}
	return nil
}

// finish lets everything arrive that is still on its way, sends again what
// was lost, runs the schedules until nothing is due, and checks all there is.
func (w *world) finish(step int) {
	for _, m := range w.lost {
		w.deliver(m, w.clock+1)
	}
	w.lost = nil
	for len(w.queue) > 0 && w.wrong == nil {
		w.runUntil(w.queue[0].at + 1)
	}
	if w.wrong != nil {
		return
	}
	w.settleAll(step)
	for _, p := range w.programmes {
		for _, m := range p.members {
			m.touched = true
		}
	}
	w.check(step)
	w.checkOrders(step)
	w.checkBooks(step)
	w.checkErased(step)
	if w.feed != nil {
		w.drain(step)
		w.checkEvents(step)
	}
}

// settleAll writes down what the clock has decided until now, without faults.
func (w *world) settleAll(step int) {
	now := time.Unix(w.clock, 0)
	h := &maintain.Handler{Store: table.NewStore(w.base), Clock: func() time.Time { return now }, InTurn: true}
	if _, err := h.Run(context.Background(), maintain.Event{Schedule: "expire"}); err != nil {
		w.violated(step, "the schedule fails: %v", err)
	}
	for _, p := range w.programmes {
		for _, m := range p.members {
			m.settle(now, p.rules())
		}
	}
}

func (w *world) checkOrders(step int) {
	store := table.NewStore(w.base)
	for _, p := range w.programmes {
		if err := store.View(context.Background(), p.name, func(tx *table.Tx) error {
			for ref, o := range p.orders {
				source, id, _ := strings.Cut(ref, "/")
				rec, err := tx.Record(loyalty.OrderRef{Source: source, ID: id})
				if err != nil {
					return err
				}
				if rec == nil {
					return fmt.Errorf("order %s is not there", ref)
				}
				earned := int64(0)
				list, err := tx.EntriesOf(rec)
				if err != nil {
					return err
				}
				firsts := 0
				for _, e := range list {
					switch e.Type {
					case loyalty.Earn:
						earned += e.Points
						firsts++
					case loyalty.Clawback:
						earned += e.Points
					}
				}
				if rec.Points != o.points || o.told != nil && rec.Member != o.member {
					return fmt.Errorf("order %s is worth %d of %s, and should be worth %d of %s", ref, rec.Points, rec.Member, o.points, o.member)
				}
				if earned < rec.Points || o.at != 0 && firsts == 0 { // points that died are not clawed back
					return fmt.Errorf("the entries of order %s make %d points, it is worth %d", ref, earned, rec.Points)
				}
			}
			return nil
		}); err != nil {
			w.violated(step, "program %s: %v", p.name, err)
		}
	}
	// What an order ends at depends on its newest state only, not on how it came there.
	for _, p := range w.programmes {
		for _, s := range w.shops[p.name].orders {
			o := p.orders[s.ref()]
			if o == nil || o.told == nil || o.redemption != "" || !o.counts() {
				continue
			}
			e := s.newest()
			back := e.refunded
			for _, n := range e.refunds {
				back += n
			}
			if want := (e.goods - min(back, e.goods)) * o.rules.points / o.rules.amount; o.told == e && o.points != want {
				w.violated(step, "order %s ends at %d, its newest state is worth %d", s.ref(), o.points, want)
			}
		}
	}
}

// checkBooks recomputes the whole table, as anyone can: every ledger, the
// books of every program.
func (w *world) checkBooks(step int) {
	var out strings.Builder
	if err := local.Verify(context.Background(), w.base, &out); err != nil {
		w.violated(step, "%v: %s", err, out.String())
	}
}

// checkErased looks for the names of erased people in every item.
func (w *world) checkErased(step int) {
	for it, err := range w.items() {
		if err != nil {
			w.violated(step, "%v", err)
			return
		}
		for _, p := range w.programmes {
			for _, name := range p.erased {
				if strings.Contains(it.PK+it.SK+string(it.Body), name) {
					w.violated(step, "%s was erased, and is in %s %s", name, it.PK, it.SK)
				}
			}
		}
	}
}

// items are all items of the table.
func (w *world) items() func(yield func(table.Item, error) bool) {
	return func(yield func(table.Item, error) bool) {
		for cursor := ""; ; {
			page, err := w.base.Scan(context.Background(), cursor, 1000)
			if err != nil {
				yield(table.Item{}, err)
				return
			}
			for _, it := range page.Items {
				if !yield(it, nil) {
					return
				}
			}
			if cursor = page.Cursor; cursor == "" {
				return
			}
		}
	}
}

// drain lets the announcer catch up.
func (w *world) drain(step int) {
	r := rand.New(rand.NewPCG(w.seed, 1))
	replays := w.odds.replay
	w.odds.replay = 0
	for i := 0; w.wrong == nil; i++ {
		if w.announcer.batch(r) == 0 {
			break
		}
		if i > 1_000_000 {
			w.violated(step, "the announcer does not catch up")
		}
	}
	w.odds.replay = replays
}

var announced = map[string]string{
	"earn": events.PointsEarned, "activate": events.PointsActivated, "expire": events.PointsExpired, "clawback": events.PointsClawedBack,
	"restore": events.PointsRestored, "adjust": events.PointsAdjusted, "writeoff": events.PointsWrittenOff,
}

// checkEvents holds what the bus was told against the model's ledgers: every
// movement once, each member's in order, and nothing else.
func (w *world) checkEvents(step int) {
	want := map[string]string{}
	for _, p := range w.programmes {
		for _, m := range p.members {
			for i, l := range m.ledger {
				points := l.points + l.moved
				if kind := announced[l.kind]; kind != "" && points != 0 {
					want[fmt.Sprintf("evt_%s%010d", m.id, i+1)] = fmt.Sprintf("regulars/%s %s mem_%s %d", p.name, kind, m.id, points)
				}
			}
			want["evt_enrol_"+m.id] = fmt.Sprintf("regulars/%s %s mem_%s 0", p.name, events.MemberEnrolled, m.id)
			if m.into != "" {
				want["evt_merge_"+m.id] = fmt.Sprintf("regulars/%s %s mem_%s %d", p.name, events.MemberMerged, m.into, -m.ledger[len(m.ledger)-1].points)
			}
		}
		for id, red := range p.spent {
			if red.stage == "captured" || red.stage == "cancelled" {
				want["evt_capture_"+id] = ""
			}
			if red.stage == "cancelled" {
				want["evt_cancel_"+id] = ""
			}
		}
	}
	last := map[string]string{} // by member: the newest entry told
	for _, e := range w.announcer.told {
		if e.Type == events.HoldExpired || e.Type == events.PrivacyRequested {
			continue // of these the model keeps no list
		}
		expect, ok := want[e.ID]
		if !ok {
			w.violated(step, "event %s tells what did not happen: %s", e.ID, e.Data)
			return
		}
		var d struct {
			Member string
			Points int64
			Entry  string
		}
		if err := json.Unmarshal(e.Data, &d); err != nil {
			w.violated(step, "event %s: %v", e.ID, err)
			return
		}
		if got := fmt.Sprintf("%s %s %s %d", e.Source, e.Type, d.Member, d.Points); expect != "" && got != expect {
			w.violated(step, "event %s is %s, and should be %s", e.ID, got, expect)
		}
		if d.Entry < last[d.Member] && d.Entry != "" && !w.announcer.refused[e.ID] && !w.announcer.exempt[e.ID] {
			w.violated(step, "event %s came after %s", d.Entry, last[d.Member])
		}
		last[d.Member] = max(last[d.Member], d.Entry)
		delete(want, e.ID)
	}
	for id, what := range want {
		if !w.announcer.exempt[id] {
			w.violated(step, "event %s %s was not told", id, what)
			return
		}
	}
}

// digest is of all that the world left: every item and every event. What is
// random or real time by design is left out: sealed answers, and when an item
// may vanish.
func (w *world) digest() string {
	var lines []string
	for it, err := range w.items() {
		if err != nil {
			w.violated(0, "%v", err)
			break
		}
		if it.SK == "RECEIPT" {
			it.Body = nil
		}
		lines = append(lines, fmt.Sprintf("%q %q %d %x %v\n", it.PK, it.SK, it.Version, it.Body, it.Due))
	}
	slices.Sort(lines) // no engine states an order
	h := sha256.New()
	for _, l := range lines {
		io.WriteString(h, l)
	}
	for _, e := range w.announcer.told {
		io.WriteString(h, e.ID+"\n")
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
