package loyalty

import (
	"slices"
	"time"
)

// Referral is one friend whom a member, the advocate, sent to the shop: how
// far it has come, why, and what it gave. It is worth what the newest state of
// the friend's first qualifying order makes it worth; the ledgers get the
// difference, as they do for orders.
type Referral struct {
	ID       string `cbor:"1,keyasint"`           // without prefix
	Advocate string `cbor:"2,keyasint"`           // member
	Friend   string `cbor:"3,keyasint,omitempty"` // member; "" until one is known to be the friend
	Code     string `cbor:"4,keyasint"`
	Way      Way    `cbor:"5,keyasint"`
	By       string `cbor:"6,keyasint,omitempty"` // who of the staff registered it
	Clicked  int64  `cbor:"7,keyasint"`           // unix seconds: the click, the registration, or the order with the code
	Made     int64  `cbor:"8,keyasint"`           // unix seconds
	Closes   int64  `cbor:"9,keyasint"`           // an order paid after it does not count, unix seconds

	Stage   ReferralStage `cbor:"10,keyasint"`           // as of the last settlement
	Reasons []string      `cbor:"11,keyasint,omitempty"` // what speaks against it
	Cleared bool          `cbor:"12,keyasint,omitempty"` // a person looked and approved: suspicions count no more
	Notes   []Note        `cbor:"13,keyasint,omitempty"` // every change of stage, oldest first
	Changes int64         `cbor:"14,keyasint,omitempty"` // how many there were

	Order   OrderRef `cbor:"15,keyasint,omitzero"`  // the friend's first qualifying order
	Paid    int64    `cbor:"16,keyasint,omitempty"` // when it was first paid, unix seconds
	Left    int64    `cbor:"17,keyasint,omitempty"` // what is left of it, minor units of the program's currency
	Minimum int64    `cbor:"18,keyasint,omitempty"` // of which it needs as much
	Until   int64    `cbor:"19,keyasint,omitempty"` // when it is safe, unix seconds
	Terms   int64    `cbor:"20,keyasint,omitempty"` // rule version of the order, which the rewards go by

	Rank    int64  `cbor:"21,keyasint,omitempty"` // of the friend among the advocate's that qualified; kept once given
	Counted int64  `cbor:"22,keyasint,omitempty"` // 1: one of the advocate's qualified friends now
	Revenue int64  `cbor:"23,keyasint,omitempty"` // what it adds to their revenue, minor units
	ToAdv   Side   `cbor:"24,keyasint,omitzero"`
	ToFri   Side   `cbor:"25,keyasint,omitzero"`
	Trimmed string `cbor:"26,keyasint,omitempty"` // why the rewards are smaller than the ladder says: limit or budget
}

// Side is what a referral gives one of the two.
type Side struct {
	Due     int64  `cbor:"1,keyasint,omitempty"` // points while it is qualified
	Reward  string `cbor:"2,keyasint,omitempty"` // and a voucher for it
	Voucher string `cbor:"3,keyasint,omitempty"` // the code of the one that was given
	Used    Tally  `cbor:"4,keyasint,omitzero"`  // what it takes of the advocate's limit
	Lodged
}

// Way is how a friend and an advocate came together.
type Way string

// The ways.
const (
	ByClick  Way = "click"  // the friend registered with a link
	ByOrder  Way = "order"  // a code on the order
	ByPeople Way = "people" // the staff of a shop
)

// ReferralStage is how far a referral has come.
type ReferralStage string

// The stages of a referral.
const (
	Registered      ReferralStage = "registered"
	ReferralPending ReferralStage = "pending" // ordered, in the hold
	Qualified       ReferralStage = "qualified"
	Blocked         ReferralStage = "blocked"
	UnderReview     ReferralStage = "review"
	CancelledStage  ReferralStage = "cancelled"
)

// Note is one change of stage, and why.
type Note struct {
	_       struct{} `cbor:",toarray"`
	At      int64
	Stage   ReferralStage
	Reasons []string
}

// Why a referral is what it is. Those of fraud.go are beside them.
const (
	Refunded   = "refunded"    // the order came back, or so much of it
	WindowOver = "window_over" // no qualifying order in time
	LaterClick = "later_click" // the friend followed another's link after it
	OneFriend  = "one_friend"  // two members whom two had referred turned out to be one
	Rejected   = "rejected"    // by a person
	OverBudget = "budget"      // of a reward: the program has no more to give
	keptNotes  = 12
	referralID = "/referral" // of the tally and the budget; no rule can have such an id
)

// ReferralBudget is the id of the budget of all referrals.
const ReferralBudget = referralID

// Ref is how ledger entries name the referral.
func (r *Referral) Ref() string { return "rfl_" + r.ID }

// StageAt is the stage at an instant, by the clock: a registration ends
// without any job. What is paid, and in which rank, the schedule decides.
func (r *Referral) StageAt(now time.Time) (ReferralStage, []string) {
	verdict, why := r.verdict()
	over := slices.IndexFunc(r.Reasons, func(s string) bool { return s == LaterClick || s == OneFriend })
	switch {
	case verdict == Block:
		return Blocked, why
	case over >= 0:
		return CancelledStage, r.Reasons[over : over+1]
	case verdict == Review:
		return UnderReview, why
	case r.Order == OrderRef{} && now.Unix() >= r.Closes:
		return CancelledStage, []string{WindowOver}
	case r.Order == OrderRef{}:
		return Registered, nil
	case r.Left < r.Minimum || r.Left == 0:
		return CancelledStage, []string{Refunded}
	case r.Rank > 0:
		return Qualified, nil
	}
	return ReferralPending, nil
}

// Due is when the clock next decides something about it, unix seconds; 0: never.
func (r *Referral) Due() int64 {
	switch r.Stage {
	case Registered:
		return r.Closes
	case ReferralPending:
		return r.Until
	}
	return 0
}

// Settlement is what a referral is settled with. Advocate and Friend may be
// one account, after a merge. Friend is nil while nobody is known to be it.
type Settlement struct {
	Advocate, Friend     *Account
	OfAdvocate, OfFriend *Terms  // of today, which what is owed goes by
	Pinned               *Terms  // of the friend's order; nil while there is none
	Budget               *Budget // of all referrals
	Ranks                bool    // it may be given its rank: the schedule does that, in the order of time
	Seed                 string  // secret and used once: makes the codes of vouchers
	Now                  time.Time
}

// Settle brings a referral to what is known of its friend, and both accounts
// to what it is worth. It answers the vouchers that changed. Settling again
// changes nothing.
//
// A friend qualifies when the hold is over and enough of the order is left
// (SC10). The rank is one more than the advocate has qualified friends then;
// neither it nor the reward is priced again, whatever becomes of the others.
// A refund below the minimum takes both rewards back, whole.
func (r *Referral) Settle(s Settlement) ([]Voucher, error) {
	r.Follow(s)
	stage, _ := r.StageAt(s.Now)
	if f := s.Friend; stage == ReferralPending && s.Ranks && s.Now.Unix() >= r.Until && f.Referred != nil && f.Referred.ID == r.ID { // else the account was read a little old
		r.rank(s)
		stage = Qualified
	}
	var vouchers []Voucher
	if r.Rank > 0 {
		good := int64(0)
		if stage == Qualified {
			good = 1
		}
		s.Advocate.tallyFriend(r, good, s)
		vouchers = append(s.Advocate.reward(r, &r.ToAdv, good, s.OfAdvocate, s.Seed+"a", s.Now), s.Friend.reward(r, &r.ToFri, good, s.OfFriend, s.Seed+"f", s.Now)...)
	}
	r.note(s.Now)
	if s.Friend == nil {
		return vouchers, nil
	}
	if err := s.Friend.sane(); err != nil {
		return nil, err
	}
	return vouchers, s.Advocate.sane()
}

// Follow takes over what the friend's account says.
func (r *Referral) Follow(s Settlement) {
	if s.Friend == nil {
		return
	}
	r.Friend = s.Friend.Member
	if s.Friend.Member == s.Advocate.Member {
		r.Against(SelfReferral)
	}
	f := s.Friend.Referred
	if f == nil || f.ID != r.ID {
		return
	}
	if s.Friend.FirstOrder != 0 && s.Friend.FirstOrder < f.Clicked { // the click that brought the friend: the same link may be followed again
		r.Against(ExistingCustomer)
	}
	if f.Order == (OrderRef{}) || s.Pinned == nil || s.Pinned.Referral == nil {
		return
	}
	t := s.Pinned.Referral
	r.Order, r.Paid, r.Left, r.Terms, r.Minimum = f.Order, f.Paid, f.Left, f.Terms, t.Minimum
	r.Until = t.Hold.After(time.Unix(f.Paid, 0), s.Pinned.Zone).Unix()
}

// Against notes what speaks against a referral; each reason counts once.
func (r *Referral) Against(why ...string) {
	for _, w := range why {
		if !slices.Contains(r.Reasons, w) {
			r.Reasons = append(r.Reasons, w)
		}
	}
}

// Stands takes back that a later click took the place of the referral: that was
// said before it was known that the friend had come by it.
func (r *Referral) Stands() {
	r.Reasons = slices.DeleteFunc(slices.Clone(r.Reasons), func(why string) bool { return why == LaterClick })
}

// rank gives the friend a rank, and fixes what it is worth: the ladder's rung,
// as far as the advocate's limit and the budget have room.
func (r *Referral) rank(s Settlement) {
	t := s.Pinned.Referral
	r.Rank = s.Advocate.Advocacy.Friends + 1
	r.Revenue = r.Left
	up, down := t.rung(r.Rank, s.Advocate.Advocacy.Revenue+r.Revenue), t.Friend
	limit := Rule{ID: referralID, Limit: t.Limit}
	if t.Limit != nil {
		at := time.Unix(r.Until, 0)
		if room, bound := s.Advocate.roomOf(&limit, at, nil, s.Pinned); bound && room < up.Points || bound && room == 0 {
			r.Trimmed, up.Points = OverLimit, min(up.Points, room)
			if room == 0 {
				up.Reward = ""
			}
		}
	}
	if t.Budget > 0 {
		left := max(0, t.Budget-s.Budget.Used)
		if up.Points+down.Points > left {
			r.Trimmed = OverBudget
		}
		down.Points = min(down.Points, left) // the friend first, who was promised it first
		up.Points = min(up.Points, left-down.Points)
	}
	if t.Limit != nil { // it takes what was given, which the budget may have made less
		r.ToAdv.Used = Tally{ID: referralID, Period: t.Limit.Per.start(time.Unix(r.Until, 0), s.Pinned.Zone, s.Pinned.Week), N: 1, Points: up.Points}
	}
	r.ToAdv.Due, r.ToAdv.Reward, r.ToFri.Due, r.ToFri.Reward = up.Points, up.Reward, down.Points, down.Reward
	if f := s.Friend.Referred; f != nil && f.ID == r.ID {
		own := *f
		own.Ranked = true
		s.Friend.Referred = &own
	}
}

// tallyFriend brings what is counted of a referral for its advocate to good, 0 or 1.
func (a *Account) tallyFriend(r *Referral, good int64, s Settlement) {
	change := good - r.Counted
	a.Advocacy.Friends += change
	a.Advocacy.Revenue += change * r.Revenue
	if u := r.ToAdv.Used; change != 0 && u.ID != "" {
		before, now := []Use{u}, []Use{u}
		if change > 0 {
			before = nil
		} else {
			now = nil
		}
		a.add(before, now, s.OfAdvocate)
	}
	if s.Budget != nil {
		s.Budget.Used += change * (r.ToAdv.Due + r.ToFri.Due)
	}
	r.Counted = good
}

// reward brings what one of the two has of a referral to what is due: all of
// it while the friend is qualified, nothing otherwise. A voucher that was used
// stays used.
func (a *Account) reward(r *Referral, s *Side, good int64, t *Terms, seed string, now time.Time) []Voucher {
	a.Settle(now, t)
	e := Entry{At: now.Unix(), Ref: r.Ref(), Terms: r.Terms}
	switch change := good*s.Due - s.Points; {
	case change > 0:
		if s.Lodged == (Lodged{}) { // it lives from when it was safe
			if end := t.expires(time.Unix(r.Until, 0)); !end.IsZero() {
				s.Expires = end.Unix()
			}
		}
		e.Type = Refer
		a.earn(&s.Lodged, change, e)
		s.Points += change
	case change < 0:
		seq := a.Seq
		a.clawBack(&s.Lodged, -change, e)
		s.Points += change
		a.payOwed(now.Unix(), t)
		if a.Seq > seq+1 { // the program bears it, until it is given again
			s.WrittenOff += min(a.Tail[len(a.Tail)-1].Points, -change)
		}
	}
	a.expire(now.Unix(), now.Unix())
	a.payOwed(now.Unix(), t)
	a.At = max(a.At, now.Unix())
	switch {
	case good == 1 && s.Reward != "" && s.Voucher == "":
		v := a.issue(&Goal{ID: "referral", Reward: s.Reward}, code(seed, 0), t, now)
		s.Voucher = v.Code
		return []Voucher{v}
	case good == 0 && s.Voucher != "":
		if i := slices.IndexFunc(a.Vouchers, func(o Open) bool { return o.Code == s.Voucher }); i >= 0 {
			o := a.Vouchers[i]
			a.Vouchers = slices.Delete(slices.Clone(a.Vouchers), i, i+1)
			s.Voucher = ""
			return []Voucher{{Code: o.Code, Member: a.Member, Goal: o.Goal, Until: o.Until, Stage: VoucherWithdrawn}}
		}
	}
	return nil
}

// note writes down a change of stage.
func (r *Referral) note(now time.Time) {
	stage, why := r.StageAt(now)
	if stage == r.Stage && r.Changes > 0 {
		return
	}
	r.Stage = stage
	r.Changes++
	r.Notes = append(r.Notes, Note{At: now.Unix(), Stage: stage, Reasons: slices.Clone(why)})
	r.Notes = r.Notes[max(0, len(r.Notes)-keptNotes):]
}
