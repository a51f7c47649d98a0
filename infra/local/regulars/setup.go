package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"regulars/infra/local"
	"regulars/shared/table"
	"regulars/shared/table/dynamo"
)

// setup makes the program, a first admin key and the connections of a
// deployed stack. The key is shown once; only its hash is stored.
func setup(ctx context.Context, outputs string) error {
	raw, err := os.ReadFile(outputs)
	if err != nil {
		return err
	}
	var stacks map[string]struct{ ApiUrl, TableName, SecretName string }
	if err := json.Unmarshal(raw, &stacks); err != nil {
		return fmt.Errorf("%s: %w", outputs, err)
	}
	for name, out := range stacks {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return err
		}
		dynamo.Tune(&cfg)
		engine, err := dynamo.Connect(ctx, cfg, out.TableName)
		if err != nil {
			return err
		}
		d := local.Deployment{Program: env("PROGRAM", "main"), AdminKey: "sk_" + rand.Text(), Connections: connections(), Now: time.Now()}
		if err := local.Setup(ctx, table.NewStore(engine), d); err != nil {
			return err
		}
		fmt.Printf(setupDone, name, d.Program, d.AdminKey, strings.TrimSuffix(out.ApiUrl, "/"), d.AdminKey, out.SecretName)
	}
	return nil
}

const setupDone = `%s: program %q is there. Its admin key, shown this once:

  %s

Next, publish the rules, then give the connections their secrets:

  curl -sS -X PUT %s/v1/program -H 'Authorization: Bearer %s' -H 'Content-Type: application/yaml' --data-binary @program.yaml
  aws secretsmanager put-secret-value --secret-id %s --secret-string file://secret.json

where secret.json is {"token_keys": ["<64 random characters>"], "connections": {"shopify": ["<webhook secret>"]}, "api_tokens": {}}.
`

// connections reads id=kind,... of CONNECTIONS.
func connections() []table.Connection {
	list := env("CONNECTIONS", "shopify=shopify,woocommerce=woocommerce,bigcommerce=bigcommerce,stripe=stripe,square=square,standard=standard")
	var out []table.Connection
	for _, c := range strings.Split(list, ",") {
		id, kind, _ := strings.Cut(c, "=")
		out = append(out, table.Connection{ID: id, Kind: kind, API: os.Getenv("BIGCOMMERCE_API")})
	}
	return out
}
