// Command regulars runs the system on this machine and works on its tables.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"regulars/infra/local"
	"regulars/shared/table"
)

const usage = `usage: regulars <command>

  run              the whole system in this process, on 127.0.0.1
  verify [OUTPUTS] recompute every ledger of a table and its books: of this
                   machine's, or of a deployed stack's
  totals [-rebuild] [OUTPUTS]
                   hold what was counted for reports against the ledgers; with
                   -rebuild count it anew first
  whatif -program DRAFT [-base FILE] [-history FILE] [-out DIR] [-workers N]
                   what a draft of the program would have given for recorded
                   orders: of a file, a body of POST /v1/orders per line, or of
                   this machine's table; -h lists all of it
  refresh [-workers N]
                   put all members of this machine's table into their segments
                   now, and show what the run found
  setup OUTPUTS    make what a deployed stack needs before its first request;
                   OUTPUTS is the file that cdk deploy --outputs-file wrote
  key add OUTPUTS -scope server|admin [-until DATE]
                   make another API key of a deployed stack, and show it once
  key revoke OUTPUTS KEY
                   end an API key, given itself or its hash
  import FILE -kind orders|members|balances [-format ndjson|csv]
         [-source SOURCE] [-url URL]
                   bring history into a running system, show how far it is
                   and what became of every row; run again, it goes on

Environment: PORT (8080), HOST (127.0.0.1), API_KEY (sk_local),
WEBHOOK_SECRET (local-webhook-secret), DATA_DIR (.local),
TABLE_ENDPOINT (a DynamoDB endpoint instead of the file in DATA_DIR). Of setup:
PROGRAM (main), CONNECTIONS (id=kind,...; one of each kind named after it), and
AWS credentials; of key: PROGRAM and AWS credentials.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "regulars:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	c := settings()
	switch {
	case len(args) == 2 && args[0] == "setup":
		return setup(ctx, args[1])
	case len(args) >= 3 && args[0] == "key":
		return key(ctx, os.Stdout, args[1], args[2], args[3:])
	case len(args) >= 2 && args[0] == "import":
		return bringIn(ctx, os.Stdout, args[1], args[2:])
	case len(args) >= 1 && args[0] == "whatif":
		return whatif(ctx, c, args[1:], os.Stdout, os.Stderr)
	case len(args) >= 1 && args[0] == "refresh":
		return renew(ctx, c, args[1:], os.Stdout, os.Stderr)
	case len(args) == 1 && args[0] == "run":
		h, err := local.Open(ctx, c)
		if err != nil {
			return err
		}
		defer h.Close()
		return h.Run(ctx, c, func(url string) { fmt.Print(welcome(url, c)) })
	case len(args) == 1 && args[0] == "verify":
		engine, _, err := local.Table(ctx, c)
		if err != nil {
			return err
		}
		return local.Verify(ctx, engine, os.Stdout)
	case len(args) >= 1 && args[0] == "totals":
		return totals(ctx, c, args[1:], os.Stdout)
	case len(args) == 2 && args[0] == "verify":
		return eachStack(ctx, args[1], func(_ stack, engine table.Engine) error { return local.Verify(ctx, engine, os.Stdout) })
	}
	fmt.Fprint(os.Stderr, usage)
	os.Exit(2)
	return nil
}

func settings() local.Config {
	return local.Config{
		Addr:          env("HOST", "127.0.0.1") + ":" + env("PORT", "8080"),
		Remote:        env("ALLOW_REMOTE", "") == "yes",
		APIKey:        env("API_KEY", "sk_local"),
		WebhookSecret: env("WEBHOOK_SECRET", "local-webhook-secret"),
		DataDir:       env("DATA_DIR", ".local"),
		TableEndpoint: env("TABLE_ENDPOINT", ""),
		AccessKey:     env("AWS_ACCESS_KEY_ID", "local"),
	}
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func welcome(url string, c local.Config) string {
	return fmt.Sprintf(`Regulars is listening on %s, its table is in %s.

Begin the tour of the README: enrol a member.

  curl -sS %s/v1/members -H 'Authorization: Bearer %s' \
    -d '{"name": "נועה לוי", "email": "noa@example.co.il", "external_ids": {"shopify": "207119551"}}'

`, url, c.DataDir, url, c.APIKey)
}
