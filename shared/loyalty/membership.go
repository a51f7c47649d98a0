package loyalty

import "time"

// Plan is a paid membership or a subscription: an activity begins or renews
// it (the first payment, every delivery), and while it runs it gives benefits
// and, where it says so, a tier.
type Plan struct {
	ID       string
	Activity string // the type that begins and renews it
	Ends     string // the type that ends it at once; "" is none
	Lasts    Period // from each of them
	Tier     string // "" is none
	Benefits Benefits
}

// Benefits are what a tier or a plan gives without points, by name: whether
// (true), how much (a whole number) or what (a text).
type Benefits map[string]any

// Membership is a plan that a member is in.
type Membership struct {
	_     struct{} `cbor:",toarray"`
	ID    string   // of the plan
	Since int64    // unix seconds
	Until int64
}

func (t *Terms) membershipTier(plan string) string {
	for i := range t.Plans {
		if t.Plans[i].ID == plan {
			return t.Plans[i].Tier
		}
	}
	return ""
}

// join begins, renews or ends the plans that an activity is about. A renewal
// adds to what is left.
func (a *Account) join(act *Activity, t *Terms) (changed bool) {
	for i := range t.Plans {
		p := &t.Plans[i]
		m := a.membership(p.ID)
		switch act.Type {
		case p.Activity:
			from := act.At
			if m == nil {
				a.Memberships = append(a.Memberships, Membership{ID: p.ID, Since: act.At.Unix()})
				m = &a.Memberships[len(a.Memberships)-1]
			}
			if m.Until > act.At.Unix() {
				from = time.Unix(m.Until, 0)
			}
			m.Until = p.Lasts.After(from, t.Zone).Unix()
			changed = true
		case p.Ends:
			if m != nil {
				m.Until = min(m.Until, act.At.Unix())
				changed = true
			}
		}
	}
	return changed
}

func (a *Account) membership(plan string) *Membership {
	for i := range a.Memberships {
		if a.Memberships[i].ID == plan {
			return &a.Memberships[i]
		}
	}
	return nil
}

// Entitlement is one benefit that a member has now, and what gives it.
type Entitlement struct {
	ID     string `json:"id"`
	Value  any    `json:"value"`
	Source string `json:"source"` // "card", "tier:gold", "plan:plus"
}

// CardEntitlements are the benefits that whoever shows a card has.
func (t *Terms) CardEntitlements() []Entitlement {
	var none Account
	return none.Entitlements(time.Time{}, t, true)
}

// Entitlements are the benefits of a card, where the member has one, of the
// member's tier, of all below it, and of the plans that run. Of one benefit
// the last of these holds.
func (a *Account) Entitlements(now time.Time, t *Terms, card bool) []Entitlement {
	var out []Entitlement
	give := func(benefits Benefits, source string) {
		for _, id := range sortedKeys(benefits) {
			e := Entitlement{ID: id, Value: benefits[id], Source: source}
			replaced := false
			for i := range out {
				if out[i].ID == id {
					out[i], replaced = e, true
				}
			}
			if !replaced {
				out = append(out, e)
			}
		}
	}
	if card {
		give(t.CardBenefits, "card")
	}
	if tier := a.Tier(now, t); tier != "" {
		for _, l := range t.Tiers.Levels[:t.Tiers.place(tier)+1] {
			give(l.Benefits, tierRule+l.ID)
		}
	}
	for _, m := range a.Memberships {
		for i := range t.Plans {
			if p := &t.Plans[i]; p.ID == m.ID && m.Until > now.Unix() {
				give(p.Benefits, "plan:"+p.ID)
			}
		}
	}
	return out
}
