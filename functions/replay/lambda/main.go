// Command lambda is the function replay: the steps of simulations, called by
// the state machine that runs them.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"regulars/functions/simulations"
	"regulars/shared/bucket"
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
	steps := &simulations.Steps{Store: store, Files: bucket.New(cfg, os.Getenv("BUCKET"))}
	lambda.Start(steps.Do)
}
