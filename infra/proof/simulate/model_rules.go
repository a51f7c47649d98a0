package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// rules are what the simulation varies of a program document.
type rules struct {
	version        int64
	points, amount int64 // that many points for so many minor units
	rounding       string
	fulfilled      bool // orders count when fulfilled, not when paid
	pending, life  int  // days until points ripen, and until they die (0: never)
	wholeDays      bool // they die at the end of their last day
	clawback       string
	hold           time.Duration
	minimum        int64
	grace          int // days

	cashback int64 // percent of an order that go to the wallet "cash"; 0: there is no such wallet
	cashLife int   // days that they live there; 0: for ever
	least    int64 // smallest payout
	topUp    int64 // percent of a top-up that go to the wallet "gift", which is not paid out; 0: none

	card    int64 // beans on a punch card; 0: there is none
	lasts   int   // days that its voucher can be used; 0: for ever
	every   int64 // points for each everyAmount that are spent
	badge   int64 // orders to the badge "fan", which comes with points
	greeted bool  // a review gives points, twice a day

	perOrder, perDay int64 // points that an order gives beside the rate, and at most in a day
	launch, budget   int64 // points that an order gives until the program has given so many

	usual       int64 // a month's spending that is rewarded; 0: none
	usualMonths int   // that are looked at together
	within      int   // days to choose in

	refer *referring // nil: nothing for bringing friends

	levels                    []level
	window                    int // months that count, beside the current one; 0: all
	validity, leeway, warning int // days
	downgrade, qualifyBy      string

	store   string // for whom the version is: for all, where both are not set
	percent int64
}

type level struct {
	id    string
	from  int64
	times int64 // what the rate gives is multiplied by, in hundredths
}

// Steps of goals, the same in every version: what is reached is judged by
// the rules of the day.
const (
	everyAmount  = 50_000
	badgePoints  = 30
	reviewPoints = 25
	reviewsADay  = 2
	launchBudget = 2000
)

// draw makes up rules.
func draw(r *rand.Rand) rules {
	pick := func(of ...int) int { return of[r.IntN(len(of))] }
	d := rules{
		points: int64(pick(1, 1, 2, 3)), amount: int64(pick(100, 100, 10, 1, 70)), fulfilled: r.IntN(4) == 0,
		pending: pick(0, 0, 2, 14), life: pick(0, 10, 45, 180), wholeDays: r.IntN(2) == 0,
		clawback: []string{"debt", "clamp", "negative"}[r.IntN(3)], hold: time.Duration(pick(1, 15, 600)) * time.Minute,
		minimum: int64(pick(1, 1, 20)), grace: pick(1, 30), rounding: []string{"floor", "floor", "half_up", "ceil"}[r.IntN(4)],

		cashback: int64(pick(0, 5, 5, 3)), cashLife: pick(0, 0, 20), least: int64(pick(1, 500)), topUp: int64(pick(0, 5, 10)),
		card: int64(pick(0, 4, 4)), lasts: pick(0, 5, 30), every: int64(pick(0, 40)), badge: int64(pick(0, 3)), greeted: r.IntN(3) > 0,
	}
	if r.IntN(3) == 0 {
		d.perOrder, d.perDay = int64(pick(7, 50)), int64(pick(10, 100))
	}
	if r.IntN(3) == 0 {
		d.launch, d.budget = 60, launchBudget
	}
	if r.IntN(2) == 0 {
		d.usual, d.usualMonths, d.within = int64(pick(10_000, 40_000)), pick(1, 2), pick(10, 30)
	}
	if r.IntN(5) > 0 {
		d.refer = drawReferring(r)
	}
	if r.IntN(4) > 0 {
		usual := 30_000 * d.points / d.amount // of an order
		d.qualifyBy = []string{"base_points", "base_points", "spend", "orders"}[r.IntN(4)]
		switch d.qualifyBy {
		case "spend":
			usual = 30_000
		case "orders":
			usual = 1
		}
		d.levels = []level{{"silver", int64(pick(0, 1, 3)) * usual, int64(pick(100, 125))}, {"gold", int64(pick(4, 8)) * usual, int64(pick(150, 200))}}
		d.window, d.validity, d.leeway, d.warning = pick(0, 1, 12), pick(20, 60), pick(0, 10), pick(0, 7)
		d.downgrade = []string{"period_end", "period_end", "at_once", "never"}[r.IntN(4)]
	}
	switch r.IntN(6) {
	case 0:
		d.store = stores[r.IntN(len(stores))]
	case 1:
		d.percent = int64(pick(10, 50))
	}
	return d
}

var stores = []string{"s1", "s2", "s3"}

func (d rules) document() string {
	type object = map[string]any
	days := func(n int) string { return fmt.Sprintf("P%dD", n) }
	expiry := func(life int) any {
		switch {
		case life == 0:
			return "none"
		case d.wholeDays:
			return object{"after": days(life), "to_end_of": "day"}
		}
		return object{"after": days(life), "to_end_of": "none"}
	}
	when := "paid"
	if d.fulfilled {
		when = "fulfilled"
	}
	list := []object{{"id": "base", "on": "order", "rate": object{"points": d.points, "amount": d.amount}}}
	var wallets []object
	if d.cashback > 0 {
		wallets = append(wallets, object{"id": "cash", "kind": "cashback", "expiry": expiry(d.cashLife), "minimum_payout": d.least})
		list = append(list, object{"id": "cashback", "on": "order", "wallet": "cash", "rate": object{"points": d.cashback, "amount": 100}})
	}
	if d.topUp > 0 {
		wallets = append(wallets, object{"id": "gift", "kind": "bonus"})
		list = append(list, object{"id": "top-up", "on": "activity", "activity": "top_up", "wallet": "gift", "rate": object{"points": d.topUp, "amount": 100}})
	}
	if d.greeted {
		list = append(list, object{"id": "review", "on": "activity", "activity": "review", "points": reviewPoints, "limit": object{"times": reviewsADay, "per": "P1D"}})
	}
	if d.perOrder > 0 {
		list = append(list, object{"id": "visit", "on": "order", "points": d.perOrder, "limit": object{"points": d.perDay, "per": "P1D"}})
	}
	if d.launch > 0 {
		list = append(list, object{"id": "launch", "on": "order", "points": d.launch, "budget": d.budget})
	}
	reward := object{"id": "coffee"}
	if d.lasts > 0 {
		reward["lasts"] = days(d.lasts)
	}
	if d.card > 0 {
		list = append(list, object{"id": "card", "on": "order", "where": object{"skus": []string{"beans"}}, "punch_card": object{"size": d.card, "reward": "coffee"}})
	}
	if d.every > 0 {
		list = append(list, object{"id": "every", "on": "order", "every": object{"points": d.every, "amount": everyAmount}})
	}
	doc := object{
		"currency": "ILS", "time_zone": zone.String(), "point_value": object{"points": 1, "amount": pointWorth},
		"earning": object{"when": when, "rounding": d.rounding, "pending": days(d.pending), "rules": list}, "expiry": expiry(d.life), "clawback": d.clawback,
		"hold": object{"timeout": fmt.Sprintf("PT%dM", int(d.hold.Minutes()))}, "redemption": object{"minimum": d.minimum, "restore_grace": days(d.grace)},
		"wallets": wallets, "rewards": []object{reward},
		"partners": []object{{"id": "air", "sources": []string{"air"}, "settle": object{"points": 1, "amount": 4}, "exchange": object{"points": swapPoints, "units": 1, "unit": "miles", "minimum": swapLeast}}},
	}
	if d.refer != nil {
		doc["referral"], doc["acknowledge"] = d.refer.document(days), []string{"offer.parity_violation"}
	}
	if d.badge > 0 {
		doc["achievements"] = []object{{"id": "fan", "count": "orders", "reach": d.badge, "points": badgePoints, "badge": true}}
	}
	if d.usual > 0 {
		choices := []object{{"id": "points", "points": usualPoints}, {"id": "coffee", "reward": "coffee"}}
		if d.cashback > 0 {
			choices = append(choices, object{"id": "money", "wallet": "cash", "points": usualCash})
		}
		doc["automatic_rewards"] = []object{{
			"id": "usual", "every": fmt.Sprintf("P%dM", d.usualMonths), "average_per": "P1M", "choose_within": days(d.within),
			"brackets": []object{{"from": d.usual, "choices": choices}},
		}}
	}
	if len(d.levels) > 0 {
		var levels []object
		for i, l := range d.levels {
			levels = append(levels, object{"id": l.id, "from": l.from, "multiplier": decimal(l.times), "benefits": object{"return_days": 30 * (i + 1), l.id + "_hours": true}})
		}
		window := "none"
		if d.window > 0 {
			window = fmt.Sprintf("P%dM", d.window)
		}
		doc["tiers"] = object{"qualify_by": d.qualifyBy, "window": window, "validity": days(d.validity), "grace": days(d.leeway), "warning": days(d.warning), "downgrade": d.downgrade, "levels": levels}
	}
	if d.store != "" {
		doc["rollout"] = object{"stores": []string{d.store}}
	} else if d.percent > 0 {
		doc["rollout"] = object{"percent": d.percent}
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// in is the rules as they hold for what is in a wallet; false where there is
// no such wallet.
func (d rules) in(wallet string) (rules, bool) {
	switch {
	case wallet == "":
		return d, true
	case wallet == "cash" && d.cashback > 0:
		d.life, d.minimum = d.cashLife, 1
		return d, true
	case wallet == "gift" && d.topUp > 0:
		d.life, d.minimum = 0, 1
		return d, true
	}
	d.life, d.minimum = 0, 1
	return d, false
}

// goal is something that is counted until it gives.
type goal struct {
	id     string
	reach  int64
	once   bool
	points int64
	reward bool // a voucher
	badge  bool
}

// goals are in the order in which the product looks at them: those of rules,
// as the rules stand, and then the achievements.
func (d rules) goals() (gs []goal) {
	if d.card > 0 {
		gs = append(gs, goal{id: "card", reach: d.card, reward: true})
	}
	if d.every > 0 {
		gs = append(gs, goal{id: "every", reach: everyAmount, points: d.every})
	}
	if d.badge > 0 {
		gs = append(gs, goal{id: "fan", reach: d.badge, once: true, points: badgePoints, badge: true})
	}
	return gs
}

// place is where a level stands, from 0; -1 for none.
func (d rules) place(level string) int {
	for i, l := range d.levels {
		if l.id == level {
			return i
		}
	}
	return -1
}

func (d rules) levelID(place int) string {
	if place < 0 {
		return ""
	}
	return d.levels[place].id
}
