package orders

import (
	"errors"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// gifts uses the member's vouchers whose codes stand among the order's
// discounts. What a voucher paid for gives no stamp (SC17). A cancelled order
// gives its vouchers back.
func gifts(tx *table.Tx, rec *loyalty.Record, a *loyalty.Account, now time.Time) error {
	for _, d := range rec.Order.Discounts {
		v, err := voucher(tx, d.Code, a)
		if err != nil {
			return err
		}
		if v == nil {
			continue
		}
		before := *v
		if rec.Order.State == loyalty.Cancelled && v.Order == rec.Order.Ref() {
			err = a.ReleaseVoucher(v, now)
		} else {
			err = a.Use(v, rec.Order.Ref(), now)
		}
		if err != nil { // the discount was given all the same: the shop has decided that
			if err := tx.Fresh(); err != nil {
				return err
			}
			continue
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

// voucher reads the member's voucher of a discount's code; nil when the code
// is none, which is told from fresh reads only: nothing of it is written.
func voucher(tx *table.Tx, written string, a *loyalty.Account) (*loyalty.Voucher, error) {
	code, ok := loyalty.VoucherCode(written)
	if !ok {
		return nil, nil
	}
	v, err := tx.Voucher(code)
	var none *loyalty.Error
	if errors.As(err, &none) && none.Kind == loyalty.Missing {
		return nil, tx.Fresh()
	}
	if err != nil {
		return nil, err
	}
	holder, err := tx.Holder(v.Member)
	if err != nil {
		return nil, err
	}
	if holder.Member != a.Member {
		return nil, tx.Fresh()
	}
	return v, nil
}
