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

// stack is what a deployment says of itself in the file of its outputs.
type stack struct{ Name, ApiUrl, TableName, SecretName string }

// eachStack opens the table of every stack in an outputs file.
func eachStack(ctx context.Context, outputs string, do func(stack, table.Engine) error) error {
	raw, err := os.ReadFile(outputs)
	if err != nil {
		return err
	}
	var stacks map[string]stack
	if err := json.Unmarshal(raw, &stacks); err != nil {
		return fmt.Errorf("%s: %w", outputs, err)
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	dynamo.Tune(&cfg)
	for name, s := range stacks {
		s.Name = name
		engine, err := dynamo.Connect(ctx, cfg, s.TableName)
		if err != nil {
			return err
		}
		if err := do(s, engine); err != nil {
			return err
		}
	}
	return nil
}

// setup makes the program, a first admin key and the connections of deployed
// stacks. A key is shown once; only its hash is stored.
func setup(ctx context.Context, outputs string) error {
	return eachStack(ctx, outputs, func(s stack, engine table.Engine) error {
		d := local.Deployment{Program: env("PROGRAM", "main"), AdminKey: "sk_" + rand.Text(), Connections: connections(), Now: time.Now()}
		if err := local.Setup(ctx, table.NewStore(engine), d); err != nil {
			return err
		}
		fmt.Printf(setupDone, s.Name, d.Program, d.AdminKey, strings.TrimSuffix(s.ApiUrl, "/"), d.AdminKey, s.SecretName)
		return nil
	})
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
