// Command lambda is the function refresh: the steps of segment runs, called by
// the state machine that runs them.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/oklog/ulid/v2"

	segments "regulars/functions/segment"
	"regulars/shared/bucket"
	"regulars/shared/table"
	"regulars/shared/table/dynamo"
	"regulars/shared/telemetry"
)

func main() {
	telemetry.Setup()
	cfg := dynamo.Config(os.Getenv)
	engine, err := dynamo.Connect(context.Background(), cfg, os.Getenv("TABLE"))
	if err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
	steps := &segments.Steps{
		Store: table.NewStore(engine), Files: bucket.New(cfg, os.Getenv("BUCKET")), Now: time.Now, ID: func() string { return ulid.Make().String() },
		Writers: 64, // as many connections as the client keeps
	}
	lambda.Start(steps.Do)
}
