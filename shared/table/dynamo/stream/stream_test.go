package stream_test

import (
	"crypto/rand"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"regulars/shared/table"
	"regulars/shared/table/dynamo"
	"regulars/shared/table/dynamo/stream"
	"regulars/shared/table/tabletest"
)

func TestFeed(t *testing.T) {
	tabletest.RunFeed(t, func(t *testing.T) (table.Engine, table.Feed) {
		cfg := dynamo.LocalConfig(tabletest.DynamoDBLocal(t))
		client, name := dynamodb.NewFromConfig(cfg), "test-"+rand.Text()
		if err := dynamo.CreateTable(t.Context(), client, name); err != nil {
			t.Fatal(err)
		}
		return dynamo.New(client, name), stream.New(dynamodbstreams.NewFromConfig(cfg), client, name)
	})
}
