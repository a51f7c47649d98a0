package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	bolt "go.etcd.io/bbolt"

	"regulars/shared/table"
)

// job is one call of Write that waits for its commit.
type job struct {
	writes []table.Write
	err    error
	done   chan error
}

var errClosed = errors.New("table: the file is closed")

// Write implements table.Engine. It waits for the disk.
func (e *Engine) Write(ctx context.Context, writes ...table.Write) error {
	if err := errors.Join(ctx.Err(), table.CheckWrites(writes)); err != nil {
		return err
	}
	j := &job{writes: writes, done: make(chan error, 1)}
	select {
	case e.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.closing:
		return errClosed
	}
	return <-j.done // milliseconds away, and then the outcome is known
}

// commitAll is the one writer of the file. Whatever came in while the disk
// was busy shares the next commit: a lone writer never waits for company, and
// many of them share the cost of a sync.
func (e *Engine) commitAll() {
	defer close(e.closed)
	for {
		select {
		case j := <-e.queue:
			e.commit(e.waiting(j))
		case <-e.closing:
			return
		}
	}
}

func (e *Engine) waiting(first *job) []*job {
	jobs := []*job{first}
	for len(jobs) < 256 {
		select {
		case j := <-e.queue:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

func (e *Engine) commit(jobs []*job) {
	err := e.db.Update(func(tx *bolt.Tx) error {
		b := buckets{tx.Bucket(itemsBucket), tx.Bucket(dueBucket), tx.Bucket(membersBucket), tx.Bucket(logBucket)}
		b.log.FillPercent = 1 // only ever appended to
		for _, j := range jobs {
			// A conflict is found before anything of its job is written, so it
			// does not touch the others.
			switch j.err = b.check(j.writes); {
			case errors.Is(j.err, table.ErrConflict):
			case j.err != nil:
				return j.err
			default:
				if err := b.apply(j.writes); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, j := range jobs {
		if err != nil {
			j.err = fmt.Errorf("commit: %w", err)
		}
		j.done <- j.err
	}
}

type buckets struct{ items, due, members, log *bolt.Bucket }

func (b buckets) check(writes []table.Write) error {
	for _, w := range writes {
		var stored table.Item
		if s := b.items.Get(itemKey(w.Item.Key)); s != nil {
			var err error
			if stored, err = decode(w.Item.Key, s); err != nil {
				return err
			}
		}
		want := w.Item.Version - 1 // 0: absent, as the zero Item's
		if w.Delete {
			want = w.Item.Version
		}
		if stored.Version != want {
			return fmt.Errorf("write %q %q: version %d, expected %d: %w",
				w.Item.PK, w.Item.SK, stored.Version, want, table.ErrConflict)
		}
	}
	return nil
}

func (b buckets) apply(writes []table.Write) error {
	for _, w := range writes {
		if err := b.put(w); err != nil {
			return err
		}
	}
	return nil
}

// put stores one write in all buckets.
func (b buckets) put(w table.Write) error {
	key := itemKey(w.Item.Key)
	change := entry{PK: w.Item.PK, SK: w.Item.SK, Old: b.items.Get(key)}
	if change.Old != nil {
		old, err := decode(w.Item.Key, change.Old)
		if err != nil {
			return err
		}
		if old.Due != (table.Due{}) {
			if err := b.due.Delete(dueKey(old)); err != nil {
				return err
			}
		}
		if old.Group != "" && (w.Delete || old.Group != w.Item.Group) {
			if err := b.members.Delete(join(old.Group, old.PK, old.SK)); err != nil {
				return err
			}
		}
	}
	var err error
	if !w.Delete {
		if change.New, err = encode(w.Item); err != nil {
			return err
		}
	}
	// Encoded before the item changes: Old points into the page it is on.
	line, err := cbor.Marshal(change)
	if err != nil {
		return err
	}
	seq, err := b.log.NextSequence()
	if err != nil {
		return err
	}
	if err := b.log.Put(sequence(seq), line); err != nil {
		return err
	}
	if w.Delete {
		return b.items.Delete(key)
	}
	if w.Item.Group != "" {
		if err := b.members.Put(join(w.Item.Group, w.Item.PK, w.Item.SK), nil); err != nil {
			return err
		}
	}
	if w.Item.Due != (table.Due{}) {
		if err := b.due.Put(dueKey(w.Item), nil); err != nil {
			return err
		}
	}
	return b.items.Put(key, change.New)
}
