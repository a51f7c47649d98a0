package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"regulars/shared/table"
	"regulars/shared/table/dynamo"
	"regulars/shared/table/tabletest"
)

// deployed makes the table of a stack and the file of its outputs.
func deployed(t *testing.T) (outputs string, store *table.Store) {
	t.Helper()
	endpoint, access := tabletest.DynamoDBLocal(t)
	access += "stack" + t.Name() // a database of its own
	name := "stack-table"
	cfg := dynamo.LocalConfig(endpoint, access)
	if err := dynamo.CreateTable(t.Context(), dynamodb.NewFromConfig(cfg), name); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"} {
		t.Setenv(k, v)
	}
	raw, err := json.Marshal(map[string]stack{"regulars-dev": {ApiUrl: "https://api.example/", TableName: name, SecretName: "regulars/dev"}})
	if err != nil {
		t.Fatal(err)
	}
	outputs = filepath.Join(t.TempDir(), "outputs.json")
	if err := os.WriteFile(outputs, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	engine, err := dynamo.Connect(t.Context(), cfg, name)
	if err != nil {
		t.Fatal(err)
	}
	return outputs, table.NewStore(engine)
}

// A deployed stack is set up and verified by the outputs of its deployment.
func TestSetupAndVerifyOfAStack(t *testing.T) {
	outputs, _ := deployed(t)
	for range 2 { // again, it adds a key and leaves the rest
		if err := run(t.Context(), []string{"setup", outputs}); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(t.Context(), []string{"verify", outputs}); err != nil {
		t.Error(err)
	}
}
