package referrals

import (
	"crypto/sha256"
	"encoding/hex"

	"regulars/shared/alike"
	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// mostRecent is how many of an advocate's newest friends are looked at to see
// how fast they come.
const mostRecent = 1000

// mostAbove is how far up a chain of advocates is walked to see whether it
// leads back.
const mostAbove = 20

// Marks are digests of what a shop tells of a person, by which the same person
// is known again within a program and by nobody else.
func Marks(program string, s *loyalty.Signs) []loyalty.Mark {
	if s == nil {
		return nil
	}
	var out []loyalty.Mark
	add := func(kind loyalty.MarkKind, key string) {
		if key == "" {
			return
		}
		sum := sha256.Sum256([]byte(program + "/" + string(rune(kind)) + "/" + key))
		out = append(out, loyalty.Mark{Kind: kind, Sum: [8]byte(sum[:8])})
	}
	add(loyalty.MarkDevice, s.Device)
	add(loyalty.MarkPayment, s.Payment)
	add(loyalty.MarkAddress, alike.Address(s.Address.Line, s.Address.City, s.Address.Postcode, s.Address.Country))
	add(loyalty.MarkNetwork, alike.Network(s.IP))
	return out
}

// suspect notes what speaks against a friend: who it is beside the advocate,
// and how many came the same way. told is what the friend registered with, and
// nil once it is a member's account that says it.
func suspect(tx *table.Tx, r *loyalty.Referral, friend *loyalty.Account, told *Registration, s loyalty.Settlement) error {
	t := s.OfAdvocate
	if s.OfFriend != nil {
		t = s.OfFriend
	}
	if t.Referral == nil {
		return nil
	}
	if err := tx.Fresh(); err != nil { // none of what speaks against a friend is written
		return err
	}
	var c *loyalty.Customer
	var marks []loyalty.Mark
	member := ""
	if told != nil {
		c, marks = told.Customer, told.Marks
	}
	if friend != nil {
		member, marks = friend.Member, append(marks, friend.Marks...)
	}
	who, err := identities(tx, c, member)
	if err != nil {
		return err
	}
	owns, err := identities(tx, nil, s.Advocate.Member)
	if err != nil {
		return err
	}
	e := loyalty.Evidence{Same: append(sameOf(who, owns), loyalty.Same(marks, s.Advocate.Marks)...)}
	for _, i := range who {
		e.Disposable = e.Disposable || i.Kind == "EMAIL" && alike.Disposable(i.Key)
	}
	if e.Cycle, err = cycle(tx, friend, s.Advocate); err != nil {
		return err
	}
	if e.Existing, err = bought(tx, c, member, r.Clicked); err != nil {
		return err
	}
	since := func(v loyalty.Velocity) int64 { return v.Per.Before(s.Now, t.Zone).Unix() }
	f := &t.Referral.Fraud
	for _, m := range marks {
		if m.Kind == loyalty.MarkNetwork && f.PerIP.Friends > 0 {
			n, err := tx.SeenFrom(hex.EncodeToString(m.Sum[:]), r.ID, since(f.PerIP), s.Now.Unix())
			if err != nil {
				return err
			}
			e.FromIP = max(e.FromIP, n)
		}
	}
	if f.PerAdvocate.Friends > 0 {
		if e.OfAdvocate, err = tx.ReferredSince(s.Advocate.Member, r.ID, since(f.PerAdvocate), mostRecent); err != nil {
			return err
		}
	}
	r.Against(f.Judge(e)...)
	return nil
}

// sameOf is which identities two persons share. An external id is a shop's,
// and two shops may have the same.
func sameOf(x, y []table.Identity) (kinds []loyalty.MarkKind) {
	for _, i := range x {
		for _, j := range y {
			switch {
			case i != j:
			case i.Kind == "EMAIL":
				kinds = append(kinds, loyalty.MarkEmail)
			case i.Kind == "PHONE":
				kinds = append(kinds, loyalty.MarkPhone)
			}
		}
	}
	return kinds
}

// cycle tells whether the advocate came to the shop through the friend, who is
// somebody else.
func cycle(tx *table.Tx, friend, advocate *loyalty.Account) (bool, error) {
	if friend == nil || friend.Member == advocate.Member {
		return false, nil
	}
	for range mostAbove {
		if advocate.Referred == nil {
			return false, nil
		}
		above, err := tx.Holder(advocate.Referred.Advocate)
		if err != nil {
			return false, err
		}
		if above.Member == friend.Member {
			return true, nil
		}
		advocate = above
	}
	return false, nil
}

// bought tells whether anybody with the friend's e-mail or phone, verified or
// not, had bought before the click.
func bought(tx *table.Tx, c *loyalty.Customer, member string, clicked int64) (bool, error) {
	var email, phone string
	if c != nil {
		email, phone = c.Email, c.Phone
	} else if member != "" {
		p, _, err := tx.Profile(member)
		if err != nil {
			return false, err
		}
		email, phone = p.Email, p.Phone
	}
	all, err := tx.MembersWith(email, phone, "", "")
	if err != nil {
		return false, err
	}
	for _, m := range all {
		a, err := tx.Holder(m)
		if err != nil {
			return false, err
		}
		if a.FirstOrder != 0 && a.FirstOrder < clicked {
			return true, nil
		}
	}
	return false, nil
}
