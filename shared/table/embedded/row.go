package embedded

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"regulars/shared/table"
)

// row is a stored item without its key.
type row struct {
	_         struct{} `cbor:",toarray"`
	Version   int64
	Body      []byte
	Shard, At string
	Expires   int64
	Side      []byte
	Group     string
}

// entry is one change in the log; Old and New are rows, empty when absent.
type entry struct {
	_        struct{} `cbor:",toarray"`
	PK, SK   string
	Old, New []byte
}

func encode(it table.Item) ([]byte, error) {
	return cbor.Marshal(row{
		Version: it.Version, Body: it.Body,
		Shard: it.Due.Shard, At: it.Due.At, Expires: it.Expires, Side: it.Side, Group: it.Group,
	})
}

func decode(key table.Key, stored []byte) (table.Item, error) {
	var r row
	if err := cbor.Unmarshal(stored, &r); err != nil {
		return table.Item{}, fmt.Errorf("stored item %q %q: %w", key.PK, key.SK, err)
	}
	return table.Item{
		Key: key, Version: r.Version, Body: r.Body,
		Side: r.Side, Group: r.Group, Due: table.Due{Shard: r.Shard, At: r.At}, Expires: r.Expires,
	}, nil
}

// sideOf is the side in a stored item, without decoding the rest.
func sideOf(stored []byte) ([]byte, error) {
	it, err := decode(table.Key{}, stored)
	return it.Side, err
}

func decodeChange(stored []byte) (table.Change, error) {
	var e entry
	if err := cbor.Unmarshal(stored, &e); err != nil {
		return table.Change{}, fmt.Errorf("change log: %w", err)
	}
	c := table.Change{Key: table.Key{PK: e.PK, SK: e.SK}}
	var err error
	if len(e.Old) > 0 {
		if c.Old, err = decode(c.Key, e.Old); err != nil {
			return table.Change{}, err
		}
	}
	if len(e.New) > 0 {
		c.New, err = decode(c.Key, e.New)
	}
	return c, err
}

// join builds a stored key. No part has a NUL, so parts cannot run into each
// other and keys sort as their parts do.
func join(parts ...string) []byte { return []byte(strings.Join(parts, "\x00")) }

func itemKey(k table.Key) []byte { return join(k.PK, k.SK) }

func dueKey(it table.Item) []byte { return join(it.Due.Shard, it.Due.At, it.PK, it.SK) }

func sequence(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
