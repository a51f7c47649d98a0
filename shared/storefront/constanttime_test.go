package storefront_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unequal finds where a file compares a sum with anything but hmac.Equal,
// which takes as long for a sum that is wrong from its first byte as for one
// that is wrong in its last.
func unequal(fset *token.FileSet, file *ast.File) (found []string) {
	name := func(e ast.Expr) string {
		if s, ok := e.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				return x.Name + "." + s.Sel.Name
			}
			return "." + s.Sel.Name
		}
		if i, ok := e.(*ast.Ident); ok {
			return i.Name
		}
		return ""
	}
	isSum := func(e ast.Expr) bool {
		c, ok := e.(*ast.CallExpr)
		return ok && strings.HasSuffix(name(c.Fun), ".Sum")
	}
	report := func(n ast.Node, what string) {
		found = append(found, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), what))
	}
	compared := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			switch f := name(n.Fun); f {
			case "hmac.Equal", "subtle.ConstantTimeCompare":
				for _, a := range n.Args {
					compared[a] = true
				}
			case "bytes.Equal", "bytes.Compare", "bytes.HasPrefix", "slices.Equal", "slices.Compare", "reflect.DeepEqual":
				report(n, f)
			}
			if isSum(n) && !compared[n] {
				report(n, "a sum that does not go straight to hmac.Equal")
			}
		case *ast.BinaryExpr:
			for _, side := range []ast.Expr{n.X, n.Y} {
				if c, ok := side.(*ast.CallExpr); ok && (n.Op == token.EQL || n.Op == token.NEQ) && name(c.Fun) == "string" {
					report(n, "bytes compared as a string")
				}
			}
		}
		return true
	})
	return found
}

func TestSumsAreComparedInConstantTime(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	signing := 0
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") || !strings.Contains(string(src), `"crypto/hmac"`) {
			continue
		}
		signing++
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range unequal(fset, file) {
			t.Error(f)
		}
	}
	if signing == 0 {
		t.Error("no file of the package knows crypto/hmac")
	}
}

func TestComparingOtherwiseIsFound(t *testing.T) {
	for _, body := range []string{
		"return bytes.Equal(mac.Sum(nil), sum)", "want := mac.Sum(nil)\nreturn hmac.Equal(want, sum)", "return string(want) == string(sum)", "return hex.EncodeToString(mac.Sum(nil)) == text", "return slices.Equal(want, sum)",
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "x.go", "package x\nfunc f() bool {\n"+body+"\n}", 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(unequal(fset, file)) == 0 {
			t.Errorf("not found in: %s", body)
		}
	}
}
