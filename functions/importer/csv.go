package importer

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// A row of CSV becomes the JSON that says the same, and is read as strictly.

// kind is how a cell is written in JSON.
type kind int

const (
	text    kind = iota
	number       // whole; anything else is left for the reader of the JSON to refuse
	flag         // true or false, in any case: spreadsheets write TRUE
	version      // a number or a time
)

// column is where the cells of a column go: the object within the row's JSON
// ("" is the row itself), and the key there.
type column struct {
	in, key string
	as      kind
}

// columns of each kind of import, by name. A file has any of them, in any order.
var columns = map[string]map[string]column{
	"orders": {
		"order_id": {"", "id", text}, "version": {"", "version", version}, "state": {"", "state", text}, "currency": {"", "currency", text},
		"placed_at": {"", "placed_at", text}, "paid_at": {"", "paid_at", text}, "fulfilled_at": {"", "fulfilled_at", text},
		"store": {"", "store", text}, "region": {"", "region", text}, "channel": {"", "channel", text},
		"member": {"", "member", text}, "external_id": {"customer", "external_id", text}, "name": {"customer", "name", text},
		"email": {"customer", "email", text}, "email_verified": {"customer", "email_verified", flag},
		"phone": {"customer", "phone", text}, "phone_verified": {"customer", "phone_verified", flag},
		"discount_code": {"discounts", "code", text}, "discount": {"discounts", "amount", number},
		"shipping": {"", "shipping", number}, "tax": {"", "tax", number}, "tip": {"", "tip", number}, "refunded": {"", "refunded", number},
		"redemption": {"", "redemption", text}, "referral_code": {"", "referral_code", text},
		"line_id": {lineOf, "id", text}, "sku": {lineOf, "sku", text}, "title": {lineOf, "title", text}, "category": {lineOf, "category", text},
		"quantity": {lineOf, "quantity", number}, "unit_price": {lineOf, "unit_price", number}, "amount": {lineOf, "amount", number},
		"gift_card": {lineOf, "gift_card", flag}, "refunded_amount": {lineOf, "refunded_amount", number}, "refunded_quantity": {lineOf, "refunded_quantity", number},
	},
	"members": {
		"external_id": {"external_ids", "", text}, // under the import's source
		"email":       {"", "email", text}, "email_verified": {"", "email_verified", flag},
		"phone": {"", "phone", text}, "phone_verified": {"", "phone_verified", flag},
		"name": {"", "name", text}, "language": {"", "language", text},
		"birth_date": {"birth_date", "date", text}, "birth_calendar": {"birth_date", "calendar", text},
		"consent_email": {"consents", "email", flag}, "consent_sms": {"consents", "sms", flag}, "consent_call": {"consents", "call", flag},
	},
	"balances": {
		"external_id": {"", "external_id", text}, "email": {"", "email", text}, "phone": {"", "phone", text}, "member": {"", "member", text},
		"points": {"", "points", number}, "expires_at": {"", "expires_at", text}, "key": {"", "key", text},
	},
}

// lineOf marks the columns that each row of an order has for itself.
const lineOf = "lines"

// needed are the columns without which no row could be taken.
var needed = map[string][]string{"orders": {"order_id", "version", "state", "currency"}, "balances": {"points"}}

// header checks the first line of a CSV file.
func header(j *table.Import, r record) *loyalty.Error {
	if r.err != nil {
		return r.err
	}
	known := columns[j.Kind]
	for i, name := range r.cells {
		r.cells[i] = strings.TrimSpace(name)
		_, ok := known[r.cells[i]]
		switch {
		case !ok:
			return loyalty.Malformed("/"+strconv.Itoa(i), name, "is not a column of "+j.Kind+": "+strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case slices.Contains(r.cells[:i], r.cells[i]):
			return loyalty.Malformed("/"+strconv.Itoa(i), name, "stands twice")
		case j.Kind == "members" && r.cells[i] == "external_id" && j.Source == "":
			return loyalty.Malformed("/"+strconv.Itoa(i), name, "the import names no source, of which it would be an id")
		}
	}
	for _, name := range needed[j.Kind] {
		if !slices.Contains(r.cells, name) {
			return loyalty.Malformed("/"+name, "", "the column is required")
		}
	}
	return nil
}

// fromCSV reads the next row of a CSV file: a record, or of orders all records
// of one order that stand together.
func (s *lines) fromCSV(j *table.Import) (row, error) {
	r, err := s.record()
	if err != nil {
		return row{}, err
	}
	group := []record{r}
	if j.Kind == "orders" {
		if group, err = s.together(j, r); err != nil {
			return row{}, err
		}
	}
	last := group[len(group)-1].last
	out := row{last: last.n, end: last.end}
	for _, r := range group {
		out.lines = append(out.lines, r.first)
	}
	out.body, out.err = inJSON(j, group)
	return out, nil
}

// together reads the records of the order that begins with r. Which order a
// record belonged to that cannot be read nobody knows: it takes those on both
// sides of it along, for an order without one of its lines would be worth less.
func (s *lines) together(j *table.Import, r record) ([]record, error) {
	group, size := []record{r}, r.size
	of := orderOf(j, r)
	for {
		next, err := s.record()
		if err == io.EOF {
			return group, nil
		}
		if err != nil {
			return nil, err
		}
		is := orderOf(j, next)
		if of != "" && is != "" && is != of {
			s.unread(next.lines)
			return group, nil
		}
		of = is
		if size += next.size; size > MaxRow { // only where it ends is still of interest
			group, next.cells = group[:1], nil
			group[0].err = tooLong()
		}
		group = append(group, next)
	}
}

// orderOf names the version of an order that a record is of; "" when it cannot
// be read.
func orderOf(j *table.Import, r record) string {
	if len(r.cells) != len(j.Columns) {
		return ""
	}
	return r.cells[slices.Index(j.Columns, "order_id")] + "\x00" + r.cells[slices.Index(j.Columns, "version")]
}

// inJSON writes the records of one row as JSON.
func inJSON(j *table.Import, group []record) ([]byte, *rowError) {
	whole := object{}
	if j.Kind == "orders" {
		whole["source"] = j.Source
	}
	for n, r := range group {
		if r.err != nil {
			return nil, &rowError{r.err, n}
		}
		if len(r.cells) != len(j.Columns) {
			return nil, &rowError{loyalty.Malformed("/", strings.Join(r.cells, ","), fmt.Sprintf("has %d cells, the first line of the file %d", len(r.cells), len(j.Columns))), n}
		}
		line := object{}
		for i, cell := range r.cells {
			c := columns[j.Kind][j.Columns[i]]
			switch {
			case cell == "":
			case c.in == lineOf:
				line[c.key] = c.as.value(cell)
			case n > 0 && cell != group[0].cells[i]:
				return nil, &rowError{loyalty.Malformed("/"+j.Columns[i], cell, "is not what the order's first row has"), n}
			default:
				whole.set(j, c, cell)
			}
		}
		if len(line) > 0 {
			list, _ := whole[lineOf].([]object)
			whole[lineOf] = append(list, line)
		}
	}
	if birth, ok := whole["birth_date"].(object); ok && birth["calendar"] == nil {
		birth["calendar"] = "gregorian"
	}
	body, err := json.Marshal(whole)
	if err != nil { // texts, numbers that are such, flags
		return nil, &rowError{loyalty.Malformed("/", "", err.Error()), 0}
	}
	return body, nil
}

type object map[string]any

// set puts a cell where its column says.
func (o object) set(j *table.Import, c column, cell string) {
	within, key := o, c.key
	switch c.in {
	case "":
	case "discounts": // one of the whole order
		if o[c.in] == nil {
			o[c.in] = []object{{}}
		}
		within = o[c.in].([]object)[0]
	default:
		if o[c.in] == nil {
			o[c.in] = object{}
		}
		within = o[c.in].(object)
	}
	if c.in == "external_ids" {
		key = j.Source
	}
	within[key] = c.as.value(cell)
}

var digits = regexp.MustCompile(`^-?(0|[1-9]\d*)$`)

// value is what stands for a cell in JSON.
func (k kind) value(cell string) any {
	lower := strings.ToLower(cell)
	switch {
	case (k == number || k == version) && digits.MatchString(cell):
		return json.Number(cell)
	case k == flag && (lower == "true" || lower == "false"):
		return lower == "true"
	}
	return cell
}
