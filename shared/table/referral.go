package table

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"regulars/shared/loyalty"
)

// A referral's id begins with the month in which it was made, so that its id
// alone says where it is, and a month of referrals can be read without
// looking at any other (16 partitions each).
const monthDigits = 6

// ReferralID is a new referral's id: the month, then what is unique.
func ReferralID(now time.Time, unique string) string { return now.UTC().Format("200601") + unique }

func referralKey(program, id string) Key {
	return Key{referralsPK(program, id[:monthDigits], spread(id)), "REFERRAL#" + id}
}

func referralsPK(program, month string, shard int) string {
	return fmt.Sprintf("%s#REFERRALS#%s#%02d", program, month, shard)
}

func referredKey(program, advocate, id string) Key {
	return Key{memberPK(program, advocate), "REFERRED#" + id}
}

// The friend's identities lead to the registration until an order uses it.
func friendKey(program, kind, identity string) Key {
	return Key{program + "#FRIEND#" + kind + "#" + digest(identity), "FRIEND"}
}

func codeKey(code string) Key { return Key{"CODE#" + code, "CODE"} }

func clickKey(program, month, code, day, visitor string) Key {
	return Key{clicksPK(program, month, spread(code)), "CLICK#" + code + "#" + day + "#" + visitor}
}

func clicksPK(program, month string, shard int) string {
	return fmt.Sprintf("%s#CLICKS#%s#%02d", program, month, shard)
}

func seenPK(program, network string) string { return program + "#SEEN#" + digest(program+network) }

// ReferralShards is how many partitions a month of referrals or clicks has,
// and the part of the due index that lists referrals.
const ReferralShards = 16

func spread(s string) int {
	sum := sha256.Sum256([]byte(s))
	return int(sum[2]) % ReferralShards
}

// ReferralShard names partition n of the due index of referrals. All of one
// advocate's are in the same, so that their friends are ranked in one order.
func ReferralShard(n int) string { return fmt.Sprintf("REFER#%02d", n) }

// CodeOwner is whom a referral code leads to.
type CodeOwner struct {
	Program string `cbor:"1,keyasint"`
	Member  string `cbor:"2,keyasint"`
}

// CodeOwner reads whom a code leads to, nil for nobody: one read. A code is
// unique in the deployment, so this leads into its program from outside.
func (s *Store) CodeOwner(ctx context.Context, code string) (*CodeOwner, error) {
	it, err := s.Engine.Get(ctx, codeKey(code), true)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read a code: %w", err)
	}
	return Decode[CodeOwner](it)
}

// Code reads which member of the program a code leads to, "" for none. The
// second answer tells whether it is anybody's, also in another program.
func (tx *Tx) Code(code string) (member string, taken bool, err error) {
	o, err := fresh[CodeOwner](tx, codeKey(code))
	if o == nil || err != nil {
		return "", false, err
	}
	if o.Program == tx.program {
		member = o.Member
	}
	return member, true, nil
}

// PutCode gives a member a code. It was read in this transaction.
func (tx *Tx) PutCode(code, member string) {
	tx.put(codeKey(code), encode(&CodeOwner{Program: tx.program, Member: member}))
}

// DropCode lets a code lead nowhere, unless it leads to somebody else.
func (tx *Tx) DropCode(code, member string) error {
	owner, _, err := tx.Code(code)
	if err == nil && owner == member {
		tx.remove(codeKey(code))
	}
	return err
}

// Referral reads a referral by its id without prefix. Missing when there is none.
func (tx *Tx) Referral(id string) (*loyalty.Referral, error) {
	none := loyalty.NotFound("referral")
	if len(id) <= monthDigits || strings.Trim(id[:monthDigits], "0123456789") != "" {
		return nil, none
	}
	r, err := get[loyalty.Referral](tx, referralKey(tx.program, id))
	if r == nil && err == nil {
		err = none
	}
	return r, err
}

// referred is a line of an advocate's list.
type referred struct {
	Made int64 `cbor:"1,keyasint"` // unix seconds
}

// PutReferral writes a referral that changed, and its place in the due index.
func (tx *Tx) PutReferral(r *loyalty.Referral) {
	k, body := referralKey(tx.program, r.ID), encode(r)
	isNew := tx.items[k] == nil || tx.items[k].old.Version == 0
	if !isNew && bytes.Equal(body, tx.items[k].old.Body) {
		return
	}
	tx.put(k, body, func(it *Item) {
		it.Due = Due{}
		if at := r.Due(); at > 0 {
			it.Due = Due{Shard: ReferralShard(spread(r.Advocate)), At: time.Unix(at, 0).UTC().Format(time.RFC3339)}
		}
	})
	if isNew {
		tx.put(referredKey(tx.program, r.Advocate, r.ID), encode(&referred{Made: r.Made}))
	}
}

// ReferralAt reads the referral of a key in the due index.
func (tx *Tx) ReferralAt(k Key) (*loyalty.Referral, error) {
	return tx.Referral(strings.TrimPrefix(k.SK, "REFERRAL#"))
}

// ReferralsOf lists whom a member referred, newest first, from after an id on
// ("": the newest). The last answer is the id to go on after, "" at the end.
func (tx *Tx) ReferralsOf(advocate, after string, limit int) ([]*loyalty.Referral, string, error) {
	if after != "" {
		after = "REFERRED#" + after
	}
	page, err := tx.store.Engine.Query(tx.ctx, Query{PK: memberPK(tx.program, advocate), Prefix: "REFERRED#", After: after, Desc: true, Limit: limit, Consistent: true})
	if err != nil {
		return nil, "", err
	}
	out := make([]*loyalty.Referral, 0, len(page.Items))
	for _, it := range page.Items {
		r, err := tx.Referral(strings.TrimPrefix(it.SK, "REFERRED#"))
		if err != nil {
			return nil, "", err
		}
		out = append(out, r)
	}
	return out, strings.TrimPrefix(page.Cursor, "REFERRED#"), nil
}

// ReferredSince counts whom a member referred at or after an instant, leaving
// out one; it looks at the newest so many at most.
func (tx *Tx) ReferredSince(advocate, without string, since int64, most int) (n int64, err error) {
	page, err := tx.store.Engine.Query(tx.ctx, Query{PK: memberPK(tx.program, advocate), Prefix: "REFERRED#", Desc: true, Limit: most, Consistent: true})
	if err != nil {
		return 0, err
	}
	for _, it := range page.Items {
		x, err := Decode[referred](it)
		if err != nil {
			return 0, err
		}
		if x.Made >= since && it.SK != "REFERRED#"+without {
			n++
		}
	}
	return n, nil
}

// Referrals calls visit with every referral that was made in a month (202611).
func (tx *Tx) Referrals(month string, visit func(*loyalty.Referral) error) error {
	return tx.months("REFERRAL#", func(shard int) string { return referralsPK(tx.program, month, shard) }, func(it Item) error {
		r, err := Decode[loyalty.Referral](it)
		if err != nil {
			return err
		}
		return visit(r)
	})
}

func (tx *Tx) months(prefix string, pk func(shard int) string, visit func(Item) error) error {
	for shard := range ReferralShards {
		for after := ""; ; {
			page, err := tx.store.Engine.Query(tx.ctx, Query{PK: pk(shard), Prefix: prefix, After: after, Limit: 1000, Consistent: true})
			if err != nil {
				return err
			}
			for _, it := range page.Items {
				if err := visit(it); err != nil {
					return err
				}
			}
			if after = page.Cursor; after == "" {
				break
			}
		}
	}
	return nil
}

// Friend is a registration under one identity of the friend.
type Friend struct {
	Referral string `cbor:"1,keyasint"`
	Code     string `cbor:"2,keyasint"`
	Advocate string `cbor:"3,keyasint"`
	Clicked  int64  `cbor:"4,keyasint"` // unix seconds
	Until    int64  `cbor:"5,keyasint"` // unix seconds after which it leads nowhere
}

// Identity is something that a friend was told by: EMAIL, PHONE or EXTERNAL,
// and the key of it (package alike).
type Identity struct{ Kind, Key string }

// Friend reads the registration of an identity; nil for none.
func (tx *Tx) Friend(i Identity) (*Friend, error) {
	return fresh[Friend](tx, friendKey(tx.program, i.Kind, i.Key))
}

// PutFriend writes it; it may vanish a while after it is over.
func (tx *Tx) PutFriend(i Identity, f *Friend) {
	tx.put(friendKey(tx.program, i.Kind, i.Key), encode(f), func(it *Item) { it.Expires = f.Until + holdsVanish })
}

// DropFriend forgets it.
func (tx *Tx) DropFriend(i Identity) error {
	f, err := tx.Friend(i)
	if f != nil {
		tx.remove(friendKey(tx.program, i.Kind, i.Key))
	}
	return err
}

// Person is who a member is, read fresh: it decides who brought them, and is not
// written. nil for a guest whom this transaction makes, and for nobody.
func (tx *Tx) Person(member string) (*Profile, error) {
	return fresh[Profile](tx, profileKey(tx.program, member))
}

// Click is how often a visitor followed a link on a day.
type Click struct {
	N   int64 `cbor:"1,keyasint"`
	Bot bool  `cbor:"2,keyasint,omitempty"`
}

// clicksKept is for how long clicks are counted, seconds.
const clicksKept = 400 * 24 * 60 * 60

// PutClick counts a click: one plain write. day is of the program's calendar.
func (tx *Tx) PutClick(code, visitor string, bot bool, day time.Time) error {
	k := clickKey(tx.program, day.Format("200601"), code, day.Format("02"), visitor)
	c, err := get[Click](tx, k)
	if err != nil {
		return err
	}
	if c == nil {
		c = &Click{Bot: bot}
	}
	c.N++
	tx.put(k, encode(c), func(it *Item) { it.Expires = day.Unix() + clicksKept })
	return nil
}

// Clicked is what followed links in a month.
type Clicked struct {
	Clicks   int64 // by people
	Visitors int64 // people who did, each once a day
	Bots     int64 // clicks by what is no person
}

func (c *Clicked) add(it Item) error {
	x, err := Decode[Click](it)
	if err != nil {
		return err
	}
	if x.Bot {
		c.Bots += x.N
	} else {
		c.Clicks += x.N
		c.Visitors++
	}
	return nil
}

// Clicks counts the clicks of a month (202611), of one code, or of all with "".
func (tx *Tx) Clicks(month, code string) (c Clicked, err error) {
	if code == "" {
		return c, tx.months("CLICK#", func(shard int) string { return clicksPK(tx.program, month, shard) }, c.add)
	}
	for after := ""; ; {
		page, err := tx.store.Engine.Query(tx.ctx, Query{PK: clicksPK(tx.program, month, spread(code)), Prefix: "CLICK#" + code + "#", After: after, Limit: 1000})
		if err != nil {
			return c, err
		}
		for _, it := range page.Items {
			if err := c.add(it); err != nil {
				return c, err
			}
		}
		if after = page.Cursor; after == "" {
			return c, nil
		}
	}
}

// seenFor is for how long it is remembered which networks friends came from.
const seenFor = 31 * 24 * 60 * 60

// SeenFrom counts the friends who came from a network (a digest of it) since
// an instant, one left out, and remembers this one.
func (tx *Tx) SeenFrom(network, referral string, since, now int64) (n int64, err error) {
	page, err := tx.store.Engine.Query(tx.ctx, Query{PK: seenPK(tx.program, network), Prefix: "SEEN#", Desc: true, Limit: 1000, Consistent: true})
	if err != nil {
		return 0, err
	}
	known := false
	for _, it := range page.Items {
		at, err := Decode[int64](it)
		if err != nil {
			return 0, err
		}
		switch {
		case it.SK == "SEEN#"+referral:
			known = true
		case *at >= since:
			n++
		}
	}
	if !known {
		k := Key{seenPK(tx.program, network), "SEEN#" + referral}
		if _, err := tx.item(k); err != nil {
			return 0, err
		}
		tx.put(k, encode(now), func(it *Item) { it.Expires = now + seenFor })
	}
	return n, nil
}
