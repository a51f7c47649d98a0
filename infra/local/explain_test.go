package local_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// why asks why entry number seq of a member's points is what it is.
func (s *shop) why(member string, seq int, query string) answer {
	s.t.Helper()
	return s.must("GET", fmt.Sprintf("/v1/members/%s/ledger/led_%s%010d/explanation%s", member, strings.TrimPrefix(member, "mem_"), seq, query), nil)
}

// said tells whether a sentence of the text has all the words.
func (a answer) said(words ...string) bool {
	return slices.ContainsFunc(a.body["text"].([]any), func(s any) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(s.(string), w) })
	})
}

func TestAnOrdersEntriesAreExplained(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-15T08:00:00Z")
	s.program(`{languages: [en], earning: {rounding: half_up, rules: [
		{id: base, on: order, rate: {points: 1, amount: 100}}, {id: coffee, name: {en: Coffee time}, on: order, multiplier: "1.5", where: {categories: [coffee]}},
		{id: haifa, on: order, points: 7, where: {stores: [haifa]}}, {id: small, on: order, multiplier: "1.2", where: {categories: [coffee]}}]}}`)
	m := s.enrol("m")
	lines := object{"lines": []object{{"id": "1", "category": "coffee", "quantity": 1, "amount": 4995}, {"id": "2", "category": "cake", "quantity": 1, "amount": 7350}}}
	s.earn(order("1", m, 0, lines))
	s.program("languages: [en]")
	s.earn(order("1", m, 0, lines, object{"version": 2, "refunded": 2345}))

	a := s.why(m, 1, "")
	if a.at("worth.derivation_of") != "this_entry" || a.num("worth.before") != 0 || a.num("worth.after") != 148 || a.num("worth.points") != 148 || a.at("worth.exact") != "5937/40" {
		t.Errorf("%s", a.raw)
	}
	if a.at("cause.kind") != "order" || a.num("worth.rule_version") == a.num("worth.current_version") {
		t.Errorf("%s", a.raw)
	}
	for rule, want := range map[string]object{
		"base":   {"applies": true, "rate": "1/100", "exact": "2469/20", "points": 123},
		"coffee": {"applies": true, "multiplier": "3/2", "exact": "999/40", "points": 25},
		"haifa":  {"applies": false, "unmet": "where.stores", "fixed_points": 7, "reason": "The order is not from one of the stores of this rule."},
		"small":  {"applies": false, "unmet": "stacking"},
	} {
		found := false
		for _, j := range a.at("worth.rules").([]any) {
			if j := j.(object); j["rule"] == rule {
				found = true
				for k, v := range want {
					if fmt.Sprint(j[k]) != fmt.Sprint(v) {
						t.Errorf("%s: %s is %v, want %v", rule, k, j[k], v)
					}
				}
			}
		}
		if !found {
			t.Errorf("nothing of %s in %s", rule, a.raw)
		}
	}
	for _, words := range [][]string{
		{"15 March 2026, 10:00", "148 points added", "1", "till"},
		{"base", "1 point for every ₪1.00", "123.45 points"},
		{"Coffee time", "multiplied by 1.5", "24.975 points"},
		{"148.425 points, rounded to the nearest: 148 points"},
		{"haifa", "not applied", "stores"},
		{"148 points, valid to the end of 15 March 2027"},
	} {
		if !a.said(words...) {
			t.Errorf("%q is not said in %s", words, a.raw)
		}
	}
	back := s.why(m, 2, "?language=he")
	if back.at("worth.derivation_of") != "this_entry" || back.num("worth.before") != 148 || back.num("worth.after") != back.num("worth.points") || back.at("direction") != "rtl" || !back.said("לקיחה בחזרה של") {
		t.Errorf("%s", back.raw)
	}

	// The order grew since: what was before is not kept, and that is said.
	s.earn(order("2", m, 10000))
	s.earn(order("2", m, 30000, object{"version": 2}))
	first, second := s.why(m, 3, ""), s.why(m, 4, "")
	if first.at("worth.derivation_of") != "newest_state" || first.num("worth.after") != 100 || first.num("worth.points") != 300 || !first.said("The order has changed since") {
		t.Errorf("%s", first.raw)
	}
	if second.at("worth.derivation_of") != "this_entry" || second.num("worth.before") != 100 || second.num("worth.after") != 300 {
		t.Errorf("%s", second.raw)
	}
}

// Limits, goals, levels that are crossed, wallets, and points that pay.
func TestWhatBoundsAnOrderIsExplained(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-15T08:00:00Z")
	s.program(`{languages: [en], earning: {rules: [
		{id: base, on: order, rate: {points: 1, amount: 100}}, {id: bonus, on: order, rate: {points: 1, amount: 100}, limit: {points: 60}},
		{id: back, on: order, rate: {points: 3, amount: 100}, wallet: cash}], stacking: add},
		wallets: [{id: cash, kind: cashback}],
		achievements: [{id: first, count: orders, reach: 1, points: 40}],
		tiers: {crossing: split_at_threshold, levels: [{id: silver, from: 50, multiplier: "2"}]}}`)
	m := s.enrol("m")
	s.earn(order("1", m, 10000))
	a := s.why(m, 1, "")
	if a.at("worth.derivation_of") != "this_entry" || a.num("worth.by_goals") != 40 || a.num("worth.after") != a.num("worth.points")+40 || len(a.at("worth.levels").([]any)) != 2 {
		t.Errorf("%s", a.raw)
	}
	if !a.said("bonus", "limit") || !a.said("Goals", "40 points") || !a.said("Level", "silver", "multiplied by 2") {
		t.Errorf("%s", a.raw)
	}
	cash := s.must("GET", fmt.Sprintf("/v1/members/%s/ledger/led_%s%010d_cash/explanation", m, strings.TrimPrefix(m, "mem_"), 1), nil)
	if cash.at("wallet") != "cash" || cash.num("worth.after") != 300 || !cash.said("₪3.00 added") || !cash.said("₪0.03 for every ₪1.00") {
		t.Errorf("%s", cash.raw)
	}
	rdm := s.redeem(m, 100)
	s.earn(order("2", m, 10000, object{"redemption": rdm}))
	if paid := s.why(m, 3, ""); paid.at("worth.derivation_of") != "this_entry" || paid.num("worth.after") != paid.num("entry.points") {
		t.Errorf("%s", paid.raw)
	}
}

// The numbers of an explanation add up, whatever becomes of an order: the
// parts of rules and of lines to its points, these and what goals gave to what
// it is worth, and what it was worth before and the entry to the same.
func TestExplanationsAddUp(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-15T08:00:00Z")
	s.program(`{languages: [en], earning: {rounding: half_up, stacking: multiply, rules: [
		{id: base, on: order, rate: {points: 7, amount: 300}}, {id: coffee, on: order, multiplier: "1.37", where: {categories: [coffee]}}, {id: big, on: order, multiplier: "1.1", where: {minimum_amount: 9000}},
		{id: gift, on: order, points: 17, limit: {times: 3, per: P1D}}, {id: every, on: order, every: {points: 11, amount: 20000}},
		{id: back, on: order, rate: {points: 3, amount: 100}, wallet: cash}]}, wallets: [{id: cash, kind: cashback}],
		tiers: {crossing: split_at_threshold, levels: [{id: silver, from: 700, multiplier: "1.25"}, {id: gold, from: 2000, multiplier: "1.5"}]}}`)
	random := rand.New(rand.NewPCG(1, 2))
	m := s.enrol("m")
	explained := 0
	for n := range 25 {
		id := fmt.Sprint("o", n)
		a, b := 1+random.Int64N(15000), 1+random.Int64N(5000)
		lines := []object{{"id": "1", "category": "coffee", "quantity": 2, "amount": a}, {"id": "2", "category": "cake", "quantity": 1, "amount": b}}
		refunded := int64(0)
		for version := range 1 + random.IntN(3) {
			if version > 0 {
				refunded += random.Int64N(a + b - refunded + 1)
			}
			s.earn(order(id, m, 0, object{"lines": lines, "version": version + 1, "refunded": refunded}))
		}
		stored := s.must("GET", "/v1/orders/till/"+id, nil)
		var worth []answer
		for _, e := range stored.body["entries"].([]any) {
			x := s.must("GET", "/v1/members/"+m+"/ledger/"+e.(object)["id"].(string)+"/explanation", nil)
			if x.at("worth") == nil {
				continue
			}
			explained++
			sum := func(list string) (total int64) {
				for i := range x.at(list).([]any) {
					total += x.num(fmt.Sprint(list, ".", i, ".points"))
				}
				return total
			}
			if x.num("worth.before")+x.num("entry.points") != x.num("worth.after") || sum("worth.rules") != x.num("worth.points") || sum("worth.lines") != x.num("worth.points") {
				t.Errorf("does not add up: %s", x.raw)
			}
			if x.at("worth.derivation_of") == "this_entry" && x.num("worth.points")+x.num("worth.by_goals") != x.num("worth.after") {
				t.Errorf("another worth than that of the entry: %s", x.raw)
			}
			if x.at("wallet") == "points" {
				worth = append(worth, x)
			}
		}
		if last := worth[len(worth)-1]; last.num("worth.after") != stored.num("points") || last.at("worth.derivation_of") != "this_entry" {
			t.Errorf("the newest: %s\n%s", last.raw, stored.raw)
		}
	}
	if explained < 60 {
		t.Errorf("only %d entries were explained", explained)
	}
}

// What no order gave or took is explained too.
func TestOtherEntriesAreExplained(t *testing.T) {
	s := embedded(t)
	s.clock("2026-03-01T08:00:00Z")
	s.program(`{languages: [fa], earning: {pending: P1D, rules: [{id: base, on: order, rate: {points: 1, amount: 100}}, {id: review, on: activity, activity: review, points: 9}]}, expiry: {after: P10D, to_end_of: none}}`)
	m := s.must("POST", "/v1/members", object{"name": "m", "language": "ar"}).str("id")
	s.earn(order("1", m, 10000))
	s.must("POST", "/v1/activities", object{"type": "review", "key": "77", "member": m})
	s.clock("2026-03-03T08:00:00Z")
	rdm := s.redeem(m, 30)
	s.must("POST", "/v1/redemptions/"+rdm+"/cancel", nil)
	s.must("POST", "/v1/members/"+m+"/adjustments", object{"points": 5, "reason": "thanks"})
	s.clock("2026-04-03T08:00:00Z")
	s.must("POST", "/_local/schedules/expire/run", nil)
	into := s.enrol("into")
	s.must("POST", "/v1/members/"+m+"/merge", object{"into": into})

	var kinds []string
	for i := range s.entries(m) {
		a := s.why(m, i+1, "")
		kinds = append(kinds, fmt.Sprint(a.at("entry.type"), "/", a.at("cause.kind")))
		if a.str("language") != "ar" { // the member's
			t.Errorf("%s", a.raw)
		}
		if a.at("cause.kind") == "activity" && (a.at("activity.key") != "77" || a.num("activity.awards.0.points") != 9) {
			t.Errorf("%s", a.raw)
		}
	}
	got := strings.Join(kinds, " ")
	for _, want := range []string{"earn/order", "earn/activity", "activate/time", "redeem/redemption", "restore/redemption", "adjust/adjustment", "expire/time", "merge/merge"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s among %s", want, got)
		}
	}
	if a := s.why(into, 1, "?language=en"); !a.said("joined to this one") {
		t.Errorf("%s", a.raw)
	}
	if a := s.why(m, len(kinds), "?language=en"); !a.said("which this one was joined to") {
		t.Errorf("%s", a.raw)
	}
}

func TestWhatIsNoEntryIsNotFound(t *testing.T) {
	s := embedded(t)
	m, other := s.enrol("m"), s.enrol("other")
	s.earn(order("1", m, 10000))
	s.earn(order("2", other, 10000))
	id := strings.TrimPrefix(m, "mem_")
	for _, entry := range []string{
		"led_" + strings.TrimPrefix(other, "mem_") + "0000000001", "led_" + id + "0000000002", "led_" + id + "0000000000", "led_" + id + "1", "led_" + id + "00000000001",
		"led_" + id + "0000000001_", "led_" + id + "0000000001_cash", "led_" + id + "-000000001", "led_", "x",
	} {
		s.refused(404, "not_found", "GET", "/v1/members/"+m+"/ledger/"+entry+"/explanation", nil)
	}
	s.why(m, 1, "")
}

// What a referral moved is told to each side as its own, also to whom a side
// was merged into since; and the member who told friends is not told why one is
// none.
func TestReferralsAreExplained(t *testing.T) {
	f := tells(t, nil, nil, nil)
	newest := func(member string, words ...string) {
		t.Helper()
		if a := f.why(member, len(f.entries(member)), "?language=en"); !a.said(words...) {
			t.Errorf("%v are not told: %s", words, a.at("text"))
		}
	}
	friend := object{"external_id": "b"}
	id := f.comes(friend, nil)
	guest := f.must("GET", "/v1/referrals/"+id, nil).str("friend")
	f.safe()
	newest(f.advocated, "added for friend number 1")
	newest(guest, "50 points added", "because another member recommended the shop")
	b := f.must("POST", "/v1/members", mail("b@example.com")).str("id")
	f.must("POST", "/v1/members/"+guest+"/merge", object{"into": b})
	anna := f.must("POST", "/v1/members", object{"name": "Anna"}).str("id")
	f.must("POST", "/v1/members/"+f.advocated+"/merge", object{"into": anna})
	f.earn(order("f1", "", 5000, object{"member": nil, "customer": friend, "version": 2, "state": "cancelled"}))
	newest(b, "taken back for a recommendation", "f1") // which was the friend's own order
	newest(anna, "taken back for friend number 1")

	none := f.comes(mail("anna+x@example.com"), nil)
	told := strings.Join(texts(f.must("GET", "/v1/referrals/"+none+"?language=en", nil).at("explanation")), " ")
	if !strings.Contains(told, "the same person") {
		t.Error(told)
	}
	if he := texts(f.must("GET", "/v1/referrals/"+none+"?language=he", nil).at("explanation")); len(he) < 2 || he[0] == told {
		t.Errorf("in Hebrew it is told as %q", he)
	}
	token := f.must("POST", "/v1/members/"+anna+"/tokens", nil).str("token")
	own := f.must("GET", "/v1/members/"+anna+"/referrals?language=en", nil, "Authorization", "Bearer "+token)
	if text := strings.Join(texts(own.at("data.0.explanation")), " "); own.str("data.0.status") != "blocked" || strings.Contains(text, "same person") || !strings.Contains(text, "could not be counted") || own.at("data.0.friend") != nil || own.at("data.0.paid_at") != nil {
		t.Errorf("%s", own.raw)
	}
}

// texts are the strings of a list.
func texts(v any) (list []string) {
	all, _ := v.([]any)
	for _, one := range all {
		list = append(list, one.(string))
	}
	return list
}
