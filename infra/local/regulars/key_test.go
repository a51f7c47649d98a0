package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"regulars/shared/table"
	"regulars/shared/web"
)

// Keys of a deployed stack are made, shown once, and revoked.
func TestKeysOfAStack(t *testing.T) {
	outputs, store := deployed(t)
	var said bytes.Buffer
	do := func(args ...string) error {
		said.Reset()
		return key(t.Context(), &said, args[0], outputs, args[1:])
	}
	if err := do("add", "-scope", "server"); err == nil {
		t.Error("a key of a program that is not there was made")
	}
	if err := run(t.Context(), []string{"setup", outputs}); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"add"},
		{"add", "-scope", "member"},
		{"add", "-scope", "server", "-until", "tomorrow"},
		{"add", "-scope", "server", "-until", "2020-01-01"},
		{"add", "-scope", "server", "more"},
		{"revoke"},
		{"revoke", "sk_unknown"},
		{"list"},
	} {
		if err := do(args...); err == nil {
			t.Errorf("%q said %s", args, &said)
		}
	}
	for i, args := range [][]string{{"-scope", "server"}, {"-scope", "admin", "-until", "2099-12-31"}} {
		if err := do(append([]string{"add"}, args...)...); err != nil {
			t.Fatal(err)
		}
		made := regexp.MustCompile(`sk_[A-Z0-9]+`).FindString(said.String())
		hash := web.HashKey(made)
		stored := func() table.APIKey {
			t.Helper()
			k, err := store.APIKey(t.Context(), hash)
			if err != nil || k == nil {
				t.Fatalf("the key is not stored: %v\n%s", err, &said)
			}
			return *k
		}
		k := stored()
		if strings.Count(said.String(), made) != 1 || !strings.Contains(said.String(), hash) || k.Scope != args[1] || k.Program != "main" || k.At == 0 || k.Revoked != 0 {
			t.Errorf("%+v\n%s", k, &said)
		}
		if want := map[bool]int64{true: time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC).Unix()}[len(args) > 2]; k.Until != want {
			t.Errorf("until %d, want %d", k.Until, want)
		}
		for range 2 { // by the key and by its hash, again and again
			if err := do("revoke", []string{made, hash}[i]); err != nil {
				t.Error(err)
			}
		}
		if k := stored(); k.Revoked == 0 || strings.Contains(said.String(), made) {
			t.Errorf("%+v\n%s", k, &said)
		}
	}
}
