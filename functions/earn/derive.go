package earn

import (
	"math/big"
	"slices"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/orders"
	"regulars/shared/words"
)

// Derivation is how an order came to what it is worth in the entry's wallet.
// Exact numbers are ratios such as "3/2".
type Derivation struct {
	Version  int64     `json:"rule_version"`    // that the order keeps
	Current  int64     `json:"current_version"` // that is in force for the member now
	Of       state     `json:"derivation_of"`
	Before   int64     `json:"before"` // what the order was worth before the entry
	After    int64     `json:"after"`
	Rules    []Judged  `json:"rules"` // every one that was looked at, in that order
	Exact    string    `json:"exact"`
	Rounding string    `json:"rounding"`
	Points   int64     `json:"points"`   // exact, rounded
	ByGoals  int64     `json:"by_goals"` // what goals gave or took with it; After is the sum of both
	Lines    []Earning `json:"lines"`
	Levels   []Stretch `json:"levels"` // parts of the order, each valued as of one level
}

// state is which state of an order a derivation is of.
type state string

const (
	thisEntry   state = "this_entry"
	newestState state = "newest_state" // the order has changed since in a way that cannot be undone here
)

// Judged is a rule that was looked at, and what it gave.
type Judged struct {
	Rule       string        `json:"rule"`
	Applies    bool          `json:"applies"`
	Unmet      loyalty.Unmet `json:"unmet,omitempty"`  // the first setting that is not met
	Reason     string        `json:"reason,omitempty"` // the same in words
	Lines      []string      `json:"lines"`
	Rate       string        `json:"rate,omitempty"` // points per minor unit
	Multiplier string        `json:"multiplier,omitempty"`
	Fixed      int64         `json:"fixed_points,omitempty"`
	Exact      string        `json:"exact"`         // what it gave, after limits
	Cut        string        `json:"cut,omitempty"` // what a limit or a budget took off
	Points     int64         `json:"points"`        // its part of the rounded points
}

// Stretch is a part of an order that was valued as of one level.
type Stretch struct {
	Level string `json:"level,omitempty"` // none below the lowest
	Part  string `json:"part"`
}

// worth derives what the order is worth, into m and out.
func (x *explaining) worth(m *words.Movement, out *Explanation, l *words.Language, current int64) error {
	rec, err := x.tx.Record(loyalty.OrderRef{Source: m.Source, ID: m.Order})
	if err != nil || rec == nil {
		return err
	}
	before, last, err := x.earlier(rec)
	if err != nil {
		return err
	}
	t, err := x.tx.TermsOf(rec.Terms)
	if err != nil {
		return err
	}
	red, err := orders.Redemption(x.tx, rec.Order.Redemption)
	if err != nil {
		return err
	}
	s := sums{t: t, red: red, wallet: m.Wallet, after: before + m.Points}
	if last {
		s.after = holds(rec, m.Wallet) // which is more than was taken back, where points had expired before
	}
	d, w, err := s.derive(rec, last)
	if err != nil {
		return err
	}
	d.Before, d.After, d.Pinned, d.Current = before, s.after, rec.Terms, current
	m.Worth = d
	out.Worth = derivation(d, &w, t, l)
	return nil
}

// earlier is what the order was worth before the entry: the sum of what its
// entries before gave and took. The second answer tells whether none after it
// changed that again.
func (x *explaining) earlier(rec *loyalty.Record) (before int64, last bool, err error) {
	seen := false
	last = true
	for _, ref := range rec.Entries {
		member := ref.Member
		if member == "" {
			member = rec.Member
		}
		if ref.Wallet != x.entry.Wallet {
			continue
		}
		if member == x.entry.Member && ref.Seq == x.entry.Seq {
			seen = true
			continue
		}
		a, err := x.tx.WalletAccount(member, ref.Wallet)
		if err != nil {
			return 0, false, err
		}
		if ref.Seq > a.Seq { // the order was read after the account, and has changed between
			return before, false, nil
		}
		list, err := x.tx.Entries(a, ref.Seq, 1)
		if err != nil {
			return 0, false, err
		}
		if e := list[0]; e.Type == loyalty.Earn || e.Type == loyalty.Clawback {
			if seen {
				last = false
				break
			}
			before += e.Points
		}
	}
	return before, last, nil
}

// holds is what a wallet holds for an order now: what it is worth there.
func holds(rec *loyalty.Record, wallet string) int64 {
	if wallet == "" {
		return rec.Points
	}
	for _, o := range rec.Others {
		if o.Wallet == wallet {
			return o.Points
		}
	}
	return 0
}

// sums values states of an order until one is worth what the entry says.
type sums struct {
	t      *loyalty.Terms
	red    *loyalty.Redemption
	wallet string
	after  int64
}

// derive tries the newest state of the order, which is all that is kept of
// it, and that without its refunds: the latter first for an entry that others
// followed. If neither is worth what it has to be, it answers the newest.
func (s *sums) derive(rec *loyalty.Record, last bool) (*words.Worth, loyalty.Worth, error) {
	whole := unrefunded(rec, s.t)
	tries := []*loyalty.Record{whole, rec}
	if last {
		tries = []*loyalty.Record{rec, whole}
	}
	goals := []int64{0}
	if s.wallet == "" && rec.ByGoals != 0 {
		goals = []int64{rec.ByGoals, 0}
	}
	for _, r := range tries {
		w, d, err := s.t.Explain(&r.Order, s.wallet, r.Case(s.red))
		if err != nil {
			return nil, w, err
		}
		for _, g := range goals {
			if w.Points+g == s.after {
				return &words.Worth{Points: w.Points, Goals: g, Detail: d}, w, nil
			}
		}
	}
	w, d, err := s.t.Explain(&rec.Order, s.wallet, rec.Case(s.red))
	return &words.Worth{Points: w.Points, Goals: goals[0], Detail: d, Newest: true}, w, err
}

// unrefunded is the record as if nothing of the order had come back.
func unrefunded(rec *loyalty.Record, t *loyalty.Terms) *loyalty.Record {
	r := *rec
	o := &r.Order
	o.Refunded, o.Refunds = 0, nil
	o.Lines = slices.Clone(o.Lines)
	for i := range o.Lines {
		o.Lines[i].RefundedAmount, o.Lines[i].RefundedQuantity = nil, 0
	}
	if o.State == loyalty.Cancelled {
		o.State = t.Earning.When
	}
	return &r
}

// derivation shows how an order came to its worth.
func derivation(x *words.Worth, w *loyalty.Worth, t *loyalty.Terms, l *words.Language) *Derivation {
	d := &Derivation{
		Version: x.Pinned, Current: x.Current, Of: thisEntry, Before: x.Before, After: x.After, Rules: []Judged{},
		Exact: x.Detail.Exact.RatString(), Rounding: string(t.Earning.Rounding), Points: x.Points, ByGoals: x.Goals, Lines: []Earning{}, Levels: []Stretch{},
	}
	if x.Newest {
		d.Of = newestState
	}
	for _, looked := range x.Detail.Rules {
		j := Judged{Rule: looked.Rule, Applies: looked.Unmet == loyalty.Met, Unmet: looked.Unmet, Lines: append([]string{}, looked.Lines...), Exact: "0"}
		if !j.Applies {
			j.Reason = l.Unmet(looked.Unmet)
		}
		j.gives(t)
		for _, s := range x.Detail.Shares {
			if s.Rule != j.Rule {
				continue
			}
			j.Exact, j.Points = s.Exact.RatString(), s.Points
			if s.Cut != nil {
				j.Cut = s.Cut.RatString()
			}
		}
		d.Rules = append(d.Rules, j)
	}
	for _, line := range w.Lines {
		d.Lines = append(d.Lines, Earning(line))
	}
	for _, part := range x.Detail.Parts {
		d.Levels = append(d.Levels, Stretch{part.Tier, part.Of.RatString()})
	}
	return d
}

// gives fills in what the rule gives where it applies.
func (j *Judged) gives(t *loyalty.Terms) {
	ratio := func(r *big.Rat) string {
		if r == nil {
			return ""
		}
		return r.RatString()
	}
	if level, ok := strings.CutPrefix(j.Rule, "tier:"); ok && t.Tiers != nil {
		for _, x := range t.Tiers.Levels {
			if x.ID == level {
				j.Multiplier = ratio(x.Multiplier)
			}
		}
		return
	}
	for i := range t.Earning.Rules {
		if r := &t.Earning.Rules[i]; r.ID == j.Rule {
			j.Rate, j.Multiplier, j.Fixed = ratio(r.Rate), ratio(r.Multiplier), r.Points
		}
	}
}
