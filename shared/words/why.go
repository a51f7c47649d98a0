package words

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

// Cause is what made a ledger entry.
type Cause struct {
	Kind   Kind   `json:"kind"`
	ID     string `json:"id,omitempty"`     // of the redemption, the payout, the exchange, the referral, the other member, the automatic reward, the ranking, the type of activity
	Key    string `json:"key,omitempty"`    // of the activity, unique within its type
	Period string `json:"period,omitempty"` // of the automatic reward or the ranking: the day in UTC on which it began, YYYY-MM-DD
}

// Kind is a kind of cause.
type Kind string

// The kinds of cause. What of it concerns an order names it in the entry.
const (
	ByOrder      Kind = "order"
	ByRedemption Kind = "redemption"
	ByPayout     Kind = "payout"
	ByActivity   Kind = "activity"
	ByAverage    Kind = "automatic_reward"
	ByRank       Kind = "leaderboard"
	ByExchange   Kind = "exchange" // for a partner's units
	ByImport     Kind = "import"   // of a balance of an earlier program
	ByGoals      Kind = "goals"    // that members reach together once they are merged
	ByHand       Kind = "adjustment"
	ByMerge      Kind = "merge"
	ByReferral   Kind = "referral"
	ByTime       Kind = "time"
	ByDebt       Kind = "debt" // written off, or the part of one that the program bears
)

// CauseOf finds out what made an entry, by its type and what it refers to.
func CauseOf(e *loyalty.Entry) Cause {
	kind, rest, _ := strings.Cut(e.Ref, "/")
	switch {
	case e.Type == loyalty.Activate, e.Type == loyalty.Expire:
		return Cause{Kind: ByTime}
	case e.Type == loyalty.MergeInto:
		return Cause{Kind: ByMerge, ID: e.Ref}
	case e.Type == loyalty.Adjust && e.Reason == loyalty.OpeningReason && strings.HasPrefix(e.Ref, "imp_"):
		return Cause{Kind: ByImport, ID: e.Ref}
	case e.Type == loyalty.Adjust:
		return Cause{Kind: ByHand, ID: e.Ref}
	case e.Type == loyalty.Refer, strings.HasPrefix(e.Ref, "rfl_"):
		return Cause{Kind: ByReferral, ID: e.Ref}
	case strings.HasPrefix(e.Ref, "rdm_"):
		return Cause{Kind: ByRedemption, ID: e.Ref}
	case strings.HasPrefix(e.Ref, "pay_"):
		return Cause{Kind: ByPayout, ID: e.Ref}
	case strings.HasPrefix(e.Ref, "exc_"):
		return Cause{Kind: ByExchange, ID: e.Ref}
	case kind == "activity":
		id, key, _ := strings.Cut(rest, "/")
		if board, place, ok := strings.Cut(key, "/"); id == "leaderboard" && ok {
			start, _, _ := strings.Cut(place, "/")
			if n, err := strconv.ParseInt(start, 10, 64); err == nil {
				return Cause{Kind: ByRank, ID: board, Key: key, Period: time.Unix(n, 0).UTC().Format(time.DateOnly)}
			}
		}
		return Cause{Kind: ByActivity, ID: id, Key: key}
	case kind == "bonus":
		id, period, _ := strings.Cut(rest, "/")
		return Cause{Kind: ByAverage, ID: id, Period: period}
	case strings.HasPrefix(e.Ref, "mem_"):
		return Cause{Kind: ByGoals, ID: e.Ref}
	case e.Order != "":
		return Cause{Kind: ByOrder}
	}
	return Cause{Kind: ByDebt}
}

// Movement is a ledger entry, to be told why it is what it is.
type Movement struct {
	loyalty.Entry
	Wallet   string            // "" is points; of any other what moves are minor units of money
	Zone     *time.Location    // of the program
	Document *program.Document // the version whose names and rules are meant
	Away     bool              // of a merge: this ledger was closed by it
	Worth    *Worth            // of an order that is worth more or less by this entry; else nil

	Referral *loyalty.Referral // that the entry refers to; nil: it is told without
	Side     Side              // which of its two the ledger's member was, see SideOf
}

// Worth is how an order came to what it is worth. Amounts are points of the
// entry's wallet.
type Worth struct {
	Before, After   int64 // this entry
	Pinned, Current int64 // versions of the rules: the order's, and that in force
	Newest          bool  // what follows is of the order's newest state, not of that at the entry
	Points          int64 // what the rules give, rounded
	Goals           int64 // what goals gave or took with it
	Detail          loyalty.Detail
}

// Why tells why an entry is what it is, in sentences.
func (l *Language) Why(m *Movement) []string {
	w := &teller{writer: writer{Language: l, d: m.Document}, m: m}
	w.cause()
	if m.Worth != nil {
		w.worth(m.Worth)
	}
	for _, lot := range m.Lots {
		w.lot(lot)
	}
	w.tell("why.balance", "points", w.gives(m.Balance, m.Wallet))
	return w.said
}

// teller tells of one movement.
type teller struct {
	writer
	m    *Movement
	said []string
}

func (w *teller) tell(key string, fill ...string) { w.said = append(w.said, w.say(key, fill...)) }

// cause tells what moved points, and why.
func (w *teller) cause() {
	m, cause := w.m, CauseOf(&w.m.Entry)
	at := w.instant(time.Unix(m.At, 0).In(m.Zone))
	fill := []string{
		"at", at, "points", w.gives(max(m.Points, -m.Points), m.Wallet),
		"order", given(m.Order), "source", given(m.Source), "activity", given(cause.ID), "account", given(m.Ref), "reason", given(m.Reason),
	}
	switch m.Type {
	case loyalty.Earn:
		w.tell(w.earned(cause), append(fill, "bonus", w.automaticName(cause.ID), "board", w.boardName(cause.ID), "date", w.began(cause.Period))...)
	case loyalty.Activate:
		fill[3] = w.gives(total(m.Lots), m.Wallet) // it moves none: they were there
		w.tell("why.activate", fill...)
	case loyalty.Redeem:
		switch {
		case cause.Kind == ByPayout:
			w.tell("why.payout", fill...)
		case cause.Kind == ByExchange:
			w.tell("why.exchange", fill...)
		case m.Order != "":
			w.tell("why.redeem.order", fill...)
		default:
			w.tell("why.redeem", fill...)
		}
	case loyalty.Expire:
		w.tell("why.expire", fill...)
	case loyalty.Clawback:
		key := "why.clawback"
		if cause.Kind == ByReferral {
			key, fill = w.unreferred(fill)
		}
		w.tell(key, fill...)
		if m.Reason == loyalty.ExpiredBefore {
			w.tell(either(cause.Kind == ByReferral, "why.clawback.refer.expired", "why.clawback.expired"))
		}
	case loyalty.Restore:
		w.tell("why.restore", fill...)
		if m.Reason == loyalty.RestoredLate {
			w.tell("why.restore.late")
		}
	case loyalty.Adjust:
		key := either(m.Points > 0, "why.adjust.add", "why.adjust.take")
		w.tell(either(cause.Kind == ByImport, "why.import", key), fill...)
	case loyalty.WriteOff:
		w.tell(either(m.Points > 0, "why.writeoff", "why.writeoff.back"), fill...)
	case loyalty.Refer:
		w.referred(fill)
	case loyalty.MergeInto: // what moves may be a debt, below zero
		if m.Away {
			fill[3] = w.gives(-m.Points, m.Wallet)
			w.tell("why.merge.out", fill...)
		} else {
			fill[3] = w.gives(m.Points, m.Wallet)
			w.tell("why.merge.in", fill...)
		}
	}
}

// lot tells of points of one lot. One that ends as a day begins is good for
// the whole day before.
func (w *teller) lot(lot loyalty.Part) {
	points, end := w.gives(max(lot.Points, -lot.Points), w.m.Wallet), time.Unix(lot.Expires, 0).In(w.m.Zone)
	y, m, d := end.Date()
	switch {
	case lot.Expires == 0:
		w.tell("why.lot.never", "points", points)
	case end.Equal(loyalty.StartOfDay(y, m, d, w.m.Zone)):
		w.tell("why.lot.day", "points", points, "date", w.date(end.Add(-time.Second)))
	default:
		w.tell("why.lot", "points", points, "at", w.instant(end))
	}
}

// earned is the text for what was added.
func (w *teller) earned(c Cause) string {
	switch {
	case c.Kind == ByOrder && w.m.Points == 0:
		return "why.earn.none"
	case c.Kind == ByOrder:
		return "why.earn.order"
	case c.Kind == ByActivity:
		return "why.earn.activity"
	case c.Kind == ByAverage:
		return "why.earn.bonus"
	case c.Kind == ByRank:
		return "why.earn.prize"
	case c.Kind == ByGoals:
		return "why.earn.goal"
	}
	return "why.earn.other"
}

func either(is bool, this, that string) string {
	if is {
		return this
	}
	return that
}

func total(parts loyalty.Parts) (n int64) {
	for _, p := range parts {
		n += p.Points
	}
	return n
}

func (w *writer) automaticName(id string) string {
	for _, x := range w.d.Automatic {
		if x.ID == id {
			return w.name(x.Name, id)
		}
	}
	return given(id)
}

func (w *writer) boardName(id string) string {
	for _, x := range w.d.Leaderboards {
		if x.ID == id {
			return w.name(x.Name, id)
		}
	}
	return given(id)
}

// began is the local day of a period that began on a day of UTC: periods
// begin with a day, which begins earlier in the east.
func (w *teller) began(utc string) string {
	t, err := time.Parse(time.DateOnly, utc)
	if err != nil {
		return ""
	}
	next := loyalty.StartOfDay(t.Year(), t.Month(), t.Day()+1, w.m.Zone)
	if next.UTC().Format(time.DateOnly) == utc {
		return w.date(next)
	}
	return w.date(loyalty.StartOfDay(t.Year(), t.Month(), t.Day(), w.m.Zone))
}

// worth tells the sums that led to what an order is worth.
func (w *teller) worth(x *Worth) {
	wallet := w.m.Wallet
	w.tell("why.worth", "before", w.gives(x.Before, wallet), "after", w.gives(x.After, wallet))
	w.tell("why.pinned", "n", w.number(x.Pinned))
	if x.Current != x.Pinned {
		w.tell("why.current", "n", w.number(x.Current))
	}
	if x.Newest {
		w.tell("why.newest")
	}
	if len(x.Detail.Parts) > 1 {
		for _, s := range x.Detail.Parts {
			key := either(s.Tier == "", "why.stretch.none", "why.stretch")
			w.tell(key, "tier", w.level(s.Tier), "part", w.part(s.Of))
		}
	}
	for _, s := range x.Detail.Shares {
		w.share(&s)
	}
	for _, r := range x.Detail.Rules {
		if _, isLevel := strings.CutPrefix(r.Rule, levelRule); r.Unmet != loyalty.Met && !isLevel {
			w.tell("why.unmet", "rule", w.ruleName(r.Rule), "reason", w.Unmet(r.Unmet))
		}
	}
	if exact := x.Detail.Exact; exact.IsInt() {
		w.tell("why.sum.exact", "points", w.gives(x.Points, wallet))
	} else {
		w.tell("why.sum."+string(w.d.Earning.Rounding), "exact", w.exact(exact), "points", w.gives(x.Points, wallet))
	}
	switch {
	case x.Goals > 0:
		w.tell("why.goals.add", "points", w.gives(x.Goals, wallet))
	case x.Goals < 0:
		w.tell("why.goals.take", "points", w.gives(-x.Goals, wallet))
	}
}

// levelRule begins the id that the multiplier of a level has as a rule.
const levelRule = "tier:"

// share tells what one rule gave.
func (w *teller) share(s *loyalty.Share) {
	rule, before := w.ruleName(s.Rule), new(big.Rat).Set(s.Exact)
	if s.Cut != nil {
		before.Add(before, s.Cut)
	}
	fill := []string{"rule", rule, "exact", w.exact(before)}
	r := w.ruleOf(s.Rule)
	switch {
	case r == nil:
		w.tell("why.times", append(fill, "factor", w.factor(w.levelFactor(s.Rule)))...)
	case r.Rate != nil:
		w.tell("why.base", append(fill, "gives", w.gives(r.Rate.Points, w.m.Wallet), "amount", w.amount(r.Rate.Amount))...)
	case r.Multiplier != "":
		w.tell("why.times", append(fill, "factor", w.factor(r.Multiplier))...)
	default:
		w.tell("why.fixed", fill...)
	}
	if s.Cut != nil {
		w.tell("why.cut", "rule", rule, "exact", w.exact(s.Cut))
	}
}

// Unmet is the plain reason why a rule does not apply.
func (l *Language) Unmet(no loyalty.Unmet) string { return l.say("unmet." + string(no)) }

// ruleOf is a rule of the document; nil for a level, which has one of its own.
func (w *writer) ruleOf(id string) *program.Rule {
	for i := range w.d.Earning.Rules {
		if w.d.Earning.Rules[i].ID == id {
			return &w.d.Earning.Rules[i]
		}
	}
	return nil
}

func (w *writer) ruleName(id string) string {
	if level, ok := strings.CutPrefix(id, levelRule); ok {
		return w.say("why.level", "name", w.level(level))
	}
	if r := w.ruleOf(id); r != nil {
		return w.name(r.Name, id)
	}
	return given(id)
}

func (w *writer) levelFactor(rule string) string {
	if w.d.Tiers != nil {
		for _, l := range w.d.Tiers.Levels {
			if levelRule+l.ID == rule {
				return l.Multiplier
			}
		}
	}
	return "1"
}

// exact is points, or money, that need not be whole.
func (w *teller) exact(x *big.Rat) string {
	if x.IsInt() && x.Num().IsInt64() {
		return w.gives(x.Num().Int64(), w.m.Wallet)
	}
	if w.m.Wallet == "" {
		return w.say("point.other", "n", w.own(w.written(exactly(x))))
	}
	return w.sum(x, w.d.Currency)
}
