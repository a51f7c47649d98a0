package local_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"regulars/infra/local"
)

var tourBlock = regexp.MustCompile("(?s)```sh tour\n(.*?)```")

// The tour of the README works as printed.
func TestReadmeTour(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIPPED: the tour of the README was not walked: %v", err)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	blocks := tourBlock.FindAllStringSubmatch(string(readme), -1)
	for _, b := range blocks {
		script.WriteString(b[1])
	}
	s := open(t, local.Config{DataDir: t.TempDir()})
	text := strings.NewReplacer("http://127.0.0.1:8080", s.url, "Bearer sk_local", "Bearer "+key, "-hmac local-webhook-secret", "-hmac "+secret).Replace(script.String())
	cmd := exec.Command("bash", "-c", text)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "PORT="+s.url[strings.LastIndexByte(s.url, ':')+1:], "API_KEY="+key)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	for _, want := range []string{`"status":"applied"`, `"points":68`, `"available":68`, `"status":"held"`, `"status":"captured"`, `"points":34`, `"points":-34`, `"balance":4`, `"valid":true`, `"derivation_of":"this_entry"`, `34 points taken back`, `"language":"he"`, `"type":"redemption.captured"`, "1 read = 1 applied", "500 = 500 opened", "Location: https://sabah.example/?ref=", `"status":"pending"`, `"qualified":1`, "it is the member's friend number", `"id":"top_20"`, "The best 20 % bring", `"kind":"referral"`} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the tour did not show %s", want)
		}
	}
	if t.Failed() || len(blocks) < 6 {
		t.Errorf("%d blocks, said:\n%s", len(blocks), said.String())
	}
}
