package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
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

// checkMember compares one member: what she has of every wallet, to the lot
// and to the entry, and what was counted of her.
func (w *world) checkMember(tx *table.Tx, p *programme, m *member) error {
	a, err := tx.Account(m.id)
	if err != nil {
		return fmt.Errorf("member %s: %w", m.id, err)
	}
	if err := checkPot(tx, a, &m.pot, m); err != nil {
		return err
	}
	for wallet, pot := range m.wallets {
		a, err := tx.WalletAccount(m.id, wallet)
		if err != nil {
			return fmt.Errorf("%s of member %s: %w", wallet, m.id, err)
		}
		if err := checkPot(tx, a, pot, m); err != nil {
			return fmt.Errorf("in %s: %w", wallet, err)
		}
	}
	if len(a.Wallets) != len(m.wallets) {
		return fmt.Errorf("%s has the wallets %v, and should have %d", m.id, a.Wallets, len(m.wallets))
	}
	if got, want := leadOf(a.Referred), m.lead.String(); got != want || a.FirstOrder != m.bought {
		return fmt.Errorf("%s bought first at %d, and was brought by %s; it should be %d, %s", m.id, a.FirstOrder, got, m.bought, want)
	}
	if got := slices.Sorted(slices.Values(a.Segments)); !slices.Equal(got, m.segments) || a.SegmentSeq != m.turns || int(a.Born) != m.born {
		return fmt.Errorf("%s is in %v after %d changes and was born in month %d, and should be in %v after %d, %d", m.id, got, a.SegmentSeq, a.Born, m.segments, m.turns, m.born)
	}
	return checkProgress(tx, a, m)
}

func checkPot(tx *table.Tx, a *loyalty.Account, m *pot, of *member) error {
	ledger, err := tx.Ledger(a)
	if err != nil {
		return fmt.Errorf("ledger of %s: %w", of.id, err)
	}
	if v := loyalty.Verify(a, ledger); !v.Valid {
		return fmt.Errorf("the ledger of %s does not hold from entry %d on", of.id, v.FirstBad)
	}
	var got, want []string
	for _, e := range ledger {
		got = append(got, fmt.Sprint(e.Type, " ", e.Points))
	}
	for _, l := range m.ledger {
		want = append(want, fmt.Sprint(l.kind, " ", l.points))
	}
	if g, s := strings.Join(got, ", "), strings.Join(want, ", "); g != s {
		return fmt.Errorf("the ledger of %s is\n%s\nand should be\n%s", of.id, g, s)
	}
	lots := map[lot]bool{}
	for _, l := range a.Lots {
		lots[lot{l.Active, l.Expires, l.Points}] = true
	}
	for _, l := range m.lots {
		if !lots[l] {
			return fmt.Errorf("%s has the lots %+v, and should have %+v", of.id, a.Lots, m.lots)
		}
	}
	held := int64(0)
	for _, h := range a.Holds {
		held += h.Points()
	}
	if len(lots) != len(m.lots) || held != m.held() || a.Owed != m.owed || a.Balance != m.balance || a.Into != of.into {
		return fmt.Errorf("%s: the account is %+v, and should be %+v", of.id, a, m)
	}
	return nil
}

// checkProgress compares what was counted of a member, her vouchers and her
// standing.
func checkProgress(tx *table.Tx, a *loyalty.Account, m *member) error {
	var got, want []string
	for _, t := range a.Tallies {
		got = append(got, fmt.Sprint(t.ID, " ", t.Period, " ", t.N, " ", t.Points))
	}
	for _, t := range m.tallies {
		want = append(want, fmt.Sprint(t.id, " ", t.day, " ", t.n, " ", t.points))
	}
	for _, g := range a.Goals {
		got = append(got, fmt.Sprint(g.Goal, " gave ", g.Given, " for ", g.Used, " badges ", g.Badges))
	}
	for _, id := range []string{"card", "every", "fan"} {
		badges := int64(0)
		if id == "fan" {
			badges = m.badges
		}
		if m.given[id]+m.filled[id]+badges != 0 {
			want = append(want, fmt.Sprint(id, " gave ", m.given[id], " for ", m.filled[id], " badges ", badges))
		}
	}
	for _, mo := range a.Standing.Months {
		if mo.Points != 0 {
			got = append(got, fmt.Sprint("month ", mo.Number, " ", mo.Points))
		}
	}
	for mo, n := range m.months {
		if n != 0 {
			want = append(want, fmt.Sprint("month ", mo, " ", n))
		}
	}
	for _, v := range a.Vouchers {
		item, err := tx.Voucher(v.Code)
		if err != nil {
			return err
		}
		got = append(got, fmt.Sprint("voucher ", v.Code, " ", item.Stage, " ", v.Until))
	}
	for _, v := range m.open {
		want = append(want, fmt.Sprint("voucher ", v.code, " issued ", v.until))
	}
	for _, s := range a.Spells {
		if s.Start != 0 || s.Spent != 0 || s.Offer.Period != 0 {
			got = append(got, fmt.Sprint("spell ", s.Start, " to ", s.Ends, " ", s.Spent, " offer ", s.Offer.Period, " until ", s.Offer.Until))
		}
	}
	if s := m.spell; s.start != 0 || s.spent != 0 || s.offer.period != 0 {
		want = append(want, fmt.Sprint("spell ", s.start, " to ", s.ends, " ", s.spent, " offer ", s.offer.period, " until ", s.offer.until))
	}
	s := &a.Standing
	got = append(got, fmt.Sprint("tier ", s.Level, " until ", s.Until, " ", s.Late, " changes ", s.Changes))
	want = append(want, fmt.Sprint("tier ", m.level, " until ", m.until, " ", m.late, " changes ", m.changes))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("of %s is counted\n%s\nand should be\n%s", m.id, strings.Join(got, ", "), strings.Join(want, ", "))
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
	for r := rand.New(rand.NewPCG(w.seed, 4)); len(w.queue)+len(w.waiting) > 0 && w.wrong == nil; {
		w.goOn(step, r)
		w.runUntil(w.queue[0].at + 1)
	}
	if w.wrong != nil {
		return
	}
	w.catchUp(step)
	w.settleAll(step)
	for _, p := range w.programmes {
		for _, m := range p.members {
			m.touched = true
		}
	}
	if w.check(step); w.wrong != nil {
		return
	}
	w.checkOrders(step)
	w.checkCounts(step)
	w.checkPurchases(step)
	w.checkReferrals(step)
	w.checkBooks(step)
	w.checkErased(step)
	if w.feed != nil {
		w.drain(step)
		w.checkEvents(step)
		w.checkSegments(step)
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
		for _, id := range p.people {
			m := p.members[id].copy()
			for _, wallet := range []string{"", "cash", "gift"} {
				m.settled(wallet, now, p)
			}
			p.store(m)
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
					if e.Wallet != "" {
						continue
					}
					switch e.Type {
					case loyalty.Earn:
						earned += e.Points
						firsts++
					case loyalty.Clawback:
						earned += e.Points
					}
				}
				if rec.Points != o.points || rec.ByGoals != o.byGoals || o.told != nil && rec.Member != o.member {
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
			if o == nil || o.told != s.newest() || o.redemption != "" || !o.counts() || len(o.rules.levels) > 0 || o.rules.perOrder+o.rules.launch > 0 {
				continue
			}
			fresh := &order{}
			fresh.set(o.told)
			if want := o.rules.whole(big.NewRat(sumOf(fresh.left())*o.rules.points, o.rules.amount)); o.points-o.byGoals != want {
				w.violated(step, "order %s ends at %d, its newest state is worth %d", s.ref(), o.points-o.byGoals, want)
			}
		}
	}
}

// checkCounts holds what is counted against what it was counted from, by the
// product's own items: goals against orders, the budget against what orders
// drew, vouchers against what goals gave and what accounts say can be used.
func (w *world) checkCounts(step int) {
	store := table.NewStore(w.base)
	for _, p := range w.programmes {
		if err := store.View(context.Background(), p.name, func(tx *table.Tx) error { return p.checkCounts(tx, w) }); err != nil {
			w.violated(step, "program %s: %v", p.name, err)
		}
	}
}

func (p *programme) checkCounts(tx *table.Tx, w *world) error {
	sums := map[string]int64{} // by member and goal
	drawn := int64(0)
	for ref := range p.orders {
		source, id, _ := strings.Cut(ref, "/")
		rec, err := tx.Record(loyalty.OrderRef{Source: source, ID: id})
		if err != nil {
			return err
		}
		for _, u := range rec.Uses {
			if u.Period == 0 { // limits forget days
				sums[p.holder(rec.Member).id+" "+u.ID] += u.N
			}
		}
		for _, u := range rec.Drawn {
			drawn += u.Points
		}
	}
	b, err := tx.Budget("launch")
	if err != nil {
		return err
	}
	if err := p.checkPartner(tx); err != nil {
		return err
	}
	if b.Used != drawn || b.Used > launchBudget {
		return fmt.Errorf("the budget of %d has %d used, orders drew %d", launchBudget, b.Used, drawn)
	}
	usable := map[string]bool{}
	rewards := map[string]int64{} // by member: what goals gave
	for _, id := range p.people {
		a, err := tx.Account(id)
		if err != nil {
			return err
		}
		for _, t := range a.Tallies {
			if t.Period == 0 {
				sums[id+" "+t.ID] -= t.N
			}
		}
		for _, g := range a.Goals {
			if g.Goal == "card" {
				rewards[id] = g.Given
			}
		}
		for _, v := range a.Vouchers {
			usable[v.Code] = true
		}
	}
	for what, n := range sums {
		if n != 0 {
			return fmt.Errorf("orders add %d more to %s than is counted", n, what)
		}
	}
	now := time.Unix(w.clock, 0)
	for code := range p.vouchers {
		v, err := tx.Voucher(code)
		if err != nil {
			return err
		}
		if can := v.StageAt(now) == loyalty.VoucherIssued; can != usable[code] {
			return fmt.Errorf("voucher %s is %s, and its account says that it can be used: %v", code, v.StageAt(now), usable[code])
		}
		if v.Goal == "card" && v.Stage != loyalty.VoucherWithdrawn {
			rewards[p.holder(v.Member).id]--
		}
	}
	for id, n := range rewards {
		if n != 0 {
			return fmt.Errorf("%s has %d vouchers fewer than the card gave", id, n)
		}
	}
	return nil
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
	"earn": events.PointsEarned, "refer": events.PointsEarned, "activate": events.PointsActivated, "expire": events.PointsExpired, "clawback": events.PointsClawedBack,
	"restore": events.PointsRestored, "adjust": events.PointsAdjusted, "writeoff": events.PointsWrittenOff,
}

// checkEvents holds what the bus was told against the model's ledgers: every
// movement once, each member's in order, and nothing else.
func (w *world) checkEvents(step int) {
	want := map[string]string{}
	for _, p := range w.programmes {
		for id, what := range p.happened {
			want[id] = "regulars/" + p.name + " " + what
		}
		for _, m := range p.members {
			m.eventsOf(p, &m.pot, "", want)
			for wallet, pot := range m.wallets {
				m.eventsOf(p, pot, "_"+wallet, want)
			}
			want["evt_enrol_"+m.id] = fmt.Sprintf("regulars/%s %s mem_%s", p.name, events.MemberEnrolled, m.id)
			if m.into != "" {
				want["evt_merge_"+m.id] = fmt.Sprintf("regulars/%s %s mem_%s", p.name, events.MemberMerged, m.into)
				if moved := -m.ledger[len(m.ledger)-1].points; moved != 0 {
					want["evt_merge_"+m.id] += fmt.Sprint(" ", moved)
				}
			}
		}
		for id, red := range p.spent {
			if red.payout {
				continue
			}
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
		if e.Type == events.PrivacyRequested {
			continue // of these the model keeps no list
		}
		expect, ok := want[e.ID]
		if !ok {
			w.violated(step, "event %s tells what did not happen: %s", e.ID, e.Data)
			return
		}
		if strings.HasPrefix(e.Type, "referral.") && e.Type != events.ReferralInvited {
			if got := shownReferral(e); got != expect {
				w.violated(step, "event %s is %s, and should be %s", e.ID, got, expect)
			}
			delete(want, e.ID)
			continue
		}
		var d struct {
			Member string
			Points int64
			Entry  string
			Wallet string

			Segment string
		}
		if err := json.Unmarshal(e.Data, &d); err != nil {
			w.violated(step, "event %s: %v", e.ID, err)
			return
		}
		got := fmt.Sprintf("%s %s %s", e.Source, e.Type, d.Member)
		if d.Points != 0 {
			got += fmt.Sprint(" ", d.Points)
		}
		if d.Segment != "" {
			got += " " + d.Segment
		}
		if expect != "" && got != expect {
			w.violated(step, "event %s is %s, and should be %s", e.ID, got, expect)
		}
		ledger := d.Member + d.Wallet
		if d.Entry < last[ledger] && d.Entry != "" && !w.announcer.refused[e.ID] && !w.announcer.exempt[e.ID] {
			w.violated(step, "event %s came after %s", d.Entry, last[ledger])
		}
		last[ledger] = max(last[ledger], d.Entry)
		delete(want, e.ID)
	}
	for id, what := range want {
		if !w.announcer.exempt[id] {
			w.violated(step, "event %s %s was not told", id, what)
			return
		}
	}
}

// eventsOf adds the events of what a member has of a wallet.
func (m *member) eventsOf(p *programme, of *pot, wallet string, want map[string]string) {
	for i, l := range of.ledger {
		points := l.points + l.moved
		if kind := announced[l.kind]; kind != "" && points != 0 {
			want[fmt.Sprintf("evt_%s%010d%s", m.id, i+1, wallet)] = fmt.Sprintf("regulars/%s %s mem_%s %d", p.name, kind, m.id, points)
		}
	}
	for _, id := range of.ended {
		want["evt_hold_"+id] = fmt.Sprintf("regulars/%s %s mem_%s %d", p.name, events.HoldExpired, m.id, p.spent[id].points)
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
