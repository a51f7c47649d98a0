package words

import (
	"slices"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
)

// Side is which of the two of a referral somebody is.
type Side string

// The sides. The zero Side is not known: what is said is true of both.
const (
	AsAdvocate Side = "advocate"
	AsFriend   Side = "friend"
)

// SideOf is which side of a referral a ledger is on, by the member whose
// ledger it is. It is not known of somebody who was joined with another after
// the referral was made. Where both sides are one account now, what it was
// given before was for the advocate: the friend's is in the other ledger.
func SideOf(r *loyalty.Referral, member string) Side {
	switch member {
	case r.Advocate:
		return AsAdvocate
	case r.Friend:
		return AsFriend
	}
	return ""
}

// referred tells what a recommendation gave one of the two. Of the other it
// tells nothing that is theirs: no order, no amount, no id.
func (w *teller) referred(fill []string) {
	r, side := w.m.Referral, w.m.Side
	if r == nil || side == "" {
		w.tell("why.refer", fill...)
		return
	}
	w.tell("why.refer."+string(side), append(fill, "n", w.number(r.Rank))...)
	if side == AsAdvocate && w.lessForAdvocate(r) || side == AsFriend && w.lessForFriend(r) {
		w.tell("referral.less." + r.Trimmed)
	}
}

// lessForAdvocate tells whether the advocate got less than the ladder says. Of
// one by revenue it cannot be known which rung it was; there it is taken for
// trimmed, as it nearly always is.
func (w *writer) lessForAdvocate(r *loyalty.Referral) bool {
	if r.Trimmed == "" || w.d.Referral == nil {
		return false
	}
	var promised program.Gift
	for _, x := range w.d.Referral.Advocate {
		if x.Revenue > 0 {
			return true
		}
		if x.Rank <= r.Rank {
			promised = x.Gift
		}
	}
	return r.ToAdv.Due < promised.Points || r.ToAdv.Reward != promised.Reward
}

// lessForFriend tells whether the friend got less than is promised.
func (w *writer) lessForFriend(r *loyalty.Referral) bool {
	if r.Trimmed == "" || w.d.Referral == nil || w.d.Referral.Friend == nil {
		return false
	}
	return r.ToFri.Due < w.d.Referral.Friend.Points
}

// unreferred is the text for what was taken back of a recommendation, and what
// stands in it.
func (w *teller) unreferred(fill []string) (string, []string) {
	const key = "why.clawback.refer"
	r := w.m.Referral
	if r == nil {
		return key, fill
	}
	reasons := against(r, w.m.At)
	switch {
	case slices.Contains(reasons, loyalty.SelfReferral):
		return key + ".self", fill
	case slices.Contains(reasons, loyalty.Refunded) && w.m.Side == AsAdvocate:
		return key + ".advocate", append(fill, "n", w.number(r.Rank))
	case slices.Contains(reasons, loyalty.Refunded) && w.m.Side == AsFriend: // the order is their own; what stands first holds
		return key + ".friend", append([]string{"order", given(r.Order.ID), "source", given(r.Order.Source)}, fill...)
	}
	return key, fill
}

// against is what spoke against a referral when it was last uncounted by then.
// Everything that takes points back is a change of stage, written down at the
// same second.
func against(r *loyalty.Referral, at int64) []string {
	for _, n := range slices.Backward(r.Notes) {
		if n.At <= at && n.Stage != loyalty.Qualified {
			return n.Reasons
		}
	}
	return nil
}

// Standing is a referral, to be told how far it has come.
type Standing struct {
	*loyalty.Referral
	Document  *program.Document // of Referral.Terms; while that is 0, the one in force
	Zone      *time.Location    // of the program
	Now       time.Time
	ForMember bool // who recommended reads it: nothing that is the friend's, and not how frauds are found
}

// In tells in a language how far the referral has come by the clock, what it
// gives, and what speaks against it, in sentences.
func (s *Standing) In(l *Language) []string {
	w := &stander{writer: writer{Language: l, d: s.Document}, s: s}
	stage, reasons := s.StageAt(s.Now)
	switch stage {
	case loyalty.Registered:
		w.tell("referral.registered", "at", w.at(s.Closes))
	case loyalty.ReferralPending:
		w.tell(either(s.Now.Unix() < s.Until, "referral.pending", "referral.due"), "at", w.at(s.Until))
	case loyalty.Qualified:
		w.qualified()
	case loyalty.UnderReview:
		w.tell("referral.review")
	case loyalty.Blocked:
		w.tell(either(s.ForMember, "referral.soft", "referral.uncounted"))
	case loyalty.CancelledStage:
		w.tell("referral.uncounted")
	}
	if !s.ForMember || stage == loyalty.CancelledStage {
		for _, why := range reasons {
			w.reason(why)
		}
	}
	if s.Rank > 0 && stage != loyalty.Qualified {
		w.tell("referral.back")
	}
	return w.said
}

// stander tells of one standing.
type stander struct {
	writer
	s    *Standing
	said []string
}

func (w *stander) tell(key string, fill ...string) { w.said = append(w.said, w.say(key, fill...)) }

func (w *stander) at(unix int64) string { return w.instant(time.Unix(unix, 0).In(w.s.Zone)) }

// qualified tells what a referral gives while it counts.
func (w *stander) qualified() {
	s := w.s
	w.tell("referral.qualified", "n", w.number(s.Rank))
	if up := s.ToAdv; up.Due > 0 || up.Reward != "" {
		w.tell("referral.advocate", "gift", w.gift(up.Due, up.Reward))
	} else {
		w.tell("referral.advocate.none")
	}
	if w.lessForAdvocate(s.Referral) {
		w.tell("referral.less." + s.Trimmed)
	}
	if down := s.ToFri; !s.ForMember && (down.Due > 0 || down.Reward != "") {
		w.tell("referral.friend", "gift", w.gift(down.Due, down.Reward))
		if w.lessForFriend(s.Referral) {
			w.tell("referral.less." + s.Trimmed)
		}
	}
}

// reason tells what speaks against a referral.
func (w *stander) reason(why string) {
	w.tell("reason."+why, "at", w.at(w.s.Closes))
	if why == loyalty.Refunded && w.s.Minimum > 0 && !w.s.ForMember {
		w.tell("referral.left", "left", w.amount(w.s.Left), "minimum", w.amount(w.s.Minimum))
	}
}
