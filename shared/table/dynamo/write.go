package dynamo

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"regulars/shared/table"
)

// Write implements table.Engine. One put costs a write unit per KB; a
// transaction costs two, and so does a lone delete, because a deleted item
// cannot tell who deleted it and a transaction's token can.
func (e *Engine) Write(ctx context.Context, writes ...table.Write) error {
	if err := table.CheckWrites(writes); err != nil {
		return err
	}
	var err error
	if len(writes) == 1 && !writes[0].Delete {
		err = e.put(ctx, writes[0].Item)
	} else {
		err = e.transact(ctx, writes)
	}
	if err != nil {
		k := writes[0].Item.Key
		return fmt.Errorf("write %q %q and %d more: %w", k.PK, k.SK, len(writes)-1, err)
	}
	return nil
}

// put writes one item. The SDK repeats a request whose answer was lost; when
// the first one did arrive, the repeated one finds its condition failed. The
// writer attribute tells this from another's write, even of the same content.
func (e *Engine) put(ctx context.Context, it table.Item) error {
	writer := make([]byte, 8)
	rand.Read(writer) // never fails
	row := encode(it)
	row[table.AttrWriter] = &types.AttributeValueMemberB{Value: writer}
	cond, values := condition(it.Version)

	var sent attempts
	_, err := e.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: e.table, Item: row,
		ConditionExpression: cond, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, func(o *dynamodb.Options) { o.Interceptors.AddBeforeAttempt(&sent) })

	var failed *types.ConditionalCheckFailedException
	var busy *types.TransactionConflictException
	switch {
	case errors.As(err, &failed):
		if w, ok := failed.Item[table.AttrWriter].(*types.AttributeValueMemberB); ok && bytes.Equal(w.Value, writer) {
			return nil
		}
		stored, decodeErr := decode(failed.Item)
		if sent > 1 && (decodeErr != nil || stored.Version > it.Version) {
			break // ours may have been stored before another replaced or deleted it
		}
		return fmt.Errorf("%w: %w", table.ErrConflict, err)
	case errors.As(err, &busy) && sent == 1:
		return fmt.Errorf("%w: %w", table.ErrConflict, err)
	}
	return err
}

// transact writes all or none. Repeats by the SDK carry the same token, so
// DynamoDB itself recognises them.
func (e *Engine) transact(ctx context.Context, writes []table.Write) error {
	items := make([]types.TransactWriteItem, len(writes))
	for i, w := range writes {
		if w.Delete {
			items[i].Delete = &types.Delete{
				TableName: e.table, Key: keyOf(w.Item.Key),
				ConditionExpression:       aws.String("v = :v"),
				ExpressionAttributeValues: attributes{":v": num(w.Item.Version)},
			}
			continue
		}
		cond, values := condition(w.Item.Version)
		items[i].Put = &types.Put{
			TableName: e.table, Item: encode(w.Item),
			ConditionExpression: cond, ExpressionAttributeValues: values,
		}
	}
	// The SDK repeats requests that were throttled, but not transactions that
	// were cancelled because one of their items was.
	for attempt := 0; ; attempt++ {
		_, err := e.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
		var cancelled *types.TransactionCanceledException
		if !errors.As(err, &cancelled) {
			return err
		}
		switch conflict, throttled := reasons(cancelled); {
		case conflict:
			return fmt.Errorf("%w: %w", table.ErrConflict, err)
		case !throttled || attempt == 7:
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

func condition(version int64) (*string, attributes) {
	if version == 1 {
		return aws.String("attribute_not_exists(pk)"), nil
	}
	return aws.String("v = :v"), attributes{":v": num(version - 1)}
}

// reasons sorts the causes of a cancelled transaction, whose codes the API
// reference of TransactWriteItems lists.
func reasons(cancelled *types.TransactionCanceledException) (conflict, throttled bool) {
	for _, r := range cancelled.CancellationReasons {
		switch aws.ToString(r.Code) {
		case "ConditionalCheckFailed", "TransactionConflict":
			conflict = true
		case "ThrottlingError", "ProvisionedThroughputExceeded":
			throttled = true
		}
	}
	return conflict, throttled
}

// pause waits a random time of up to 25 ms, doubled with each attempt up to 1 s.
func pause(ctx context.Context, attempt int) error {
	most := min(25*time.Millisecond<<attempt, time.Second)
	select {
	case <-time.After(mathrand.N(most)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempts counts the times that the SDK sends a request.
type attempts int

func (n *attempts) BeforeAttempt(context.Context, *smithyhttp.InterceptorContext) error {
	*n++
	return nil
}
