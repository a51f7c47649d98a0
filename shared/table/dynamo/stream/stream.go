// Package stream is the table's change feed on DynamoDB Streams. It is for the
// local host and tests: on AWS, Lambda reads the stream and hands functions
// its records. It is apart from package dynamo so that functions do not link
// the streams client.
package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"regulars/shared/table"
)

// Feed is a table.Feed on the stream of one table, which keeps changes for a
// day: a reader that comes later gets an error and has lost some.
type Feed struct {
	streams *dynamodbstreams.Client
	tables  *dynamodb.Client
	table   string
}

var _ table.Feed = (*Feed)(nil)

// New is the feed of a table that has a stream with both images.
func New(streams *dynamodbstreams.Client, tables *dynamodb.Client, tableName string) *Feed {
	return &Feed{streams: streams, tables: tables, table: tableName}
}

// place is how far a shard was read: the last sequence number, or ended once
// a closed shard has been read whole.
type place struct {
	Last  string `json:"last,omitempty"`
	Ended bool   `json:"ended,omitempty"`
}

// Changes implements table.Feed. next holds the place in every shard. A shard
// is read after its parent has ended, which keeps each item's changes in order.
func (f *Feed) Changes(ctx context.Context, after string, limit int) ([]table.Change, string, error) {
	if err := table.CheckLimit(limit); err != nil {
		return nil, "", err
	}
	before := map[string]place{}
	if after != "" {
		if err := json.Unmarshal([]byte(after), &before); err != nil {
			return nil, "", fmt.Errorf("table: %q is not a place in the change feed", after)
		}
	}
	arn, shards, err := f.describe(ctx)
	if err != nil {
		return nil, "", err
	}
	// Shards that the stream has dropped are dropped here too.
	places := map[string]place{}
	for _, s := range shards {
		places[*s.ShardId] = before[*s.ShardId]
	}
	var changes []table.Change
	for progress := true; progress; {
		progress = false
		for _, s := range shards {
			id := *s.ShardId
			parent, listed := places[aws.ToString(s.ParentShardId)]
			if places[id].Ended || listed && !parent.Ended || len(changes) == limit {
				continue
			}
			found, p, err := f.read(ctx, arn, id, places[id], limit-len(changes))
			if err != nil {
				return nil, "", err
			}
			changes, places[id] = append(changes, found...), p
			progress = progress || p.Ended // its children can be read now
		}
	}
	next, err := json.Marshal(places)
	return changes, string(next), err
}

// describe lists the shards of the table's newest stream.
func (f *Feed) describe(ctx context.Context) (arn *string, shards []types.Shard, err error) {
	out, err := f.tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &f.table})
	if err != nil {
		return nil, nil, fmt.Errorf("find stream of %s: %w", f.table, err)
	}
	if arn = out.Table.LatestStreamArn; arn == nil {
		return nil, nil, errors.New("find stream of " + f.table + ": it has none")
	}
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: arn}
	for {
		out, err := f.streams.DescribeStream(ctx, in)
		if err != nil {
			return nil, nil, fmt.Errorf("list shards of %s: %w", f.table, err)
		}
		shards = append(shards, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return arn, shards, nil
		}
	}
}

// read takes up to limit changes of one shard. DynamoDB answers empty pages
// in the midst of a shard, so an open one has been read whole, as far as can
// be told, after a few of them.
func (f *Feed) read(ctx context.Context, arn *string, shard string, p place, limit int) ([]table.Change, place, error) {
	in := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: arn, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	if p.Last != "" {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &p.Last
	}
	it, err := f.streams.GetShardIterator(ctx, in)
	if err != nil {
		return nil, p, fmt.Errorf("read shard %s: %w", shard, err)
	}
	iterator := it.ShardIterator
	for range 3 {
		out, err := f.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{
			ShardIterator: iterator, Limit: aws.Int32(int32(limit)),
		})
		if err != nil {
			return nil, p, fmt.Errorf("read shard %s: %w", shard, err)
		}
		p.Ended = out.NextShardIterator == nil
		if len(out.Records) == 0 && !p.Ended {
			iterator = out.NextShardIterator
			continue
		}
		changes := make([]table.Change, len(out.Records))
		for i, r := range out.Records {
			if changes[i], err = change(r.Dynamodb); err != nil {
				return nil, p, err
			}
			p.Last = *r.Dynamodb.SequenceNumber
		}
		return changes, p, nil
	}
	return nil, p, nil
}
