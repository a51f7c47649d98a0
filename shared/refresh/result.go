package refresh

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// Result is what a run found. Money is in minor units of Currency; a spend is
// that of the window (twelve whole months and this one) unless it says ever.
type Result struct {
	At       time.Time `json:"at"`
	Currency string    `json:"currency"`
	Members  int64     `json:"members"`
	Buyers   int64     `json:"buyers"`
	Balance  int64     `json:"balance"` // points of all members

	Groups  map[string]int64 `json:"groups"` // segment -> members
	Spent   map[string]int64 `json:"spent"`  // segment -> what they spent
	Entered map[string]int64 `json:"entered"`
	Left    map[string]int64 `json:"left"`
	RFM     map[string]int64 `json:"rfm"` // name of the RFM group -> members

	Deciles   [10]segment.Decile    `json:"deciles"`
	Shares    segment.Shares        `json:"share_of_revenue"`
	Heavy     int64                 `json:"heavy"` // spend from which a member is heavy
	Cohorts   *segment.Cohorts      `json:"cohorts"`
	Migration *segment.Migration    `json:"migration"` // between the five groups, from what members were in before the run
	Values    *segment.Distribution `json:"clv_distribution,omitempty"`
	Repeat    Repeat                `json:"repeat"`

	Models  Models               `json:"models"` // that are used
	Fits    Fits                 `json:"fits"`   // what this run tried
	Holdout []segment.HoldoutBin `json:"holdout,omitempty"`

	Network  Network       `json:"network"`
	Acquired []Acquisition `json:"acquired"` // by month of the first purchase, the earliest first
	Lift     *Lift         `json:"lift,omitempty"`

	Writes int64            `json:"writes"` // accounts that were decided anew
	Took   map[string]int64 `json:"took"`   // milliseconds by stage, of all shards together
}

// Repeat is how many of the buyers bought on two days or more, and what of all
// that was ever spent they did.
type Repeat struct {
	Buyers    int64  `json:"buyers"`
	Repeaters int64  `json:"repeaters"`
	Rate      string `json:"rate"` // percent
	Spent     int64  `json:"spent"`
	Revenue   int64  `json:"revenue"` // of the repeaters
	Share     string `json:"share"`   // percent
}

func (r *Repeat) add(m *segment.Member) {
	r.Buyers++
	r.Spent += m.Spent
	if m.Days > 1 {
		r.Repeaters++
		r.Revenue += m.Spent
	}
}

func (r *Repeat) merge(o *Repeat) {
	r.Buyers += o.Buyers
	r.Repeaters += o.Repeaters
	r.Spent += o.Spent
	r.Revenue += o.Revenue
}

// Acquisition is who came in a month, sent by a member or not, and what they
// spent ever.
type Acquisition struct {
	Month          string `json:"month"` // 2026-03
	Referred       int64  `json:"referred"`
	ReferredSpent  int64  `json:"referred_spent"`
	Otherwise      int64  `json:"otherwise"`
	OtherwiseSpent int64  `json:"otherwise_spent"`
}

func (a *Acquisition) add(r *row) {
	if r.sent {
		a.Referred++
		a.ReferredSpent += r.m.Spent
	} else {
		a.Otherwise++
		a.OtherwiseSpent += r.m.Spent
	}
}

func (a *Acquisition) merge(o *Acquisition) {
	a.Referred += o.Referred
	a.ReferredSpent += o.ReferredSpent
	a.Otherwise += o.Otherwise
	a.OtherwiseSpent += o.OtherwiseSpent
}

// Network is what members bring by those whom they sent.
type Network struct {
	Members     int64       `json:"members"`     // who sent somebody, or somebody who did
	Value       int64       `json:"value"`       // of all their networks; one spend may count for several of them
	Influential []Influence `json:"influential"` // whose own spend is under heavy, the most worth first
}

// Influence is a member who brings more than she spends.
type Influence struct {
	Member  string `json:"member"` // mem_...
	Spent   int64  `json:"spent"`
	Value   int64  `json:"value"`
	Members int64  `json:"members"` // in her network
}

const mostInfluential = 20

func (n *Network) add(r *row, v verdict, heavy int64) {
	if v.valued.Members == 0 {
		return
	}
	n.Members++
	n.Value += v.valued.Value
	if r.m.WindowSpent < heavy && v.valued.Value > 0 {
		n.Influential = append(n.Influential, Influence{Member: "mem_" + string(r.id), Spent: r.m.WindowSpent, Value: v.valued.Value, Members: v.valued.Members})
		n.cut()
	}
}

func (n *Network) cut() {
	slices.SortFunc(n.Influential, func(a, b Influence) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Member, b.Member))
	})
	n.Influential = n.Influential[:min(len(n.Influential), mostInfluential)]
}

func (n *Network) merge(o *Network) {
	n.Members += o.Members
	n.Value += o.Value
	n.Influential = append(n.Influential, o.Influential...)
	n.cut()
}

// Lift sets members for whom a version of the program was rolled out by percent
// beside the others: what they spent since the day of its publication. Of days
// that have left an account only whole months are known: of those who buy very
// often, the month of the publication counts from its end.
type Lift struct {
	Rollout
	Treated Arm `json:"treated"`
	Control Arm `json:"control"`
}

// Arm is one side of that.
type Arm struct {
	Members int64 `json:"members"`
	Buyers  int64 `json:"buyers"` // since then
	Spent   int64 `json:"spent"`  // since then
}

func (a *Arm) add(spent int64, bought bool) {
	a.Members++
	if bought {
		a.Buyers++
		a.Spent += spent
	}
}

func (a *Arm) merge(o Arm) {
	a.Members += o.Members
	a.Buyers += o.Buyers
	a.Spent += o.Spent
}

// Finish is what a run came to, when all shards are scored.
func (w Work) Finish(ctx context.Context) (*Result, *Cuts, error) {
	p, err := w.Plan(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := w.state(ctx)
	if err != nil {
		return nil, nil, err
	}
	all := newTally()
	if err := w.all(ctx, w.scores(), func(_ int, raw []byte) error {
		var t tally
		if err := json.Unmarshal(raw, &t); err != nil {
			return err
		}
		return all.merge(&t)
	}); err != nil {
		return nil, nil, err
	}
	r := &Result{
		At: time.Unix(p.At, 0).UTC(), Currency: p.Currency, Members: s.Members, Buyers: s.Buyers, Balance: s.Balance,
		Groups: map[string]int64{}, Spent: map[string]int64{}, Entered: all.Entered, Left: all.Left, RFM: all.RFM,
		Deciles: s.Deciles, Shares: s.Cuts.Thresholds.Shares, Heavy: s.Cuts.Thresholds.Heavy, Cohorts: s.Cohorts, Migration: all.Moved, Repeat: all.Repeat,
		Models: s.Cuts.Models, Fits: s.Fits, Holdout: s.Holdout, Network: all.Network, Acquired: []Acquisition{}, Writes: all.Writes, Took: s.Took,
	}
	for i, g := range all.Shipped {
		if names := loyalty.SegmentNames(1 << i); len(names) > 0 {
			r.Groups[names[0]], r.Spent[names[0]] = g.Members, g.Spent
		}
	}
	for i, d := range p.Defined {
		r.Groups[d.ID], r.Spent[d.ID] = all.Custom[i].Members, all.Custom[i].Spent
	}
	r.Repeat.Rate, r.Repeat.Share = segment.Percent(r.Repeat.Repeaters, r.Repeat.Buyers), segment.Percent(r.Repeat.Revenue, r.Repeat.Spent)
	if m := s.Cuts.Models; m.Buying != nil && m.Spending != nil {
		r.Values = all.Values
	}
	if r.Network.Influential == nil {
		r.Network.Influential = []Influence{}
	}
	for _, month := range slices.Sorted(maps.Keys(all.Acquired)) {
		a := *all.Acquired[month]
		a.Month = time.Date(1970, time.Month(month+1), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
		r.Acquired = append(r.Acquired, a)
	}
	r.Took["score"] = all.Took
	if p.Rollout != nil {
		r.Lift = &Lift{Rollout: *p.Rollout, Treated: s.Treated, Control: s.Control}
	}
	return r, &s.Cuts, nil
}
