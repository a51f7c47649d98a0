package stream_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"regulars/shared/table/dynamo"
	"regulars/shared/table/dynamo/stream"
)

// shard is one of a stream that splits, which DynamoDB Local's do not for hours.
type shard struct {
	id, parent string
	records    []int // versions of one item
	closed     bool
	empty      bool // the first page is empty, as DynamoDB's may be
}

// serve answers as DynamoDB and its streams do.
func serve(t *testing.T, shards *[]shard) *stream.Feed {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			ShardId, SequenceNumber, ShardIterator string
			Limit                                  int
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &in); err != nil {
			t.Error(err)
		}
		_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		out := map[string]any{}
		switch op {
		case "DescribeTable":
			out["Table"] = map[string]any{"LatestStreamArn": "arn:aws:dynamodb:us-east-1:0:table/t/stream/1"}
		case "DescribeStream":
			var list []map[string]any
			for _, s := range *shards {
				m := map[string]any{"ShardId": s.id}
				if s.parent != "" {
					m["ParentShardId"] = s.parent
				}
				list = append(list, m)
			}
			out["StreamDescription"] = map[string]any{"Shards": list}
		case "GetShardIterator":
			out["ShardIterator"] = in.ShardId + "/" + in.SequenceNumber + "/"
		case "GetRecords":
			at := strings.Split(in.ShardIterator, "/") // shard, last sequence number, "again" after an empty page
			s := (*shards)[slices.IndexFunc(*shards, func(s shard) bool { return s.id == at[0] })]
			if s.empty && at[2] == "" {
				out["Records"], out["NextShardIterator"] = []any{}, at[0]+"/"+at[1]+"/again"
				break
			}
			last, _ := strconv.Atoi(at[1])
			records := []any{}
			for _, v := range s.records {
				if v > last && len(records) < in.Limit {
					image := fmt.Sprintf(`{"pk":{"S":"p"},"sk":{"S":"s"},"v":{"N":"%d"}}`, v)
					records = append(records, map[string]any{"dynamodb": map[string]any{
						"SequenceNumber": fmt.Sprint(v), "NewImage": json.RawMessage(image), "Keys": json.RawMessage(`{"pk":{"S":"p"},"sk":{"S":"s"}}`),
					}})
					last = v
				}
			}
			out["Records"] = records
			if !s.closed || last < s.records[len(s.records)-1] {
				out["NextShardIterator"] = fmt.Sprint(at[0], "/", last, "/again")
			}
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(server.Close)
	cfg := dynamo.LocalConfig(server.URL, "local")
	return stream.New(dynamodbstreams.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg), "t")
}

func TestAShardIsReadAfterItsParent(t *testing.T) {
	for _, limit := range []int{1, 2, 3, 100} {
		shards := []shard{
			{id: "grandchild", parent: "child", records: []int{6}},
			{id: "child", parent: "parent", records: []int{4, 5}, closed: true, empty: true},
			{id: "parent", parent: "trimmed", records: []int{1, 2, 3}, closed: true},
		}
		feed := serve(t, &shards)
		var got []int64
		after := ""
		walk := func() {
			for range 20 {
				changes, next, err := feed.Changes(t.Context(), after, limit)
				if err != nil {
					t.Fatal(err)
				}
				after = next
				for _, c := range changes {
					got = append(got, c.New.Version)
				}
				if len(changes) == 0 {
					return
				}
			}
			t.Fatal("the feed does not end")
		}
		walk()
		shards = shards[:2] // the stream forgets the oldest
		shards[0].records = append(shards[0].records, 7)
		walk()
		if want := []int64{1, 2, 3, 4, 5, 6, 7}; !slices.Equal(got, want) {
			t.Errorf("limit %d: got %v, want %v", limit, got, want)
		}
		if strings.Contains(after, "parent") {
			t.Errorf("place %s still names a forgotten shard", after)
		}
	}
}
