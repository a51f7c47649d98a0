package orders

import (
	"errors"
	"slices"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// gifts uses the member's vouchers whose codes stand among the order's
// discounts. What a voucher paid for gives no stamp (SC17). A cancelled order
// gives its vouchers back.
func gifts(tx *table.Tx, rec *loyalty.Record, a *loyalty.Account, now time.Time) error {
	for _, d := range rec.Order.Discounts {
		v, err := voucher(tx, d.Code, rec.Order.Ref(), a)
		if err != nil {
			return err
		}
		if v == nil {
			continue
		}
		before := *v
		switch {
		case rec.Order.State != loyalty.Cancelled:
			err = a.Use(v, rec.Order.Ref(), now)
		case v.Order == rec.Order.Ref():
			err = a.ReleaseVoucher(v, now)
		default: // it is free already, or was never used for this order
			continue
		}
		if err != nil {
			continue // the discount was given all the same: the shop has decided that
		}
		if len(d.Lines) > 0 {
			rec.Gift(d.Lines[0])
		}
		if *v != before {
			tx.PutVoucher(v)
		}
	}
	return nil
}

// voucher reads the voucher of a discount's code if the member can use it, or
// the order has used it; nil when not. Whose it is the account says, which is
// written with the order: that of somebody merged into the member may be read
// a little old.
func voucher(tx *table.Tx, written string, order loyalty.OrderRef, a *loyalty.Account) (*loyalty.Voucher, error) {
	code, ok := loyalty.VoucherCode(written)
	if !ok {
		return nil, nil
	}
	v, err := tx.Voucher(code)
	var none *loyalty.Error
	if errors.As(err, &none) && none.Kind == loyalty.Missing {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	hers := slices.ContainsFunc(a.Vouchers, func(o loyalty.Open) bool { return o.Code == code })
	if !hers && v.Order != order {
		return nil, nil
	}
	return v, nil
}
