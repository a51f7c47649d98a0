package table

import (
	"fmt"

	"regulars/shared/loyalty"
)

// daysKey is where the purchase days of a calendar year are that left the account.
func daysKey(program, member string, year int64) Key {
	return Key{memberPK(program, member), fmt.Sprintf("DAYS#%04d", year)}
}

// Buy brings a member's purchases from what an order counted before a
// decision to what it counts after it. The caller puts the account. A year's
// days are read and written only when some leave the account, or an order of
// such a day changes.
func (tx *Tx) Buy(a *loyalty.Account, was, now loyalty.Bought) error {
	years := tx.years(a.Member)
	if err := a.Purchases.Replace(was, now, years); err != nil {
		return err
	}
	tx.putYears(a.Member, years)
	return nil
}

// JoinPurchases is for two members who are one: into has the purchases of
// both. The caller puts both accounts.
func (tx *Tx) JoinPurchases(into, from *loyalty.Account) error {
	mine, theirs := tx.years(into.Member), tx.years(from.Member)
	if err := into.Purchases.Join(&from.Purchases, mine, theirs); err != nil {
		return err
	}
	tx.putYears(into.Member, mine)
	tx.putYears(from.Member, theirs)
	return nil
}

// years reads fresh: not every year that is read is written. None changes
// without the account, so a decision that writes that has seen all of one
// moment. A transaction brings a member's purchases forward once.
func (tx *Tx) years(member string) *loyalty.Years {
	return &loyalty.Years{Read: func(year int64) (loyalty.Spans, error) {
		days, err := fresh[loyalty.Spans](tx, daysKey(tx.program, member, year))
		if days == nil {
			return nil, err
		}
		return *days, err
	}}
}

func (tx *Tx) putYears(member string, years *loyalty.Years) {
	years.Changed(func(year int64, days loyalty.Spans) {
		k := daysKey(tx.program, member, year)
		if len(days) == 0 {
			tx.remove(k)
			return
		}
		tx.put(k, encode(days))
	})
}
