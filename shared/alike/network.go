package alike

import (
	"net/netip"
	"strings"
)

// shared are networks that tell nothing of who is behind them, besides those
// that netip knows: "this" network, carriers' own (RFC 6598), translated
// addresses (RFC 6052), and what is reserved.
var shared = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("240.0.0.0/4"),
}

// Network is the key of the network that an address is in: an IPv4 address as
// it is, for IPv6 the /64 that one household has ("2001:db8:0:1::/64"). Private
// and local addresses say nothing.
func Network(ip string) string {
	return settle(ip, func(ip string) string {
		ip = strings.TrimSuffix(strings.TrimSpace(ip), "/64")
		a, err := netip.ParseAddr(ip)
		if err != nil {
			return ""
		}
		a = a.Unmap().WithZone("")
		if !a.IsGlobalUnicast() || a.IsPrivate() {
			return ""
		}
		for _, p := range shared {
			if p.Contains(a) {
				return ""
			}
		}
		if a.Is4() {
			return a.String()
		}
		return netip.PrefixFrom(a, 64).Masked().String()
	})
}
