package alike

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"

	"regulars/shared/alike/letters"
)

// provider is what is special about the mailboxes of a mail provider.
type provider struct {
	domains []string // the first names all, which reach the same mailboxes
	apart   bool     // unless each domain has mailboxes of its own
	ignores string   // characters that are no part of a name here
	same    string   // two characters of which the first counts as the second
	tag     string   // starts what is no part of a name here, besides the plus
}

// providers are those with rules of their own. Only these ignore dots:
// outlook.com, icloud.com, yahoo.com and a firm's own domain, at Google too,
// give mailboxes to john.doe and to johndoe. Gmail's rule is at
// support.google.com/mail/answer/7436150, Proton's domains are at
// proton.me/support/addresses-and-aliases. That Proton ignores dashes too, and
// that a dot is a dash at Yandex, is what their users see. Yahoo's tags are
// its disposable addresses, name-keyword@.
var providers = []provider{
	{domains: []string{"gmail.com", "googlemail.com"}, ignores: "."},
	{domains: []string{"proton.me", "protonmail.com", "protonmail.ch", "pm.me"}, ignores: ".-_"},
	{domains: []string{"yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "yandex.com.tr", "ya.ru", "narod.ru"}, same: ".-"},
	{domains: []string{"icloud.com", "me.com", "mac.com"}},
	{domains: []string{
		"yahoo.com", "yahoo.ca", "yahoo.co.id", "yahoo.co.in", "yahoo.co.nz", "yahoo.co.uk", "yahoo.com.ar", "yahoo.com.au", "yahoo.com.br", "yahoo.com.mx",
		"yahoo.com.tr", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.gr", "yahoo.ie", "yahoo.in", "yahoo.it", "yahoo.pl", "yahoo.ro", "yahoo.se",
		"ymail.com", "rocketmail.com", "myyahoo.com",
	}, apart: true, tag: "-"},
}

// Email is the key of an e-mail address: without case, accents, invisible
// letters and look-alikes of others (package letters), in one form of its
// domain (IDNA), without what its provider ignores, and without a plus tag at
// any provider. Dots are dropped only where the provider ignores them (SC10).
func Email(s string) string {
	return settle(s, func(s string) string {
		s = strings.TrimPrefix(strings.TrimSpace(letters.Lower(s)), "mailto:")
		name, at, _ := strings.Cut(s, "@")
		domain := domain(at)
		name, _, _ = strings.Cut(strings.ReplaceAll(name, `"`, ""), "+")
		for _, p := range providers {
			if slices.Contains(p.domains, domain) {
				name, domain = p.mailbox(name, domain)
			}
		}
		if name == "" || domain == "" || strings.ContainsFunc(name, never) {
			return ""
		}
		return name + "@" + domain
	})
}

func (p *provider) mailbox(name, domain string) (string, string) {
	if p.tag != "" {
		name, _, _ = strings.Cut(name, p.tag)
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(p.ignores, r):
			return -1
		case p.same != "" && r == rune(p.same[0]):
			return rune(p.same[1])
		}
		return r
	}, name)
	if !p.apart {
		domain = p.domains[0]
	}
	return name, domain
}

// dots are what parts the labels of a domain where others than Latin are typed (RFC 3490, section 3.1).
var dots = strings.NewReplacer("。", ".", "．", ".", "｡", ".")

// domain is a domain as it is read, look-alikes folded; "" when it is none.
// Encoded labels (xn--) are decoded even where a registry would refuse them:
// this is about looks.
func domain(s string) string {
	s = letters.Lower(unencoded(strings.TrimSuffix(dots.Replace(s), ".")))
	if !strings.Contains(s, ".") || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, "..") || strings.ContainsFunc(s, notInDomain) {
		return ""
	}
	return s
}

func notInDomain(r rune) bool {
	return r != '.' && r != '-' && !unicode.In(r, unicode.L, unicode.M, unicode.N)
}

// never stands in the name of a mailbox.
func never(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r)
}

// disposable.txt has domains that give a mailbox to anyone for minutes, one a
// line, sorted.
//
//go:embed disposable.txt
var disposableList string

var disposables = sync.OnceValue(func() []string { return strings.Fields(disposableList) })

// Disposable tells whether an address, or its key, is at a provider of
// throw-away mailboxes, by its domain or one above it. It knows the well-known ones.
func Disposable(email string) bool {
	_, domain, _ := strings.Cut(Email(email), "@")
	for domain != "" {
		if _, found := slices.BinarySearch(disposables(), domain); found {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}
