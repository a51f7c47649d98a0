package histories

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// refusals are those of the contract that these calls can meet.
var refusals = []string{"insufficient_points"}

// A hundred valid calls on one member at the same time: each succeeds or is
// refused for want of points, and the sums come out.
func TestAHundredCallsOnOneMember(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		artefacts(t)
		send := func(method, path string, body any) (int, []byte) {
			res, raw, err := call(t.Context(), url, method, path, body, nil)
			if err != nil {
				t.Error(err)
				return 0, nil
			}
			return res.StatusCode, raw
		}
		must := func(method, path string, body, into any) {
			t.Helper()
			status, raw := send(method, path, body)
			if status/100 != 2 {
				t.Fatalf("%s %s answered %d %s", method, path, status, raw)
			}
			if err := json.Unmarshal(raw, into); err != nil {
				t.Fatal(err)
			}
		}
		type object = map[string]any
		var m struct {
			ID     string
			Points struct{ Available, Held, Debt int64 }
		}
		must("PUT", "/v1/program", json.RawMessage(program), &object{})
		must("POST", "/v1/members", object{"name": "m"}, &m)
		must("POST", "/v1/members/"+m.ID+"/adjustments", object{"points": 1000, "reason": "to begin with"}, &object{})

		type part struct {
			method, path    string
			body            any
			available, held int64 // what it does if it succeeds
		}
		var parts []part
		for i := range 20 {
			var h struct{ ID string }
			must("POST", "/v1/holds", object{"member": m.ID, "points": 5}, &h)
			order := object{
				"source": "till", "id": fmt.Sprint(i), "version": 1, "state": "paid", "currency": "ILS", "member": m.ID,
				"lines": []any{object{"id": "1", "quantity": 1, "unit_price": 300, "amount": 300}},
			}
			adjustment := int64(7)
			if i%2 == 0 {
				adjustment = -60
			}
			parts = append(parts,
				part{"POST", "/v1/orders", order, 3, 0},
				part{"POST", "/v1/holds", object{"member": m.ID, "points": 40}, -40, 40},
				part{"POST", "/v1/redemptions", object{"member": m.ID, "points": 40}, -40, 0},
				part{"POST", "/v1/members/" + m.ID + "/adjustments", object{"points": adjustment, "reason": "by hand"}, adjustment, 0},
				part{"POST", "/v1/holds/" + h.ID + "/release", object{}, 5, -5},
			)
		}
		available, held := int64(900), int64(100)
		refused := 0
		var mu sync.Mutex
		var all sync.WaitGroup
		begin := make(chan struct{})
		for _, p := range parts {
			all.Go(func() {
				<-begin
				status, raw := send(p.method, p.path, p.body)
				var problem struct{ Code string }
				json.Unmarshal(raw, &problem)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case status/100 == 2:
					available += p.available
					held += p.held
				case (status == http.StatusUnprocessableEntity || status == http.StatusConflict) && slices.Contains(refusals, problem.Code) && p.available < 0:
					refused++
				default:
					t.Errorf("%s %s answered %d %s", p.method, p.path, status, raw)
				}
			})
		}
		close(begin)
		all.Wait()

		must("GET", "/v1/members/"+m.ID, nil, &m)
		if m.Points.Available != available || m.Points.Held != held || m.Points.Debt != 0 {
			t.Errorf("%+v, want %d available and %d held", m.Points, available, held)
		}
		var v struct {
			Valid bool
			Books map[string]int64
		}
		must("GET", "/v1/members/"+m.ID+"/ledger/verification", nil, &v)
		var sum int64
		for _, n := range v.Books {
			sum += n
		}
		if !v.Valid || sum != 0 {
			t.Errorf("%+v", v)
		}
		t.Logf("100 calls: %d refused, %d available and %d held at the end", refused, available, held)
	})
}
