package referrals

import (
	"errors"
	"time"

	"regulars/shared/code"
	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Registration is a friend who is told of before any order.
type Registration struct {
	Code     string            // as it was written
	Customer *loyalty.Customer // who the friend is
	Source   string            // of the customer's external id; "" if that is not said
	Clicked  time.Time         // zero: now
	Staff    string            // who registered the friend, in a shop; "" when the friend did
	Marks    []loyalty.Mark
}

// mostPerHour is how many friends one code may register in an hour. Beyond, a
// form is being filled in by a machine.
const mostPerHour = 200

// Register notes that a friend came by a code. The last click wins; a
// registration that lost against a later one changes nothing and answers that
// one. id is of the referral to make. Whether the friend may be one is not told
// here, since the answer may reach whoever filled in a form.
//
// Refused with unknown_code, no_referrals and click_too_old; the error of kind
// TooMany when one code registers too many.
func Register(tx *table.Tx, in Registration, id string, by By) (*loyalty.Referral, error) {
	advocate, c, err := owner(tx, in.Code)
	if err != nil {
		return nil, err
	}
	t, err := tx.TermsOfMember(advocate.Member)
	if err != nil {
		return nil, err
	}
	if t.Referral == nil {
		return nil, loyalty.Refuse("no_referrals", "the program gives nothing for referrals")
	}
	clicked := in.Clicked
	if clicked.IsZero() || clicked.After(by.Now) {
		clicked = by.Now
	}
	closes := t.Referral.Window.After(clicked, t.Zone)
	if !closes.After(by.Now) {
		return nil, loyalty.Refuse("click_too_old", "the click is longer ago than a friend has time to buy")
	}
	friend, err := known(tx, in)
	if err != nil {
		return nil, err
	}
	member := ""
	if friend != nil {
		member = friend.Member
	}
	who, err := identities(tx, in.Customer, member)
	if err != nil {
		return nil, err
	}
	claim, err := registered(tx, who)
	if err != nil {
		return nil, err
	}
	if friend == nil && claim != nil { // who that is, is known by the registration before
		before, err := tx.Referral(claim.Referral)
		if err != nil {
			return nil, err
		}
		if before.Friend != "" {
			if friend, err = tx.Holder(before.Friend); err != nil {
				return nil, err
			}
		}
	}
	lead := loyalty.Lead{ID: id, Code: c, Advocate: advocate.Member, Clicked: clicked.Unix()}
	f := &table.Friend{Referral: id, Code: c, Advocate: advocate.Member, Clicked: lead.Clicked, Until: closes.Unix()}
	if had, err := wins(tx, &lead, friend, claim); err != nil {
		return nil, err
	} else if had != nil {
		return had, prolong(tx, had, friend, who, f)
	}
	if n, err := tx.ReferredSince(advocate.Member, "", by.Now.Unix()-60*60, mostPerHour); err != nil {
		return nil, err
	} else if n >= mostPerHour {
		return nil, &loyalty.Error{Kind: loyalty.TooMany, Code: "too_many_referrals", Detail: "this code registers friends too fast", Details: map[string]any{"retry_after": 60 * 60}}
	}
	r := &loyalty.Referral{
		ID: id, Advocate: advocate.Member, Code: c, Way: loyalty.ByClick, By: in.Staff, Clicked: clicked.Unix(), Made: by.Now.Unix(), Closes: closes.Unix(),
	}
	if in.Staff != "" {
		r.Way = loyalty.ByPeople
	}
	s := loyalty.Settlement{Advocate: advocate, Friend: friend, OfAdvocate: t, OfFriend: t, Now: by.Now}
	if err := suspect(tx, r, friend, &in, s); err != nil {
		return nil, err
	}
	if _, err := r.Settle(s); err != nil {
		return nil, err
	}
	tx.PutReferral(r)
	for _, i := range who {
		tx.PutFriend(i, f)
	}
	if friend == nil {
		if lead.Instead == "" {
			return r, nil
		}
		return r, closeUnbound(tx, lead.Instead, by)
	}
	friend.Mark(in.Marks...)
	if _, err := closeReplaced(tx, friend, by); err != nil {
		return nil, err
	}
	if err := tx.PutAccount(friend); err != nil {
		return nil, err
	}
	tx.Expect(friend, r.Closes)
	return r, nil
}

// owner is the advocate whom a code leads to, and the code as it is kept.
// Refused with unknown_code.
func owner(tx *table.Tx, written string) (*loyalty.Account, string, error) {
	unknown := loyalty.Refuse("unknown_code", "the code leads to nobody")
	c, ok := code.Normalize(written)
	if !ok {
		return nil, "", unknown
	}
	member, _, err := tx.Code(c)
	if err != nil {
		return nil, "", err
	}
	if member == "" {
		return nil, "", unknown
	}
	a, err := tx.Holder(member)
	return a, c, err
}

// known is the account of a customer who is a member already; nil for nobody.
func known(tx *table.Tx, in Registration) (*loyalty.Account, error) {
	c := *in.Customer
	if in.Source == "" {
		c.ExternalID = ""
	}
	member, err := tx.Match(in.Source, &c)
	if err != nil {
		return nil, err
	}
	if c = *in.Customer; member == "" && in.Source == "" && c.ExternalID != "" { // whichever shop it is of, if there is but one
		all, err := tx.MembersWith("", "", c.ExternalID, "")
		if err != nil {
			return nil, err
		}
		if len(all) == 1 {
			member = all[0]
		}
	}
	if member == "" {
		return nil, nil
	}
	return tx.Holder(member)
}

// wins tells whether a lead takes its place, on the friend's account or under
// the friend's identities. Otherwise it answers the referral that stays.
func wins(tx *table.Tx, lead *loyalty.Lead, friend *loyalty.Account, claim *table.Friend) (stays *loyalty.Referral, err error) {
	if claim != nil && claim.Referral != lead.ID {
		if claim.Code == lead.Code || claim.Clicked >= lead.Clicked {
			return tx.Referral(claim.Referral)
		}
		lead.Instead = claim.Referral
	}
	if friend == nil {
		return nil, nil
	}
	if f := friend.Referred; f != nil && f.ID == lead.Instead { // one and the same
		lead.Instead = ""
	}
	if friend.Lead(*lead) {
		return nil, nil
	}
	f := friend.Referred
	stays, err = tx.Referral(f.ID)
	var none *loyalty.Error
	if errors.As(err, &none) { // an order's, which the stream has not brought here yet
		return &loyalty.Referral{ID: f.ID, Advocate: f.Advocate, Code: f.Code, Clicked: f.Clicked}, nil
	}
	return stays, err
}

// prolong lets a later click on the same code count from then on, as long as
// the friend has not bought.
func prolong(tx *table.Tx, r *loyalty.Referral, friend *loyalty.Account, who []table.Identity, f *table.Friend) error {
	if r.Code != f.Code || r.Stage != loyalty.Registered || f.Clicked <= r.Clicked || friend != nil && friend.FirstOrder != 0 {
		return nil
	}
	r.Clicked, r.Closes, f.Referral = f.Clicked, f.Until, r.ID
	tx.PutReferral(r)
	for _, i := range who {
		tx.PutFriend(i, f)
	}
	if friend == nil || friend.Referred == nil || friend.Referred.ID != r.ID {
		return nil
	}
	own := *friend.Referred
	own.Clicked = f.Clicked
	friend.Referred = &own
	return tx.PutAccount(friend)
}

// closeUnbound ends a registration of nobody yet known that a later one took
// the place of.
func closeUnbound(tx *table.Tx, id string, by By) error {
	r, err := tx.Referral(id)
	if err != nil {
		return err
	}
	r.Against(loyalty.LaterClick)
	_, err = settle(tx, r, nil, false, suspect, by)
	return err
}
