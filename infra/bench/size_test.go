package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"regulars/shared/table"
	"regulars/shared/table/dynamo"
	"regulars/shared/table/tabletest"
)

// AWS's emulator counts single writes right, so the sizes are held against
// it: an item that is filled up to what we take for 1,024 bytes costs one unit,
// and two with one byte more.
func TestSizesAreDynamoDBs(t *testing.T) {
	client := dynamodb.NewFromConfig(dynamo.LocalConfig(tabletest.DynamoDBLocal(t)))
	name := aws.String("sizes")
	if err := dynamo.CreateTable(t.Context(), client, *name); err != nil {
		t.Fatal(err)
	}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	for _, n := range []string{"0", "1", "10", "12", "99", "100", "101", "120", "123", "1200", "1234", "12345", "123456", "1767225599", "4102444800", "-5", "-1234"} {
		it := map[string]any{table.AttrPK: object{"S": "קפה"}, table.AttrSK: object{"S": "s"}, table.AttrVersion: object{"N": n}}
		raw, err := json.Marshal(it)
		if err != nil {
			t.Fatal(err)
		}
		var ours item
		if err := json.Unmarshal(raw, &ours); err != nil {
			t.Fatal(err)
		}
		fill := 1024 - ours.size() - len(table.AttrBody)
		for more, want := range []float64{1, 2} {
			key := map[string]types.AttributeValue{table.AttrPK: text("קפה"), table.AttrSK: text("s")}
			if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: name, Key: key}); err != nil {
				t.Fatal(err)
			}
			key[table.AttrVersion] = &types.AttributeValueMemberN{Value: n}
			key[table.AttrBody] = &types.AttributeValueMemberB{Value: []byte(strings.Repeat("x", fill+more))}
			out, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: key, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
			if err != nil {
				t.Fatal(err)
			}
			if got := aws.ToFloat64(out.ConsumedCapacity.CapacityUnits); got != want {
				t.Errorf("%s and %d bytes more than 1,024: %v units, want %v", n, more, got, want)
			}
		}
	}
}
