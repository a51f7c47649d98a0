package program

import (
	"cmp"
	"slices"
	"strconv"

	"regulars/shared/loyalty"
)

func (d *Document) rewards(c *checker, t *loyalty.Terms) {
	seen := map[string]bool{}
	c.number("/rewards", len(d.Rewards), 0, 200)
	for i, r := range d.Rewards {
		path := "/rewards/" + strconv.Itoa(i)
		c.id(path+"/id", r.ID, seen)
		c.text(path+"/name", r.Name)
		reward := loyalty.Reward{ID: r.ID}
		if r.Lasts != "" {
			reward.Lasts = c.period(path+"/lasts", r.Lasts)
		}
		t.Rewards = append(t.Rewards, reward)
	}
	seen = map[string]bool{"points": true}
	c.number("/wallets", len(d.Wallets), 0, 10)
	for i, w := range d.Wallets {
		path := "/wallets/" + strconv.Itoa(i)
		c.id(path+"/id", w.ID, seen)
		c.text(path+"/name", w.Name)
		c.oneOf(path+"/kind", w.Kind, "cashback", "bonus")
		c.between(path+"/minimum_payout", w.Payout, 0, maxAmount)
		if w.Kind == "bonus" && w.Payout != 0 {
			c.refuse(path+"/minimum_payout", w.Payout, "a bonus cannot be paid out")
		}
		t.Wallets = append(t.Wallets, loyalty.Wallet{ID: w.ID, Withdrawable: w.Kind == "cashback", Least: max(w.Payout, 1), Expiry: c.expiry(path+"/expiry", w.Expiry)})
	}
}

// achievements come after the rules, whose punch cards and thresholds are
// goals as they are, under the same ids.
func (d *Document) achievements(c *checker, t *loyalty.Terms) {
	seen := map[string]bool{}
	for _, r := range d.Earning.Rules {
		seen[r.ID] = true
	}
	c.number("/achievements", len(d.Achievements), 0, 50)
	for i, a := range d.Achievements {
		path := "/achievements/" + strconv.Itoa(i)
		c.id(path+"/id", a.ID, seen)
		c.text(path+"/name", a.Name)
		c.oneOf(path+"/count", string(a.Count), "orders", "quantity", "amount", "stores", "activities")
		c.between(path+"/reach", a.Reach, 1, maxAmount)
		c.between(path+"/points", a.Points, 0, maxPoints)
		d.reward(c, path+"/reward", a.Reward, false)
		if a.Points == 0 && a.Reward == "" && !a.Badge {
			c.refuse(path, a.ID, "must give points, a reward or a badge")
		}
		on := "order"
		if a.Count == loyalty.Activities {
			on = "activity"
		}
		if (a.Activity != "") != (on == "activity") {
			c.refuse(path+"/activity", a.Activity, "is the type of activity that count: activities counts, and nothing else")
		}
		if a.Activity != "" {
			c.activity(path+"/activity", a.Activity)
		}
		g := loyalty.Goal{
			ID: a.ID, Count: a.Count, Activity: a.Activity, Reach: max(a.Reach, 1), Repeat: a.Repeat, Points: a.Points, Reward: a.Reward, Badge: a.Badge,
			Where: d.where(c, path+"/where", a.Where, on), When: c.when(path+"/when", a.When), During: c.during(path+"/during", a.During, t.Zone),
		}
		if a.Streak != "" {
			g.Streak = c.calendar(path+"/streak", a.Streak)
			if g.Streak.Exact != 0 {
				c.refuse(path+"/streak", a.Streak, "must be days, weeks or months")
			}
			c.between(path+"/reach", a.Reach, 1, loyalty.LongestStreak)
			if a.Count != loyalty.Orders && a.Count != loyalty.Activities {
				c.refuse(path+"/count", a.Count, "a streak is of orders or of activities")
			}
		}
		t.Goals = append(t.Goals, g)
	}
}

// automatic come last: a voucher names what gave it, goal or automatic reward.
func (d *Document) automatic(c *checker, t *loyalty.Terms) {
	seen := map[string]bool{}
	for _, r := range d.Earning.Rules {
		seen[r.ID] = true
	}
	for _, a := range d.Achievements {
		seen[a.ID] = true
	}
	c.number("/automatic_rewards", len(d.Automatic), 0, 5)
	for i, a := range d.Automatic {
		path := "/automatic_rewards/" + strconv.Itoa(i)
		c.id(path+"/id", a.ID, seen)
		c.text(path+"/name", a.Name)
		every, per := c.period(path+"/every", a.Every), c.period(path+"/average_per", a.Average)
		months := func(p loyalty.Period) bool { return p.Months > 0 && p.Days == 0 && p.Exact == 0 }
		if !months(every) || !months(per) || every.Months%per.Months != 0 {
			c.refuse(path+"/average_per", a.Average, "every and average_per must be whole months, the first a multiple of the second")
			continue
		}
		b := loyalty.Bonus{ID: a.ID, Every: every, Parts: int64(every.Months / per.Months), Within: c.period(path+"/choose_within", a.Within)}
		if b.Within.IsZero() || b.Within.After(epoch, t.Zone).After(every.After(epoch, t.Zone)) {
			c.refuse(path+"/choose_within", a.Within, "must be longer than nothing and end before the next period does")
		}
		c.number(path+"/brackets", len(a.Brackets), 1, 20)
		for j, br := range a.Brackets {
			b.Brackets = append(b.Brackets, d.bracket(c, path+"/brackets/"+strconv.Itoa(j), br))
		}
		if !slices.IsSortedFunc(b.Brackets, func(x, y loyalty.Bracket) int { return cmp.Or(cmp.Compare(x.From, y.From), -1) }) {
			c.refuse(path+"/brackets", a.ID, "must begin with the lowest from, each from once")
		}
		t.Bonuses = append(t.Bonuses, b)
	}
}

func (d *Document) bracket(c *checker, path string, in Bracket) loyalty.Bracket {
	c.between(path+"/from", in.From, 1, maxAmount)
	c.number(path+"/choices", len(in.Choices), 1, 10)
	out := loyalty.Bracket{From: in.From}
	seen := map[string]bool{}
	for i, ch := range in.Choices {
		at := path + "/choices/" + strconv.Itoa(i)
		c.id(at+"/id", ch.ID, seen)
		c.text(at+"/name", ch.Name)
		c.between(at+"/points", ch.Points, 0, maxAmount)
		d.wallet(c, at+"/wallet", ch.Wallet)
		d.reward(c, at+"/reward", ch.Reward, false)
		if (ch.Points > 0) == (ch.Reward != "") {
			c.refuse(at, ch.ID, "must give either points or a reward")
		}
		if i == 0 && (ch.Wallet != "" || ch.Reward != "") {
			c.refuse(at, ch.ID, "the first choice is what is given when none is made, and must be of points")
		}
		out.Choices = append(out.Choices, loyalty.Choice{ID: ch.ID, Wallet: ch.Wallet, Points: ch.Points, Reward: ch.Reward})
	}
	return out
}

func (d *Document) rollout(c *checker) {
	r := d.Rollout
	if r == nil {
		return
	}
	c.list("/rollout/stores", r.Stores)
	c.list("/rollout/regions", r.Regions)
	c.between("/rollout/percent", r.Percent, 0, 100)
	given := 0
	for _, x := range []bool{len(r.Stores) > 0, len(r.Regions) > 0, r.Percent > 0} {
		if x {
			given++
		}
	}
	if given != 1 {
		c.refuse("/rollout", "", "must be by stores, by regions or by a percentage from 1 to 100")
	}
}
