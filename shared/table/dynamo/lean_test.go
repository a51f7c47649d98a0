package dynamo

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
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

// An item that is written as DynamoDB writes it says the same when it is not.
func TestPlainItemsAreItems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type value map[string]any
		item := map[string]value{}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"pk", "sk", "s", "v"}), 0, 4, rapid.ID).Draw(t, "names") {
			switch name {
			case "s":
				item[name] = value{"B": rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, name)}
			default:
				item[name] = value{"S": rapid.OneOf(rapid.StringMatching(`[A-Z#0-9]{1,60}`), rapid.String()).Draw(t, name)}
			}
		}
		plain, err := json.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		spaced, err := json.MarshalIndent(item, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range [][]byte{plain, spaced} {
			l := lean{item: func(pk, sk, side []byte) error {
				got = append(got, fmt.Sprintf("%q %q %q %v", pk, sk, side, side == nil))
				return nil
			}}
			if _, err := l.strip(slices.Concat([]byte(`{"Items":[`), one, []byte("]}"))); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != 2 || got[0] != got[1] {
			t.Fatalf("%s is read as %q", plain, got)
		}
	})
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
