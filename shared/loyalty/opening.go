package loyalty

import "time"

// OpeningReason is the reason of the entry that an opening balance writes.
const OpeningReason = "import"

// Open brings points that a member had in another system. They are usable at
// once and die at dies, by the program's own rule when it is the zero time.
// ref names the import. Refused with points_out_of_range.
func (a *Account) Open(points int64, dies time.Time, ref string, t *Terms, now time.Time) error {
	a.Settle(now, t)
	if dies.IsZero() {
		dies = t.expires(now)
	}
	var end int64
	if !dies.IsZero() {
		end = dies.Unix()
	}
	a.put(0, end, points)
	a.append(Entry{Type: Adjust, Points: points, At: now.Unix(), Ref: ref, Terms: t.Version, Lots: []Part{{Expires: end, Points: points}}, Reason: OpeningReason})
	a.payOwed(now.Unix(), t)
	a.At = now.Unix()
	return a.sane()
}
