// Package embedded is the table's engine on one local file. What Write
// acknowledged survives a kill of the process: every commit is synced.
//
// Items never expire by themselves here, and the change log is kept whole.
package embedded

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"regulars/shared/table"
)

var (
	itemsBucket   = []byte("items")   // pk 0 sk -> row
	dueBucket     = []byte("due")     // shard 0 at 0 pk 0 sk -> nothing
	membersBucket = []byte("members") // group 0 pk 0 sk -> nothing
	logBucket     = []byte("log")     // sequence, 8 bytes big endian -> entry
)

// Engine is a table.Engine and table.Feed on a local file.
type Engine struct {
	db      *bolt.DB
	queue   chan *job
	closing chan struct{}
	closed  chan struct{}
}

var (
	_ table.Engine = (*Engine)(nil)
	_ table.Feed   = (*Engine)(nil)
)

// Open opens the file at path, or makes it. One process may have it open; a
// second one gets an error after a second.
func Open(path string) (*Engine, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: another process has it open", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{itemsBucket, dueBucket, membersBucket, logBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, errors.Join(err, db.Close()))
	}
	e := &Engine{db: db, queue: make(chan *job), closing: make(chan struct{}), closed: make(chan struct{})}
	go e.commitAll()
	return e, nil
}

// Close finishes the writes that have begun and releases the file. It must be
// called once.
func (e *Engine) Close() error {
	close(e.closing)
	<-e.closed
	return e.db.Close()
}

// Get implements table.Engine; every read is consistent.
func (e *Engine) Get(ctx context.Context, key table.Key, _ bool) (it table.Item, err error) {
	if err := errors.Join(ctx.Err(), key.Check()); err != nil {
		return table.Item{}, err
	}
	err = e.db.View(func(tx *bolt.Tx) error {
		stored := tx.Bucket(itemsBucket).Get(itemKey(key))
		if stored == nil {
			return table.ErrNotFound
		}
		it, err = decode(key, stored)
		return err
	})
	return it, err
}

// Query implements table.Engine.
func (e *Engine) Query(ctx context.Context, q table.Query) (p table.Page, err error) {
	if err := errors.Join(ctx.Err(), q.Check()); err != nil {
		return table.Page{}, err
	}
	prefix := itemKey(table.Key{PK: q.PK, SK: q.Prefix})
	var after []byte
	if q.After != "" {
		after = itemKey(table.Key{PK: q.PK, SK: q.After})
	}
	err = e.db.View(func(tx *bolt.Tx) error {
		var last []byte
		p.Items, last, err = page(span(tx.Bucket(itemsBucket), prefix, after, q.Desc), q.Limit)
		if last != nil {
			p.Cursor = p.Items[len(p.Items)-1].SK
		}
		return err
	})
	return p, err
}

// Scan implements table.Engine, in key order.
func (e *Engine) Scan(ctx context.Context, cursor string, limit int) (p table.Page, err error) {
	after, err := decodeCursor(cursor)
	if err := errors.Join(err, ctx.Err(), table.CheckLimit(limit)); err != nil {
		return table.Page{}, err
	}
	err = e.db.View(func(tx *bolt.Tx) error {
		var last []byte
		p.Items, last, err = page(span(tx.Bucket(itemsBucket), nil, after, false), limit)
		p.Cursor = base64.RawURLEncoding.EncodeToString(last)
		return err
	})
	return p, err
}

// Segment implements table.Engine, in key order.
func (e *Engine) Segment(ctx context.Context, s table.Segment, cursor string, limit int) (p table.Page, err error) {
	after, err := decodeCursor(cursor)
	if err := errors.Join(err, ctx.Err(), s.Check(), table.CheckLimit(limit)); err != nil {
		return table.Page{}, err
	}
	err = e.db.View(func(tx *bolt.Tx) error {
		var last []byte
		p.Items, last, err = page(within(s, span(tx.Bucket(itemsBucket), []byte(s.Prefix), after, false)), limit)
		p.Cursor = base64.RawURLEncoding.EncodeToString(last)
		return err
	})
	return p, err
}

// within are the rows of a segment.
func within(s table.Segment, rows iter.Seq2[[]byte, []byte]) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		for k, v := range rows {
			pk, sk, _ := strings.Cut(string(k), "\x00")
			if s.Has(table.Key{PK: pk, SK: sk}) && !yield(k, v) {
				return
			}
		}
	}
}

// DueBefore implements table.Engine.
func (e *Engine) DueBefore(ctx context.Context, shard, before, cursor string, limit int) (keys []table.Key, next string, err error) {
	after, err := decodeCursor(cursor)
	if err := errors.Join(err, ctx.Err(), table.CheckLimit(limit)); err != nil {
		return nil, "", err
	}
	err = e.db.View(func(tx *bolt.Tx) error {
		var last []byte
		for k := range span(tx.Bucket(dueBucket), join(shard, ""), after, false) {
			parts := strings.Split(string(k), "\x00") // shard, at, pk, sk
			if parts[1] > before {
				break
			}
			if len(keys) == limit {
				next = base64.RawURLEncoding.EncodeToString(last)
				break
			}
			keys, last = append(keys, table.Key{PK: parts[2], SK: parts[3]}), k
		}
		return nil
	})
	return keys, next, err
}

// Members implements table.Engine.
func (e *Engine) Members(ctx context.Context, group string, after table.Key, limit int) (keys []table.Key, more bool, err error) {
	if err := errors.Join(ctx.Err(), table.CheckLimit(limit)); err != nil {
		return nil, false, err
	}
	var from []byte
	if after != (table.Key{}) {
		from = join(group, after.PK, after.SK)
	}
	err = e.db.View(func(tx *bolt.Tx) error {
		for k := range span(tx.Bucket(membersBucket), join(group, ""), from, false) {
			if more = len(keys) == limit; more {
				break
			}
			parts := strings.Split(string(k), "\x00") // group, pk, sk
			keys = append(keys, table.Key{PK: parts[1], SK: parts[2]})
		}
		return nil
	})
	return keys, more, err
}

// Sides implements table.Engine.
func (e *Engine) Sides(ctx context.Context, keys []table.Key, visit func(k table.Key, side []byte) error) error {
	if err := errors.Join(ctx.Err(), table.CheckSides(keys)); err != nil {
		return err
	}
	return e.db.View(func(tx *bolt.Tx) error {
		for _, k := range keys {
			stored := tx.Bucket(itemsBucket).Get(itemKey(k))
			if stored == nil {
				continue
			}
			side, err := sideOf(stored)
			if err == nil {
				err = visit(k, side)
			}
			if err != nil {
				return fmt.Errorf("side of %q %q: %w", k.PK, k.SK, err)
			}
		}
		return nil
	})
}

// Changes implements table.Feed on the log; next is a decimal sequence number.
func (e *Engine) Changes(ctx context.Context, after string, limit int) (changes []table.Change, next string, err error) {
	var seq uint64
	if after != "" {
		if seq, err = strconv.ParseUint(after, 10, 64); err != nil {
			return nil, "", fmt.Errorf("table: %q is not a place in the change log", after)
		}
	}
	if err := errors.Join(ctx.Err(), table.CheckLimit(limit)); err != nil {
		return nil, "", err
	}
	err = e.db.View(func(tx *bolt.Tx) error {
		for k, v := range span(tx.Bucket(logBucket), nil, sequence(seq), false) {
			if len(changes) == limit {
				break
			}
			c, err := decodeChange(v)
			if err != nil {
				return err
			}
			changes, seq = append(changes, c), binary.BigEndian.Uint64(k)
		}
		return nil
	})
	return changes, strconv.FormatUint(seq, 10), err
}

// span ranges over the keys that begin with prefix, beyond after when it is set.
func span(b *bolt.Bucket, prefix, after []byte, desc bool) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := b.Cursor()
		var k, v []byte
		step := c.Next
		switch {
		case desc:
			step = c.Prev
			if after == nil {
				after = append(prefix[:len(prefix):len(prefix)], 0xff) // above all UTF-8
			}
			if k, _ = c.Seek(after); k == nil {
				k, v = c.Last()
			} else {
				k, v = c.Prev()
			}
		case after != nil:
			if k, v = c.Seek(after); bytes.Equal(k, after) {
				k, v = c.Next()
			}
		default:
			k, v = c.Seek(prefix)
		}
		for ; k != nil && bytes.HasPrefix(k, prefix); k, v = step() {
			if !yield(k, v) {
				return
			}
		}
	}
}

// page decodes rows up to limit or a page's bytes. last is the key of the
// last one, or nil when nothing follows it.
func page(rows iter.Seq2[[]byte, []byte], limit int) (items []table.Item, last []byte, err error) {
	size := 0
	for k, v := range rows {
		if len(items) == limit || size >= table.PageBytes {
			return items, last, nil
		}
		pk, sk, _ := strings.Cut(string(k), "\x00")
		it, err := decode(table.Key{PK: pk, SK: sk}, v)
		if err != nil {
			return nil, nil, err
		}
		items, last, size = append(items, it), k, size+len(k)+len(v)
	}
	return items, nil, nil
}

func decodeCursor(cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, fmt.Errorf("table: %q is not a cursor of this walk", cursor)
	}
	return after, nil
}
