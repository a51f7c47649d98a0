package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regulars/infra/local"
)

// A file is brought in, told of, and known again.
func TestImportOfAFile(t *testing.T) {
	h, err := local.Open(t.Context(), local.Config{DataDir: t.TempDir(), APIKey: "sk_local", WebhookSecret: "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	srv := httptest.NewServer(h)
	defer srv.Close()
	dir := t.TempDir()
	do := func(name, text string, args ...string) (string, error) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		err := bringIn(t.Context(), &said, file, append(args, "-url", srv.URL))
		return said.String(), err
	}
	for _, c := range []struct {
		name, text string
		args       []string
		says       []string
		fails      string
	}{
		{"people.csv", "external_id,name\n77,נועה\n78,مريم\n", []string{"-kind", "members", "-source", "till"}, []string{"100%", "2 read = 2 applied", "2 made", "Every row was taken"}, ""},
		{"people.csv", "external_id,name\n77,נועה\n78,مريم\n", []string{"-kind", "members", "-source", "till"}, []string{"2 read = 2 applied", "2 made"}, ""}, // the same import
		{"more.csv", "external_id,name\n77,נועה\n79,x\n", []string{"-kind", "members", "-source", "till"}, []string{"2 read = 1 applied + 1 duplicate"}, ""},
		{"balances.json", "{\"external_id\":\"77\",\"points\":50}\n{\"external_id\":\"0\",\"points\":7}\n", []string{"-kind", "balances", "-source", "till"}, []string{"+50, from 0 to 50", "57 = 50 opened + 0 opened before + 7 refused", `line 2: unknown_member at /external_id "0"`, "Next: put these rows right"}, ""},
		{"sheet.csv", "name;email\n", []string{"-kind", "members"}, nil, `failed at line 1: invalid_request at /0 "name;email"`},
		{"sheet.csv", "name;email\n", []string{"-kind", "members"}, nil, "failed at line 1"}, // another import
		{"empty.json", "", []string{"-kind", "members"}, []string{"0 read"}, ""},
		{"people.csv", "", []string{"-kind", "people"}, nil, "400 invalid_request: /kind"},
		{"people.csv", "", []string{"-kind", "members", "more"}, nil, `what is "more"`},
	} {
		said, err := do(c.name, c.text, c.args...)
		if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s %v: %v\n%s", c.name, c.args, err, said)
		}
		for _, s := range c.says {
			if !strings.Contains(said, s) {
				t.Errorf("%s %v does not say %q:\n%s", c.name, c.args, s, said)
			}
		}
	}
}
