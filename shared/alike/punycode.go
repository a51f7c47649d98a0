package alike

import (
	"math"
	"strings"
)

// unencoded is a domain with its encoded labels (xn--) as letters, by RFC 3492;
// a label that cannot be decoded stays. Package idna of x/net does the same, with
// tables of what a registry would refuse, which is not asked here.
func unencoded(domain string) string {
	labels := strings.Split(domain, ".")
	for i, l := range labels {
		if rest, ok := strings.CutPrefix(l, "xn--"); ok {
			if letters, ok := punycode(rest); ok {
				labels[i] = letters
			}
		}
	}
	return strings.Join(labels, ".")
}

// The parameters of RFC 3492, section 5.
const (
	base, tMin, tMax, skew, damp = 36, 1, 26, 38, 700
	firstBias, firstCode         = 72, 128
)

// punycode decodes a label without its prefix (RFC 3492, section 6.2).
func punycode(s string) (string, bool) {
	var out []rune
	if i := strings.LastIndexByte(s, '-'); i > 0 {
		out, s = []rune(s[:i]), s[i+1:]
	}
	code, place, bias := firstCode, 0, firstBias
	for at := 0; at < len(s); {
		before, weight := place, 1
		for k := base; ; k += base {
			if at == len(s) {
				return "", false
			}
			d := numeral(s[at])
			at++
			if d < 0 || d > (math.MaxInt32-place)/weight {
				return "", false
			}
			place += d * weight
			t := min(max(k-bias, tMin), tMax)
			if d < t {
				break
			}
			if weight > math.MaxInt32/(base-t) {
				return "", false
			}
			weight *= base - t
		}
		n := len(out) + 1
		bias = adapt(place-before, n, before == 0)
		code += place / n
		place %= n
		if code > 0x10ffff || code >= 0xd800 && code < 0xe000 {
			return "", false
		}
		out = append(out[:place], append([]rune{rune(code)}, out[place:]...)...)
		place++
	}
	return string(out), true
}

func numeral(c byte) int {
	switch {
	case c >= 'a' && c <= 'z':
		return int(c - 'a')
	case c >= '0' && c <= '9':
		return int(c-'0') + 26
	}
	return -1
}

func adapt(delta, points int, first bool) int {
	if delta /= 2; first {
		delta = delta * 2 / damp
	}
	delta += delta / points
	k := 0
	for ; delta > (base-tMin)*tMax/2; k += base {
		delta /= base - tMin
	}
	return k + (base-tMin+1)*delta/(delta+skew)
}
