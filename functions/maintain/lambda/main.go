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
	engine, err := dynamo.Connect(context.Background(), dynamo.Config(os.Getenv), os.Getenv("TABLE"))
	if err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
	h := &maintain.Handler{Store: table.NewStore(engine), Clock: time.Now}
	lambda.Start(h.Run)
}
