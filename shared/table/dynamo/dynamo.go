// Package dynamo is the table's engine on Amazon DynamoDB.
//
// There is no cache, no metric and no logging here: callers wrap the client's
// HTTP transport if they want to count requests.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"regulars/shared/table"
)

// Engine is a table.Engine on one DynamoDB table.
type Engine struct {
	client *dynamodb.Client
	table  *string
}

var _ table.Engine = (*Engine)(nil)

// New is the engine on an existing table. The client should come from Config
// or LocalConfig; another works with its own timeouts and retries.
func New(client *dynamodb.Client, tableName string) *Engine {
	return &Engine{client: client, table: aws.String(tableName)}
}

// Get implements table.Engine: one read unit per 4 KB when consistent, else half.
func (e *Engine) Get(ctx context.Context, key table.Key, consistent bool) (table.Item, error) {
	if err := key.Check(); err != nil {
		return table.Item{}, err
	}
	out, err := e.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: e.table, Key: keyOf(key), ConsistentRead: &consistent,
	})
	if err != nil {
		return table.Item{}, fmt.Errorf("get %q %q: %w", key.PK, key.SK, err)
	}
	if len(out.Item) == 0 {
		return table.Item{}, table.ErrNotFound
	}
	return decode(out.Item)
}

// Query implements table.Engine with one request, so a page ends at 1 MB.
func (e *Engine) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := q.Check(); err != nil {
		return table.Page{}, err
	}
	in := &dynamodb.QueryInput{
		TableName:                 e.table,
		KeyConditionExpression:    aws.String("pk = :p"),
		ExpressionAttributeValues: attributes{":p": str(q.PK)},
		ConsistentRead:            &q.Consistent,
		ScanIndexForward:          aws.Bool(!q.Desc),
		Limit:                     aws.Int32(int32(q.Limit)),
	}
	if q.Prefix != "" {
		in.KeyConditionExpression = aws.String("pk = :p AND begins_with(sk, :s)")
		in.ExpressionAttributeValues[":s"] = str(q.Prefix)
	}
	if q.After != "" {
		in.ExclusiveStartKey = keyOf(table.Key{PK: q.PK, SK: q.After})
	}
	out, err := e.client.Query(ctx, in)
	if err != nil {
		return table.Page{}, fmt.Errorf("query %q: %w", q.PK, err)
	}
	return page(out.Items, text(out.LastEvaluatedKey[table.AttrSK]))
}

// DueBefore implements table.Engine on the due index.
func (e *Engine) DueBefore(ctx context.Context, shard, before, cursor string, limit int) ([]table.Key, string, error) {
	names := []string{table.AttrPK, table.AttrSK, table.AttrDueShard, table.AttrDueAt}
	start, err := decodeCursor(cursor, names...)
	if err := errors.Join(err, table.CheckLimit(limit)); err != nil {
		return nil, "", err
	}
	out, err := e.client.Query(ctx, &dynamodb.QueryInput{
		TableName:                 e.table,
		IndexName:                 aws.String(table.DueIndex),
		KeyConditionExpression:    aws.String("d = :d AND t <= :t"),
		ExpressionAttributeValues: attributes{":d": str(shard), ":t": str(before)},
		ExclusiveStartKey:         start,
		Limit:                     aws.Int32(int32(limit)),
	})
	if err != nil {
		return nil, "", fmt.Errorf("query due items of %q: %w", shard, err)
	}
	keys := make([]table.Key, len(out.Items))
	for i, a := range out.Items {
		keys[i] = decodeKey(a)
	}
	return keys, encodeCursor(out.LastEvaluatedKey, names...), nil
}

// Members implements table.Engine on the index of members.
func (e *Engine) Members(ctx context.Context, group string, after table.Key, limit int) ([]table.Key, bool, error) {
	if err := table.CheckLimit(limit); err != nil {
		return nil, false, err
	}
	var start attributes
	if after != (table.Key{}) {
		start = keyOf(after)
		start[table.AttrGroup] = str(group)
	}
	var found keyList
	l := lean{item: func(pk, sk, _ []byte) error { found.add(pk, sk); return nil }}
	out, err := e.client.Query(ctx, &dynamodb.QueryInput{
		TableName:                 e.table,
		IndexName:                 aws.String(table.MembersIndex),
		KeyConditionExpression:    aws.String("m = :m"),
		ExpressionAttributeValues: attributes{":m": str(group)},
		ExclusiveStartKey:         start,
		Limit:                     aws.Int32(int32(limit)),
	}, l.option)
	if err != nil {
		return nil, false, fmt.Errorf("query members of %q: %w", group, err)
	}
	return found.keys(), len(out.LastEvaluatedKey) > 0, nil
}

// Sides implements table.Engine with BatchGetItem: half a read unit per item
// of up to 4 KB, whatever of it is answered.
func (e *Engine) Sides(ctx context.Context, keys []table.Key, visit func(k table.Key, side []byte) error) error {
	if err := table.CheckSides(keys); err != nil {
		return err
	}
	ask := newBatch(*e.table, keys)
	l := lean{item: func(pk, sk, side []byte) error { return visit(ask.key(pk, sk), side) }}
	for tries := 0; len(ask.left) > 0; tries++ {
		if tries > 0 { // what was not answered is asked for again, more slowly each time
			select {
			case <-time.After(min(time.Second, 10*time.Millisecond<<min(tries, 7))):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		out, err := e.client.BatchGetItem(ctx, ask.input(), ask.option, l.option)
		if err != nil {
			return fmt.Errorf("read sides: %w", err)
		}
		ask.again(out.UnprocessedKeys[*e.table].Keys)
	}
	return nil
}

// Scan implements table.Engine with one request, so a page ends at 1 MB.
func (e *Engine) Scan(ctx context.Context, cursor string, limit int) (table.Page, error) {
	start, err := decodeCursor(cursor, table.AttrPK, table.AttrSK)
	if err := errors.Join(err, table.CheckLimit(limit)); err != nil {
		return table.Page{}, err
	}
	out, err := e.client.Scan(ctx, &dynamodb.ScanInput{
		TableName: e.table, ExclusiveStartKey: start, Limit: aws.Int32(int32(limit)),
	})
	if err != nil {
		return table.Page{}, fmt.Errorf("scan: %w", err)
	}
	return page(out.Items, encodeCursor(out.LastEvaluatedKey, table.AttrPK, table.AttrSK))
}

// Segment implements table.Engine with one request of a parallel scan.
func (e *Engine) Segment(ctx context.Context, s table.Segment, cursor string, limit int) (table.Page, error) {
	start, err := decodeCursor(cursor, table.AttrPK, table.AttrSK)
	if err := errors.Join(err, s.Check(), table.CheckLimit(limit)); err != nil {
		return table.Page{}, err
	}
	out, err := e.client.Scan(ctx, &dynamodb.ScanInput{
		TableName: e.table, ExclusiveStartKey: start, Limit: aws.Int32(int32(limit)),
		Segment: aws.Int32(int32(s.N)), TotalSegments: aws.Int32(int32(s.Of)),
		FilterExpression:          aws.String("begins_with(pk, :p) AND sk = :s"),
		ExpressionAttributeValues: attributes{":p": str(s.Prefix), ":s": str(s.SK)},
	})
	if err != nil {
		return table.Page{}, fmt.Errorf("scan segment %d of %d: %w", s.N, s.Of, err)
	}
	return page(out.Items, encodeCursor(out.LastEvaluatedKey, table.AttrPK, table.AttrSK))
}

func page(rows []map[string]types.AttributeValue, cursor string) (table.Page, error) {
	p := table.Page{Items: make([]table.Item, len(rows)), Cursor: cursor}
	for i, a := range rows {
		var err error
		if p.Items[i], err = decode(a); err != nil {
			return table.Page{}, err
		}
	}
	return p, nil
}

// CreateTable makes the table of table's schema, with its index, TTL and
// stream, and waits until it can be used. It is for emulators and tests: the
// CDK app makes the real one. A table that exists is left as it is.
func CreateTable(ctx context.Context, client *dynamodb.Client, name string) error {
	key := func(hash, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{
			{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
		}
	}
	index := func(name string, schema []types.KeySchemaElement) types.GlobalSecondaryIndex {
		return types.GlobalSecondaryIndex{IndexName: aws.String(name), KeySchema: schema, Projection: &types.Projection{ProjectionType: types.ProjectionType(table.Projection)}}
	}
	in := &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   key(table.AttrPK, table.AttrSK),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			index(table.DueIndex, key(table.AttrDueShard, table.AttrDueAt)),
			index(table.MembersIndex, key(table.AttrGroup, "")[:1]),
		},
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(table.StreamView),
		},
	}
	for _, a := range []string{table.AttrPK, table.AttrSK, table.AttrDueShard, table.AttrDueAt, table.AttrGroup} {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(a), AttributeType: types.ScalarAttributeTypeS,
		})
	}
	var exists *types.ResourceInUseException
	if _, err := client.CreateTable(ctx, in); errors.As(err, &exists) {
		return nil
	} else if err != nil {
		return fmt.Errorf("create table %s: %w", name, err)
	}
	wait := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	})
	if err := wait.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		return fmt.Errorf("create table %s: %w", name, err)
	}
	_, err := client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String(table.AttrExpires), Enabled: aws.Bool(true),
		},
	})
	if err != nil {
		return fmt.Errorf("create table %s: time to live: %w", name, err)
	}
	return nil
}
