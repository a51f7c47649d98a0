package loyalty

import (
	"slices"
	"time"
)

// Resegment puts an account into these segments and no others, as decided by
// a refresh that began at an instant (unix seconds). The answer tells whether
// that changed any: only then is there something to write.
func (a *Account) Resegment(segments []string, at int64) bool {
	if slices.Equal(a.Segments, segments) {
		return false
	}
	same := len(a.Segments) == len(segments)
	for _, s := range segments {
		same = same && slices.Contains(a.Segments, s)
	}
	if a.Segments = segments; same { // in another order: not worth a write, and no news
		return false
	}
	a.Segmented = at
	a.SegmentSeq++
	return true
}

// What a run takes where the merchant says nothing (package segment has the same).
const (
	NewDays     = 30 // since the first purchase, up to which a member is new
	LapseMonths = 12 // without a purchase, after which a member is former
)

// SegmentAtOnce changes what purchases alone decide as soon as they change:
// new, repeat, multi_store, and no longer former. The rest waits for the refresh.
func (a *Account) SegmentAtOnce(now time.Time, t *Terms) {
	p := &a.Purchases
	today := DayOf(now, t.Zone)
	lapsed := DayOf(Period{Months: LapseMonths}.Before(date(today), time.UTC), time.UTC)
	out, days := slices.Clone(a.Segments), p.Days()
	set := func(name string, in bool) {
		i := slices.Index(out, name)
		switch {
		case in && i < 0:
			out = append(out, name)
		case !in && i >= 0:
			out = slices.Delete(out, i, i+1)
		}
	}
	set("new", days == 1 && today-p.First().Number <= NewDays)
	set("repeat", days >= 2)
	set("multi_store", len(p.Stores) >= 2 || len(p.Stores) == 1 && p.Elsewhere > 0)
	if days > 0 && p.Last() > lapsed {
		set("former", false)
	}
	if !slices.Equal(out, a.Segments) {
		a.Segments = out
		a.SegmentSeq++
	}
}
