package loyalty

import "time"

// Merge moves all that from has into a: lots with their own dates, holds,
// what is owed. from keeps its ledger, closed by an entry that takes its
// balance to zero, and points to a. Merging again changes nothing. A member
// cannot be merged into itself.
func (a *Account) Merge(from *Account, t *Terms, now time.Time) error {
	if from.Into == a.Member {
		return nil
	}
	if from.Member == a.Member || from.Into != "" || a.Into != "" {
		return &Error{Kind: Refused, Code: "cannot_merge", Detail: "a member cannot be merged into itself or into one that was merged away"}
	}
	a.Settle(now, t)
	from.Settle(now, t)

	e := Entry{Type: MergeInto, At: now.Unix(), Terms: t.Version}
	out, in := e, e
	out.Points, out.Ref = -from.Balance, "mem_"+a.Member
	in.Points, in.Ref = from.Balance, "mem_"+from.Member
	for _, l := range from.Lots {
		a.put(l.Active, l.Expires, l.Points)
		out.Lots = append(out.Lots, Part{Expires: l.Expires, Points: -l.Points})
		in.Lots = append(in.Lots, Part{Expires: l.Expires, Points: l.Points})
	}
	for _, d := range from.Dead {
		a.die(d.Expires, d.Points)
	}
	a.Holds = append(a.Holds, from.Holds...)
	a.Owed += from.Owed
	from.Lots, from.Holds, from.Dead, from.Owed, from.Into = nil, nil, nil, 0, a.Member
	from.append(out)
	a.append(in)
	a.payOwed(now.Unix(), t)
	a.At, from.At = now.Unix(), now.Unix()
	return a.sane()
}
