package topology_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/OpenPeeDeeP/depguard/v2"
	"golang.org/x/tools/go/analysis"
	"gopkg.in/yaml.v3"
)

// findings are what the linter says of one file.
func findings(t *testing.T, linter *analysis.Analyzer, name string, src any) []string {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	_, err = linter.Run(&analysis.Pass{
		Analyzer: linter, Fset: set, Files: []*ast.File{f},
		Report: func(d analysis.Diagnostic) { out = append(out, d.Message) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func linter(t *testing.T) (*analysis.Analyzer, string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, ".depguard.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var rules depguard.LinterSettings
	if err := yaml.Unmarshal(raw, &rules); err != nil {
		t.Fatal(err)
	}
	a, err := depguard.NewAnalyzer(&rules)
	if err != nil {
		t.Fatal(err)
	}
	return a, root
}

// Imports run one way.
func TestImportsRunOneWay(t *testing.T) {
	linter, root := linter(t)
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || strings.HasSuffix(d.Name(), ".out")) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			files++
			for _, f := range findings(t, linter, path, nil) {
				t.Errorf("%s: %s", path[len(root)+1:], f)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Fatalf("only %d files were looked at", files)
	}
}

// Each rule bites where it should, and only there.
func TestImportRulesBite(t *testing.T) {
	linter, root := linter(t)
	for _, c := range []struct {
		file, imports string
		bites         bool
	}{
		{"events/events.go", "regulars/shared/loyalty", true},
		{"events/events.go", "encoding/json", false},
		{"shared/loyalty/earn.go", "net/http", true},
		{"shared/loyalty/earn.go", "log/slog", true},
		{"shared/loyalty/earn.go", "math/rand/v2", true},
		{"shared/loyalty/earn.go", "github.com/oklog/ulid/v2", true},
		{"shared/loyalty/earn.go", "regulars/shared/table", true},
		{"shared/loyalty/earn.go", "regulars/events", false},
		{"shared/loyalty/earn.go", "math/big", false},
		{"shared/segment/bgnbd.go", "regulars/shared/loyalty", true},
		{"shared/segment/bgnbd.go", "os", true},
		{"shared/segment/bgnbd.go", "math/rand/v2", true},
		{"shared/segment/bgnbd.go", "github.com/oklog/ulid/v2", true},
		{"shared/segment/bgnbd.go", "gonum.org/v1/gonum/optimize", false},
		{"shared/segment/bgnbd.go", "encoding/json", false},
		{"shared/strict/strict.go", "regulars/shared/web", true},
		{"shared/program/compile.go", "regulars/shared/table", true},
		{"shared/program/compile.go", "regulars/shared/loyalty", false},
		{"shared/program/compile.go", "cel.dev/cel-go/cel", true},
		{"shared/program/when/when.go", "cel.dev/cel-go/cel", false},
		{"shared/program/when/when.go", "regulars/shared/table", true},
		{"shared/loyalty/rule_test.go", "github.com/google/cel-go/cel", true},
		{"shared/storefront/shopify.go", "regulars/shared/table", true},
		{"shared/words/terms.go", "regulars/shared/table", true},
		{"shared/words/page/page.go", "net/http", true},
		{"shared/words/terms.go", "regulars/shared/program", false},
		{"shared/table/tx.go", "regulars/shared/web", true},
		{"shared/table/tx.go", "regulars/shared/table/dynamo", true},
		{"shared/table/dynamo/dynamo.go", "regulars/shared/loyalty", true},
		{"shared/table/dynamo/dynamo.go", "github.com/aws/aws-sdk-go-v2/aws", false},
		{"shared/table/embedded/write.go", "github.com/aws/aws-sdk-go-v2/aws", true},
		{"shared/orders/orders.go", "regulars/shared/web", true},
		{"shared/orders/orders.go", "regulars/shared/table", false},
		{"shared/person/person.go", "regulars/shared/web", true},
		{"shared/person/person.go", "regulars/shared/table", false},
		{"shared/yaml/yaml.go", "regulars/shared/web", true},
		{"shared/simulation/simulation.go", "regulars/shared/table", true},
		{"shared/simulation/simulation.go", "os", true},
		{"shared/simulation/simulation.go", "regulars/shared/storefront", false},
		{"shared/alike/email.go", "regulars/shared/loyalty", true},
		{"shared/alike/email.go", "net/http", true},
		{"shared/alike/email.go", "time", true},
		{"shared/alike/network.go", "net/netip", false},
		{"shared/alike/email.go", "regulars/shared/alike/letters", false},
		{"shared/alike/email.go", "golang.org/x/net/idna", false},
		{"shared/alike/letters/letters.go", "regulars/shared/alike", true},
		{"shared/alike/letters/letters.go", "os", true},
		{"shared/code/code.go", "regulars/shared/table", true},
		{"shared/code/code.go", "regulars/shared/code/qr", true},
		{"shared/code/code.go", "rsc.io/qr", true},
		{"shared/code/code.go", "crypto/rand", true},
		{"shared/code/code.go", "regulars/shared/alike/letters", false},
		{"shared/code/code.go", "crypto/sha256", false},
		{"shared/code/qr/qr.go", "regulars/shared/code", true},
		{"shared/code/qr/qr.go", "image/png", true},
		{"shared/code/qr/qr.go", "rsc.io/qr", false},
		{"shared/code/qr/qr.go", "github.com/makiuchi-d/gozxing", true},
		{"shared/code/qr/qr_test.go", "github.com/makiuchi-d/gozxing", false},
		{"shared/chart/bars.go", "regulars/shared/loyalty", true},
		{"shared/chart/bars.go", "os", true},
		{"shared/chart/bars.go", "math", false},
		{"shared/web/gate.go", "regulars/functions/earn", true},
		{"shared/web/gate.go", "regulars/shared/table/embedded", true},
		{"functions/earn/earn.go", "regulars/functions/members", true},
		{"functions/earn/earn.go", "os", true},
		{"functions/earn/earn.go", "github.com/aws/aws-sdk-go-v2/aws", true},
		{"functions/earn/earn.go", "regulars/shared/table/dynamo", true},
		{"functions/earn/earn.go", "regulars/shared/storefront", false},
		{"functions/earn/earn.go", "regulars/shared/program/when", true},
		{"functions/earn/lambda/main.go", "regulars/functions/gateway", false},
		{"functions/earn/lambda/main.go", "regulars/shared/program/when", false},
		{"functions/gateway/gateway.go", "regulars/functions/earn", true},
		{"infra/stack.go", "regulars/shared/loyalty", true},
		{"infra/stack.go", "regulars/infra/topology", false},
		{"infra/topology/topology.go", "regulars/shared/table", true},
	} {
		t.Run(c.file+" "+c.imports, func(t *testing.T) {
			src := fmt.Sprintf("package p\n\nimport _ %q\n", c.imports)
			if got := findings(t, linter, filepath.Join(root, c.file), src); (len(got) > 0) != c.bites {
				t.Errorf("findings: %v", got)
			}
		})
	}
}

// Only functions that value orders or publish programs link the compiler of
// expressions: it makes a binary 11 MB larger (10.4 to 21.6), of which every cold start pays.
func TestFewFunctionsLinkExpressions(t *testing.T) {
	for function, links := range map[string]bool{
		"earn": true, "importer": true, "program": true, "simulations": true, "replay": true, "imports": false, "redeem": false, "reports": false, "qualify": false, "members": false, "announce": false, "maintain": false,
	} {
		deps, err := exec.Command("go", "list", "-deps", "regulars/functions/"+function+"/lambda").Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(deps), "cel.dev/cel-go"); got != links {
			t.Errorf("%s links cel-go: %v, want %v", function, got, links)
		}
	}
}
