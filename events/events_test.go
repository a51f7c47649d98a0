package events_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"regulars/events"
)

// types are the types of event, from the source: a list beside it could lack one.
func types(t *testing.T) (list []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		decl, ok := n.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			return true
		}
		for _, spec := range decl.Specs {
			for _, v := range spec.(*ast.ValueSpec).Values {
				name, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, name)
			}
		}
		return false
	})
	slices.Sort(list)
	return list
}

func TestEveryTypeHasASchemaAndASample(t *testing.T) {
	var want []string
	for _, name := range types(t) {
		want = append(want, name+".json")
	}
	for _, folder := range []string{"schemas", "samples"} {
		files, err := fs.ReadDir(events.Files, folder)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range files {
			got = append(got, f.Name())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-types +files):\n%s", folder, diff)
		}
	}
}

func TestSamplesAreAsTheirSchemasSay(t *testing.T) {
	for _, name := range types(t) {
		schema, raw := schemaOf(t, name), read(t, "samples/"+name+".json")
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var e events.Event
		if err := json.Unmarshal(raw, &e); err != nil || e.Type != name {
			t.Errorf("the sample of %s is of type %q (%v)", name, e.Type, err)
		}
		// A schema that takes anything would say nothing.
		for _, part := range []any{v, v.(map[string]any)["data"]} {
			part.(map[string]any)["unknown"] = true
			if schema.Validate(v) == nil {
				t.Errorf("the schema of %s takes unknown keys", name)
			}
			delete(part.(map[string]any), "unknown")
		}
	}
}

func schemaOf(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, "schemas/"+name+".json")))
	if err != nil {
		t.Fatal(err)
	}
	if d := doc.(map[string]any)["$schema"]; d != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("%s is in %v", name, d)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := events.Files.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
