package stream

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"regulars/shared/table/dynamo"
)

// Emulator opens a table and its change feed on a DynamoDB endpoint on this
// machine, and makes the table there if it is missing. Its accessKey is
// letters and digits.
func Emulator(ctx context.Context, endpoint, accessKey, tableName string) (*dynamo.Engine, *Feed, error) {
	cfg := dynamo.LocalConfig(endpoint, accessKey)
	client := dynamodb.NewFromConfig(cfg)
	if err := dynamo.CreateTable(ctx, client, tableName); err != nil {
		return nil, nil, err
	}
	return dynamo.New(client, tableName), New(dynamodbstreams.NewFromConfig(cfg), client, tableName), nil
}
