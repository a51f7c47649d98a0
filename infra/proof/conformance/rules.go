package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// base is the program of the scenarios, in whatever currency the target has:
// 1 point per 1.00 of net goods, 100 points pay 5.00, 12 months to the end of
// the local day.
const base = `{
	"time_zone": "Asia/Jerusalem",
	"point_value": {"points": 100, "amount": 500},
	"earning": {"basis": "net", "when": "paid", "rounding": "floor", "stacking": "best", "pending": "P0D",
		"rules": [{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}}]},
	"expiry": {"after": "P12M", "to_end_of": "day"},
	"clawback": "debt",
	"hold": {"timeout": "PT15M"},
	"redemption": {"minimum": 1, "max_share_of_order": "1", "restore_grace": "P30D"}
}`

// publishes is about how many versions a whole run publishes.
const publishes = 70

// rules is what the kit knows of the target's program document.
type rules struct {
	currency  string
	found     object // the document that was in force on arrival
	foundAs   int64  // its version
	version   int64  // of the document in force, as far as the kit knows
	inForce   string // that document as the kit wrote it; "": it is the one found
	published int
}

// arrive reads what is in force and finds out what the target has.
func (s *shop) arrive() error {
	sent := time.Now()
	a, err := s.try(s.ctx, "GET", "/v1/program", nil)
	if err != nil {
		return fmt.Errorf("nothing answers: %w", err)
	}
	if a.status != http.StatusOK || a.str("currency") == "" {
		return fmt.Errorf("the program in force cannot be read: %v", a)
	}
	s.currency, s.found = a.str("currency"), maps.Clone(a.body)
	if s.foundAs, err = strconv.ParseInt(fmt.Sprint(a.at("version")), 10, 64); err != nil {
		return fmt.Errorf("the program in force has no version: %v", a)
	}
	delete(s.found, "version")
	s.version = s.foundAs
	s.meet(sent, a.header)
	s.tell("%s, run %s. Version %d of the program is in force; its document is published again at the end.\n", s.target.URL, s.run, s.foundAs)
	if s.settable {
		s.tell("The target's clock can be set; it runs free at the end.\n")
	}
	return nil
}

// program publishes the base program with some settings replaced, given as
// JSON. A document that is in force already is not published again.
func (s *shop) program(settings string) {
	doc := object{"currency": s.currency}
	for _, text := range []string{base, settings} {
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			s.fail("the kit's own program document: %v", err)
		}
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		s.fail("the kit's own program document: %v", err)
	}
	if s.inForce == string(raw) {
		return
	}
	// An interrupt waits for the answer: the version is needed to put back what was found.
	a, err := s.try(context.WithoutCancel(s.ctx), "PUT", "/v1/program", raw, "If-Match", strconv.FormatInt(s.version, 10))
	switch {
	case err != nil:
		panic(ended{fmt.Errorf("no answer: %w", err)})
	case a.status == http.StatusConflict:
		panic(ended{fmt.Errorf("somebody else published a program meanwhile: %v", a)})
	case a.status != http.StatusOK:
		panic(ended{fmt.Errorf("the scenarios need programs of their own: %v", a)})
	}
	s.version, s.inForce = s.number(a, "version"), string(raw)
	s.published++
}

// leave puts back what was found: the document, and a clock that runs. It
// works after an interrupt too.
func (s *shop) leave() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 30*time.Second)
	defer cancel()
	if s.set {
		if a, err := s.try(ctx, "PUT", "/_local/clock", object{"now": nil}); err != nil || a.status != http.StatusOK {
			s.tell("\nThe clock was not set free: %v %v\n", a, err)
		}
	}
	if s.inForce == "" {
		return nil
	}
	kept, _ := json.Marshal(s.found) // it was JSON
	a, err := s.try(ctx, "PUT", "/v1/program", kept, "If-Match", strconv.FormatInt(s.version, 10))
	switch {
	case err != nil:
		return fmt.Errorf("the program of version %d was not put back: %w\nPublish it: %s", s.foundAs, err, kept)
	case a.status == http.StatusConflict:
		return fmt.Errorf("another program was published meanwhile, so that of version %d was not put back: %s", s.foundAs, kept)
	case a.status != http.StatusOK:
		return fmt.Errorf("the program of version %d was not put back: %v\nPublish it: %s", s.foundAs, a, kept)
	}
	s.published++
	now := maps.Clone(a.body)
	delete(now, "version")
	if !reflect.DeepEqual(now, s.found) {
		return fmt.Errorf("the program of version %d was put back, but reads %s, not %s", s.foundAs, a.raw, kept)
	}
	s.tell("\nVersion %v of the program has the document of version %d again.\n", a.at("version"), s.foundAs)
	return nil
}

// needsCents ends the part where the currency has not two decimals, for a
// storefront writes its amounts with them.
func (s *shop) needsCents() {
	const others = " BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF BHD IQD JOD KWD LYD OMR TND CLF UYW "
	if strings.Contains(others, " "+s.currency+" ") {
		s.skip("the program's currency has not two decimals")
	}
}
