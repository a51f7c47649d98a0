package durability

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type object = map[string]any

// request is something that a client of the shop wants done, once.
type request struct {
	path  string
	body  object
	key   string
	moves []move // what it does to members' points
	look  string // where its effect can be seen
	field string // there
	shows string // in it

	learn func(answer object) // takes ids out of the answer

	status int // 0: nobody answered
	answer []byte
}

type move struct {
	member          string
	available, held int64
}

// shop sends requests and remembers them all.
type shop struct {
	t      testing.TB
	url    atomic.Value // string
	insist func() bool  // whether a request without a good answer is sent again at once

	mu      sync.Mutex
	keys    int
	journal []*request // in the order of their first sending
	members []string   // that enrolled
	guests  []string   // that came with an order

	unwell atomic.Int64 // answers 5xx
	broken atomic.Int64 // connections that ended without an answer
}

var client = &http.Client{
	Timeout:   29 * time.Second, // what the gate allows a request, and a second
	Transport: &http.Transport{MaxIdleConnsPerHost: 64},
}

// call sends one request. An answer that does not come whole is an error.
func (s *shop) call(method, path, key string, body any) (status int, header http.Header, raw []byte, err error) {
	var payload []byte
	if body != nil {
		if payload, err = json.Marshal(body); err != nil {
			return 0, nil, nil, err
		}
	}
	req, err := http.NewRequest(method, s.url.Load().(string)+path, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	if payload != nil {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(payload)), int64(len(payload)) // without GetBody nothing is sent twice unseen
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	raw, err = io.ReadAll(res.Body)
	return res.StatusCode, res.Header, raw, err
}

// must is call for what has to succeed.
func (s *shop) must(method, path string, body any) object {
	s.t.Helper()
	status, _, raw, err := s.call(method, path, "", body)
	if err != nil || status/100 != 2 {
		s.t.Fatalf("%s %s: %d %s %v", method, path, status, raw, err)
	}
	return decode(s.t, raw)
}

func decode(t testing.TB, raw []byte) (o object) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&o); err != nil {
		t.Errorf("%s: %v", raw, err)
	}
	return o
}

func number(v any) int64 {
	n, _ := v.(json.Number)
	i, err := n.Int64()
	if err != nil {
		panic(fmt.Sprintf("%v is no number", v))
	}
	return i
}

// send does a request for the first time, and tells whether it was answered.
func (s *shop) send(r *request) bool {
	s.mu.Lock()
	s.keys++
	r.key = fmt.Sprint("request ", s.keys)
	s.journal = append(s.journal, r)
	s.mu.Unlock()
	for {
		if s.again(r) {
			return true
		}
		if s.insist == nil || !s.insist() {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// again sends a request that was not answered yet.
func (s *shop) again(r *request) bool {
	status, header, raw, err := s.call("POST", r.path, r.key, r.body)
	var slow interface{ Timeout() bool }
	switch {
	case errors.As(err, &slow) && slow.Timeout():
		s.t.Errorf("%s was not answered within the time of the gate", r.path)
		return false
	case err != nil:
		s.broken.Add(1)
		return false
	case status >= 500:
		s.unwell.Add(1)
		if kind := header.Get("Content-Type"); kind != "application/problem+json" || status != 500 && status != 503 {
			s.t.Errorf("%s answered %d %s %s", r.path, status, kind, raw)
		}
		return false
	case status/100 != 2:
		s.t.Errorf("%s %v answered %d %s", r.path, r.body, status, raw)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.status, r.answer = status, raw
	if r.learn != nil {
		r.learn(decode(s.t, raw))
	}
	return true
}

// enrol makes members with more points than anyone will spend.
func (s *shop) enrol(n int) (ids []string) {
	s.t.Helper()
	for range n {
		id := s.must("POST", "/v1/members", object{"name": "m"})["id"].(string)
		ids = append(ids, id)
		s.members = append(s.members, id)
		gift := &request{
			path: "/v1/members/" + id + "/adjustments", body: object{"points": 1_000_000, "reason": "to begin with"},
			moves: []move{{id, 1_000_000, 0}},
		}
		if !s.send(gift) {
			s.t.Fatal("the gift was not answered")
		}
	}
	return ids
}

var visits atomic.Int64 // numbers them, for the orders' ids

// visit is what a customer does: a few requests, each after the answer to the
// one before. It tells whether all were answered.
func (s *shop) visit(member string, rng *rand.Rand) bool {
	n := 1 + rng.Int64N(50)
	switch rng.IntN(10) {
	case 0, 1:
		return s.send(s.order(member, n, 1, 0))
	case 2, 3:
		return s.refundLater(member, n, rng)
	case 4, 5, 6:
		return s.holdAndEnd(member, n, rng)
	case 7:
		return s.redeemAndCancel(member, n)
	case 8:
		return s.guestWhoStays(member, n)
	}
	return s.send(&request{
		path: "/v1/members/" + member + "/adjustments", body: object{"points": n, "reason": "by hand"}, moves: []move{{member, n, 0}},
	})
}

func (s *shop) order(member string, points, version, refunded int64) *request {
	id := fmt.Sprintf("%d", visits.Add(1))
	return s.orderAs(id, member, points, version, refunded)
}

func (s *shop) orderAs(id, member string, points, version, refunded int64) *request {
	return &request{
		path: "/v1/orders", body: object{
			"source": "till", "id": id, "version": version, "state": "paid", "currency": "ILS", "member": member,
			"lines":    []object{{"id": "1", "quantity": 1, "unit_price": 100 * points, "amount": 100 * points}},
			"refunded": 100 * refunded,
		},
		moves: []move{{member, points, 0}},
		look:  "/v1/orders/till/" + id, field: "points", shows: fmt.Sprint(points - refunded),
	}
}

func (s *shop) refundLater(member string, points int64, rng *rand.Rand) bool {
	first := s.order(member, points, 1, 0)
	if !s.send(first) {
		return false
	}
	back := rng.Int64N(points + 1)
	second := s.orderAs(first.body["id"].(string), member, points, 2, back)
	second.moves = []move{{member, -back, 0}}
	return s.send(second)
}

func (s *shop) holdAndEnd(member string, points int64, rng *rand.Rand) bool {
	var id string
	hold := &request{path: "/v1/holds", body: object{"member": member, "points": points}, moves: []move{{member, -points, points}}}
	hold.learn = func(a object) {
		id = a["id"].(string)
		hold.look, hold.field, hold.shows = "/v1/holds/"+id, "status", "held"
	}
	if !s.send(hold) {
		return false
	}
	switch rng.IntN(5) {
	case 0: // it is left
		return true
	case 1, 2:
		return s.send(&request{
			path: "/v1/holds/" + id + "/release", body: object{}, moves: []move{{member, points, -points}},
			look: "/v1/holds/" + id, field: "status", shows: "released",
		})
	}
	return s.send(&request{
		path: "/v1/holds/" + id + "/capture", body: object{}, moves: []move{{member, 0, -points}},
		look: "/v1/holds/" + id, field: "status", shows: "captured",
	})
}

func (s *shop) redeemAndCancel(member string, points int64) bool {
	var id string
	redemption := &request{path: "/v1/redemptions", body: object{"member": member, "points": points}, moves: []move{{member, -points, 0}}}
	redemption.learn = func(a object) {
		id = a["id"].(string)
		redemption.look, redemption.field, redemption.shows = "/v1/redemptions/"+id, "status", "captured"
	}
	return s.send(redemption) && s.send(&request{
		path: "/v1/redemptions/" + id + "/cancel", body: object{}, moves: []move{{member, points, 0}},
		look: "/v1/redemptions/" + id, field: "status", shows: "cancelled",
	})
}

// guestWhoStays buys unknown and is merged into a member.
func (s *shop) guestWhoStays(member string, points int64) bool {
	var guest string
	first := s.order("", points, 1, 0)
	delete(first.body, "member")
	first.body["customer"] = object{"external_id": first.body["id"]}
	first.moves = nil
	first.learn = func(a object) {
		guest = a["member"].(string)
		s.guests = append(s.guests, guest)
		first.moves = []move{{guest, points, 0}}
	}
	return s.send(first) && s.send(&request{
		path: "/v1/members/" + guest + "/merge", body: object{"into": member}, moves: []move{{guest, -points, 0}, {member, points, 0}},
	})
}

// storm lets clients visit until each of them meets a request without answer
// or stop is closed.
func (s *shop) storm(members []string, clients int, seed uint64, stop <-chan struct{}) *sync.WaitGroup {
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(c)))
			for {
				select {
				case <-stop:
					return
				default:
				}
				if !s.visit(members[rng.IntN(len(members))], rng) {
					return
				}
			}
		})
	}
	return &all
}

// unanswered are the requests that nobody answered, in their order.
func (s *shop) unanswered() (list []*request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.journal {
		if r.status == 0 {
			list = append(list, r)
		}
	}
	return list
}
