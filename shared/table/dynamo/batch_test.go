package dynamo

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/shared/table"
)

// What a batch writes says what the SDK would have written, whatever is in a key.
func TestABatchIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type text struct{ S string }
		type key struct {
			PK text `json:"pk"`
			SK text `json:"sk"`
		}
		var keys []table.Key
		var want []key
		for _, pk := range rapid.SliceOfNDistinct(rapid.String(), 1, table.MaxSides, rapid.ID).Draw(t, "pks") {
			k := table.Key{PK: pk, SK: rapid.String().Draw(t, "sk")}
			keys, want = append(keys, k), append(want, key{text{k.PK}, text{k.SK}})
		}
		b := newBatch("tab\"le", keys)
		var body struct {
			RequestItems map[string]struct {
				ProjectionExpression string
				Keys                 []key
			}
		}
		if err := json.Unmarshal(b.body(), &body); err != nil {
			t.Fatalf("%v in %s", err, b.body())
		}
		if diff := cmp.Diff(want, body.RequestItems["tab\"le"].Keys); diff != "" {
			t.Fatal(diff)
		}
		for _, k := range append(keys, table.Key{PK: "another", SK: "ACCOUNT"}) {
			if got := b.key([]byte(k.PK), []byte(k.SK)); got != k {
				t.Fatalf("%q became %q", k, got)
			}
		}
	})
}

// A page of keys is the same in one piece.
func TestKeysOfAPage(t *testing.T) {
	l := newKeyList(2) // and more
	var want []table.Key
	for i := range 5 {
		k := table.Key{PK: fmt.Sprint("p#", i), SK: fmt.Sprint("s", i*i)}
		l.add([]byte(k.PK), []byte(k.SK))
		want = append(want, k)
	}
	if diff := cmp.Diff(want, l.keys()); diff != "" {
		t.Error(diff)
	}
}

// Nothing is allocated for one item more of an answer.
func TestItemsAreReadWithoutAllocations(t *testing.T) {
	answer := func(n int) []byte {
		b := []byte(`{"Responses":{"t":[`)
		for i := range n {
			if i > 0 {
				b = append(b, ',')
			}
			b = fmt.Appendf(b, `{"pk":{"S":"p#%03d"},"s":{"B":"aGVsbG8="},"sk":{"S":"ACCOUNT"}}`, i)
		}
		return append(b, `]},"UnprocessedKeys":{}}`...)
	}
	keys := make([]table.Key, 100)
	for i := range keys {
		keys[i] = table.Key{PK: fmt.Sprintf("p#%03d", i), SK: "ACCOUNT"}
	}
	b := newBatch("t", keys)
	l := lean{item: func(pk, sk, side []byte) error {
		if k := b.key(pk, sk); k.PK == "" || string(side) != "hello" {
			return fmt.Errorf("%v has %q", k, side)
		}
		return nil
	}}
	count := func(body []byte) float64 {
		return testing.AllocsPerRun(100, func() {
			if _, err := l.strip(body); err != nil {
				t.Fatal(err)
			}
		})
	}
	if one, hundred := count(answer(1)), count(answer(100)); hundred > one {
		t.Errorf("%v allocations for an item, %v for a hundred", one, hundred)
	}
}
