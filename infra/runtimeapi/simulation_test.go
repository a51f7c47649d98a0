package runtimeapi

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"regulars/infra/topology"
	"regulars/shared/table/dynamo"
)

// exported is the table as DynamoDB exports it.
func (d *deployment) exported() []byte {
	d.t.Helper()
	out, err := dynamodb.NewFromConfig(dynamo.LocalConfig(d.endpoint, d.accessKey)).Scan(d.t.Context(), &dynamodb.ScanInput{TableName: &d.table})
	if err != nil {
		d.t.Fatal(err)
	}
	var zipped bytes.Buffer
	lines := gzip.NewWriter(&zipped)
	for _, item := range out.Items {
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
			d.t.Fatal(err)
		}
	}
	lines.Close()
	return zipped.Bytes()
}

// A simulation as the state machine runs it, by the binaries that ship: SC19.
func TestSimulation(t *testing.T) {
	d := deploy(t)
	member := d.must(201, "members", "POST", "/v1/members", `{"name":"נועה"}`)["id"].(string)
	for i, amount := range []int{4995, 12000, 999} {
		d.must(200, "earn", "POST", "/v1/orders", fmt.Sprintf(`{"source":"till","id":"%d","version":1,"state":"paid","currency":"ILS","member":%q,"lines":[{"id":"1","amount":%d}]}`, i, member, amount))
	}
	asked := d.must(202, "simulations", "POST", "/v1/simulations",
		`{"program":{"earning":{"rules":[{"id":"base","on":"order","rate":{"points":1,"amount":80},"where":{"minimum_amount":1000}}]}}}`)
	id := asked["id"].(string)
	run := id[len("sim_"):]
	if got := d.Cloud.Executions(); !slices.Equal(got, []string{run}) {
		t.Fatalf("started %v, want %s", got, run)
	}
	if a := d.must(200, "simulations", "GET", "/v1/simulations/"+id, ""); a["status"] != "running" {
		t.Errorf("%v", a)
	}
	step := func(more string) {
		t.Helper()
		d.invoke("replay", fmt.Appendf(nil, `{"program":"local","id":%q,%s}`, run, more))
	}
	file := "exports/" + run + "/AWSDynamoDB/01-abc/data/part.json.gz"
	d.Cloud.Put(file, d.exported())
	step(fmt.Sprintf(`"step":"partition","file":%q`, file))
	for shard := range topology.Simulations.Shards {
		step(fmt.Sprintf(`"step":"play","shard":%d`, shard))
	}
	step(`"step":"merge"`)
	a := d.must(200, "simulations", "GET", "/v1/simulations/"+id, "")
	report, ok := a["report"].(map[string]any)
	if !ok || a["status"] != "done" || report["points"].(map[string]any)["delta"] != 34.0 || report["money"].(map[string]any)["delta"] != 136.0 {
		t.Errorf("%v", a)
	}

	// One that ends without a word is said to have failed.
	lost := d.must(202, "simulations", "POST", "/v1/simulations", `{"program":{}}`)["id"].(string)
	d.Cloud.End()
	if a := d.must(200, "simulations", "GET", "/v1/simulations/"+lost, ""); a["status"] != "failed" || a["reason"] == nil {
		t.Errorf("%v", a)
	}
}
