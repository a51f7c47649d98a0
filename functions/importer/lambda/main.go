// Command lambda is the function importer, started when a file has come and by
// a schedule.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"regulars/functions/importer"
	"regulars/shared/program/when"
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
	store := table.NewStore(engine)
	store.Expressions = when.Compiler{}
	h := &importer.Handler{Store: store, Clock: time.Now, Files: &bucket{s3.NewFromConfig(cfg), os.Getenv("UPLOADS")}}
	lambda.Start(h.Run)
}
