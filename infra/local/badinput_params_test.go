package local_test

import (
	"net/url"
	"strings"
	"testing"

	"regulars/shared/loyalty"
	"regulars/shared/web"
)

// parameter is one that the description gives an operation.
type parameter struct{ name, in string }

func (c *contract) parameters(op operation) (list []parameter) {
	all, _ := c.doc["paths"].(object)[op.path].(object)[strings.ToLower(op.method)].(object)["parameters"].([]any)
	for _, p := range all {
		p := p.(object)
		if ref, ok := p["$ref"].(string); ok {
			p = c.doc["components"].(object)["parameters"].(object)[ref[strings.LastIndexByte(ref, '/')+1:]].(object)
		}
		list = append(list, parameter{p["name"].(string), p["in"].(string)})
	}
	return list
}

// taken is a request of an operation that is taken as it stands.
func (w *wild) taken(op operation) (path string, body any) {
	for _, tpl := range templates {
		if tpl.method != op.method {
			continue
		}
		if path := tpl.path(w); sameShape(op.path, path) {
			return path, tpl.body(w)
		}
	}
	path = w.fill(op.path)
	if op.id == "findMembers" {
		path += "?email=a@b"
	}
	entry := web.EntryID(strings.TrimPrefix(w.base(), "mem_"), "", 1)
	return strings.NewReplacer("{connection}", "standard", "{entry}", entry).Replace(path), nil
}

// sameShape tells whether a path may be of a description's path.
func sameShape(described, path string) bool {
	a, b := strings.Split(described, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(a[i], "{") {
			return false
		}
	}
	return true
}

// names are the parameters of a query that name a thing, which may not be there.
var names = map[string]bool{"wallet": true, "member": true, "version": true}

// Naughty strings in every parameter of every operation, all of them with
// -every, in paths, queries and headers, whatever the description has; beside it all is good.
func TestBadInputParameters(t *testing.T) {
	t.Parallel()
	h := newWild(t).host
	c := newContract(t, h)
	list := naughty(t)
	asked, fields := 0, 0
	for _, op := range operations(t, h) {
		if len(c.parameters(op)) == 0 {
			continue
		}
		w := newWild(t)
		path, body := w.taken(op)
		w.written()
		for _, p := range c.parameters(op) {
			fields++
			for i, s := range list {
				if (i+fields)%4 != 0 && !*every || p.name == "Idempotency-Key" && op.id != "createMember" && i%9 != 0 { // one code reads them all
					continue
				}
				asked++
				switch p.in {
				case "path":
					parts := strings.Split(path, "/")
					for i, part := range strings.Split(op.path, "/") {
						if part == "{"+p.name+"}" {
							parts[i] = url.PathEscape(s)
						}
					}
					if a := w.send(op.method, strings.Join(parts, "/"), body); a.status/100 == 2 && s != "" && !free(op, s, a) {
						t.Errorf("%s of %q: %s", op.id, s, a.raw)
					}
				case "query":
					bare, _, _ := strings.Cut(path, "?")
					if a := w.send(op.method, bare+"?"+url.Values{p.name: {s}}.Encode(), nil); a.status != 200 && a.status != 400 && !(names[p.name] && a.status == 404) && !(op.method == "POST" && a.status == 409) { // a decision is made once
						t.Errorf("%s with %s=%q: %s", op.id, p.name, s, a.raw)
					}
				case "header":
					w.header(op, p.name, s)
				default:
					t.Errorf("%s has a parameter in %s", op.id, p.in)
				}
			}
		}
		w.settled()
	}
	t.Logf("%d strings in %d parameters: %d requests", len(list), fields, asked)
}

// free tells of a name that the caller may choose: a card may be called
// anything, a segment what is left of that. What was defined is there then.
func free(op operation, s string, a answer) bool {
	switch op.id {
	case "getCard":
		return loyalty.ValidID(s) && a.str("number") == s
	case "defineSegment", "getSegment":
		return sourceName.MatchString(s) && a.str("id") == s
	case "listSegmentMembers":
		return sourceName.MatchString(s)
	}
	return false
}

// header sends a request under a header that nobody should send, and again: an
// idempotency key is a key whatever it looks like.
func (w *wild) header(op operation, name, value string) {
	w.t.Helper()
	path, body := w.taken(op)
	w.written()
	a := w.send(op.method, path, body, name, value)
	if name != "Idempotency-Key" {
		return
	}
	if ok := len(value) <= 255; ok != (a.status/100 == 2) && a.status != 422 && op.id != "createToken" && op.id != "evaluateOrder" && op.id != "exportMember" && op.id != "eraseMember" {
		w.t.Errorf("%s under the key %q: %s", op.id, value, a.raw)
	}
	again := w.send(op.method, path, body, name, value)
	if replayed := again.header.Get("Idempotent-Replayed") == "true"; replayed && string(again.raw) != string(a.raw) || !replayed && value != "" && op.id == "createMember" && again.status == 201 {
		w.t.Errorf("%s under the key %q: %s, then %s", op.id, value, a.raw, again.raw)
	}
}

// What is no parameter of any description: the credential, the trace, a name
// of a query.
func TestBadInputNaughtyHeaders(t *testing.T) {
	w := newWild(t)
	for _, s := range naughty(t) {
		q := url.QueryEscape(s)
		w.send("GET", "/v1/members?email=a@b&"+q+"="+q, nil)
		w.want(401, "GET", "/v1/program", nil, "Authorization", "Bearer x"+s)
		w.send("GET", "/v1/program", nil, "X-Amzn-Trace-Id", s)
		w.send("PUT", "/v1/program", object{"currency": "XXX"}, "Content-Type", s)
		for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
			body := encoded(t, order("unsigned", w.base(), 100))
			if a := w.webhook("standard", body, name, s); a.status != 401 {
				t.Errorf("%s of %q: %s", name, s, a.raw)
			}
		}
		for name, kind := range map[string]string{"X-Shopify-Hmac-Sha256": "shopify", "X-WC-Webhook-Signature": "woocommerce", "X-Square-Hmacsha256-Signature": "square", "Stripe-Signature": "stripe"} {
			if a := w.webhook(kind, []byte("{}"), name, s); a.status != 401 {
				t.Errorf("%s of %q: %s", name, s, a.raw)
			}
		}
		w.webhook("shopify", []byte("{}"), "X-Shopify-Topic", s)
		w.webhook("woocommerce", []byte("{}"), "X-WC-Webhook-Topic", s)
	}
	w.settled()
}
