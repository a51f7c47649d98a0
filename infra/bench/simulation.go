package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/simulation"
)

// drafts are what history is played under: one rule, and a usual program.
var drafts = []struct{ name, doc string }{
	{"one rule", `{"earning": {"rules": [{"id": "base", "on": "order", "rate": {"points": 1, "amount": 80}, "where": {"minimum_amount": 1000}}]}}`},
	{"rules, tiers and a punch card", `{
		"earning": {"rules": [
			{"id": "base", "on": "order", "rate": {"points": 1, "amount": 90}},
			{"id": "coffee", "on": "order", "multiplier": "2", "where": {"categories": ["coffee"]}},
			{"id": "weekend", "on": "order", "multiplier": "1.5", "during": {"weekdays": ["saturday", "sunday"]}}]},
		"tiers": {"levels": [{"id": "silver", "from": 200, "multiplier": "1.25"}, {"id": "gold", "from": 600, "multiplier": "1.5"}]},
		"rewards": [{"id": "coffee"}], "achievements": [{"id": "card", "count": "quantity", "reach": 10, "repeat": true, "reward": "coffee"}]}`},
}

// simulations measures what an order of history costs from its line in a file
// to the report, under the program of the scenarios and a draft.
func simulations(orders int) ([]effort, error) {
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	var history bytes.Buffer
	for i := range orders {
		o := order(fmt.Sprint(i), 1, object{"customer": object{"external_id": fmt.Sprint(i % (1 + orders/17))}}, end.Add(-time.Duration(i%700)*24*time.Hour), 0)
		line, err := json.Marshal(o)
		if err != nil {
			return nil, err
		}
		history.Write(append(line, '\n'))
	}
	terms := func(doc string) (*loyalty.Terms, error) {
		d, err := program.Parse([]byte(doc), nil)
		if err != nil {
			return nil, err
		}
		return d.Compile(1, nil)
	}
	base, err := terms(`{}`)
	if err != nil {
		return nil, err
	}
	var out []effort
	for _, draft := range drafts {
		q := simulation.Question{Base: base, Until: end, Redeemed: big.NewRat(4, 5), Reach: simulation.DefaultReach}
		if q.Draft, err = terms(draft.doc); err != nil {
			return nil, err
		}
		e, err := run("simulation, an order of 2 lines, "+draft.name, 1, func(int) error {
			var shard bytes.Buffer
			for p, err := range simulation.Lines(history.Bytes(), 1) {
				if err != nil {
					return err
				}
				if err := simulation.Append(&shard, &p); err != nil {
					return err
				}
			}
			all, err := q.PlayShard([][]byte{shard.Bytes()})
			if err != nil {
				return err
			}
			_, err = q.Report(all)
			return err
		})
		if err != nil {
			return nil, err
		}
		n := float64(orders)
		out = append(out, effort{e.name, e.cpu / time.Duration(orders), e.allocs / n, e.bytes / n})
	}
	return out, nil
}
