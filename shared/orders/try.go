package orders

import (
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Tried is what an order would bring.
type Tried struct {
	Record   *loyalty.Record
	Account  *loyalty.Account // after it
	Known    bool             // the account is a member's
	Vouchers []loyalty.Voucher
	Telling  loyalty.Telling
	Case     loyalty.Case
}

// Try lets a copy of the member's account take an order. Nothing may be
// written in the transaction.
func Try(tx *table.Tx, in *loyalty.Order, now time.Time) (Tried, error) {
	var x Tried
	rec, err := record(tx, in.Ref())
	if err != nil {
		return x, err
	}
	x.Record = rec
	rec.Order = *in
	a, err := whose(tx, rec, in)
	if err != nil {
		return x, err
	}
	x.Known = a != nil
	if a == nil {
		a = &loyalty.Account{}
	}
	if x.Telling, err = telling(tx, rec, a, Teller{Now: now}); err != nil {
		return x, err
	}
	if !x.Known && x.Telling.Redemption != nil { // it is somebody's, who is not told
		a.Member = x.Telling.Redemption.Member
	}
	x.Account = a.AsOf(now, x.Telling.Current)
	if err := gifts(tx, rec, x.Account, now); err != nil {
		return x, err
	}
	if x.Vouchers, err = x.Account.Apply(rec, x.Telling); err != nil {
		return x, err
	}
	x.Case = rec.Case(x.Telling.Redemption)
	return x, nil
}

// whose is the account of the member who would buy; nil for nobody known.
func whose(tx *table.Tx, rec *loyalty.Record, in *loyalty.Order) (*loyalty.Account, error) {
	switch {
	case rec.Member != "":
		return tx.Holder(rec.Member)
	case in.Member != "":
		return tx.HolderOf(in.Member)
	case in.Customer.Anonymous():
		return nil, nil
	}
	known, err := tx.Match(in.Source, in.Customer)
	if err != nil || known == "" {
		return nil, err
	}
	return tx.Holder(known)
}
