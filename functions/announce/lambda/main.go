// Command lambda is the function announce, fed by the table's change stream.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"regulars/functions/announce"
	"regulars/functions/changes"
	"regulars/shared/table/dynamo"
	"regulars/shared/telemetry"
)

func main() {
	telemetry.Setup()
	client := eventbridge.NewFromConfig(dynamo.Config(os.Getenv))
	h := announce.Handler{Bus: bus{client, os.Getenv("BUS")}}
	lambda.Start(changes.Reader(h.Announce).Handle)
}
