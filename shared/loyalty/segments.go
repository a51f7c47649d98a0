package loyalty

import "slices"

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

// SegmentAtOnce changes what purchases alone decide as soon as they change:
// new, repeat, multi_store, and no longer former. today is a local day
// (DayOf), newDays for how long after the first purchase a member is new, and
// who bought after the day lapsed is not former. The rest waits for the refresh.
func (a *Account) SegmentAtOnce(today, newDays, lapsed int64) {
	p := &a.Purchases
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
	set("new", days == 1 && today-p.First().Number <= newDays)
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
