// Package gateway connects a function's handlers to API Gateway and to the
// deployment's table and secrets. It is what the lambda mains of the API's
// functions share: environment -> gate -> routes -> lambda.
package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/akrylysov/algnhsa"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"regulars/shared/table"
	"regulars/shared/table/dynamo"
	"regulars/shared/telemetry"
	"regulars/shared/web"
)

// timeout is what a request may take; the functions' own is a second longer,
// so that a slow request ends with an answer.
const timeout = 28 * time.Second

// Serve runs a function whose routes stand behind a gate. It connects before
// the first request: what is slow about a start belongs there.
func Serve(routes func(*web.Gate) web.Routes) {
	telemetry.Setup()
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	cfg := dynamo.Config(os.Getenv)
	engine, err := dynamo.Connect(ctx, cfg, os.Getenv("TABLE"))
	if err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
	s := &secrets{client: secretsmanager.NewFromConfig(cfg), arn: os.Getenv("SECRET_ARN")}
	gate := &web.Gate{Store: table.NewStore(engine), Clock: time.Now, Secrets: s.get, Timeout: timeout}
	algnhsa.ListenAndServe(routes(gate).Mux(), &algnhsa.Options{RequestType: algnhsa.RequestTypeAPIGatewayV2, BinaryContentTypes: []string{"*/*"}})
}

// secrets reads the deployment's secret, again after a while: a rotation
// reaches every function within secretLife.
type secrets struct {
	client *secretsmanager.Client
	arn    string

	mu   sync.Mutex
	last web.Secrets
	read time.Time
}

const secretLife = 5 * time.Minute

func (s *secrets) get(ctx context.Context) (web.Secrets, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.read) < secretLife {
		return s.last, nil
	}
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(s.arn)})
	if err != nil {
		return web.Secrets{}, fmt.Errorf("read secret: %w", err)
	}
	var fresh web.Secrets
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &fresh); err != nil {
		return web.Secrets{}, fmt.Errorf("the secret is not the JSON that setup describes: %w", err)
	}
	s.last, s.read = fresh, time.Now()
	return fresh, nil
}
