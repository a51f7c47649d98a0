package runtimeapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"regulars/infra/local"
	"regulars/infra/topology"
	"regulars/shared/table"
	"regulars/shared/table/dynamo"
)

// Deployment is what the functions find when they start: a table that was set
// up, on an emulator, and a Cloud.
type Deployment struct {
	Cloud *Cloud

	env                        []string // of every function
	endpoint, accessKey, table string
	server                     *http.Server
}

// Deploy makes a table on an emulator, with an API key of scope admin and the
// connections standard and shopify, whose webhooks are signed with secret.
func Deploy(ctx context.Context, endpoint, accessKey, apiKey, secret string) (*Deployment, error) {
	d := &Deployment{Cloud: &Cloud{}, endpoint: endpoint, accessKey: accessKey, table: "deployed-" + rand.Text()}
	client := dynamodb.NewFromConfig(dynamo.LocalConfig(endpoint, accessKey))
	if err := dynamo.CreateTable(ctx, client, d.table); err != nil {
		return nil, err
	}
	kinds := []string{"standard", "shopify"}
	setup := local.Deployment{Program: local.Program, AdminKey: apiKey, Now: time.Now()}
	secrets := map[string][]string{}
	for _, kind := range kinds {
		setup.Connections = append(setup.Connections, table.Connection{ID: kind, Kind: kind})
		secrets[kind] = []string{secret}
	}
	if err := local.Setup(ctx, table.NewStore(dynamo.New(client, d.table)), setup); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(map[string]any{"token_keys": []string{"signs the member tokens of a deployment"}, "connections": secrets})
	if err != nil {
		return nil, err
	}
	d.Cloud.Secret = string(raw)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d.server = &http.Server{Handler: d.Cloud, ReadHeaderTimeout: life}
	go d.server.Serve(l) // until Close
	d.env = d.environment("http://" + l.Addr().String())
	return d, nil
}

// Close ends the Cloud; the table goes with its emulator.
func (d *Deployment) Close() error { return d.server.Close() }

// Env is the environment of a function.
func (d *Deployment) Env(function string) []string {
	env := slices.Clone(d.env)
	for _, f := range topology.Functions {
		if f.Name == function && f.Starts != "" {
			env = append(env, "MACHINE=arn:aws:states:us-east-1:000000000000:stateMachine:"+f.Starts)
		}
	}
	return env
}

// environment is what the CDK app sets, what Lambda adds, and the endpoints
// that stand in for AWS's.
func (d *Deployment) environment(cloud string) []string {
	return []string{
		"TABLE=" + d.table,
		"SECRET_ARN=arn:aws:secretsmanager:us-east-1:000000000000:secret:local",
		"BUS=local",
		"UPLOADS=" + uploads,
		"BUCKET=files",
		"STAGE=dev",
		"GOMAXPROCS=1",

		"AWS_LAMBDA_FUNCTION_NAME=local",
		"AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=" + d.accessKey,
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_EC2_METADATA_DISABLED=true",

		"AWS_ENDPOINT_URL_DYNAMODB=" + d.endpoint,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + cloud,
		"AWS_ENDPOINT_URL_EVENTBRIDGE=" + cloud,
		"AWS_ENDPOINT_URL_S3=" + cloud,
		"AWS_ENDPOINT_URL_SFN=" + cloud,
	}
}
