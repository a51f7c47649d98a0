package dynamo_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"regulars/shared/table"
	"regulars/shared/table/dynamo"
)

// Without a request body of its own, about one read in 200 breaks here with
// "use of closed network connection".
func TestLargeAnswersArriveWhole(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // the race needs threads
	large := strings.Repeat("x", 20_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprintf(w, `{"Item":{"pk":{"S":"p"},"sk":{"S":"s"},"v":{"N":"1"},"d":{"S":"%s"}}}`, large)
	}))
	defer server.Close()
	cfg := dynamo.LocalConfig(server.URL, "local")
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	e := dynamo.New(dynamodb.NewFromConfig(cfg), "t")
	for range 1500 {
		it, err := e.Get(t.Context(), table.Key{PK: "p", SK: "s"}, true)
		if err != nil || it.Due.Shard != large {
			t.Fatal(err)
		}
	}
}
