package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"regulars/infra/local"
	"regulars/shared/table"
	"regulars/shared/web"
)

// key makes or revokes API keys of deployed stacks.
func key(ctx context.Context, w io.Writer, what, outputs string, rest []string) error {
	switch {
	case what == "add":
		return addKey(ctx, w, outputs, rest)
	case what == "revoke" && len(rest) == 1:
		return revokeKey(ctx, w, outputs, rest[0])
	}
	return errors.New("key: add OUTPUTS -scope server|admin [-until DATE], or revoke OUTPUTS KEY")
}

func addKey(ctx context.Context, w io.Writer, outputs string, args []string) error {
	flags := flag.NewFlagSet("key add", flag.ContinueOnError)
	scope := flags.String("scope", "", "server or admin")
	until := flags.String("until", "", "the day, in UTC, on which the key ends, as 2027-01-31; never if left out")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("key add: what is %q?", flags.Arg(0))
	}
	k := table.APIKey{Program: env("PROGRAM", "main"), Scope: *scope, At: time.Now().Unix()}
	if *until != "" {
		day, err := time.Parse(time.DateOnly, *until)
		if err != nil {
			return fmt.Errorf("key add: %q is not a day such as 2027-01-31", *until)
		}
		k.Until = day.Unix()
	}
	return eachStack(ctx, outputs, func(s stack, engine table.Engine) error {
		made, err := local.NewKey(ctx, table.NewStore(engine), k)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, keyMade, s.Name, k.Scope, k.Program, made, web.HashKey(made))
		return err
	})
}

const keyMade = `%s: a key of scope %s for program %q, shown this once:

  %s

Its hash, by which it can be revoked without being shown again:

  %s
`

// revokeKey ends a key in the stack that has it.
func revokeKey(ctx context.Context, w io.Writer, outputs, keyOrHash string) error {
	found := false
	err := eachStack(ctx, outputs, func(s stack, engine table.Engine) error {
		had, err := local.RevokeKey(ctx, table.NewStore(engine), keyOrHash, time.Now())
		if err != nil || !had {
			return err
		}
		found = true
		_, err = fmt.Fprintf(w, "%s: the key is revoked; every function knows within 30 seconds\n", s.Name)
		return err
	})
	if err == nil && !found {
		err = errors.New("no stack has such a key")
	}
	return err
}
