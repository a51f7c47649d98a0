package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"regulars/infra/local"
	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/refresh"
	"regulars/shared/segment"
	"regulars/shared/table"
)

// crowd are so many synthetic members, the same each time: of a hundred, five
// never bought, and two were sent by another member. The others began some day
// of the last two years, buy at their own rate for 5.00 to 1,000.00 a day, and
// stop after a purchase with their own probability, as the models have it.
type crowd struct {
	members int
	known   []uint16   // which of sets each is in already, counted from 1; 0 or nil: in none
	sets    [][]string // of segments
	astray  int        // how many are in none but should be, once the others are settled
}

// crowdDay is the local day on which the crowd is looked at: 2026-02-16.
const crowdDay = 20_500

// shardOf is where a member of the crowd is read. It has nothing of the hash
// by which a table spreads members, so that shards can be made one by one.
func shardOf(member string) int { return numberOf(member) % refresh.Shards }

func numberOf(member string) int {
	n, err := strconv.Atoi(member[len(member)-9:])
	if err != nil {
		panic("bench: a member who is not of the crowd: " + member)
	}
	return n
}

func crowdID(n int) string { return fmt.Sprintf("01J8ZQ%020d", n) }

// account is the nth member's: what a refresh looks at, without a ledger.
func (c crowd) account(n int) *loyalty.Account {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	a := &loyalty.Account{Member: crowdID(n), Balance: r.Int64N(2000), Born: r.Int64N(13)}
	if c.known != nil && c.known[n] > 0 {
		a.Segments, a.Segmented, a.SegmentSeq = c.sets[c.known[n]-1], crowdDay*86400-86400, 1
	}
	if r.IntN(50) == 0 && n > 0 {
		a.Referred = &loyalty.Referred{Advocate: crowdID(r.IntN(n))}
	}
	if r.IntN(20) == 0 {
		return a
	}
	p := &a.Purchases
	gap, stops := 20-40*math.Log(r.Float64()), r.Float64()*r.Float64() // days between purchases; the probability
	for day := crowdDay - r.Int64N(700); day <= crowdDay && len(p.Newest) < 30; day += 1 + int64(gap*r.ExpFloat64()) {
		spent := min(100_000, int64(500+5000*math.Exp(r.NormFloat64())))
		p.Newest = append(p.Newest, loyalty.Span{Number: day, Days: 1, Orders: 1, Spent: spent})
		p.Spent += spent
		a.Orders++
		if r.Float64() < stops {
			break
		}
	}
	for i := range 1 + r.IntN(2) {
		p.Stores = append(p.Stores, loyalty.Visits{Store: fmt.Sprint("tlv-", r.IntN(2)*2+i), Orders: 1})
	}
	return a
}

// shard calls visit with the members of one shard.
func (c crowd) shard(shard int, visit func(n int, a *loyalty.Account) error) error {
	for n := shard; n < c.members; n += refresh.Shards {
		if err := visit(n, c.account(n)); err != nil {
			return err
		}
	}
	return nil
}

// plan is what a run over the crowd goes by.
func (c crowd) plan() *refresh.Plan {
	return &refresh.Plan{At: crowdDay * 86400, Today: crowdDay, Currency: "ILS", Rules: segment.DefaultRules(), Yearly: refresh.DefaultYearly, Depth: 3, Decay: "1/2"}
}

// items calls visit with the items of the crowd's table: its program, and the
// accounts, each with a ledger of 24 entries, a KB or a little less in all.
func (c crowd) items(ctx context.Context, visit func(table.Item) error) error {
	kept := &shelf{items: map[table.Key]table.Item{}}
	store := table.NewStore(kept)
	raw := []byte(`{"time_zone": "UTC"}`)
	doc, err := program.Parse(raw, nil)
	if err != nil {
		return err
	}
	terms, err := doc.Compile(1, nil)
	if err != nil {
		return err
	}
	now := time.Unix(crowdDay*86400, 0)
	if err := store.Update(ctx, local.Program, func(tx *table.Tx) error { _, err := tx.Publish(doc, raw, now); return err }); err != nil {
		return err
	}
	for k, it := range kept.items {
		if err := visit(it); err != nil {
			return fmt.Errorf("%s: %w", k.SK, err)
		}
	}
	ledger := &loyalty.Account{}
	for i := range 24 {
		o := loyalty.Order{
			Source: "shopify", ID: strconv.Itoa(5_000_000_000 + i), State: loyalty.Paid, Currency: "ILS", PaidAt: now.AddDate(0, 0, 7*(i-24)),
			Lines: []loyalty.Line{{ID: "1", Quantity: 1, Amount: 12000}},
		}
		r := &loyalty.Record{}
		if _, err := r.Receive(&o, true); err != nil {
			return err
		}
		if _, err := ledger.Apply(r, loyalty.Telling{Pinned: terms, Current: terms, Now: now}); err != nil {
			return err
		}
	}
	for n := range c.members {
		a := c.account(n)
		whole := *ledger
		whole.Member, whole.Orders, whole.Born, whole.Purchases, whole.Referred = a.Member, a.Orders, a.Born, a.Purchases, a.Referred
		whole.Segments, whole.Segmented, whole.SegmentSeq = a.Segments, a.Segmented, a.SegmentSeq
		if err := store.Update(ctx, local.Program, func(tx *table.Tx) error { return tx.PutAccount(&whole) }); err != nil {
			return err
		}
		for k, it := range kept.items {
			if k.SK == "ACCOUNT" {
				delete(kept.items, k)
				if err := visit(it); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// shelf holds the items of a table in memory, as far as one decision after
// the other needs.
type shelf struct {
	table.Engine
	items map[table.Key]table.Item
}

func (s *shelf) Get(_ context.Context, k table.Key, _ bool) (table.Item, error) {
	it, ok := s.items[k]
	if !ok {
		return it, table.ErrNotFound
	}
	return it, nil
}

func (s *shelf) Write(_ context.Context, writes ...table.Write) error {
	for _, w := range writes {
		s.items[w.Item.Key] = w.Item
	}
	return nil
}
