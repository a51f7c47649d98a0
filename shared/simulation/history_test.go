package simulation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/loyalty"
	"regulars/shared/simulation"
)

// line is an order of two lines as POST /v1/orders takes it.
func line(i, members int) []byte {
	at := end.Add(-time.Duration(i%700) * 24 * time.Hour)
	return fmt.Appendf(nil, `{"source": "till", "id": "%d", "version": 1, "state": "paid", "currency": "ILS", "placed_at": %q, "paid_at": %q, "store": "tlv-%d", "channel": "online",`+
		` "customer": {"external_id": "%d", "email": "a%d@example.com"}, "lines": [`+
		`{"id": "1", "sku": "A", "title": "Coffee", "category": "coffee", "quantity": 2, "unit_price": 2450, "amount": 4900},`+
		`{"id": "2", "sku": "B", "title": "Cake", "category": "cake", "quantity": 1, "unit_price": 1999, "amount": 1999}], "discounts": [{"code": "TEN", "amount": 690}]}`,
		i, at.Format(time.RFC3339), at.Format(time.RFC3339), i%5, i%members, i%members)
}

func TestWhoBought(t *testing.T) {
	for _, c := range []struct{ name, with, want string }{
		{"a member", `"member": "mem_1", "customer": {"external_id": "7"}`, "mem_1"},
		{"an id of the shop", `"customer": {"external_id": "7", "email": "a@example.com"}`, "till/7"},
		{"an address, which is not shown", `"customer": {"email": "a@example.com", "phone": "+972501234567"}`, "email_"},
		{"a phone", `"customer": {"phone": "+972501234567"}`, "phone_"},
		{"nobody", `"tip": 0`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, ok, err := simulation.ParseLine([]byte(`{"source": "till", "id": "1", "version": 1, "state": "paid", "currency": "ILS", "paid_at": "2026-03-15T08:01:00Z", "lines": [], ` + c.with + `}`))
			same := p.Member == c.want || strings.HasSuffix(c.want, "_") && strings.HasPrefix(p.Member, c.want)
			if err != nil || ok != (c.want != "") || !same {
				t.Errorf("%q, %v, %v", p.Member, ok, err)
			}
			if strings.Contains(p.Member, "example") || strings.Contains(p.Member, "972") {
				t.Errorf("an address is shown: %q", p.Member)
			}
		})
	}
	if _, _, err := simulation.ParseLine([]byte(`{"source": "till", "colour": "red"}`)); err == nil {
		t.Error("an unknown key was taken")
	}
}

func TestShardsHoldWhatWasWritten(t *testing.T) {
	var shard bytes.Buffer
	var want []simulation.Purchase
	refunded := int64(7)
	for i := range 20 {
		p, ok, err := simulation.ParseLine(line(i, 3))
		if err != nil || !ok {
			t.Fatal(err)
		}
		p.Order.Lines[0].RefundedAmount = &refunded
		p.Order.Refunds = []loyalty.Refund{{ID: "r", Amount: 3, Lines: []loyalty.RefundLine{{Line: "1", Amount: 3}}}}
		if err := simulation.Append(&shard, &p); err != nil {
			t.Fatal(err)
		}
		want = append(want, p)
	}
	var got []simulation.Purchase
	for p, err := range simulation.Purchases(shard.Bytes()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, *p)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(loyalty.OrderRef{})); diff != "" {
		t.Error(diff)
	}
	q := ask(t, `{}`, sc19)
	if _, err := q.PlayShard([][]byte{shard.Bytes()[:shard.Len()-3]}); err == nil {
		t.Error("a shard that ends too early was played")
	}
	p, err := q.PlayShard([][]byte{shard.Bytes()})
	if err != nil || p.Members != 3 || p.Orders != 20 {
		t.Errorf("%+v, %v", p, err)
	}
}

const usual = `{
	"earning": {"rules": [
		{"id": "base", "on": "order", "rate": {"points": 1, "amount": 90}},
		{"id": "coffee", "on": "order", "multiplier": "2", "where": {"categories": ["coffee"]}},
		{"id": "weekend", "on": "order", "multiplier": "1.5", "during": {"weekdays": ["saturday", "sunday"]}}]},
	"tiers": {"levels": [{"id": "silver", "from": 200, "multiplier": "1.25"}, {"id": "gold", "from": 600, "multiplier": "1.5"}]},
	"rewards": [{"id": "coffee"}],
	"achievements": [{"id": "card", "count": "quantity", "reach": 10, "repeat": true, "reward": "coffee"}]
}`

// The parts of a run, an order each. Playing is under both programs.
func BenchmarkOrder(b *testing.B) {
	const members = 5000
	lines := make([][]byte, 50_000)
	var shard bytes.Buffer
	for i := range lines {
		lines[i] = line(i, members)
		p, _, err := simulation.ParseLine(lines[i])
		if err != nil {
			b.Fatal(err)
		}
		if err := simulation.Append(&shard, &p); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("read a line", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, _, err := simulation.ParseLine(lines[i%len(lines)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("write and read a shard", func(b *testing.B) {
		b.ReportAllocs()
		p, _, _ := simulation.ParseLine(lines[0])
		for b.Loop() {
			var one bytes.Buffer
			if err := simulation.Append(&one, &p); err != nil {
				b.Fatal(err)
			}
			for _, err := range simulation.Purchases(one.Bytes()) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	for name, docs := range map[string][2]string{"plain": {`{}`, sc19}, "usual": {`{}`, usual}, "rich": {sc19, rich}} {
		q := ask(b, docs[0], docs[1])
		b.Run("play a shard, "+name, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; n < b.N; n += len(lines) {
				p, err := q.PlayShard([][]byte{shard.Bytes()})
				if err != nil || p.Orders != int64(len(lines)) {
					b.Fatal(p, err)
				}
				if _, err := json.Marshal(report(b, q, p)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What the table keeps is history as it counted in production.
func TestRecordsBecomeHistory(t *testing.T) {
	at := end.AddDate(0, -1, 0)
	rec := func(id, member string, counted, paid time.Time) *loyalty.Record {
		r := &loyalty.Record{Order: sale(id, paid, 100), Member: member}
		if !counted.IsZero() {
			r.At = counted.Unix()
		}
		return r
	}
	records := []*loyalty.Record{
		rec("as told", "A", at, at), rec("of the future", "A", at, at.AddDate(1, 0, 0)), rec("without a time", "A", at, time.Time{}),
		rec("never paid", "A", time.Time{}, time.Time{}), rec("of nobody", "", at, at), rec("of another", "B", at, at),
	}
	told := func(yield func(*loyalty.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
	var got []string
	for p, err := range simulation.Told(told, []string{"mem_A"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Member+" "+p.Order.ID)
		if when := terms(t, `{}`).EarnedAt(&p.Order, time.Time{}); !when.Equal(at) {
			t.Errorf("%s counts at %v, want %v", p.Order.ID, when, at)
		}
	}
	if diff := cmp.Diff([]string{"mem_A as told", "mem_A of the future", "mem_A without a time"}, got); diff != "" {
		t.Error(diff)
	}
	failing := errors.New("the table is away")
	for _, err := range simulation.Told(func(yield func(*loyalty.Record, error) bool) { yield(nil, failing) }, nil) {
		if !errors.Is(err, failing) {
			t.Errorf("%v", err)
		}
	}
}
