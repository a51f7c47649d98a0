package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

// Files keeps what is between the steps of a run: a bucket or a directory.
// Putting again under a name replaces; nothing is read while it is written.
type Files interface {
	Put(ctx context.Context, name string, body []byte) error
	Get(ctx context.Context, name string) ([]byte, error)
	List(ctx context.Context, prefix string) ([]string, error) // all names that begin so
}

// Work is one run over a history that need not fit into memory: its orders are
// split into shards by member, the shards are played one by one or all at
// once, the parts are merged. Every step depends on its inputs alone and
// writes the same files when it is done again.
type Work struct {
	Files Files
	Of    string // begins the names of the run's files
}

// Shards is how many shards a history is split into. Millions of orders leave
// each small enough for a function of 2 GB.
const Shards = 128

// pieceBytes is how much of a split is in memory at a time.
const pieceBytes = 32 << 20

// Split writes one part of history into the shards. name tells the parts of
// history apart. It answers how many orders there were.
func (w Work) Split(ctx context.Context, name string, history iter.Seq2[Purchase, error]) (orders int64, err error) {
	var shards [Shards]bytes.Buffer
	size, piece := 0, 0
	flush := func() error {
		for i := range shards {
			if shards[i].Len() == 0 {
				continue
			}
			if err := w.Files.Put(ctx, fmt.Sprintf("%s%s-%04d", w.shard(i), name, piece), bytes.Clone(shards[i].Bytes())); err != nil {
				return err
			}
			shards[i].Reset()
		}
		size = 0
		piece++
		return nil
	}
	for p, err := range history {
		if err != nil {
			return orders, err
		}
		shard := &shards[ShardOf(p.Member, Shards)]
		before := shard.Len()
		if err := Append(shard, &p); err != nil {
			return orders, err
		}
		orders++
		if size += shard.Len() - before; size >= pieceBytes {
			if err := flush(); err != nil {
				return orders, err
			}
		}
	}
	return orders, flush()
}

func (w Work) shard(i int) string { return fmt.Sprintf("%s/shards/%04d/", w.Of, i) }
func (w Work) parts() string      { return w.Of + "/parts/" }

// Play plays the members of one shard and writes what they came to.
func (w Work) Play(ctx context.Context, q *Question, shard int) error {
	names, err := w.Files.List(ctx, w.shard(shard))
	if err != nil {
		return err
	}
	var pieces [][]byte
	for _, name := range names {
		piece, err := w.Files.Get(ctx, name)
		if err != nil {
			return err
		}
		pieces = append(pieces, piece)
	}
	p, err := q.PlayShard(pieces)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return w.Files.Put(ctx, fmt.Sprintf("%s%04d.json", w.parts(), shard), raw)
}

// Played is how many of the shards are played.
func (w Work) Played(ctx context.Context) (int, error) {
	names, err := w.Files.List(ctx, w.parts())
	return len(names), err
}

// Merge is what all members came to. It fails while a shard is missing.
func (w Work) Merge(ctx context.Context) (*Partial, error) {
	names, err := w.Files.List(ctx, w.parts())
	if err != nil {
		return nil, err
	}
	if len(names) != Shards {
		return nil, fmt.Errorf("%d of %d shards are played", len(names), Shards)
	}
	all := &Partial{}
	for _, name := range names {
		raw, err := w.Files.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		var p Partial
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, fmt.Errorf("%s does not hold what was written: %w", name, err)
		}
		all.Merge(&p)
	}
	return all, nil
}
