package alike

import (
	"strings"

	"regulars/shared/alike/letters"
)

// plan is how a country writes its own numbers (ITU-T E.164 and its national
// numbering plans).
type plan struct {
	code        string // that calls it from abroad
	trunk       string // that stands before a number inside the country
	least, most int    // digits without either
}

// plans are of the countries that shops asked for first, by ISO 3166 code. A
// national number of another country says nothing.
var plans = map[string]plan{
	"AE": {"971", "0", 8, 9}, "AF": {"93", "0", 9, 9}, "AT": {"43", "0", 7, 12}, "AU": {"61", "0", 9, 9}, "AZ": {"994", "0", 9, 9},
	"BE": {"32", "0", 8, 9}, "BH": {"973", "", 8, 8}, "BR": {"55", "0", 10, 11}, "CA": {"1", "1", 10, 10}, "CH": {"41", "0", 9, 9},
	"CY": {"357", "", 8, 8}, "CZ": {"420", "", 9, 9}, "DE": {"49", "0", 7, 11}, "DK": {"45", "", 8, 8}, "EG": {"20", "0", 8, 10},
	"ES": {"34", "", 9, 9}, "FI": {"358", "0", 6, 10}, "FR": {"33", "0", 9, 9}, "GB": {"44", "0", 9, 10}, "GR": {"30", "", 10, 10},
	"IE": {"353", "0", 7, 9}, "IL": {"972", "0", 8, 9}, "IN": {"91", "0", 10, 10}, "IQ": {"964", "0", 8, 10}, "IR": {"98", "0", 10, 10},
	"IT": {"39", "", 8, 11}, "JO": {"962", "0", 8, 9}, "JP": {"81", "0", 9, 10}, "KW": {"965", "", 8, 8}, "KZ": {"7", "8", 10, 10},
	"LB": {"961", "0", 7, 8}, "MA": {"212", "0", 9, 9}, "NL": {"31", "0", 9, 9}, "NO": {"47", "", 8, 8}, "NZ": {"64", "0", 8, 10},
	"OM": {"968", "", 8, 8}, "PL": {"48", "", 9, 9}, "PS": {"970", "0", 8, 9}, "PT": {"351", "", 9, 9}, "QA": {"974", "", 8, 8},
	"RO": {"40", "0", 9, 9}, "RU": {"7", "8", 10, 10}, "SA": {"966", "0", 8, 9}, "SE": {"46", "0", 7, 9}, "TR": {"90", "0", 10, 10},
	"UA": {"380", "0", 9, 9}, "US": {"1", "1", 10, 10}, "ZA": {"27", "0", 9, 9},
}

// Phone is the key of a phone number, E.164 with its plus: "+972501234567".
// country is the ISO 3166 code of where it is from when it does not say, in
// any case, or "". A number without plus, 00 or a known country says nothing,
// and so does one that spells words.
func Phone(s, country string) string {
	return settle(s, func(s string) string {
		s = strings.TrimPrefix(strings.TrimSpace(letters.Lower(s)), "tel:")
		for _, extension := range []string{";", ",", "ext", "x", "#"} {
			s, _, _ = strings.Cut(s, extension)
		}
		s = strings.Map(func(r rune) rune {
			if strings.ContainsRune(" \t-.()/", r) {
				return -1
			}
			return r
		}, strings.ReplaceAll(s, "(0)", ""))
		digits, abroad := strings.CutPrefix(s, "+")
		if strings.Trim(digits, "0123456789") != "" {
			return ""
		}
		if rest, ok := strings.CutPrefix(digits, "00"); ok && !abroad {
			digits, abroad = rest, true
		}
		if abroad {
			digits = withoutTrunk(digits)
		} else {
			digits = plans[strings.ToUpper(country)].international(digits)
		}
		if len(digits) < 7 || len(digits) > 15 || digits[0] == '0' {
			return ""
		}
		return "+" + digits
	})
}

// withoutTrunk drops the zero that people leave in: +972 050… is +972 50….
// Other trunks could be a number's own first digit.
func withoutTrunk(digits string) string {
	for _, p := range plans {
		if rest, ok := strings.CutPrefix(digits, p.code); ok && p.trunk == "0" {
			return p.code + strings.TrimLeft(rest, "0")
		}
	}
	return digits
}

// international is a number as it was written inside the country, or with
// its code but without a plus. "" when it is too short or too long for either.
func (p plan) international(digits string) string {
	fits := func(s string) bool { return len(s) >= p.least && len(s) <= p.most }
	if p.code == "" {
		return ""
	}
	if rest, ok := strings.CutPrefix(digits, p.trunk); ok && p.trunk != "" && fits(rest) {
		return p.code + rest
	}
	if fits(digits) {
		return p.code + digits
	}
	if rest, ok := strings.CutPrefix(digits, p.code); ok && fits(rest) {
		return p.code + rest
	}
	return ""
}
