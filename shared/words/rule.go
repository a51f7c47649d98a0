package words

import (
	"fmt"
	"maps"
	"slices"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

func (w *writer) rule(path string, r *program.Rule) {
	w.named("rule", path, r.Name, r.ID)
	if r.On == "activity" {
		w.add(path+"/activity", "rule.activity", "activity", given(r.Activity))
	} else {
		w.add(path+"/on", "rule.order")
	}
	switch {
	case r.Rate != nil:
		w.add(path+"/rate", "give.rate."+r.On, "gives", w.gives(r.Rate.Points, r.Wallet), "amount", w.amount(r.Rate.Amount))
	case r.Multiplier != "":
		w.add(path+"/multiplier", "give.multiplier."+r.On, "factor", w.factor(r.Multiplier))
	case r.Every != nil:
		w.add(path+"/every", "give.every", "gives", w.count("point", r.Every.Points), "amount", w.amount(r.Every.Amount))
	case r.PunchCard != nil:
		w.add(path+"/punch_card", "give.card", "pieces", w.count("piece", r.PunchCard.Size), "reward", w.rewardName(r.PunchCard.Reward))
		if r.PunchCard.When != "" {
			w.add(path+"/punch_card/when", "give.card.when", "expression", given(r.PunchCard.When))
		}
	default:
		w.add(path+"/points", "give.points."+r.On, "gives", w.gives(r.Points, r.Wallet))
	}
	if r.Wallet != "" {
		w.add(path+"/wallet", "rule.wallet", "wallet", w.walletName(r.Wallet))
	}
	w.asks(path, r.On, r.Where, r.When, r.During)
	if l := r.Limit; l != nil {
		w.limit(path+"/limit", "limit", l, "times", w.count("time", l.Times), "gives", w.gives(l.Points, r.Wallet))
	}
	if r.Budget > 0 {
		w.add(path+"/budget", "budget", "gives", w.gives(r.Budget, r.Wallet))
	}
	if r.Cooldown != "" {
		w.add(path+"/cooldown", "cooldown", "period", w.period(r.Cooldown))
	}
	if r.Group != "" {
		w.add(path+"/group", "rule.group", "group", given(r.Group))
	}
	if r.Priority != 0 {
		w.add(path+"/priority", "rule.priority", "n", w.number(int64(r.Priority)))
	}
}

// limit says its two bounds one by one: each holds by itself.
func (w *writer) limit(path, key string, l *program.Limit, fill ...string) {
	kind := ".ever"
	if l.Per != "" {
		kind, fill = ".per", append(fill, "period", w.period(l.Per))
	}
	if l.Times > 0 {
		w.add(path, key+".times"+kind, fill...)
	}
	if l.Points > 0 {
		w.add(path, key+".points"+kind, fill...)
	}
}

// asks says what a rule or a goal asks for. on is "order" or "activity".
func (w *writer) asks(path, on string, x *program.Where, when string, during *program.During) {
	if x != nil {
		w.where(path+"/where", on, x)
	}
	if when != "" {
		w.add(path+"/when", "condition", "expression", given(when))
	}
	if during != nil {
		w.during(path+"/during", during)
	}
}

func (w *writer) where(path, on string, x *program.Where) {
	for _, l := range []struct {
		key  string
		list []string
	}{
		{"skus", x.SKUs},
		{"categories", x.Categories},
		{"collections", x.Collections},
		{"stores", x.Stores},
		{"regions", x.Regions},
		{"channels", x.Channels},
		{"segments", x.Segments},
		{"sources", x.Sources},
	} {
		if len(l.list) > 0 {
			w.add(path+"/"+l.key, "where."+l.key, "list", w.each(l.list, given))
		}
	}
	if len(x.Tiers) > 0 {
		w.add(path+"/tiers", "where.tiers", "list", w.levels(x.Tiers))
	}
	for _, name := range slices.Sorted(maps.Keys(x.Attributes)) {
		w.add(path+"/attributes/"+name, "where.attribute", "name", given(name), "list", w.each(x.Attributes[name], given))
	}
	if n := x.OrderNumber; n != nil {
		at := path + "/order_number"
		switch {
		case n.To == 0:
			w.add(at, "where.number.from", "n", w.number(n.From))
		case n.From == n.To:
			w.add(at, "where.number.one", "n", w.number(n.To))
		case n.From == 0:
			w.add(at, "where.number.to", "n", w.number(n.To))
		default:
			w.add(at, "where.number.span", "from", w.number(n.From), "to", w.number(n.To))
		}
	}
	if x.Amount > 0 {
		w.add(path+"/minimum_amount", "where.amount."+on, "amount", w.amount(x.Amount))
	}
	if x.Quantity > 0 {
		w.add(path+"/minimum_quantity", "where.quantity", "pieces", w.count("piece", x.Quantity))
	}
}

func (w *writer) during(path string, x *program.During) {
	if len(x.Dates) > 0 {
		w.add(path+"/dates", "during.dates", "list", w.each(x.Dates, w.day))
	}
	if x.From != "" {
		w.add(path+"/from", "during.from", "date", w.day(x.From))
	}
	if x.Until != "" {
		w.add(path+"/until", "during.until", "date", w.day(x.Until))
	}
	if len(x.Weekdays) > 0 {
		w.add(path+"/weekdays", "during.weekdays", "list", w.each(x.Weekdays, w.weekday))
	}
	if len(x.Hours) > 0 {
		spans := make([]string, len(x.Hours))
		for i, h := range x.Hours {
			key := "hours.same"
			if h.To <= h.From { // both are HH:MM
				key = "hours.next"
			}
			spans[i] = w.say(key, "from", w.clock(h.From), "to", w.clock(h.To))
		}
		w.add(path+"/hours", "during.hours", "list", w.list(spans))
	}
}

func (w *writer) achievement(path string, a *program.Achievement) {
	w.named("achievement", path, a.Name, a.ID)
	on := "order"
	if a.Count == loyalty.Activities {
		on = "activity"
	}
	switch {
	case a.Streak != "" && on == "activity":
		w.add(path, "goal.streak.activities", "activity", given(a.Activity), "period", w.period(a.Streak), "n", w.number(a.Reach))
	case a.Streak != "":
		w.add(path, "goal.streak.orders", "period", w.period(a.Streak), "n", w.number(a.Reach))
	case on == "activity":
		w.add(path, "goal.activities", "activity", given(a.Activity), "times", w.count("time", a.Reach))
	default:
		w.add(path, "goal.reach", "count", w.reach(a))
	}
	if a.Points > 0 {
		w.add(path+"/points", "goal.points", "points", w.count("point", a.Points))
	}
	if a.Reward != "" {
		w.add(path+"/reward", "goal.reward", "reward", w.rewardName(a.Reward))
	}
	if a.Badge {
		w.add(path+"/badge", "goal.badge")
	}
	w.asks(path, on, a.Where, a.When, a.During)
	if a.Repeat {
		w.add(path+"/repeat", "goal.repeat")
	} else {
		w.add(path+"/repeat", "goal.once")
	}
}

// reach is how much of what it counts a goal asks for.
func (w *writer) reach(a *program.Achievement) string {
	switch a.Count {
	case loyalty.Pieces:
		return w.count("piece", a.Reach)
	case loyalty.Spending:
		return w.amount(a.Reach)
	case loyalty.Stores:
		return w.count("store", a.Reach)
	}
	return w.count("order", a.Reach)
}

func (w *writer) automatic(path string, a *program.Automatic) {
	w.named("automatic", path, a.Name, a.ID)
	w.add(path, "automatic.period", "every", w.period(a.Every), "part", w.period(a.Average))
	w.add(path+"/choose_within", "automatic.within", "period", w.period(a.Within))
	if len(a.Brackets) > 1 {
		w.add(path+"/brackets", "automatic.highest")
	}
	for i, b := range a.Brackets {
		at := fmt.Sprint(path, "/brackets/", i)
		w.add(at+"/from", "automatic.bracket", "amount", w.amount(b.From))
		for j, c := range b.Choices {
			at, name := fmt.Sprint(at, "/choices/", j), w.name(c.Name, c.ID)
			switch {
			case c.Reward != "":
				w.add(at, "automatic.reward", "name", name, "reward", w.rewardName(c.Reward))
			case c.Wallet != "":
				w.add(at, "automatic.wallet", "name", name, "gives", w.amount(c.Points), "wallet", w.walletName(c.Wallet))
			default:
				w.add(at, "automatic.points", "name", name, "gives", w.count("point", c.Points))
			}
		}
	}
}
