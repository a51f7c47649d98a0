package words

import (
	"math/big"
	"strconv"

	"github.com/bojanz/currency"
)

// The plural categories of whole numbers, by CLDR 48 (unicode.org/cldr,
// supplemental/plurals.xml). Numbers that are not whole are "other" in all
// four languages as far as they are said here.

func oneOrOther(n int64) string {
	if n == 1 {
		return "one"
	}
	return "other"
}

func hebrewPlural(n int64) string {
	switch n {
	case 1:
		return "one"
	case 2:
		return "two"
	}
	return "other"
}

func arabicPlural(n int64) string {
	switch h := n % 100; {
	case n == 0:
		return "zero"
	case n == 1:
		return "one"
	case n == 2:
		return "two"
	case h >= 3 && h <= 10:
		return "few"
	case h >= 11:
		return "many"
	}
	return "other"
}

// always is for Persian. CLDR tells one from other there, but the counted
// word is the same in both.
func always(int64) string { return "other" }

// count is a number of things, such as points or days.
func (l *Language) count(thing string, n int64) string {
	category := l.plural(max(n, -n))
	if n < 0 {
		category = "other" // words such as "twice" have no sign
	}
	return l.say(thing+"."+category, "n", l.number(n))
}

// written is a number that was written in Western figures.
func (l *Language) written(s string) string {
	if l.figures != nil {
		s = l.figures.Replace(s)
	}
	return s
}

// number is a whole number, its thousands apart.
func (l *Language) number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return l.own(sign + l.written(s))
}

// factor is a decimal string such as "1.25".
func (l *Language) factor(decimal string) string { return l.own(l.written(decimal)) }

// percent is a part of 1.
func (l *Language) percent(part *big.Rat) string {
	return l.own(l.say("percent", "n", l.written(exactly(new(big.Rat).Mul(part, big.NewRat(100, 1))))))
}

// part is a part of 1: a percentage where that has an end, else a fraction.
func (l *Language) part(x *big.Rat) string {
	if _, ends := x.FloatPrec(); ends {
		return l.percent(x)
	}
	return l.own(l.written(x.RatString()))
}

// money is an amount in minor units of a currency.
func (l *Language) money(amount int64, code string) string {
	a, err := currency.NewAmountFromInt64(amount, code)
	if err != nil { // no ISO 4217 code: no program has such a currency
		return l.own(l.written(strconv.FormatInt(amount, 10)) + " " + code)
	}
	return l.own(currency.NewFormatter(currency.NewLocale(l.locale)).Format(a))
}

// sum is money that need not be whole minor units.
func (l *Language) sum(minor *big.Rat, code string) string {
	digits, _ := currency.GetDigits(code)
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	return l.own(l.written(exactly(new(big.Rat).Quo(minor, new(big.Rat).SetInt(unit)))) + " " + code)
}

// exactly is a ratio as a decimal where it has a short one, else as it is.
func exactly(r *big.Rat) string {
	if places, ends := r.FloatPrec(); ends && places <= 6 {
		return r.FloatString(places)
	}
	return r.RatString()
}
