// Package events holds the public facts: what the system tells the world when
// something happened to a member's points. Each type has a JSON Schema under
// schemas/ and a golden sample under samples/. There is no behaviour here.
package events

import (
	"encoding/json"
	"time"
)

// Event is the envelope of every fact, with the names of CloudEvents 1.0.
type Event struct {
	SpecVersion string          `json:"specversion"` // "1.0"
	ID          string          `json:"id"`          // derived from the cause: a repeated announcement has the same id
	Type        string          `json:"type"`
	Source      string          `json:"source"` // "regulars/<program>"
	Time        time.Time       `json:"time"`   // when it happened, UTC
	Data        json.RawMessage `json:"data"`
}

// The types of event.
const (
	PointsEarned       = "points.earned"
	PointsActivated    = "points.activated"
	PointsExpired      = "points.expired"
	PointsClawedBack   = "points.clawed_back"
	PointsRestored     = "points.restored"
	PointsAdjusted     = "points.adjusted"
	PointsWrittenOff   = "points.written_off"
	HoldExpired        = "hold.expired"
	RedemptionCaptured = "redemption.captured"
	RedemptionCanceled = "redemption.cancelled"
	MemberEnrolled     = "member.enrolled"
	MemberMerged       = "member.merged"
	PrivacyRequested   = "privacy.requested"
	TierUpgraded       = "tier.upgraded"
	TierDowngraded     = "tier.downgraded"
	TierWillDowngrade  = "tier.will_downgrade"
	RewardIssued       = "reward.issued"
	RewardUsed         = "reward.used"
	RewardWithdrawn    = "reward.withdrawn"
	ChoiceOffered      = "reward.choice_offered"
	BadgeAwarded       = "badge.awarded"
	PayoutRequested    = "payout.requested"
	PayoutApproved     = "payout.approved"
	PayoutRejected     = "payout.rejected"
	ReferralRegistered = "referral.registered"
	ReferralPending    = "referral.pending"
	ReferralQualified  = "referral.qualified"
	ReferralBlocked    = "referral.blocked"
	ReferralReview     = "referral.review"
	ReferralCancelled  = "referral.cancelled"
	ReferralInvited    = "referral.invited"
	SegmentEntered     = "segment.entered"
	SegmentLeft        = "segment.left"
)

// Order names an order: the storefront and its id there.
type Order struct {
	Source string `json:"source"`
	ID     string `json:"id"`
}

// Points is the data of every points.* event: one ledger entry.
type Points struct {
	Member  string `json:"member"`
	Entry   string `json:"entry"`            // ledger entry id, led_...
	Points  int64  `json:"points"`           // signed; for points.activated how many became usable
	Balance int64  `json:"balance"`          // ledger balance after the entry
	Order   *Order `json:"order,omitempty"`  // the order that caused it
	Ref     string `json:"ref,omitempty"`    // the redemption or request that caused it
	Reason  string `json:"reason,omitempty"` // why, where there is more to say
	Wallet  string `json:"wallet,omitempty"` // of which they are, where it is another than points
}

// Hold is the data of hold.expired.
type Hold struct {
	Member    string    `json:"member"`
	Hold      string    `json:"hold"`
	Points    int64     `json:"points"`
	ExpiredAt time.Time `json:"expired_at"`
}

// Redemption is the data of redemption.captured and redemption.cancelled.
type Redemption struct {
	Member     string `json:"member"`
	Redemption string `json:"redemption"`
	Points     int64  `json:"points"` // captured, or given back by the cancellation
	Value      Money  `json:"value"`  // what the captured points paid
	Order      *Order `json:"order,omitempty"`
}

// Money is an amount in minor units of a currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Member is the data of member.enrolled.
type Member struct {
	Member string `json:"member"`
	Guest  bool   `json:"guest"` // came with an order, did not enrol
}

// Merge is the data of member.merged.
type Merge struct {
	Member string `json:"member"` // who is left
	Merged string `json:"merged"` // who was merged into member
	Points int64  `json:"points"` // ledger balance that moved
}

// Privacy is the data of privacy.requested: a request that a storefront passed on.
type Privacy struct {
	Connection string `json:"connection"`
	Topic      string `json:"topic"`            // customers/data_request, customers/redact, shop/redact
	Member     string `json:"member,omitempty"` // whom it concerns, when known
}

// TierChange is the data of tier.upgraded and tier.downgraded; nil is no tier.
type TierChange struct {
	Member string  `json:"member"`
	Tier   *string `json:"tier"`
	Was    *string `json:"was"`
}

// TierWarning is the data of tier.will_downgrade.
type TierWarning struct {
	Member string    `json:"member"`
	Tier   string    `json:"tier"`
	Until  time.Time `json:"until"` // when it is lost
}

// Reward is the data of reward.issued, reward.used and reward.withdrawn.
type Reward struct {
	Member    string     `json:"member"`
	Voucher   string     `json:"voucher"` // the code, as people write it
	Reward    string     `json:"reward"`
	Goal      string     `json:"goal,omitempty"` // what gave it
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Order     *Order     `json:"order,omitempty"` // that it was used in
}

// Choice is the data of reward.choice_offered. Average is in minor units.
type Choice struct {
	Member  string    `json:"member"`
	ID      string    `json:"id"` // of the automatic reward
	Average int64     `json:"average"`
	Until   time.Time `json:"until"` // when the default is given
}

// Badge is the data of badge.awarded.
type Badge struct {
	Member string `json:"member"`
	Badge  string `json:"badge"`
	Times  int64  `json:"times"` // how often by now
}

// Payout is the data of payout.requested, payout.approved and payout.rejected.
type Payout struct {
	Member string `json:"member"`
	Payout string `json:"payout"`
	Wallet string `json:"wallet"`
	Amount Money  `json:"amount"`
}

// Referral is the data of every referral.* event but referral.invited: what
// has become of a friend whom a member sent.
type Referral struct {
	Referral string     `json:"referral"` // rfl_...
	Advocate string     `json:"advocate"`
	Friend   string     `json:"friend,omitempty"` // when it is known who that is
	Code     string     `json:"code"`
	Reasons  []string   `json:"reasons"`                // why it is blocked, under review or cancelled
	Order    *Order     `json:"order,omitempty"`        // that counts for it
	SafeAt   *time.Time `json:"qualifies_at,omitempty"` // when it is safe
	Rank     int64      `json:"rank,omitempty"`         // of the friend among those who qualified
	Points   *Rewards   `json:"points,omitempty"`       // what both have of it now, once it was qualified
}

// Rewards are the points of the two sides of a referral.
type Rewards struct {
	Advocate int64 `json:"advocate"`
	Friend   int64 `json:"friend"`
}

// Invitation is the data of referral.invited: a satisfied member who may be
// asked to bring friends.
type Invitation struct {
	Member string `json:"member"`
	Orders int64  `json:"orders"` // that count
	Score  int64  `json:"score"`  // that the member gave last
}

// Segment is the data of segment.entered and segment.left.
type Segment struct {
	Member  string `json:"member"`
	Segment string `json:"segment"`
}
