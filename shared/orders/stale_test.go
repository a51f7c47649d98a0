package orders_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/orders"
	"regulars/shared/program"
	"regulars/shared/table"
	"regulars/shared/table/embedded"
)

// behind is an engine whose cheap reads do not know yet what was written to
// vouchers, and of profiles only the first version.
type behind struct {
	table.Engine
	first map[table.Key]table.Item
}

func (b behind) Get(ctx context.Context, k table.Key, consistent bool) (table.Item, error) {
	it, err := b.Engine.Get(ctx, k, consistent)
	switch {
	case consistent || err != nil:
	case k.SK == "VOUCHER":
		return table.Item{}, table.ErrNotFound
	case k.SK == "PROFILE":
		return b.first[k], nil
	}
	return it, err
}

func (b behind) Write(ctx context.Context, writes ...table.Write) error {
	for _, w := range writes {
		if w.Item.Version == 1 && w.Item.SK == "PROFILE" {
			b.first[w.Item.Key] = w.Item
		}
	}
	return b.Engine.Write(ctx, writes...)
}

// What an order does not write is read fresh: a voucher that was made a moment
// ago is used, and attributes that were erased count no more.
func TestWhatAnOrderDoesNotWriteIsReadFresh(t *testing.T) {
	e, err := embedded.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	s := table.NewStore(behind{e, map[table.Key]table.Item{}})
	now := time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC)
	update := func(decide func(tx *table.Tx) error) {
		t.Helper()
		if err := s.Update(t.Context(), "p", decide); err != nil {
			t.Fatal(err)
		}
	}
	raw := []byte(`{"earning": {"rules": [
		{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}}, {"id": "double", "on": "order", "multiplier": "2", "where": {"attributes": {"coffee": ["espresso"]}}},
		{"id": "card", "on": "order", "punch_card": {"size": 1, "reward": "mug"}}
	]}}`)
	update(func(tx *table.Tx) error {
		doc, err := program.Parse(raw, nil)
		if err != nil {
			return err
		}
		_, err = tx.Publish(doc, raw, now)
		return err
	})
	update(func(tx *table.Tx) error {
		return tx.Enrol(&table.Profile{Member: "M", CreatedAt: now.Unix(), Attributes: map[string]string{"coffee": "espresso"}})
	})
	take := func(id string, discounts ...loyalty.Discount) (points int64, codes []string) {
		t.Helper()
		in := loyalty.Order{
			Source: "till", ID: id, Version: loyalty.Revision{N: 1}, State: loyalty.Paid, Currency: "ILS", PaidAt: now, Member: "mem_M", Discounts: discounts,
			Lines: []loyalty.Line{{ID: "1", Quantity: 1, UnitPrice: 1000, Amount: 1000}},
		}
		update(func(tx *table.Tx) error {
			taken, err := orders.Take(tx, &in, orders.Teller{Now: now, Seed: id})
			if err != nil {
				return err
			}
			a, err := tx.Account("M")
			points, codes = taken.Record.Points, nil
			for _, v := range a.Vouchers {
				codes = append(codes, v.Code)
			}
			return err
		})
		return points, codes
	}
	points, codes := take("1")
	if points != 20 || len(codes) != 1 {
		t.Fatalf("%d points, vouchers %v", points, codes)
	}
	if err := s.Erase(t.Context(), "p", "M", now, nil); err != nil {
		t.Fatal(err)
	}
	points, left := take("2", loyalty.Discount{Code: codes[0], Amount: 500, Lines: []string{"1"}})
	if points != 5 || len(left) != 0 {
		t.Errorf("%d points, vouchers %v", points, left)
	}
}
