package dynamo

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestItemsAreTakenOutOfAnAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		body, rest string
		items      []string // pk/sk=side
	}{
		"of a query": {
			`{"Count":2,"Items":[{"m":{"S":"g#1"},"pk":{"S":"p#1"},"sk":{"S":"ACCOUNT"}},{"sk":{"S":"B"},"pk":{"S":"p#2"}}],"LastEvaluatedKey":{"pk":{"S":"p#2"}},"ScannedCount":2}`,
			`{"Count":2,"Items":[],"LastEvaluatedKey":{"pk":{"S":"p#2"}},"ScannedCount":2}`,
			[]string{"p#1/ACCOUNT=", "p#2/B="},
		},
		"of a batch": {
			`{"Responses":{"regulars":[{"s":{"B":"aGVsbG8="},"pk":{"S":"p"},"sk":{"S":"A"}}]},"UnprocessedKeys":{"regulars":{"Keys":[{"pk":{"S":"q"},"sk":{"S":"A"}}]}}}`,
			`{"Responses":{"regulars":[]},"UnprocessedKeys":{"regulars":{"Keys":[{"pk":{"S":"q"},"sk":{"S":"A"}}]}}}`,
			[]string{"p/A=hello"},
		},
		"written with spaces and escapes": {
			" {\n \"Items\" : [ { \"pk\" : { \"S\" : \"a\\\"b\\u05d0\\\\\" } , \"sk\":{\"S\":\"A\"}, \"v\":{\"N\":\"-1\"}, \"l\":{\"L\":[{\"BOOL\":true},{\"NULL\":true},{}]} } ] } ",
			" {\n \"Items\" :[] } ",
			[]string{"a\"bא\\/A="},
		},
		"without items": {`{"Items":[],"Count":0}`, `{"Items":[],"Count":0}`, nil},
		"an error":      {`{"__type":"x","message":"no"}`, `{"__type":"x","message":"no"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var items []string
			l := lean{item: func(pk, sk, side []byte) error {
				items = append(items, string(pk)+"/"+string(sk)+"="+string(side))
				return nil
			}}
			rest, err := l.strip([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.items, items); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if string(rest) != c.rest {
				t.Errorf("the rest is\n%s, want\n%s", rest, c.rest)
			}
		})
	}
}

// What is not JSON is refused, and nothing that is makes it fail or panic.
func FuzzLean(f *testing.F) {
	f.Add([]byte(`{"Items":[{"pk":{"S":"p"},"sk":{"S":"A"},"s":{"B":"aGVsbG8="}}],"LastEvaluatedKey":{"pk":{"S":"p"}}}`))
	f.Add([]byte(`{"Responses":{"t":[{"pk":{"S":"\u05d0"},"sk":{"S":""}}]},"UnprocessedKeys":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		l := lean{item: func(_, _, _ []byte) error { return nil }}
		rest, err := l.strip(body)
		if err == nil && json.Valid(body) && !json.Valid(rest) {
			t.Errorf("%q became %q", body, rest)
		}
	})
}
