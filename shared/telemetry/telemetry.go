// Package telemetry sets up what a function says of itself: structured log
// lines with the request's id. Errors, durations and throttles are measured
// by the platform; nothing is measured twice here.
package telemetry

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Setup makes slog write JSON lines that carry the invocation's request id.
func Setup() {
	slog.SetDefault(slog.New(lambdacontext.NewLogHandler()).With("function", os.Getenv("AWS_LAMBDA_FUNCTION_NAME")))
}
