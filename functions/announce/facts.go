package announce

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"regulars/events"
	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/web"
)

// Facts reads what a change of one item means to the world. An error means
// that an item cannot be decoded.
func Facts(c table.Change) ([]events.Event, error) {
	if c.New.Version == 0 { // what vanishes was told when it ended
		return nil, nil
	}
	f := facts{source: "regulars/" + table.ProgramOf(c.Key)}
	var err error
	switch kind, _, _ := strings.Cut(c.SK, "#"); kind {
	case "ACCOUNT":
		err = f.account(c)
	case "PROFILE":
		err = f.profile(c)
	case "REDEMPTION":
		err = f.redemption(c)
	case "VOUCHER":
		err = f.voucher(c)
	case "REFERRAL":
		err = f.referral(c)
	case "PRIVACY":
		err = f.privacy(c)
	}
	return f.list, err
}

type facts struct {
	source string
	list   []events.Event
}

// add appends an event. cause is unique among all events of the deployment.
func (f *facts) add(kind, cause string, unix int64, data any) {
	raw, err := json.Marshal(data)
	if err != nil {
		panic("announce: data of events is plain and always encodes: " + err.Error())
	}
	f.list = append(f.list, events.Event{SpecVersion: "1.0", ID: "evt_" + cause, Type: kind, Source: f.source, Time: time.Unix(unix, 0).UTC(), Data: raw})
}

var kinds = map[loyalty.EntryType]string{
	loyalty.Earn:     events.PointsEarned,
	loyalty.Activate: events.PointsActivated,
	loyalty.Expire:   events.PointsExpired,
	loyalty.Clawback: events.PointsClawedBack,
	loyalty.Restore:  events.PointsRestored,
	loyalty.Adjust:   events.PointsAdjusted,
	loyalty.WriteOff: events.PointsWrittenOff,
	loyalty.Refer:    events.PointsEarned,
}

func (f *facts) account(c table.Change) error {
	old, now, err := table.Both[loyalty.Account](c)
	if err != nil {
		return err
	}
	member := "mem_" + now.Member
	fresh := now.Tail[max(0, len(now.Tail)-int(now.Seq-old.Seq)):]
	for i, e := range fresh {
		seq := now.Seq - int64(len(fresh)-1-i)
		switch e.Type {
		case loyalty.Redeem:
			// told by the redemption
		case loyalty.MergeInto:
			if now.Into != "" && now.Wallet == "" {
				f.add(events.MemberMerged, fmt.Sprintf("merge_%s", now.Member), e.At,
					events.Merge{Member: "mem_" + now.Into, Merged: member, Points: -e.Points})
			}
		default:
			points := e.Points
			if e.Type == loyalty.Activate {
				for _, l := range e.Lots {
					points += l.Points
				}
			}
			if points == 0 {
				continue // an order that earned nothing is no news
			}
			data := events.Points{Member: member, Entry: web.EntryID(now.Member, now.Wallet, seq), Points: points, Balance: e.Balance, Ref: e.Ref, Reason: e.Reason, Wallet: now.Wallet}
			if e.Order != "" {
				data.Order = &events.Order{Source: e.Source, ID: e.Order}
			}
			f.add(kinds[e.Type], strings.TrimPrefix(data.Entry, "led_"), e.At, data)
		}
	}
	for _, h := range old.Holds {
		if h.Until > 0 && !hasHold(now, h.ID) && now.At >= h.Until { // 0: people end it
			f.add(events.HoldExpired, "hold_"+h.ID, h.Until,
				events.Hold{Member: member, Hold: "hld_" + h.ID, Points: h.Points(), ExpiredAt: time.Unix(h.Until, 0).UTC()})
		}
	}
	if now.Into == "" {
		f.progress(member, old, now)
	}
	return nil
}

// progress tells of tiers, badges, choices and invitations.
func (f *facts) progress(member string, old, now *loyalty.Account) {
	was, is := &old.Standing, &now.Standing
	if is.Changes != was.Changes && is.Level != was.Level {
		kind := events.TierUpgraded
		if is.Rank < was.Rank {
			kind = events.TierDowngraded
		}
		f.add(kind, fmt.Sprintf("tier_%s_%d", now.Member, is.Changes), is.Since, events.TierChange{Member: member, Tier: tier(is.Level), Was: tier(was.Level)})
	}
	if is.Warned != was.Warned && is.Warned > now.At { // else it is lost already
		f.add(events.TierWillDowngrade, fmt.Sprintf("tierwarn_%s_%d", now.Member, is.Warned), now.At,
			events.TierWarning{Member: member, Tier: is.Level, Until: time.Unix(is.Warned, 0).UTC()})
	}
	if now.SegmentSeq != old.SegmentSeq {
		f.segments(member, old.Segments, now)
	}
	if at := now.Mood.Invited; at != old.Mood.Invited && at == now.At { // an older one came by a merge, and was told before
		f.add(events.ReferralInvited, fmt.Sprintf("invite_%s_%d", now.Member, at), at, events.Invitation{Member: member, Orders: now.Orders, Score: now.Mood.Score})
	}
	for _, g := range now.Goals {
		i := slices.IndexFunc(old.Goals, func(o loyalty.Reached) bool { return o.Goal == g.Goal })
		if g.Badges > 0 && (i < 0 || g.Badges > old.Goals[i].Badges) {
			f.add(events.BadgeAwarded, fmt.Sprintf("badge_%s_%s_%d", now.Member, g.Goal, g.Badges), now.At, events.Badge{Member: member, Badge: g.Goal, Times: g.Given})
		}
	}
	for _, s := range now.Spells {
		i := slices.IndexFunc(old.Spells, func(o loyalty.Spell) bool { return o.Bonus == s.Bonus })
		if s.Offer.Period != 0 && (i < 0 || old.Spells[i].Offer.Period != s.Offer.Period) {
			f.add(events.ChoiceOffered, fmt.Sprintf("choice_%s_%s_%d", now.Member, s.Bonus, s.Offer.Period), now.At,
				events.Choice{Member: member, ID: s.Bonus, Average: s.Offer.Average, Until: time.Unix(s.Offer.Until, 0).UTC()})
		}
	}
}

// segments tells of each that was entered or left. Their number makes a change
// one event, however often it is told.
func (f *facts) segments(member string, was []string, now *loyalty.Account) {
	tell := func(kind string, from, to []string, how string) {
		for _, s := range to {
			if !slices.Contains(from, s) {
				f.add(kind, fmt.Sprintf("segment_%s_%s_%d_%s", now.Member, s, now.SegmentSeq, how), max(now.At, now.Segmented), events.Segment{Member: member, Segment: s})
			}
		}
	}
	tell(events.SegmentLeft, now.Segments, was, "left")
	tell(events.SegmentEntered, was, now.Segments, "entered")
}

func tier(id string) *string {
	if id == "" {
		return nil
	}
	return &id
}

func (f *facts) voucher(c table.Change) error {
	old, now, err := table.Both[loyalty.Voucher](c)
	if err != nil || old.Stage == now.Stage {
		return err
	}
	at := max(now.Issued, now.Changed)
	kind, known := map[loyalty.VoucherStage]string{
		loyalty.VoucherIssued: events.RewardIssued, loyalty.VoucherUsed: events.RewardUsed, loyalty.VoucherWithdrawn: events.RewardWithdrawn,
	}[now.Stage]
	if !known || now.Stage == loyalty.VoucherIssued && old.Stage != "" { // given back: the member has it as before
		return nil
	}
	data := events.Reward{Member: "mem_" + now.Member, Voucher: now.Written(), Reward: now.Reward, Goal: now.Goal}
	if now.Until > 0 && now.Stage == loyalty.VoucherIssued {
		end := time.Unix(now.Until, 0).UTC()
		data.ExpiresAt = &end
	}
	if now.Order != (loyalty.OrderRef{}) {
		data.Order = &events.Order{Source: now.Order.Source, ID: now.Order.ID}
	}
	f.add(kind, fmt.Sprintf("voucher_%s_%s_%d", now.Code, now.Stage, at), at, data)
	return nil
}

// referral tells of a referral's change of stage.
func (f *facts) referral(c table.Change) error {
	old, now, err := table.Both[loyalty.Referral](c)
	if err != nil || old.Changes == now.Changes || len(now.Notes) == 0 {
		return err
	}
	note := now.Notes[len(now.Notes)-1]
	data := events.Referral{Referral: now.Ref(), Advocate: "mem_" + now.Advocate, Code: now.Code, Reasons: append([]string{}, note.Reasons...), Rank: now.Rank}
	if now.Friend != "" {
		data.Friend = "mem_" + now.Friend
	}
	if now.Order != (loyalty.OrderRef{}) {
		safe := time.Unix(now.Until, 0).UTC()
		data.Order, data.SafeAt = &events.Order{Source: now.Order.Source, ID: now.Order.ID}, &safe
	}
	if now.Rank > 0 {
		data.Points = &events.Rewards{Advocate: now.ToAdv.Points, Friend: now.ToFri.Points}
	}
	f.add("referral."+string(now.Stage), fmt.Sprintf("%s_%d", now.Ref(), now.Changes), note.At, data)
	return nil
}

func hasHold(a *loyalty.Account, id string) bool {
	for _, h := range a.Holds {
		if h.ID == id {
			return true
		}
	}
	return false
}

func (f *facts) profile(c table.Change) error {
	old, now, err := table.Both[table.Profile](c)
	if err == nil && old.Member == "" {
		f.add(events.MemberEnrolled, "enrol_"+now.Member, now.CreatedAt, events.Member{Member: "mem_" + now.Member, Guest: now.Guest})
	}
	return err
}

func (f *facts) redemption(c table.Change) error {
	old, now, err := table.Both[loyalty.Redemption](c)
	if err != nil {
		return err
	}
	if now.Payout {
		f.payout(old, now)
		return nil
	}
	data := events.Redemption{Member: "mem_" + now.Member, Redemption: "rdm_" + now.ID, Points: now.Points, Value: events.Money{Amount: now.Value, Currency: now.Currency}}
	if now.Order != (loyalty.OrderRef{}) {
		data.Order = &events.Order{Source: now.Order.Source, ID: now.Order.ID}
	}
	if now.Captured != 0 && old.Captured == 0 {
		f.add(events.RedemptionCaptured, "capture_"+now.ID, now.Captured, data)
	}
	if now.Stage == loyalty.Undone && old.Stage != loyalty.Undone {
		data.Points = now.Restored - old.Restored
		f.add(events.RedemptionCanceled, "cancel_"+now.ID, now.Undone, data)
	}
	return nil
}

func (f *facts) payout(old, now *loyalty.Redemption) {
	data := events.Payout{Member: "mem_" + now.Member, Payout: now.Ref(), Wallet: now.Wallet, Amount: events.Money{Amount: now.Value, Currency: now.Currency}}
	switch {
	case old.ID == "":
		f.add(events.PayoutRequested, "payout_"+now.ID+"_requested", now.At, data)
	case now.Stage == loyalty.Captured && old.Stage != now.Stage:
		f.add(events.PayoutApproved, "payout_"+now.ID+"_approved", now.Captured, data)
	case now.Stage == loyalty.Released && old.Stage != now.Stage:
		f.add(events.PayoutRejected, "payout_"+now.ID+"_rejected", now.Ended, data)
	}
}

func (f *facts) privacy(c table.Change) error {
	old, now, err := table.Both[table.PrivacyRequest](c)
	if err != nil || old.Topic != "" {
		return err
	}
	data := events.Privacy{Connection: now.Connection, Topic: now.Topic}
	if now.Member != "" {
		data.Member = "mem_" + now.Member
	}
	f.add(events.PrivacyRequested, "privacy_"+c.PK, now.At, data)
	return nil
}
