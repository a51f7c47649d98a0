package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"regulars/shared/table/dynamo"
	"regulars/shared/table/tabletest"
)

// network is what lies between the SDK and DynamoDB, and what DynamoDB itself
// answers on a bad day: none of it does the emulator.
type network struct {
	next  aws.HTTPClient
	rng   *rand.Rand
	drawn map[string]int
	made  map[string]bool // transactions by their token: made again, they succeed
}

var requestToken = regexp.MustCompile(`"ClientRequestToken":"([^"]+)"`)

// known tells whether a request repeats a transaction that was made: DynamoDB
// knows it by its token, and has no conflict to tell of.
func (n *network) known(req *http.Request) (id string, made bool, err error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return "", false, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	if m := requestToken.FindSubmatch(body); m != nil {
		id = string(m[1])
	}
	return id, n.made[id], nil
}

// cancellations are why DynamoDB cancels a transaction of several items, one
// reason for each: never for one kind of reason alone.
var cancellations = [][]string{
	{"None", "TransactionConflict"},
	{"TransactionConflict", "ThrottlingError"},
	{"ThrottlingError", "None"},
	{"ProvisionedThroughputExceeded", "ThrottlingError"},
}

func (n *network) Do(req *http.Request) (*http.Response, error) {
	_, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	writes := op == "PutItem" || op == "TransactWriteItems"
	id, again, err := n.known(req)
	if err != nil {
		return nil, err
	}
	switch d := n.rng.IntN(100); {
	case d < 3:
		return n.refuse(req, 400, "ProvisionedThroughputExceededException", "")
	case d < 5:
		return n.refuse(req, 500, "InternalServerError", "")
	case d < 8:
		n.drawn["request lost"]++
		return nil, io.ErrUnexpectedEOF
	case d < 12:
		n.drawn["answer lost"]++
		res, err := n.next.Do(req)
		if err == nil {
			n.made[id] = id != "" && res.StatusCode == http.StatusOK
			res.Body.Close()
		}
		return nil, io.ErrUnexpectedEOF
	case writes && !again && d < 15:
		return n.refuse(req, 400, "TransactionConflictException", "")
	case op == "TransactWriteItems" && !again && d < 30:
		reasons := cancellations[n.rng.IntN(len(cancellations))]
		return n.refuse(req, 400, "TransactionCanceledException", fmt.Sprintf(`,"CancellationReasons":[{"Code":%q},{"Code":%q}]`, reasons[0], reasons[1]))
	}
	return n.next.Do(req)
}

func (n *network) refuse(req *http.Request, status int, kind, more string) (*http.Response, error) {
	n.drawn[kind+more]++
	return &http.Response{
		StatusCode: status, Request: req, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(`{"__type":"com.amazonaws.dynamodb.v20120810#` + kind + `","message":"simulated"` + more + `}`)),
	}, nil
}

// The world over AWS's emulator and a network on which one request in three
// goes wrong: what the engine makes of it is right as well.
func TestSimulationOverABadNetwork(t *testing.T) {
	t.Parallel()
	endpoint, key := tabletest.DynamoDBLocal(t)
	good := dynamodb.NewFromConfig(dynamo.LocalConfig(endpoint, key+"network"))
	if err := dynamo.CreateTable(t.Context(), good, "simulated"); err != nil {
		t.Fatal(err)
	}
	base := dynamo.New(good, "simulated")
	cfg := dynamo.LocalConfig(endpoint, key+"network")
	n := &network{next: cfg.HTTPClient, rng: rand.New(rand.NewPCG(7, 7)), drawn: map[string]int{}, made: map[string]bool{}}
	cfg.HTTPClient = n
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = 3, time.Millisecond // or pauses are most of the test
		})
	}
	w := openWorld(5, odds{duplicate: .25, together: .1, reorder: .3, crash: .02}, seam{}, base, nil)
	w.remote = dynamo.New(dynamodb.NewFromConfig(cfg), "simulated")
	if w.live(200, nil); w.wrong != nil {
		t.Error(w.wrong)
	}
	t.Logf("%+v\n%v", w.tally, n.drawn)
	if len(n.drawn) < 9 {
		t.Errorf("only these went wrong: %v", n.drawn)
	}
}
