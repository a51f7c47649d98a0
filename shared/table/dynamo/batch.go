package dynamo

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"regulars/shared/table"
)

// keyList gathers the keys of a page. Their text is one piece: a string for
// each of millions is what a walk would spend its time on.
type keyList struct {
	text []byte
	ends []int // of each pk and sk in turn
}

// newKeyList has room for so many keys of members.
func newKeyList(keys int) *keyList {
	return &keyList{text: make([]byte, 0, 64*keys), ends: make([]int, 0, 2*keys)}
}

func (l *keyList) add(pk, sk []byte) {
	l.text = append(l.text, pk...)
	l.ends = append(l.ends, len(l.text))
	l.text = append(l.text, sk...)
	l.ends = append(l.ends, len(l.text))
}

func (l *keyList) keys() []table.Key {
	text, begin := string(l.text), 0
	out := make([]table.Key, len(l.ends)/2)
	for i := range out {
		pk, sk := l.ends[2*i], l.ends[2*i+1]
		out[i] = table.Key{PK: text[begin:pk], SK: text[pk:sk]}
		begin = sk
	}
	return out
}

// batch is a BatchGetItem of the sides of up to table.MaxSides keys. It writes
// the request itself: the SDK's input is a map and two values for every key.
type batch struct {
	table string
	keys  []table.Key
	left  []table.Key // that are to be asked for
	slots [4 * table.MaxSides]uint8
}

var seed = maphash.MakeSeed()

func newBatch(name string, keys []table.Key) *batch {
	b := &batch{table: name, keys: keys, left: keys}
	for i := range keys {
		at := int(maphash.String(seed, keys[i].PK) % uint64(len(b.slots)))
		for b.slots[at] != 0 {
			at = (at + 1) % len(b.slots)
		}
		b.slots[at] = uint8(i + 1)
	}
	return b
}

// key is the one of the batch that is so written, without a string of its own.
func (b *batch) key(pk, sk []byte) table.Key {
	for at := int(maphash.Bytes(seed, pk) % uint64(len(b.slots))); b.slots[at] != 0; at = (at + 1) % len(b.slots) {
		if k := b.keys[b.slots[at]-1]; k.PK == string(pk) && k.SK == string(sk) {
			return k
		}
	}
	return table.Key{PK: string(pk), SK: string(sk)}
}

// input names the table, as the SDK wants it to; the keys are in the body.
func (b *batch) input() *dynamodb.BatchGetItemInput {
	return &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{b.table: {Keys: []map[string]types.AttributeValue{}}}}
}

// again asks for what was not answered.
func (b *batch) again(keys []map[string]types.AttributeValue) {
	b.left = make([]table.Key, len(keys))
	for i, k := range keys {
		b.left[i] = decodeKey(k)
	}
}

// option makes a call of the client send the batch.
func (b *batch) option(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], func(stack *middleware.Stack) error {
		return stack.Serialize.Insert(b, "OperationSerializer", middleware.After)
	})
}

// ID implements middleware.SerializeMiddleware.
func (*batch) ID() string { return "batch" }

// HandleSerialize implements middleware.SerializeMiddleware.
func (b *batch) HandleSerialize(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("a request of type %T", in.Request)
	}
	req, err := req.SetStream(bytes.NewReader(b.body()))
	if err != nil {
		return middleware.SerializeOutput{}, middleware.Metadata{}, err
	}
	in.Request = req
	return next.HandleSerialize(ctx, in)
}

func (b *batch) body() []byte {
	size := 200
	for _, k := range b.left {
		size += len(k.PK) + len(k.SK) + 40
	}
	out := quote(append(make([]byte, 0, size), `{"RequestItems":{`...), b.table)
	out = append(out, `:{"ProjectionExpression":"`+table.AttrPK+", "+table.AttrSK+", "+table.AttrSide+`","Keys":[`...)
	for i, k := range b.left {
		if i > 0 {
			out = append(out, ',')
		}
		out = quote(append(out, `{"`+table.AttrPK+`":{"S":`...), k.PK)
		out = quote(append(out, `},"`+table.AttrSK+`":{"S":`...), k.SK)
		out = append(out, `}}`...)
	}
	return append(out, `]}}}`...)
}

// quote appends a string of UTF-8 as JSON has it.
func quote(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(append(b, s[from:i]...), `\u00`...)
		if s[i] < 16 {
			b = append(b, '0')
		}
		b = strconv.AppendUint(b, uint64(s[i]), 16)
		from = i + 1
	}
	return append(append(b, s[from:]...), '"')
}
