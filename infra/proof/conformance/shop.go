package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Target is the system that is judged.
type Target struct {
	URL           string
	Key           string        // of scope admin
	Secret        string        // of the connection standard; "": none is known
	ShopifySecret string        // of the connection shopify; "": Secret
	Slack         time.Duration // how long what is to die soon lives

	loopback bool
}

// shop drives the target as a storefront's back end does. Its steps note what
// differs; a step after which no other makes sense ends the part.
type shop struct {
	ctx       context.Context
	target    Target
	out       io.Writer
	report    *Report
	run       string // makes ids of this run its own
	scenario  string
	parts     int
	differing []string

	rules
	clockwork
}

// newRun is a name that no other run has.
func newRun() string { return strings.ToLower(rand.Text()[:10]) }

// id is an id of this part alone: the same name is the same id within it.
func (s *shop) id(name string) string { return fmt.Sprintf("%s-%s-%d", name, s.run, s.parts) }

// answer is what came back.
type answer struct {
	asked  string // method and path
	status int
	header http.Header
	raw    []byte
	body   map[string]any
}

// at reads a value by its path, "points.available" or "data.0.id".
func (a answer) at(path string) any {
	var v any = a.body
	for p := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			i := -1
			if _, err := fmt.Sscan(p, &i); err != nil || i < 0 || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (a answer) str(path string) string {
	s, _ := a.at(path).(string)
	return s
}

func (a answer) list(path string) []any {
	l, _ := a.at(path).([]any)
	return l
}

// String is the answer for a reader of what differs.
func (a answer) String() string {
	raw := a.raw
	if len(raw) > 1500 {
		raw = append(raw[:1500:1500], "…"...)
	}
	return fmt.Sprintf("%s answered %d %s", a.asked, a.status, raw)
}

// try sends a request with the admin key; headers are name, value pairs, and
// an empty value takes a header away. Many may run at once.
func (s *shop) try(ctx context.Context, method, path string, body any, headers ...string) (answer, error) {
	a := answer{asked: method + " " + path}
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	case []byte:
		raw = b
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			return a, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.target.URL, "/")+path, bytes.NewReader(raw))
	if err != nil {
		return a, err
	}
	req.Header.Set("Authorization", "Bearer "+s.target.Key)
	if len(raw) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	res, err := client.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	a.status, a.header = res.StatusCode, res.Header
	if a.raw, err = io.ReadAll(res.Body); err != nil {
		return a, err
	}
	dec := json.NewDecoder(bytes.NewReader(a.raw))
	dec.UseNumber()
	if dec.Decode(&a.body) != nil {
		a.body = nil // what is no JSON object has none of the values that a step looks for
	}
	return a, nil
}

// client follows no redirect: no route of the API leads elsewhere.
var client = &http.Client{
	Timeout:       35 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// do is try for a step that needs an answer.
func (s *shop) do(method, path string, body any, headers ...string) answer {
	a, err := s.try(s.ctx, method, path, body, headers...)
	s.goOn()
	if err != nil {
		s.fail("no answer: %v", err)
	}
	if a.status >= 500 {
		s.differs("%v: the contract knows no such status", a)
	}
	return a
}

// goOn ends everything after an interrupt.
func (s *shop) goOn() {
	if s.ctx.Err() != nil {
		panic(ended{fmt.Errorf("interrupted in %s", s.scenario)})
	}
}

// parallel does something n times at once.
func (s *shop) parallel(n int, method, path string, body any) []answer {
	answers, errs := make([]answer, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { answers[i], errs[i] = s.try(s.ctx, method, path, body) })
	}
	wg.Wait()
	s.goOn()
	for _, err := range errs {
		if err != nil {
			s.fail("no answer: %v", err)
		}
	}
	return answers
}

// must is do for a request that has to succeed.
func (s *shop) must(method, path string, body any, headers ...string) answer {
	a := s.do(method, path, body, headers...)
	if a.status/100 != 2 {
		s.fail("%v, want success", a)
	}
	return a
}

// refused is do for a request that has to be refused with a code, by a
// problem document.
func (s *shop) refused(status int, code, method, path string, body any, headers ...string) answer {
	a := s.do(method, path, body, headers...)
	if a.status != status || a.str("code") != code {
		s.fail("%v, want %d %s", a, status, code)
	}
	s.problem(a)
	return a
}

type object = map[string]any

// source is where the orders of these scenarios come from. No storefront is
// called so, and it tells their orders from all others.
const source = "conformance"

// order is a paid order of one line of goods, in the program's currency.
func (s *shop) order(name, member string, amount int64, more ...object) object {
	o := object{
		"source": source, "id": s.id(name), "version": 1, "state": "paid", "currency": s.currency, "member": member,
		"lines": []object{{"id": "1", "quantity": 1, "unit_price": amount, "amount": amount}},
	}
	for _, m := range more {
		for k, v := range m {
			o[k] = v
		}
	}
	return o
}

// earn sends an order to the API.
func (s *shop) earn(o object) answer { return s.must("POST", "/v1/orders", o) }

// enrol makes a member and answers its id.
func (s *shop) enrol(name string) string {
	return s.text(s.must("POST", "/v1/members", object{"name": name + " of conformance run " + s.run}), "id")
}

// redeem spends points at once and answers the redemption's id.
func (s *shop) redeem(member string, points int64) string {
	return s.text(s.must("POST", "/v1/redemptions", object{"member": member, "points": points}), "id")
}

func (s *shop) member(id string) answer { return s.must("GET", "/v1/members/"+id, nil) }
