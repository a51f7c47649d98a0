// Package strict reads JSON that comes from outside. It refuses what the
// standard decoder lets pass: duplicate keys and keys that differ only in
// case, unknown keys (unless allowed), invalid UTF-8, numbers out of range,
// nesting over MaxDepth. Every refusal is a *loyalty.Error that names the
// path, the value and the reason. It knows nothing of HTTP: sizes of bodies
// are limited where bodies are read.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"regulars/shared/loyalty"
)

// MaxDepth is how many objects and arrays may stand inside each other.
const MaxDepth = 64

// Decode reads one JSON value into v and refuses keys that v does not have.
// The error is a *loyalty.Error of kind Invalid.
func Decode(body []byte, v any) error {
	return decode(body, v, json.RejectUnknownMembers(true))
}

// DecodeLoose is Decode for bodies whose vendor may add keys at any time:
// unknown keys are skipped, all else is refused as by Decode.
func DecodeLoose(body []byte, v any) error { return decode(body, v) }

func decode(body []byte, v any, opts ...json.Options) error {
	if err := scan(body); err != nil {
		return err
	}
	err := json.Unmarshal(body, v, opts...)
	if err == nil {
		return nil
	}
	var sem *json.SemanticError
	if errors.As(err, &sem) {
		var inner *loyalty.Error
		if errors.As(sem.Err, &inner) && inner.Details["path"] != nil { // of a part that reads itself: the path is within it
			path := string(sem.JSONPointer) + strings.TrimSuffix(fmt.Sprint(inner.Details["path"]), "/")
			refused := loyalty.Malformed(pointer(jsontext.Pointer(path)), fmt.Sprint(inner.Details["value"]), fmt.Sprint(inner.Details["reason"]))
			if near, ok := inner.Details["nearest"]; ok {
				refused.Details["nearest"] = near
			}
			return refused
		}
		refused := loyalty.Malformed(pointer(sem.JSONPointer), string(sem.JSONValue), reason(sem))
		if errors.Is(sem.Err, json.ErrUnknownName) {
			if near := Nearest(sem.JSONPointer.LastToken(), keys(sem.GoType)); near != "" {
				refused.Details["nearest"] = near
			}
		}
		return refused
	}
	return syntax(err)
}

// reason says in one clause why a value does not fit.
func reason(err *json.SemanticError) string {
	if errors.Is(err.Err, json.ErrUnknownName) {
		return "unknown key"
	}
	var own *loyalty.Error
	if errors.As(err.Err, &own) {
		return own.Detail
	}
	if err.GoType == reflect.TypeFor[time.Time]() { // its own error repeats the value, however long
		return "must be a time such as 2027-03-26T12:00:00Z"
	}
	if errors.Is(err.Err, strconv.ErrRange) {
		return "is out of range"
	}
	if err.Err != nil && !errors.Is(err.Err, strconv.ErrSyntax) {
		return err.Err.Error()
	}
	if want := wants(err.GoType); want != "" {
		return "must be " + want
	}
	return "does not fit here"
}

// wants says in words what a type takes; "" when it says so itself.
func wants(t reflect.Type) string {
	if t == nil {
		return ""
	}
	if t.PkgPath() == "" || t.Kind() == reflect.Struct {
		switch t.Kind() {
		case reflect.Pointer:
			return wants(t.Elem())
		case reflect.Int64:
			return "a whole number"
		case reflect.Bool:
			return "true or false"
		case reflect.String:
			return "a text in quotes"
		case reflect.Slice:
			return "a list"
		case reflect.Struct, reflect.Map:
			return "an object"
		}
	}
	return ""
}

// scan walks the tokens once for what a decoder into a struct cannot see:
// depth, and keys that collide once case is folded.
func scan(body []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	var seen []map[string]bool
	for first := true; ; first = false {
		tok, err := dec.ReadToken()
		if err == io.EOF && !first {
			return nil
		}
		if err != nil {
			return syntax(err)
		}
		if !first && dec.StackDepth() == 0 && !closes(tok) {
			return loyalty.Malformed("/", "", "more than one JSON value")
		}
		switch tok.Kind() {
		case '{', '[':
			if dec.StackDepth() > MaxDepth {
				return loyalty.Malformed(pointer(dec.StackPointer()), "", fmt.Sprintf("nested deeper than %d", MaxDepth))
			}
			seen = append(seen, nil)
		case '}', ']':
			seen = seen[:len(seen)-1]
		case '"':
			if kind, n := dec.StackIndex(dec.StackDepth()); kind == '{' && n%2 == 1 {
				key := fold(tok.String())
				level := &seen[len(seen)-1]
				if (*level)[key] {
					return loyalty.Malformed(pointer(dec.StackPointer()), tok.String(), "the key stands twice (case does not tell keys apart)")
				}
				if *level == nil {
					*level = map[string]bool{}
				}
				(*level)[key] = true
			}
		}
	}
}

func closes(t jsontext.Token) bool { return t.Kind() == '}' || t.Kind() == ']' }

// fold maps a key to its caseless form, Unicode's odd letters included (ſ is s, K is k).
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

func syntax(err error) error {
	var syn *jsontext.SyntacticError
	if !errors.As(err, &syn) {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return loyalty.Malformed("/", "", "the JSON ends too early")
		}
		return loyalty.Malformed("/", "", err.Error())
	}
	why := "not valid JSON"
	switch {
	case errors.Is(syn.Err, jsontext.ErrDuplicateName):
		why = "the key stands twice"
	case errors.Is(err, io.ErrUnexpectedEOF):
		why = "the JSON ends too early"
	case syn.Err != nil:
		why = "not valid JSON: " + syn.Err.Error()
	}
	return loyalty.Malformed(pointer(syn.JSONPointer), fmt.Sprintf("byte %d", syn.ByteOffset), why)
}

// pointer is a path as it is shown: kept printable when the input is all
// brackets, or one key of a mebibyte.
func pointer(p jsontext.Pointer) string {
	switch {
	case p == "":
		return "/"
	case len(p) > 200:
		return strings.ToValidUTF8(string(p[:200]), "") + "…"
	}
	return string(p)
}
