package dynamo

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"regulars/shared/table"
)

type attributes = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func keyOf(k table.Key) attributes {
	return attributes{table.AttrPK: str(k.PK), table.AttrSK: str(k.SK)}
}

func encode(it table.Item) attributes {
	a := keyOf(it.Key)
	a[table.AttrVersion] = num(it.Version)
	if len(it.Body) > 0 {
		a[table.AttrBody] = &types.AttributeValueMemberB{Value: it.Body}
	}
	if len(it.Side) > 0 {
		a[table.AttrSide] = &types.AttributeValueMemberB{Value: it.Side}
	}
	if it.Group != "" {
		a[table.AttrGroup] = str(it.Group)
	}
	if it.Due != (table.Due{}) {
		a[table.AttrDueShard] = str(it.Due.Shard)
		a[table.AttrDueAt] = str(it.Due.At)
	}
	if it.Expires != 0 {
		a[table.AttrExpires] = num(it.Expires)
	}
	return a
}

func decode(a attributes) (table.Item, error) {
	it := table.Item{Key: decodeKey(a)}
	if b, ok := a[table.AttrBody].(*types.AttributeValueMemberB); ok {
		it.Body = b.Value
	}
	if b, ok := a[table.AttrSide].(*types.AttributeValueMemberB); ok {
		it.Side = b.Value
	}
	it.Group = text(a[table.AttrGroup])
	it.Due = table.Due{Shard: text(a[table.AttrDueShard]), At: text(a[table.AttrDueAt])}
	err := numbers(&it, text(a[table.AttrVersion]), text(a[table.AttrExpires]))
	return it, err
}

func decodeKey(a attributes) table.Key {
	return table.Key{PK: text(a[table.AttrPK]), SK: text(a[table.AttrSK])}
}

// text is the value of a string or number, "" for anything else.
func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return ""
}

func numbers(it *table.Item, version, expires string) (err error) {
	if it.Version, err = strconv.ParseInt(version, 10, 64); err != nil {
		return fmt.Errorf("item %q %q: version: %w", it.PK, it.SK, err)
	}
	if expires == "" {
		return nil
	}
	if it.Expires, err = strconv.ParseInt(expires, 10, 64); err != nil {
		return fmt.Errorf("item %q %q: expiry: %w", it.PK, it.SK, err)
	}
	return nil
}

// DecodeImage decodes the NewImage or OldImage of a Lambda stream record,
// which is DynamoDB's JSON and does not fit the SDK's types. An absent image
// is the zero Item.
func DecodeImage(image json.RawMessage) (table.Item, error) {
	if len(image) == 0 || string(image) == "null" || string(image) == "{}" {
		return table.Item{}, nil
	}
	type value struct {
		S, N string
		B    []byte
	}
	var a map[string]value
	if err := json.Unmarshal(image, &a); err != nil {
		return table.Item{}, fmt.Errorf("stream image: %w", err)
	}
	it := table.Item{
		Key:  table.Key{PK: a[table.AttrPK].S, SK: a[table.AttrSK].S},
		Body: a[table.AttrBody].B, Side: a[table.AttrSide].B, Group: a[table.AttrGroup].S,
		Due: table.Due{Shard: a[table.AttrDueShard].S, At: a[table.AttrDueAt].S},
	}
	if it.PK == "" || it.SK == "" {
		return table.Item{}, errors.New("stream image: no key")
	}
	err := numbers(&it, a[table.AttrVersion].N, a[table.AttrExpires].N)
	return it, err
}

// A cursor holds the names' values of a last evaluated key; no key has a NUL.
func encodeCursor(last attributes, names ...string) string {
	if len(last) == 0 {
		return ""
	}
	values := make([]string, len(names))
	for i, n := range names {
		values[i] = text(last[n])
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(values, "\x00")))
}

func decodeCursor(cursor string, names ...string) (attributes, error) {
	if cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	values := strings.Split(string(raw), "\x00")
	if err != nil || len(values) != len(names) {
		return nil, fmt.Errorf("table: %q is not a cursor of this walk", cursor)
	}
	a := attributes{}
	for i, n := range names {
		a[n] = str(values[i])
	}
	return a, nil
}
