package table

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"regulars/shared/loyalty"
)

// Slots of a contact address. An enrolled member owns its address; one guest
// at most stands for a verified address; anyone else is only listed.
const (
	ownerSlot = "OWNER"
	guestSlot = "GUEST"
	listSlot  = "MEMBER#"
)

type contact struct {
	kind, address string
	verified      bool
}

func (p *Profile) contacts() []contact {
	return []contact{
		{"EMAIL", normalEmail(p.Email), p.EmailVerified},
		{"PHONE", normalPhone(p.Phone), p.PhoneVerified},
	}
}

// normalEmail folds A to Z only: other letters that look or fold alike (the
// Kelvin sign is one) make another address, perhaps another person's.
func normalEmail(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, strings.TrimSpace(s))
}

// normalPhone keeps the plus and the digits, Arabic and Persian digits as Latin ones.
func normalPhone(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '+', r >= '0' && r <= '9':
			return r
		case r >= '٠' && r <= '٩':
			return r - '٠' + '0'
		case r >= '۰' && r <= '۹':
			return r - '۰' + '0'
		}
		return -1
	}, s)
}

// Match finds the member that a source's customer is: by external id, then by
// the card that was shown, then by an e-mail, then a phone, that is verified on both sides. "" when unknown.
// Identities are read fresh, here and below, since most of what they decide
// does not write them: a person who was erased, or whose address is another's
// now, is not found again.
func (tx *Tx) Match(source string, c *loyalty.Customer) (string, error) {
	for _, known := range [][2]string{{source, c.ExternalID}, {loyalty.CardSource, c.Card}} {
		if known[1] == "" {
			continue
		}
		p, err := fresh[pointer](tx, externalKey(tx.program, known[0], known[1]))
		if err != nil || p != nil {
			return p.member(), err
		}
	}
	seen := Profile{Email: c.Email, EmailVerified: c.EmailVerified, Phone: c.Phone, PhoneVerified: c.PhoneVerified}
	for _, at := range seen.contacts() {
		if at.address == "" || !at.verified {
			continue
		}
		for _, slot := range []string{ownerSlot, guestSlot} {
			p, err := fresh[pointer](tx, Key{contactPK(tx.program, at.kind, at.address), slot})
			if err != nil {
				return "", err
			}
			if p != nil && p.Verified {
				return p.Member, nil
			}
		}
	}
	return "", nil
}

func (p *pointer) member() string {
	if p == nil {
		return ""
	}
	return p.Member
}

// Enrol makes a member: profile, account, identities. The conflict
// member_exists (details: member, identity) when an identity is taken.
func (tx *Tx) Enrol(p *Profile) error {
	for _, source := range sortedKeys(p.External) {
		if err := tx.attach(p, source, p.External[source]); err != nil {
			return err
		}
	}
	for _, c := range p.contacts() {
		if err := tx.claim(p, c, !p.Guest); err != nil {
			return err
		}
	}
	tx.put(profileKey(tx.program, p.Member), encode(p))
	return tx.PutAccount(&loyalty.Account{Member: p.Member, At: p.CreatedAt, Born: p.Birth.month()})
}

// month of birth, 1 to 12; 0 unless the date is told in the Gregorian calendar.
func (b Birth) month() int64 {
	day, err := time.Parse(time.DateOnly, b.Date)
	if b.Calendar != "gregorian" || err != nil {
		return 0
	}
	return int64(day.Month())
}

// born keeps the month on the account's side, where a run over all members
// finds it without reading a profile. The account is written when it changes.
func (tx *Tx) born(p *Profile) error {
	a, err := tx.Account(p.Member)
	if err != nil {
		return err
	}
	if a.Born == p.Birth.month() {
		return tx.Fresh()
	}
	a.Born = p.Birth.month()
	return tx.PutAccount(a)
}

// attach makes an external id lead to a member.
func (tx *Tx) attach(p *Profile, source, id string) error {
	k := externalKey(tx.program, source, id)
	had, err := fresh[pointer](tx, k)
	if err != nil {
		return err
	}
	if had != nil && had.Member != p.Member {
		return exists("external_ids/"+source, had.Member)
	}
	if had == nil {
		tx.put(k, encode(&pointer{Member: p.Member, Verified: true}))
	}
	return nil
}

// claim takes the best free slot of an address. strict refuses an address
// that another enrolled member owns; otherwise the member is only listed.
func (tx *Tx) claim(p *Profile, c contact, strict bool) error {
	if c.address == "" {
		return nil
	}
	pk := contactPK(tx.program, c.kind, c.address)
	slot := listSlot + p.Member
	switch {
	case !p.Guest:
		owner, err := fresh[pointer](tx, Key{pk, ownerSlot})
		if err != nil {
			return err
		}
		if owner == nil || p.is(owner.Member) {
			slot = ownerSlot
		} else if strict {
			return exists(strings.ToLower(c.kind), owner.Member)
		}
	case c.verified:
		guest, err := fresh[pointer](tx, Key{pk, guestSlot})
		if err != nil {
			return err
		}
		if guest == nil || p.is(guest.Member) {
			slot = guestSlot
		}
	}
	k := Key{pk, slot}
	if _, err := tx.item(k); err != nil {
		return err
	}
	tx.put(k, encode(&pointer{Member: p.Member, Verified: c.verified}))
	return nil
}

// is tells whether a member is this one, or was merged into it.
func (p *Profile) is(member string) bool {
	return member == p.Member || slices.Contains(p.Merged, member)
}

// release gives up a member's slots of an address.
func (tx *Tx) release(p *Profile, c contact) error {
	if c.address == "" {
		return nil
	}
	pk := contactPK(tx.program, c.kind, c.address)
	for _, slot := range []string{ownerSlot, guestSlot, listSlot + p.Member} {
		had, err := fresh[pointer](tx, Key{pk, slot})
		if err != nil {
			return err
		}
		if had != nil && p.is(had.Member) {
			tx.remove(Key{pk, slot})
		}
	}
	return nil
}

// Profile reads who a member is. Missing when there is no such member.
func (tx *Tx) Profile(member string) (*Profile, int64, error) {
	k := profileKey(tx.program, member)
	p, err := get[Profile](tx, k)
	if err != nil {
		return nil, 0, err
	}
	if p == nil {
		return nil, 0, loyalty.NotFound("member")
	}
	return p, tx.items[k].old.Version, nil
}

// ProfileOf reads, to change it, who a member is whom a caller names by its
// API id, and the member's account: that of the holder, read fresh, since who
// was just merged away has no profile to change. Missing when there is none.
func (tx *Tx) ProfileOf(id string) (*loyalty.Account, *Profile, int64, error) {
	if err := tx.Fresh(); err != nil {
		return nil, nil, 0, err
	}
	a, err := tx.HolderOf(id)
	if err != nil {
		return nil, nil, 0, err
	}
	p, version, err := tx.Profile(a.Member)
	return a, p, version, err
}

// Attributes are what rules ask about a member; none of a guest who is new.
// Read fresh: the profile is not written, and an erasure takes them away.
func (tx *Tx) Attributes(member string) (map[string]string, error) {
	p, err := fresh[Profile](tx, profileKey(tx.program, member))
	if p == nil || err != nil {
		return nil, err
	}
	return p.Attributes, nil
}

// PutProfile writes a changed profile and moves its identities. strict
// refuses, with the conflict member_exists, an address that another member
// owns.
func (tx *Tx) PutProfile(was Profile, p *Profile, strict bool) error {
	for _, source := range sortedKeys(p.External) {
		if was.External[source] != p.External[source] {
			if err := tx.attach(p, source, p.External[source]); err != nil {
				return err
			}
		}
	}
	old, now := was.contacts(), p.contacts()
	for i := range now {
		if old[i] == now[i] && was.Guest == p.Guest {
			continue
		}
		if err := tx.release(p, old[i]); err != nil {
			return err
		}
		if err := tx.claim(p, now[i], strict); err != nil {
			return err
		}
	}
	tx.put(profileKey(tx.program, p.Member), encode(p))
	if was.Birth == p.Birth {
		return nil
	}
	return tx.born(p)
}

// Erase removes all personal data of a member, of whom it was merged into, and
// of all those merged there, for good. The ledgers stay, under ids that lead to nobody, and no token of
// the member is good from then on. Each person's data
// goes in a transaction of its own, the member's last: what is cut short is
// completed when it is done again. forget drops in the same transaction what
// others keep under the person's identities; nil when nobody does.
func (s *Store) Erase(ctx context.Context, program, member string, now time.Time, forget func(*Tx, *Profile) error) error {
	var whole *Profile
	err := s.View(ctx, program, func(tx *Tx) error {
		a, err := tx.Holder(member)
		if err == nil {
			whole, _, err = tx.Profile(a.Member)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range append(slices.Clone(whole.Merged), whole.Member) {
		if err := s.Update(ctx, program, func(tx *Tx) error { return tx.erase(whole, m, now, forget) }); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) erase(whole *Profile, member string, now time.Time, forget func(*Tx, *Profile) error) error {
	if err := tx.Fresh(); err != nil { // what was there a moment ago is not all there is to take away
		return err
	}
	p, _, err := tx.Profile(member)
	if err != nil {
		return err
	}
	erased := &Profile{Member: member, Merged: p.Merged, Guest: p.Guest, CreatedAt: p.CreatedAt, Erased: p.Erased}
	if p.Erased != 0 && p.Equal(erased) {
		return nil // by a run that was cut short, or before
	}
	if forget != nil {
		if err := forget(tx, p); err != nil {
			return err
		}
	}
	erased.Erased = now.Unix()
	for _, source := range sortedKeys(p.External) {
		k := externalKey(tx.program, source, p.External[source])
		if had, err := fresh[pointer](tx, k); err != nil {
			return err
		} else if had != nil && whole.is(had.Member) {
			tx.remove(k)
		}
	}
	for _, c := range p.contacts() {
		if err := errors.Join(tx.release(whole, c), tx.release(p, c)); err != nil {
			return err
		}
	}
	for _, code := range p.Codes {
		if err := tx.DropCode(code, member); err != nil {
			return err
		}
	}
	a, err := tx.Account(member)
	if err != nil {
		return err
	}
	if len(a.Marks) > 0 || a.Born > 0 { // digests of what a person may be known again by; a part of the birth date
		a.Marks, a.Born = nil, 0
		if i := slices.Index(a.Segments, "birthday_month"); i >= 0 {
			a.Segments = slices.Delete(slices.Clone(a.Segments), i, i+1)
			a.SegmentSeq++
		}
		if err := tx.PutAccount(a); err != nil {
			return err
		}
	}
	tx.put(profileKey(tx.program, member), encode(erased))
	return tx.closeTokens(member)
}

// MembersWith lists who has an e-mail address, a phone number, or an external
// id (in a source, in every source when it is ""). Empty arguments are not
// looked for.
func (tx *Tx) MembersWith(email, phone, external, source string) (out []string, err error) {
	list := func(pk, prefix string) error {
		for after := ""; ; {
			page, err := tx.store.Engine.Query(tx.ctx, Query{PK: pk, Prefix: prefix, After: after, Limit: 200, Consistent: true})
			if err != nil {
				return err
			}
			for _, it := range page.Items {
				p, err := Decode[pointer](it)
				if err != nil {
					return err
				}
				if (prefix == "" || it.SK == prefix) && !slices.Contains(out, p.Member) {
					out = append(out, p.Member)
				}
			}
			if after = page.Cursor; after == "" {
				return nil
			}
		}
	}
	defer func() { slices.SortFunc(out, func(a, b string) int { return cmp.Compare(b, a) }) }() // newest first: ids sort by time
	for _, c := range (&Profile{Email: email, Phone: phone}).contacts() {
		if c.address != "" {
			if err := list(contactPK(tx.program, c.kind, c.address), ""); err != nil {
				return nil, err
			}
		}
	}
	if external != "" {
		if err := list(externalPK(tx.program, external), source); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func exists(identity, member string) error {
	return &loyalty.Error{
		Kind: loyalty.Conflict, Code: "member_exists", Detail: "another member has this " + identity,
		Details: map[string]any{"identity": identity, "member": member},
	}
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Clone copies a profile, maps included.
func (p *Profile) Clone() Profile {
	c := *p
	c.External, c.Consents, c.Attributes = maps.Clone(p.External), maps.Clone(p.Consents), maps.Clone(p.Attributes)
	return c
}

// Adopt takes over what a merged member's profile knows and this one does
// not. The merged member's identities keep leading to it, and through it here.
func (p *Profile) Adopt(from *Profile) {
	p.Merged = append(append(p.Merged, from.Member), from.Merged...)
	p.Guest = p.Guest && from.Guest
	p.Codes = append(p.Codes, from.Codes...)
	if len(p.Consents) == 0 {
		p.Consents = maps.Clone(from.Consents)
	}
	if p.Email == "" {
		p.Email, p.EmailVerified = from.Email, from.EmailVerified
	}
	if p.Phone == "" {
		p.Phone, p.PhoneVerified = from.Phone, from.PhoneVerified
	}
	for name, value := range from.Attributes {
		if p.Attributes == nil {
			p.Attributes = map[string]string{}
		}
		if p.Attributes[name] == "" {
			p.Attributes[name] = value
		}
	}
	for source, id := range from.External {
		if p.External[source] == "" {
			if p.External == nil {
				p.External = map[string]string{}
			}
			p.External[source] = id
		}
	}
	p.Name = cmp.Or(p.Name, from.Name)
	p.Language = cmp.Or(p.Language, from.Language)
	if p.Birth == (Birth{}) {
		p.Birth = from.Birth
	}
}

// PutAdopted writes a profile that adopted another, and the other as it was:
// so what was adopted was still so, and a person erased meanwhile stays erased.
func (tx *Tx) PutAdopted(p, from *Profile) error {
	for _, c := range p.contacts() {
		if err := tx.claim(p, c, false); err != nil {
			return err
		}
	}
	tx.put(profileKey(tx.program, p.Member), encode(p))
	tx.put(profileKey(tx.program, from.Member), encode(from))
	return tx.born(p)
}

// Recognize lets a matched member be known by the source's external id from
// now on, unless the member has another one there already.
func (tx *Tx) Recognize(member, source string, c *loyalty.Customer) error {
	if c.ExternalID == "" {
		return nil
	}
	led, err := fresh[pointer](tx, externalKey(tx.program, source, c.ExternalID))
	if err != nil || led != nil {
		return err
	}
	p, _, err := tx.Profile(member)
	if err != nil || p.External[source] != "" {
		return err
	}
	was := p.Clone()
	if p.External == nil {
		p.External = map[string]string{}
	}
	p.External[source] = c.ExternalID
	return tx.PutProfile(was, p, false)
}

// Equal tells whether two profiles say the same.
func (p *Profile) Equal(o *Profile) bool { return bytes.Equal(encode(p), encode(o)) }
