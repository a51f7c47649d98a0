package program

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"regulars/infra/topology"
)

type object = map[string]any

func described(t *testing.T) object {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(description))
	if err != nil {
		t.Fatal(err)
	}
	return v.(object)
}

// operations calls visit with every operation of the description.
func operations(doc object, visit func(method, path string, op object)) {
	for path, item := range doc["paths"].(object) {
		for method, op := range item.(object) {
			visit(strings.ToUpper(method), path, op.(object))
		}
	}
}

func TestDescriptionHasTheRoutesOfTheTopology(t *testing.T) {
	var want, got []string
	for _, r := range topology.Routes {
		want = append(want, r.Method+" "+r.Path)
	}
	operations(described(t), func(method, path string, _ object) { got = append(got, method+" "+path) })
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-topology +description):\n%s", diff)
	}
}

// What OpenAPI 3.1 asks for, as far as the description uses it.
func TestDescriptionIsOpenAPI(t *testing.T) {
	doc := described(t)
	if doc["openapi"] != "3.1.0" || doc["jsonSchemaDialect"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("openapi %v, dialect %v", doc["openapi"], doc["jsonSchemaDialect"])
	}
	only(t, "/", doc, "openapi", "info", "jsonSchemaDialect", "servers", "paths", "components")
	only(t, "/info", doc["info"].(object), "title", "version", "summary", "description")
	only(t, "/components", doc["components"].(object), "schemas", "responses", "parameters", "headers", "securitySchemes")
	schemes := doc["components"].(object)["securitySchemes"].(object)

	names := map[string]bool{}
	operations(doc, func(method, path string, op object) {
		at := method + " " + path
		only(t, at, op, "operationId", "summary", "description", "parameters", "requestBody", "responses", "security", "x-scopes")
		name, _ := op["operationId"].(string)
		if name == "" || names[name] || op["summary"] == nil {
			t.Errorf("%s: an operation has a summary and a name of its own, not %q", at, name)
		}
		names[name] = true

		var inPath []string
		params, _ := op["parameters"].([]any)
		for _, p := range params {
			p := resolved(t, doc, p.(object))
			only(t, at, p, "name", "in", "required", "description", "schema")
			switch p["in"] {
			case "path":
				inPath = append(inPath, p["name"].(string))
				if p["required"] != true {
					t.Errorf("%s: %s is required", at, p["name"])
				}
			case "query", "header":
			default:
				t.Errorf("%s: a parameter in %v", at, p["in"])
			}
		}
		var inTemplate []string
		for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
			inTemplate = append(inTemplate, m[1])
		}
		if diff := cmp.Diff(inTemplate, inPath); diff != "" {
			t.Errorf("%s: parameters of the path (-template +described):\n%s", at, diff)
		}
		if body, ok := op["requestBody"].(object); ok {
			only(t, at, body, "required", "content", "description")
			media(t, at, body)
			if method == "GET" {
				t.Errorf("%s has a body", at)
			}
		}
		responses := op["responses"].(object)
		ok := false
		for status, r := range responses {
			if status != "default" && !regexp.MustCompile(`^[1-5]\d\d$`).MatchString(status) {
				t.Errorf("%s: status %q", at, status)
			}
			r := resolved(t, doc, r.(object))
			only(t, at, r, "description", "content", "headers")
			if r["description"] == nil {
				t.Errorf("%s: %s has no description", at, status)
			}
			media(t, at, r)
			ok = ok || status[0] == '2' || status == "302"
		}
		if !ok {
			t.Errorf("%s does not say what success is", at)
		}
		scopes := op["x-scopes"].([]any)
		security := op["security"].([]any)
		if (len(scopes) == 0) != (len(security) == 0) {
			t.Errorf("%s: scopes %v, security %v", at, scopes, security)
		}
		for _, s := range security {
			for scheme := range s.(object) {
				if schemes[scheme] == nil {
					t.Errorf("%s: no security scheme %s", at, scheme)
				}
			}
		}
	})
}

// Every schema is one of JSON Schema 2020-12, wherever it stands, and every
// reference leads somewhere.
func TestDescriptionHasValidSchemas(t *testing.T) {
	doc := described(t)
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var walk func(pointer string, v any)
	walk = func(pointer string, v any) {
		switch x := v.(type) {
		case object:
			if ref, ok := x["$ref"].(string); ok {
				used[ref] = true
				resolved(t, doc, x)
			}
			for k, inner := range x {
				at := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(k)
				if k == "schema" && !strings.Contains(pointer, "/properties") || strings.HasSuffix(pointer, "/components/schemas") {
					if _, err := c.Compile("openapi.json#" + at); err != nil {
						t.Errorf("%s: %v", at, err)
					}
				}
				walk(at, inner)
			}
		case []any:
			for i, inner := range x {
				walk(fmt.Sprint(pointer, "/", i), inner)
			}
		}
	}
	walk("", doc)
	for kind, all := range doc["components"].(object) {
		if kind == "securitySchemes" {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(all.(object))) {
			if !used["#/components/"+kind+"/"+name] {
				t.Errorf("nothing uses %s %s", kind, name)
			}
		}
	}
}

func TestDescriptionIsServedWhole(t *testing.T) {
	a, err := openapi(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, description); err != nil || !bytes.Equal(raw, compact.Bytes()) {
		t.Errorf("%d bytes are served, the description has %d (%v)", len(raw), compact.Len(), err)
	}
}

// only checks that an object has no other keys than those of the standard.
func only(t *testing.T, at string, o object, known ...string) {
	t.Helper()
	for k := range o {
		if !slices.Contains(known, k) {
			t.Errorf("%s: the key %q does not belong there", at, k)
		}
	}
}

func media(t *testing.T, at string, o object) {
	t.Helper()
	content, _ := o["content"].(object)
	if len(content) == 0 {
		t.Errorf("%s: a body of no type", at)
	}
	for kind, m := range content {
		only(t, at+" "+kind, m.(object), "schema")
	}
}

// resolved follows a reference.
func resolved(t *testing.T, doc, o object) object {
	t.Helper()
	ref, ok := o["$ref"].(string)
	if !ok {
		return o
	}
	var v any = doc
	for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		v = v.(object)[part]
	}
	if v == nil {
		t.Fatalf("%s leads nowhere", ref)
	}
	return v.(object)
}
