// Command lambda is the function qualify: it is fed by the table's change
// stream and started by a schedule.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"regulars/functions/changes"
	"regulars/functions/refer"
	"regulars/functions/totals"
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
	store := table.NewStore(engine)
	k := &refer.Keeper{Store: store, Clock: time.Now, Seed: rand.Text}
	// Two functions may read a shard of the stream: this one reads it for both.
	follow := changes.All(k.Follow, (&totals.Counter{Store: store}).Follow)
	lambda.Start(func(ctx context.Context, raw json.RawMessage) (any, error) {
		var e struct {
			refer.Event
			changes.Batch
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, err
		}
		if e.Schedule != "" {
			return k.Run(ctx, e.Event)
		}
		return follow.Handle(ctx, e.Batch)
	})
}
