package refresh

import (
	"errors"

	"regulars/shared/segment"
)

// fit tries both models. What does not come to a model says why, and the last
// good one is kept.
func (s *State) fit(all *part, p *Plan) error {
	m := &s.Cuts.Models
	bought := make([]segment.Purchases, len(all.Bought))
	for i, c := range all.Bought {
		bought[i] = c.purchases()
	}
	buying, err := segment.FitBGNBD(bought)
	if m.Buying, err = try(&s.Fits.Buying, buying, err, p.Good.Buying); err != nil {
		return err
	}
	spends := make([]segment.Spend, len(all.Spends))
	for i, x := range all.Spends {
		spends[i] = segment.Spend{X: x.X, Mean: float64(x.Sum) / float64(x.X), N: x.N}
	}
	spending, err := segment.FitGammaGamma(spends)
	if m.Spending, err = try(&s.Fits.Spending, spending, err, p.Good.Spending); err != nil {
		return err
	}
	if m.Buying != nil || m.Spending != nil {
		m.At = p.At
		if s.Fits.Buying.Kept || s.Fits.Spending.Kept {
			m.At = p.Good.At
		}
	}
	return s.holdOut(all, p)
}

func try[M any](t *Tried[M], fit segment.Fit[M], err error, good *M) (*M, error) {
	switch {
	case errors.Is(err, segment.ErrTooFew):
		t.Reason = err.Error()
	case err != nil:
		return nil, err
	default:
		t.Fit, t.Reason = &fit, fit.Reason
		if fit.Converged {
			return &fit.Model, nil
		}
	}
	t.Kept = good != nil
	return good, nil
}

// holdOut fits the purchases until the months of the holdout, and holds what
// that forecasts for these months against what came. None without a model.
func (s *State) holdOut(all *part, p *Plan) error {
	rows := make([]segment.Purchases, len(all.Held))
	held := make([]segment.Held, len(all.Held))
	for i, c := range all.Held {
		rows[i] = c.purchases()
		held[i] = segment.Held{Purchases: rows[i], Actual: c.Actual}
	}
	fit, err := segment.FitBGNBD(rows)
	if errors.Is(err, segment.ErrTooFew) || err == nil && !fit.Converged {
		return nil
	}
	if err != nil {
		return err
	}
	days := int64(p.Today) + 1 - firstDay(p.month()-HoldoutMonths)
	bins := segment.Holdout(fit.Model, held, float64(days)/7)
	s.Holdout = bins[:]
	return nil
}
