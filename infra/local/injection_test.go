package local_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Ids come from outside and become keys of the table. Each is refused, or kept
// apart from every other, however much they look alike; none leads to an item
// that it does not name. What was written has the shape of a key of its kind:
// wild looks at every one.

// lookAlikes are different ids that a person, a collation, a normal form or a
// second decoding would take for the same.
var lookAlikes = []string{
	"cafe-1", "café-1", "cafe\u0301-1", "CAFE-1", "Cafe-1", "caf\u0435-1", "ｃafe-1", "cafe\u200b-1", "cafe\u200d-1", "cafe\ufeff-1", "\u202ecafe-1", "cafe\u00ad-1", "cafe-1 ", " cafe-1", "cafe\u00a0-1", "cafe-١",
	"cafe%2D1", "caf%65-1", "cafe%00-1", "cafe%23-1", "cafe%2F-1", "cafe%252F-1", "...", "%2e%2e", "%2E%2E", "1", "01", "1.0", "1e0", "-1", "+1", "ORDER", "ACCOUNT", "MEMBER", "local", "mem_1", "$1", "*", "?", "a?b", "a&b=c", "a;b", "a\\b",
	"'; DROP TABLE regulars; --", "{\"S\": \"x\"}", "${jndi:dns}", "ﬁ", "fi", "ß", "ss", "İ", "i̇", "ſ", "s", "K", "k", strings.Repeat("x", 199) + "a", strings.Repeat("x", 199) + "b",
}

// sourceName is what a source of orders may be called.
var sourceName = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)

// refusedIDs are no ids.
var refusedIDs = []string{
	"", ".", "..", "#", "a#b", "#MEMBER#x", "local#MEMBER#x", "a/b", "/", "../x", "a\x00", "\x00", "a\x00b", "a\nb", "a\rb", "a\tb", "a\x1fb", "a\x7f", "a\u0085b", strings.Repeat("x", 201), strings.Repeat("x", 2048), strings.Repeat("é", 101),
}

func TestLookAlikeOrdersAreTwoOrders(t *testing.T) {
	w := newWild(t)
	m := w.base()
	keys := map[string]bool{}
	for i, id := range lookAlikes {
		w.written()
		a := w.rawOrder(id, m, int64(100+i))
		for _, k := range a.wrote {
			if strings.HasSuffix(k, " ORDER") && keys[k] {
				t.Errorf("%q is the order of another id, %q", id, k)
			}
			keys[k] = true
		}
		if want := "local#ORDER#till#" + id + " ORDER"; a.status != 200 || a.str("status") != "applied" || !slices.Contains(a.wrote, want) {
			t.Errorf("%q: %s, wrote %q", id, a.raw, a.wrote)
		}
	}
	for i, id := range lookAlikes {
		if got := w.want(200, "GET", "/v1/orders/till/"+segment(id), nil); got.str("id") != id || got.num("lines.0.amount") != int64(100+i) {
			t.Errorf("%q is read as %s", id, got.raw)
		}
	}
	for _, id := range refusedIDs {
		w.want(400, "POST", "/v1/orders", order(id, m, 100))
		o := order(w.fresh(), m, 100)
		o["source"] = id
		w.want(400, "POST", "/v1/orders", o)
		if id != "" {
			w.want(404, "GET", "/v1/orders/till/"+segment(id), nil)
			w.want(404, "GET", "/v1/orders/"+segment(id)+"/base", nil)
		}
	}
	for _, source := range lookAlikes {
		o := order("of-another-source", m, 100)
		o["source"] = source
		want := 400
		if sourceName.MatchString(source) {
			want = 200
		}
		w.want(want, "POST", "/v1/orders", o)
	}
	w.settled()
}

// wrote is an answer, and the items that were written with it.
type wrote struct {
	answer
	wrote []string
}

// rawOrder sends an order over the wire and sees which items it wrote.
func (w *wild) rawOrder(id, member string, amount int64) wrote {
	w.t.Helper()
	a := w.do("POST", "/v1/orders", order(id, member, amount))
	return wrote{a, w.written()}
}

// segment writes an id as one segment of a path; dots with escapes, or the
// path would lead elsewhere.
func segment(id string) string {
	if strings.Trim(id, ".") == "" {
		return strings.ReplaceAll(id, ".", "%2E")
	}
	return url.PathEscape(id)
}

func TestLookAlikeCustomersAreTwoPeople(t *testing.T) {
	w := newWild(t)
	who := map[string]string{}
	for _, id := range lookAlikes {
		m := w.want(201, "POST", "/v1/members", object{"external_ids": object{"till": id}}).str("id")
		if other := who[m]; other != "" {
			t.Errorf("%q and %q are one", id, other)
		}
		who[m] = id
	}
	for m, id := range who {
		found := w.want(200, "GET", "/v1/members?source=till&external_id="+url.QueryEscape(id), nil)
		if list, _ := found.at("data").([]any); len(list) != 1 || found.str("data.0.id") != m {
			t.Errorf("%q finds %s", id, found.raw)
		}
		o := order(w.fresh(), "", 100, object{"member": nil, "customer": object{"external_id": id}})
		if a := w.want(200, "POST", "/v1/orders", o); a.str("member") != m {
			t.Errorf("%q buys for %s, who is %q", id, a.str("member"), who[a.str("member")])
		}
	}
	for _, id := range refusedIDs {
		w.want(400, "POST", "/v1/members", object{"external_ids": object{"till": id}})
		w.want(400, "POST", "/v1/members", object{"external_ids": object{id: "1"}})
		if id != "" {
			w.want(400, "POST", "/v1/orders", order(w.fresh(), "", 100, object{"member": nil, "customer": object{"external_id": id}}))
			w.want(400, "GET", "/v1/members?external_id="+url.QueryEscape(id), nil)
		}
	}
	w.settled()
}

func TestLookAlikeLinesAreTwoLines(t *testing.T) {
	w := newWild(t)
	var lines, discounts []any
	for i, id := range lookAlikes {
		lines = append(lines, object{"id": id, "amount": 1000})
		discounts = append(discounts, object{"amount": i, "lines": []any{id}})
	}
	o := order("lines", w.base(), 0, object{"lines": lines, "discounts": discounts})
	a := w.want(200, "POST", "/v1/orders/evaluate", o)
	for i, id := range lookAlikes {
		if at := fmt.Sprintf("lines.%d.", i); a.str(at+"id") != id || a.num(at+"net") != int64(1000-i) {
			t.Errorf("line %q: %v", id, a.at("lines"))
		}
	}
	w.want(400, "POST", "/v1/orders/evaluate", order("lines", w.base(), 0, object{"lines": []any{object{"id": "twice", "amount": 1}, object{"id": "twice", "amount": 1}}}))
}

// What looks like an id of ours in paths and bodies is of nobody.
func TestLookAlikesOfOurIDsAreNobodys(t *testing.T) {
	w := newWild(t)
	for kind, prefix := range map[string]string{"members": "mem_", "holds": "hld_", "redemptions": "rdm_", "payouts": "pay_", "referrals": "rfl_", "segment-runs": "seg_"} {
		id := w.kept["/v1/"+kind+"/{id}"]
		bare := strings.TrimPrefix(id, prefix)
		for _, s := range append(slices.Concat(lookAlikes, refusedIDs),
			strings.ToLower(id), strings.ToUpper(id), prefix+strings.ToLower(bare), bare, prefix, prefix+id, id+" ", " "+id, id+"\x00", id+"%00", id+"#ACCOUNT", id+"#", id+"/", id+"/../"+id, "./"+id, id+"\u200b", strings.Replace(id, "0", "０", 1),
			strings.Replace(id, "0", "O", 1), strings.Replace(id, "1", "l", 1), id+"?x", id+";x", id+",", id+".json", "mem_hld_"+bare, prefix+"../"+bare, prefix+strings.Repeat("A", 41), url.QueryEscape(url.QueryEscape(id+"#")),
		) {
			if s == "" || s == id {
				continue
			}
			w.want(404, "GET", "/v1/"+kind+"/"+segment(s), nil)
			switch kind {
			case "members":
				w.want(404, "POST", "/v1/holds", object{"member": s, "points": 1})
				w.want(404, "POST", "/v1/redemptions", object{"member": s, "points": 1})
				w.want(404, "POST", "/v1/members/"+id+"/merge", object{"into": s})
				w.want(404, "POST", "/v1/payouts", object{"member": s, "wallet": "cashback", "amount": 1})
				w.want(404, "POST", "/v1/activities", object{"type": "own_cup", "key": w.fresh(), "member": s})
				w.want(404, "POST", "/v1/vouchers/redeem", object{"code": w.kept["/v1/vouchers/{code}"], "member": s})
				w.want(404, "POST", "/v1/members/"+segment(s)+"/choices", object{"id": "quarterly", "choice": "some"})
				w.want(404, "POST", "/v1/privacy/exports", object{"member": s})
				w.want(404, "POST", "/v1/privacy/erasures", object{"member": s})
				w.want(404, "DELETE", "/v1/members/"+segment(s)+"/tokens", nil)
				w.want(404, "POST", "/v1/members/"+segment(s)+"/referral-code", nil)
				w.want(404, "GET", "/v1/members/"+segment(s)+"/referrals", nil)
				if a := w.send("POST", "/v1/orders", order(w.fresh(), s, 100)); a.status/100 == 2 {
					t.Errorf("an order of %q: %s", s, a.raw)
				}
			case "holds":
				w.want(404, "POST", "/v1/holds/"+segment(s)+"/capture", nil)
				w.want(404, "POST", "/v1/holds/"+segment(s)+"/release", nil)
			case "payouts", "referrals":
				w.want(404, "POST", "/v1/"+kind+"/"+segment(s)+"/approve", nil)
				w.want(404, "POST", "/v1/"+kind+"/"+segment(s)+"/reject", nil)
			case "redemptions":
				w.want(404, "POST", "/v1/redemptions/"+segment(s)+"/cancel", nil)
				if a := w.send("POST", "/v1/orders", order(w.fresh(), w.base(), 100, object{"redemption": s})); a.status/100 == 2 {
					t.Errorf("an order paid by %q: %s", s, a.raw)
				}
			}
		}
	}
	// A payout is no hold and no redemption, and they are no payouts.
	payout, hold, redemption := w.kept["/v1/payouts/{id}"], w.kept["/v1/holds/{id}"], w.kept["/v1/redemptions/{id}"]
	bare := strings.TrimPrefix(payout, "pay_")
	for _, path := range []string{"/v1/holds/hld_" + bare, "/v1/redemptions/rdm_" + bare, "/v1/payouts/pay_" + strings.TrimPrefix(hold, "hld_"), "/v1/payouts/pay_" + strings.TrimPrefix(redemption, "rdm_")} {
		w.want(404, "GET", path, nil)
		for _, way := range map[string][]string{"hold": {"capture", "release"}, "rede": {"cancel"}, "payo": {"approve", "reject"}}[path[4:8]] {
			w.want(404, "POST", path+"/"+way, nil)
		}
	}
	w.want(422, "POST", "/v1/orders", order(w.fresh(), w.base(), 100, object{"redemption": "rdm_" + bare}))
	for _, s := range slices.Concat(lookAlikes, refusedIDs, []string{"Shopify", "shopify ", "shopify#", "shop%69fy", "SHOPIFY", "shopify\u200b", "ѕhopify"}) {
		if s != "" {
			w.want(404, "POST", "/v1/webhooks/"+segment(s), "{}", signed("shopify", []byte("{}"))...)
		}
	}
	w.settled()
}

// A code is typed by people: what looks alike is one. Whatever is asked for is
// refused, or is a code whose link leads to the shop, by the code itself and
// as it was typed.
func TestCodesLeadToTheShop(t *testing.T) {
	w := newWild(t)
	made := 0
	for _, s := range slices.Concat(lookAlikes, refusedIDs, []string{"דנה-7", "۱۲۳۴", "١٢٣٤", "dana 7", "//evil.example", "https://evil.example", "evil.example", "javascript:alert(1)", "\r\nLocation: https://evil.example", "%0d%0aSet-Cookie", "@evil.example", "..//..//evil"}) {
		m := w.enrol("who chooses")
		w.written()
		a := w.send("POST", "/v1/members/"+m+"/referral-code", object{"code": s})
		if a.status == 400 || a.status == 409 {
			if a.status == 400 && s != "" {
				w.want(404, "GET", "/r/"+segment(s), nil)
			}
			continue
		}
		made++
		for _, typed := range []string{s, a.str("code")} {
			if s == "" {
				typed = a.str("code")
			}
			to, err := url.Parse(w.want(302, "GET", "/r/"+segment(typed), nil).header.Get("Location"))
			if err != nil || to.Host != "local.shop.example" || to.Query().Get("ref") != a.str("code") {
				t.Errorf("%q leads to %s", typed, to)
			}
		}
	}
	if made < 8 {
		t.Errorf("only %d were taken", made)
	}
	w.settled()
}

// A segment's name is written and read as it is, or refused; none leads to
// another's members.
func TestLookAlikeSegmentsAreTwoSegments(t *testing.T) {
	w := newWild(t)
	m := w.base()
	for _, s := range slices.Concat(lookAlikes, refusedIDs, []string{"VIP", "vip ", "vip#", "v%69p", "ｖip", "TOP_20", "DEFINED#vip"}) {
		if s == "" || s == "/" { // another path
			continue
		}
		path := "/v1/segments/" + segment(s)
		if !sourceName.MatchString(s) {
			w.want(400, "PUT", path, object{"list": []any{m}})
			w.want(404, "GET", path, nil)
			w.want(404, "GET", path+"/members", nil)
			continue
		}
		w.want(200, "PUT", path, object{"name": s, "list": []any{m}})
		if a := w.want(200, "GET", path, nil); a.str("id") != s || a.str("name") != s {
			t.Errorf("%q is read as %s", s, a.raw)
		}
	}
	for _, id := range slices.Concat(lookAlikes, refusedIDs) {
		if id == "mem_1" { // might be one, and is nobody
			continue
		}
		w.want(400, "PUT", "/v1/segments/vip", object{"list": []any{id}})
	}
	for _, body := range []object{
		{},
		{"list": []any{m}, "where": object{"segments": []any{"new"}}},
		{"where": object{}},
		{"where": object{"all": []any{}}},
		{"where": object{"segments": []any{"vip"}}},
		{"where": object{"rfm": []any{"x"}}},
		{"where": object{"attributes": object{"a": []any{}}}},
		{"where": object{"statistics": object{"shoe_size": object{"from": 1}}}},
		{"where": object{"statistics": object{"spent": object{}}}},
		{"list": slices.Repeat([]any{m}, 5001), "name": strings.Repeat("n", 121)},
	} {
		w.want(400, "PUT", "/v1/segments/vip", body)
		w.want(400, "POST", "/v1/segments/preview", body)
	}
	for _, name := range []string{"top_20", "new"} { // built in
		w.want(400, "PUT", "/v1/segments/"+name, object{"list": []any{m}})
	}
	values := slices.Repeat([]any{strings.Repeat("v", 10_000)}, 90)
	w.want(413, "PUT", "/v1/segments/vip", object{"where": object{"attributes": object{"a": values}}}) // no item holds it
	w.run()
	w.written()
	if a := w.want(200, "GET", "/v1/segments/1/members", nil); a.str("data.0.id") != m {
		t.Errorf("in the segment: %s", a.raw)
	}
	w.settled()
}

// An idempotency key is compared byte for byte.
func TestLookAlikeIdempotencyKeysAreTwoKeys(t *testing.T) {
	w := newWild(t)
	made := map[string]string{}
	for _, k := range slices.Concat(lookAlikes, []string{"a#b", "local#RECEIPT#x", "a/b", strings.Repeat("x", 255)}) {
		first := w.want(201, "POST", "/v1/members", object{"name": "one"}, "Idempotency-Key", k).str("id")
		again := w.want(201, "POST", "/v1/members", object{"name": "one"}, "Idempotency-Key", k).str("id")
		if other, had := made[first]; had || first != again {
			t.Errorf("the key %q made %s, then %s, which %q made", k, first, again, other)
		}
		made[first] = k
	}
}
