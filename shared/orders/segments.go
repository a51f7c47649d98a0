package orders

import (
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// Segment brings the segments of an account to what its purchases alone
// decide by now; all others wait for the next run.
func Segment(a *loyalty.Account, now time.Time, t *loyalty.Terms) {
	rules, today := segment.DefaultRules(), loyalty.DayOf(now, t.Zone)
	a.SegmentAtOnce(today, int64(rules.NewDays), int64(rules.On(int32(today)).Lapsed))
}
