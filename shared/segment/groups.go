package segment

import (
	"math/bits"
	"time"
)

// Groups is a set of the built-in groups that a member is in.
type Groups uint16

// The groups. The five of C08, from RegularHeavy to Former, exclude each other; so do
// Top20 and Next40. The others say one thing each, and may go with any.
const (
	Top20 Groups = 1 << iota
	Next40
	RegularHeavy
	RegularLight
	InfrequentHeavy
	InfrequentLight
	Former
	Declining
	AtRisk
	New
	Repeat
	MultiStore
)

// groupNames in the order of the bits.
var groupNames = [...]string{
	"top_20", "next_40",
	"regular_heavy", "regular_light", "infrequent_heavy", "infrequent_light", "former",
	"declining", "at_risk", "new", "repeat", "multi_store",
}

// Names of the groups, in one order always.
func (g Groups) Names() []string {
	var names []string
	for ; g != 0; g &= g - 1 {
		names = append(names, groupNames[bits.TrailingZeros16(uint16(g))])
	}
	return names
}

// GroupsOf names. Names of other groups are left out: a program defines its own beside these.
func GroupsOf(names ...string) Groups {
	var g Groups
	for _, name := range names {
		for i, known := range groupNames {
			if name == known {
				g |= 1 << i
			}
		}
	}
	return g
}

// Changes from the groups of the last run to those of this one.
func (g Groups) Changes(now Groups) (left, entered Groups) { return g &^ now, now &^ g }

// Rules of the groups, as a merchant sets them.
type Rules struct {
	LapseMonths int   `json:"lapse_months"` // calendar months without a purchase, after which a member is former
	RegularDays int64 `json:"regular_days"` // purchase days in the window, from which a member is regular
	HeavySpent  int64 `json:"heavy_spent"`  // minor units in the window, from which a member is heavy; 0 is the median of who is not former
	NewDays     int32 `json:"new_days"`     // days since the first purchase, up to which a member is new
}

// DefaultRules hold where the merchant says nothing.
func DefaultRules() Rules { return Rules{LapseMonths: 12, RegularDays: 4, NewDays: 30} }

// Thresholds are what a run judges its members by. A member's groups are a
// function of her figures, of these, and of nothing else.
type Thresholds struct {
	Rules  Rules  `json:"rules"`
	Today  int32  `json:"today"`  // local day since 1970
	Lapsed int32  `json:"lapsed"` // whose last purchase was on this day or before is former
	Heavy  int64  `json:"heavy"`  // minor units in the window
	Shares Shares `json:"shares"`
}

// On a day, before the members were looked at: Former is known, and Heavy where the rules
// fix it. LapseMonths back from a day that the earlier month does not have is its last
// day.
func (r Rules) On(today int32) *Thresholds {
	y, m, d := date(today)
	first := time.Date(y, m-time.Month(r.LapseMonths), 1, 0, 0, 0, 0, time.UTC)
	then := first.AddDate(0, 0, min(d, first.AddDate(0, 1, -1).Day())-1)
	return &Thresholds{Rules: r, Today: today, Lapsed: int32(then.Unix() / 86400), Heavy: r.HeavySpent}
}

// date of a local day since 1970. The zone is that of who counted the days.
func date(day int32) (int, time.Month, int) {
	return time.Unix(int64(day)*86400, 0).UTC().Date()
}

// Former is whether a member has bought, but not since the lapse.
func (t *Thresholds) Former(m *Member) bool { return m.Days > 0 && m.Last <= t.Lapsed }

// Present is whether a member's spend counts for the median: she bought, and is not former.
func (t *Thresholds) Present(m *Member) bool { return m.Days > 0 && m.Last > t.Lapsed }

// Median is the quantile that parts heavy from light where no rule fixes it.
var Median = Quantile{1, 2}

// FindHeavy takes the median from a search over WindowSpent of who is Present, that has
// found the ranks of the Median. A fixed amount stays.
func (t *Thresholds) FindHeavy(s *Search) {
	if t.Rules.HeavySpent == 0 && s.Count > 0 {
		t.Heavy = Median.Of(s)
	}
}

// Groups of a member. Active is the probability that she still buys, or nil without a model.
func (t *Thresholds) Groups(m *Member, active *float64) Groups {
	g := t.Shares.Of(m) | t.five(m)
	again := m.Days >= 2
	if again {
		g |= Repeat
	}
	if m.Days == 1 && t.Today-m.First <= t.Rules.NewDays {
		g |= New
	}
	if m.Stores >= 2 {
		g |= MultiStore
	}
	// Under half, without doubling what might not fit.
	if again && m.Before > 0 && m.Recent < m.Before-m.Before/2 {
		g |= Declining
	}
	if again && t.risk(m, active) {
		g |= AtRisk
	}
	return g
}

// five is one of the five groups of C08, none of who never bought.
func (t *Thresholds) five(m *Member) Groups {
	regular, heavy := m.WindowDays >= t.Rules.RegularDays, m.WindowSpent >= t.Heavy
	switch {
	case m.Days == 0:
		return 0
	case t.Former(m):
		return Former
	case regular && heavy:
		return RegularHeavy
	case regular:
		return RegularLight
	case heavy:
		return InfrequentHeavy
	}
	return InfrequentLight
}

// risk is whether a member who has repeated is more likely gone than not; without a
// model, whether she has been away for more than twice her own mean time between purchase days.
func (t *Thresholds) risk(m *Member, active *float64) bool {
	if active != nil {
		return *active < 0.5
	}
	return int64(t.Today-m.Last)*(m.Days-1) > 2*int64(m.Last-m.First)
}
