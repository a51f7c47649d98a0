package main

import (
	"context"
	"io"

	"regulars/infra/local"
	"regulars/shared/table"
)

// totals holds the totals of a table against its ledgers: of this machine's, or
// of those of deployed stacks.
func totals(ctx context.Context, c local.Config, args []string, w io.Writer) error {
	rebuild := len(args) > 0 && args[0] == "-rebuild"
	if rebuild {
		args = args[1:]
	}
	if len(args) > 0 {
		return eachStack(ctx, args[0], func(_ stack, engine table.Engine) error { return local.Totals(ctx, engine, rebuild, w) })
	}
	engine, _, err := local.Table(ctx, c)
	if err != nil {
		return err
	}
	if file, ok := engine.(io.Closer); ok {
		defer file.Close()
	}
	return local.Totals(ctx, engine, rebuild, w)
}
