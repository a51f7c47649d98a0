package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"regulars/events"
	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// checkReferrals holds every referral against the model, and that nothing
// that was to be done is left when the stream and the schedule have caught up.
func (w *world) checkReferrals(step int) {
	store := table.NewStore(w.base)
	for _, p := range w.programmes {
		if w.feed != nil {
			w.left(step, p)
		}
		if err := store.View(context.Background(), p.name, p.checkReferrals); err != nil {
			w.violated(step, "program %s: %v", p.name, err)
		}
	}
}

// left tells what the model finds undone.
func (w *world) left(step int, p *programme) {
	d := p.pairing(time.Unix(w.clock, 0))
	for _, id := range p.people {
		m := p.members[id]
		if m.into != "" || m.lead == nil {
			continue
		}
		if r := p.refs[m.lead.id]; r == nil || r.friend == "" || p.holder(r.friend).id == m.id { // else both came by one registration, and it is the other's
			d.catchUp(d.member(id))
		}
	}
	for id, r := range d.refs {
		if was := p.refs[id]; was == nil || shown(was) != shown(r) {
			w.violated(step, "nobody let the referral %s follow: it is\n%s\nand should be\n%s", id, shownOrNone(was), shown(r))
		}
	}
	for id, r := range p.refs {
		if r.stage == "pending" && r.until < w.clock-60 || r.stage == "registered" && r.closes < w.clock-60 {
			w.violated(step, "the referral %s waits though its time has come: %s", id, shown(r))
		}
	}
}

// leadOf is who brought a member, as the product has it.
func leadOf(f *loyalty.Referred) string {
	if f == nil {
		return (*lead)(nil).String()
	}
	l := lead{id: f.ID, code: f.Code, advocate: f.Advocate, clicked: f.Clicked, paid: f.Paid, left: f.Left, version: f.Terms, ranked: f.Ranked, instead: f.Replaced}
	if f.Order != (loyalty.OrderRef{}) {
		l.order = f.Order.Source + "/" + f.Order.ID
	}
	return l.String()
}

func (l *lead) String() string {
	if l == nil {
		return "nobody"
	}
	return fmt.Sprint(*l)
}

// shown is all that is compared of a referral.
func shown(r *referral) string {
	return fmt.Sprint(r.advocate, " brought ", r.friend, " by ", r.code, " ", r.way, " ", r.clicked, " to ", r.closes, ": ", r.stage, " ", r.changes, " ", reasons(r.against), " ", r.cleared,
		" order ", r.order, " ", r.paid, " ", r.left, " of ", r.least, " until ", r.until, " rank ", r.rank, " ", r.good, " revenue ", r.revenue,
		" pays ", r.toAdvocate.due, " ", r.toAdvocate.points, " and ", r.toHers.due, " ", r.toHers.points)
}

func reasons(list []string) string {
	list = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(list, ",")
}

// stored is a referral as the product has it.
func stored(r *loyalty.Referral) string {
	order := ""
	if r.Order != (loyalty.OrderRef{}) {
		order = r.Order.Source + "/" + r.Order.ID
	}
	return shown(&referral{
		advocate: r.Advocate, friend: r.Friend, code: r.Code, way: string(r.Way), clicked: r.Clicked, closes: r.Closes, stage: string(r.Stage), changes: r.Changes,
		against: r.Reasons, cleared: r.Cleared, order: order, paid: r.Paid, left: r.Left, least: r.Minimum, until: r.Until, rank: r.Rank, good: r.Counted, revenue: r.Revenue,
		toAdvocate: side{due: r.ToAdv.Due, lodged: lodged{points: r.ToAdv.Points}}, toHers: side{due: r.ToFri.Due, lodged: lodged{points: r.ToFri.Points}},
	})
}

func (p *programme) checkReferrals(tx *table.Tx) error {
	months := map[string]bool{}
	for id := range p.refs {
		months[id[:6]] = true
	}
	n, given := 0, int64(0)
	paid := map[string]string{} // by friend: the referral that is paid for
	for month := range months {
		if err := tx.Referrals(month, func(r *loyalty.Referral) error {
			n++
			if mine := p.refs[r.ID]; mine == nil || stored(r) != shown(mine) {
				return fmt.Errorf("the referral %s is\n%s\nand should be\n%s", r.ID, stored(r), shownOrNone(mine))
			}
			if t := p.rulesOf(r.Terms).refer; t != nil && t.budget > 0 {
				given += r.Counted * (r.ToAdv.Due + r.ToFri.Due)
			}
			if r.ToAdv.Points == 0 && r.ToFri.Points == 0 {
				return nil
			}
			friend, advocate := p.holder(r.Friend).id, p.holder(r.Advocate).id
			if had := paid[friend]; had != "" {
				return fmt.Errorf("%s is paid for twice, by %s and %s", friend, had, r.ID)
			}
			if paid[friend] = r.ID; friend == advocate {
				return fmt.Errorf("%s is paid for bringing herself, by %s", friend, r.ID)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	if n != len(p.refs) {
		return fmt.Errorf("there are %d referrals, and should be %d", n, len(p.refs))
	}
	b, err := tx.Budget(loyalty.ReferralBudget)
	if err != nil {
		return err
	}
	if b.Used != p.given || b.Used != given {
		return fmt.Errorf("of the budget of referrals %d are used, and should be %d; they come to %d", b.Used, p.given, given)
	}
	for at, want := range p.clicks {
		program, month, _ := strings.Cut(at, " ")
		if program != p.name {
			continue
		}
		if c, err := tx.Clicks(month, ""); err != nil || c.Clicks != want {
			return fmt.Errorf("in %s there were %d clicks, and should be %d: %w", month, c.Clicks, want, err)
		}
	}
	for _, id := range p.people {
		a, err := tx.Account(id)
		if err != nil {
			return err
		}
		if m := p.members[id]; a.Advocacy.Friends != m.friends || a.Advocacy.Revenue != m.revenue || a.FirstOrder != m.bought {
			return fmt.Errorf("%s has %+v and bought first at %d, and should have %d friends with %d, and %d", id, a.Advocacy, a.FirstOrder, m.friends, m.revenue, m.bought)
		}
	}
	return nil
}

func shownOrNone(r *referral) string {
	if r == nil {
		return "none"
	}
	return shown(r)
}

// shownReferral is what an event tells of a referral.
func shownReferral(e events.Event) string {
	var d events.Referral
	if err := json.Unmarshal(e.Data, &d); err != nil {
		return err.Error()
	}
	return strings.TrimRight(fmt.Sprint(e.Source, " ", e.Type, " ", d.Advocate, " rank ", d.Rank, " ", strings.Join(d.Reasons, ",")), " ")
}
