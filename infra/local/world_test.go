package local_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"regulars/infra/local"
	"regulars/shared/table"
)

// party is somebody and what she has.
type party struct {
	name, program                          string
	member, hold, redemption, order        string
	payout, voucher, simulation            string
	segment, run                           string // that the program defined, and of a run that put members into it
	email, phone, external, connection, of string
	imports                                string
	card, guest                            string // a card that nobody bound, and whom it collects for
	code, referral, friend                 string // her code, and a friend by it who is under review
}

// marks are texts that stand in an answer only if it tells of the party.
func (p party) marks() []string {
	return []string{p.member, strings.TrimPrefix(p.member, "mem_"), p.hold, p.redemption, p.imports, p.order, p.payout, p.voucher, p.email, strings.TrimPrefix(p.phone, "+"), p.external, p.of, p.card, p.guest, strings.TrimPrefix(p.guest, "mem_"), p.referral, p.friend}
}

// credential is what a caller shows, and who that makes him.
type credential struct {
	name, authorization string
	scope               string // "" when it is worth nothing
	program, member     string
}

// world is a host with two programs and everybody in them.
type world struct {
	*shop
	ops         []operation
	credentials []credential
	objects     []party
	mine        map[string]party // a member of each program that nothing is asked for
	place       string
	n           int
	asked       int

	simulations, runs map[string]string // one of each program
}

// operation is one of the description.
type operation struct {
	id, method, path string
	scopes           []string
	taken            []int // statuses of success
}

var programKeys = map[string]string{local.Program: key, "other": "sk_other_admin"}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{simulations: map[string]string{}, runs: map[string]string{}, shop: newWild(t).shop, mine: map[string]party{}}
	ctx := context.Background()
	if err := w.host.AddProgram(ctx, "other", programKeys["other"], table.Connection{ID: "othershop", Kind: "standard"}); err != nil {
		t.Fatal(err)
	}
	w.clock("2026-03-15T08:00:00Z")
	now := time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC).Unix()
	for name, k := range map[string]table.APIKey{
		"sk_server":       {Program: local.Program, Scope: "server", Until: now + 1},
		"sk_expired":      {Program: local.Program, Scope: "admin", Until: now},
		"sk_revoked":      {Program: local.Program, Scope: "admin", Revoked: now - 1},
		"sk_other_server": {Program: "other", Scope: "server"},
	} {
		if err := w.host.PutKey(ctx, name, k); err != nil {
			t.Fatal(err)
		}
	}
	for program, admin := range programKeys {
		w.must("PUT", "/v1/program", strings.Replace(everything, "<program>", program, 1), "Authorization", "Bearer "+admin)
		w.mine[program] = w.party("mine", program)
	}
	own, theirs := w.party("own", local.Program), w.party("theirs", "other")
	w.objects = []party{own, w.party("neighbour", local.Program), theirs, {
		name: "nobody", member: "mem_01NOBODY", hold: "hld_01NOBODY", redemption: "rdm_01NOBODY", order: "nobodys", payout: "pay_01NOBODY", voucher: "NBDY-NBDY-NBDY", simulation: "sim_01NOBODY", segment: "of-nobody", run: "seg_01NOBODY", email: "nobody@example.com", phone: "+97259", external: "nobodys", connection: "nobody", of: "-", imports: "imp_01NOBODY", card: "nobodys-card", guest: "mem_01NOBODYS",
		code: "nobodys7", referral: "rfl_20260301NOBODY", friend: "-",
	}}

	token := func(p party) string {
		return w.must("POST", "/v1/members/"+p.member+"/tokens", nil, "Authorization", "Bearer "+programKeys[p.program]).str("token")
	}
	revoked := token(own)
	w.must("DELETE", "/v1/members/"+own.member+"/tokens", nil)
	w.clock("2026-03-15T07:45:00Z")
	expired := token(own)
	w.clock("2026-03-15T08:00:00Z")
	gone, erased := w.party("gone", local.Program), w.party("erased", local.Program)
	merged, nobodys := token(gone), token(erased)
	w.must("POST", "/v1/members/"+gone.member+"/merge", object{"into": w.mine[local.Program].member})
	w.must("POST", "/v1/privacy/erasures", object{"member": erased.member})
	good := token(own)
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + strings.Split(good, ".")[1] + "."
	w.credentials = []credential{
		{name: "none"},
		{name: "another scheme", authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+key))},
		{name: "garbage", authorization: "Bearer sk_nobody"},
		{name: "garbage that looks like a token", authorization: "Bearer a.b.c"},
		{name: "an unsigned token", authorization: "Bearer " + unsigned},
		{name: "an expired token", authorization: "Bearer " + expired},
		{name: "a revoked token", authorization: "Bearer " + revoked},
		{name: "the token of a member merged away", authorization: "Bearer " + merged},
		{name: "the token of an erased member", authorization: "Bearer " + nobodys},
		{name: "an expired key", authorization: "Bearer sk_expired"},
		{name: "a revoked key", authorization: "Bearer sk_revoked"},
		{name: "a member", authorization: "Bearer " + good, scope: "member", program: local.Program, member: own.member},
		{name: "a server", authorization: "Bearer sk_server", scope: "server", program: local.Program},
		{name: "an admin", authorization: "Bearer " + key, scope: "admin", program: local.Program},
		{name: "another program's member", authorization: "Bearer " + token(theirs), scope: "member", program: "other", member: theirs.member},
		{name: "another program's server", authorization: "Bearer sk_other_server", scope: "server", program: "other"},
		{name: "another program's admin", authorization: "Bearer " + programKeys["other"], scope: "admin", program: "other"},
	}
	w.ops = operations(t, w.host)
	w.written()
	return w
}

// everything is a program of which every route has something to do.
const everything = `{
	"shop": {"url": "https://<program>.shop.example/"},
	"wallets": [{"id": "cashback", "kind": "cashback"}, {"id": "bonus", "kind": "bonus"}],
	"rewards": [{"id": "free-coffee", "lasts": "P60D"}],
	"earning": {"rules": [
		{"id": "base", "on": "order", "rate": {"points": 1, "amount": 100}},
		{"id": "back", "on": "order", "rate": {"points": 1, "amount": 100}, "wallet": "cashback"},
		{"id": "own-cup", "on": "activity", "activity": "own_cup", "points": 10},
		{"id": "top-up", "on": "activity", "activity": "top_up", "rate": {"points": 1, "amount": 10}, "wallet": "bonus"}
	]},
	"achievements": [{"id": "stamped", "count": "activities", "activity": "stamp", "reach": 1, "repeat": true, "reward": "free-coffee"}],
	"plans": [{"id": "plus", "activity": "joined", "ends_with": "left", "lasts": "P1M", "benefits": {"early_access": true}}],
	"tiers": {"levels": [{"id": "silver", "from": 1, "benefits": {"free_delivery": true, "return_days": 60}}, {"id": "gold", "from": 100000000}]},
	"automatic_rewards": [{"id": "quarterly", "every": "P3M", "choose_within": "P3M", "brackets": [
		{"from": 1, "choices": [{"id": "some", "points": 5}, {"id": "more", "wallet": "bonus", "points": 7}, {"id": "coffee", "reward": "free-coffee"}]}
	]}],
	"cards": {"benefits": {"discount_percent": 5}},
	"partners": [{"id": "air", "sources": ["airline", "till"], "settle": {"points": 100, "amount": 450}, "exchange": {"points": 1, "units": 2, "unit": "miles"}}],
	"leaderboards": [{"id": "monthly", "per": "P1M", "count": "amount"}],
	"referral": {"advocate": [{"rank": 1, "points": 100}], "friend": {"points": 50}, "fraud": {"per_ip": {"friends": 0}, "per_advocate": {"friends": 0}}}
}`

// lastQuarter is an instant of the quarter before: who bought then has a
// choice now.
func lastQuarter(now time.Time) string {
	return time.Date(now.Year(), (now.Month()-1)/3*3+1, 0, 12, 0, 0, 0, time.UTC).Format(time.RFC3339)
}

// party makes somebody with points, a hold, a redemption, an order, a payout,
// a voucher, a choice and a friend, and somebody with a card.
func (w *world) party(name, program string) party {
	w.t.Helper()
	w.n++
	tag := fmt.Sprintf("%s-%s-%d", name, program, w.n)
	p := party{
		name: name, program: program, email: tag + "@example.com", phone: fmt.Sprintf("+9725000%05d", w.n), external: "x-" + tag, card: "c-" + tag, order: "o-" + tag, of: "Name of " + tag,
		connection: map[string]string{local.Program: "standard", "other": "othershop"}[program],
	}
	auth := []string{"Authorization", "Bearer " + programKeys[program]}
	p.member = w.must("POST", "/v1/members", object{"name": p.of, "email": p.email, "email_verified": true, "phone": p.phone, "external_ids": object{"till": p.external}}, auth...).str("id")
	w.must("POST", "/v1/orders", order(p.order, p.member, 100000, object{"paid_at": lastQuarter(w.host.Clock.Now())}), auth...)
	p.guest = w.must("POST", "/v1/orders", order("c-"+p.order, "", 1000, object{"member": nil, "customer": object{"card": p.card}}), auth...).str("member")
	p.payout = w.must("POST", "/v1/payouts", object{"member": p.member, "wallet": "cashback", "amount": 10}, auth...).str("id")
	p.voucher = w.must("POST", "/v1/activities", object{"type": "stamp", "key": "a-" + p.order, "member": p.member}, auth...).str("vouchers.0")
	p.hold = w.must("POST", "/v1/holds", object{"member": p.member, "points": 10}, auth...).str("id")
	p.imports = w.must("POST", "/v1/imports", object{"kind": "members", "format": "csv"}, auth...).str("id")
	if w.simulations[program] == "" { // it is the program's, not hers
		w.simulations[program] = w.must("POST", "/v1/simulations", object{"program": object{}}, auth...).str("id")
		w.must("PUT", "/v1/segments/of-"+program, object{"list": []string{p.member}}, auth...)
		w.runs[program] = w.must("POST", "/v1/segment-runs", nil, auth...).str("id")
		w.host.Refreshed()
	}
	p.simulation, p.run, p.segment = w.simulations[program], w.runs[program], "of-"+program
	p.code = w.must("POST", "/v1/members/"+p.member+"/referral-code", nil, auth...).str("code")
	p.friend = "f-" + tag + "@mailinator.com"
	p.referral = w.must("POST", "/v1/referrals", object{"code": p.code, "customer": object{"email": p.friend}}, auth...).str("id")
	p.redemption = w.must("POST", "/v1/redemptions", object{"member": p.member, "points": 10}, auth...).str("id")
	return p
}

// another is one like p for a request that changes what it is asked for.
func (w *world) another(p party) party {
	w.t.Helper()
	if p.program != "" {
		return w.party(p.name, p.program)
	}
	w.n++
	for _, name := range []*string{&p.order, &p.email, &p.phone, &p.external, &p.card, &p.code} {
		*name = strings.Replace(*name, "nobody", fmt.Sprint("nobody", w.n), 1) // the ids stay: they are nobody's still
	}
	return p
}

// operations reads the description that a host serves.
func operations(t *testing.T, host http.Handler) (list []operation) {
	t.Helper()
	rec := httptest.NewRecorder()
	host.ServeHTTP(rec, httptest.NewRequest("GET", "/openapi.json", nil))
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string           `json:"operationId"`
			Scopes      []string         `json:"x-scopes"`
			Security    []map[string]any `json:"security"`
			Responses   map[string]any   `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			op := doc.Paths[path][method]
			one := operation{id: op.OperationID, method: strings.ToUpper(method), path: path, scopes: op.Scopes}
			for status := range op.Responses {
				if status[0] == '2' {
					one.taken = append(one.taken, int(status[0]-'0')*100+int(status[1]-'0')*10+int(status[2]-'0'))
				}
			}
			var keys, tokens bool
			for _, s := range op.Security {
				_, k := s["apiKey"]
				_, m := s["memberToken"]
				keys, tokens = keys || k, tokens || m
			}
			if keys != slices.Contains(op.Scopes, "admin") || tokens != slices.Contains(op.Scopes, "member") {
				t.Errorf("%s: the security %v is not that of the scopes %v", op.OperationID, op.Security, op.Scopes)
			}
			list = append(list, one)
		}
	}
	return list
}

// written is which items were written since it was asked last.
func (w *world) written() []table.Key {
	w.t.Helper()
	keys, next, err := w.host.Written(context.Background(), w.place)
	if err != nil {
		w.t.Fatal(err)
	}
	w.place = next
	return slices.DeleteFunc(keys, func(k table.Key) bool { return k.SK == "SIMULATION" }) // a run ends beside the requests
}
