package table

import (
	"slices"
	"time"

	"regulars/shared/loyalty"
)

// fewest is how many entries make a page worth its own write.
const fewest = 4

// weight is what an account item weighs beside its key, body and side: the
// names pk, sk, v, b, s, m, d, t, w; a version of up to six digits; the due
// index's DUE#00 and instant; the writer; of its group what the program's id
// leaves out.
const weight = 11 + 4 + 6 + 20 + 8 + 3

// writeUnits is what an account costs to write: a unit is 1,024 bytes.
func writeUnits(k Key, body, side []byte) int {
	return (len(k.PK) + len(k.SK) + len(body) + len(side) + weight + len(ProgramOf(k)) + 1023) / 1024
}

// Account reads a member's account, as it was put if this transaction put it.
// Missing when there is no such member.
func (tx *Tx) Account(member string) (*loyalty.Account, error) {
	if a := tx.accounts[accountKey(tx.program, member)]; a != nil {
		return a, nil
	}
	a, err := get[loyalty.Account](tx, accountKey(tx.program, member))
	if a == nil && err == nil {
		err = loyalty.NotFound("member")
	}
	return a, err
}

// Holder reads the account that now holds a member's points: the member's
// own, or the one it was merged into.
func (tx *Tx) Holder(member string) (*loyalty.Account, error) {
	a, err := tx.Account(member)
	for err == nil && a.Into != "" {
		a, err = tx.Account(a.Into)
	}
	return a, err
}

// HolderOf is Holder for a member whom a caller names by its API id. Missing
// when there is none.
func (tx *Tx) HolderOf(id string) (*loyalty.Account, error) {
	member, ok := loyalty.OwnID("mem_", id)
	if !ok {
		return nil, loyalty.NotFound("member")
	}
	return tx.Holder(member)
}

// WalletAccount reads the account that a member has of a wallet, an empty one
// when there is none yet. Missing is a member who does not exist.
func (tx *Tx) WalletAccount(member, wallet string) (*loyalty.Account, error) {
	if wallet == "" {
		return tx.Account(member)
	}
	k := walletKey(tx.program, member, wallet)
	if a := tx.accounts[k]; a != nil {
		return a, nil
	}
	a, err := get[loyalty.Account](tx, k)
	if a == nil && err == nil {
		a = &loyalty.Account{Member: member, Wallet: wallet}
	}
	return a, err
}

// Wallet reads the account that a member has of a wallet, "" for points, and
// the terms that it goes by. Refused with unknown_wallet.
func (tx *Tx) Wallet(member, wallet string) (*loyalty.Account, *loyalty.Terms, error) {
	all, err := tx.TermsOfMember(member)
	if err != nil {
		return nil, nil, err
	}
	t, ok := all.In(wallet)
	if !ok {
		return nil, nil, loyalty.Refuse("unknown_wallet", "the program has no such wallet")
	}
	a, err := tx.WalletAccount(member, wallet)
	return a, t, err
}

// Credit posts an award into another wallet of a member than points, and
// answers the number of its entry there. The caller puts the member's account.
func (tx *Tx) Credit(a *loyalty.Account, award loyalty.Award, e loyalty.Entry, at time.Time) (int64, error) {
	w, t, err := tx.Wallet(a.Member, award.Wallet)
	if err != nil {
		return 0, err
	}
	seq := w.Credit(award.Points, e, at, t)
	a.AddWallet(award.Wallet)
	return seq, tx.PutAccount(w)
}

// PutAccount writes an account after a decision.
func (tx *Tx) PutAccount(a *loyalty.Account) error {
	k := walletKey(tx.program, a.Member, a.Wallet)
	tx.accounts[k] = a
	r, err := tx.item(k)
	if err != nil {
		return err
	}
	var before loyalty.Account
	if r.old.Version > 0 {
		b, err := Decode[loyalty.Account](r.old)
		if err != nil {
			return err
		}
		before = *b
	}
	if before.Seq == 0 && a.Seq > 0 {
		if err := tx.settleCurrency(); err != nil {
			return err
		}
	}
	out := *a
	body, side := encode(&out), []byte(nil)
	if a.Wallet == "" {
		side = out.Side()
	}
	// Older entries go to a page as soon as that makes the account cheaper to
	// write. Entries of this decision stay on it: the change feed tells them
	// from there. An account that is put twice in a transaction has left the
	// page behind with the first.
	// So does the last, to which the next is chained.
	old := min(len(out.Tail)-int(a.Seq-before.Seq), len(out.Tail)-1)
	first := a.Seq - int64(len(out.Tail)) + 1
	onPage := pageKey(tx.program, a.Member, a.Wallet, first)
	paged := tx.items[onPage] != nil
	if paged || old >= fewest && writeUnits(k, body, side) > 1 {
		rest := out
		rest.Tail = out.Tail[old:]
		if short := encode(&rest); paged || writeUnits(k, short, side) < writeUnits(k, body, side) {
			tx.put(onPage, encode(&page{First: first, Entries: out.Tail[:old]}))
			body = short
		}
	}
	next := a.NextDue()
	tx.put(k, body, func(it *Item) {
		if a.Wallet == "" {
			it.Side, it.Group = side, groupOf(tx.program, a.Member)
		}
		// The index moves only to an earlier instant. A later one is left to
		// the schedule that looks at the account at the old: a change of the
		// index costs a write of its own.
		if now := due(a.Member, next); it.Due == (Due{}) || next != 0 && now.At < it.Due.At {
			it.Due = now
		}
	})
	return nil
}

// Expect puts an account that was put in this transaction, and that nothing is
// due of, into the due index for an instant: what it does by then need not pay
// for that on its own way.
func (tx *Tx) Expect(a *loyalty.Account, at int64) {
	if w := tx.items[accountKey(tx.program, a.Member)].write; w.Item.Due == (Due{}) {
		w.Item.Due = due(a.Member, at)
	}
}

// Settled writes an account that a schedule has settled, and its true next
// instant into the due index.
func (tx *Tx) Settled(a *loyalty.Account) error {
	if err := tx.PutAccount(a); err != nil {
		return err
	}
	tx.items[walletKey(tx.program, a.Member, a.Wallet)].write.Item.Due = due(a.Member, a.NextDue())
	return nil
}

// Entries reads ledger entries newest first, from number `from` downwards (0:
// the newest), at most limit.
func (tx *Tx) Entries(a *loyalty.Account, from int64, limit int) ([]Numbered, error) {
	if from == 0 || from > a.Seq {
		from = a.Seq
	}
	var out []Numbered
	add := func(first int64, entries []loyalty.Entry) bool {
		for i, e := range slices.Backward(entries) {
			if seq := first + int64(i); seq <= from && len(out) < limit {
				out = append(out, Numbered{a.Member, a.Wallet, seq, e, prevHash(entries, i)})
				from = seq - 1 // a page written since the account was read may hold what its tail told
			}
		}
		return len(out) < limit && first > 1
	}
	more := add(a.Seq-int64(len(a.Tail))+1, a.Tail)
	after := pageKey("", "", a.Wallet, from+1).SK // no later page can hold it
	for more {
		pages, err := tx.store.Engine.Query(tx.ctx, Query{PK: memberPK(tx.program, a.Member), Prefix: pagePrefix(a.Wallet), After: after, Desc: true, Limit: 10, Consistent: true})
		if err != nil {
			return nil, err
		}
		for _, it := range pages.Items {
			p, err := Decode[page](it)
			if err != nil {
				return nil, err
			}
			if more = more && add(p.First, p.Entries); !more {
				break
			}
		}
		if after = pages.Cursor; after == "" {
			break
		}
	}
	for i := range out {
		if i+1 < len(out) {
			out[i].Prev = out[i+1].Hash
		}
	}
	return out, nil
}

// Numbered is a ledger entry with its place: whose it is, its number, and the
// hash of the entry before it.
type Numbered struct {
	Member string
	Wallet string // "" is points
	Seq    int64
	loyalty.Entry
	Prev loyalty.Hash
}

func prevHash(entries []loyalty.Entry, i int) loyalty.Hash {
	if i == 0 {
		return loyalty.Hash{}
	}
	return entries[i-1].Hash
}

// Ledger reads all entries, oldest first.
func (tx *Tx) Ledger(a *loyalty.Account) ([]loyalty.Entry, error) {
	all, err := tx.Entries(a, 0, int(a.Seq))
	if err != nil {
		return nil, err
	}
	out := make([]loyalty.Entry, len(all))
	for i, e := range all {
		out[len(all)-1-i] = e.Entry
	}
	return out, nil
}

// EntriesOf reads the ledger entries of an order, oldest first.
func (tx *Tx) EntriesOf(r *loyalty.Record) ([]Numbered, error) {
	out := []Numbered{}
	for _, ref := range r.Entries {
		member := ref.Member
		if member == "" {
			member = r.Member
		}
		a, err := tx.WalletAccount(member, ref.Wallet)
		if err != nil {
			return nil, err
		}
		e, err := tx.Entries(a, ref.Seq, 2)
		if err != nil {
			return nil, err
		}
		if len(e) == 0 || e[0].Seq != ref.Seq { // the account is older than the order: read both fresh
			return nil, ErrConflict
		}
		out = append(out, e[0])
	}
	return out, nil
}

// Record reads what is kept of an order; nil when it was never seen.
func (tx *Tx) Record(of loyalty.OrderRef) (*loyalty.Record, error) {
	return get[loyalty.Record](tx, orderKey(tx.program, of))
}

// PutRecord writes what is kept of an order.
func (tx *Tx) PutRecord(r *loyalty.Record) {
	tx.put(orderKey(tx.program, r.Order.Ref()), encode(r))
}

// Redemption reads a hold or redemption by its id without prefix. Missing
// when there is none.
func (tx *Tx) Redemption(id string) (*loyalty.Redemption, error) {
	r, err := get[loyalty.Redemption](tx, redemptionKey(tx.program, id))
	if r == nil && err == nil {
		err = loyalty.NotFound("hold or redemption")
	}
	return r, err
}

// holdsVanish is how long after its end a hold that was not captured is kept.
const holdsVanish = 30 * 24 * 60 * 60

// PutRedemption writes a hold or redemption. One that was not captured may
// vanish a while after its end.
func (tx *Tx) PutRedemption(r *loyalty.Redemption) {
	tx.put(redemptionKey(tx.program, r.ID), encode(r), func(it *Item) {
		if r.Captured == 0 && r.Until > 0 {
			it.Expires = r.Until + holdsVanish
		}
	})
}

// Receipt reads the answer given before under an idempotency key; nil when
// there is none.
func (tx *Tx) Receipt(key string) (*Receipt, error) {
	return get[Receipt](tx, receiptKey(tx.program, key))
}

// PutReceipt keeps an answer until unix second `until`.
func (tx *Tx) PutReceipt(key string, r Receipt, until int64) {
	tx.put(receiptKey(tx.program, key), encode(r), func(it *Item) { it.Expires = until })
}

// PrivacyRequest reads a request by its natural id; nil when it did not come yet.
func (tx *Tx) PrivacyRequest(id string) (*PrivacyRequest, error) {
	return get[PrivacyRequest](tx, privacyKey(tx.program, id))
}

// PutPrivacyRequest writes a request under its natural id.
func (tx *Tx) PutPrivacyRequest(id string, r PrivacyRequest) {
	tx.put(privacyKey(tx.program, id), encode(&r))
}

// Voucher reads a voucher by its code. Missing when there is none. Read fresh:
// an order writes only those of its codes that it finds to be vouchers.
func (tx *Tx) Voucher(code string) (*loyalty.Voucher, error) {
	v, err := fresh[loyalty.Voucher](tx, voucherKey(tx.program, code))
	if v == nil && err == nil {
		err = loyalty.NotFound("voucher")
	}
	return v, err
}

// PutVoucher writes a voucher.
func (tx *Tx) PutVoucher(v *loyalty.Voucher) { tx.put(voucherKey(tx.program, v.Code), encode(v)) }

// PutVouchers writes what became of vouchers in a decision. Of one that was
// withdrawn only that is known, so it is read.
func (tx *Tx) PutVouchers(changed []loyalty.Voucher, now time.Time) error {
	for _, v := range changed {
		if v.Stage == loyalty.VoucherWithdrawn {
			had, err := tx.Voucher(v.Code)
			if err != nil {
				return err
			}
			had.Stage, had.Changed, had.Member, had.Order = v.Stage, now.Unix(), v.Member, v.Order
			v = *had
		}
		tx.PutVoucher(&v)
	}
	return nil
}

// Act reads what became of an activity; nil when it was never told.
func (tx *Tx) Act(kind, key string) (*loyalty.Act, error) {
	return get[loyalty.Act](tx, actKey(tx.program, kind, key))
}

// PutAct writes an activity that was rewarded.
func (tx *Tx) PutAct(act *loyalty.Act) {
	tx.put(actKey(tx.program, act.Activity.Type, act.Activity.Key), encode(act))
}

// Budget reads what a rule has given in the whole program.
func (tx *Tx) Budget(rule string) (*loyalty.Budget, error) {
	b, err := get[loyalty.Budget](tx, budgetKey(tx.program, rule))
	if b == nil && err == nil {
		b = &loyalty.Budget{Rule: rule}
	}
	return b, err
}

// PutBudget writes it.
func (tx *Tx) PutBudget(b *loyalty.Budget) { tx.put(budgetKey(tx.program, b.Rule), encode(b)) }
