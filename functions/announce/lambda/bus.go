package main

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"regulars/events"
)

// bus is an EventBridge bus.
type bus struct {
	client *eventbridge.Client
	name   string
}

// Put implements announce.Bus. PutEvents answers 200 with some entries not
// taken, so every entry of the answer is looked at.
func (b bus) Put(ctx context.Context, batch []events.Event) ([]bool, error) {
	in := &eventbridge.PutEventsInput{}
	for _, e := range batch {
		detail, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		in.Entries = append(in.Entries, types.PutEventsRequestEntry{
			EventBusName: aws.String(b.name), Source: aws.String(e.Source), DetailType: aws.String(e.Type),
			Time: aws.Time(e.Time), Detail: aws.String(string(detail)),
		})
	}
	out, err := b.client.PutEvents(ctx, in)
	if err != nil {
		return nil, err
	}
	taken := make([]bool, len(out.Entries))
	for i, r := range out.Entries {
		taken[i] = r.EventId != nil && r.ErrorCode == nil
		if !taken[i] {
			slog.WarnContext(ctx, "event not taken", "code", aws.ToString(r.ErrorCode), "message", aws.ToString(r.ErrorMessage))
		}
	}
	return taken, nil
}
