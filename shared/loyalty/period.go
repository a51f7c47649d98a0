package loyalty

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Period is an ISO 8601 duration. Years, months, weeks and days are steps of
// the calendar in the program's zone; a month that lacks the day ends on its
// last (31 January + P1M is 28 or 29 February). Hours and less are exact.
type Period struct {
	Months, Days int
	Exact        time.Duration
}

var iso8601 = regexp.MustCompile(`^P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?$`)

// ParsePeriod reads a duration such as P12M, P0D or PT15M.
func ParsePeriod(s string) (Period, error) {
	m := iso8601.FindStringSubmatch(s)
	if m == nil || s == "P" || m[5] == "T" {
		return Period{}, fmt.Errorf("%q is not an ISO 8601 duration such as P12M, P30D or PT15M", s)
	}
	n := func(i int) int { v, _ := strconv.Atoi(m[i]); return v } // absent is 0, digits are bounded by the pattern
	return Period{
		Months: 12*n(1) + n(2),
		Days:   7*n(3) + n(4),
		Exact:  time.Duration(n(6))*time.Hour + time.Duration(n(7))*time.Minute + time.Duration(n(8))*time.Second,
	}, nil
}

// IsZero tells whether the period has no length.
func (p Period) IsZero() bool { return p == Period{} }

// After is the instant one period after t, by the calendar of zone.
func (p Period) After(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	y, m, d := t.Date()
	if p.Months != 0 {
		first := time.Date(y, m+time.Month(p.Months), 1, 0, 0, 0, 0, time.UTC)
		y, m = first.Year(), first.Month()
		d = min(d, time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day())
	}
	if p.Months != 0 || p.Days != 0 {
		day := time.Date(y, m, d+p.Days, 0, 0, 0, 0, time.UTC).Day()
		t = time.Date(y, m, d+p.Days, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
		if t.Day() != day { // clocks jump over midnight and this minute: the day begins at the jump
			t = StartOfDay(y, m, d+p.Days, zone)
		}
	}
	return t.Add(p.Exact)
}

// Before is the instant one period before t, by the calendar of zone.
func (p Period) Before(t time.Time, zone *time.Location) time.Time {
	return Period{Months: -p.Months, Days: -p.Days, Exact: -p.Exact}.After(t, zone)
}

// StartOfDay is the first instant of a local date. Days differ in length, and
// where clocks jump over midnight a day begins at another hour.
func StartOfDay(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if t.Hour() != 0 { // midnight does not exist: the day begins at the jump
		start, end := t.ZoneBounds()
		if t.Day() == want.Day() {
			return start
		}
		return end
	}
	if earlier := t.Add(-time.Hour); earlier.Day() == want.Day() {
		return earlier // midnight comes twice: the first one
	}
	return t
}

// EndOf is what an expiry is rounded up to.
type EndOf string

// To the end of what an expiry runs.
const (
	EndOfNone  EndOf = "none"
	EndOfDay   EndOf = "day"
	EndOfMonth EndOf = "month"
)

// roundUp is the first instant after the day or month that holds t.
func (e EndOf) roundUp(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	switch e {
	case EndOfDay:
		return StartOfDay(y, m, d+1, zone)
	case EndOfMonth:
		return StartOfDay(y, m+1, 1, zone)
	}
	return t
}
