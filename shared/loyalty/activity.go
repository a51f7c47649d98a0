package loyalty

import (
	"maps"
	"math/big"
	"slices"
	"time"
)

// Activity is something that a member did beside buying: a review, an own
// cup, a visit, a paid membership. Type and Key are its natural key: it is
// rewarded once.
type Activity struct {
	Type   string            `cbor:"1,keyasint"`
	Key    string            `cbor:"2,keyasint"`
	At     time.Time         `cbor:"3,keyasint"`
	Amount int64             `cbor:"4,keyasint,omitempty"` // minor units of the program's currency, of what was paid or topped up
	Store  string            `cbor:"5,keyasint,omitempty"`
	Data   map[string]string `cbor:"6,keyasint,omitempty"` // all else that was told of it
}

// Act is what is kept of an activity for ever, under its natural key.
type Act struct {
	Activity Activity   `cbor:"1,keyasint"`
	Member   string     `cbor:"2,keyasint"`
	Terms    int64      `cbor:"3,keyasint"`           // rule version that it was rewarded by
	Awards   []Award    `cbor:"4,keyasint,omitempty"` // what it gave
	Reason   string     `cbor:"5,keyasint,omitempty"` // why it gave nothing
	Vouchers []string   `cbor:"6,keyasint,omitempty"` // codes of those that it gave
	Facts    Facts      `cbor:"7,keyasint,omitzero"`
	Entries  []EntryRef `cbor:"8,keyasint,omitempty"`
}

// Award is what an activity or a goal gives in one wallet.
type Award struct {
	_      struct{} `cbor:",toarray"`
	Wallet string
	Points int64
}

// Why an activity gave nothing.
const (
	NoRule     = "no_rule"
	OverLimit  = "limit"
	TooSoon    = "cooldown"
	NotMatched = "no_rule_matched"
)

// ActRef is how ledger entries name the activity that caused them.
func (x *Activity) ActRef() string { return "activity/" + x.Type + "/" + x.Key }

// Known tells whether anything in the terms is about a type of activity.
func (t *Terms) Known(activity string) bool {
	return slices.ContainsFunc(t.Earning.Rules, func(r Rule) bool { return r.Activity == activity }) ||
		slices.ContainsFunc(t.Goals, func(g Goal) bool { return g.Count == Activities && g.Activity == activity }) ||
		slices.ContainsFunc(t.Plans, func(p Plan) bool { return p.Activity == activity || p.Ends == activity }) || t.inviting().about(activity)
}

// Do rewards an activity once. act has who did it and what is known of them
// (Facts.Segments and Attributes); the rest of the facts is filled in. What
// it gives in points is posted here; what it gives in other wallets the
// caller posts with Post. The vouchers are those that changed.
func (a *Account) Do(act *Act, seed string, t *Terms, now time.Time) ([]Voucher, error) {
	a.Settle(now, t)
	from := a.Seq
	if act.Activity.At.After(now) || act.Activity.At.IsZero() {
		act.Activity.At = now
	}
	act.Terms = t.Version
	a.know(&act.Facts, now, t)
	d := a.value(act, t)
	if d.Points > MaxPoints {
		return nil, tooMany("the activity")
	}
	uses := d.uses
	for i := range t.Goals {
		g := &t.Goals[i]
		if g.Count != Activities || g.Activity != act.Activity.Type || !t.asks(&g.Where, g.When, &g.During, act) {
			continue
		}
		uses = append(uses, Use{ID: g.ID, Period: g.Streak.start(act.Activity.At, t.Zone, t.Week), N: 1})
	}
	a.add(nil, uses, t)
	given := a.pursue(t, seed, now)
	if d.Points = max(d.Points, given.Points); d.Points > MaxPoints {
		return nil, tooMany("the activity")
	}
	changed := a.join(&act.Activity, t)
	changed = a.hear(&act.Activity, t) || changed
	awards := d.awards
	if given.Points > 0 {
		awards[""] += given.Points
	}
	for _, wallet := range slices.Sorted(maps.Keys(awards)) {
		if awards[wallet] != 0 {
			act.Awards = append(act.Awards, Award{Wallet: wallet, Points: awards[wallet]})
		}
	}
	if len(act.Awards) == 0 && len(given.Vouchers) == 0 && !changed {
		act.Reason = d.reason
	}
	if n := awards[""]; n > 0 {
		a.Post(n, Entry{Ref: act.Activity.ActRef(), At: now.Unix(), Terms: t.Version}, act.Activity.At, t)
	}
	a.invite(t, now)
	a.stand(now, t)
	a.At = now.Unix()
	a.Settle(now, t)
	for seq := from + 1; seq <= a.Seq; seq++ {
		if a.entry(seq).Ref == act.Activity.ActRef() {
			act.Entries = append(act.Entries, EntryRef{Seq: seq})
		}
	}
	return given.Vouchers, a.sane()
}

// Post gives points that no order earned: a lot that lives by the terms from
// an instant on, and its entry. It settles what the member owes.
func (a *Account) Post(points int64, e Entry, at time.Time, t *Terms) {
	var dies int64
	if end := t.expires(at); !end.IsZero() {
		dies = end.Unix()
	}
	a.put(0, dies, points)
	e.Type, e.Points, e.Lots = Earn, points, []Part{{Expires: dies, Points: points}}
	a.append(e)
	a.expire(e.At, e.At) // what is over when it comes pays no debt
	a.payOwed(e.At, t)
	a.At = e.At
}

// Credit is Post for an account that no other decision has settled before. It
// answers the entry's number.
func (a *Account) Credit(points int64, e Entry, at time.Time, t *Terms) int64 {
	a.Settle(time.Unix(e.At, 0), t)
	seq := a.Seq + 1
	a.Post(points, e, at, t)
	return seq
}

func (a *Account) entry(seq int64) *Entry { return &a.Tail[len(a.Tail)-1-int(a.Seq-seq)] }

type valued struct {
	Points int64
	awards map[string]int64
	uses   []Use
	reason string
	looked []Looked
}

// unmet is the first thing that a rule or goal asks of an activity and that
// is not so. What concerns orders only is not looked at.
func (t *Terms) unmet(f *Filter, when Condition, during *Schedule, act *Act) Unmet {
	at := act.Activity.At.In(t.Zone)
	switch {
	case !during.Holds(at):
		return UnmetDuring
	case !among(f.Stores, act.Activity.Store):
		return UnmetStore
	case f.Amount > act.Activity.Amount:
		return UnmetAmount
	}
	if no := f.member(&act.Facts); no != Met {
		return no
	}
	if when != nil {
		if ok, err := when.Holds(&View{At: at, Facts: &act.Facts, Activity: &act.Activity}); err != nil || !ok {
			return UnmetWhen
		}
	}
	return Met
}

func (t *Terms) asks(f *Filter, when Condition, during *Schedule, act *Act) bool {
	return t.unmet(f, when, during, act) == Met
}

// value is what the rules give for an activity: rates of its amount and fixed
// points, together times the multipliers, rounded once per wallet.
func (a *Account) value(act *Act, t *Terms) valued {
	out := valued{awards: map[string]int64{}, reason: NoRule}
	type wallet struct {
		gives  []*Rule
		times  []*Rule
		groups []string
	}
	wallets := map[string]*wallet{}
	for i := range t.Earning.Rules {
		r := &t.Earning.Rules[i]
		if r.Activity != act.Activity.Type {
			continue
		}
		if out.reason == NoRule {
			out.reason = NotMatched
		}
		w := wallets[r.Wallet]
		if w == nil {
			w = &wallet{}
			wallets[r.Wallet] = w
		}
		no := t.unmet(&r.Where, r.When, &r.During, act)
		if no == Met && r.Group != "" && slices.Contains(w.groups, r.Group) {
			no = UnmetGroup
		}
		if no == Met {
			if room, bound := a.roomOf(r, act.Activity.At, nil, t); bound {
				act.Facts.Rooms = append(act.Facts.Rooms, Room{Rule: r.ID, Points: room})
				if room <= 0 {
					no, out.reason = UnmetLimit, OverLimit
				}
			}
		}
		if no == Met && a.tooSoon(r, act, t) {
			no, out.reason = UnmetLimit, TooSoon
		}
		out.looked = append(out.looked, Looked{Rule: r.ID, Unmet: no})
		if no != Met {
			continue
		}
		if r.Group != "" {
			w.groups = append(w.groups, r.Group)
		}
		if r.Multiplier != nil {
			w.times = append(w.times, r)
		} else {
			w.gives = append(w.gives, r)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wallets)) {
		w := wallets[name]
		boost := t.boost(w.times)
		total := new(big.Rat)
		exact := make([]*big.Rat, len(w.gives))
		for i, r := range w.gives {
			x := new(big.Rat).SetInt64(r.Points)
			if r.Rate != nil {
				x.SetInt64(act.Activity.Amount)
				x.Mul(x, r.Rate)
			}
			x.Mul(x, boost)
			if room, bound := act.Facts.room(r.ID); bound && x.Cmp(new(big.Rat).SetInt64(room)) > 0 {
				x.SetInt64(room)
			}
			exact[i] = x
			total.Add(total, x)
		}
		points, fits := t.Earning.Rounding.whole(total)
		if !fits || points > MaxPoints {
			out.Points = MaxPoints + 1
			return out
		}
		out.awards[name] = points
		use := func(r *Rule, points int64) {
			if r.Limit != nil {
				out.uses = append(out.uses, Use{ID: r.ID, Period: r.Limit.Per.start(act.Activity.At, t.Zone, t.Week), N: 1, Points: points})
			}
			if !r.Cooldown.IsZero() {
				out.uses = append(out.uses, Use{ID: coolID(r), Period: act.Activity.At.Unix(), N: 1})
			}
		}
		for i, n := range wholeParts(points, exact) {
			use(w.gives[i], n)
		}
		if points > 0 {
			for _, r := range w.times { // what it adds is told with what it multiplies
				use(r, 0)
			}
		}
	}
	return out
}

// boost is what multipliers come to by the way of stacking.
func (t *Terms) boost(times []*Rule) *big.Rat {
	boost, one := big.NewRat(1, 1), big.NewRat(1, 1)
	for _, r := range times {
		switch t.Earning.Stacking {
		case StackBest:
			if r.Multiplier.Cmp(boost) > 0 {
				boost.Set(r.Multiplier)
			}
		case StackAdd:
			boost.Add(boost, new(big.Rat).Sub(r.Multiplier, one))
		default:
			boost.Mul(boost, r.Multiplier)
		}
	}
	return boost
}

// coolID is the tally that remembers when a rule last rewarded.
func coolID(r *Rule) string { return r.ID + "/last" }

// tooSoon tells whether the rule rewarded less than its cooldown before or
// after: activities may be told late.
func (a *Account) tooSoon(r *Rule, act *Act, t *Terms) bool {
	if r.Cooldown.IsZero() {
		return false
	}
	at := act.Activity.At
	if a.forgotten(coolID(r), at.Unix(), t) { // what rewarded then may not be remembered
		return true
	}
	for _, x := range a.Tallies {
		if x.ID != coolID(r) {
			continue
		}
		last := time.Unix(x.Period, 0)
		if at.Before(r.Cooldown.After(last, t.Zone)) && last.Before(r.Cooldown.After(at, t.Zone)) {
			return true
		}
	}
	return false
}

// know fills in what the terms ask about the member.
func (a *Account) know(x *Facts, now time.Time, t *Terms) {
	if t.Needs.Tier {
		x.Tier, x.Qualifying = a.Tier(now, t), a.Qualifying(now, t)
	}
	if t.Needs.Number {
		x.Number = a.Orders + 1
	}
	if !t.Needs.Segments {
		x.Segments = nil
	} else if x.Segments == nil {
		x.Segments = slices.Clone(a.Segments)
	}
	x.Attributes = t.asked(x.Attributes)
}

func sortedKeys(m Benefits) []string { return slices.Sorted(maps.Keys(m)) }
