package importer

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"regulars/shared/loyalty"
	"regulars/shared/orders"
	"regulars/shared/person"
	"regulars/shared/storefront"
	"regulars/shared/strict"
	"regulars/shared/table"
)

// taker takes what a row says into the table and counts it. A *loyalty.Error
// refuses the row.
type taker func(*table.Tx, *table.Import) error

// takers read a row, by the kind of the import.
var takers = map[string]func(w *worker, body []byte) taker{"orders": order, "members": member, "balances": balance}

// refusing is for a row that cannot even be read.
func refusing(err error) taker { return func(*table.Tx, *table.Import) error { return err } }

// order is an order's newest state, as POST /v1/orders takes it.
func order(w *worker, body []byte) taker {
	in, err := storefront.ParseOrder(body)
	if err != nil {
		return refusing(err)
	}
	by := orders.Teller{Now: w.Clock(), Guest: w.newID(), Seed: w.seed()}
	return func(tx *table.Tx, j *table.Import) error {
		var before int64
		had, err := tx.Record(in.Ref())
		if err != nil {
			return err
		}
		if had != nil {
			before = had.Points
		}
		t, err := orders.Take(tx, &in, by)
		if err != nil {
			return err
		}
		switch t.Status {
		case loyalty.Applied:
			j.Applied++
		case loyalty.Duplicate:
			j.Duplicate++
		case loyalty.Stale:
			j.Stale++
		default:
			j.Ignored++
			return nil
		}
		if t.Record.Member == by.Guest {
			j.Members++
		}
		j.Before, j.After = plus(j.Before, before), plus(j.After, t.Record.Points)
		return nil
	}
}

// member is a person, as POST /v1/members takes one. Who has no identity
// would be enrolled anew each time, so nobody without one is.
func member(w *worker, body []byte) taker {
	var c person.Change
	if err := strict.Decode(body, &c); err != nil {
		return refusing(err)
	}
	p := &table.Profile{Member: w.newID(), CreatedAt: w.Clock().Unix()}
	if err := c.Apply(p); err != nil {
		return refusing(err)
	}
	if len(p.External) == 0 && p.Email == "" && p.Phone == "" {
		return refusing(loyalty.Refuse("no_identity", "the row has neither an external id nor an e-mail nor a phone by which the member could be known again"))
	}
	return func(tx *table.Tx, j *table.Import) error {
		if err := tx.Enrol(p); err != nil {
			return err
		}
		j.Applied++
		j.Members++
		return nil
	}
}

// opening is a balance that a member had in another system.
type opening struct {
	External  string `json:"external_id"`
	Email     string `json:"email"`
	Phone     string `json:"phone"`
	Member    string `json:"member"`
	Points    *int64 `json:"points"`
	ExpiresAt string `json:"expires_at"`
	Key       string `json:"key"`
}

// by is by what the row names the member.
func (o *opening) by() (path, value string) {
	switch {
	case o.Member != "":
		return "/member", o.Member
	case o.External != "":
		return "/external_id", o.External
	case o.Email != "":
		return "/email", o.Email
	}
	return "/phone", o.Phone
}

// unlike refuses a row for one of its values that is good in itself.
func unlike(code, path, value, reason string) error {
	return &loyalty.Error{Kind: loyalty.Refused, Code: code, Detail: reason, Details: map[string]any{"path": path, "value": value, "reason": reason}}
}

// check answers when the points die; the zero time for the program's own rule.
func (o *opening) check(now time.Time) (dies time.Time, err error) {
	named := 0
	for _, by := range []struct{ path, value string }{{"/external_id", o.External}, {"/email", o.Email}, {"/phone", o.Phone}, {"/member", o.Member}, {"/key", o.Key}} {
		if by.value == "" {
			continue
		}
		if by.path != "/key" {
			named++
		}
		if (by.path == "/external_id" || by.path == "/key") && !loyalty.ValidID(by.value) {
			return dies, loyalty.Malformed(by.path, by.value, loyalty.IDRule)
		}
		if len(by.value) > 320 || !person.Printable(by.value) {
			return dies, loyalty.Malformed(by.path, by.value, "at most 320 bytes without control characters")
		}
	}
	if o.ExpiresAt != "" {
		if dies, err = time.Parse(time.RFC3339, o.ExpiresAt); err != nil {
			return dies, loyalty.Malformed("/expires_at", o.ExpiresAt, "must be an RFC 3339 time such as 2027-03-15T22:00:00Z")
		}
	}
	switch {
	case named != 1:
		err = loyalty.Malformed("/external_id", o.External, "exactly one of external_id, email, phone and member says whose balance it is")
	case o.Points == nil:
		err = loyalty.Malformed("/points", "", "is required")
	case *o.Points < 1 || *o.Points > loyalty.MaxPoints:
		err = loyalty.Malformed("/points", strconv.FormatInt(*o.Points, 10), fmt.Sprintf("must be from 1 to %d", loyalty.MaxPoints))
	case o.ExpiresAt != "" && !dies.After(now):
		err = loyalty.Malformed("/expires_at", o.ExpiresAt, "is over already")
	}
	return dies, err
}

// balance opens a member's balance, once for ever.
func balance(w *worker, body []byte) taker {
	var in opening
	if err := strict.Decode(body, &in); err != nil {
		return refusing(err)
	}
	now := w.Clock()
	dies, err := in.check(now)
	if err != nil {
		return refusing(err)
	}
	of := table.OpeningOf{Key: in.Key, Member: in.Member, External: in.External, Email: in.Email, Phone: in.Phone}
	return func(tx *table.Tx, j *table.Import) error {
		had, err := tx.Opening(j.Source, of)
		if err != nil {
			return err
		}
		if had != nil {
			if had.Points != *in.Points {
				return unlike("opened_otherwise", "/points", strconv.FormatInt(*in.Points, 10), fmt.Sprintf("this balance was opened before, with %d points; correct it by an adjustment", had.Points))
			}
			j.Duplicate++
			j.Stated, j.Before, j.After = plus(j.Stated, *in.Points), plus(j.Before, *in.Points), plus(j.After, *in.Points)
			return nil
		}
		t, err := tx.Terms()
		if err != nil {
			return err
		}
		a, err := tx.Opener(j.Source, of)
		var none *loyalty.Error
		if errors.As(err, &none) {
			at, value := in.by()
			return unlike("unknown_member", at, value, "nobody is known by it: import the members first; an e-mail or a phone has to be marked verified here")
		}
		if err != nil {
			return err
		}
		if err := a.Open(*in.Points, dies, "imp_"+j.ID, t, now); err != nil {
			return err
		}
		tx.PutOpening(j.Source, of, table.Opening{Points: *in.Points, At: now.Unix(), Import: j.ID})
		j.Applied++
		j.Stated, j.After = plus(j.Stated, *in.Points), plus(j.After, *in.Points)
		return tx.PutAccount(a)
	}
}

// told is how many refused rows an import tells of one by one.
const told = 100

// refuse counts a row that is not taken. A member who is there already is not
// refused but known.
func (w *worker) refuse(tx *table.Tx, j *table.Import, r row, err *rowError) {
	if j.Kind == "members" && err.Code == "member_exists" {
		j.Duplicate++
		return
	}
	if j.Kind == "balances" {
		var in struct {
			Points int64 `json:"points"`
		}
		if strict.DecodeLoose(r.body, &in) == nil && in.Points >= -loyalty.MaxPoints && in.Points <= loyalty.MaxPoints {
			j.Stated, j.Withheld = plus(j.Stated, in.Points), plus(j.Withheld, in.Points)
		}
	}
	j.Refused++
	if j.Refused > told {
		return
	}
	at := r.lines[err.record]
	if m := ofLine.FindStringSubmatch(path(err.Error)); m != nil {
		if n, _ := strconv.Atoi(m[1]); n < len(r.lines) {
			at = r.lines[n]
		}
	}
	why := refusal(err.Error, at)
	if why.Value == "" {
		why.Value = clip(found(r.body, why.Path))
	}
	tx.PutRefusal(j, why)
}

// found is the text or number under a key of a row, for a reader of JSON that
// did not say what it found there.
func found(body []byte, path string) string {
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		if _, err := dec.ReadToken(); err != nil {
			return ""
		}
		if string(dec.StackPointer()) != path {
			continue
		}
		value, err := dec.ReadToken() // behind its key
		if k := value.Kind(); err != nil || k == '{' || k == '[' {
			return ""
		}
		return value.String()
	}
}

var ofLine = regexp.MustCompile(`^/lines/(\d+)`)

func path(e *loyalty.Error) string {
	p, _ := e.Details["path"].(string)
	return p
}

// refusal is how an error is kept.
func refusal(e *loyalty.Error, line int64) table.Refusal {
	r := table.Refusal{Line: line, Code: e.Code, Path: path(e), Reason: e.Detail}
	value, _ := e.Details["value"].(string)
	r.Value = clip(value)
	if why, ok := e.Details["reason"].(string); ok {
		r.Reason = why
	}
	return r
}

// clip keeps of a value what a person needs to find it.
func clip(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// plus adds points; a sum that no int64 holds stays at its end.
func plus(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}
