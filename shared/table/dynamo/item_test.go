package dynamo_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/shared/table"
	"regulars/shared/table/dynamo"
)

func TestDecodeImage(t *testing.T) {
	for _, c := range []struct {
		name, image string
		want        table.Item
		fails       bool
	}{
		{name: "absent"},
		{name: "null", image: "null"},
		{name: "empty", image: "{}"},
		{
			name: "whole",
			image: `{"pk":{"S":"p#é"},"sk":{"S":"s"},"v":{"N":"12"},"b":{"B":"AP8B"},"w":{"B":"AQIDBAUGBwg="},
				"d":{"S":"3"},"t":{"S":"2026-01-01T00:00:00Z"},"x":{"N":"4102444800"}}`,
			want: table.Item{
				Key: table.Key{PK: "p#é", SK: "s"}, Version: 12, Body: []byte{0, 255, 1},
				Due: table.Due{Shard: "3", At: "2026-01-01T00:00:00Z"}, Expires: 4_102_444_800,
			},
		},
		{name: "bare", image: `{"pk":{"S":"p"},"sk":{"S":"s"},"v":{"N":"1"}}`, want: table.Item{Key: table.Key{PK: "p", SK: "s"}, Version: 1}},
		{name: "no version", image: `{"pk":{"S":"p"},"sk":{"S":"s"}}`, fails: true},
		{name: "no key", image: `{"v":{"N":"1"}}`, fails: true},
		{name: "not an image", image: `[1]`, fails: true},
		{name: "body that is no base64", image: `{"pk":{"S":"p"},"sk":{"S":"s"},"v":{"N":"1"},"b":{"B":"!"}}`, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := dynamo.DecodeImage(json.RawMessage(c.image))
			if c.fails != (err != nil) {
				t.Fatalf("got error %v", err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" && !c.fails {
				t.Error(diff)
			}
		})
	}
}
