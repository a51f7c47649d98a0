package local_test

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"regulars/events"
	"regulars/infra/local"
)

// Every event of a host on which everything happens is as its schema says.
func TestEventsAreAsTheirSchemasSay(t *testing.T) {
	s := open(t, local.Config{DataDir: t.TempDir()})
	tour(s)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	files, err := events.Files.ReadDir("schemas")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := events.Files.ReadFile("schemas/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(f.Name(), doc); err != nil {
			t.Fatal(err)
		}
	}
	list, err := jsonschema.UnmarshalJSON(bytes.NewReader(s.must("GET", "/_local/events", nil).raw))
	if err != nil {
		t.Fatal(err)
	}
	seen, ids := map[string]bool{}, map[string]bool{}
	for _, e := range list.(object)["data"].([]any) {
		kind, id := e.(object)["type"].(string), e.(object)["id"].(string)
		seen[kind+".json"] = true
		if ids[id] {
			t.Errorf("two events are %s", id)
		}
		ids[id] = true
		schema, err := c.Compile(kind + ".json")
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if err := schema.Validate(e); err != nil {
			t.Errorf("%v\n%v", e, err)
		}
	}
	for _, f := range files {
		if !seen[f.Name()] {
			t.Errorf("the tour makes no event of %s", f.Name())
		}
	}
}
