package storefront

import (
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// Referral is a friend who came by a code, as POST /v1/referrals tells it.
type Referral struct {
	Code      string
	Customer  loyalty.Customer
	Source    string    // of the customer's external id; "" when it is not said
	ClickedAt time.Time // zero: now
	Staff     string    // who registered the friend in a shop
	Signs     *loyalty.Signs
}

// ownSignals are what a person may be known again by.
type ownSignals struct {
	IP      string      `json:"ip"`
	Device  string      `json:"device"`
	Payment string      `json:"payment"`
	Address *ownAddress `json:"address"`
}

type ownAddress struct {
	Line     string `json:"line"`
	City     string `json:"city"`
	Postcode string `json:"postcode"`
	Country  string `json:"country"`
}

func (s *ownSignals) signs() *loyalty.Signs {
	if s == nil {
		return nil
	}
	out := &loyalty.Signs{IP: s.IP, Device: s.Device, Payment: s.Payment}
	if s.Address != nil {
		out.Address = loyalty.Address(*s.Address)
	}
	return out
}

// ParseReferral reads the body of POST /v1/referrals. An unknown key, a
// missing or unusable value is a *loyalty.Error of kind Invalid that names its
// path.
func ParseReferral(body []byte) (Referral, error) {
	var in struct {
		Code      string       `json:"code"`
		Customer  *ownCustomer `json:"customer"`
		Source    string       `json:"source"`
		ClickedAt string       `json:"clicked_at"`
		Staff     string       `json:"staff"`
		Signals   *ownSignals  `json:"signals"`
	}
	if err := strict.Decode(body, &in); err != nil {
		return Referral{}, err
	}
	var r reader
	out := Referral{Code: in.Code, Source: in.Source, ClickedAt: r.time("/clicked_at", in.ClickedAt, time.RFC3339), Staff: in.Staff, Signs: in.Signals.signs()}
	if in.Code == "" {
		r.fail("/code", "", "is required")
	}
	r.text("/code", in.Code)
	r.text("/staff", in.Staff)
	if in.Source != "" {
		r.source(in.Source)
	}
	if (*loyalty.Customer)(in.Customer).Anonymous() {
		r.fail("/customer", "", "must say who the friend is: external_id, card, email or phone")
	} else {
		out.Customer = loyalty.Customer(*in.Customer)
		r.customer(&out.Customer)
	}
	r.signs("/signals", out.Signs)
	return out, r.err
}

// signs checks what a person may be known again by.
func (r *reader) signs(path string, s *loyalty.Signs) {
	if s == nil {
		return
	}
	for _, t := range []struct{ path, text string }{
		{"/ip", s.IP},
		{"/device", s.Device},
		{"/payment", s.Payment},
		{"/address/line", s.Address.Line},
		{"/address/city", s.Address.City},
		{"/address/postcode", s.Address.Postcode},
		{"/address/country", s.Address.Country},
	} {
		r.text(path+t.path, t.text)
	}
}
