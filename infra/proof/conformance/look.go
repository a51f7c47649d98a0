package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// wrong is what other systems answer, and the mistake behind it.
type wrong map[int64]string

// eq compares a value of an answer: a whole number, a text or a truth.
func (s *shop) eq(a answer, path string, want any, catch ...wrong) {
	got := a.at(path)
	if same(got, want) {
		return
	}
	s.differs("%s: want %v, got %s%s\n%v", path, want, shown(got), mistake(got, catch), a)
}

func same(got, want any) bool {
	switch w := want.(type) {
	case int:
		return got == json.Number(strconv.Itoa(w))
	case int64:
		return got == json.Number(strconv.FormatInt(w, 10))
	}
	return got == want
}

func shown(v any) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprint(v)
}

func mistake(got any, catch []wrong) string {
	n, ok := got.(json.Number)
	if !ok {
		return ""
	}
	i, err := n.Int64()
	if err != nil {
		return ""
	}
	for _, c := range catch {
		if why := c[i]; why != "" {
			return " (" + why + ")"
		}
	}
	return ""
}

// number reads a whole number that a step goes on with.
func (s *shop) number(a answer, path string) int64 {
	n, ok := a.at(path).(json.Number)
	i, err := strconv.ParseInt(string(n), 10, 64)
	if !ok || err != nil {
		s.fail("%s: want a whole number, got %s\n%v", path, shown(a.at(path)), a)
	}
	return i
}

// text reads a text that a step goes on with.
func (s *shop) text(a answer, path string) string {
	t := a.str(path)
	if t == "" {
		s.fail("%s: want a text, got %s\n%v", path, shown(a.at(path)), a)
	}
	return t
}

// points checks what a member has: available, then pairs of pending, held or
// debt and a number, then the wrong numbers to catch.
func (s *shop) points(member string, available int64, more ...any) {
	a := s.member(member)
	var catch []wrong
	if n := len(more); n > 0 {
		if c, ok := more[n-1].(wrong); ok {
			catch, more = []wrong{c}, more[:n-1]
		}
	}
	s.eq(a, "points.available", available, catch...)
	for i := 0; i < len(more); i += 2 {
		s.eq(a, "points."+more[i].(string), more[i+1])
	}
}

// entries is a member's ledger, oldest first.
func (s *shop) entries(member string) []answer {
	var all []answer
	for cursor := ""; ; {
		a := s.must("GET", "/v1/members/"+member+"/ledger?limit=200&cursor="+cursor, nil)
		for _, e := range a.list("data") {
			body, _ := e.(object)
			raw, _ := json.Marshal(e) // it was JSON
			all = append(all, answer{asked: "an entry of " + a.asked, status: a.status, raw: raw, body: body})
		}
		if cursor = a.str("next_cursor"); cursor == "" {
			slices.Reverse(all)
			return all
		}
	}
}

// ledger checks a member's ledger, oldest first, as "earn 120", and that it
// holds: each balance, the chain, and books that sum to zero.
func (s *shop) ledger(member string, want ...string) {
	var got []string
	var sum int64
	for _, e := range s.entries(member) {
		n := s.number(e, "points")
		sum += n
		got = append(got, fmt.Sprintf("%s %d", e.str("type"), n))
		s.eq(e, "balance", sum)
	}
	if !slices.Equal(got, want) {
		s.differs("ledger of %s: want %s\ngot %s", member, strings.Join(want, ", "), strings.Join(got, ", "))
	}
	s.holds(member)
}

// holds checks that a member's ledger recomputes and its books sum to zero.
func (s *shop) holds(member string) {
	v := s.must("GET", "/v1/members/"+member+"/ledger/verification", nil)
	s.eq(v, "valid", true)
	books, _ := v.at("books").(object)
	if len(books) == 0 {
		s.differs("books: want what was issued, redeemed and so on, got nothing\n%v", v)
	}
	var sum int64
	for name := range books {
		sum += s.number(v, "books."+name)
	}
	if sum != 0 {
		s.differs("books: want a sum of 0, got %d\n%v", sum, v)
	}
}

// lots is how many points die when, as "2027-03-15T22:00:00Z 75".
func (s *shop) lots(member string) []string {
	var out []string
	a := s.member(member)
	for i := range a.list("points.expiring") {
		at := fmt.Sprintf("points.expiring.%d.", i)
		out = append(out, fmt.Sprint(a.str(at+"at"), " ", s.number(a, at+"points")))
	}
	return out
}

// dying checks which points of a member die when.
func (s *shop) dying(member string, want ...string) {
	if got := s.lots(member); !slices.Equal(got, want) {
		s.differs("points.expiring of %s: want %s\ngot %s", member, strings.Join(want, ", "), strings.Join(got, ", "))
	}
}

// problem checks that an answer is a problem document.
func (s *shop) problem(a answer) {
	if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/problem+json") {
		s.differs("Content-Type: want application/problem+json, got %s\n%v", kind, a)
	}
	for _, name := range []string{"type", "title", "code", "detail", "request_id"} {
		if a.str(name) == "" {
			s.differs("%s: want a text, got %s\n%v", name, shown(a.at(name)), a)
		}
	}
	if strings.Trim(a.str("code"), "abcdefghijklmnopqrstuvwxyz_") != "" {
		s.differs("code: want snake_case, got %s", a.str("code"))
	}
	s.eq(a, "status", a.status)
}
