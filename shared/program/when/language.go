package when

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"regulars/shared/strict"
)

// Bounds of one expression. They may be widened but never narrowed: what was
// published once is compiled again for as long as orders keep its version.
const (
	maxText  = 1000 // bytes
	maxDepth = 50
	maxCost  = 2000 // steps of CEL's cost model, in the worst case, for one line

	maxListed  = 100 // what lists and maps are taken to have at most
	longestOne = 500 // bytes of a text from outside, as storefront bounds them
)

// macros and functions are the language. What builds texts and lists (+, map,
// filter) is not in it, as that could double what it is given again and
// again; nor are regular expressions, whose cost hides in their text; nor
// fractions, as no float comes near money; nor other time zones, which are
// looked up on each use.
var (
	macros    = []string{operators.Has, operators.All, operators.Exists}
	functions = []*env.Function{
		function(operators.Conditional),
		function(operators.LogicalAnd),
		function(operators.LogicalOr),
		function(operators.LogicalNot),
		function(operators.NotStrictlyFalse), // what all and exists are made of
		function(operators.Equals),
		function(operators.NotEquals),
		function(operators.In),
		function(operators.Index),
		function(operators.Less, overloads.LessInt64, overloads.LessString, overloads.LessTimestamp, overloads.LessDuration),
		function(operators.LessEquals, overloads.LessEqualsInt64, overloads.LessEqualsString, overloads.LessEqualsTimestamp, overloads.LessEqualsDuration),
		function(operators.Greater, overloads.GreaterInt64, overloads.GreaterString, overloads.GreaterTimestamp, overloads.GreaterDuration),
		function(operators.GreaterEquals, overloads.GreaterEqualsInt64, overloads.GreaterEqualsString, overloads.GreaterEqualsTimestamp, overloads.GreaterEqualsDuration),
		function(operators.Add, overloads.AddInt64, overloads.AddTimestampDuration),
		function(operators.Subtract, overloads.SubtractInt64, overloads.SubtractTimestampTimestamp, overloads.SubtractTimestampDuration),
		function(operators.Multiply, overloads.MultiplyInt64),
		function(operators.Divide, overloads.DivideInt64),
		function(operators.Modulo, overloads.ModuloInt64),
		function(operators.Negate, overloads.NegateInt64),
		function(overloads.Size),
		function(overloads.StartsWith),
		function(overloads.EndsWith),
		function(overloads.Contains),
		function(overloads.TypeConvertInt, overloads.StringToInt), // attributes and data are texts
		function(overloads.TypeConvertTimestamp, overloads.StringToTimestamp),
		function(overloads.TypeConvertDuration, overloads.StringToDuration),
		function(overloads.TimeGetFullYear, overloads.TimestampToYear),
		function(overloads.TimeGetMonth, overloads.TimestampToMonth),
		function(overloads.TimeGetDate, overloads.TimestampToDayOfMonthOneBased),
		function(overloads.TimeGetDayOfWeek, overloads.TimestampToDayOfWeek),
		function(overloads.TimeGetHours, overloads.TimestampToHours),
		function(overloads.TimeGetMinutes, overloads.TimestampToMinutes),
	}
)

func function(name string, ids ...string) *env.Function {
	f := env.NewFunction(name)
	for _, id := range ids {
		f.Overloads = append(f.Overloads, &env.Overload{ID: id})
	}
	return f
}

// language is made on first use: most programs have no expression.
var language = sync.OnceValues(func() (*cel.Env, error) {
	std := cel.StdLibSubset(env.NewLibrarySubset().AddIncludedMacros(macros...).AddIncludedFunctions(functions...))
	options := []cel.EnvOption{
		cel.StdLib(std),
		cel.DefaultUTCTimeZone(false), // `now` carries the program's zone
		cel.ParserRecursionLimit(maxDepth),
		cel.ParserExpressionSizeLimit(maxText),
		cel.ASTValidators(cel.ValidateHomogeneousAggregateLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals()),
	}
	for n, x := range names {
		options = append(options, cel.Variable(n, x.kind))
	}
	return cel.NewCustomEnv(options...)
})

// sizes tells the cost model how large what comes from outside can be.
type sizes struct{}

// EstimateSize implements cost.Estimator.
func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	if len(n.Path()) == 0 {
		return nil
	}
	most := uint64(longestOne)
	if k := n.Type().Kind(); k == types.ListKind || k == types.MapKind {
		most = maxListed
	}
	return &cost.SizeEstimate{Max: most}
}

// EstimateCallCost implements cost.Estimator; the model's own costs hold.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// calls are the names of functions that people write.
var calls = func() (known []string) {
	for _, f := range functions {
		if !strings.ContainsAny(f.Name, "_@") {
			known = append(known, f.Name)
		}
	}
	return append(known, macros...)
}()

// unknownCall refuses a function that is not in the language. It comes before
// the check, which would first complain of what a macro it does not know binds.
func unknownCall(parsed *cel.Ast) (err error) {
	ast.PostOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if err != nil || e.Kind() != ast.CallKind {
			return
		}
		called := e.AsCall().FunctionName()
		if !slices.ContainsFunc(functions, func(f *env.Function) bool { return f.Name == called }) {
			err = unknown("the function "+called, strict.Nearest(called, calls), calls)
		}
	}))
	return err
}

// refusal is the first issue as one line. An unknown name is told with the
// nearest that is known.
func refusal(issues *cel.Issues, parsed *cel.Ast) error {
	first := issues.Errors()[0]
	if strings.HasPrefix(first.Message, "undeclared reference") {
		if path := pathAt(parsed.NativeRep(), first.ExprID); path != "" {
			return unknownName(path)
		}
	}
	message, _, _ := strings.Cut(first.Message, "\n")
	if at := first.Location; at.Line() > 0 {
		message = fmt.Sprintf("%s (line %d, column %d)", message, at.Line(), at.Column()+1)
	}
	return errors.New(message)
}

// unknownName refuses a path that begins with no name. The nearest is one that
// is spelt alike, or the same without what it is of.
func unknownName(path string) error {
	known := slices.Sorted(maps.Keys(names))
	parts := strings.SplitN(path, ".", 3)
	name := strings.Join(parts[:min(2, len(parts))], ".")
	if slices.Contains(known, name) {
		return fmt.Errorf("%s is always there; has() asks for one key of member.attributes or activity.data", name)
	}
	near := strict.Nearest(name, known)
	for _, of := range []string{"order.", "line.", "member.", "activity."} {
		if near == "" && slices.Contains(known, of+path) {
			near = of + path
		}
	}
	if of := slices.DeleteFunc(slices.Clone(known), func(n string) bool { return !strings.HasPrefix(n, parts[0]+".") }); len(of) > 0 {
		known = of
	}
	return unknown(path, near, known)
}

func unknown(what, near string, known []string) error {
	if near != "" {
		return fmt.Errorf("%s is not known; the nearest is %s", what, near)
	}
	return fmt.Errorf("%s is not known; known are %s", what, strings.Join(known, ", "))
}

// pathAt is the whole of the dotted path that the expression id is in; "" when
// it is not in one.
func pathAt(tree *ast.AST, id int64) string {
	found := ast.MatchDescendants(ast.NavigateAST(tree), func(e ast.NavigableExpr) bool { return e.ID() == id })
	if len(found) == 0 {
		return ""
	}
	top := found[0]
	for up, ok := top.Parent(); ok && up.Kind() == ast.SelectKind; up, ok = top.Parent() {
		top = up
	}
	path := ""
	e := ast.Expr(top)
	for ; e.Kind() == ast.SelectKind; e = e.AsSelect().Operand() {
		path = "." + e.AsSelect().FieldName() + path
	}
	if e.Kind() != ast.IdentKind {
		return ""
	}
	return e.AsIdent() + path
}
