package histories

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// rewarding is a program with a punch card of one and a wallet of cashback.
const rewarding = `{"currency": "ILS", "expiry": "none", "wallets": [{"id": "cash", "kind": "cashback"}], "earning": {"rules": [
	{"id": "cashback", "on": "order", "wallet": "cash", "rate": {"points": 1, "amount": 100}},
	{"id": "card", "on": "order", "punch_card": {"size": 1, "reward": "coffee"}}]}}`

// Many tills take one voucher, many devices ask for the same money, and many
// people decide about each payout, at the same time: a voucher is used once,
// what is paid out is what was there, and each payout is decided once.
func TestVouchersAndPayoutsAreGivenOnce(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		artefacts(t)
		type object = map[string]any
		must := func(method, path string, body, into any) {
			t.Helper()
			res, raw, err := call(t.Context(), url, method, path, body, nil)
			if err != nil || res.StatusCode/100 != 2 {
				t.Fatalf("%s %s: %v %s", method, path, err, raw)
			}
			if err := json.Unmarshal(raw, into); err != nil {
				t.Fatal(err)
			}
		}
		// together sends n requests at once and answers the bodies of those that
		// succeed; all others have to be refused with that code.
		together := func(n int, refusal string, send func(i int) (path string, body any)) (done []map[string]any) {
			t.Helper()
			var mu sync.Mutex
			var all sync.WaitGroup
			begin := make(chan struct{})
			for i := range n {
				all.Go(func() {
					path, body := send(i)
					<-begin
					res, raw, err := call(t.Context(), url, "POST", path, body, nil)
					var answer map[string]any
					if err == nil {
						err = json.Unmarshal(raw, &answer)
					}
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err != nil:
						t.Error(err)
					case res.StatusCode/100 == 2:
						done = append(done, answer)
					case answer["code"] != refusal || res.StatusCode != http.StatusUnprocessableEntity && res.StatusCode != http.StatusConflict:
						t.Errorf("%s answered %d %s", path, res.StatusCode, raw)
					}
				})
			}
			close(begin)
			all.Wait()
			return done
		}

		var m struct {
			ID      string
			Wallets map[string]struct{ Available, Held int64 }
		}
		must("PUT", "/v1/program", json.RawMessage(rewarding), &object{})
		must("POST", "/v1/members", object{"name": "m"}, &m)
		must("POST", "/v1/orders", object{
			"source": "till", "id": "1", "version": 1, "state": "paid", "currency": "ILS", "member": m.ID,
			"lines": []any{object{"id": "1", "quantity": 3, "amount": 105_000}},
		}, &object{})

		var vouchers struct{ Data []struct{ Code string } }
		must("GET", "/v1/members/"+m.ID+"/vouchers", nil, &vouchers)
		if len(vouchers.Data) != 3 {
			t.Fatalf("%d vouchers for three pieces", len(vouchers.Data))
		}
		for _, v := range vouchers.Data {
			for range 2 { // and again when it was given back
				if done := together(20, "voucher_not_usable", func(i int) (string, any) {
					return "/v1/vouchers/redeem", object{"code": v.Code, "order": object{"source": "till", "id": fmt.Sprint("b", i)}}
				}); len(done) != 1 {
					t.Errorf("voucher %s was used %d times", v.Code, len(done))
				}
				must("POST", "/v1/vouchers/"+v.Code+"/release", object{}, &object{})
			}
		}

		asked := together(30, "insufficient_points", func(int) (string, any) {
			return "/v1/payouts", object{"member": m.ID, "wallet": "cash", "amount": 100}
		})
		if len(asked) != 10 { // of 1,050
			t.Errorf("%d payouts were taken", len(asked))
		}
		approved := int64(0)
		for _, payout := range asked {
			path := "/v1/payouts/" + payout["id"].(string)
			done := together(6, "payout_decided", func(i int) (string, any) {
				return path + []string{"/approve", "/reject"}[i%2], object{}
			})
			if len(done) == 0 {
				t.Fatalf("nobody could decide about %s", path)
			}
			for _, d := range done {
				if d["status"] != done[0]["status"] {
					t.Errorf("%s was both approved and rejected", path)
				}
			}
			if strings.HasPrefix(fmt.Sprint(done[0]["status"]), "approved") {
				approved += 100
			}
		}
		must("GET", "/v1/members/"+m.ID, nil, &m)
		if cash := m.Wallets["cash"]; cash.Available != 1050-approved || cash.Held != 0 {
			t.Errorf("%d of 1050 were paid out, and %+v is left", approved, cash)
		}
	})
}
