package runtimeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Changes are the records of the table's change stream, from its beginning, as
// Lambda hands them over. They are read without the SDK: its types would not
// keep the bytes as they are.
func (d *Deployment) Changes(ctx context.Context) ([]json.RawMessage, error) {
	s := streams{ctx, d.endpoint, d.accessKey}
	var list struct{ Streams []struct{ StreamArn string } }
	if err := s.ask("ListStreams", map[string]any{"TableName": d.table}, &list); err != nil {
		return nil, err
	}
	var all []json.RawMessage
	for _, stream := range list.Streams {
		var described struct {
			StreamDescription struct{ Shards []struct{ ShardId string } }
		}
		if err := s.ask("DescribeStream", map[string]any{"StreamArn": stream.StreamArn}, &described); err != nil {
			return nil, err
		}
		for _, shard := range described.StreamDescription.Shards {
			records, err := s.shard(stream.StreamArn, shard.ShardId)
			if err != nil {
				return nil, err
			}
			all = append(all, records...)
		}
	}
	return all, nil
}

type streams struct {
	ctx                 context.Context
	endpoint, accessKey string
}

// shard reads a shard until it has nothing more at the moment.
func (s streams) shard(arn, id string) ([]json.RawMessage, error) {
	var at struct{ ShardIterator string }
	if err := s.ask("GetShardIterator", map[string]any{"StreamArn": arn, "ShardId": id, "ShardIteratorType": "TRIM_HORIZON"}, &at); err != nil {
		return nil, err
	}
	var all []json.RawMessage
	for at.ShardIterator != "" {
		var page struct {
			Records           []json.RawMessage
			NextShardIterator string
		}
		if err := s.ask("GetRecords", map[string]any{"ShardIterator": at.ShardIterator}, &page); err != nil {
			return nil, err
		}
		if len(page.Records) == 0 {
			break
		}
		all, at.ShardIterator = append(all, page.Records...), page.NextShardIterator
	}
	return all, nil
}

func (s streams) ask(op string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810."+op)
	// DynamoDB Local reads whose database it is and checks no signature.
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.accessKey+"/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d: %s", op, res.StatusCode, raw)
	}
	return json.Unmarshal(raw, out)
}

// Batch is the event of a function that reads the stream: the records that
// pass its filter, sort keys that begin with one of these, as the event source
// mapping has it.
func Batch(records []json.RawMessage, filter []string) []byte {
	batch := struct{ Records []json.RawMessage }{[]json.RawMessage{}}
	for _, raw := range records {
		var r struct {
			DynamoDB struct {
				Keys struct {
					SK struct{ S string } `json:"sk"`
				}
			} `json:"dynamodb"`
		}
		if json.Unmarshal(raw, &r) != nil {
			continue
		}
		for _, prefix := range filter {
			if strings.HasPrefix(r.DynamoDB.Keys.SK.S, prefix) {
				batch.Records = append(batch.Records, raw)
				break
			}
		}
	}
	event, err := json.Marshal(batch)
	if err != nil {
		panic("runtimeapi: records were JSON and always encode: " + err.Error())
	}
	return event
}
