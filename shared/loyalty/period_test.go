package loyalty_test

import (
	"testing"
	"time"

	"regulars/shared/loyalty"
)

func TestPeriodsAreStepsOfTheCalendar(t *testing.T) {
	for _, c := range []struct{ from, period, zone, want string }{
		{"2026-01-31T10:00:00Z", "P1M", "UTC", "2026-02-28T10:00:00Z"},
		{"2028-01-31T10:00:00Z", "P1M", "UTC", "2028-02-29T10:00:00Z"},
		{"2028-02-29T10:00:00Z", "P1Y", "UTC", "2029-02-28T10:00:00Z"},
		{"2026-03-26T10:00:00Z", "P1D", "Asia/Jerusalem", "2026-03-27T09:00:00Z"}, // a day of 23 hours
		{"2026-03-26T10:00:00Z", "PT24H", "Asia/Jerusalem", "2026-03-27T10:00:00Z"},
		{"2026-01-01T00:00:00Z", "P2W", "UTC", "2026-01-15T00:00:00Z"},
		{"2026-01-01T00:00:00Z", "P1DT2H3M4S", "UTC", "2026-01-02T02:03:04Z"},
		{"2026-02-08T05:30:00Z", "P1M", "America/Havana", "2026-03-08T05:00:00Z"}, // 00:30 does not exist: its day, not the one before
		{"2026-11-30T00:00:00Z", "P3M", "UTC", "2027-02-28T00:00:00Z"},
	} {
		t.Run(c.from+" "+c.period, func(t *testing.T) {
			p, err := loyalty.ParsePeriod(c.period)
			if err != nil {
				t.Fatal(err)
			}
			from := must(time.Parse(time.RFC3339, c.from))
			if got := p.After(from, must(time.LoadLocation(c.zone))).UTC().Format(time.RFC3339); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	for _, bad := range []string{"", "P", "PT", "12M", "P-1D", "P1.5D", "P1H", "p1d", "P1D ", "P99999Y"} {
		if _, err := loyalty.ParsePeriod(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A day begins at its first instant, where clocks jump over midnight or pass
// it twice too.
func TestStartOfDay(t *testing.T) {
	for _, c := range []struct {
		zone    string
		y, m, d int
		want    string
	}{
		{"Asia/Jerusalem", 2027, 3, 26, "2027-03-25T22:00:00Z"},
		{"Asia/Jerusalem", 2027, 3, 27, "2027-03-26T21:00:00Z"},
		{"Asia/Beirut", 2022, 3, 27, "2022-03-26T22:00:00Z"},    // 00:00 does not exist: begins at 01:00
		{"America/Havana", 2022, 11, 6, "2022-11-06T04:00:00Z"}, // 00:00 to 00:59 twice: the first
		{"Africa/Cairo", 2023, 4, 28, "2023-04-27T22:00:00Z"},   // 00:00 does not exist
		{"Asia/Tehran", 2022, 3, 22, "2022-03-21T20:30:00Z"},    // 00:00 does not exist
		{"Asia/Tehran", 2027, 3, 21, "2027-03-20T20:30:00Z"},
		{"UTC", 2026, 12, 32, "2027-01-01T00:00:00Z"},
	} {
		t.Run(c.zone, func(t *testing.T) {
			got := loyalty.StartOfDay(c.y, time.Month(c.m), c.d, must(time.LoadLocation(c.zone))).UTC().Format(time.RFC3339)
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
