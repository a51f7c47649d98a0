package words

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"regulars/shared/program"
)

// unsaid are the settings that change nothing in the terms by themselves. A
// thing that has a name is called by it, not by its id. A warning that is
// acknowledged is between the author and the program. How many friends are too
// many is not told to those who would stay just below.
var unsaid = regexp.MustCompile(`^/acknowledge(?:/\d+)?$|^/referral/fraud/per_|^/(?:earning/rules|tiers/levels|wallets|rewards|achievements|plans|partners|leaderboards|automatic_rewards)/\d+(?:/brackets/\d+/choices/\d+)?/id$`)

// words of which a document says one, by the last part of the path.
var oneOf = map[string][]string{
	"basis": {"net", "goods"}, "when": {"paid", "fulfilled"}, "rounding": {"floor", "half_up", "ceil"}, "stacking": {"best", "add", "multiply"},
	"on": {"order", "activity"}, "clawback": {"debt", "clamp", "negative"}, "to_end_of": {"none", "day", "month"}, "week_starts": {"sunday", "monday"},
	"qualify_by": {"base_points", "spend", "orders"}, "downgrade": {"period_end", "at_once", "never"}, "crossing": {"tier_before", "split_at_threshold"},
	"kpi":  {"repeat_rate", "redemption_rate", "share_of_revenue"},
	"kind": {"cashback", "bonus"}, "count": {"orders", "quantity", "amount", "stores", "activities"}, "window": {"none", "P7M"},
	"household": {"review", "allow"}, "disposable": {"review", "allow"},
}

// others are values that a setting could have instead.
func others(path string, v any) []any {
	last := path[strings.LastIndex(path, "/")+1:]
	switch x := v.(type) {
	case bool:
		return []any{!x}
	case float64:
		return []any{x + 1}
	case string:
		if list := oneOf[last]; slices.Contains(list, x) || last == "window" { // a period, or the word none
			var out []any
			for _, o := range list {
				if o != x {
					out = append(out, o)
				}
			}
			return out
		}
		switch {
		case last == "expiry": // none
			return []any{map[string]any{"after": "P9M", "to_end_of": "day"}}
		case strings.Contains(path, "/weekdays/"):
			return []any{"tuesday"}
		case regexp.MustCompile(`^P.*\d`).MatchString(x):
			return []any{"P5D", "P9M", "PT7H"}
		case regexp.MustCompile(`^\d{4}-\d\d-\d\d$`).MatchString(x):
			return []any{x[:8] + "11", "2028" + x[4:]}
		case regexp.MustCompile(`^\d\d:\d\d$`).MatchString(x):
			return []any{"05" + x[2:], x[:3] + "45"}
		case regexp.MustCompile(`^\d+(\.\d+)?$`).MatchString(x):
			return []any{"0.75"}
		}
		return []any{x + "x"}
	}
	return nil
}

// each calls visit with every leaf of plain data and a function that puts
// another value there. The names of one thing are one leaf: nobody sees all.
func each(path string, v any, put func(any), visit func(path string, v any, put func(any))) {
	switch x := v.(type) {
	case map[string]any:
		if strings.HasSuffix(path, "/name") || path == "/goal/reason" {
			visit(path, x, put)
			return
		}
		for k, inner := range x {
			each(path+"/"+k, inner, func(o any) { x[k] = o }, visit)
		}
	case []any:
		for i, inner := range x {
			each(fmt.Sprint(path, "/", i), inner, func(o any) { x[i] = o }, visit)
		}
		if len(x) > 0 {
			visit(path, x, put)
		}
	default:
		visit(path, x, put)
	}
}

// covers tells whether a sentence of that path speaks of a setting: of it, of
// what holds it, or of a part of it.
func covers(sentence, setting string) bool {
	return sentence == setting || strings.HasPrefix(setting, sentence+"/") || strings.HasPrefix(sentence, setting+"/")
}

// Whatever is changed in a program, the terms change in every language, in a
// sentence that says it is about what was changed.
func TestTextAndRulesCannotDiffer(t *testing.T) {
	plain := rich(t)
	before := map[string]map[Sentence]bool{}
	for _, code := range tongues {
		before[code] = lines(Choose(code).Terms(document(t, plain)))
	}
	n := 0
	try := func(path string, was, value any) {
		n++
		d := document(t, plain)
		for _, code := range tongues {
			after := lines(Choose(code).Terms(d))
			about := false
			for line := range symmetric(before[code], after) {
				about = about || line.Path != "" && covers(line.Path, path)
			}
			if !about && published(t, plain) {
				t.Errorf("%s: %s from %v to %v changes no sentence about it", code, path, was, value)
			}
		}
	}
	each("", plain, nil, func(path string, v any, put func(any)) {
		if unsaid.MatchString(path) {
			return
		}
		for _, value := range others(path, v) {
			put(value)
			try(path, v, value)
			put(v)
		}
		switch x := v.(type) {
		case map[string]any: // names
			renamed := map[string]any{}
			for lang, name := range x {
				renamed[lang] = name.(string) + "!"
			}
			put(renamed)
			try(path, x, renamed)
			put(x)
		case []any:
			put(x[:len(x)-1])
			try(path, "all", "all but one")
			put(x)
		}
	})
	t.Logf("%d changes in %d languages", n, len(tongues))
	if n < 200 {
		t.Errorf("only %d changes were tried", n)
	}
}

// published tells whether a document could be: what never holds need not be said.
func published(t *testing.T, plain any) bool {
	t.Helper()
	b, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	_, err = program.Parse(b, nil)
	return err == nil
}

func symmetric(a, b map[Sentence]bool) map[Sentence]bool {
	diff := map[Sentence]bool{}
	for x := range a {
		if !b[x] {
			diff[x] = true
		}
	}
	for x := range b {
		if !a[x] {
			diff[x] = true
		}
	}
	return diff
}

// Taking a setting away that is not there by default is said too.
func TestWhatIsTakenAwayIsNoLongerSaid(t *testing.T) {
	for _, path := range []string{
		"/exchange", "/referral", "/referral/advocate", "/referral/friend", "/referral/limit", "/referral/limit/per", "/referral/budget", "/referral/invite", "/tiers", "/wallets", "/rewards", "/achievements", "/automatic_rewards", "/plans", "/rollout", "/shop",
		"/earning/rules/1/where", "/earning/rules/1/when", "/earning/rules/1/during", "/earning/rules/1/limit", "/earning/rules/1/budget", "/earning/rules/1/group",
		"/earning/rules/1/priority", "/earning/rules/1/limit/per", "/earning/rules/6/wallet", "/earning/rules/7/cooldown", "/tiers/levels/0/multiplier", "/plans/0/tier",
	} {
		plain := rich(t)
		was := map[string]map[Sentence]bool{}
		for _, code := range tongues {
			was[code] = lines(Choose(code).Terms(document(t, plain)))
		}
		parts := strings.Split(path[1:], "/")
		var at any = plain
		for _, p := range parts[:len(parts)-1] {
			if list, ok := at.([]any); ok {
				at = list[p[0]-'0']
			} else {
				at = at.(map[string]any)[p]
			}
		}
		delete(at.(map[string]any), parts[len(parts)-1])
		for _, code := range tongues {
			about := false
			for line := range symmetric(was[code], lines(Choose(code).Terms(document(t, plain)))) {
				about = about || line.Path != "" && covers(line.Path, path)
			}
			if !about {
				t.Errorf("%s: without %s the terms are the same", code, path)
			}
		}
	}
}

// The rich document has every setting that there is, so the tests above are
// of all of them: a new field of the document fails here until it stands in
// testdata/rich.yaml, and then above until it is said.
func TestRichDocumentHasEverySetting(t *testing.T) {
	have := map[string]bool{}
	index := regexp.MustCompile(`/\d+(/|$)`)
	each("", rich(t), nil, func(path string, _ any, _ func(any)) {
		for p := path; p != ""; p = p[:strings.LastIndex(p, "/")] {
			have[index.ReplaceAllString(p, "/*$1")] = true
		}
	})
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer:
			walk(path, typ.Elem())
		case reflect.Slice:
			if typ.Elem().Kind() != reflect.Uint8 {
				walk(path+"/*", typ.Elem())
			}
		case reflect.Struct:
			for f := range typ.Fields() {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				if name == "-" {
					continue
				}
				if f.Anonymous { // its fields stand among the others
					walk(path, f.Type)
					continue
				}
				at := path + "/" + name
				if !have[at] && !elsewhere(have, at) {
					t.Errorf("testdata/rich.yaml has no %s", at)
				}
				walk(at, f.Type)
			}
		}
	}
	walk("", reflect.TypeFor[program.Document]())
	if t.Failed() {
		b, err := json.MarshalIndent(slices.Sorted(maps.Keys(have)), "", " ")
		t.Logf("it has %s (%v)", b, err)
	}
}

// elsewhere tells whether a setting that several things share (where, during)
// stands in one of them, or is one of several of which only one may be given.
func elsewhere(have map[string]bool, at string) bool {
	if slices.Contains([]string{"/rollout/stores", "/rollout/regions", "/referral/advocate/*/revenue"}, at) {
		return true // TestRollouts, TestLadders
	}
	for _, shared := range []string{"/where/", "/during/"} {
		if _, part, ok := strings.Cut(at, shared); ok && have["/earning/rules/*"+shared+part] {
			return true
		}
	}
	return false
}

// Each kind of rollout is said.
func TestRollouts(t *testing.T) {
	plain := rich(t)
	for _, code := range tongues {
		seen := map[string]bool{}
		for _, r := range []map[string]any{{"percent": 20}, {"stores": []string{"tlv-1"}}, {"regions": []string{"north"}}} {
			plain["rollout"] = r
			sections := Choose(code).Terms(document(t, plain))
			last := sections[len(sections)-1]
			for key := range r {
				if last.ID != "rollout" || len(last.Sentences) != 1 || last.Sentences[0].Path != "/rollout/"+key {
					t.Errorf("%s: %v is said as %v", code, r, last)
				}
			}
			sane(t, code, last.Sentences[0].Text)
			seen[last.Sentences[0].Text] = true
		}
		if len(seen) != 3 {
			t.Errorf("%s: %v", code, seen)
		}
	}
}
