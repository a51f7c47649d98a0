package loyalty_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/shared/loyalty"
)

func utc(s string) time.Time { return must(time.Parse(time.RFC3339, s)) }

// span is whole local days, as a program's dates are compiled.
func span(y int, m time.Month, d, days int) loyalty.Window {
	return loyalty.Window{From: loyalty.StartOfDay(y, m, d, jerusalem), To: loyalty.StartOfDay(y, m, d+days, jerusalem)}
}

func TestWindows(t *testing.T) {
	friday := uint8(1 << time.Friday)
	night := []loyalty.Hours{{From: 22 * 60, To: 2 * 60}}
	for name, c := range map[string]struct {
		s    loyalty.Schedule
		at   string
		want bool
	}{
		// SC6: 26 March 2027 is of 23 hours.
		"the second before a day of 23 hours": {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 3, 26, 1)}}, "2027-03-25T21:59:59Z", false},
		"its first second":                    {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 3, 26, 1)}}, "2027-03-25T22:00:00Z", true},
		"its last second":                     {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 3, 26, 1)}}, "2027-03-26T20:59:59Z", true},
		"the second after it":                 {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 3, 26, 1)}}, "2027-03-26T21:00:00Z", false},
		// 31 October 2027 is of 25 hours.
		"the first second of a day of 25 hours":        {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 10, 31, 1)}}, "2027-10-30T21:00:00Z", true},
		"its last second, in winter time":              {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 10, 31, 1)}}, "2027-10-31T21:59:59Z", true},
		"the second after that":                        {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 10, 31, 1)}}, "2027-10-31T22:00:00Z", false},
		"one of two spans":                             {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 1, 1, 1), span(2027, 3, 26, 1)}}, "2027-03-26T09:00:00Z", true},
		"between two spans":                            {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 1, 1, 1), span(2027, 3, 26, 1)}}, "2027-02-26T09:00:00Z", false},
		"a weekday begins at local midnight":           {loyalty.Schedule{Weekdays: friday}, "2027-01-07T22:00:00Z", true},
		"and not before":                               {loyalty.Schedule{Weekdays: friday}, "2027-01-07T21:59:59Z", false},
		"it ends at local midnight":                    {loyalty.Schedule{Weekdays: friday}, "2027-01-08T22:00:00Z", false},
		"hours by the clock of the day":                {loyalty.Schedule{Hours: []loyalty.Hours{{From: 16 * 60, To: 18 * 60}}}, "2027-01-08T14:00:00Z", true},
		"in summer an hour earlier":                    {loyalty.Schedule{Hours: []loyalty.Hours{{From: 16 * 60, To: 18 * 60}}}, "2027-07-08T13:00:00Z", true},
		"the end is not within":                        {loyalty.Schedule{Hours: []loyalty.Hours{{From: 16 * 60, To: 18 * 60}}}, "2027-01-08T16:00:00Z", false},
		"to the end of the day":                        {loyalty.Schedule{Hours: []loyalty.Hours{{From: 16 * 60, To: 24 * 60}}}, "2027-01-08T21:59:59Z", true},
		"over midnight, before it":                     {loyalty.Schedule{Hours: night}, "2027-01-08T20:00:00Z", true},
		"over midnight, after it":                      {loyalty.Schedule{Hours: night}, "2027-01-08T23:59:59Z", true},
		"over midnight, at its end":                    {loyalty.Schedule{Hours: night}, "2027-01-09T00:00:00Z", false},
		"Friday night on Friday":                       {loyalty.Schedule{Hours: night, Weekdays: friday}, "2027-01-08T20:00:00Z", true},
		"Friday night on Saturday morning":             {loyalty.Schedule{Hours: night, Weekdays: friday}, "2027-01-08T23:00:00Z", true},
		"not on Friday morning, which is Thursday's":   {loyalty.Schedule{Hours: night, Weekdays: friday}, "2027-01-07T23:00:00Z", false},
		"nor on Saturday evening":                      {loyalty.Schedule{Hours: night, Weekdays: friday}, "2027-01-09T20:00:00Z", false},
		"an hour that the clocks skip is not there":    {loyalty.Schedule{Hours: []loyalty.Hours{{From: 2 * 60, To: 3 * 60}}}, "2027-03-26T00:30:00Z", false},
		"an hour that comes twice holds, first":        {loyalty.Schedule{Hours: []loyalty.Hours{{From: 60, To: 2 * 60}}}, "2027-10-30T22:30:00Z", true},
		"and again":                                    {loyalty.Schedule{Hours: []loyalty.Hours{{From: 60, To: 2 * 60}}}, "2027-10-30T23:30:00Z", true},
		"the same hour of the next day is a whole day": {loyalty.Schedule{Hours: []loyalty.Hours{{From: 9 * 60, To: 9 * 60}}}, "2027-01-08T03:00:00Z", true},
		"a span, a weekday and hours: all hold":        {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 1, 1, 31)}, Weekdays: friday, Hours: night}, "2027-01-08T20:00:00Z", true},
		"one does not":                                 {loyalty.Schedule{Spans: []loyalty.Window{span(2027, 2, 1, 28)}, Weekdays: friday, Hours: night}, "2027-01-08T20:00:00Z", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.s.Holds(utc(c.at).In(jerusalem)); got != c.want {
				t.Errorf("at %s it is %v", c.at, got)
			}
		})
	}
}

// Periods of the calendar lie beside each other without a gap: every instant
// is in the one that began last, whatever the clocks of the zone do.
func TestPeriodsOfTheCalendarLeaveNoGap(t *testing.T) {
	zones := []string{"Asia/Jerusalem", "UTC", "America/Havana", "Africa/Cairo", "Asia/Tehran", "Pacific/Apia", "Australia/Lord_Howe"}
	periods := []loyalty.Period{{Days: 1}, {Days: 3}, {Days: 7}, {Days: 14}, months(1), months(2), months(6), months(12), {Exact: time.Hour}, {Exact: 90 * time.Minute}}
	rapid.Check(t, func(t *rapid.T) {
		tm := terms(func(tm *loyalty.Terms) {
			tm.Zone = must(time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone")))
			tm.Week = time.Weekday(rapid.IntRange(0, 6).Draw(t, "week"))
		})
		p := rapid.SampledFrom(periods).Draw(t, "period")
		at := rapid.Int64Range(utc("1980-01-01T00:00:00Z").Unix(), utc("2100-01-01T00:00:00Z").Unix()).Draw(t, "at")
		start := tm.Start(p, at)
		next := tm.Next(p, start)
		if start > at || next <= at || tm.Start(p, start) != start || tm.Start(p, next) != next || tm.Start(p, next-1) != start {
			t.Fatalf("%+v of %d in %s: from %d to %d", p, at, tm.Zone, start, next)
		}
		if local := time.Unix(start, 0).In(tm.Zone); p.Days == 7 && local.Weekday() != tm.Week {
			t.Fatalf("a week begins on %s, not on %s", local.Weekday(), tm.Week)
		}
	})
}
