package loyalty

import (
	"crypto/sha256"
	"slices"
	"strings"
	"time"
)

// Voucher is a member's right to one reward. It is made by reaching a goal,
// and is used once.
type Voucher struct {
	Code    string       `cbor:"1,keyasint"`
	Member  string       `cbor:"2,keyasint"`
	Reward  string       `cbor:"3,keyasint"`
	Goal    string       `cbor:"4,keyasint,omitempty"` // that gave it
	Issued  int64        `cbor:"5,keyasint"`           // unix seconds
	Until   int64        `cbor:"6,keyasint,omitempty"` // unix seconds when it ends; 0: never
	Stage   VoucherStage `cbor:"7,keyasint"`
	Changed int64        `cbor:"8,keyasint,omitempty"` // when it was used or withdrawn, unix seconds
	Order   OrderRef     `cbor:"9,keyasint,omitzero"`  // that it was used in
}

// VoucherStage is how far a voucher has come.
type VoucherStage string

// The stages of a voucher. An issued one past its end is expired by the clock alone.
const (
	VoucherIssued    VoucherStage = "issued"
	VoucherUsed      VoucherStage = "used"
	VoucherWithdrawn VoucherStage = "withdrawn"
	VoucherExpired   VoucherStage = "expired"
)

// StageAt is the stage at an instant.
func (v *Voucher) StageAt(now time.Time) VoucherStage {
	if v.Stage == VoucherIssued && v.Until > 0 && v.Until <= now.Unix() {
		return VoucherExpired
	}
	return v.Stage
}

// Written is the code as people write it.
func (v *Voucher) Written() string { return v.Code[:4] + "-" + v.Code[4:8] + "-" + v.Code[8:] }

// Open is a voucher on its member's account, as long as it is not used.
type Open struct {
	_     struct{} `cbor:",toarray"`
	Code  string
	Goal  string
	Until int64
}

// issue makes a voucher for a goal.
func (a *Account) issue(g *Goal, code string, t *Terms, now time.Time) Voucher {
	v := Voucher{Code: code, Member: a.Member, Reward: g.Reward, Goal: g.ID, Issued: now.Unix(), Stage: VoucherIssued}
	for _, r := range t.Rewards {
		if r.ID == g.Reward && !r.Lasts.IsZero() {
			v.Until = EndOfDay.roundUp(r.Lasts.After(now, t.Zone), t.Zone).Unix()
		}
	}
	a.Vouchers = append(a.Vouchers, Open{Code: v.Code, Goal: v.Goal, Until: v.Until})
	return v
}

// withdraw takes back the newest voucher of a goal that is not used; nil when
// there is none.
func (a *Account) withdraw(goal string) *Voucher {
	for i, o := range slices.Backward(a.Vouchers) {
		if o.Goal == goal {
			a.Vouchers = slices.Delete(a.Vouchers, i, i+1)
			return &Voucher{Code: o.Code, Member: a.Member, Goal: goal, Until: o.Until, Stage: VoucherWithdrawn}
		}
	}
	return nil
}

// Use spends a voucher. order may be the zero OrderRef. Using it again for
// the same order changes nothing. Refused with voucher_not_usable.
func (a *Account) Use(v *Voucher, order OrderRef, now time.Time) error {
	switch stage := v.StageAt(now); {
	case stage == VoucherUsed && order == v.Order && order != OrderRef{}:
		return nil
	case stage != VoucherIssued:
		return voucherNotUsable("it is " + string(stage))
	}
	a.Vouchers = slices.DeleteFunc(a.Vouchers, func(o Open) bool { return o.Code == v.Code })
	v.Stage, v.Order, v.Changed, v.Member = VoucherUsed, order, now.Unix(), a.Member
	return nil
}

// ReleaseVoucher undoes Use: the voucher can be used again until its end. Releasing
// what is not used changes nothing. Refused with voucher_not_usable when it
// was withdrawn.
func (a *Account) ReleaseVoucher(v *Voucher, now time.Time) error {
	switch v.Stage {
	case VoucherIssued:
		return nil
	case VoucherWithdrawn:
		return voucherNotUsable("it was withdrawn")
	}
	a.Vouchers = append(a.Vouchers, Open{Code: v.Code, Goal: v.Goal, Until: v.Until})
	v.Stage, v.Order, v.Changed = VoucherIssued, OrderRef{}, now.Unix()
	return nil
}

func voucherNotUsable(why string) error {
	return &Error{Kind: Refused, Code: "voucher_not_usable", Detail: "the voucher cannot be used: " + why, Details: map[string]any{"reason": why}}
}

// letters of voucher codes: none that looks like another.
const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// code derives the n-th voucher code from a secret seed: 60 bits that nobody
// can guess, the same ones when a decision is made again.
func code(seed string, n int) string {
	sum := sha256.Sum256(append([]byte(seed), byte(n)))
	out := make([]byte, 12)
	for i := range out {
		out[i] = letters[sum[i]%32]
	}
	return string(out)
}

// VoucherCode is a code as a person wrote it, as it is kept: without case,
// dashes and spaces, with Latin digits for Arabic and Persian ones.
func VoucherCode(s string) (string, bool) {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == ' ':
			return -1
		case r >= 'a' && r <= 'z': // no other letter, of whatever look, is one of ours
			return r - 'a' + 'A'
		case r >= '٠' && r <= '٩':
			return r - '٠' + '0'
		case r >= '۰' && r <= '۹':
			return r - '۰' + '0'
		}
		return r
	}, s)
	if len(s) != 12 || strings.Trim(s, letters) != "" {
		return "", false
	}
	return s, true
}
