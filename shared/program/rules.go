package program

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"regulars/shared/loyalty"
)

// Bounds of lists and texts within rules.
const (
	maxListed = 500
	maxText   = 1000
)

func (d *Document) earning(c *checker, t *loyalty.Terms) {
	e := d.Earning
	c.oneOf("/earning/basis", e.Basis, "net", "goods")
	c.oneOf("/earning/when", string(e.When), "paid", "fulfilled")
	c.oneOf("/earning/rounding", string(e.Rounding), "floor", "half_up", "ceil")
	c.oneOf("/earning/stacking", string(e.Stacking), "best", "add", "multiply")
	t.Earning = loyalty.Earning{
		When: e.When, PaidPartEarns: e.Basis == "goods", Rounding: e.Rounding, Stacking: e.Stacking,
		Pending: c.period("/earning/pending", e.Pending),
	}
	c.number("/earning/rules", len(e.Rules), 0, maxRules)
	seen := map[string]bool{}
	for i, r := range e.Rules {
		path := "/earning/rules/" + strconv.Itoa(i)
		c.id(path+"/id", r.ID, seen)
		c.text(path+"/name", r.Name)
		c.oneOf(path+"/on", r.On, "order", "activity")
		d.rule(c, t, path, &r)
	}
}

// rule compiles a rule; a punch card and a threshold become goals.
func (d *Document) rule(c *checker, t *loyalty.Terms, path string, r *Rule) {
	rule := loyalty.Rule{ID: r.ID, Activity: r.Activity, Wallet: r.Wallet, Priority: r.Priority, Group: r.Group, Budget: r.Budget, Points: r.Points}
	rule.Where = d.where(c, path+"/where", r.Where, r.On)
	rule.When = c.when(path+"/when", r.When)
	rule.During = c.during(path+"/during", r.During, t.Zone)
	if r.Group != "" && !ruleID.MatchString(r.Group) {
		c.refuse(path+"/group", r.Group, "must be 1 to 40 of a-z, 0-9, _ and -")
	}
	c.between(path+"/priority", int64(r.Priority), -1000, 1000)
	c.between(path+"/points", r.Points, 0, maxPoints)
	c.between(path+"/budget", r.Budget, 0, loyalty.MaxPoints)
	if (r.On == "activity") != (r.Activity != "") {
		c.refuse(path+"/activity", r.Activity, "is the type of activity of a rule on: activity, and of no other")
	}
	if r.Activity != "" {
		c.activity(path+"/activity", r.Activity)
	}
	d.wallet(c, path+"/wallet", r.Wallet)
	c.onlyOne(path, r)
	onOrder := func(field string) {
		if r.On == "activity" {
			c.refuse(path+"/"+field, r.ID, "is for rules on: order")
		}
	}
	switch {
	case r.Rate != nil:
		rule.Rate = c.rate(path+"/rate", r.Rate)
	case r.Multiplier != "":
		rule.Multiplier = c.ratio(path+"/multiplier", r.Multiplier, 1, 1000)
	case r.Every != nil:
		onOrder("every")
		c.rate(path+"/every", r.Every)
		c.between(path+"/every/points", r.Every.Points, 1, maxPoints)
		t.Goals = append(t.Goals, loyalty.Goal{
			ID: r.ID, Count: loyalty.Spending, Reach: max(r.Every.Amount, 1), Repeat: true, Points: r.Every.Points,
			Where: rule.Where, When: rule.When, During: rule.During,
		})
	case r.PunchCard != nil:
		onOrder("punch_card")
		p := r.PunchCard
		c.between(path+"/punch_card/size", p.Size, 1, 10_000)
		d.reward(c, path+"/punch_card/reward", p.Reward, true)
		if p.When != "" && r.When != "" {
			c.refuse(path+"/punch_card/when", p.When, "stands beside the rule's own when; write one expression")
		}
		when := rule.When
		if p.When != "" {
			when = c.when(path+"/punch_card/when", p.When)
		}
		t.Goals = append(t.Goals, loyalty.Goal{
			ID: r.ID, Count: loyalty.Pieces, Reach: max(p.Size, 1), Repeat: true, Reward: p.Reward,
			Where: rule.Where, When: when, During: rule.During,
		})
	}
	rule.Limit = c.limit(path+"/limit", r.Limit)
	if l := r.Limit; l != nil && l.Points != 0 && r.On == "activity" && r.Multiplier != "" {
		c.refuse(path+"/limit/points", l.Points, "of a multiplier of activities only times can be limited")
	}
	if r.Cooldown != "" {
		rule.Cooldown = c.period(path+"/cooldown", r.Cooldown)
		if r.On != "activity" {
			c.refuse(path+"/cooldown", r.Cooldown, "is for rules on: activity")
		}
	}
	if r.Every != nil || r.PunchCard != nil {
		if r.Limit != nil || r.Budget != 0 || r.Wallet != "" || r.Group != "" {
			c.refuse(path, r.ID, "a threshold or a punch card has no limit, budget, wallet or group")
		}
		return
	}
	if r.On == "activity" && r.Budget != 0 {
		c.refuse(path+"/budget", r.Budget, "is for rules on: order")
	}
	t.Earning.Rules = append(t.Earning.Rules, rule)
}

// onlyOne refuses a rule that gives nothing, or in two ways.
func (c *checker) onlyOne(path string, r *Rule) {
	n := 0
	for _, given := range []bool{r.Rate != nil, r.Multiplier != "", r.Points != 0, r.Every != nil, r.PunchCard != nil} {
		if given {
			n++
		}
	}
	if n != 1 {
		c.refuse(path, r.ID, "must have exactly one of rate, multiplier, points, every and punch_card")
	}
}

func (c *checker) rate(path string, r *Rate) *big.Rat {
	c.between(path+"/points", r.Points, 0, maxPoints)
	c.between(path+"/amount", r.Amount, 1, maxAmount)
	return big.NewRat(r.Points, max(r.Amount, 1))
}

func (c *checker) id(path, id string, seen map[string]bool) {
	if !ruleID.MatchString(id) {
		c.refuse(path, id, "must be 1 to 40 of a-z, 0-9, _ and -")
	}
	if seen[id] {
		c.refuse(path, id, "two have this id")
	}
	seen[id] = true
}

func (c *checker) activity(path, kind string) {
	if !loyalty.ValidSource(kind) {
		c.refuse(path, kind, "must be 1 to 40 of a-z, 0-9, _ and -")
	}
}

// text checks a name in several languages.
func (c *checker) text(path string, names Text) {
	for _, lang := range sorted(names) {
		if !tongue.MatchString(lang) {
			c.refuse(path+"/"+lang, lang, "must be a language code such as he")
		}
		if n := names[lang]; n == "" || len([]rune(n)) > 120 || strings.ContainsAny(n, "\n\r\x00<>") {
			c.refuse(path+"/"+lang, n, "must be 1 to 120 letters on one line, without < and >")
		}
	}
}

// wallet checks the name of a wallet; "" is points.
func (d *Document) wallet(c *checker, path, id string) {
	var known []string
	for _, w := range d.Wallets {
		known = append(known, w.ID)
	}
	if id != "" && !slices.Contains(known, id) {
		c.refuse(path, id, "is no wallet of the program", known...)
	}
}

// reward checks the name of a reward: one of the list, where there is a list.
func (c *checker) limit(path string, l *Limit) *loyalty.Limit {
	if l == nil {
		return nil
	}
	c.between(path+"/times", l.Times, 0, 1_000_000)
	c.between(path+"/points", l.Points, 0, loyalty.MaxPoints)
	if l.Times == 0 && l.Points == 0 {
		c.refuse(path, "{}", "must say how many times or how many points")
	}
	out := &loyalty.Limit{Times: l.Times, Points: l.Points}
	if l.Per != "" {
		out.Per = c.calendar(path+"/per", l.Per)
	}
	return out
}

func (d *Document) reward(c *checker, path, id string, needed bool) {
	var known []string
	for _, r := range d.Rewards {
		known = append(known, r.ID)
	}
	switch {
	case id == "" && !needed:
	case !ruleID.MatchString(id):
		c.refuse(path, id, "must be 1 to 40 of a-z, 0-9, _ and -")
	case len(known) > 0 && !slices.Contains(known, id):
		c.refuse(path, id, "is no reward of the program", known...)
	}
}

func (d *Document) where(c *checker, path string, w *Where, on string) loyalty.Filter {
	if w == nil {
		return loyalty.Filter{}
	}
	if on == "activity" && (len(w.SKUs) > 0 || len(w.Categories) > 0 || len(w.Collections) > 0 || len(w.Regions) > 0 || len(w.Channels) > 0 || len(w.Sources) > 0 || w.OrderNumber != nil || w.Quantity != 0) {
		c.refuse(path, "", "an activity has a store, an amount and a member; no goods, region, channel or order number")
	}
	for _, l := range []struct {
		key  string
		list []string
	}{
		{"skus", w.SKUs},
		{"categories", w.Categories},
		{"collections", w.Collections},
		{"stores", w.Stores},
		{"regions", w.Regions},
		{"channels", w.Channels},
		{"tiers", w.Tiers},
		{"segments", w.Segments},
		{"sources", w.Sources},
	} {
		c.list(path+"/"+l.key, l.list)
	}
	f := loyalty.Filter{
		Stores: w.Stores, Regions: w.Regions, Channels: w.Channels, Sources: w.Sources, Tiers: w.Tiers, Segments: w.Segments,
		SKUs: w.SKUs, Categories: w.Categories, Collections: w.Collections, Amount: w.Amount, Quantity: w.Quantity,
	}
	levels := d.levels()
	for i, tier := range w.Tiers {
		if !slices.Contains(levels, tier) {
			c.refuse(path+"/tiers/"+strconv.Itoa(i), tier, "is no tier of the program", levels...)
		}
	}
	c.between(path+"/minimum_amount", w.Amount, 0, maxAmount)
	c.between(path+"/minimum_quantity", w.Quantity, 0, maxPoints)
	if n := w.OrderNumber; n != nil {
		c.between(path+"/order_number/from", n.From, 0, maxPoints)
		c.between(path+"/order_number/to", n.To, 0, maxPoints)
		if n.From == 0 && n.To == 0 || n.To != 0 && n.To < n.From {
			c.refuse(path+"/order_number", fmt.Sprint(n.From, " to ", n.To), "must have a from or a to, and to not below from")
		}
		f.From, f.To = n.From, n.To
	}
	for _, name := range sorted(w.Attributes) {
		if !ruleID.MatchString(name) {
			c.refuse(path+"/attributes/"+name, name, "must be 1 to 40 of a-z, 0-9, _ and -")
		}
		if w.Attributes[name] == nil {
			c.refuse(path+"/attributes/"+name, "null", "must list the values that will do")
		}
		c.list(path+"/attributes/"+name, w.Attributes[name])
		f.Attributes = append(f.Attributes, loyalty.Attribute{Name: name, Values: w.Attributes[name]})
	}
	return f
}

// list checks names of which one has to be met: of none that cannot be.
func (c *checker) list(path string, list []string) {
	if list != nil {
		c.number(path, len(list), 1, maxListed)
	}
	for i, s := range list {
		if s == "" || len(s) > 200 {
			c.refuse(path+"/"+strconv.Itoa(i), s, "must be 1 to 200 bytes")
		}
	}
}

// unread stands for an expression where expressions are not compiled. Whoever
// values an order there was wired wrongly: a rule that never applies would
// hide it.
type unread struct{}

func (unread) Holds(*loyalty.View) (bool, error) {
	panic("program: an expression is asked where none are compiled")
}
func (unread) PerLine() bool { return false }

func (c *checker) when(path, text string) loyalty.Condition {
	switch {
	case text == "":
		return nil
	case len(text) > maxText:
		c.refuse(path, text, fmt.Sprintf("must be at most %d bytes", maxText))
		return nil
	case c.x == nil:
		return unread{}
	}
	cond, err := c.x.Compile(text)
	if err != nil {
		c.refuse(path, text, err.Error())
	}
	return cond
}

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

func (c *checker) weekday(path, day string) time.Weekday {
	i := slices.Index(weekdays, day)
	if i < 0 {
		c.refuse(path, day, "must be a day of the week such as friday", weekdays...)
		return time.Monday
	}
	return time.Weekday(i)
}

func (c *checker) during(path string, d *During, zone *time.Location) loyalty.Schedule {
	var s loyalty.Schedule
	if d == nil {
		return s
	}
	if len(d.Dates) == 0 && d.From == "" && d.Until == "" && len(d.Weekdays) == 0 && len(d.Hours) == 0 {
		c.refuse(path, "{}", "must say when: dates, from, until, weekdays or hours")
	}
	if len(d.Dates) > 0 && (d.From != "" || d.Until != "") {
		c.refuse(path+"/dates", d.Dates[0], "must not stand beside from and until")
	}
	if d.Dates != nil {
		s.Spans = c.days(path+"/dates", d.Dates, zone)
	}
	if d.From != "" || d.Until != "" {
		w := loyalty.Window{To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
		if d.From != "" {
			w.From = c.day(path+"/from", d.From, 0, zone)
		}
		if d.Until != "" {
			w.To = c.day(path+"/until", d.Until, 1, zone)
		}
		if !w.From.Before(w.To) {
			c.refuse(path+"/until", d.Until, "must not be before from")
		}
		s.Spans = []loyalty.Window{w}
	}
	for i, name := range d.Weekdays {
		s.Weekdays |= 1 << c.weekday(path+"/weekdays/"+strconv.Itoa(i), name)
	}
	if d.Weekdays != nil {
		c.number(path+"/weekdays", len(d.Weekdays), 1, 7)
	}
	if d.Hours != nil {
		c.number(path+"/hours", len(d.Hours), 1, 24)
	}
	for i, h := range d.Hours {
		at := path + "/hours/" + strconv.Itoa(i)
		if h.From == "24:00" {
			c.refuse(at+"/from", h.From, "must be a time of the day such as 16:30; the next day begins at 00:00")
		}
		s.Hours = append(s.Hours, loyalty.Hours{From: c.minute(at+"/from", h.From), To: c.minute(at+"/to", h.To)})
	}
	return s
}

// minute reads a time of the day; 24:00 is its end.
func (c *checker) minute(path, s string) int {
	if s == "24:00" {
		return 24 * 60
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != 5 {
		c.refuse(path, s, "must be a time of the day such as 16:30")
	}
	return t.Hour()*60 + t.Minute()
}

// day is the first instant of a local date, `after` days later.
func (c *checker) day(path, s string, after int, zone *time.Location) time.Time {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		c.refuse(path, s, "must be a date such as 2027-03-26")
	}
	return loyalty.StartOfDay(day.Year(), day.Month(), day.Day()+after, zone)
}

// days compiles local dates to spans of time; where clocks change they are
// of 23 or 25 hours (SC6).
func (c *checker) days(path string, dates []string, zone *time.Location) []loyalty.Window {
	c.number(path, len(dates), 1, 366)
	var spans []loyalty.Window
	for i, s := range dates {
		at := path + "/" + strconv.Itoa(i)
		spans = append(spans, loyalty.Window{From: c.day(at, s, 0, zone), To: c.day(at, s, 1, zone)})
	}
	return spans
}

// calendar is a period of the calendar: months, or days, or hours and less;
// not several of them, which have no beginning to count from.
func (c *checker) calendar(path, v string) loyalty.Period {
	p := c.period(path, v)
	kinds := 0
	for _, given := range []bool{p.Months > 0, p.Days > 0, p.Exact > 0} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		c.refuse(path, v, "must be a number of months, of days or weeks, or of hours and less, such as P1M or P1W")
	}
	return p
}
