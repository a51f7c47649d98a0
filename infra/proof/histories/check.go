package histories

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// patience is how long the checker may think about one group. What it cannot
// decide within it is a failure too.
const patience = time.Minute

// check tells why a history is not linearizable; "" when it is. The drawing
// of what fails goes into dir.
func check(history []porcupine.Operation, dir string, patience time.Duration) string {
	var worst []porcupine.Operation // the shortest that fails
	verdict := porcupine.Ok
	for _, part := range model.Partition(history) {
		v := judge(part, patience)
		if v != porcupine.Ok && (worst == nil || len(part) < len(worst)) {
			worst, verdict = part, v
		}
	}
	switch verdict {
	case porcupine.Ok:
		return ""
	case porcupine.Unknown:
		return fmt.Sprintf("no verdict on group %d with %d operations within %v", worst[0].Input.(request).Group, len(worst), patience)
	}
	return explain(shorten(worst), dir)
}

// judge looks first for an order in which the requests that seem not to have
// been done never are: that is one of those that are allowed, and found at once.
func judge(history []porcupine.Operation, patience time.Duration) porcupine.CheckResult {
	likely := slices.DeleteFunc(slices.Clone(history), func(op porcupine.Operation) bool {
		return op.Output.(outcome).Lost && op.Metadata == false
	})
	v := porcupine.CheckOperationsTimeout(model, prepared(likely), patience)
	if v != porcupine.Ok && len(likely) < len(history) {
		v = porcupine.CheckOperationsTimeout(model, prepared(history), patience)
	}
	return v
}

// prepared is a history of one group as the checker is quickest with it: an
// end after all answers, and no keys that were used once, which change nothing.
func prepared(history []porcupine.Operation) []porcupine.Operation {
	uses := map[int]int{}
	var last int64
	for _, op := range history {
		uses[op.Input.(request).Key]++
		if op.Return != math.MaxInt64 {
			last = max(last, op.Return)
		}
	}
	out := make([]porcupine.Operation, 0, len(history)+1)
	for _, op := range history {
		if r := op.Input.(request); uses[r.Key] == 1 {
			r.Key = 0
			op.Input = r
		}
		out = append(out, op)
	}
	over := request{Group: history[0].Input.(request).Group, Kind: end}
	return append(out, porcupine.Operation{Input: over, Call: last + 1, Output: outcome{}, Return: last + 2})
}

// shorten cuts a history that fails after the first answer with which it
// does: what was not answered by then counts as lost.
func shorten(history []porcupine.Operation) []porcupine.Operation {
	var returns []int64
	for _, op := range history {
		if op.Return != math.MaxInt64 {
			returns = append(returns, op.Return)
		}
	}
	slices.Sort(returns)
	i, _ := slices.BinarySearchFunc(returns, true, func(end int64, _ bool) int {
		if judge(until(history, end), patience) == porcupine.Illegal {
			return 0
		}
		return -1
	})
	if i == len(returns) {
		return history
	}
	return until(history, returns[i])
}

// until is what was known of a history at a time.
func until(history []porcupine.Operation, end int64) []porcupine.Operation {
	var out []porcupine.Operation
	for _, op := range history {
		if op.Call > end {
			continue
		}
		if op.Return > end {
			op.Return, op.Output = math.MaxInt64, outcome{Lost: true}
		}
		if op.Return != math.MaxInt64 || !op.Input.(request).Kind.reads() {
			out = append(out, op)
		}
	}
	return out
}

// explain says in words where a history fails: the end of the longest order
// that the specification allows, and what was answered beside.
func explain(history []porcupine.Operation, dir string) string {
	history = prepared(history)
	_, info := porcupine.CheckOperationsVerbose(model, history, patience)
	var best []porcupine.Operation
	for _, part := range info.PartialLinearizationsOperations() {
		for _, p := range part {
			if len(p) > len(best) {
				best = p
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "group %d is not linearizable: %d operations, of which at most %d fit\n", history[0].Input.(request).Group, len(history)-1, len(best))
	var s any = model.Init()
	fits := map[request]int{}
	for i, op := range best {
		_, s = model.Step(s, op.Input, op.Output)
		fits[op.Input.(request)]++
		if i >= len(best)-12 {
			fmt.Fprintf(&b, "  fits   %s\n", inWords(op))
		}
	}
	fmt.Fprintf(&b, "  then it is %v\n", s)
	for _, op := range history {
		r := op.Input.(request)
		if fits[r]--; fits[r] < 0 && !op.Output.(outcome).Lost && r.Kind != end {
			want, _ := s.(state).step(r)
			fmt.Fprintf(&b, "  beside %s; there it would be: %v\n", inWords(op), outcome{answer: want})
		}
	}
	drawing := filepath.Join(dir, fmt.Sprintf("group-%d.html", history[0].Input.(request).Group))
	if err := porcupine.VisualizePath(model, info, drawing); err != nil {
		drawing = err.Error()
	}
	fmt.Fprintf(&b, "  drawn in %s\n", drawing)
	return b.String()
}

func inWords(op porcupine.Operation) string {
	end := "never"
	if op.Return != math.MaxInt64 {
		end = time.Duration(op.Return).String()
	}
	return fmt.Sprintf("client %d, %v to %s: %s", op.ClientId, time.Duration(op.Call), end, model.DescribeOperation(op.Input, op.Output))
}
