package refresh

import (
	"errors"

	"regulars/shared/segment"
)

// fit tries both models. What does not come to a model says why, and the last
// good one is kept.
func (s *State) fit(bought []segment.Purchases, all *sum, p *Plan) error {
	m := &s.Cuts.Models
	buying, err := segment.FitBGNBD(bought)
	if m.Buying, err = try(&s.Fits.Buying, buying, err, p.Good.Buying); err != nil {
		return err
	}
	spends := make([]segment.Spend, 0, most(all.spends))
	if err := eachCounted(all.spends, func(c counted) { spends = append(spends, c.spend()) }); err != nil {
		return err
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
func (s *State) holdOut(all *sum, p *Plan) error {
	rows, held := make([]segment.Purchases, 0, most(all.held)), make([]segment.Held, 0, most(all.held))
	if err := eachCounted(all.held, func(c counted) {
		rows = append(rows, c.purchases())
		held = append(held, segment.Held{Purchases: c.purchases(), Actual: c.Actual})
	}); err != nil {
		return err
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
