package local_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Nobody sets what is not theirs to set by adding it to a body.

// unasked are keys that no body may slip in. Where one of them is a field of a
// body, the description says so.
var unasked = []string{
	"points", "available", "held", "pending", "debt", "balance", "tier", "qualifying", "program", "tenant", "prg", "scope", "role", "is_admin", "member", "id", "version", "guest",
	"created_at", "erased", "merged", "into", "hash", "prev", "seq", "status", "value", "restored", "captured_at", "expires_at", "rule_version", "pk", "sk", "__proto__", "$ref",
}

// operationOf finds the operation that a request is of.
func operationOf(t *testing.T, ops []operation, method, path string) operation {
	t.Helper()
	mux := http.NewServeMux()
	for _, op := range ops {
		mux.Handle(op.method+" "+op.path, http.NotFoundHandler())
	}
	r, err := http.NewRequest(method, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, pattern := mux.Handler(r)
	i := slices.IndexFunc(ops, func(op operation) bool { return op.method+" "+op.path == pattern })
	if i < 0 {
		t.Fatalf("%s %s is of no operation", method, path)
	}
	return ops[i]
}

// Every operation that writes has a template, so what is done with templates
// is done with every operation.
func TestBadInputHasATemplateOfEveryWrite(t *testing.T) {
	w := newWild(t)
	ops := operations(t, w.host)
	seen := map[string]bool{"receiveWebhook": true} // has kinds
	for _, tpl := range templates {
		seen[operationOf(t, ops, tpl.method, tpl.path(w)).id] = true
	}
	for _, op := range ops {
		if op.method != "GET" && !seen[op.id] {
			t.Errorf("no template is of %s", op.id)
		}
	}
}

// place is an object within a body: where it stands, and what the description
// says may stand in it; nil for a map with keys of the caller's own.
type place struct {
	at    []string
	known object
}

// places are the objects of a body, as its schema has them.
func places(c *contract, schema object, body any, at ...string) (list []place) {
	if ref, ok := schema["$ref"].(string); ok {
		var v any = c.doc
		for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			v = v.(object)[part]
		}
		return places(c, v.(object), body, at...)
	}
	if any, ok := schema["anyOf"].([]any); ok {
		for _, one := range any {
			list = append(list, places(c, one.(object), body, at...)...)
		}
		return list
	}
	switch x := body.(type) {
	case object:
		known, _ := schema["properties"].(object)
		if _, free := schema["additionalProperties"].(object); free && known != nil {
			return nil // some keys are ours, the rest are the caller's own and mean nothing
		}
		if known == nil && schema["additionalProperties"] != false {
			return nil
		}
		if known == nil {
			known = object{}
		}
		list = append(list, place{slices.Clone(at), known})
		for k, inner := range x {
			if s, ok := known[k].(object); ok {
				list = append(list, places(c, s, inner, append(slices.Clone(at), k)...)...)
			}
		}
	case []any:
		items, _ := schema["items"].(object)
		for i, inner := range x {
			list = append(list, places(c, items, inner, append(slices.Clone(at), strconv.Itoa(i))...)...)
		}
	}
	return list
}

// add puts a key into an object of a body.
func (p place) add(body any, key string, value any) {
	for _, part := range p.at {
		switch x := body.(type) {
		case object:
			body = x[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil {
				panic(err)
			}
			body = x[i]
		}
	}
	body.(object)[key] = value
}

func TestMassAssignment(t *testing.T) {
	t.Parallel()
	w := newWild(t)
	c := newContract(t, w.host)
	ops := operations(t, w.host)
	asked := 0
	for _, tpl := range templates {
		op := operationOf(t, ops, tpl.method, tpl.path(w))
		schema := object{"additionalProperties": false} // no body is described
		if b, ok := c.doc["paths"].(object)[op.path].(object)[strings.ToLower(op.method)].(object)["requestBody"].(object); ok {
			schema = b["content"].(object)["application/json"].(object)["schema"].(object)
		}
		found := places(c, schema, tpl.body(w))
		if len(found) == 0 {
			t.Errorf("%s: nothing can be added", tpl.name)
		}
		for _, p := range found {
			for _, name := range unasked {
				for _, key := range []string{name, strings.ToUpper(name[:1]) + name[1:]} {
					if p.known[key] != nil || key == "$ref" && key != name {
						continue
					}
					target, body := tpl.path(w), tpl.body(w)
					p.add(body, key, 1_000_000)
					w.written()
					asked++
					a := w.send(tpl.method, target, body) // which looks that nothing is written
					refused := a.status == 400 || a.status == 422 && a.str("code") == "not_supported_yet"
					if want := "/" + strings.Join(append(slices.Clone(p.at), key), "/"); !refused || !strings.EqualFold(a.str("details.path"), want) {
						t.Errorf("%s with %s: %d %s", tpl.name, want, a.status, a.raw)
					}
				}
			}
		}
	}
	t.Logf("%d bodies", asked)
	w.settled()
}

// A storefront may add what it likes to its bodies; it changes nothing.
func TestMassAssignmentByAStorefront(t *testing.T) {
	w := newWild(t)
	earned := func(more object) answer {
		w.t.Helper()
		o := order(w.fresh(), w.enrol("buyer"), 12300)
		for k, v := range more {
			if o[k] == nil {
				o[k] = v
			}
		}
		a := w.webhook("standard", encoded(t, o))
		if a.status != 200 || a.num("points") != 123 || a.num("pending") != 0 || a.str("member") != o["member"] || a.str("order.id") != o["id"] {
			t.Errorf("with %v: %s", more, a.raw)
		}
		return w.member(a.str("member"))
	}
	for _, name := range unasked {
		m := earned(object{name: 1_000_000})
		if m.num("points.available") != 123 || m.num("points.debt") != 0 || m.at("guest") != false {
			t.Errorf("with %s: %s", name, m.raw)
		}
	}
	w.settled()
}

// Who asks is said by the Authorization header alone.
func TestNothingElseSaysWhoAsks(t *testing.T) {
	w := newWorld(t)
	own, theirs := w.objects[0], w.objects[2]
	ask := func(method, path, authorization string, headers ...string) string {
		t.Helper()
		a := w.do(method, path, nil, append([]string{"Authorization", authorization}, headers...)...)
		delete(a.body, "request_id")
		return fmt.Sprint(a.status, a.body)
	}
	for _, h := range []string{
		"X-Program", "X-Tenant", "X-Tenant-Id", "X-Api-Key", "X-Scope", "X-User", "X-Forwarded-User", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Forwarded-For", "X-Forwarded-Host", "Cookie",
		"X-Amzn-Request-Context", "X-Amz-Security-Token", "Proxy-Authorization", "Forwarded",
	} {
		for _, value := range []string{"other", "admin", programKeys["other"], "Bearer " + key, "/v1/members/" + theirs.member, "DELETE", "127.0.0.1", "Authorization=Bearer " + key} {
			for _, path := range []string{"/v1/members/" + own.member, "/v1/members/" + theirs.member, "/v1/program"} {
				for _, authorization := range []string{"", "Bearer sk_server", w.credentials[11].authorization} {
					if plain, with := ask("GET", path, authorization), ask("GET", path, authorization, h, value); plain != with {
						t.Errorf("GET %s with %s: %s says %s, without %s", path, h, value, with, plain)
					}
				}
			}
		}
	}
	for _, q := range []string{"program=other", "tenant=other", "scope=admin", "access_token=" + key, "api_key=" + key, "key=" + key, "authorization=Bearer+" + key, "id=" + theirs.member} {
		for _, authorization := range []string{"", "Bearer sk_server", w.credentials[11].authorization} {
			path := "/v1/members/" + own.member
			if plain, with := ask("GET", path, authorization), ask("GET", path+"?"+q, authorization); plain != with {
				t.Errorf("GET %s?%s says %s, without %s", path, q, with, plain)
			}
		}
	}
}
