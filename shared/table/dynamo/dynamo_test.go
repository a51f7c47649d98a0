package dynamo_test

import (
	"crypto/rand"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"regulars/shared/table"
	"regulars/shared/table/dynamo"
	"regulars/shared/table/tabletest"
)

// open makes a table of its own.
func open(t testing.TB, options ...func(*aws.Config)) (*dynamodb.Client, string) {
	t.Helper()
	cfg := dynamo.LocalConfig(tabletest.DynamoDBLocal(t))
	for _, o := range options {
		o(&cfg)
	}
	client, name := dynamodb.NewFromConfig(cfg), "test-"+rand.Text()
	if err := dynamo.CreateTable(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	return client, name
}

func TestEngine(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Engine { return dynamo.New(open(t)) })
}
