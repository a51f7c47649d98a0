package dynamo

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"regulars/shared/table"
)

// lean takes the items out of an answer before the SDK makes maps of them,
// which is what a walk over millions would spend its time on. The SDK gets
// the rest, as if the answer had no items: it still knows of errors, of where
// to go on, and of what was not processed.
type lean struct {
	item func(pk, sk, side []byte) error // of each; may not be kept
}

// bodies are of answers that were read.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// option makes a call of the client lean.
func (l *lean) option(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], func(stack *middleware.Stack) error {
		return stack.Deserialize.Insert(l, "OperationDeserializer", middleware.After)
	})
}

// ID implements middleware.DeserializeMiddleware.
func (*lean) ID() string { return "lean" }

// HandleDeserialize implements middleware.DeserializeMiddleware.
func (l *lean) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, md, err := next.HandleDeserialize(ctx, in)
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || resp.StatusCode != 200 {
		return out, md, err
	}
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	_, err = body.ReadFrom(resp.Body)
	resp.Body.Close()
	if err != nil {
		return out, md, err
	}
	rest, err := l.strip(body.Bytes())
	if err != nil {
		return out, md, fmt.Errorf("an answer that is not DynamoDB's: %w", err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(rest))
	return out, md, nil
}

// strip tells of each item of an answer of Query or BatchGetItem, and answers
// the answer without them, of which it keeps nothing.
func (l *lean) strip(body []byte) ([]byte, error) {
	s := scanner{b: body}
	from, to := 0, 0
	err := s.object(func(name []byte) error {
		switch string(name) {
		case "Items":
			from = s.i
			err := s.array(l.one(&s))
			to = s.i
			return err
		case "Responses":
			return s.object(func([]byte) error {
				from = s.i
				err := s.array(l.one(&s))
				to = s.i
				return err
			})
		}
		return s.skip()
	})
	if err != nil || from == 0 {
		return bytes.Clone(body), err
	}
	return append(append(append([]byte{}, body[:from]...), "[]"...), body[to:]...), nil
}

// one reads an item at the scanner's place. Its strings point into the answer
// unless they have escapes. What it needs is made once for all items.
func (l *lean) one(s *scanner) func() error {
	var pk, sk, packed, side []byte // side is used again for every item
	var into *[]byte
	value := func([]byte) (err error) {
		if into == nil {
			return s.skip()
		}
		*into, err = s.text()
		return err
	}
	attribute := func(name []byte) error {
		switch string(name) {
		case table.AttrPK:
			into = &pk
		case table.AttrSK:
			into = &sk
		case table.AttrSide:
			into = &packed
		default:
			into = nil
		}
		return s.object(value)
	}
	return func() (err error) {
		if !s.plain(&pk, &sk, &packed) {
			pk, sk, packed = nil, nil, nil
			if err := s.object(attribute); err != nil {
				return err
			}
		}
		if side, err = base64.StdEncoding.AppendDecode(side[:0], packed); err != nil {
			return err
		}
		if packed == nil {
			return l.item(pk, sk, nil)
		}
		return l.item(pk, sk, side)
	}
}

// How DynamoDB writes what begins an attribute.
var (
	headPK   = []byte(`"` + table.AttrPK + `":{"S":"`)
	headSK   = []byte(`"` + table.AttrSK + `":{"S":"`)
	headSide = []byte(`"` + table.AttrSide + `":{"B":"`)
)

// plain reads an item of nothing but what is asked for, written without spaces and
// escapes, as nearly all are. Where one is not, it reads nothing and answers false.
func (s *scanner) plain(pk, sk, packed *[]byte) bool {
	*pk, *sk, *packed = nil, nil, nil
	rest := s.b[s.i:]
	for before := byte('{'); len(rest) > 0 && rest[0] == before; before = ',' {
		into := pk
		switch rest = rest[1:]; {
		case bytes.HasPrefix(rest, headPK):
			rest = rest[len(headPK):]
		case bytes.HasPrefix(rest, headSK):
			rest, into = rest[len(headSK):], sk
		case bytes.HasPrefix(rest, headSide):
			rest, into = rest[len(headSide):], packed
		default:
			return false
		}
		end := bytes.IndexByte(rest, '"')
		if end < 0 || bytes.IndexByte(rest[:end], '\\') >= 0 || len(rest) < end+3 || rest[end+1] != '}' {
			return false
		}
		*into, rest = rest[:end], rest[end+2:]
		if rest[0] == '}' {
			s.i = len(s.b) - len(rest) + 1
			return true
		}
	}
	return false
}

// scanner reads JSON as it comes over the wire, without making anything of it.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) fail() error { return fmt.Errorf("unexpected JSON at byte %d of %d", s.i, len(s.b)) }

// peek is the next byte that is no space; 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) take(c byte) error {
	if s.peek() != c {
		return s.fail()
	}
	s.i++
	return nil
}

// object calls member with each name, at its value, which it has to read.
func (s *scanner) object(member func(name []byte) error) error {
	if err := s.take('{'); err != nil {
		return err
	}
	for n := 0; ; n++ {
		if s.peek() == '}' && n == 0 {
			s.i++
			return nil
		}
		name, err := s.text()
		if err != nil {
			return err
		}
		if err := s.take(':'); err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
		if s.peek() == '}' {
			s.i++
			return nil
		}
		if err := s.take(','); err != nil {
			return err
		}
	}
}

// array calls element at each of its values, which it has to read.
func (s *scanner) array(element func() error) error {
	if err := s.take('['); err != nil {
		return err
	}
	for n := 0; ; n++ {
		if s.peek() == ']' && n == 0 {
			s.i++
			return nil
		}
		if err := element(); err != nil {
			return err
		}
		if s.peek() == ']' {
			s.i++
			return nil
		}
		if err := s.take(','); err != nil {
			return err
		}
	}
}

// text reads a string.
func (s *scanner) text() ([]byte, error) {
	if err := s.take('"'); err != nil {
		return nil, err
	}
	end := bytes.IndexByte(s.b[s.i:], '"')
	if end < 0 {
		return nil, s.fail()
	}
	if v := s.b[s.i : s.i+end]; bytes.IndexByte(v, '\\') < 0 { // as nearly all are
		s.i += end + 1
		return v, nil
	}
	start := s.i - 1
	for s.i < len(s.b) && s.b[s.i] != '"' {
		if s.b[s.i] == '\\' {
			s.i++
		}
		s.i++
	}
	if s.i >= len(s.b) {
		return nil, s.fail()
	}
	s.i++
	var v string
	if err := json.Unmarshal(s.b[start:s.i], &v); err != nil {
		return nil, err
	}
	return []byte(v), nil
}

// skip passes over a value.
func (s *scanner) skip() error {
	switch c := s.peek(); c {
	case '{':
		return s.object(func([]byte) error { return s.skip() })
	case '[':
		return s.array(s.skip)
	case '"':
		_, err := s.text()
		return err
	case 0:
		return s.fail()
	}
	start := s.i
	for s.i < len(s.b) && bytes.IndexByte([]byte(",]} \t\r\n"), s.b[s.i]) < 0 {
		s.i++
	}
	if s.i == start {
		return s.fail()
	}
	return nil
}
