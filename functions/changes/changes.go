// Package changes hands a DynamoDB stream's records, as Lambda gives them, to
// what reads the change feed. It decides nothing.
package changes

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"regulars/shared/table"
	"regulars/shared/table/dynamo"
)

// Batch is a Lambda event of a DynamoDB stream, as far as it is read here.
// The images do not fit the SDK's types and stay raw.
type Batch struct {
	Records []record `json:"Records"`
}

type record struct {
	DynamoDB struct {
		SequenceNumber string          `json:"SequenceNumber"`
		OldImage       json.RawMessage `json:"OldImage"`
		NewImage       json.RawMessage `json:"NewImage"`
	} `json:"dynamodb"`
}

// Answer names the first record that was not handled: Lambda gives it and all
// after it again.
type Answer struct {
	Failures []failure `json:"batchItemFailures"`
}

type failure struct {
	ID string `json:"itemIdentifier"`
}

// Reader takes changes in their order and answers how many of them, from the
// first on, it is done with. With fewer than all there is an error.
type Reader func(ctx context.Context, changes []table.Change) (int, error)

// Handle is what Lambda calls.
func (read Reader) Handle(ctx context.Context, b Batch) (Answer, error) {
	var changes []table.Change
	var broken error
	for _, r := range b.Records {
		c, err := change(r)
		if err != nil {
			broken = err // what comes before it is read
			break
		}
		changes = append(changes, c)
	}
	done, err := read(ctx, changes)
	if err == nil {
		err = broken
	}
	if err != nil {
		slog.ErrorContext(ctx, "stream stops here", "sequence_number", b.Records[done].DynamoDB.SequenceNumber, "done", done, "of", len(b.Records), "error", err)
		return Answer{Failures: []failure{{b.Records[done].DynamoDB.SequenceNumber}}}, nil
	}
	return Answer{Failures: []failure{}}, nil
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

// All lets several readers take the same changes. What one of them is not done
// with is not done: it is given to all again.
func All(readers ...Reader) Reader {
	return func(ctx context.Context, changes []table.Change) (int, error) {
		least := len(changes)
		var failures error
		for _, read := range readers {
			done, err := read(ctx, changes)
			least, failures = min(least, done), errors.Join(failures, err)
		}
		return least, failures
	}
}
