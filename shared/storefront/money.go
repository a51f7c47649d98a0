package storefront

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/bojanz/currency"
	"github.com/go-json-experiment/json/jsontext"

	"regulars/shared/loyalty"
)

// Bounds of what is taken from outside. Amounts within them can be added up
// over an order without overflow.
const (
	maxAmount   = 1_000_000_000_000_000 // minor units
	maxQuantity = 1_000_000_000
)

// decimal is an amount as it was written, a JSON string or number: it never
// passes through a float. "" when absent or null.
type decimal string

func (d *decimal) UnmarshalJSON(b []byte) error {
	text, err := literal(b)
	*d = decimal(text)
	return err
}

// ident is an id that vendors write as a string or as a number, kept as text
// so that one beyond 2^53 survives. "" when absent or null.
type ident string

func (id *ident) UnmarshalJSON(b []byte) error {
	text, err := literal(b)
	if err == nil && jsontext.Value(b).Kind() == '0' && strings.Trim(text, "0123456789") != "" {
		return errors.New("an id is a whole number or a string")
	}
	*id = ident(text)
	return err
}

// literal is the text of a JSON string or number, "" of null.
func literal(b []byte) (string, error) {
	switch jsontext.Value(b).Kind() {
	case 'n':
		return "", nil
	case '0':
		return string(b), nil
	case '"':
		text, err := jsontext.AppendUnquote(nil, b)
		return string(text), err
	}
	return "", errors.New("want a string or a number")
}

// reader reads the values of one body and remembers the first that it cannot
// take, so that a mapping reads as a list of fields and asks for err once.
type reader struct {
	currency string
	digits   int  // after the decimal point, of the currency
	round    bool // the vendor writes more digits than the currency has: half up
	err      error
}

func (r *reader) fail(path, value, reason string) {
	if r.err == nil {
		r.err = loyalty.Malformed(path, value, reason)
	}
}

// money sets the currency of the amounts that follow.
func (r *reader) money(path, code string) {
	digits, ok := currency.GetDigits(code)
	if !ok {
		r.fail(path, code, "not an ISO 4217 currency code in upper case")
	}
	r.currency, r.digits = code, int(digits)
}

// amount is a decimal in minor units of the currency; 0 when absent.
func (r *reader) amount(path string, d decimal) int64 {
	if d == "" {
		return 0
	}
	text, negative := strings.CutPrefix(string(d), "-")
	whole, fraction, point := strings.Cut(text, ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		r.fail(path, string(d), "not a plain decimal number")
		return 0
	}
	kept := fraction + strings.Repeat("0", max(0, r.digits-len(fraction)))
	kept, excess := kept[:r.digits], kept[r.digits:]
	var n int64
	for _, digit := range whole + kept {
		if n = 10*n + int64(digit-'0'); n > maxAmount {
			r.fail(path, string(d), "too large")
			return 0
		}
	}
	if strings.Trim(excess, "0") != "" {
		if !r.round {
			r.fail(path, string(d), fmt.Sprintf("%s has %d digits after the point", r.currency, r.digits))
		} else if excess[0] >= '5' {
			n++
		}
	}
	if negative {
		n = -n
	}
	return n
}

// need is amount for a value that must be there.
func (r *reader) need(path string, d decimal) int64 {
	if d == "" {
		r.fail(path, "", "is required")
	}
	return r.amount(path, d)
}

// plus adds two amounts, times multiplies an amount by a count; both stay
// within maxAmount.
func (r *reader) plus(path string, a, b int64) int64 { return r.bounded(path, a+b) }

func (r *reader) times(path string, a, count int64) int64 {
	if count != 0 && (a > maxAmount/max(count, -count) || -a > maxAmount/max(count, -count)) {
		r.fail(path, fmt.Sprint(a), "too large")
		return 0
	}
	return r.bounded(path, a*count)
}

func (r *reader) bounded(path string, n int64) int64 {
	if n > maxAmount || n < -maxAmount {
		r.fail(path, fmt.Sprint(n), "too large")
		return 0
	}
	return n
}

// rfc3339 refuses what package time lets pass: hours of one digit, a comma
// before the fraction, zones of a day and more (go.dev/issue/54580).
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// time reads an instant in a layout of package time; one without a zone is
// UTC. Zero when absent.
func (r *reader) time(path, text, layout string) time.Time {
	if text == "" {
		return time.Time{}
	}
	var t time.Time
	var err error
	if t, err = time.Parse(layout, text); layout == time.RFC3339 && !rfc3339.MatchString(text) {
		err = errors.New("read by package time, and not RFC 3339")
	}
	// The first second of 1970 is how the domain stores "not yet".
	if t = t.UTC(); err != nil || t.Unix() < 1 || t.Year() > 9999 {
		r.fail(path, text, "not a time of the years 1970 to 9999 written like "+layout)
		return time.Time{}
	}
	return t
}

// Instant reads an instant as those of an order are read; false when it is none.
func Instant(text string) (time.Time, bool) {
	var r reader
	t := r.time("/", text, time.RFC3339)
	return t, r.err == nil
}

// unix is an instant in seconds since 1970; zero when absent.
func (r *reader) unix(path string, seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	if t := time.Unix(seconds, 0).UTC(); seconds > 0 && t.Year() <= 9999 {
		return t
	}
	r.fail(path, fmt.Sprint(seconds), "not in the years 1970 to 9999")
	return time.Time{}
}

// revision is the version of a state that its storefront marks with an instant.
func (r *reader) revision(path string, t time.Time) loyalty.Revision {
	switch {
	case t.IsZero():
		r.fail(path, "", "is required")
	case t.Year() > 2261: // nanoseconds since 1970 end in 2262
		r.fail(path, t.Format(time.RFC3339), "too far in the future for a version")
	default:
		return loyalty.At(t)
	}
	return loyalty.Revision{}
}
