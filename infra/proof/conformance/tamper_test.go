package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"regulars/infra/local"
)

// between is the address of a proxy before the target, which may change what
// is asked and what is answered.
func between(t *testing.T, target Target, ask func(*http.Request), answer func(*http.Response, []byte) []byte) string {
	t.Helper()
	u, err := url.Parse(target.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			if ask != nil {
				ask(r.Out)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			if answer != nil {
				body = answer(r, body)
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Length", strconv.Itoa(len(body)))
			return nil
		},
	}
	srv := httptest.NewServer(proxy)
	t.Cleanup(srv.Close)
	return srv.URL
}

// rewrite changes the body of a request.
func rewrite(r *http.Request, change func(string) string) {
	if r.Body == nil {
		return
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	body := change(string(raw))
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
}

// fault is something wrong with a system, and who must notice.
type fault struct {
	name   string
	ask    func(*http.Request)
	answer func(*http.Response, []byte) []byte
	only   string   // what is played
	fails  []string // scenario: part, of which each must fail
	says   string   // what is said of it
}

func (f fault) String() string { return f.name }

// setting makes a system ignore a setting of the program document.
func setting(name string) func(*http.Request) {
	return func(r *http.Request) {
		if r.Method == "PUT" && r.URL.Path == "/v1/program" {
			rewrite(r, func(body string) string {
				var doc object
				if json.Unmarshal([]byte(body), &doc) == nil {
					delete(doc, name)
				}
				raw, _ := json.Marshal(doc)
				return string(raw)
			})
		}
	}
}

// told changes the bodies of requests.
func told(method, path, old, new string) func(*http.Request) {
	where, what := regexp.MustCompile(path), regexp.MustCompile(old)
	return func(r *http.Request) {
		if r.Method == method && where.MatchString(r.URL.Path) {
			rewrite(r, func(body string) string { return what.ReplaceAllString(body, new) })
		}
	}
}

// on calls change for the answers of paths that match.
func on(method, path string, change func(*http.Response, []byte) []byte) func(*http.Response, []byte) []byte {
	re := regexp.MustCompile(path)
	return func(r *http.Response, body []byte) []byte {
		if r.Request.Method == method && re.MatchString(r.Request.URL.Path) {
			return change(r, body)
		}
		return body
	}
}

func replace(old, new string) func(*http.Response, []byte) []byte {
	re := regexp.MustCompile(old)
	return func(_ *http.Response, body []byte) []byte { return re.ReplaceAll(body, []byte(new)) }
}

// freshIDs makes every delivery of an order another order.
func freshIDs() func(*http.Request) {
	var mu sync.Mutex
	n := 0
	return func(r *http.Request) {
		if r.Method == "POST" && r.URL.Path == "/v1/orders" {
			mu.Lock()
			n++
			id := fmt.Sprintf(`"id":"fresh%d-`, n)
			mu.Unlock()
			rewrite(r, func(body string) string { return strings.Replace(body, `"id":"1001`, id, 1) })
		}
	}
}

// faults are what other systems get wrong.
var faults = []fault{
	{
		name: "a point too many", only: "SC1 |SC3",
		answer: on("POST", "^/v1/orders$", func(_ *http.Response, body []byte) []byte {
			var n int
			worth := regexp.MustCompile(`"points":(\d+),"pending"`)
			if m := worth.FindSubmatch(body); m != nil {
				n, _ = strconv.Atoi(string(m[1]))
			}
			return worth.ReplaceAll(body, fmt.Appendf(nil, `"points":%d,"pending"`, n+1))
		}),
		fails: []string{"SC1 duplicates and disorder: as told, by the API", "SC3 partial refunds with a rule change between: three refunds of 16.65"},
		says:  "points: want 75, got 76",
	},
	{
		name: "a delivery counts each time", only: "SC1 ", ask: freshIDs(),
		fails: []string{"SC1 duplicates and disorder: as told, by the API"}, says: "status: want stale, got applied",
	},
	{
		name: "a refund is forgotten", only: "SC1 |SC3|SC4|SC14",
		ask: func(r *http.Request) {
			if r.URL.Path == "/v1/orders" {
				rewrite(r, func(body string) string {
					return regexp.MustCompile(`"refunded":\d+`).ReplaceAllString(body, `"refunded":0`)
				})
			}
		},
		fails: []string{
			"SC1 duplicates and disorder: each of the 30 orders of delivery, by the API", "SC3 partial refunds with a rule change between: three refunds of 16.65",
			"SC4 refund after spending: negative", "SC4 refund after spending: clamp", "SC4 refund after spending: debt", "SC14 guest becomes member: what happens to G happens to A",
		},
		says: "an older version was taken",
	},
	{
		name: "rules are never changed", only: "SC3|SC6", ask: setting("earning"),
		fails: []string{"SC3 partial refunds with a rule change between: three refunds of 16.65", "SC6 expiry at the instant, zone and daylight saving: a double day of 23 hours, in the past"},
		says:  "the new rule does not hold yet",
	},
	{
		name: "one policy for all", only: "SC4", ask: setting("clawback"),
		fails: []string{"SC4 refund after spending: negative", "SC4 refund after spending: clamp"}, says: "points.available: want -120, got 0 (what is missing is not shown)",
	},
	{
		name: "restored points never die", only: "SC5",
		answer: on("GET", "^/v1/members/mem_[0-9A-Z]+$", replace(`\{"at":"[^"]*","points":(200|300)\},?`, "")),
		fails:  []string{"SC5 return of an order partly paid with points: both halves in time"}, says: "points.expiring",
	},
	{
		name: "one expiry for all", only: "SC5|SC6|SC7|SC14", ask: setting("expiry"),
		fails: []string{
			"SC5 return of an order partly paid with points: both halves in time", "SC6 expiry at the instant, zone and daylight saving: a month from the 31st",
			"SC7 lots, earliest first: in real time", "SC14 guest becomes member: three lots with their own dates",
		},
		says: "entries.0.lots.0.expires_at: want 2026-02-28T22:00:00Z, got 2027-01-31T22:00:00Z",
	},
	{
		name: "the zone is UTC", only: "SC6",
		ask: func(r *http.Request) {
			if r.Method == "PUT" && r.URL.Path == "/v1/program" {
				rewrite(r, func(body string) string { return strings.Replace(body, "Asia/Jerusalem", "UTC", 1) })
			}
		},
		fails: []string{
			"SC6 expiry at the instant, zone and daylight saving: the date of a lot", "SC6 expiry at the instant, zone and daylight saving: a double day of 23 hours, in the past",
			"SC6 expiry at the instant, zone and daylight saving: the double day 2027-03-26",
		},
		says: "want 2027-03-15T22:00:00Z, got 2027-03-16T00:00:00Z",
	},
	{
		name: "holds last for ever", only: "SC8", ask: setting("hold"),
		fails: []string{"SC8 ten parallel holds: in real time"}, says: "expires_at: want in",
	},
	{
		name: "points are promised twice", only: "SC8",
		answer: on("POST", "^/v1/holds$", func(r *http.Response, body []byte) []byte {
			if r.StatusCode == 422 {
				r.StatusCode = 201
			}
			return body
		}),
		fails: []string{"SC8 ten parallel holds: in real time"}, says: "want 2 of 10, got 10",
	},
	{
		name: "a replay does not say so", only: "SC8|idempotency",
		answer: func(r *http.Response, body []byte) []byte {
			r.Header.Del("Idempotent-Replayed")
			return body
		},
		fails: []string{"SC8 ten parallel holds: in real time", "idempotency keys: replayed byte for byte", "idempotency keys: a refusal is kept too"},
		says:  `Idempotent-Replayed: want true, got ""`,
	},
	{
		name: "keys are not read", only: "SC8|idempotency",
		ask: func(r *http.Request) { r.Header.Del("Idempotency-Key") },
		fails: []string{
			"SC8 ten parallel holds: in real time", "idempotency keys: replayed byte for byte",
			"idempotency keys: another body under the same key", "idempotency keys: a refusal is kept too",
		},
		says: "replay of POST /v1/members",
	},
	{
		name: "a merge loses the guest", only: "SC14",
		answer: on("GET", "^/v1/members/", replace(`\{"at":"2036-02-0[12][^"]*","points":\d+\},?`, "")),
		fails:  []string{"SC14 guest becomes member: three lots with their own dates"}, says: "2036-02-01T22:00:00Z 80",
	},
	{
		name: "books that do not balance", only: "SC3|SC7",
		answer: on("GET", "/verification$", replace(`"issued":-?\d+`, `"issued":1`)),
		fails:  []string{"SC3 partial refunds with a rule change between: three refunds of 16.65", "SC7 lots, earliest first: on days 20 and 44"}, says: "books: want a sum of 0",
	},
	{
		name: "a ledger that does not hold", only: "SC4",
		answer: on("GET", "/verification$", replace(`"valid":true`, `"valid":false`)),
		fails:  []string{"SC4 refund after spending: debt"}, says: "valid: want true, got false",
	},
	{
		name: "refusals are plain JSON", only: "problem",
		answer: func(r *http.Response, body []byte) []byte {
			if r.StatusCode >= 400 {
				r.Header.Set("Content-Type", "application/json")
			}
			return body
		},
		fails: []string{
			"problem documents: 401: who are you", "problem documents: 403: not with this token", "problem documents: 404: no such thing",
			"problem documents: 404: nothing answers there", "problem documents: 409, 413 and 422", "problem documents: a refused program says where and why",
		},
		says: "Content-Type: want application/problem+json",
	},
	{
		name: "pages come oldest first", only: "paging",
		answer: on("GET", "/(ledger|orders|versions)$", func(_ *http.Response, body []byte) []byte {
			var page struct {
				Data    []json.RawMessage `json:"data"`
				HasMore bool              `json:"has_more"`
				Next    string            `json:"next_cursor,omitempty"`
			}
			if json.Unmarshal(body, &page) != nil {
				return body
			}
			for i, j := 0, len(page.Data)-1; i < j; i, j = i+1, j-1 {
				page.Data[i], page.Data[j] = page.Data[j], page.Data[i]
			}
			raw, _ := json.Marshal(page)
			return raw
		}),
		fails: []string{"paging: a ledger and the orders of a member", "paging: the versions of the program"}, says: "seq in pages of 2: want [5 4 3 2 1], got [4 5 2 3 1]",
	},
	{
		name: "unknown keys are skipped", only: "strict",
		ask: func(r *http.Request) {
			if r.URL.Path == "/v1/orders" {
				rewrite(r, func(body string) string { return strings.Replace(body, `, "colour": "red"`, "", 1) })
			}
		},
		fails: []string{"strict JSON: refused by the API"}, says: "want 400 for",
	},
	{
		name: "any signature will do", only: "signatures",
		ask: func(r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/v1/webhooks/") {
				return
			}
			rewrite(r, func(body string) string {
				for _, headers := range [][]string{signedStandard(testSecret, []byte(body), time.Now()), signedShopify(testSecret, "orders/paid", []byte(body))} {
					for i := 2; i < len(headers); i += 2 {
						r.Header.Set(headers[i], headers[i+1])
					}
				}
				return body
			})
		},
		fails: []string{"webhook signatures: standard", "webhook signatures: shopify"}, says: "want 401",
	},
	{
		name: "a balance is opened each time", only: "history",
		ask: func() func(*http.Request) {
			var n atomic.Int64
			return func(r *http.Request) {
				if r.Method == "POST" && r.URL.Path == "/v1/imports" {
					rewrite(r, func(body string) string {
						return strings.Replace(body, `"conformance"`, fmt.Sprintf(`"conformance%d"`, n.Add(1)), 1)
					})
				}
			}
		}(),
		fails: []string{"history: balances, opened once"}, says: "rows.duplicate: want 1, got 0",
	},
	{
		name: "rows are dropped silently", only: "history",
		answer: on("GET", "^/v1/imports/", func(_ *http.Response, body []byte) []byte {
			return regexp.MustCompile(`"refused":[1-9]\d*`).ReplaceAll(body, []byte(`"refused":0`))
		}),
		fails: []string{"history: orders, the bad rows told of", "history: balances, opened once"}, says: "rows.refused: want 1, got 0",
	},
	{
		name: "an exchange rounds up", only: "coalition",
		answer: on("POST", "^/v1/partners/", func(_ *http.Response, body []byte) []byte {
			return bytes.ReplaceAll(body, []byte(`"units":249`), []byte(`"units":250`))
		}),
		fails: []string{"coalition: a partner's statement"}, says: "units: want 249, got 250 (rounded up)",
	},
	{
		name: "the terms are written by hand", only: "words", ask: setting("earning"),
		fails: []string{"words: terms change with the rules"}, says: "are the same under another rule",
	},
	{
		name: "nobody is in a tier", only: "SC2 |SC9", ask: setting("tiers"),
		fails: []string{"SC2 stacking and rounding: multiply", "SC9 crossing a tier, and back: tier_before"}, says: "tier.id: want gold",
	},
	{
		name: "stamps stay when coffee comes back", only: "SC17",
		ask: func(r *http.Request) {
			rewrite(r, func(body string) string {
				return strings.ReplaceAll(body, `"refunded_quantity":4`, `"refunded_quantity":0`)
			})
		},
		fails: []string{"SC17 punch card of 10: the reward is not used", "SC17 punch card of 10: the reward is used"}, says: "goals.0.have: want 9, got 3",
	},
	{
		name: "a half-year goes by unnoticed", only: "SC18", ask: setting("automatic_rewards"),
		fails: []string{"SC18 reward for a half-year's use: the default after 30 days", "SC18 reward for a half-year's use: the member's choice"}, says: "choices.0.id: want half-year",
	},
	{
		name: "a version is for everyone", only: "SC21", ask: setting("rollout"),
		fails: []string{"SC21 two versions by store: store 1 has the new rule, store 4 the old"}, says: "the new version is in force everywhere",
	},
	{
		name: "a bonus can be paid out", only: "SC22",
		ask: func(r *http.Request) {
			rewrite(r, func(body string) string { return strings.ReplaceAll(body, `"kind":"bonus"`, `"kind":"cashback"`) })
		},
		fails: []string{"SC22 cashback is not bonus: a payout"}, says: "wallets.bonus.withdrawable: want 0, got 50000",
	},
	{
		name: "a draft's filters are not asked", only: "SC19",
		ask: func(r *http.Request) {
			if r.URL.Path == "/v1/simulations" {
				rewrite(r, func(body string) string { return strings.Replace(body, `,"where":{"minimum_amount":1000}`, "", 1) })
			}
		},
		fails: []string{"SC19 simulation of a draft: 49.95, 120.00 and 9.99"}, says: "the minimum of an order is not asked for",
	},
	{
		name: "one rung for every rank", only: "SC10", ask: told("PUT", "^/v1/program$", `,\{"points":150,"rank":3\},\{"points":200,"rank":6\}`, ""),
		fails: []string{"SC10 referral ladder with fraud and refund: the ladder"}, says: "points.available: want 500, got 400 (one reward for every rank)",
	},
	{
		name: "a refund leaves the rewards", only: "SC10", ask: told("POST", "^/v1/orders$", `"refunded":\d+`, `"refunded":0`),
		fails: []string{"SC10 referral ladder with fraud and refund: the ladder", "SC10 referral ladder with fraud and refund: told twice and in any order"}, says: "status: want cancelled, got pending",
	},
	{
		name: "no minimum is asked", only: "SC10", ask: told("PUT", "^/v1/program$", `"minimum":3000`, `"minimum":0`),
		fails: []string{"SC10 referral ladder with fraud and refund: the ladder", "SC10 referral ladder with fraud and refund: told twice and in any order"}, says: "order.id: want o5b-",
	},
	{
		name: "rewards do not wait", only: "SC10", ask: told("PUT", "^/v1/program$", `"hold":"P14D"`, `"hold":"P1D"`),
		fails: []string{"SC10 referral ladder with fraud and refund: the ladder"}, says: "points.available: want 0, got 500",
	},
	{
		name: "a tag makes another person", only: "SC10", ask: told("POST", "^/v1/(orders|referrals)$", `\+x@gmail.com`, "-x@gmail.com"),
		fails: []string{"SC10 referral ladder with fraud and refund: the ladder"}, says: "status: want blocked, got pending",
	},
	{
		name: "nobody looks at networks", only: "SC10", ask: told("POST", "^/v1/referrals$", `"ip":"[^"]*"`, `"ip":""`),
		fails: []string{"SC10 referral ladder with fraud and refund: a seventh friend from the network of ten others"}, says: "status: want review, got registered",
	},
	{
		name: "whoever is told last wins", only: "SC10", ask: told("POST", "^/v1/referrals$", `"clicked_at":"[^"]*",`, ""),
		fails: []string{"SC10 referral ladder with fraud and refund: the last click wins"}, says: "reasons of a referral: want later_click, got ",
	},
	{
		name: "a friend has a hundred days", only: "SC10", ask: told("PUT", "^/v1/program$", `"window":"P30D"`, `"window":"P100D"`),
		fails: []string{"SC10 referral ladder with fraud and refund: the first order within thirty days"}, says: "status: want cancelled, got pending",
	},
	{
		name: "codes on orders are not read", only: "SC10", ask: told("POST", "^/v1/orders$", `"referral_code":"[^"]*",`, ""),
		fails: []string{"SC10 referral ladder with fraud and refund: a code on the order"}, says: "data.0.way: want order, got nothing",
	},
	{
		name: "points do not wait", only: "SC15", ask: told("PUT", "^/v1/program$", `"pending":"P14D"`, `"pending":"P0D"`),
		fails: []string{"SC15 liability that ties: 20 000 earned"}, says: "total.pending: want 2500 more than before, got 0 (pending points are not shown)",
	},
	{
		name: "books that lack a member", only: "SC15",
		answer: on("GET", "^/v1/reports/liability$", replace(`"ties":true`, `"ties":false`)),
		fails:  []string{"SC15 liability that ties: 20 000 earned"}, says: "ties: want true, got false",
	},
	{
		name: "everything is redeemed", only: "SC15",
		ask: func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "expected_redemption=0.8", "expected_redemption=1", 1)
		},
		fails: []string{"SC15 liability that ties: 20 000 earned"}, says: "total.cost: want 48000 more than before, got 60000 (all points",
	},
	{
		name: "who leaves is not told of", only: "SC16",
		answer: on("GET", "^/_local/events$", replace(`"segment\.left"`, `"segment.lost"`)),
		fails:  []string{"SC16 five-way and Pareto: 63.70, 27.40 and 8.90 %"}, says: "want 4, got 2",
	},
	{
		name: "spend is gross", only: "SC16", ask: told("POST", "^/v1/orders$", `"refunded":\d+`, `"refunded":0`),
		fails: []string{"SC16 five-way and Pareto: 63.70, 27.40 and 8.90 %"}, says: "after a refund of 3000 to the second; got [0 1]",
	},
	{
		name: "what is cancelled still counts", only: "SC16", ask: told("POST", "^/v1/orders$", `"state":"cancelled"`, `"state":"paid"`),
		fails: []string{"SC16 five-way and Pareto: 63.70, 27.40 and 8.90 %"}, says: "of the two 700s that of the earlier first purchase; got",
	},
	{
		name: "who brings themselves is paid", only: "SC14",
		answer: on("GET", "^/v1/referrals/", replace(`"status":"blocked","reasons":\["self_referral"\]`, `"status":"qualified","reasons":[]`)),
		fails:  []string{"SC14 guest becomes member: A had referred G"}, says: "status: want blocked, got qualified",
	},
	{
		name: "a link leads anywhere", only: "links",
		answer: on("GET", "^/r/", func(r *http.Response, body []byte) []byte {
			if to := r.Request.URL.Query().Get("url"); to != "" {
				r.Header.Set("Location", to)
			}
			return body
		}),
		fails: []string{"links: a link leads to the shop"}, says: "got https://elsewhere.example",
	},
	{
		name: "robots are people", only: "links",
		ask: func(r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/r/") {
				r.Header.Set("User-Agent", strings.Replace(r.UserAgent(), "WhatsApp", "Firefox", 1))
			}
		},
		fails: []string{"links: clicks are counted"}, says: "clicks: want 3 more, got 4",
	},
	{
		name: "every request makes a code", only: "links",
		answer: on("POST", "/referral-code$", func() func(*http.Response, []byte) []byte {
			var n atomic.Int64
			return func(_ *http.Response, body []byte) []byte {
				return bytes.Replace(body, []byte(`"code":"`), fmt.Appendf(nil, `"code":"N%d`, n.Add(1)), 1)
			}
		}()),
		fails: []string{"links: a code is given once"}, says: "code: want N",
	},
	{
		name: "one picture for all", only: "links",
		answer: on("GET", "/qr.svg$", func(*http.Response, []byte) []byte { return []byte("<svg/>") }),
		fails:  []string{"links: a picture of the link"}, says: "two codes have the same picture",
	},
	{
		name: "it falls over", only: "SC7|paging",
		answer: on("GET", "^/v1/members/mem_", func(r *http.Response, body []byte) []byte {
			r.StatusCode = 500
			return []byte("<html>")
		}),
		fails: []string{"SC7 lots, earliest first: in real time", "paging: a ledger and the orders of a member"}, says: "answered 500 <html>",
	},
	{
		name: "it answers something else", only: "SC14|idempotency",
		answer: on("POST", "^/v1/(members|orders)", func(r *http.Response, body []byte) []byte { return []byte(`[1, 2]`) }),
		fails:  []string{"SC14 guest becomes member: three lots with their own dates", "idempotency keys: replayed byte for byte"}, says: "id: want a text, got nothing",
	},
}

// A kit that cannot fail proves nothing: each fault is noticed, by its name.
func TestFaultsAreNoticed(t *testing.T) {
	t.Parallel()
	if _, _, err := judgeThrough(t, fault{only: "SC3|SC4|problem|strict"}); err != nil {
		t.Fatalf("without a fault: %v", err)
	}
	noticed := map[string]bool{}
	for _, f := range faults {
		for _, name := range f.fails {
			scenario, _, _ := strings.Cut(name, ": ")
			noticed[scenario] = true
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			r, out, err := judgeThrough(t, f)
			if err == nil {
				t.Fatalf("nothing was noticed:\n%s", out)
			}
			failed := map[string]bool{}
			for _, p := range r.Parts {
				failed[p.Scenario+": "+p.Name] = p.Outcome == Failed
			}
			for _, name := range f.fails {
				if !failed[name] {
					t.Errorf("%s did not fail:\n%s", name, out)
				}
				if !strings.Contains(out, "FAIL\n") || !strings.Contains(out, "\n  "+name+"\n") {
					t.Errorf("the summary does not name %s:\n%s", name, out)
				}
			}
			if !strings.Contains(out, f.says) {
				t.Errorf("it does not say %q:\n%s", f.says, out)
			}
		})
	}
	for _, s := range scenarios {
		if !noticed[s.Name] {
			t.Errorf("no fault was tried that %s must notice", s.Name)
		}
	}
}

// judgeThrough judges a host that has a fault. The error is nil when all holds.
func judgeThrough(t *testing.T, f fault) (Report, string, error) {
	t.Helper()
	target := host(t, local.Config{})
	target.URL = between(t, target, f.ask, f.answer)
	chosen, err := choose(f.only)
	if err != nil {
		t.Fatal(err)
	}
	var out lockedBuffer
	r, err := Play(t.Context(), target, chosen, &out)
	if err == nil && r.Count(Failed) > 0 {
		err = fmt.Errorf("%d parts failed", r.Count(Failed))
	}
	return r, out.String(), err
}
