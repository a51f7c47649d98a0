package topology

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	citation = regexp.MustCompile("`([a-z/_]+_test\\.go):((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)`")
	testName = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9]+`)
	threat   = regexp.MustCompile(`(?m)^### API(\d+) `)
)

// missing are the tests that a text names and that are not there.
func missing(root, text string) (out []string) {
	for _, c := range citation.FindAllStringSubmatch(text, -1) {
		src, err := os.ReadFile(filepath.Join(root, c[1]))
		if err != nil || !strings.Contains(string(src), "\nfunc "+c[2]+"(") {
			out = append(out, c[1]+":"+c[2])
		}
	}
	for _, name := range testName.FindAllString(citation.ReplaceAllString(text, ""), -1) {
		out = append(out, name+" without its file")
	}
	return out
}

// untested are the threats of the ten for which the text names no test.
func untested(text string) (out []string) {
	var threats []string
	at := threat.FindAllStringSubmatchIndex(text, -1)
	for i, m := range at {
		threats = append(threats, text[m[2]:m[3]])
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		if !citation.MatchString(text[m[0]:end]) {
			out = append(out, "a test for API"+text[m[2]:m[3]])
		}
	}
	for n := 1; n <= 10; n++ {
		if !slices.Contains(threats, fmt.Sprint(n)) {
			out = append(out, fmt.Sprint("API", n))
		}
	}
	return out
}

func TestDocumentsNameTestsThatAreThere(t *testing.T) {
	for _, name := range []string{"security", "reliability", "scale"} {
		text, err := os.ReadFile("../../docs/" + name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range missing("../..", string(text)) {
			t.Errorf("docs/%s.md: %s is not there", name, m)
		}
	}
}

func TestEveryThreatHasATest(t *testing.T) {
	raw, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, m := range untested(text) {
		t.Errorf("docs/security.md: %s is not there", m)
	}
	// A test that is gone, a name without its file, a threat without a test
	// are each noticed.
	for _, change := range [][2]string{
		{"TestForgedTokens", "TestForgedTokensOfOld"}, {"shared/web/token_test.go:TestForgedTokens", "TestForgedTokens"}, {"### API7 ", "### API77 "}, {"vendors_test.go:", "vendors_test.go "},
	} {
		changed := strings.ReplaceAll(text, change[0], change[1])
		if len(missing("../..", changed))+len(untested(changed)) == 0 {
			t.Errorf("%q in place of %q is not noticed", change[1], change[0])
		}
	}
}
