package program

import (
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones do not depend on the machine

	"github.com/bojanz/currency"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// Bounds that keep every product of amounts and rules countable.
const (
	maxRules  = 100
	maxPoints = 1_000_000
	maxAmount = 1_000_000_000_000
	maxYears  = 100 // of a period: what it ends at must be a year that can be written
)

var (
	decimal = regexp.MustCompile(`^\d{1,9}(\.\d{1,9})?$`)
	ruleID  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	tongue  = regexp.MustCompile(`^[a-z]{2,3}$`)
	epoch   = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) // to compare periods from
)

// checker keeps the first refusal, so that checks read as a list.
type checker struct {
	err error
	x   Expressions // nil: expressions are not compiled
}

func (c *checker) refuse(path string, value any, reason string, known ...string) {
	if c.err == nil {
		e := loyalty.Malformed(path, fmt.Sprint(value), reason)
		e.Code = "invalid_program"
		if near := strict.Nearest(fmt.Sprint(value), known); near != "" {
			e.Details["nearest"] = near
		}
		c.err = e
	}
}

func (c *checker) between(path string, v, low, high int64) {
	if v < low || v > high {
		c.refuse(path, v, fmt.Sprintf("must be from %d to %d", low, high))
	}
}

// number checks how many a list has.
func (c *checker) number(path string, n int, low, high int64) {
	if int64(n) < low || int64(n) > high {
		c.refuse(path, n, fmt.Sprintf("must have from %d to %d entries", low, high))
	}
}

func (c *checker) oneOf(path, v string, known ...string) {
	if !slices.Contains(known, v) {
		c.refuse(path, v, "must be one of "+strings.Join(known, ", "), known...)
	}
}

func (c *checker) period(path, v string) loyalty.Period {
	p, err := loyalty.ParsePeriod(v)
	if err != nil {
		c.refuse(path, v, err.Error())
	}
	if p.Months > 12*maxYears || p.Days > 366*maxYears || p.Exact > maxYears*366*24*time.Hour {
		c.refuse(path, v, fmt.Sprintf("must be at most %d years", maxYears))
	}
	return p
}

func (c *checker) ratio(path, v string, low, high int64) *big.Rat {
	r := new(big.Rat)
	if !decimal.MatchString(v) {
		c.refuse(path, v, `must be a decimal string such as "1.5"`)
		return r
	}
	r.SetString(v)
	if r.Cmp(big.NewRat(low, 1)) < 0 || r.Cmp(big.NewRat(high, 1)) > 0 {
		c.refuse(path, v, fmt.Sprintf("must be from %d to %d", low, high))
	}
	return r
}

func (c *checker) expiry(path string, e Expiry) *loyalty.Expiry {
	if e.Never {
		return nil
	}
	out := &loyalty.Expiry{After: c.period(path+"/after", e.After), To: e.To}
	if out.After.IsZero() {
		c.refuse(path+"/after", e.After, "must be longer than nothing; to keep points for ever write expiry: none")
	}
	c.oneOf(path+"/to_end_of", string(e.To), "none", "day", "month")
	return out
}

// Compile turns the document into terms of that version. The error is a
// *loyalty.Error: invalid_program with path, value and reason.
//
// Without Expressions those in the document are not read: for functions that
// value no orders. Valuing one by such a rule panics.
func (d *Document) Compile(version int64, x Expressions) (*loyalty.Terms, error) {
	c := checker{x: x}
	digits, known := currency.GetDigits(d.Currency)
	if !known {
		c.refuse("/currency", d.Currency, "is not an ISO 4217 code", codeLike(d.Currency)...)
	}
	zone, err := time.LoadLocation(d.TimeZone)
	if err != nil || d.TimeZone == "" || d.TimeZone == "Local" {
		c.refuse("/time_zone", d.TimeZone, "is not a zone of the IANA time zone database, such as Asia/Jerusalem")
		zone = time.UTC
	}
	if len(d.Languages) == 0 {
		c.refuse("/languages", "[]", "must name at least one language")
	}
	for i, l := range d.Languages {
		if !tongue.MatchString(l) {
			c.refuse("/languages/"+strconv.Itoa(i), l, "must be a language code such as he")
		}
	}
	if u, err := url.Parse(d.Shop.URL); d.Shop.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		c.refuse("/shop/url", d.Shop.URL, "must be an absolute web address")
	}
	c.between("/point_value/points", d.PointValue.Points, 1, maxPoints)
	c.between("/point_value/amount", d.PointValue.Amount, 1, maxAmount)

	t := &loyalty.Terms{
		Version: version, Currency: d.Currency, Zone: zone, Shop: d.Shop.URL,
		Point:    loyalty.Price{Points: d.PointValue.Points, Amount: d.PointValue.Amount},
		Clawback: d.Clawback,
		Hold:     c.period("/hold/timeout", d.Hold.Timeout),
		Minimum:  d.Redemption.Minimum,
		MaxShare: c.ratio("/redemption/max_share_of_order", d.Redemption.MaxShare, 0, 1),
		Grace:    c.period("/redemption/restore_grace", d.Redemption.RestoreGrace),
		Exchange: map[string]*big.Rat{},
	}
	c.between("/redemption/minimum", d.Redemption.Minimum, 1, loyalty.MaxPoints)
	c.oneOf("/clawback", string(d.Clawback), "debt", "clamp", "negative")
	if t.Hold.IsZero() {
		c.refuse("/hold/timeout", d.Hold.Timeout, "must be longer than nothing")
	}
	t.Expiry = c.expiry("/expiry", d.Expiry)
	for _, code := range sorted(d.Exchange) {
		path := "/exchange/" + code
		theirs, known := currency.GetDigits(code)
		if !known || code == d.Currency {
			c.refuse(path, code, "must be the ISO 4217 code of another currency", codeLike(code)...)
		}
		rate := c.ratio(path, d.Exchange[code], 0, 1_000_000_000)
		if rate.Sign() == 0 {
			c.refuse(path, d.Exchange[code], "must be more than 0")
		}
		t.Exchange[code] = rate.Mul(rate, minorUnits(digits, theirs))
	}
	t.Week = c.weekday("/week_starts", d.WeekStarts)
	d.rewards(&c, t)
	d.tiers(&c, t)
	d.earning(&c, t)
	d.achievements(&c, t)
	d.automatic(&c, t)
	d.coalition(&c, t)
	d.referral(&c, t)
	d.rollout(&c)
	d.goal(&c)
	for i, w := range d.Acknowledge {
		c.oneOf("/acknowledge/"+strconv.Itoa(i), w, ParityViolation)
	}
	if c.err != nil {
		return nil, c.err
	}
	return t.Seal(), nil
}

// codeLike is the currency that a code in other letters stands for: of three
// letters any other word is too far away to guess.
func codeLike(code string) []string {
	if up := strings.ToUpper(code); up != code && currency.IsValid(up) {
		return []string{up}
	}
	return nil
}

// minorUnits turns a rate between major units into one between minor units.
func minorUnits(ours, theirs uint8) *big.Rat {
	pow := func(n uint8) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	return new(big.Rat).SetFrac(pow(ours), pow(theirs))
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
