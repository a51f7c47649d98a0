package table

import (
	"fmt"
	"testing"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

// counting is a program with all that an account counts: tiers by the month,
// a punch card, a limit by the day, lots by the day.
const counting = `{"tiers": {"levels": [{"id": "silver", "from": 500, "multiplier": "1.25"}, {"id": "gold", "from": 1500, "multiplier": "1.5"}]},
  "earning": {"rules": [
    {"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}},
    {"id": "card", "on": "order", "punch_card": {"size": 10, "reward": "free-coffee"}},
    {"id": "daily", "on": "order", "points": 5, "limit": {"times": 1, "per": "P1D"}}]}}`

// An account with all that is counted for it stays within what one write
// unit pays for, as its order does; older ledger entries go to pages.
func TestAnOrdinaryAccountIsOneWriteUnit(t *testing.T) {
	member := "01K0000000000000000000000A"
	for _, c := range []struct {
		name, doc string
		every     int // days between orders
		orders    int
		most      int // bytes of an account whose entries are on pages
		entry     int // bytes of a ledger entry
	}{
		{"points only, an order a month for a year", `{}`, 30, 13, 224, 35},
		{"all that is counted, an order a month for a year", counting, 30, 13, 384, 35},
		{"all that is counted, an order a week for a year", counting, 7, 52, 620, 33},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := program.Parse([]byte(c.doc), nil)
			if err != nil {
				t.Fatal(err)
			}
			tm, err := doc.Compile(1, nil)
			if err != nil {
				t.Fatal(err)
			}
			a := &loyalty.Account{Member: member}
			var rec loyalty.Record
			now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
			for i := range c.orders {
				rec = loyalty.Record{Member: member, Terms: 1}
				o := &loyalty.Order{ // its id is as far from the one before as Shopify's are a week apart
					Source: "shopify", ID: fmt.Sprint(5000000000000 + i*10_000_000_019), Version: loyalty.At(now), State: loyalty.Paid, Currency: "ILS", PlacedAt: now, PaidAt: now, Store: "tlv-1", Channel: "online",
					Lines: []loyalty.Line{
						{ID: "14000000000001", SKU: "KAFFA-250", Title: "Kaffa 250 g", Category: "coffee", Quantity: 2, UnitPrice: 4500, Amount: 9000},
						{ID: "14000000000002", SKU: "CUP-S", Title: "Cup, small", Category: "cups", Quantity: 1, UnitPrice: 3000, Amount: 3000},
					},
				}
				if _, err := rec.Receive(o, true); err != nil {
					t.Fatal(err)
				}
				vouchers, err := a.Apply(&rec, loyalty.Telling{Pinned: tm, Current: tm, Seed: fmt.Sprint(i), Now: now})
				if err != nil {
					t.Fatal(err)
				}
				none := &loyalty.Years{Read: func(int64) (loyalty.Spans, error) { return nil, nil }}
				if err := a.Purchases.Replace(loyalty.Bought{}, rec.Bought, none); err != nil {
					t.Fatal(err)
				}
				for _, v := range vouchers { // the newest is not used yet
					if i == c.orders-1 {
						break
					}
					if err := a.Use(&v, o.Ref(), now); err != nil {
						t.Fatal(err)
					}
				}
				now = now.AddDate(0, 0, c.every)
			}
			each := (len(encode(a.Tail)) + len(a.Tail) - 1) / len(a.Tail)
			if t.Logf("%d entries, %d bytes each", len(a.Tail), each); each > c.entry {
				t.Errorf("an entry has %d bytes, at most %d are wanted", each, c.entry)
			}
			paged := *a
			paged.Tail = a.Tail[len(a.Tail)-1:]
			account, order := accountKey("prg01", member), orderKey("prg01", rec.Order.Ref())
			body, kept := encode(&paged), encode(&rec)
			t.Logf("account %d bytes and %d: %s; order %d bytes: %s", len(body), len(a.Side()), parts(paged), len(kept), fmt.Sprint("uses ", len(encode(rec.Uses)), " facts ", len(encode(rec.Facts))))
			side := a.Side()
			if n := writeUnits(account, body, side); len(body)+len(side) > c.most || n != 1 {
				t.Errorf("the account has %d bytes, at most %d are wanted, and costs %d units", len(body)+len(side), c.most, n)
			}
			if n := writeUnits(order, kept, nil); n != 1 {
				t.Errorf("the order has %d bytes and costs %d units", len(kept), n)
			}
		})
	}
}

// parts says what the bytes of an account are.
func parts(a loyalty.Account) string {
	return fmt.Sprint("lots ", len(encode(a.Lots)), " entry ", len(encode(a.Tail)), " standing ", len(encode(a.Standing)), " tallies ", len(encode(a.Tallies)), " (", len(a.Tallies),
		") goals ", len(encode(a.Goals)), " vouchers ", len(encode(a.Vouchers)), " (", len(a.Vouchers), ") purchases ", len(encode(a.Purchases)))
}
