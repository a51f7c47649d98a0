// Command lambda is the function maintain, started by the schedules.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"regulars/functions/maintain"
	"regulars/shared/table"
	"regulars/shared/table/dynamo"
	"regulars/shared/telemetry"
)

func main() {
	telemetry.Setup()
	ctx := context.Background()
	cfg, err := dynamo.Config(ctx)
	if err == nil {
		var engine table.Engine
		if engine, err = dynamo.Connect(ctx, cfg, os.Getenv("TABLE")); err == nil {
			h := &maintain.Handler{Store: table.NewStore(engine), Clock: time.Now}
			lambda.Start(h.Run)
		}
	}
	slog.Error("cannot start", "error", err)
	os.Exit(1)
}
