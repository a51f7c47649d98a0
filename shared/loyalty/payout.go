package loyalty

import (
	"fmt"
	"time"
)

// AskPayout holds money of a wallet until people approve the payout (Capture)
// or reject it (Release). amount is minor units. Refused with
// not_withdrawable, below_minimum or insufficient_points (details:
// withdrawable).
func (a *Account) AskPayout(id string, amount int64, w *Wallet, t *Terms, now time.Time) (*Redemption, error) {
	a.Settle(now, t)
	have := a.usable()
	if !w.Withdrawable {
		have = 0
	}
	withdrawable := map[string]any{"withdrawable": have, "currency": t.Currency}
	switch {
	case !w.Withdrawable:
		return nil, &Error{Kind: Refused, Code: "not_withdrawable", Detail: "what the wallet holds can be spent and not be paid out", Details: withdrawable}
	case amount < w.Least:
		return nil, &Error{Kind: Refused, Code: "below_minimum", Detail: fmt.Sprintf("a payout is of at least %d", w.Least), Details: map[string]any{"minimum": w.Least, "missing": w.Least - amount}}
	case amount > have:
		withdrawable["missing"] = amount - have
		return nil, &Error{Kind: Refused, Code: "insufficient_points", Detail: fmt.Sprintf("%d is wanted, %d can be paid out", amount, have), Details: withdrawable}
	}
	h := Hold{ID: id, Parts: a.take(amount)}
	a.Holds = append(a.Holds, h)
	a.At = now.Unix()
	return &Redemption{
		ID: id, Member: a.Member, Points: amount, Value: amount, Currency: t.Currency,
		Stage: Held, At: now.Unix(), Parts: h.Parts, Wallet: a.Wallet, Payout: true,
	}, nil
}

// Wallet is the wallet of an id; nil when there is none.
func (t *Terms) Wallet(id string) *Wallet {
	for i := range t.Wallets {
		if t.Wallets[i].ID == id {
			return &t.Wallets[i]
		}
	}
	return nil
}
