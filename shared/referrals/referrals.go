// Package referrals takes into the table who sent whom to the shop. A
// registration or an order leads a friend to an advocate, the friend's account
// keeps the one order that counts, and Settle lets the referral and both
// accounts follow. What is decided, package loyalty decides; it knows nothing
// of HTTP and starts no transaction.
//
// An order's own transaction does not write the referral: the change of the
// friend's account does, as soon as it is announced. Only what becomes of an
// order whose rewards are given already is settled in the order's own.
package referrals

import (
	"errors"
	"maps"
	"slices"
	"time"

	"regulars/shared/alike"
	"regulars/shared/code"
	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// By is with what something is settled.
type By struct {
	Now  time.Time // of the business clock
	Seed string    // secret and used once: makes the codes of vouchers
}

// LeadOf is how the buyer of an order came to the shop: by the code on it, or
// by a registration under one of the buyer's identities, which only counts for
// who has not bought yet. nil for neither. id is of a referral to make.
func LeadOf(tx *table.Tx, o *loyalty.Order, a *loyalty.Account, t *loyalty.Terms, id string) (*loyalty.Lead, error) {
	if t.Referral == nil || a.Referred != nil && a.Referred.Order != (loyalty.OrderRef{}) {
		return nil, nil
	}
	var lead *loyalty.Lead
	if a.Referred == nil && a.FirstOrder == 0 {
		who, err := identities(tx, o.Customer, a.Member)
		if err != nil {
			return nil, err
		}
		f, err := registered(tx, who)
		if err != nil {
			return nil, err
		}
		if f != nil {
			lead = &loyalty.Lead{ID: f.Referral, Code: f.Code, Advocate: f.Advocate, Clicked: f.Clicked}
		}
	}
	c, ok := code.Normalize(o.ReferralCode)
	if !ok || lead != nil && lead.Code == c {
		return lead, nil
	}
	owner, _, err := tx.Code(c)
	if err != nil || owner == "" {
		return lead, err
	}
	by := &loyalty.Lead{ID: id, Code: c, Advocate: owner}
	if lead != nil {
		by.Instead = lead.ID
	}
	return by, nil
}

// identities are all that a friend can be known by: what a shop says of a
// customer, and what the member's profile does ("" for no member).
func identities(tx *table.Tx, c *loyalty.Customer, member string) ([]table.Identity, error) {
	if member == "" {
		return identitiesOf(c, nil), nil
	}
	p, err := tx.Person(member)
	return identitiesOf(c, p), err
}

func identitiesOf(c *loyalty.Customer, p *table.Profile) (out []table.Identity) {
	add := func(kind, key string) {
		if i := (table.Identity{Kind: kind, Key: key}); key != "" && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	if c != nil {
		add("EXTERNAL", c.ExternalID)
		add("EMAIL", alike.Email(c.Email))
		add("PHONE", alike.Phone(c.Phone, ""))
	}
	if p != nil {
		add("EMAIL", alike.Email(p.Email))
		add("PHONE", alike.Phone(p.Phone, ""))
		for _, id := range slices.Sorted(maps.Values(p.External)) {
			add("EXTERNAL", id)
		}
	}
	return out
}

// registered is the registration with the latest click under any of some
// identities; nil for none.
func registered(tx *table.Tx, who []table.Identity) (*table.Friend, error) {
	var newest *table.Friend
	for _, i := range who {
		f, err := tx.Friend(i)
		if err != nil {
			return nil, err
		}
		if f != nil && (newest == nil || f.Clicked > newest.Clicked) {
			newest = f
		}
	}
	return newest, nil
}

// Settle lets a friend's referral, and the advocate, follow the friend's
// account. It answers whether it changed that account, which the caller puts.
func Settle(tx *table.Tx, friend *loyalty.Account, by By) (changed bool, err error) {
	if friend.Referred == nil {
		return false, nil
	}
	if changed, err = closeReplaced(tx, friend, by); err != nil {
		return false, err
	}
	f := friend.Referred
	r, err := tx.Referral(f.ID)
	var none *loyalty.Error
	if errors.As(err, &none) {
		r, err = begin(tx, friend, by)
	}
	if err != nil {
		return false, err
	}
	if other, err := anothers(tx, r, friend); other || err != nil {
		return changed, err
	}
	r.Stands()
	moved, err := settle(tx, r, friend, false, suspect, by)
	return changed || moved, err
}

// SettleRewarded lets a referral whose rewards are given follow the friend's
// order, in the order's own transaction. Whether the friend may be one was
// looked at before. The caller puts the friend's account.
func SettleRewarded(tx *table.Tx, friend *loyalty.Account, by By) error {
	r, err := tx.Referral(friend.Referred.ID)
	if err == nil && r.Left == friend.Referred.Left { // as it was before an earlier change, perhaps: then nothing is written that would find out
		err = tx.Fresh()
	}
	if err == nil {
		_, err = settle(tx, r, friend, false, nil, by)
	}
	return err
}

// anothers tells of a referral whose order another made than a friend: one
// friend, one order, and who was told of under the same identity is not it.
func anothers(tx *table.Tx, r *loyalty.Referral, friend *loyalty.Account) (bool, error) {
	if r.Order == (loyalty.OrderRef{}) {
		return false, nil
	}
	was, err := holder(tx, r.Friend, friend)
	return err == nil && was.Member != friend.Member, err
}

// begin makes the referral of a friend whom an order led to an advocate.
func begin(tx *table.Tx, friend *loyalty.Account, by By) (*loyalty.Referral, error) {
	f := friend.Referred
	t, err := tx.TermsOfMember(friend.Member)
	if err != nil {
		return nil, err
	}
	r := &loyalty.Referral{ID: f.ID, Advocate: f.Advocate, Code: f.Code, Way: loyalty.ByOrder, Clicked: f.Clicked, Made: by.Now.Unix(), Closes: f.Clicked}
	if t.Referral != nil {
		r.Closes = t.Referral.Window.After(time.Unix(f.Clicked, 0), t.Zone).Unix()
	}
	return r, nil
}

// closeReplaced ends the referrals that the friend's newest took the place of.
func closeReplaced(tx *table.Tx, friend *loyalty.Account, by By) (changed bool, err error) {
	f := friend.Referred
	if len(f.Replaced) == 0 {
		return false, nil
	}
	own := *f // the account may be a copy
	friend.Referred, own.Replaced = &own, nil
	for _, id := range f.Replaced {
		if err := closeOne(tx, id, friend, by); err != nil {
			return false, err
		}
	}
	return true, nil
}

// closeOne ends a referral that another took the place of.
func closeOne(tx *table.Tx, id string, friend *loyalty.Account, by By) error {
	r, err := tx.Referral(id)
	var none *loyalty.Error
	if errors.As(err, &none) { // an order's, which was replaced before it was made; or it was read a little old
		return tx.Fresh()
	} else if err != nil {
		return err
	}
	if other, err := anothers(tx, r, friend); err != nil {
		return err
	} else if other {
		return tx.Fresh()
	}
	why := loyalty.LaterClick
	if r.Order != (loyalty.OrderRef{}) { // a click does not take the place of an order; another referral of the same person does
		why = loyalty.OneFriend
	}
	r.Against(why)
	_, err = settle(tx, r, friend, false, suspect, by)
	return err
}

// SettleDue settles a referral whose time has come: with ranks it may be given its
// rank, in the order in which the caller comes to them.
func SettleDue(tx *table.Tx, r *loyalty.Referral, by By) error {
	if err := tx.Fresh(); err != nil { // the friend's account decides, and is written only when it changes
		return err
	}
	var friend *loyalty.Account
	if r.Friend != "" {
		var err error
		if friend, err = tx.Holder(r.Friend); err != nil {
			return err
		}
	}
	changed, err := settle(tx, r, friend, true, suspect, by)
	if err != nil || !changed {
		return err
	}
	return tx.PutAccount(friend)
}

// look notes what speaks against a friend (suspect).
type look func(tx *table.Tx, r *loyalty.Referral, friend *loyalty.Account, told *Registration, s loyalty.Settlement) error

// settle brings a referral to what its friend's account says, and looks at who
// the friend is where that is news; nil looks at nobody. It puts all but that
// account, and answers whether that one changed.
func settle(tx *table.Tx, r *loyalty.Referral, friend *loyalty.Account, ranks bool, see look, by By) (changed bool, err error) {
	advocate, err := holder(tx, r.Advocate, friend)
	if err != nil {
		return false, err
	}
	s := loyalty.Settlement{Advocate: advocate, Friend: friend, Ranks: ranks, Seed: by.Seed, Now: by.Now}
	if s.OfAdvocate, err = tx.TermsOfMember(advocate.Member); err != nil {
		return false, err
	}
	if friend != nil {
		if s.OfFriend, err = tx.TermsOfMember(friend.Member); err != nil {
			return false, err
		}
		if see != nil && (r.Friend == "" || ordered(r, friend)) { // only now it is known who that is, or what they bought under
			if err := see(tx, r, friend, nil, s); err != nil {
				return false, err
			}
		}
		if s.Pinned, err = pinned(tx, r, friend); err != nil {
			return false, err
		}
	}
	if s.Pinned != nil && s.Pinned.Referral != nil && s.Pinned.Referral.Budget > 0 {
		if s.Budget, err = tx.Budget(loyalty.ReferralBudget); err != nil {
			return false, err
		}
	}
	rank, counted := r.Rank, r.Counted
	vouchers, err := r.Settle(s)
	if err != nil {
		return false, err
	}
	tx.PutReferral(r)
	if rank == r.Rank && counted == r.Counted {
		return false, nil
	}
	if s.Budget != nil {
		tx.PutBudget(s.Budget)
	}
	if err := tx.PutVouchers(vouchers, by.Now); err != nil {
		return false, err
	}
	if advocate == friend {
		return true, nil
	}
	return true, tx.PutAccount(advocate)
}

// ordered tells whether a friend has just bought what counts for a referral.
func ordered(r *loyalty.Referral, friend *loyalty.Account) bool {
	f := friend.Referred
	return r.Order == (loyalty.OrderRef{}) && f != nil && f.ID == r.ID && f.Order != (loyalty.OrderRef{})
}

// pinned are the terms of the order that counts; nil while there is none.
func pinned(tx *table.Tx, r *loyalty.Referral, friend *loyalty.Account) (*loyalty.Terms, error) {
	terms := r.Terms
	if f := friend.Referred; f != nil && f.ID == r.ID && f.Terms != 0 {
		terms = f.Terms
	}
	if terms == 0 {
		return nil, nil
	}
	return tx.TermsOf(terms)
}

// Catch brings a referral that is only looked at to what its friend's account
// says now, which is written a moment later, and answers that account.
func Catch(tx *table.Tx, r *loyalty.Referral, advocate *loyalty.Account) (*loyalty.Account, error) {
	friend, err := tx.Holder(r.Friend)
	if err != nil {
		return nil, err
	}
	t, err := pinned(tx, r, friend)
	if err != nil {
		return nil, err
	}
	r.Follow(loyalty.Settlement{Advocate: advocate, Friend: friend, Pinned: t})
	return friend, nil
}

// holder is who has a member's points now, the friend's own account where
// that is the friend.
func holder(tx *table.Tx, member string, friend *loyalty.Account) (*loyalty.Account, error) {
	if friend != nil && friend.Member == member {
		return friend, nil
	}
	a, err := tx.Holder(member)
	if err == nil && friend != nil && a.Member == friend.Member {
		a = friend
	}
	return a, err
}
