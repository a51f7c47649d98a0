package table_test

import (
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// decoded reads a body as an item of one kind and, when it is one, writes it
// down and reads it again.
func decoded[T any](t *testing.T, body []byte) {
	t.Helper()
	v, err := table.Decode[T](table.Item{Body: body})
	if err != nil {
		return
	}
	out, err := cbor.Marshal(v)
	if err != nil {
		t.Fatalf("%x was read as %+v and cannot be written: %v", body, v, err)
	}
	again, err := table.Decode[T](table.Item{Body: out})
	if err != nil {
		t.Errorf("%x reads back with %v", out, err)
	} else if third, err := cbor.Marshal(again); err != nil || !reflect.DeepEqual(out, third) {
		t.Errorf("%x reads back as %x (%v)", out, third, err)
	}
}

// Whatever an item's body holds, reading it ends with a value or an error.
func FuzzDecodeItem(f *testing.F) {
	for _, v := range []any{
		&loyalty.Account{Member: "M", Seq: 2, Lots: loyalty.Lots{{Expires: 1773561660, Points: 75}}, Tail: loyalty.Entries{{Points: 75, Lots: loyalty.Parts{{Points: 75}}}}},
		&loyalty.Record{Member: "M", Lodged: loyalty.Lodged{Points: 75}}, &loyalty.Redemption{ID: "R", Member: "M", Points: 5},
		&table.Profile{Member: "M", External: map[string]string{"till": "7"}}, &table.APIKey{Program: "p", Scope: "server"}, &table.Tokens{Generation: "G"},
	} {
		f.Add(must(cbor.Marshal(v)))
	}
	f.Add([]byte{0x9f})
	f.Add([]byte{0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, body []byte) {
		decoded[loyalty.Account](t, body)
		decoded[loyalty.Record](t, body)
		decoded[loyalty.Redemption](t, body)
		decoded[table.Profile](t, body)
		decoded[table.APIKey](t, body)
		decoded[table.Connection](t, body)
		decoded[table.Receipt](t, body)
		decoded[table.Tokens](t, body)
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
