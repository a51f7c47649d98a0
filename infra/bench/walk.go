package main

import (
	"context"
	"crypto/rand"
	"net/http/httptest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	segments "regulars/functions/segment"
	"regulars/infra/local"
	"regulars/shared/bucket/buckettest"
	"regulars/shared/refresh"
	"regulars/shared/table"
	"regulars/shared/table/dynamo"
)

// walked is what the units of DynamoDB are for a run over a crowd, by step.
type walked struct {
	read, score units
	changed     int   // members who were not in the segments that they should be in
	decided     int64 // accounts that the run says it decided about
}

// walk fills a metered table with a crowd of whom nearly all are in their
// segments, and refreshes it.
func walk(ctx context.Context, endpoint string, members int) (*walked, error) {
	m := &meter{endpoint: endpoint}
	srv := httptest.NewServer(m)
	defer srv.Close()
	client := dynamodb.NewFromConfig(dynamo.LocalConfig(srv.URL, rand.Text()))
	if err := dynamo.CreateTable(ctx, client, "walk"); err != nil {
		return nil, err
	}
	engine := dynamo.New(client, "walk")
	store := table.NewStore(engine)
	c := crowd{members: members}
	if err := c.settle(ctx); err != nil {
		return nil, err
	}
	if err := fill(ctx, engine, c, 1, func(int) {}); err != nil {
		return nil, err
	}
	steps := segments.Steps{Store: store, Files: &buckettest.Memory{}, Writers: 16, Now: func() time.Time { return time.Unix(crowdDay*86400, 0) }}
	run, err := steps.BeginOne(ctx, local.Program, "RUN")
	if err != nil {
		return nil, err
	}
	out := &walked{changed: c.astray}
	result, err := steps.Run(ctx, run, func(ctx context.Context, stage string, do func(context.Context, int) error) error {
		m.take()
		for shard := range refresh.Shards {
			if err := do(ctx, shard); err != nil {
				return err
			}
		}
		switch stage {
		case "read":
			out.read = m.take()
		case "score":
			out.score = m.take()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.decided = result.Writes
	return out, m.failure()
}
