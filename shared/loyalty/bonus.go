package loyalty

import (
	"slices"
	"time"
)

// Bonus is an automatic reward for average use: at the end of every period
// the member's average spending falls into a bracket, the member chooses one
// of its rewards, and has the default if no choice is made in time (SC18).
type Bonus struct {
	ID       string
	Every    Period // of the calendar
	Parts    int64  // the average is over so many parts of it: 6 months of half a year
	Within   Period // how long the choice is open
	Brackets []Bracket
}

// Bracket is what an average of From minor units or more gives; the first
// choice is the default, and gives points.
type Bracket struct {
	From    int64
	Choices []Choice
}

// Choice is one reward of a bracket.
type Choice struct {
	ID     string
	Wallet string
	Points int64  // of the wallet
	Reward string // or a voucher for it
}

// Spell is a member's open period of a bonus, and the choice that an earlier
// one left.
type Spell struct {
	_     struct{} `cbor:",toarray"`
	Bonus string
	Start int64 // when the open period began, unix seconds; 0: there is none
	Ends  int64 // when it ends
	Spent int64 // in it, minor units of the program's currency; what came back of earlier ones too, so it may be below zero
	Offer Offer
}

// Offer is a choice that a member has.
type Offer struct {
	_       struct{} `cbor:",toarray"`
	Period  int64    // when the period began that it is for; 0: there is no offer
	Until   int64    // when the default is given
	Average int64    // of that period, rounded down
	From    int64    // of the bracket
}

func (a *Account) spell(bonus string) *Spell {
	for i := range a.Spells {
		if a.Spells[i].Bonus == bonus {
			return &a.Spells[i]
		}
	}
	return nil
}

// spend counts what was paid at an instant, or came back of it (below zero),
// toward the bonuses. What concerns a period that is closed counts in the
// open one.
func (a *Account) spend(amount int64, at time.Time, t *Terms) {
	if amount == 0 {
		return
	}
	for i := range t.Bonuses {
		b := &t.Bonuses[i]
		s := a.spell(b.ID)
		if s == nil && amount < 0 {
			continue // of a purchase that the bonus never counted
		}
		if s == nil {
			a.Spells = append(a.Spells, Spell{Bonus: b.ID})
			s = &a.Spells[len(a.Spells)-1]
		}
		if s.Start == 0 {
			s.Start = b.Every.start(at, t.Zone, t.Week)
			s.Ends = b.Every.next(s.Start, t.Zone)
		}
		s.Spent += amount
	}
}

// closeBonuses does what is due of the bonuses at an instant. A default
// choice that is due when the next period ends is given first. What is of no
// bonus any more is forgotten.
func (a *Account) closeBonuses(due, at int64, t *Terms) {
	a.Spells = slices.DeleteFunc(a.Spells, func(s Spell) bool {
		return !slices.ContainsFunc(t.Bonuses, func(b Bonus) bool { return b.ID == s.Bonus })
	})
	for i := range t.Bonuses {
		b := &t.Bonuses[i]
		s := a.spell(b.ID)
		if s == nil {
			continue
		}
		if s.Offer.Period != 0 && s.Offer.Until <= due {
			if c := b.choice(s.Offer.From, ""); c != nil {
				a.Post(c.Points, Entry{Ref: b.ref(s.Offer.Period), Reason: c.ID, At: at, Terms: t.Version}, time.Unix(due, 0), t)
			}
			s.Offer = Offer{}
		}
		if s.Start != 0 && s.Ends <= due {
			s.Offer = b.offer(s, t.Zone)
			s.Start, s.Spent = s.Ends, min(s.Spent, 0)
			s.Ends = b.Every.next(s.Start, t.Zone)
			if s.Offer.Period == 0 && s.Spent == 0 { // who stopped buying is not looked at again
				s.Start, s.Ends = 0, 0
			}
		}
	}
}

// offer is what a closed period gives to choose from.
func (b *Bonus) offer(s *Spell, zone *time.Location) Offer {
	for i := len(b.Brackets) - 1; i >= 0; i-- {
		if from := b.Brackets[i].From; s.Spent >= from*b.Parts {
			return Offer{Period: s.Start, Until: b.Within.After(time.Unix(s.Ends, 0), zone).Unix(), Average: s.Spent / b.Parts, From: from}
		}
	}
	return Offer{}
}

// choice is a choice of the bracket of From, the default for "".
func (b *Bonus) choice(from int64, id string) *Choice {
	for i := range b.Brackets {
		if b.Brackets[i].From != from {
			continue
		}
		for j := range b.Brackets[i].Choices {
			if c := &b.Brackets[i].Choices[j]; id == "" || c.ID == id {
				return c
			}
		}
	}
	return nil
}

func (b *Bonus) ref(period int64) string {
	return "bonus/" + b.ID + "/" + time.Unix(period, 0).UTC().Format(time.DateOnly)
}

// Choose gives the member what they chose of an offer. Points are posted
// here; an award in another wallet the caller posts with Post, and a voucher
// it writes. Refused with no_choice_open or unknown_choice.
func (a *Account) Choose(bonus, choice, seed string, t *Terms, now time.Time) (Award, string, *Voucher, error) {
	a.Settle(now, t)
	s := a.spell(bonus)
	for i := range t.Bonuses {
		b := &t.Bonuses[i]
		if b.ID != bonus || s == nil || s.Offer.Period == 0 {
			continue
		}
		c := b.choice(s.Offer.From, choice)
		if c == nil || choice == "" {
			return Award{}, "", nil, Malformed("/choice", choice, "is not one of the choices")
		}
		ref := b.ref(s.Offer.Period)
		s.Offer = Offer{}
		a.At = now.Unix()
		if c.Reward != "" {
			v := a.issue(&Goal{ID: bonus, Reward: c.Reward}, code(seed, 0), t, now)
			return Award{}, ref, &v, nil
		}
		if c.Wallet == "" {
			a.Post(c.Points, Entry{Ref: ref, Reason: c.ID, At: now.Unix(), Terms: t.Version}, now, t)
		}
		return Award{Wallet: c.Wallet, Points: c.Points}, ref, nil, a.sane()
	}
	return Award{}, "", nil, Refuse("no_choice_open", "there is nothing to choose now")
}

// OpenOffer is a choice that a member has now.
type OpenOffer struct {
	Bonus   string
	Until   int64 // unix seconds
	Average int64 // minor units
	Choices []Choice
}

// Offers are the choices that a member has, as of the last Settle.
func (a *Account) Offers(t *Terms) []OpenOffer {
	var out []OpenOffer
	for i := range t.Bonuses {
		b := &t.Bonuses[i]
		s := a.spell(b.ID)
		if s == nil || s.Offer.Period == 0 {
			continue
		}
		for _, br := range b.Brackets {
			if br.From == s.Offer.From {
				out = append(out, OpenOffer{Bonus: b.ID, Until: s.Offer.Until, Average: s.Offer.Average, Choices: br.Choices})
			}
		}
	}
	return out
}
