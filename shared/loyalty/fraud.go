package loyalty

import "slices"

// Fraud says what is done about friends who may be none.
type Fraud struct {
	PerIP       Velocity // friends from one network
	PerAdvocate Velocity
	Household   bool // looks at friends who have the advocate's postal address
	Disposable  bool // and at those whose e-mail is of a service for throwing away
}

// Velocity makes a friend suspicious after as many others within a time. Zero
// friends: never.
type Velocity struct {
	Friends int64
	Per     Period
}

// Verdict is what a reason leads to, the gravest last.
type Verdict uint8

// The verdicts.
const (
	Allow Verdict = iota
	Review
	Block
)

// Reasons that speak against a referral.
const (
	SelfReferral     = "self_referral"     // the friend is the advocate: e-mail, phone, device, means of payment, or account
	Cycle            = "cycle"             // the friend, or whom they were referred by, was referred by the friend
	ExistingCustomer = "existing_customer" // bought before the click
	SameHousehold    = "same_household"
	DisposableEmail  = "disposable_email"
	VelocityIP       = "velocity_ip"
	VelocityAdvocate = "velocity_advocate"
)

// Evidence is what is known of a friend beside the advocate.
type Evidence struct {
	Same       []MarkKind // marks that both have
	Cycle      bool
	Existing   bool  // somebody with the friend's e-mail or phone bought before the click
	Disposable bool  // the friend's e-mail
	FromIP     int64 // other friends from the friend's network within the time of Fraud.PerIP
	OfAdvocate int64 // other friends of the advocate within the time of Fraud.PerAdvocate
}

// Judge is what speaks against a friend. Every reason is told, not the first
// alone.
func (f *Fraud) Judge(e Evidence) (reasons []string) {
	add := func(is bool, why string) {
		if is {
			reasons = append(reasons, why)
		}
	}
	same := func(k ...MarkKind) bool {
		return slices.ContainsFunc(k, func(k MarkKind) bool { return slices.Contains(e.Same, k) })
	}
	add(same(MarkEmail, MarkPhone, MarkDevice, MarkPayment), SelfReferral)
	add(e.Cycle, Cycle)
	add(e.Existing, ExistingCustomer)
	add(f.Household && same(MarkAddress), SameHousehold)
	add(f.Disposable && e.Disposable, DisposableEmail)
	add(f.PerIP.Friends > 0 && e.FromIP >= f.PerIP.Friends, VelocityIP)
	add(f.PerAdvocate.Friends > 0 && e.OfAdvocate >= f.PerAdvocate.Friends, VelocityAdvocate)
	return reasons
}

// verdictOf is what a reason leads to.
func verdictOf(reason string) Verdict {
	switch reason {
	case SelfReferral, Cycle, ExistingCustomer, Rejected:
		return Block
	case SameHousehold, DisposableEmail, VelocityIP, VelocityAdvocate:
		return Review
	}
	return Allow
}

// verdict is the gravest of the referral's reasons, and all that are as grave.
// Once a person approved, suspicions count no more.
func (r *Referral) verdict() (worst Verdict, why []string) {
	for _, reason := range r.Reasons {
		v := verdictOf(reason)
		if v == Review && r.Cleared || v == Allow || v < worst {
			continue
		}
		if v > worst {
			worst, why = v, nil
		}
		why = append(why, reason)
	}
	return worst, why
}

// Approve lets a referral under review go on. The conflict not_under_review
// when it is not.
func (r *Referral) Approve() error {
	if v, _ := r.verdict(); v != Review {
		return notUnderReview(r)
	}
	r.Cleared = true
	return nil
}

// Reject blocks a referral under review. The conflict not_under_review when
// it is not.
func (r *Referral) Reject() error {
	if v, _ := r.verdict(); v != Review {
		return notUnderReview(r)
	}
	r.Against(Rejected)
	return nil
}

func notUnderReview(r *Referral) error {
	return &Error{Kind: Conflict, Code: "not_under_review", Detail: "the referral is " + string(r.Stage) + ", not under review", Details: map[string]any{"status": string(r.Stage)}}
}

// Mark is a sign by which a person may be known again: what kind, and a digest
// that leads back to nothing.
type Mark struct {
	_    struct{} `cbor:",toarray"`
	Kind MarkKind
	Sum  [8]byte
}

// MarkKind is what a mark is of. The numbers are stored.
type MarkKind uint8

// The kinds of marks.
const (
	MarkEmail   MarkKind = 1
	MarkPhone   MarkKind = 2
	MarkDevice  MarkKind = 3
	MarkPayment MarkKind = 4
	MarkAddress MarkKind = 5
	MarkNetwork MarkKind = 6 // where many may be: says nothing of two
)

// keptMarks is how many of each kind an account remembers, the newest.
const keptMarks = 2

// Mark remembers signs of a member.
func (a *Account) Mark(marks ...Mark) {
	for _, m := range marks {
		all := slices.DeleteFunc(slices.Clone(a.Marks), func(h Mark) bool { return h == m })
		of := 0
		for _, h := range all {
			if h.Kind == m.Kind {
				of++
			}
		}
		if of >= keptMarks {
			i := slices.IndexFunc(all, func(h Mark) bool { return h.Kind == m.Kind })
			all = slices.Delete(all, i, i+1)
		}
		a.Marks = append(all, m)
	}
}

// Same are the kinds of which two have a mark in common.
func Same(x, y []Mark) (kinds []MarkKind) {
	for _, m := range x {
		if slices.Contains(y, m) && !slices.Contains(kinds, m.Kind) {
			kinds = append(kinds, m.Kind)
		}
	}
	return kinds
}
