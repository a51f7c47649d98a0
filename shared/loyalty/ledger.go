package loyalty

import (
	"crypto/sha256"
	"encoding/binary"
)

// EntryType says what moved points.
type EntryType uint8

// The types of ledger entry. The numbers are stored: never reuse one.
const (
	Earn      EntryType = 1
	Activate  EntryType = 2 // pending became available; moves 0 points
	Redeem    EntryType = 3
	Expire    EntryType = 4
	Clawback  EntryType = 5
	Restore   EntryType = 6
	Adjust    EntryType = 7
	WriteOff  EntryType = 8 // the program bears what a clawback could not take
	Refer     EntryType = 9
	MergeInto EntryType = 10
)

var entryNames = [...]string{
	Earn: "earn", Activate: "activate", Redeem: "redeem", Expire: "expire", Clawback: "clawback",
	Restore: "restore", Adjust: "adjust", WriteOff: "writeoff", Refer: "refer", MergeInto: "merge",
}

func (t EntryType) String() string {
	if int(t) < len(entryNames) {
		return entryNames[t]
	}
	return ""
}

// Hash is the first half of a SHA-256 sum.
type Hash [16]byte

// Entry is one immutable movement of a member's points. Its number, the
// member's own sequence from 1, is its place in the ledger and not stored.
type Entry struct {
	Type    EntryType // what moved them
	Points  int64     // signed
	Balance int64     // the member's ledger balance afterwards
	At      int64     // when, unix seconds of the business clock
	Ref     string    // the redemption or request that caused it; "" when an order did
	Source  string    // the order that caused it, by storefront and id; "" when none did
	Order   string
	Terms   int64  // rule version it was decided under
	Lots    Parts  // the lots it touched
	Reason  string // why, where the type does not say all
	Hash    Hash   // over the previous entry's hash and all of the above
}

// Part is some points of one lot, named by when they die (unix seconds, 0 is never).
type Part struct {
	Expires int64
	Points  int64
}

// chain is the hash of entry number seq of a member, whose predecessor has
// the hash prev (the first one: zero). Strings are written behind their
// length, numbers as varints, so that no two entries have the same bytes.
func (e *Entry) chain(member string, seq int64, prev Hash) Hash {
	b := make([]byte, 0, 192)
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	num := func(n int64) { b = binary.AppendVarint(b, n) }
	b = append(b, prev[:]...)
	text(member)
	num(seq)
	num(int64(e.Type))
	num(e.Points)
	num(e.Balance)
	num(e.At)
	text(e.Ref)
	text(e.Source)
	text(e.Order)
	num(e.Terms)
	num(int64(len(e.Lots)))
	for _, l := range e.Lots {
		num(l.Expires)
		num(l.Points)
	}
	text(e.Reason)
	sum := sha256.Sum256(b)
	return Hash(sum[:len(Hash{})])
}

// Verification is the outcome of recomputing a ledger.
type Verification struct {
	Valid    bool
	Entries  int64
	FirstBad int64 // number of the first entry that does not hold; 0 when valid
	Books    Books
}

// Verify recomputes a whole ledger, oldest entry first: every hash, every
// running balance, the end against the account, and the books. FirstBad is
// one past the last entry when the entries hold and the account does not.
func Verify(a *Account, entries []Entry) Verification {
	v := Verification{Entries: int64(len(entries))}
	var prev Hash
	var balance int64
	for i, e := range entries {
		balance += e.Points
		if e.Balance != balance || e.Hash != e.chain(a.owner(), int64(i)+1, prev) {
			v.FirstBad = int64(i) + 1
			return v
		}
		prev = e.Hash
		v.Books.post(e)
	}
	v.Books.close(a)
	if a.Seq != v.Entries || a.head() != prev || a.Balance != balance || a.stock() != balance || v.Books.Sum() != 0 {
		v.FirstBad = v.Entries + 1
		return v
	}
	v.Valid = true
	return v
}

// Books are the accounts of a double entry ledger, derived: every movement of
// a member's points has its other side in one of them, so that all of them
// always sum to zero. The first five face the members, the rest are what the
// members hold.
type Books struct {
	Issued     int64 `json:"issued"`
	Redeemed   int64 `json:"redeemed"`
	Expired    int64 `json:"expired"`
	WrittenOff int64 `json:"written_off"`
	Merged     int64 `json:"merged"` // sums to zero over all members

	Points int64 `json:"points"` // in lots, pending ones included
	Held   int64 `json:"held"`
	Owed   int64 `json:"owed"`
}

// post books the other side of one entry.
func (b *Books) post(e Entry) {
	switch e.Type {
	case Redeem, Restore:
		b.Redeemed -= e.Points
	case Expire:
		b.Expired -= e.Points
	case WriteOff:
		b.WrittenOff -= e.Points
	case MergeInto:
		b.Merged -= e.Points
	default:
		b.Issued -= e.Points
	}
}

// close books what the member holds.
func (b *Books) close(a *Account) {
	b.Held, b.Owed = a.held(), -a.Owed
	b.Points = a.stock() - b.Held - b.Owed
}

// Sum is zero, or points were made or lost.
func (b *Books) Sum() int64 {
	return b.Issued + b.Redeemed + b.Expired + b.WrittenOff + b.Merged + b.Points + b.Held + b.Owed
}

// Add adds another member's books.
func (b *Books) Add(o Books) {
	b.Issued += o.Issued
	b.Redeemed += o.Redeemed
	b.Expired += o.Expired
	b.WrittenOff += o.WrittenOff
	b.Merged += o.Merged
	b.Points += o.Points
	b.Held += o.Held
	b.Owed += o.Owed
}
