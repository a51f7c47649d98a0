package table

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"regulars/shared/loyalty"
)

// Contest is one period of a leaderboard.
type Contest struct {
	Board   string   `cbor:"1,keyasint"`
	Period  int64    `cbor:"2,keyasint"` // when it began, unix seconds
	Ends    int64    `cbor:"3,keyasint"`
	Winners []Ranked `cbor:"4,keyasint,omitempty"` // once it is closed: those who have a prize
	Closed  bool     `cbor:"5,keyasint,omitempty"`
	Paid    bool     `cbor:"6,keyasint,omitempty"` // all prizes are given
}

// Ranked is a member on a leaderboard. Who has the same score has the same
// rank; among them the lower id stands first.
type Ranked struct {
	_      struct{} `cbor:",toarray"`
	Rank   int64
	Member string
	Score  int64
}

// PutScores brings the leaderboards to what an account's tallies say, where
// they differ from those before. What a period's first score is makes its
// contest, whose end the schedule looks for.
func (tx *Tx) PutScores(a *loyalty.Account, before []loyalty.Tally, t *loyalty.Terms) error {
	for _, s := range a.Scores(before) {
		b := t.Board(s.Board)
		if b == nil {
			continue
		}
		if s.Was > 0 {
			k := scoreKey(tx.program, s.Board, s.Period, s.Was, a.Member)
			if _, err := tx.item(k); err != nil {
				return err
			}
			tx.remove(k)
		}
		if s.Is == 0 {
			continue
		}
		k := scoreKey(tx.program, s.Board, s.Period, s.Is, a.Member)
		if _, err := tx.item(k); err != nil {
			return err
		}
		tx.put(k, encode(s.Is))
		if s.Was == 0 {
			if err := tx.begin(b, s.Period, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (tx *Tx) begin(b *loyalty.Board, period int64, t *loyalty.Terms) error {
	k := boardKey(tx.program, b.ID, period)
	c, err := fresh[Contest](tx, k)
	if c != nil || err != nil {
		return err
	}
	ends := b.Ends(period, t)
	tx.put(k, encode(&Contest{Board: b.ID, Period: period, Ends: ends}), func(it *Item) {
		it.Due = due(k.PK, ends)
	})
	return nil
}

// Contest reads one period of a leaderboard; nil when nobody scored.
func (tx *Tx) Contest(board string, period int64) (*Contest, error) {
	return get[Contest](tx, boardKey(tx.program, board, period))
}

// ContestAt reads the contest of a key in the due index.
func (tx *Tx) ContestAt(k Key) (*Contest, error) {
	parts := strings.Split(k.PK, "#")
	period, err := strconv.ParseInt(parts[len(parts)-1], 10, 64)
	if err != nil {
		return nil, err
	}
	return tx.Contest(parts[len(parts)-2], period)
}

// PutContest writes a contest; once it is paid nothing more is due.
func (tx *Tx) PutContest(c *Contest) {
	k := boardKey(tx.program, c.Board, c.Period)
	tx.put(k, encode(c), func(it *Item) {
		it.Due = due(k.PK, c.Ends)
		if c.Paid {
			it.Due = Due{}
		}
	})
}

// Top reads the first members of a leaderboard, at most limit of them.
func (tx *Tx) Top(board string, period int64, limit int) ([]Ranked, error) {
	var all []Ranked
	for shard := range scoreShards {
		found := 0
		for after := ""; found < limit; {
			page, err := tx.store.Engine.Query(tx.ctx, Query{PK: scorePK(tx.program, board, period, shard), Prefix: "SCORE#", After: after, Limit: limit, Consistent: true})
			if err != nil {
				return nil, err
			}
			for _, it := range page.Items {
				score, err := Decode[int64](it)
				if err != nil {
					return nil, err
				}
				all = append(all, Ranked{Member: it.SK[strings.LastIndexByte(it.SK, '#')+1:], Score: *score})
				found++
			}
			if after = page.Cursor; after == "" {
				break
			}
		}
	}
	slices.SortFunc(all, func(x, y Ranked) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.Member, y.Member))
	})
	all = all[:min(limit, len(all))]
	for i := range all {
		all[i].Rank = int64(i) + 1
		if i > 0 && all[i].Score == all[i-1].Score {
			all[i].Rank = all[i-1].Rank
		}
	}
	return all, nil
}

// month names the month in which something counts for a partner's statement.
func month(unix int64, t *loyalty.Terms) string {
	return time.Unix(unix, 0).In(t.Zone).Format("2006-01")
}

// PutMovement writes a line of a partner's statement, once for each id.
func (tx *Tx) PutMovement(partner, id string, m loyalty.Movement, t *loyalty.Terms) error {
	k := movementKey(tx.program, partner, month(m.At, t), id)
	r, err := tx.item(k)
	if err == nil && r.old.Version == 0 {
		tx.put(k, encode(&m))
	}
	return err
}

// Movements calls visit with every line of a partner's statement for a month
// (2026-11), oldest first.
func (tx *Tx) Movements(partner, month string, visit func(loyalty.Movement)) error {
	for after := ""; ; {
		page, err := tx.store.Engine.Query(tx.ctx, Query{PK: movementKey(tx.program, partner, month, "").PK, Prefix: "MOVEMENT#", After: after, Limit: 200, Consistent: true})
		if err != nil {
			return err
		}
		for _, it := range page.Items {
			m, err := Decode[loyalty.Movement](it)
			if err != nil {
				return err
			}
			visit(*m)
		}
		if after = page.Cursor; after == "" {
			return nil
		}
	}
}
