package stream

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"regulars/shared/table"
)

func change(r *types.StreamRecord) (c table.Change, err error) {
	c.Key = table.Key{PK: text(r.Keys[table.AttrPK]), SK: text(r.Keys[table.AttrSK])}
	if c.Old, err = decode(r.OldImage); err != nil {
		return c, err
	}
	c.New, err = decode(r.NewImage)
	return c, err
}

// decode is package dynamo's, over types that differ from its own only in name.
func decode(a map[string]types.AttributeValue) (table.Item, error) {
	if len(a) == 0 {
		return table.Item{}, nil
	}
	it := table.Item{
		Key: table.Key{PK: text(a[table.AttrPK]), SK: text(a[table.AttrSK])},
		Due: table.Due{Shard: text(a[table.AttrDueShard]), At: text(a[table.AttrDueAt])},
	}
	if b, ok := a[table.AttrBody].(*types.AttributeValueMemberB); ok {
		it.Body = b.Value
	}
	if b, ok := a[table.AttrSide].(*types.AttributeValueMemberB); ok {
		it.Side = b.Value
	}
	it.Group = text(a[table.AttrGroup])
	var err error
	if it.Version, err = strconv.ParseInt(text(a[table.AttrVersion]), 10, 64); err != nil {
		return it, fmt.Errorf("stream image of %q %q: version: %w", it.PK, it.SK, err)
	}
	if x := text(a[table.AttrExpires]); x != "" {
		if it.Expires, err = strconv.ParseInt(x, 10, 64); err != nil {
			return it, fmt.Errorf("stream image of %q %q: expiry: %w", it.PK, it.SK, err)
		}
	}
	return it, nil
}

func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return ""
}
