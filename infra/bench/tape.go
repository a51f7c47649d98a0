package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"regulars/infra/local"
	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/table/dynamo"
)

// tape answers a walk over a shard as DynamoDB does, with answers that were
// made before, one after the other: no network, no other process.
type tape struct{ answers [][]byte }

const tapeTable = "regulars"

func (t *tape) config() aws.Config {
	cfg := dynamo.LocalConfig("http://tape.invalid", "tape")
	cfg.HTTPClient = t
	return cfg
}

// Do implements aws.HTTPClient.
func (t *tape) Do(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	if len(t.answers) == 0 {
		return nil, fmt.Errorf("the tape has ended")
	}
	body := t.answers[0]
	t.answers = t.answers[1:]
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Crc32": {strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)}},
	}, nil
}

// side is a member as a walk meets her.
type side struct {
	key    table.Key
	packed []byte
}

func sideOf(a *loyalty.Account) side {
	return side{table.Key{PK: local.Program + "#MEMBER#" + a.Member, SK: "ACCOUNT"}, a.Side()}
}

// record makes the answers to a walk over these members: a page of the index
// of members, then the sides of the members on it, and so on.
func record(group string, members []side) *tape {
	t := &tape{}
	text := func(b []byte, s string) []byte { return append(strconv.AppendQuote(append(b, `{"S":`...), s), '}') }
	key := func(b []byte, k table.Key) []byte {
		b = text(append(b, `"pk":`...), k.PK)
		return text(append(b, `,"sk":`...), k.SK)
	}
	for len(members) > 0 {
		page := members[:min(table.MaxPage, len(members))]
		members = members[len(page):]
		b := fmt.Appendf(nil, `{"Count":%d,"Items":[`, len(page))
		for i, s := range page {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(key(append(b, '{'), s.key), '}')
		}
		b = append(b, ']')
		if len(members) > 0 {
			b = text(append(b, `,"LastEvaluatedKey":{"m":`...), group)
			b = append(key(append(b, ','), page[len(page)-1].key), '}')
		}
		t.answers = append(t.answers, fmt.Appendf(b, `,"ScannedCount":%d}`, len(page)))
		for len(page) > 0 {
			some := page[:min(table.MaxSides, len(page))]
			page = page[len(some):]
			b := []byte(`{"Responses":{"` + tapeTable + `":[`)
			for i, s := range some {
				if i > 0 {
					b = append(b, ',')
				}
				b = key(append(b, '{'), s.key)
				b = base64.StdEncoding.AppendEncode(append(b, `,"s":{"B":"`...), s.packed)
				b = append(b, `"}}`...)
			}
			t.answers = append(t.answers, append(b, `]},"UnprocessedKeys":{}}`...))
		}
	}
	return t
}

// empty is a tape for as many batches, whose answers are empty: what it takes
// to ask.
func empty(batches int) *tape {
	t := &tape{}
	for range batches {
		t.answers = append(t.answers, []byte(`{"Responses":{"`+tapeTable+`":[]},"UnprocessedKeys":{}}`))
	}
	return t
}
