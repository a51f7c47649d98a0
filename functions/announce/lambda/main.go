// Command lambda is the function announce, fed by the table's change stream.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"regulars/functions/announce"
	"regulars/shared/table/dynamo"
	"regulars/shared/telemetry"
)

func main() {
	telemetry.Setup()
	cfg, err := dynamo.Config(context.Background())
	if err != nil {
		slog.Error("cannot start", "error", err)
		os.Exit(1)
	}
	s := stream{announce.Handler{Bus: bus{eventbridge.NewFromConfig(cfg), os.Getenv("BUS")}}}
	lambda.Start(s.handle)
}
