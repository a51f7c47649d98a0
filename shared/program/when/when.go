// Package when compiles the `when` expressions of rules: CEL over what a rule
// may look at (names.go), with nothing that builds values, so that an
// expression's cost is known before it is published (language.go).
//
// It is the only package that links cel-go, which is 11 MB: only functions
// that value orders or publish programs import it.
package when

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"regulars/shared/loyalty"
)

// Compiler implements program.Expressions. Its zero value is ready; it and
// the conditions that it makes are safe for concurrent use.
type Compiler struct{}

// Compile implements program.Expressions. The error says, in one line, why
// the text cannot be a condition.
func (Compiler) Compile(text string) (loyalty.Condition, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("must be at most %d bytes", maxText)
	}
	env, err := language()
	if err != nil {
		return nil, err
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, refusal(issues, parsed)
	}
	if err := unknownCall(parsed); err != nil {
		return nil, err
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, refusal(issues, parsed)
	}
	if t := checked.OutputType(); t != cel.BoolType {
		return nil, fmt.Errorf("must be true or false, but is of type %s", cel.FormatCELType(t))
	}
	cost, err := env.EstimateCost(checked, sizes{})
	if err != nil {
		return nil, err
	}
	if cost.Max > maxCost {
		return nil, fmt.Errorf("could take %d steps, and at most %d are allowed", cost.Max, maxCost)
	}
	p, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, err
	}
	c := &condition{program: p}
	for _, r := range checked.NativeRep().ReferenceMap() {
		c.perLine = c.perLine || strings.HasPrefix(strings.TrimPrefix(r.Name, "."), "line.")
	}
	return c, nil
}

type condition struct {
	program cel.Program
	perLine bool
}

var errNoAnswer = errors.New("when: the expression came to no answer")

// Holds implements loyalty.Condition.
func (c *condition) Holds(v *loyalty.View) (bool, error) {
	out, _, err := c.program.Eval((*look)(v))
	if err != nil {
		return false, err
	}
	holds, ok := out.(types.Bool)
	if !ok {
		return false, errNoAnswer
	}
	return bool(holds), nil
}

// PerLine implements loyalty.Condition.
func (c *condition) PerLine() bool { return c.perLine }
