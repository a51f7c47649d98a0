package earn

import (
	"context"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/orders"
	"regulars/shared/storefront"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Evaluation is what a basket would be worth if it were paid.
type Evaluation struct {
	Points  int64     `json:"points"`
	Goods   int64     `json:"goods"` // what earns, minor units of the order's currency
	Rules   []string  `json:"rules"` // that give something
	Lines   []Earning `json:"lines"`
	Wallets []Award   `json:"wallets"` // what it would bring in other wallets than points
	Looked  []Looked  `json:"considered"`
	Missing []Missing `json:"missing"`          // to what more could be had, after this order
	Tier    *string   `json:"tier"`             // after this order; null: none
	Rewards []string  `json:"rewards"`          // that it would bring vouchers for
	Member  string    `json:"member,omitempty"` // whose facts it was valued by
	Version int64     `json:"rule_version"`
}

// Earning is the part of one line.
type Earning struct {
	ID     string `json:"id"`
	Net    int64  `json:"net"`
	Points int64  `json:"points"`
}

// Looked is a rule that was looked at.
type Looked struct {
	Rule   string        `json:"rule"`
	Wallet string        `json:"wallet,omitempty"`
	Unmet  loyalty.Unmet `json:"unmet,omitempty"` // the first setting that is not met; absent when it applies
	Lines  []string      `json:"lines"`           // on which it applies
}

// Missing is how much is missing to something.
type Missing struct {
	To     string `json:"to"` // rule, tier, goal
	ID     string `json:"id"`
	Amount int64  `json:"missing"`
	Of     string `json:"of"` // minor_units, quantity, points, orders, stores, activities, periods
}

// evaluate answers what a basket would earn if it were paid now, or at=; it
// writes nothing: a copy of the member's account takes the order.
func (h *Handler) evaluate(ctx context.Context, r *web.Request) (web.Answer, error) {
	in, err := storefront.ParseOrder(r.Body)
	if err != nil {
		return web.Answer{}, err
	}
	now := h.Gate.Clock()
	if at := r.URL.Query().Get("at"); at != "" {
		var ok bool
		if now, ok = storefront.Instant(at); !ok {
			return web.Answer{}, loyalty.Malformed("at", at, "must be a time such as 2027-03-26T12:00:00Z")
		}
	}
	if in.State != loyalty.Cancelled {
		in.State = loyalty.Fulfilled
	}
	var out web.Answer
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		tried, err := orders.Try(tx, &in, now)
		if err != nil {
			return err
		}
		out.Body, err = evaluation(tried, now)
		return err
	})
	return out, err
}

func evaluation(x orders.Tried, now time.Time) (Evaluation, error) {
	e := Evaluation{Rules: []string{}, Lines: []Earning{}, Wallets: []Award{}, Looked: []Looked{}, Missing: []Missing{}, Rewards: []string{}, Version: x.Telling.Pinned.Version}
	if x.Known {
		e.Member = "mem_" + x.Account.Member
	}
	for _, wallet := range x.Telling.Pinned.WalletIDs() {
		w, d, err := x.Telling.Pinned.Explain(&x.Record.Order, wallet, x.Case)
		if err != nil {
			return e, err
		}
		for _, l := range d.Rules {
			e.Looked = append(e.Looked, Looked{Rule: l.Rule, Wallet: wallet, Unmet: l.Unmet, Lines: append([]string{}, l.Lines...)})
			if l.Missing > 0 {
				of := "minor_units"
				if l.Unmet == loyalty.UnmetQuantity {
					of = "quantity"
				}
				e.Missing = append(e.Missing, Missing{"rule", l.Rule, l.Missing, of})
			}
		}
		for _, s := range d.Shares {
			e.Rules = append(e.Rules, s.Rule)
		}
		if wallet != "" {
			if w.Points > 0 {
				e.Wallets = append(e.Wallets, Award{wallet, w.Points})
			}
			continue
		}
		e.Points, e.Goods = x.Record.Points, w.Goods-w.Returned
		for _, l := range w.Lines {
			e.Lines = append(e.Lines, Earning(l))
		}
	}
	t := x.Telling.Current
	if tier := x.Account.Tier(now, t); tier != "" {
		e.Tier = &tier
	}
	if id, missing, ok := x.Account.NextLevel(now, t); ok {
		of := map[loyalty.Measure]string{loyalty.ByBasePoints: "points", loyalty.BySpend: "minor_units", loyalty.ByOrders: "orders"}[t.Tiers.QualifyBy]
		e.Missing = append(e.Missing, Missing{"tier", id, missing, of})
	}
	for _, g := range x.Account.Toward(t) {
		if g.Given > 0 && !g.Repeat {
			continue
		}
		e.Missing = append(e.Missing, Missing{"goal", g.Goal, g.Reach - g.Have, g.Of})
	}
	for _, v := range x.Vouchers {
		if v.Stage == loyalty.VoucherIssued {
			e.Rewards = append(e.Rewards, v.Reward)
		}
	}
	return e, nil
}
