package refresh

import (
	"context"
	"encoding/json"
	"errors"

	"regulars/shared/segment"
)

// Merge takes the run one state further, and tells whether there is more to
// refine: then Refine is for every shard, and Merge again.
func (w Work) Merge(ctx context.Context) (more bool, err error) {
	s, err := w.state(ctx)
	if err != nil || s != nil && s.Done {
		return false, err
	}
	if s != nil { // a run that goes on after a crash has shards to refine first
		if refined, err := w.Files.List(ctx, w.fine(s.Pass)); err != nil || len(refined) < Shards {
			return err == nil, err
		}
	}
	p, err := w.Plan(ctx)
	if err != nil {
		return false, err
	}
	began := w.now()
	if s == nil {
		s, err = w.first(ctx, p)
	} else {
		s, err = w.next(ctx, p, s)
	}
	if err != nil {
		return false, err
	}
	s.Took["merge"] += w.since(began)
	return !s.Done, w.put(ctx, name(w.states(), s.Pass), s)
}

// state is the newest, nil before there is one.
func (w Work) state(ctx context.Context) (*State, error) {
	names, err := w.Files.List(ctx, w.states())
	if err != nil || len(names) == 0 {
		return nil, err
	}
	s := &State{}
	return s, w.get(ctx, name(w.states(), len(names)-1), s)
}

// first makes a state of the parts.
func (w Work) first(ctx context.Context, p *Plan) (*State, error) {
	all := newSum(p.month())
	if err := w.all(ctx, w.parts(), func(_ int, raw []byte) error {
		var part part
		if err := decoder.Unmarshal(raw, &part); err != nil {
			return err
		}
		return all.merge(&part)
	}); err != nil {
		return nil, err
	}
	s := &State{
		Members: all.Members, Buyers: all.Buyers, Balance: all.Balance, Cohorts: all.Cohorts, Treated: all.Treated, Control: all.Control, Took: map[string]int64{"read": all.Took},
		Cuts: Cuts{At: p.At, Today: p.Today, Thresholds: *p.Rules.On(p.Today), Yearly: p.Yearly, Currency: p.Currency},
	}
	for i, h := range all.histograms {
		count, _ := h.Count()
		search, err := segment.NewSearch(h, wanted(i, count, &p.Rules)...)
		if err != nil {
			return nil, err
		}
		s.Searches[i] = search
	}
	bought := make([]segment.Purchases, 0, most(all.bought))
	err := eachCounted(all.bought, func(c counted) { bought = append(bought, c.purchases()) })
	if err != nil {
		return nil, err
	}
	began := w.now()
	if err := s.fit(bought, all, p); err != nil {
		return nil, err
	}
	s.Took["fit"] = w.since(began)
	if err := w.putOutlooks(ctx, bought, &s.Cuts); err != nil {
		return nil, err
	}
	if s.Friends, err = w.connect(ctx, p, &all.part); err != nil {
		return nil, err
	}
	s.found()
	return s, nil
}

// wanted are the ranks that are searched for in a figure of so many values.
func wanted(figure int, count int64, rules *segment.Rules) []int64 {
	switch {
	case count == 0:
		return nil
	case figure == present && rules.HeavySpent == 0:
		return segment.Median.Ranks(count)
	case figure == present:
		return nil
	case figure == window:
		return append(segment.ShareRanks(count), segment.DecileRanks(count)...)
	}
	return segment.CutRanks(count)
}

// next takes what the last pass counted.
func (w Work) next(ctx context.Context, p *Plan, s *State) (*State, error) {
	from := *s
	s.Pass++
	if s.Ties != nil {
		err := w.all(ctx, w.fine(from.Pass), func(_ int, raw []byte) error {
			var f fine
			if err := json.Unmarshal(raw, &f); err != nil {
				return err
			}
			if f.Ties == nil {
				return errors.New("no ties")
			}
			s.Ties.Merge(f.Ties)
			s.Took["refine"] += f.Took
			return nil
		})
		s.Cuts.Thresholds.Shares = s.Ties.Done()
		s.Ties, s.Searches, s.Done = nil, [figures]*segment.Search{}, true
		return s, err
	}
	var merged [figures]*segment.Histogram
	for i, search := range s.Searches {
		if !search.Done() {
			var err error
			if merged[i], err = search.Histogram(); err != nil {
				return nil, err
			}
		}
	}
	if err := w.all(ctx, w.fine(from.Pass), func(_ int, raw []byte) error {
		var f fine
		if err := json.Unmarshal(raw, &f); err != nil {
			return err
		}
		s.Took["refine"] += f.Took
		for i, h := range f.Histograms {
			if (h == nil) != (merged[i] == nil) {
				return errors.New("not of this pass")
			}
			if h != nil {
				if err := merged[i].Merge(h); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for i, h := range merged {
		if h != nil {
			if err := s.Searches[i].Refine(h); err != nil {
				return nil, err
			}
		}
	}
	s.found()
	return s, nil
}

// found takes what the searches have found, once they have found all: then the
// ties are all that is left.
func (s *State) found() {
	for _, search := range s.Searches {
		if !search.Done() {
			return
		}
	}
	t := &s.Cuts.Thresholds
	t.FindHeavy(s.Searches[present])
	if s.Searches[recency].Count > 0 {
		s.Cuts.RFM = &segment.RFMCuts{Recency: segment.CutsOf(s.Searches[recency]), Frequency: segment.CutsOf(s.Searches[frequency]), Monetary: segment.CutsOf(s.Searches[monetary])}
	}
	if s.Done = s.Searches[window].Count == 0; s.Done {
		return
	}
	s.Deciles = segment.Deciles(s.Searches[window])
	s.Ties = segment.NewTies(s.Searches[window])
}

// fine is what a shard counts in a later pass.
type fine struct {
	Histograms [figures]*segment.Histogram `json:"histograms"`
	Ties       *segment.Ties               `json:"ties,omitempty"`
	Took       int64                       `json:"took"`
}

// Refine counts the rows of a shard once more, as far as the state asks.
func (w Work) Refine(ctx context.Context, shard int) error {
	s, err := w.state(ctx)
	if err != nil {
		return err
	}
	if s == nil {
		return errors.New("refresh: nothing is merged yet")
	}
	if s.Done {
		return nil
	}
	at := name(w.fine(s.Pass), shard)
	if done, err := w.has(ctx, w.fine(s.Pass), at); done || err != nil {
		return err
	}
	began := w.now()
	rows, err := w.Files.Get(ctx, w.rows(shard))
	if err != nil {
		return err
	}
	f, err := s.count(rows)
	if err != nil {
		return err
	}
	f.Took = w.since(began)
	return w.put(ctx, at, f)
}

func (s *State) count(rows []byte) (f *fine, err error) {
	f = &fine{}
	if s.Ties != nil {
		f.Ties = segment.NewTies(&segment.Search{}) // and then the ties of the state, without keys
		f.Ties.Top, f.Ties.Next = segment.Tie{Spent: s.Ties.Top.Spent, Take: s.Ties.Top.Take}, segment.Tie{Spent: s.Ties.Next.Spent, Take: s.Ties.Next.Take}
		return f, eachRow(rows, func(r *row) error {
			if n := r.m.WindowSpent; n > 0 && (n == f.Ties.Top.Spent || n == f.Ties.Next.Spent) {
				r.m.ID = string(r.id)
				f.Ties.Add(&r.m)
			}
			return nil
		})
	}
	for i, search := range s.Searches {
		if !search.Done() {
			if f.Histograms[i], err = search.Histogram(); err != nil {
				return nil, err
			}
		}
	}
	add := func(figure int, v int64) {
		if h := f.Histograms[figure]; h != nil {
			h.Add(v)
		}
	}
	return f, eachRow(rows, func(r *row) error { figuresOf(&r.m, &s.Cuts.Thresholds, add); return nil })
}
