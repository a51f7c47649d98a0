package main

import (
	"context"
	"encoding/json"
	"log/slog"

	"regulars/functions/announce"
	"regulars/shared/table"
	"regulars/shared/table/dynamo"
)

// batch is a Lambda event of a DynamoDB stream, as far as it is read here.
// The images do not fit the SDK's types and stay raw.
type batch struct {
	Records []record `json:"Records"`
}

type record struct {
	DynamoDB struct {
		SequenceNumber string          `json:"SequenceNumber"`
		OldImage       json.RawMessage `json:"OldImage"`
		NewImage       json.RawMessage `json:"NewImage"`
	} `json:"dynamodb"`
}

// answer names the first record that was not handled: Lambda gives it and all
// after it again.
type answer struct {
	Failures []failure `json:"batchItemFailures"`
}

type failure struct {
	ID string `json:"itemIdentifier"`
}

type stream struct{ announce announce.Handler }

func (s stream) handle(ctx context.Context, b batch) (answer, error) {
	var changes []table.Change
	var broken error
	for _, r := range b.Records {
		c, err := change(r)
		if err != nil {
			broken = err // what comes before it is announced
			break
		}
		changes = append(changes, c)
	}
	done, err := s.announce.Announce(ctx, changes)
	if err == nil {
		err = broken
	}
	if err != nil {
		slog.ErrorContext(ctx, "stream stops here", "sequence_number", b.Records[done].DynamoDB.SequenceNumber, "announced", done, "of", len(b.Records), "error", err)
		return answer{Failures: []failure{{b.Records[done].DynamoDB.SequenceNumber}}}, nil
	}
	return answer{Failures: []failure{}}, nil
}

func change(r record) (table.Change, error) {
	old, err := dynamo.DecodeImage(r.DynamoDB.OldImage)
	if err != nil {
		return table.Change{}, err
	}
	now, err := dynamo.DecodeImage(r.DynamoDB.NewImage)
	if err != nil {
		return table.Change{}, err
	}
	c := table.Change{Key: now.Key, Old: old, New: now}
	if now.Version == 0 {
		c.Key = old.Key
	}
	return c, nil
}
