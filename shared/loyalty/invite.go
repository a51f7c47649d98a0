package loyalty

import (
	"strconv"
	"time"
)

// Invite says which members are asked to bring friends: those who came back,
// who said that they are satisfied, and whose complaints are answered (C55).
type Invite struct {
	Orders    int64  // that count, at least
	Feedback  string // type of the activity by which a member says how satisfied they are
	Field     string // of its data, a whole number
	From      int64  // is satisfied
	Complaint string // type of the activity that opens a complaint; "": none does
	Answered  string // and of the one that ends it
	Again     Period // earliest after the last invitation
}

// Mood is what a member said last of how satisfied they are.
type Mood struct {
	Score      int64 `cbor:"1,keyasint,omitempty"`
	Complaints int64 `cbor:"2,keyasint,omitempty"` // that are open
	Invited    int64 `cbor:"3,keyasint,omitempty"` // when last, unix seconds
}

// about tells whether an activity says something about the member's mood.
func (v *Invite) about(activity string) bool {
	return v != nil && activity != "" && (activity == v.Feedback || activity == v.Complaint || activity == v.Answered)
}

// inviting is how the program invites; nil when it does not.
func (t *Terms) inviting() *Invite {
	if t.Referral == nil {
		return nil
	}
	return t.Referral.Invite
}

// hear takes note of what an activity says of the member's mood. It answers
// whether it says anything.
func (a *Account) hear(act *Activity, t *Terms) bool {
	v := t.inviting()
	if !v.about(act.Type) {
		return false
	}
	switch act.Type {
	case v.Complaint:
		a.Mood.Complaints++
	case v.Answered:
		a.Mood.Complaints = max(0, a.Mood.Complaints-1)
	default:
		score, err := strconv.ParseInt(act.Data[v.Field], 10, 64)
		if err != nil {
			return false
		}
		a.Mood.Score = score
	}
	return true
}

// invite asks a satisfied member to bring friends, where nobody did lately.
func (a *Account) invite(t *Terms, now time.Time) {
	v := t.inviting()
	if v == nil || a.Orders < v.Orders || a.Mood.Score < v.From || a.Mood.Complaints > 0 {
		return
	}
	if last := a.Mood.Invited; last == 0 || !now.Before(v.Again.After(time.Unix(last, 0), t.Zone)) {
		a.Mood.Invited = now.Unix()
	}
}
