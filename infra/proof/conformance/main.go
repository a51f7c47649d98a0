// Command conformance judges a running system from outside, over HTTP only:
// the scenarios with their exact numbers and the conventions of the contract,
// one file each. What it judges may be the local host or a deployed stack.
//
//	go run ./infra/proof/conformance -url https://… -key sk_… -secret whsec_… -yes
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second interrupt ends it at once
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const about = `usage: conformance -url URL -key KEY [-secret WEBHOOK_SECRET] [flags]

Plays the scenarios and checks of the contract against a running system and
compares every number. It makes members and orders of its own, and publishes
program documents; the document that was in force is put back at the end.
The status is 0 when all that was judged holds, 1 when something does not,
2 when nothing could be judged.

`

// command is main without its process.
func command(ctx context.Context, args []string, out, errs io.Writer) int {
	var t Target
	var only string
	var list, yes bool
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.StringVar(&t.URL, "url", "", "where the system answers, without /v1")
	flags.StringVar(&t.Key, "key", "", "an API key of scope admin")
	flags.StringVar(&t.Secret, "secret", "", "the secret of the webhook connection named standard; without it what needs webhooks is skipped")
	flags.StringVar(&t.ShopifySecret, "shopify-secret", "", "the secret of the connection named shopify, if it has another")
	flags.DurationVar(&t.Slack, "slack", 0, "how long points live that are to die during a step; 0: 2s on this machine, 8s elsewhere, and more where that is not enough")
	flags.StringVar(&only, "run", "", "play only what matches this regular expression")
	flags.BoolVar(&list, "list", false, "list what there is and end")
	flags.BoolVar(&yes, "yes", false, "also on a system that is not on this machine")
	flags.Usage = func() {
		fmt.Fprint(errs, about)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return 2
	}
	chosen, err := choose(only)
	switch {
	case err != nil:
		fmt.Fprintln(errs, "conformance:", err)
		return 2
	case list:
		for _, s := range chosen {
			fmt.Fprintf(out, "%-32s %s\n", s.Name, s.Proves)
		}
		return 0
	case flags.NArg() > 0 || t.URL == "" || t.Key == "":
		flags.Usage()
		return 2
	}
	if err := t.settle(); err != nil {
		fmt.Fprintln(errs, "conformance:", err)
		return 2
	}
	if !t.loopback && !yes {
		fmt.Fprintf(errs, `conformance: %s is not on this machine. While the scenarios run, some %d program documents
are published there one after the other, so orders that others send meanwhile earn by rules of
the scenarios; and the members and orders that are made stay. If that is right, say -yes (make: YES=1).
`, t.URL, publishes)
		return 2
	}
	report, err := Play(ctx, t, chosen, out)
	if err != nil {
		fmt.Fprintln(errs, "conformance:", err)
		if len(report.Parts) == 0 {
			return 2
		}
		return 1
	}
	if report.Count(Failed) > 0 {
		return 1
	}
	return 0
}

// choose is the scenarios whose name matches.
func choose(only string) ([]Scenario, error) {
	re, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	var chosen []Scenario
	for _, s := range scenarios {
		if re.MatchString(s.Name) {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-run %q matches nothing; -list shows what there is", only)
	}
	return chosen, nil
}

// settle fills in what follows from the URL.
func (t *Target) settle() error {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("-url %q is not an http or https address", t.URL)
	}
	ip := net.ParseIP(u.Hostname())
	t.loopback = u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	return nil
}
