package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regulars/infra/local"
)

func write(t *testing.T, name, body string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const draftOfSC19 = "earning:\n  rules:\n    - {id: base, on: order, rate: {points: 1, amount: 80}, where: {minimum_amount: 1000}}\n"

func order(id string, amount int, more string) string {
	return fmt.Sprintf(`{"source": "till", "id": %q, "version": 1, "state": "paid", "currency": "ILS", "paid_at": "2026-03-15T08:01:00Z", "lines": [{"id": "1", "amount": %d}]%s}`+"\n", id, amount, more)
}

// SC19 from a file: the numbers, and the same bytes for any number of workers.
func TestWhatIfOverAFile(t *testing.T) {
	history := ""
	for i, amount := range []int{4995, 12000, 999} {
		history += order(fmt.Sprint(i), amount, `, "customer": {"external_id": "7"}`) + "\n" // empty lines are no orders
	}
	history += order("nobody", 5000, "")
	file, draft := write(t, "history.ndjson", history), write(t, "draft.yaml", draftOfSC19)
	reports := map[string]bool{}
	for _, workers := range []string{"1", "4"} {
		var out, progress bytes.Buffer
		dir := filepath.Join(t.TempDir(), "out")
		if err := whatif(t.Context(), local.Config{}, []string{"-program", draft, "-history", file, "-workers", workers, "-out", dir}, &out, &progress); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"3 orders of 1 members", "178              212              +34", "+1.36 ILS", "Publish the draft with"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("it does not say %q:\n%s", want, out.String())
			}
		}
		if !strings.Contains(progress.String(), "100%") {
			t.Errorf("progress %q", progress.String())
		}
		raw, err := os.ReadFile(filepath.Join(dir, "report.json"))
		if err != nil {
			t.Fatal(err)
		}
		reports[string(raw)] = true
		page, err := os.ReadFile(filepath.Join(dir, "report.html"))
		if err != nil || !bytes.Contains(page, []byte("<svg")) || bytes.Contains(page, []byte("ZgotmplZ")) {
			t.Errorf("the page: %v\n%s", err, page)
		}
	}
	if len(reports) != 1 {
		t.Error("the report depends on the number of workers")
	}
}

// The table of this machine, and no history at all.
func TestWhatIfOverTheTable(t *testing.T) {
	c := local.Config{DataDir: t.TempDir(), APIKey: "sk_local"}
	h, err := local.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	draft := write(t, "draft.yaml", draftOfSC19)
	err = whatif(t.Context(), c, []string{"-program", draft}, &bytes.Buffer{}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "POST /v1/simulations") {
		t.Errorf("beside a running host: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := whatif(t.Context(), c, []string{"-program", draft, "-out", t.TempDir()}, &out, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "0 orders of 0 members until "+time.Now().UTC().Format("2 January 2006")) {
		t.Error(out.String())
	}
}

func TestWhatIfRefuses(t *testing.T) {
	good := write(t, "draft.yaml", draftOfSC19)
	for _, c := range []struct {
		name, says string
		args       []string
	}{
		{"no draft", "usage:", nil},
		{"a draft that names nothing", "no-such.yaml", []string{"-program", "no-such.yaml"}},
		{"a bad draft", `did you mean expiry?`, []string{"-program", write(t, "bad.yaml", "expirx: none")}},
		{"a bad line", "line 2 of the history: ", []string{"-program", good, "-history", write(t, "bad.ndjson", order("1", 5, "")+"{}\n")}},
		{"more than all", "-redemption: must be", []string{"-program", good, "-redemption", "1.5"}},
		{"a time that is none", "-until: ", []string{"-program", good, "-until", "tomorrow"}},
		{"no months", "-reach: ", []string{"-program", good, "-reach", "0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := whatif(t.Context(), local.Config{DataDir: t.TempDir()}, append(c.args, "-out", t.TempDir()), &bytes.Buffer{}, &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// An expression is read as in production, and a wrong one is refused.
func TestWhatIfReadsExpressions(t *testing.T) {
	file := write(t, "history.ndjson", order("1", 4995, `, "customer": {"external_id": "7"}`)+order("2", 999, `, "customer": {"external_id": "7"}`))
	ask := func(when string) (string, error) {
		draft := write(t, "draft.yaml", "earning:\n  rules:\n    - {id: base, on: order, rate: {points: 1, amount: 80}, when: "+when+"}\n")
		var out, progress bytes.Buffer
		err := whatif(t.Context(), local.Config{}, []string{"-program", draft, "-history", file, "-out", filepath.Join(t.TempDir(), "out")}, &out, &progress)
		return out.String(), err
	}
	out, err := ask("order.amount >= 1000") // 49 + 9 points, and 62
	if err != nil || !strings.Contains(out, "+4") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := ask("order.amuont >= 1000"); err == nil || !strings.Contains(err.Error(), "order.amount") {
		t.Errorf("taken, or without the nearest name: %v", err)
	}
}
