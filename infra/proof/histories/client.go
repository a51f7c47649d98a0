package histories

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const apiKey = "sk_histories"

// wire writes a request as the API takes it.
func (g *group) wire(r request) (method, path string, body map[string]any) {
	id := g.members[r.Member]
	held := func() string { return g.holds[r.Hold] }
	switch r.Kind {
	case earn:
		return "POST", "/v1/orders", map[string]any{
			"source": "till", "id": fmt.Sprintf("%d-%d", g.number, r.Order), "version": r.Version, "state": "paid", "currency": "ILS", "member": id,
			"lines":    []any{map[string]any{"id": "1", "quantity": 1, "unit_price": r.Amount, "amount": r.Amount}},
			"refunded": r.Refunded,
		}
	case hold:
		return "POST", "/v1/holds", map[string]any{"member": id, "points": r.Points}
	case redeem:
		return "POST", "/v1/redemptions", map[string]any{"member": id, "points": r.Points}
	case capture, release:
		return "POST", "/v1/holds/hld_" + held() + "/" + string(r.Kind), map[string]any{}
	case cancel:
		return "POST", "/v1/redemptions/rdm_" + held() + "/cancel", map[string]any{}
	case adjust:
		return "POST", "/v1/members/" + id + "/adjustments", map[string]any{"points": r.Points, "reason": "by hand"}
	case merge:
		return "POST", "/v1/members/" + id + "/merge", map[string]any{"into": g.members[r.Into]}
	case readMember:
		return "GET", "/v1/members/" + id, nil
	case readOrder:
		return "GET", fmt.Sprintf("/v1/orders/till/%d-%d", g.number, r.Order), nil
	case readHold:
		return "GET", "/v1/holds/hld_" + held(), nil
	case verify:
		return "GET", "/v1/members/" + id + "/ledger/verification", nil
	}
	panic("no such kind: " + r.Kind)
}

// call sends a request and reads its answer, unless ctx ends before.
func call(ctx context.Context, url, method, path string, body any, header http.Header) (*http.Response, []byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, url+path, nil)
	if err != nil {
		return nil, nil, err
	}
	if method != "GET" {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw)) // without GetBody nothing is sent twice unseen
	}
	for name, v := range header {
		req.Header[name] = v
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	return res, all, err
}

var client = &http.Client{
	Timeout:   30 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64},
}

// shown is all that the answers of all routes show, together.
type shown struct {
	ID         string
	Status     json.RawMessage // a number in problem documents
	Code       string
	Member     string
	Points     json.RawMessage // an object for members
	Value      struct{ Amount int64 }
	Restored   int64
	Version    json.RawMessage // of an order
	Entries    json.RawMessage // a list for orders, a number for a verification
	Seq        int64
	Balance    int64
	Pending    int64
	Valid      *bool
	Captured   json.RawMessage `json:"captured_at"`
	Redemption string
	Details    struct{ Available int64 }
}

// understand is what an answer says, and the id of the hold that it shows.
func (g *group) understand(r request, status int, body []byte) (a answer, held string, err error) {
	var s shown
	if err := json.Unmarshal(body, &s); err != nil {
		return a, "", err
	}
	a.Status = status
	if status >= 300 {
		a.Code, a.Available = s.Code, s.Details.Available
		return a, "", nil
	}
	who := func(id string) error {
		i, ok := g.index[id]
		if a.Member = i + 1; !ok {
			return fmt.Errorf("%q is nobody of the group", id)
		}
		return nil
	}
	text := func(raw json.RawMessage, to any) {
		if e := json.Unmarshal(raw, to); e != nil && err == nil {
			err = e
		}
	}
	switch r.Kind {
	case earn, readOrder:
		err = who(s.Member)
		text(s.Points, &a.Points)
		if a.Pending = s.Pending; r.Kind == earn {
			text(s.Status, &a.State)
		} else {
			text(s.Version, &a.Version)
		}
		var entries []struct{ Seq, Balance int64 }
		text(s.Entries, &entries)
		if a.Entries = int64(len(entries)); a.Entries > 0 {
			a.Seq, a.Balance = entries[a.Entries-1].Seq, entries[a.Entries-1].Balance
		}
	case hold, redeem, capture, release, cancel, readHold:
		err = who(s.Member)
		text(s.Status, &a.State)
		text(s.Points, &a.Points)
		a.Value, a.Restored = s.Value.Amount, s.Restored
		if r.Kind == hold || r.Kind == redeem {
			_, held, _ = strings.Cut(s.ID, "_")
		}
	case adjust:
		text(s.Points, &a.Points)
		a.Seq, a.Balance = s.Seq, s.Balance
	case merge, readMember:
		err = who(s.ID)
		var p struct{ Available, Pending, Held, Debt int64 }
		text(s.Points, &p)
		a.Available, a.Pending, a.Held, a.Debt = p.Available, p.Pending, p.Held, p.Debt
	case verify:
		if s.Valid != nil && *s.Valid {
			a.State = "valid"
		}
		text(s.Entries, &a.Entries)
	}
	return a, held, err
}
