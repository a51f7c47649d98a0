// Package orders takes into the table what is told of orders: a delivery
// becomes a record, package loyalty decides what it is worth, and the
// transaction gets order, account and ledger. It is what a webhook, a call of
// the API and an import have in common. It knows nothing of HTTP and starts
// no transaction. The guard against doing anything twice is the order's own
// record, never a delivery id.
package orders

import (
	"errors"
	"slices"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/referrals"
	"regulars/shared/storefront"
	"regulars/shared/table"
)

// Teller is who tells of an order, and when.
type Teller struct {
	Now     time.Time // of the business clock
	Guest   string    // id of the member to make if nobody is known to have bought
	Seed    string    // secret and used once: makes the codes of vouchers
	Webhook bool      // a storefront's webhook, which cannot be asked to put anything right
}

// Taken is what became of a delivery.
type Taken struct {
	Status loyalty.Status
	Reason string          // why it was ignored
	Record *loyalty.Record // nil when ignored
}

// Why orders are ignored or refused, beside the reasons of package storefront.
const (
	NoCustomer       = "no_customer"
	CurrencyRefused  = "currency_not_accepted"
	currencyDiffers  = "refund_in_another_currency"
	redemptionNotFit = "redemption_not_usable"
)

func ignored(reason string) Taken { return Taken{Status: loyalty.Ignored, Reason: reason} }

// Take brings the table to an order's newest state. Errors are those of
// loyalty.Record.Receive and loyalty.Account.Apply, currency_not_accepted and
// too_many_refunds.
func Take(tx *table.Tx, in *loyalty.Order, by Teller) (Taken, error) {
	if in.Test {
		return ignored(storefront.TestOrder), nil
	}
	rec, err := record(tx, in.Ref())
	if err != nil {
		return Taken{}, err
	}
	status, err := rec.Receive(in, by.Webhook)
	if err != nil {
		return Taken{}, err
	}
	if status == loyalty.Applied {
		if rec.Member == "" && in.Member == "" && in.Customer.Anonymous() {
			return ignored(NoCustomer), nil
		}
		if err := apply(tx, rec, in, by); err != nil {
			return Taken{}, err
		}
	}
	return Taken{Status: status, Record: rec}, nil
}

// TakeRefund takes one refund that came without its order.
func TakeRefund(tx *table.Tx, in *storefront.OrderRefund, by Teller) (Taken, error) {
	of := loyalty.OrderRef{Source: in.Source, ID: in.Order}
	rec, err := record(tx, of)
	if err != nil {
		return Taken{}, err
	}
	if c := rec.Order.Currency; c != "" && c != in.Currency {
		return ignored(currencyDiffers), nil
	}
	status := rec.ReceiveRefund(of, in.Refund, in.Currency)
	switch status {
	case loyalty.Waiting:
		err = keep(tx, rec)
	case loyalty.Applied:
		err = apply(tx, rec, &rec.Order, by)
	case loyalty.Duplicate:
		if rec.Order.State == loyalty.Parked {
			status = loyalty.Waiting
		}
	}
	return Taken{Status: status, Record: rec}, err
}

// record reads what is kept of an order, a zero Record when it was never seen.
func record(tx *table.Tx, of loyalty.OrderRef) (*loyalty.Record, error) {
	rec, err := tx.Record(of)
	if rec == nil {
		rec = &loyalty.Record{}
	}
	return rec, err
}

// apply lets the ledger follow a record that changed, and writes all of it.
func apply(tx *table.Tx, rec *loyalty.Record, in *loyalty.Order, by Teller) error {
	a, err := account(tx, rec, in, by)
	if err != nil {
		return err
	}
	c, err := telling(tx, rec, a, by)
	if err != nil {
		return err
	}
	if err := gifts(tx, rec, a, by.Now); err != nil {
		return err
	}
	was := a.Referred
	tallies, bought, from, restored := slices.Clone(a.Tallies), rec.Bought, a.Seq, int64(0)
	if c.Redemption != nil {
		restored = c.Redemption.Restored
	}
	vouchers, err := a.Apply(rec, c)
	if err != nil {
		return err
	}
	if err := applyIn(tx, rec, a, c); err != nil {
		return err
	}
	if err := errors.Join(tx.Buy(a, bought, rec.Bought), tx.PutScores(a, tallies, c.Current), statement(tx, rec, a, from, restored, c)); err != nil {
		return err
	}
	a.SegmentAtOnce(by.Now, c.Current)
	if c.Redemption != nil {
		tx.PutRedemption(c.Redemption)
	}
	for _, b := range c.Budgets {
		tx.PutBudget(b)
	}
	if err := tx.PutVouchers(vouchers, by.Now); err != nil {
		return err
	}
	if f := a.Referred; f != nil && f.Ranked && f.Left != was.Left { // its rewards are given: they follow at once
		if err := referrals.SettleRewarded(tx, a, referrals.By{Now: by.Now, Seed: by.Seed + "r"}); err != nil {
			return err
		}
	}
	if err := keep(tx, rec); err != nil {
		return err
	}
	return tx.PutAccount(a)
}

// telling reads what an order is decided with. The terms are pinned when it
// is first applied.
func telling(tx *table.Tx, rec *loyalty.Record, a *loyalty.Account, by Teller) (loyalty.Telling, error) {
	c := loyalty.Telling{Now: by.Now, Seed: by.Seed}
	var err error
	if rec.Terms == 0 {
		if c.Pinned, err = tx.TermsOfOrder(a.Member, &rec.Order); err != nil {
			return c, err
		}
		rec.Terms = c.Pinned.Version
	} else if c.Pinned, err = tx.TermsOf(rec.Terms); err != nil {
		return c, err
	}
	if !c.Pinned.Accepts(rec.Order.Currency) {
		return c, loyalty.Refuse(CurrencyRefused, "the program is in "+c.Pinned.Currency+" and states no rate for "+rec.Order.Currency)
	}
	if c.Current, err = tx.TermsOfMember(a.Member); err != nil {
		return c, err
	}
	if c.Redemption, err = Redemption(tx, rec.Order.Redemption); err != nil {
		return c, err
	}
	if c.Pinned.Needs.Attributes {
		if c.Attributes, err = tx.Attributes(a.Member); err != nil {
			return c, err
		}
	}
	if c.Pinned.Referral != nil {
		c.Marks = referrals.Marks(tx.Program(), rec.Order.Signs)
		if c.Lead, err = referrals.LeadOf(tx, &rec.Order, a, c.Pinned, table.ReferralID(by.Now, by.Guest)); err != nil {
			return c, err
		}
	}
	c.Budgets, err = budgets(tx, c.Pinned)
	return c, err
}

// budgets reads what rules that have a budget gave so far.
func budgets(tx *table.Tx, t *loyalty.Terms) ([]*loyalty.Budget, error) {
	var out []*loyalty.Budget
	for _, r := range t.Earning.Rules {
		if r.Budget == 0 {
			continue
		}
		b, err := tx.Budget(r.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// applyIn lets the member's other wallets follow.
func applyIn(tx *table.Tx, rec *loyalty.Record, a *loyalty.Account, c loyalty.Telling) error {
	wallets := rec.Due()
	if red := c.Redemption; red != nil && red.Wallet != "" && !slices.Contains(wallets, red.Wallet) {
		wallets = append(wallets, red.Wallet)
	}
	for _, wallet := range wallets {
		w, err := tx.WalletAccount(a.Member, wallet)
		if err != nil {
			return err
		}
		if err := w.ApplyIn(rec, c); err != nil {
			return err
		}
		if err := tx.PutAccount(w); err != nil {
			return err
		}
		a.AddWallet(wallet)
	}
	return nil
}

// keep writes a record, unless its storefront told of so many refunds, one
// after the other, that it has no room for them.
func keep(tx *table.Tx, rec *loyalty.Record) error {
	if !storefront.Fits(&rec.Order) {
		return loyalty.Refuse("too_many_refunds", "the order has more refunds than can be kept")
	}
	tx.PutRecord(rec)
	return nil
}

// account is the account of the order's member: whom the record names, else
// whom the caller names, else whom the shop's customer is known to be, else a
// new guest.
func account(tx *table.Tx, rec *loyalty.Record, in *loyalty.Order, by Teller) (*loyalty.Account, error) {
	if rec.Member != "" {
		return tx.Holder(rec.Member)
	}
	if in.Member != "" {
		a, err := tx.HolderOf(in.Member)
		if err == nil {
			rec.Member = a.Member
		}
		return a, err
	}
	known, err := tx.Match(in.Source, in.Customer)
	if err != nil {
		return nil, err
	}
	if known != "" {
		a, err := tx.Holder(known)
		if err != nil {
			return nil, err
		}
		rec.Member = a.Member
		return a, tx.Recognize(a.Member, in.Source, in.Customer)
	}
	rec.Member = by.Guest
	return &loyalty.Account{Member: by.Guest}, tx.Enrol(Guest(by.Guest, in.Source, in.Customer, by.Now))
}

// Guest is the profile of a person whom only a shop's own record tells of.
func Guest(id, source string, c *loyalty.Customer, now time.Time) *table.Profile {
	p := &table.Profile{
		Member: id, Guest: true, CreatedAt: now.Unix(), Name: c.Name,
		Email: c.Email, EmailVerified: c.EmailVerified, Phone: c.Phone, PhoneVerified: c.PhoneVerified,
	}
	for source, id := range map[string]string{source: c.ExternalID, loyalty.CardSource: c.Card} {
		if id != "" {
			if p.External == nil {
				p.External = map[string]string{}
			}
			p.External[source] = id
		}
	}
	return p
}

// Redemption reads the redemption that paid a part of an order; nil for "".
// Refused with redemption_not_usable when there is none.
func Redemption(tx *table.Tx, id string) (*loyalty.Redemption, error) {
	if id == "" {
		return nil, nil
	}
	bare, ok := loyalty.OwnID("rdm_", id)
	if !ok {
		return nil, loyalty.Refuse(redemptionNotFit, "there is no such redemption")
	}
	red, err := tx.Redemption(bare)
	var none *loyalty.Error
	if errors.As(err, &none) && none.Kind == loyalty.Missing {
		return nil, loyalty.Refuse(redemptionNotFit, "there is no such redemption")
	}
	if err != nil {
		return nil, err
	}
	if red.Payout {
		return nil, loyalty.Refuse(redemptionNotFit, "there is no such redemption")
	}
	a, err := tx.Holder(red.Member) // who has it now, after merges
	if err != nil {
		return nil, err
	}
	red.Member = a.Member
	return red, nil
}
