package local

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"sync"

	"go.etcd.io/bbolt"

	"regulars/events"
	"regulars/functions/announce"
	"regulars/functions/changes"
	"regulars/shared/table"
)

// outbox is this host's bus: it reads the change feed through the announce
// function and keeps every event once, in a file, with how far it has read.
type outbox struct {
	mu       sync.Mutex // one reader at a time
	db       *bbolt.DB
	feed     table.Feed
	follow   changes.Reader // what else reads the feed
	announce announce.Handler
}

var (
	eventsBucket = []byte("events") // ordinal -> event
	idsBucket    = []byte("ids")    // event id -> nothing
	placeBucket  = []byte("place")  // "after" -> where the feed was left
)

func openOutbox(path string, feed table.Feed, follow changes.Reader) (*outbox, error) {
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return nil, err
	}
	o := &outbox{db: db, feed: feed, follow: follow}
	o.announce.Bus = o
	return o, db.Update(func(tx *bbolt.Tx) error {
		for _, b := range [][]byte{eventsBucket, idsBucket, placeBucket} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		return nil
	})
}

func (o *outbox) Close() error { return o.db.Close() }

// Put implements announce.Bus.
func (o *outbox) Put(_ context.Context, batch []events.Event) ([]bool, error) {
	taken := make([]bool, len(batch))
	err := o.db.Update(func(tx *bbolt.Tx) error {
		list, ids := tx.Bucket(eventsBucket), tx.Bucket(idsBucket)
		for i, e := range batch {
			taken[i] = true
			if ids.Get([]byte(e.ID)) != nil {
				continue
			}
			raw, err := json.Marshal(e)
			if err != nil {
				return err
			}
			n, err := list.NextSequence()
			if err != nil {
				return err
			}
			if err := list.Put(binary.BigEndian.AppendUint64(nil, n), raw); err != nil {
				return err
			}
			if err := ids.Put([]byte(e.ID), []byte{1}); err != nil {
				return err
			}
		}
		return nil
	})
	return taken, err
}

// Drain announces all changes there are, those too that reading them makes.
func (o *outbox) Drain(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		var after string
		if err := o.db.View(func(tx *bbolt.Tx) error {
			after = string(tx.Bucket(placeBucket).Get([]byte("after")))
			return nil
		}); err != nil {
			return err
		}
		told, next, err := o.feed.Changes(ctx, after, 500)
		if err != nil {
			return err
		}
		if len(told) == 0 {
			return nil
		}
		if _, err := o.follow(ctx, told); err != nil {
			return err // what it did is done again, and changes nothing
		}
		if _, err := o.announce.Announce(ctx, told); err != nil {
			return err // what was announced is announced again, under the same ids
		}
		if err := o.db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket(placeBucket).Put([]byte("after"), []byte(next))
		}); err != nil {
			return err
		}
	}
}

// List is every event, oldest first.
func (o *outbox) List() ([]json.RawMessage, error) {
	list := []json.RawMessage{}
	err := o.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(eventsBucket).ForEach(func(_, raw []byte) error {
			list = append(list, append(json.RawMessage(nil), raw...))
			return nil
		})
	})
	return list, err
}
