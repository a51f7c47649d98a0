package members

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/storefront"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Leaderboard is one period of a leaderboard.
type Leaderboard struct {
	ID     string    `json:"id"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Closed bool      `json:"closed"` // the period is over and its prizes are given
	Data   []Ranked  `json:"data"`
}

// Ranked is a member on a leaderboard.
type Ranked struct {
	Rank   int64  `json:"rank"`
	Member string `json:"member"`
	Score  int64  `json:"score"`
	Prize  int64  `json:"prize"` // points; those that were given, once the period is closed
}

// leaderboard answers the first members of a period: the one that holds at=,
// now when left out.
func (h *Handler) leaderboard(ctx context.Context, r *web.Request) (web.Answer, error) {
	limit, err := r.Limit()
	if err != nil {
		return web.Answer{}, err
	}
	at := h.Gate.Clock()
	if s := r.URL.Query().Get("at"); s != "" {
		var ok bool
		if at, ok = storefront.Instant(s); !ok {
			return web.Answer{}, loyalty.Malformed("at", s, "must be a time such as 2026-11-01T00:00:00Z")
		}
	}
	out := Leaderboard{ID: r.PathValue("id"), Data: []Ranked{}}
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		t, err := tx.Terms()
		if err != nil {
			return err
		}
		b := t.Board(out.ID)
		if b == nil {
			return loyalty.NotFound("leaderboard")
		}
		period := b.PeriodAt(at, t)
		out.From, out.Until = web.Instant(period), web.Instant(b.Ends(period, t))
		if out.Until.Year() > 9999 { // cannot be written
			return loyalty.Malformed("at", at.Format(time.RFC3339), "must be in a period that ends by the year 9999")
		}
		c, err := tx.Contest(out.ID, period)
		if err != nil {
			return err
		}
		list, err := tx.Top(out.ID, period, limit)
		if err != nil {
			return err
		}
		out.Closed = c != nil && c.Closed
		for _, x := range list {
			shown := Ranked{Rank: x.Rank, Member: "mem_" + x.Member, Score: x.Score, Prize: b.PrizeOf(x.Rank)}
			if out.Closed {
				shown.Prize = 0
				for _, w := range c.Winners {
					if w.Member == x.Member {
						shown.Prize = b.PrizeOf(w.Rank)
					}
				}
			}
			out.Data = append(out.Data, shown)
		}
		return nil
	})
	return web.Answer{Body: out}, err
}

// Statement is what a partner and the program owe each other for a month.
type Statement struct {
	Partner  string `json:"partner"`
	Month    string `json:"month"`
	Currency string `json:"currency"`
	loyalty.Statement
}

func (h *Handler) statement(ctx context.Context, r *web.Request) (web.Answer, error) {
	out := Statement{Partner: r.PathValue("id"), Month: r.PathValue("month")}
	if _, err := time.Parse("2006-01", out.Month); err != nil {
		return web.Answer{}, loyalty.NotFound("statement")
	}
	err := h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		t, err := tx.Terms()
		if err != nil {
			return err
		}
		p := t.Partner(out.Partner)
		if p == nil {
			return loyalty.NotFound("partner")
		}
		out.Currency = t.Currency
		if err := tx.Movements(p.ID, out.Month, out.Add); err != nil {
			return err
		}
		out.Close(p)
		return nil
	})
	return web.Answer{Body: out}, err
}

// Exchanged is points that became a partner's units.
type Exchanged struct {
	ID     string `json:"id"`
	Member string `json:"member"`
	Points int64  `json:"points"`
	Units  int64  `json:"units"`
	Unit   string `json:"unit"`
}

// exchange gives points of a member for units of a partner, for good.
func (h *Handler) exchange(ctx context.Context, r *web.Request) (web.Answer, error) {
	var q struct {
		Member string `json:"member"`
		Points *int64 `json:"points"`
	}
	if err := r.Decode(&q); err != nil {
		return web.Answer{}, err
	}
	if q.Points == nil || *q.Points < 1 || *q.Points > loyalty.MaxPoints {
		v := ""
		if q.Points != nil {
			v = strconv.FormatInt(*q.Points, 10)
		}
		return web.Answer{}, loyalty.Malformed("/points", v, "must be a whole number from 1")
	}
	id, now := "exc_"+h.Gate.ID(), h.Gate.Clock()
	return h.Gate.Update(ctx, r, func(tx *table.Tx) (web.Answer, error) {
		a, err := tx.HolderOf(q.Member)
		if err != nil {
			return web.Answer{}, err
		}
		t, err := tx.TermsOfMember(a.Member)
		if err != nil {
			return web.Answer{}, err
		}
		p := t.Partner(r.PathValue("id"))
		if p == nil {
			return web.Answer{}, loyalty.NotFound("partner")
		}
		units, err := a.Swap(*q.Points, p, id, t, now)
		if err != nil {
			return web.Answer{}, err
		}
		m := loyalty.Movement{Type: "exchange", Points: *q.Points, Units: units, At: now.Unix(), Member: a.Member}
		if err := tx.PutMovement(p.ID, id, m, t); err != nil {
			return web.Answer{}, err
		}
		return web.Answer{Status: http.StatusCreated, Body: Exchanged{id, "mem_" + a.Member, *q.Points, units, p.Exchange.Unit}}, tx.PutAccount(a)
	})
}
