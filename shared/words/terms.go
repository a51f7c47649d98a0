package words

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

// Section is a part of the terms under one title.
type Section struct {
	ID        string     `json:"id"` // unique, also as an anchor of the page
	Title     string     `json:"title"`
	Path      string     `json:"path"` // JSON pointer of what all of it is about; "" is the document
	Sentences []Sentence `json:"sentences"`
}

// Sentence says one setting, or a few that mean nothing without each other.
type Sentence struct {
	Text string `json:"text"`
	Path string `json:"path"` // JSON pointer of the setting, or of what holds the few
}

// Heading is what stands above the terms where people read them.
type Heading struct {
	Title     string
	Published string // which version, and since when
	Contents  string // the title of the list of sections
}

// Heading is that of a version. published is in the program's zone.
func (l *Language) Heading(version int64, published time.Time) Heading {
	return Heading{l.say("title.page"), l.say("page.version", "n", l.number(version), "date", l.date(published)), l.say("page.contents")}
}

// Terms says a whole program document, defaults included.
func (l *Language) Terms(d *program.Document) []Section {
	w := &writer{Language: l, d: d}
	w.program()
	w.earning()
	for i := range d.Earning.Rules {
		w.rule(fmt.Sprint("/earning/rules/", i), &d.Earning.Rules[i])
	}
	w.spending()
	w.tiers()
	for i := range d.Plans {
		w.plan(fmt.Sprint("/plans/", i), &d.Plans[i])
	}
	for i := range d.Wallets {
		w.wallet(fmt.Sprint("/wallets/", i), &d.Wallets[i])
	}
	for i := range d.Rewards {
		w.reward(fmt.Sprint("/rewards/", i), &d.Rewards[i])
	}
	for i := range d.Achievements {
		w.achievement(fmt.Sprint("/achievements/", i), &d.Achievements[i])
	}
	for i := range d.Automatic {
		w.automatic(fmt.Sprint("/automatic_rewards/", i), &d.Automatic[i])
	}
	w.referral()
	w.cards()
	for i := range d.Partners {
		w.partner(fmt.Sprint("/partners/", i), &d.Partners[i])
	}
	for i := range d.Leaderboards {
		w.leaderboard(fmt.Sprint("/leaderboards/", i), &d.Leaderboards[i])
	}
	w.rollout()
	return w.sections
}

// writer writes the terms section by section.
type writer struct {
	*Language
	d        *program.Document
	sections []Section
}

// section begins a section.
func (w *writer) section(id, path, title string) {
	w.sections = append(w.sections, Section{ID: id, Title: title, Path: path, Sentences: []Sentence{}})
}

// named begins the section of something that has a name.
func (w *writer) named(kind, path string, name program.Text, id string) {
	w.section(kind+"-"+id, path, w.say("title."+kind, "name", w.name(name, id)))
}

// add says a sentence in the section.
func (w *writer) add(path, key string, fill ...string) {
	s := &w.sections[len(w.sections)-1]
	s.Sentences = append(s.Sentences, Sentence{w.say(key, fill...), path})
}

// name is a name in the language, else in English, else the id.
func (l *Language) name(names program.Text, id string) string {
	for _, lang := range []string{l.Code, "en"} {
		if n := names[lang]; n != "" {
			return given(n)
		}
	}
	return given(id)
}

// anyOf is a text that has no id to stand in for it: in the language, else in
// English, else in the first of the program's languages that it is in.
func (w *writer) anyOf(t program.Text) string {
	for _, lang := range append([]string{w.Code, "en"}, append(slices.Clone(w.d.Languages), slices.Sorted(maps.Keys(t))...)...) {
		if s := t[lang]; s != "" {
			return given(s)
		}
	}
	return ""
}

func (w *writer) amount(minor int64) string { return w.money(minor, w.d.Currency) }

// gives is what goes into a wallet: points, or money in any other.
func (w *writer) gives(n int64, wallet string) string {
	if wallet == "" {
		return w.count("point", n)
	}
	return w.amount(n)
}

func (w *writer) level(id string) string {
	if t := w.d.Tiers; t != nil {
		for _, l := range t.Levels {
			if l.ID == id {
				return w.name(l.Name, id)
			}
		}
	}
	return given(id)
}

func (w *writer) levels(ids []string) string { return w.each(ids, w.level) }

func (w *writer) walletName(id string) string {
	for _, x := range w.d.Wallets {
		if x.ID == id {
			return w.name(x.Name, id)
		}
	}
	return given(id)
}

func (w *writer) rewardName(id string) string {
	for _, x := range w.d.Rewards {
		if x.ID == id {
			return w.name(x.Name, id)
		}
	}
	return given(id)
}

func (w *writer) program() {
	d := w.d
	w.section("program", "", w.say("title.program"))
	w.add("/currency", "program.currency", "currency", given(d.Currency))
	w.add("/time_zone", "program.zone", "zone", given(d.TimeZone))
	w.add("/week_starts", "program.week", "weekday", w.weekday(d.WeekStarts))
	var spoken []string
	for _, code := range d.Languages {
		if _, ok := w.texts["language."+code]; ok {
			spoken = append(spoken, w.say("language."+code))
		} else {
			spoken = append(spoken, given(code))
		}
	}
	w.add("/languages", "program.languages", "list", w.list(spoken))
	if d.Shop.URL != "" {
		w.add("/shop/url", "program.shop", "url", given(d.Shop.URL))
	}
	if g := d.Goal; g != nil {
		if share, ok := new(big.Rat).SetString(g.Target); ok {
			w.add("/goal", "aim."+g.KPI, "percent", w.percent(share))
		}
		if len(g.Reason) > 0 {
			w.add("/goal/reason", "aim.reason", "reason", w.anyOf(g.Reason))
		}
	}
}

func (w *writer) earning() {
	e := &w.d.Earning
	w.section("earning", "/earning", w.say("title.earning"))
	w.add("/earning/basis", "basis."+e.Basis)
	w.add("/earning/when", "when."+string(e.When))
	w.add("/earning/stacking", "stacking."+string(e.Stacking))
	w.add("/earning/rounding", "rounding."+string(e.Rounding))
	if none(e.Pending) {
		w.add("/earning/pending", "pending.none")
	} else {
		w.add("/earning/pending", "pending.some", "period", w.period(e.Pending))
	}
	if len(e.Rules) == 0 {
		w.add("/earning/rules", "rules.none")
	}
	if len(w.d.Exchange) == 0 {
		w.add("/exchange", "exchange.none", "currency", given(w.d.Currency))
	}
	for _, code := range slices.Sorted(maps.Keys(w.d.Exchange)) {
		w.add("/exchange/"+code, "exchange.rate", "code", given(code),
			"one", w.own(w.written("1")+" "+code), "rate", w.own(w.written(w.d.Exchange[code])+" "+w.d.Currency))
	}
}

// none tells whether a duration has no length.
func none(period string) bool {
	p, err := loyalty.ParsePeriod(period)
	return err == nil && p.IsZero()
}

func (w *writer) spending() {
	d := w.d
	w.section("spending", "/redemption", w.say("title.spending"))
	w.add("/point_value", "spend.value", "points", w.count("point", d.PointValue.Points), "amount", w.amount(d.PointValue.Amount))
	w.add("/redemption/minimum", "spend.minimum", "points", w.count("point", d.Redemption.Minimum))
	share, ok := new(big.Rat).SetString(d.Redemption.MaxShare)
	if ok && share.Cmp(big.NewRat(1, 1)) == 0 {
		w.add("/redemption/max_share_of_order", "spend.share.all")
	} else if ok {
		w.add("/redemption/max_share_of_order", "spend.share.some", "percent", w.percent(share))
	}
	w.add("/hold/timeout", "spend.hold", "period", w.period(d.Hold.Timeout))

	w.section("expiry", "/expiry", w.say("title.expiry"))
	w.expiry("/expiry", "expiry.", d.Expiry)

	w.section("returns", "/clawback", w.say("title.returns"))
	w.add("/clawback", "clawback."+string(d.Clawback))
	w.add("/redemption/restore_grace", "restore.grace", "period", w.period(d.Redemption.RestoreGrace))
}

func (w *writer) expiry(path, key string, e program.Expiry) {
	if e.Never {
		w.add(path, key+"never")
		return
	}
	w.add(path, key+string(e.To), "period", w.period(e.After))
}

func (w *writer) tiers() {
	t := w.d.Tiers
	if t == nil {
		return
	}
	w.section("tiers", "/tiers", w.say("title.tiers"))
	w.add("/tiers/qualify_by", "tiers.by."+string(t.QualifyBy))
	if t.Window == "none" {
		w.add("/tiers/window", "tiers.window.none")
	} else {
		w.add("/tiers/window", "tiers.window", "period", w.period(t.Window))
	}
	// Who can never lose a level, or at once, has no use for the settings of
	// when it is lost.
	if t.Downgrade != loyalty.Never {
		w.add("/tiers/validity", "tiers.validity", "period", w.period(t.Validity))
	}
	if t.Downgrade == loyalty.AtPeriodEnd {
		w.unlessNone("/tiers/grace", "tiers.grace", t.Grace)
	}
	w.add("/tiers/downgrade", "tiers.downgrade."+string(t.Downgrade))
	if t.Downgrade != loyalty.Never {
		w.unlessNone("/tiers/warning", "tiers.warning", t.Warning)
	}
	w.add("/tiers/crossing", "tiers.crossing."+string(t.Crossing))
	w.add("/tiers/levels", "tiers.below")
	for i, l := range t.Levels {
		path := fmt.Sprint("/tiers/levels/", i)
		w.named("level", path, l.Name, l.ID)
		threshold := w.count("point", l.From)
		switch t.QualifyBy {
		case loyalty.BySpend:
			threshold = w.amount(l.From)
		case loyalty.ByOrders:
			threshold = w.count("order", l.From)
		}
		w.add(path+"/from", "level.from", "threshold", threshold)
		if l.Multiplier != "" {
			w.add(path+"/multiplier", "level.multiplier", "factor", w.factor(l.Multiplier))
		}
		w.benefits(path+"/benefits/", l.Benefits)
	}
}

// unlessNone says a duration, or that there is none.
func (w *writer) unlessNone(path, key, period string) {
	if none(period) {
		w.add(path, key+".none")
		return
	}
	w.add(path, key, "period", w.period(period))
}

func (w *writer) benefits(path string, list loyalty.Benefits) {
	for _, id := range slices.Sorted(maps.Keys(list)) {
		switch v := list[id].(type) {
		case bool:
			key := "benefit.no"
			if v {
				key = "benefit.yes"
			}
			w.add(path+id, key, "benefit", given(id))
		case float64: // as JSON has numbers; whole, the document was checked
			w.add(path+id, "benefit.value", "benefit", given(id), "value", w.number(int64(v)))
		case string:
			w.add(path+id, "benefit.value", "benefit", given(id), "value", given(v))
		}
	}
}

func (w *writer) plan(path string, p *program.Plan) {
	w.named("plan", path, p.Name, p.ID)
	w.add(path, "plan.begins", "activity", given(p.Activity), "period", w.period(p.Lasts))
	if p.EndsWith != "" {
		w.add(path+"/ends_with", "plan.ends", "activity", given(p.EndsWith))
	}
	if p.Tier != "" {
		w.add(path+"/tier", "plan.tier", "tier", w.level(p.Tier))
	}
	w.benefits(path+"/benefits/", p.Benefits)
}

func (w *writer) wallet(path string, x *program.Wallet) {
	w.named("wallet", path, x.Name, x.ID)
	w.add(path+"/kind", "wallet."+x.Kind)
	if x.Payout > 0 {
		w.add(path+"/minimum_payout", "wallet.payout", "amount", w.amount(x.Payout))
	}
	w.expiry(path+"/expiry", "wallet.expiry.", x.Expiry)
}

func (w *writer) reward(path string, r *program.Reward) {
	w.named("reward", path, r.Name, r.ID)
	if r.Lasts == "" || none(r.Lasts) {
		w.add(path+"/lasts", "reward.endless")
	} else {
		w.add(path+"/lasts", "reward.lasts", "period", w.period(r.Lasts))
	}
}

func (w *writer) rollout() {
	r := w.d.Rollout
	if r == nil {
		return
	}
	w.section("rollout", "/rollout", w.say("title.rollout"))
	if len(r.Stores) > 0 {
		w.add("/rollout/stores", "rollout.stores", "list", w.each(r.Stores, given))
	}
	if len(r.Regions) > 0 {
		w.add("/rollout/regions", "rollout.regions", "list", w.each(r.Regions, given))
	}
	if r.Percent > 0 {
		w.add("/rollout/percent", "rollout.percent", "percent", w.percent(big.NewRat(r.Percent, 100)))
	}
}
