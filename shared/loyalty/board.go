package loyalty

import (
	"slices"
	"strings"
	"time"
)

// Board ranks members by what they came to in a period of the calendar. What
// counts is a tally of the member's own account, so no item is shared.
type Board struct {
	ID     string
	Per    Period
	Count  Counting // Orders, Pieces or Spending
	Where  Filter
	When   Condition
	Prizes []Prize
}

// Prize is what each of the ranks From to To is given when a period ends.
type Prize struct {
	From, To int64
	Points   int64
}

// boardTally begins the id of a board's tally, and the id of nothing else: a
// goal named board counts stores under "board/".
const boardTally = "/board/"

// boardPeriods is how many periods of a board an account remembers: what
// comes later than that changes no ranking.
const boardPeriods = 2

// Board is the board of an id; nil when there is none.
func (t *Terms) Board(id string) *Board {
	for i := range t.Boards {
		if t.Boards[i].ID == id {
			return &t.Boards[i]
		}
	}
	return nil
}

// Score is what a member came to on a board in the period that began at Period.
type Score struct {
	Board  string
	Period int64 // unix seconds
	Was    int64
	Is     int64
}

// Scores are the scores that differ from those before a decision.
func (a *Account) Scores(before []Tally) []Score {
	var out []Score
	for _, t := range a.Tallies {
		if id, ok := strings.CutPrefix(t.ID, boardTally); ok {
			out = append(out, Score{Board: id, Period: t.Period, Is: max(0, t.N)})
		}
	}
	for _, t := range before {
		id, ok := strings.CutPrefix(t.ID, boardTally)
		if !ok {
			continue
		}
		i := slices.IndexFunc(out, func(s Score) bool { return s.Board == id && s.Period == t.Period })
		if i < 0 {
			if !slices.ContainsFunc(a.Tallies, func(o Tally) bool { return o.ID == t.ID && o.Period > t.Period }) {
				out = append(out, Score{Board: id, Period: t.Period, Was: max(0, t.N)})
			}
			continue
		}
		out[i].Was = max(0, t.N)
	}
	return slices.DeleteFunc(out, func(s Score) bool { return s.Was == s.Is })
}

// PrizeOf is how many points a rank of a board is given.
func (b *Board) PrizeOf(rank int64) (points int64) {
	for _, p := range b.Prizes {
		if rank >= p.From && rank <= p.To {
			points += p.Points
		}
	}
	return points
}

// Lowest is the last rank that is given a prize.
func (b *Board) Lowest() (rank int64) {
	for _, p := range b.Prizes {
		rank = max(rank, p.To)
	}
	return rank
}

// Ends is when the period that began at an instant ends, unix seconds.
func (b *Board) Ends(period int64, t *Terms) int64 { return b.Per.next(period, t.Zone) }

// PeriodAt is when the period of a board that holds an instant began.
func (b *Board) PeriodAt(at time.Time, t *Terms) int64 { return b.Per.start(at, t.Zone, t.Week) }
