package words

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	ptime "github.com/yaa110/go-persian-calendar"
)

// date is a day of the calendar. Persian readers go by the solar Hijri
// calendar, so it is said first there, and the Gregorian date of the rule
// beside it.
func (l *Language) date(t time.Time) string {
	month := l.say(strings.ToLower(t.Month().String()))
	s := l.say("date", "day", l.written(strconv.Itoa(t.Day())), "month", month, "year", l.written(strconv.Itoa(t.Year())))
	if p := ptime.New(t); l.Code == "fa" && p.Year() > 0 { // before 1097 it knows none
		s = fmt.Sprintf("%s %s %s (%s)", l.written(strconv.Itoa(p.Day())), p.Month(), l.written(strconv.Itoa(p.Year())), s)
	}
	return l.own(s)
}

// day is a date as documents write it; what is none stays as it is.
func (l *Language) day(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return given(s)
	}
	return l.date(t.Add(12 * time.Hour)) // noon: the same day wherever it is looked at
}

// instant is a date with the time of the day, by the clocks of t's zone.
func (l *Language) instant(t time.Time) string {
	return l.say("instant", "date", l.date(t), "time", l.clock(t.Format("15:04")))
}

// clock is a time of the day.
func (l *Language) clock(s string) string { return l.own(l.written(s)) }

// weekday is a day of the week that a document names in English.
func (l *Language) weekday(english string) string {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(english, d.String()) {
			return l.say("weekday." + strconv.Itoa(int(d)))
		}
	}
	return given(english)
}

var (
	iso8601 = regexp.MustCompile(`^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)
	units   = []string{"year", "month", "week", "day", "hour", "minute", "second"}
)

// period is a duration by ISO 8601, in the units in which it was written.
func (l *Language) period(s string) string {
	m := iso8601.FindStringSubmatch(s)
	if m == nil {
		return given(s)
	}
	var parts []string
	for i, unit := range units {
		if n, err := strconv.ParseInt(m[i+1], 10, 64); err == nil && n > 0 {
			parts = append(parts, l.count(unit, n))
		}
	}
	switch last := len(parts) - 1; {
	case last < 0:
		return l.count("day", 0)
	case last == 0:
		return parts[0]
	default:
		and := "and.words"
		if strings.HasPrefix(parts[last], isolate) {
			and = "and.digits"
		}
		return l.say(and, "a", l.list(parts[:last]), "b", parts[last])
	}
}
