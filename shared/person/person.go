// Package person is what the API and an import may be told of a person: which
// values are good, and how they change a profile. It knows nothing of points.
package person

import (
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Change is what a caller may say of a member: absent keys leave what is
// there, an empty string takes it away. Points and tiers are not among them.
type Change struct {
	ExternalIDs   map[string]string `json:"external_ids"`
	Email         *string           `json:"email"`
	EmailVerified *bool             `json:"email_verified"`
	Phone         *string           `json:"phone"`
	PhoneVerified *bool             `json:"phone_verified"`
	Name          *string           `json:"name"`
	Language      *string           `json:"language"`
	BirthDate     *table.Birth      `json:"birth_date"`
	Consents      map[string]bool   `json:"consents"`
	Attributes    map[string]string `json:"attributes"` // by name; "" takes one away
}

var (
	email     = regexp.MustCompile(`^[^@\s]{1,128}@[^@\s]{1,125}$`)
	phone     = regexp.MustCompile(`^\+?[0-9٠-٩۰-۹ ().-]{3,40}$`)
	language  = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$`)
	date      = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-3])-(0[1-9]|[12]\d|3[01])$`)
	attribute = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	calendars = []string{"gregorian", "hebrew", "hijri", "persian"}
)

// Apply checks the change and makes it.
func (c *Change) Apply(p *table.Profile) error {
	for source, id := range c.ExternalIDs {
		if !loyalty.ValidSource(source) {
			return loyalty.Malformed("/external_ids", source, "a source "+loyalty.SourceRule)
		}
		if !loyalty.ValidID(id) {
			return loyalty.Malformed("/external_ids/"+source, id, loyalty.IDRule)
		}
		if had := p.External[source]; had != "" && had != id {
			return &loyalty.Error{Kind: loyalty.Conflict, Code: "external_id_settled", Detail: "the member has another id in " + source, Details: map[string]any{"path": "/external_ids/" + source, "value": id}}
		}
		if p.External == nil {
			p.External = map[string]string{}
		}
		p.External[source] = id
	}
	if len(p.External) > 20 {
		return loyalty.Malformed("/external_ids", "", "at most 20 sources")
	}
	if c.Email != nil && *c.Email != p.Email {
		if *c.Email != "" && (!email.MatchString(*c.Email) || !Printable(*c.Email)) {
			return loyalty.Malformed("/email", *c.Email, "is not an e-mail address")
		}
		p.Email, p.EmailVerified = *c.Email, false // what was verified was the old one
	}
	if c.Phone != nil && *c.Phone != p.Phone {
		if *c.Phone != "" && (!phone.MatchString(*c.Phone) || !strings.ContainsFunc(*c.Phone, unicode.IsDigit)) {
			return loyalty.Malformed("/phone", *c.Phone, "is not a telephone number")
		}
		p.Phone, p.PhoneVerified = *c.Phone, false
	}
	set(&p.EmailVerified, c.EmailVerified)
	set(&p.PhoneVerified, c.PhoneVerified)
	if c.Name != nil {
		if len(*c.Name) > 300 || !Printable(*c.Name) {
			return loyalty.Malformed("/name", *c.Name, "must be at most 300 bytes of text")
		}
		p.Name = *c.Name
	}
	if c.Language != nil {
		if *c.Language != "" && !language.MatchString(*c.Language) {
			return loyalty.Malformed("/language", *c.Language, "must be a language code such as he")
		}
		p.Language = *c.Language
	}
	if c.BirthDate != nil {
		if err := birth(*c.BirthDate); err != nil {
			return err
		}
		p.Birth = *c.BirthDate
	}
	for name, value := range c.Attributes {
		if !attribute.MatchString(name) {
			return loyalty.Malformed("/attributes", name, "a name must be 1 to 40 of a-z, 0-9, _ and -")
		}
		if len(value) > 200 || !Printable(value) {
			return loyalty.Malformed("/attributes/"+name, value, "must be at most 200 bytes of text")
		}
		if p.Attributes == nil {
			p.Attributes = map[string]string{}
		}
		if p.Attributes[name] = value; value == "" {
			delete(p.Attributes, name)
		}
	}
	if len(p.Attributes) > 20 {
		return loyalty.Malformed("/attributes", "", "at most 20 attributes")
	}
	for channel, yes := range c.Consents {
		if channel != "email" && channel != "sms" && channel != "call" {
			return loyalty.Malformed("/consents", channel, "must be one of email, sms, call")
		}
		if p.Consents == nil {
			p.Consents = map[string]bool{}
		}
		p.Consents[channel] = yes
	}
	return nil
}

// birth checks a date in its own calendar as far as one can without its
// arithmetic: 13 months at most, 31 days at most, the Gregorian one exactly.
func birth(b table.Birth) error {
	known := false
	for _, c := range calendars {
		known = known || b.Calendar == c
	}
	if !known {
		return loyalty.Malformed("/birth_date/calendar", b.Calendar, "must be one of "+strings.Join(calendars, ", "))
	}
	_, err := time.Parse(time.DateOnly, b.Date)
	if b.Calendar != "gregorian" {
		if err = nil; !date.MatchString(b.Date) || b.Date < "0001" {
			err = errors.New("not a date")
		}
	}
	if err != nil {
		return loyalty.Malformed("/birth_date/date", b.Date, "must be a date such as 1990-02-28")
	}
	return nil
}

// Printable tells whether a text has no control characters.
func Printable(s string) bool { return strings.IndexFunc(s, unicode.IsControl) < 0 }

func set(to *bool, v *bool) {
	if v != nil {
		*to = *v
	}
}
