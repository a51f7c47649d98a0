package dynamo_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"regulars/shared/table"
	"regulars/shared/table/dynamo"
)

// fault is what happens to one request: DynamoDB Local never does any of it.
type fault struct {
	status int    // answered without asking DynamoDB, 0: ask it
	body   string // of that answer
	lost   bool   // ask it, then drop the connection
	unsent bool   // drop the connection without asking
	before func() // another client comes first
}

// faulty is an aws.HTTPClient that meets one fault with each write request,
// and the last one for ever when it is repeated.
type faulty struct {
	next   aws.HTTPClient
	faults []fault
	repeat bool
	writes int // requests made
}

// install stands between the SDK and its HTTP client, and shortens the SDK's
// pauses, which would be most of the tests' time.
func (f *faulty) install(cfg *aws.Config) {
	f.next, cfg.HTTPClient = cfg.HTTPClient, f
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = 5, time.Millisecond
		})
	}
}

func (f *faulty) Do(req *http.Request) (*http.Response, error) {
	op := req.Header.Get("X-Amz-Target")
	if len(f.faults) == 0 || !strings.HasSuffix(op, "PutItem") && !strings.HasSuffix(op, "TransactWriteItems") {
		return f.next.Do(req)
	}
	f.writes++
	now := f.faults[0]
	if !f.repeat {
		f.faults = f.faults[1:]
	}
	if now.before != nil {
		now.before()
	}
	switch {
	case now.unsent:
		return nil, io.ErrUnexpectedEOF
	case now.lost:
		res, err := f.next.Do(req)
		if err == nil {
			res.Body.Close()
		}
		return nil, io.ErrUnexpectedEOF
	case now.status != 0:
		return &http.Response{
			StatusCode: now.status, Body: io.NopCloser(strings.NewReader(now.body)), Request: req,
			Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		}, nil
	}
	return f.next.Do(req)
}

func refusal(kind, more string) fault {
	return fault{status: 400, body: `{"__type":"com.amazonaws.dynamodb.v20120810#` + kind + `","message":"injected"` + more + `}`}
}

func TestFaults(t *testing.T) {
	broken := fault{status: 500, body: `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}`}
	throttled := refusal("ProvisionedThroughputExceededException", "")
	busy := refusal("TransactionConflictException", "")
	inProgress := refusal("TransactionInProgressException", "")
	cancelled := func(code string) fault {
		return refusal("TransactionCanceledException", `,"CancellationReasons":[{"Code":"None"},{"Code":"`+code+`"}]`)
	}

	item := func(sk string, version int64, body string) table.Write {
		return table.Write{Item: table.Item{Key: table.Key{PK: "p", SK: sk}, Version: version, Body: []byte(body)}}
	}
	one := []table.Write{item("a", 2, "new")}
	two := []table.Write{item("a", 2, "new"), item("b", 1, "new")}
	gone := []table.Write{{Item: table.Item{Key: table.Key{PK: "p", SK: "a"}, Version: 1}, Delete: true}}

	other := errors.New("an error that is no conflict")
	for _, c := range []struct {
		name    string
		writes  []table.Write
		faults  []fault
		repeat  bool
		meddle  []table.Write // by another client before the second request
		want    error
		version int64 // of item a in the end
	}{
		{name: "no fault", writes: one, version: 2},
		{name: "another's transaction in the way", writes: one, faults: []fault{busy}, want: table.ErrConflict, version: 1},
		{name: "a transaction cancelled by another", writes: two, faults: []fault{cancelled("TransactionConflict")}, want: table.ErrConflict, version: 1},
		{name: "throttled twice", writes: one, faults: []fault{throttled, throttled}, version: 2},
		{name: "a transaction throttled twice", writes: two, faults: []fault{throttled, throttled}, version: 2},
		{name: "a transaction cancelled for throttling twice", writes: two, faults: []fault{cancelled("ThrottlingError"), cancelled("ProvisionedThroughputExceeded")}, version: 2},
		{name: "broken twice", writes: one, faults: []fault{broken, broken}, version: 2},
		{name: "a transaction broken twice", writes: two, faults: []fault{broken, broken}, version: 2},
		{name: "broken for ever", writes: one, faults: []fault{broken}, repeat: true, want: other, version: 1},
		{name: "throttled for ever", writes: two, faults: []fault{cancelled("ThrottlingError")}, repeat: true, want: other, version: 1},
		{name: "refused for what is no conflict", writes: two, faults: []fault{cancelled("ValidationError")}, want: other, version: 1},
		{name: "the answer lost", writes: one, faults: []fault{{lost: true}}, version: 2},
		{name: "the answer lost twice", writes: one, faults: []fault{{lost: true}, {lost: true}}, version: 2},
		{name: "a transaction's answer lost", writes: two, faults: []fault{{lost: true}, {lost: true}}, version: 2},
		{name: "a deletion's answer lost", writes: gone, faults: []fault{{lost: true}, {lost: true}}, version: 0},
		{name: "the request lost", writes: one, faults: []fault{{unsent: true}}, version: 2},
		{
			name: "the request lost and another wrote the same", writes: one, meddle: one,
			faults: []fault{{unsent: true}}, want: table.ErrConflict, version: 2,
		},
		{
			name: "the answer lost and another wrote on", writes: one, meddle: []table.Write{item("a", 3, "newer")},
			faults: []fault{{lost: true}}, want: other, version: 3,
		},
		{
			name: "the answer lost and another deleted", writes: one, faults: []fault{{lost: true}},
			meddle: []table.Write{{Item: table.Item{Key: table.Key{PK: "p", SK: "a"}, Version: 2}, Delete: true}},
			want:   other, version: 0,
		},
		{name: "the answer lost, then another in the way", writes: one, faults: []fault{{lost: true}, busy}, want: other, version: 2},
		{name: "still in progress", writes: two, faults: []fault{inProgress}, repeat: true, want: other, version: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &faulty{}
			client, name := open(t, f.install)
			plain := dynamo.New(client, name)
			if err := plain.Write(t.Context(), item("a", 1, "old")); err != nil {
				t.Fatal(err)
			}
			f.faults, f.repeat = c.faults, c.repeat
			if c.meddle != nil {
				f.faults = append(f.faults, fault{before: func() {
					f.faults = nil
					if err := plain.Write(context.Background(), c.meddle...); err != nil {
						t.Error(err)
					}
				}})
			}
			err := plain.Write(t.Context(), c.writes...)
			f.faults = nil
			switch {
			case c.want == other && (err == nil || errors.Is(err, table.ErrConflict)):
				t.Errorf("got %v, want an error that is no conflict", err)
			case c.want != other && !errors.Is(err, c.want):
				t.Errorf("got %v, want %v", err, c.want)
			}
			got, err := plain.Get(t.Context(), table.Key{PK: "p", SK: "a"}, true)
			if err != nil && !errors.Is(err, table.ErrNotFound) || got.Version != c.version {
				t.Errorf("item at version %d, want %d: %v", got.Version, c.version, err)
			}
		})
	}
}

func TestThrottlingEndsWithTheContext(t *testing.T) {
	f := &faulty{}
	client, name := open(t, f.install)
	f.faults, f.repeat = []fault{refusal("TransactionCanceledException", `,"CancellationReasons":[{"Code":"ThrottlingError"}]`)}, true
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	k := table.Item{Key: table.Key{PK: "p", SK: "a"}, Version: 1}
	begin := time.Now()
	err := dynamo.New(client, name).Write(ctx, table.Write{Item: k, Delete: true})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	if f.writes < 2 {
		t.Errorf("%d requests: it was not repeated", f.writes)
	}
}
