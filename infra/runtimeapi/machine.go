package runtimeapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"regulars/infra/topology"
	"regulars/shared/table/dynamo"
)

// Simulate does with the step function what the state machine does in an
// execution with that input: an export of the table, then each step.
func (d *Deployment) Simulate(ctx context.Context, step *Process, input string) error {
	var run struct{ Program, ID string }
	if err := json.Unmarshal([]byte(input), &run); err != nil {
		return err
	}
	exported, err := d.export(ctx)
	if err != nil {
		return err
	}
	file := "exports/" + run.ID + "/AWSDynamoDB/01-abc/data/part.json.gz"
	d.Cloud.Put(file, exported)
	steps := []string{fmt.Sprintf(`"step":"partition","file":%q`, file)}
	for shard := range topology.Simulations.Shards {
		steps = append(steps, fmt.Sprintf(`"step":"play","shard":%d`, shard))
	}
	for _, s := range append(steps, `"step":"merge"`) {
		if _, err := step.Invoke(ctx, fmt.Appendf(nil, `{"program":%q,"id":%q,%s}`, run.Program, run.ID, s)); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// export is the table as DynamoDB exports one: gzip of a line per item.
func (d *Deployment) export(ctx context.Context) ([]byte, error) {
	var zipped bytes.Buffer
	lines := gzip.NewWriter(&zipped)
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(dynamo.LocalConfig(d.endpoint, d.accessKey)), &dynamodb.ScanInput{TableName: &d.table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			line := map[string]map[string]string{}
			for name, value := range item {
				switch v := value.(type) {
				case *types.AttributeValueMemberS:
					line[name] = map[string]string{"S": v.Value}
				case *types.AttributeValueMemberN:
					line[name] = map[string]string{"N": v.Value}
				case *types.AttributeValueMemberB:
					line[name] = map[string]string{"B": base64.StdEncoding.EncodeToString(v.Value)}
				}
			}
			if err := json.NewEncoder(lines).Encode(map[string]any{"Item": line}); err != nil {
				return nil, err
			}
		}
	}
	err := lines.Close()
	return zipped.Bytes(), err
}
