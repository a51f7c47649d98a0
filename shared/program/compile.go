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
)

// checker keeps the first refusal, so that checks read as a list.
type checker struct{ err error }

func (c *checker) refuse(path string, value any, reason string) {
	if c.err == nil {
		e := loyalty.Malformed(path, fmt.Sprint(value), reason)
		e.Code = "invalid_program"
		c.err = e
	}
}

func (c *checker) later(path string, given bool) {
	if given && c.err == nil {
		c.err = &loyalty.Error{
			Kind: loyalty.Refused, Code: "not_supported_yet", Detail: path + " is not supported yet",
			Details: map[string]any{"path": path, "reason": "not supported yet"},
		}
	}
}

func (c *checker) between(path string, v, low, high int64) {
	if v < low || v > high {
		c.refuse(path, v, fmt.Sprintf("must be from %d to %d", low, high))
	}
}

func (c *checker) oneOf(path, v string, known ...string) {
	if !slices.Contains(known, v) {
		c.refuse(path, v, "must be one of "+strings.Join(known, ", "))
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

// Compile turns the document into terms of that version. The error is a
// *loyalty.Error: invalid_program with path, value and reason, or
// not_supported_yet with the path.
func (d *Document) Compile(version int64) (*loyalty.Terms, error) {
	var c checker
	c.later("/tiers", d.Tiers != nil)
	c.later("/referral", d.Referral != nil)

	digits, known := currency.GetDigits(d.Currency)
	if !known {
		c.refuse("/currency", d.Currency, "is not an ISO 4217 code")
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
		Version: version, Currency: d.Currency, Zone: zone,
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
	if !d.Expiry.Never {
		t.Expiry = &loyalty.Expiry{After: c.period("/expiry/after", d.Expiry.After), To: d.Expiry.To}
		if t.Expiry.After.IsZero() {
			c.refuse("/expiry/after", d.Expiry.After, "must be longer than nothing; to keep points for ever write expiry: none")
		}
		c.oneOf("/expiry/to_end_of", string(d.Expiry.To), "none", "day", "month")
	}
	for _, code := range sorted(d.Exchange) {
		path := "/exchange/" + code
		theirs, known := currency.GetDigits(code)
		if !known || code == d.Currency {
			c.refuse(path, code, "must be the ISO 4217 code of another currency")
		}
		rate := c.ratio(path, d.Exchange[code], 0, 1_000_000_000)
		if rate.Sign() == 0 {
			c.refuse(path, d.Exchange[code], "must be more than 0")
		}
		t.Exchange[code] = rate.Mul(rate, minorUnits(digits, theirs))
	}
	d.earning(&c, t, zone)
	if c.err != nil {
		return nil, c.err
	}
	return t, nil
}

func (d *Document) earning(c *checker, t *loyalty.Terms, zone *time.Location) {
	e := d.Earning
	c.oneOf("/earning/basis", e.Basis, "net", "goods")
	c.oneOf("/earning/when", string(e.When), "paid", "fulfilled")
	c.oneOf("/earning/rounding", string(e.Rounding), "floor", "half_up", "ceil")
	c.oneOf("/earning/stacking", string(e.Stacking), "best", "add", "multiply")
	t.Earning = loyalty.Earning{
		When: e.When, PaidPartEarns: e.Basis == "goods", Rounding: e.Rounding, Stacking: e.Stacking,
		Pending: c.period("/earning/pending", e.Pending),
	}
	c.between("/earning/rules (their number)", int64(len(e.Rules)), 0, maxRules)
	seen := map[string]bool{}
	for i, r := range e.Rules {
		path := "/earning/rules/" + strconv.Itoa(i)
		c.later(path+"/activity", r.Activity != nil)
		c.later(path+"/points", r.Points != nil)
		c.later(path+"/limit", r.Limit != nil)
		c.later(path+"/punch_card", r.PunchCard != nil)
		c.later(path+"/when", r.When != nil)
		c.later(path+"/on", r.On == "activity")
		c.oneOf(path+"/on", r.On, "order")
		if !ruleID.MatchString(r.ID) {
			c.refuse(path+"/id", r.ID, "must be 1 to 40 of a-z, 0-9, _ and -")
		}
		if seen[r.ID] {
			c.refuse(path+"/id", r.ID, "two rules have this id")
		}
		seen[r.ID] = true

		rule := loyalty.Rule{ID: r.ID}
		switch {
		case (r.Rate == nil) == (r.Multiplier == ""):
			c.refuse(path, r.ID, "must have either a rate or a multiplier")
		case r.Rate != nil:
			c.between(path+"/rate/points", r.Rate.Points, 0, maxPoints)
			c.between(path+"/rate/amount", r.Rate.Amount, 1, maxAmount)
			rule.Rate = big.NewRat(r.Rate.Points, max(r.Rate.Amount, 1))
		default:
			rule.Multiplier = c.ratio(path+"/multiplier", r.Multiplier, 1, 1000)
		}
		if r.During != nil {
			rule.During = c.days(path+"/during/dates", r.During.Dates, zone)
		}
		t.Earning.Rules = append(t.Earning.Rules, rule)
	}
}

// days compiles local dates to spans of time; where clocks change they are
// of 23 or 25 hours (SC6).
func (c *checker) days(path string, dates []string, zone *time.Location) []loyalty.Window {
	if len(dates) == 0 || len(dates) > 366 {
		c.refuse(path, len(dates), "must name from 1 to 366 dates")
	}
	var spans []loyalty.Window
	for i, s := range dates {
		day, err := time.Parse(time.DateOnly, s)
		if err != nil {
			c.refuse(path+"/"+strconv.Itoa(i), s, "must be a date such as 2027-03-26")
			continue
		}
		y, m, d := day.Date()
		spans = append(spans, loyalty.Window{From: loyalty.StartOfDay(y, m, d, zone), To: loyalty.StartOfDay(y, m, d+1, zone)})
	}
	return spans
}

// minorUnits turns a rate between major units into one between minor units.
func minorUnits(ours, theirs uint8) *big.Rat {
	pow := func(n uint8) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	return new(big.Rat).SetFrac(pow(ours), pow(theirs))
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
