package maintain

import (
	"context"
	"fmt"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// contest closes a leaderboard's period: who won is written down first, then
// each prize is given once, however often this is begun.
func (h *Handler) contest(ctx context.Context, k table.Key, report *Report) error {
	program, now := table.ProgramOf(k), h.Clock()
	var c *table.Contest
	err := h.Store.Update(ctx, program, func(tx *table.Tx) (err error) {
		if c, err = tx.ContestAt(k); err != nil || c.Closed {
			return err
		}
		t, err := tx.Terms()
		if err != nil {
			return err
		}
		c.Closed = true
		if b := t.Board(c.Board); b != nil && b.Lowest() > 0 {
			top, err := tx.Top(c.Board, c.Period, 1000)
			if err != nil {
				return err
			}
			for _, x := range top {
				if b.PrizeOf(x.Rank) > 0 {
					c.Winners = append(c.Winners, x)
				}
			}
		}
		tx.PutContest(c)
		return nil
	})
	if err != nil || c.Paid {
		return err
	}
	for _, w := range c.Winners {
		if err := h.prize(ctx, program, c, w, now); err != nil {
			return err
		}
	}
	report.Contests++
	return h.Store.Update(ctx, program, func(tx *table.Tx) error {
		c, err := tx.ContestAt(k)
		if err != nil || c.Paid {
			return err
		}
		c.Paid = true
		tx.PutContest(c)
		return nil
	})
}

// prize gives a winner the points of the rank; an activity's natural key
// guards it.
func (h *Handler) prize(ctx context.Context, program string, c *table.Contest, w table.Ranked, now time.Time) error {
	return h.Store.Update(ctx, program, func(tx *table.Tx) error {
		act := &loyalty.Act{Activity: loyalty.Activity{Type: "leaderboard", Key: fmt.Sprint(c.Board, "/", c.Period, "/", w.Member), At: now}}
		known, err := tx.Act(act.Activity.Type, act.Activity.Key)
		if err != nil || known != nil {
			return err
		}
		a, err := tx.Holder(w.Member)
		if err != nil {
			return err
		}
		t, err := tx.TermsOfMember(a.Member)
		if err != nil {
			return err
		}
		b := t.Board(c.Board)
		if b == nil { // the program has it no more, and no prizes for it
			return nil
		}
		act.Member, act.Terms = a.Member, t.Version
		act.Awards = []loyalty.Award{{Points: b.PrizeOf(w.Rank)}}
		act.Entries = []loyalty.EntryRef{{Seq: a.Credit(b.PrizeOf(w.Rank), loyalty.Entry{Ref: act.Activity.ActRef(), At: now.Unix(), Terms: t.Version}, now, t)}}
		tx.PutAct(act)
		return tx.PutAccount(a)
	})
}
