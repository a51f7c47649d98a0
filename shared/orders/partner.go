package orders

import (
	"fmt"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// statement writes what an order moved into the statement of the partner in
// whose shop it was: the entries that it wrote after number from, and the
// redemption that paid a part of it.
func statement(tx *table.Tx, rec *loyalty.Record, a *loyalty.Account, from, restored int64, c loyalty.Telling) error {
	p := c.Current.PartnerOf(rec.Order.Source)
	if p == nil {
		return nil
	}
	m := loyalty.Movement{At: c.Now.Unix(), Member: a.Member, Order: rec.Order.Ref()}
	for i, e := range a.Tail {
		seq := a.Seq - int64(len(a.Tail)-1-i)
		if seq <= from || e.Order != rec.Order.ID || e.Source != rec.Order.Source {
			continue
		}
		switch m.Points = e.Points; e.Type {
		case loyalty.Earn:
			m.Type = "earn"
		case loyalty.Clawback:
			m.Type, m.Points = "clawback", -e.Points
		default:
			continue
		}
		if m.Points == 0 {
			continue
		}
		if err := tx.PutMovement(p.ID, fmt.Sprintf("%s%010d", a.Member, seq), m, c.Current); err != nil {
			return err
		}
	}
	return burned(tx, p, m, restored, c)
}

// burned writes what points paid in a partner's shop, and what of it came back.
func burned(tx *table.Tx, p *loyalty.Partner, m loyalty.Movement, restored int64, c loyalty.Telling) error {
	red := c.Redemption
	if red == nil {
		return nil
	}
	if red.Captured != 0 { // in the month of the capture, however often and when the order is told
		burn := m
		burn.Type, burn.Points, burn.Value, burn.At = "burn", red.Points, red.Value, red.Captured
		if err := tx.PutMovement(p.ID, "burn-"+red.ID, burn, c.Current); err != nil {
			return err
		}
	}
	if red.Restored == restored {
		return nil
	}
	m.Type, m.Points, m.Value = "restore", red.Restored-restored, red.Returned()-red.ReturnedAt(restored)
	return tx.PutMovement(p.ID, fmt.Sprintf("restore-%s-%d", red.ID, red.Restored), m, c.Current)
}
