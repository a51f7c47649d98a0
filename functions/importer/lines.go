package importer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"regulars/shared/loyalty"
)

// MaxRow is how many bytes a row may have: what a request's body may have.
const MaxRow = 1 << 20

// line is one line of a file, its end included.
type line struct {
	text []byte // nil when it is longer than MaxRow
	n    int64  // its number, from 1
	end  int64  // bytes of the file up to and with it
}

// lines reads a file line by line, never more than MaxRow bytes at once.
type lines struct {
	r     *bufio.Reader
	n     int64  // lines read
	at    int64  // bytes read
	again []line // to be read again, first first
}

var bom = []byte("\ufeff")

func (s *lines) next() (line, error) {
	if len(s.again) > 0 {
		l := s.again[0]
		s.again = s.again[1:]
		return l, nil
	}
	var text []byte
	size := 0
	for {
		part, err := s.r.ReadSlice('\n')
		if size += len(part); size <= MaxRow {
			text = append(text, part...)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == nil || err == io.EOF && size > 0 {
			break
		}
		return line{}, err
	}
	s.n++
	s.at += int64(size)
	if s.n == 1 {
		text = bytes.TrimPrefix(text, bom)
	}
	l := line{text, s.n, s.at}
	if size > MaxRow {
		l.text = nil
	}
	return l, nil
}

// unread gives lines back, to be read again.
func (s *lines) unread(ls []line) { s.again = append(ls[:len(ls):len(ls)], s.again...) }

// record is one record of a CSV file. One that cannot be read is its first
// line only: a quote that is missing must not swallow what follows.
type record struct {
	cells []string
	size  int
	first int64 // line on which it begins
	last  line
	err   *loyalty.Error
	lines []line // to read it again
}

// record reads the next record that is not an empty line.
func (s *lines) record() (record, error) {
	for {
		l, err := s.next()
		if err != nil {
			return record{}, err
		}
		if l.text != nil && len(bytes.TrimSpace(l.text)) == 0 {
			continue
		}
		r := record{first: l.n, last: l, lines: []line{l}}
		text := slices.Clone(l.text)
		for open := odd(l.text); open && len(text) <= MaxRow; {
			more, err := s.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return record{}, err
			}
			r.lines = append(r.lines, more)
			text = append(text, more.text...)
			open = more.text != nil && !odd(more.text)
		}
		if r.cells, r.err = cells(text); r.err != nil {
			s.unread(r.lines[1:])
			r.lines = r.lines[:1]
		}
		r.last = r.lines[len(r.lines)-1]
		r.size = len(text)
		return r, nil
	}
}

// odd tells whether a quote is opened or closed in a text and not the other.
func odd(text []byte) bool { return bytes.Count(text, []byte{'"'})%2 == 1 }

// cells reads the text of one record.
func cells(text []byte) ([]string, *loyalty.Error) {
	switch {
	case text == nil || len(text) > MaxRow:
		return nil, tooLong()
	case !utf8.Valid(text):
		return nil, loyalty.Malformed("/", "", "is not UTF-8: save the file as \"CSV UTF-8\"")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	list, err := r.Read()
	if err == nil {
		if _, err = r.Read(); err == io.EOF {
			return list, nil
		}
	}
	return nil, loyalty.Malformed("/", string(text), "is not a row of CSV: quotes do not match")
}

func tooLong() *loyalty.Error {
	return &loyalty.Error{
		Kind: loyalty.Invalid, Code: "row_too_long", Detail: "the row is too long",
		Details: map[string]any{"path": "/", "value": "", "reason": fmt.Sprintf("a row may have at most %d bytes", MaxRow)},
	}
}
