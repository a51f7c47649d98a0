package table

import (
	"context"
	"errors"
)

// Key names one item.
type Key struct{ PK, SK string }

// Item is one row of the table. Body is opaque to an engine. The limits are
// DynamoDB's: PK up to 2,048 bytes, SK up to 1,024, 400 KB in all.
type Item struct {
	Key
	Version int64  // 1 when first written, one more with every write
	Body    []byte // CBOR; see items.go
	Side    []byte // a small part of what the item says, which a walk over many items reads without the rest
	Group   string // partition of the index of members; "" is not in it, and whoever is stays in the same
	Due     Due    // place in the due index; the zero Due is not in it
	Expires int64  // unix seconds after which the item may vanish by itself; 0: never. Reads must not count on it
}

// Due is an item's place in the index of what is due: sparse, keys only.
type Due struct {
	Shard string // partition of the index
	At    string // when the clock decides something about the item, RFC 3339 UTC
}

// Write is one change. The stored version must be one less than Item.Version
// (absent for version 1). A Delete removes the item, which must be stored at
// exactly Item.Version; its other fields are ignored.
type Write struct {
	Item   Item
	Delete bool
}

// Engine is the handful of primitives of DynamoDB that the single-table code
// needs. Every engine passes package tabletest. All methods are safe for
// concurrent use and respect ctx.
type Engine interface {
	// Get reads one item. A consistent read sees every acknowledged write;
	// another may be a little old. ErrNotFound when there is none.
	Get(ctx context.Context, key Key, consistent bool) (Item, error)

	// Write applies 1 to 100 writes to different keys, all or none, durable
	// once it returns nil. ErrConflict when a version did not hold or another
	// write was in the way: nothing was written then, and reading again and
	// deciding again is right. A write whose answer was lost and that is
	// found applied as sent counts as applied. After any other error the
	// outcome is unknown.
	Write(ctx context.Context, writes ...Write) error

	// Query reads the items of one partition in key order.
	Query(ctx context.Context, q Query) (Page, error)

	// DueBefore reads keys of the due index's shard with At <= before,
	// earliest first, at most limit. It may be a little old. The second
	// answer, "" at the end, continues the walk when passed as cursor.
	DueBefore(ctx context.Context, shard, before, cursor string, limit int) ([]Key, string, error)

	// Members reads the keys of the items of a group that come after one of
	// them (the zero key: from the first on), at most limit, in no stated order
	// that yet is always the same. It may be a little old. The second answer
	// tells whether there are more, after the last.
	Members(ctx context.Context, group string, after Key, limit int) ([]Key, bool, error)

	// Sides reads the sides of up to 100 items, and nothing else of them: it
	// calls visit with each that is there, in no stated order. They may be a
	// little old. What visit is given may not be kept.
	Sides(ctx context.Context, keys []Key, visit func(k Key, side []byte) error) error

	// Scan walks the whole table in no stated order, limit items at a time.
	Scan(ctx context.Context, cursor string, limit int) (Page, error)

	// Segment walks one of several segments of the items of a kind, which may
	// all be walked at once, looking at limit items or more at a time. It
	// reads what a Scan reads, and answers less of it.
	Segment(ctx context.Context, s Segment, cursor string, limit int) (Page, error)
}

// Segment selects the items whose partition key begins with Prefix and whose
// sort key is SK. Together the segments 0 to Of-1 have each of them once.
type Segment struct {
	Prefix, SK string
	N, Of      int
}

// Query selects items of partition PK whose sort key begins with Prefix.
// After, when set, is the sort key of the last item already seen, and begins
// with Prefix too.
type Query struct {
	PK, Prefix, After string
	Desc              bool
	Limit             int // at most 1,000
	Consistent        bool
}

// Page is one answer of a walk. It may hold fewer items than the limit, even
// none, and yet not be the last: only Cursor tells. Cursor is "" at the end; for Query it is the
// sort key to pass as After.
type Page struct {
	Items  []Item
	Cursor string
}

// Change is one item before and after a write, as the change feed tells it.
// A new item has a zero Old, a deleted one a zero New.
type Change struct {
	Key
	Old, New Item
}

// Feed is the change feed of an engine: every write once or more, in order
// per item, from where the answer `next` left off ("" is the beginning). No changes and
// a nil error mean that the reader has caught up.
type Feed interface {
	Changes(ctx context.Context, after string, limit int) (changes []Change, next string, err error)
}

// What callers of an Engine branch on.
var (
	ErrNotFound = errors.New("table: no such item")
	ErrConflict = errors.New("table: the item changed meanwhile")
)
