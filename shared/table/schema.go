package table

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"unicode/utf8"
)

// The table as data: the CDK app and dynamo.CreateTable make the same one.
const (
	AttrPK       = "pk" // S, partition key
	AttrSK       = "sk" // S, sort key
	AttrVersion  = "v"  // N
	AttrBody     = "b"  // B; absent when empty
	AttrSide     = "s"  // B; absent when empty
	AttrGroup    = "m"  // S, partition key of the index of members; absent: not in it
	AttrDueShard = "d"  // S, partition key of the due index; absent: not in the index
	AttrDueAt    = "t"  // S, sort key of the due index
	AttrExpires  = "x"  // N, unix seconds; the TTL attribute
	AttrWriter   = "w"  // B, random: which call wrote the item, see package dynamo

	DueIndex     = "due"                // over AttrDueShard and AttrDueAt
	MembersIndex = "members"            // over AttrGroup; a sort key would bound the table's keys
	Projection   = "KEYS_ONLY"          // of both: a body that changes must not cost an index a write
	StreamView   = "NEW_AND_OLD_IMAGES" // of the change stream
)

// The limits that every engine keeps, because DynamoDB does.
const (
	MaxPK     = 2048      // bytes
	MaxSK     = 1024      // bytes
	MaxItem   = 400 << 10 // bytes, names and values
	MaxWrites = 100       // in one call
	MaxTotal  = 4 << 20   // bytes in one call
	MaxPage   = 1000      // items asked for at once
	MaxSides  = 100       // read in one call
	PageBytes = 1 << 20   // a walk's page ends once it holds this much, full or not

	itemOverhead = 96 // bytes: attribute names, the numbers, the writer
)

// CheckWrites is how engines refuse what DynamoDB would, before anything is
// written. Keys are UTF-8 without NUL, which engines use to join them.
func CheckWrites(writes []Write) error {
	if len(writes) == 0 || len(writes) > MaxWrites {
		return fmt.Errorf("table: %d writes in one call, must be 1 to %d", len(writes), MaxWrites)
	}
	seen := make(map[Key]bool, len(writes))
	total := 0
	for _, w := range writes {
		it := w.Item
		if err := it.Key.Check(); err != nil {
			return err
		}
		if seen[it.Key] {
			return fmt.Errorf("table: two writes to %q %q in one call", it.PK, it.SK)
		}
		seen[it.Key] = true
		if it.Version < 1 {
			return fmt.Errorf("table: version %d of %q %q, must be 1 or more", it.Version, it.PK, it.SK)
		}
		if w.Delete {
			continue
		}
		if it.Due != (Due{}) {
			if err := check("due shard", it.Due.Shard, MaxPK); err != nil {
				return err
			}
			if err := check("due time", it.Due.At, MaxSK); err != nil {
				return err
			}
		}
		if it.Group != "" {
			if err := check("group", it.Group, MaxPK); err != nil {
				return err
			}
		}
		size := len(it.PK) + len(it.SK) + len(it.Body) + len(it.Side) + len(it.Group) + len(it.Due.Shard) + len(it.Due.At) + itemOverhead
		if size > MaxItem {
			return fmt.Errorf("table: item %q %q of %d bytes, may have %d", it.PK, it.SK, size, MaxItem)
		}
		total += size
	}
	if total > MaxTotal {
		return fmt.Errorf("table: %d bytes in one call, may have %d", total, MaxTotal)
	}
	return nil
}

// Check tells why k cannot be a key.
func (k Key) Check() error {
	return errors.Join(check("partition key", k.PK, MaxPK), check("sort key", k.SK, MaxSK))
}

// Check tells why q cannot be asked. After outside Prefix is no place to
// continue from.
func (q Query) Check() error {
	if q.After != "" && !strings.HasPrefix(q.After, q.Prefix) {
		return fmt.Errorf("table: query after %q, outside of prefix %q", q.After, q.Prefix)
	}
	return errors.Join(check("partition key", q.PK, MaxPK), CheckLimit(q.Limit))
}

// MaxSegments is how many segments a walk may have.
const MaxSegments = 1000

// Check tells why s cannot be walked.
func (s Segment) Check() error {
	if s.Of < 1 || s.Of > MaxSegments || s.N < 0 || s.N >= s.Of {
		return fmt.Errorf("table: segment %d of %d, must be 0 and more of 1 to %d", s.N, s.Of, MaxSegments)
	}
	return errors.Join(check("prefix of the partition key", s.Prefix, MaxPK), check("sort key", s.SK, MaxSK))
}

// Has tells whether an item is in the segment, for engines that have no
// segments of their own.
func (s Segment) Has(k Key) bool {
	if k.SK != s.SK || !strings.HasPrefix(k.PK, s.Prefix) {
		return false
	}
	h := fnv.New32a()
	h.Write([]byte(k.PK))
	return int(h.Sum32()%uint32(s.Of)) == s.N
}

// CheckSides tells why the sides of keys cannot be read at once.
func CheckSides(keys []Key) error {
	if len(keys) > MaxSides {
		return fmt.Errorf("table: sides of %d items, may be %d at once", len(keys), MaxSides)
	}
	for _, k := range keys {
		if err := k.Check(); err != nil {
			return err
		}
	}
	return nil
}

// CheckLimit tells why n items cannot be asked for.
func CheckLimit(n int) error {
	if n < 1 || n > MaxPage {
		return fmt.Errorf("table: limit %d, must be 1 to %d", n, MaxPage)
	}
	return nil
}

func check(what, s string, most int) error {
	switch {
	case s == "" || len(s) > most:
		return fmt.Errorf("table: %s of %d bytes, must have 1 to %d", what, len(s), most)
	case !utf8.ValidString(s) || strings.Contains(s, "\x00"):
		return fmt.Errorf("table: %s %q is not UTF-8 without NUL", what, s)
	}
	return nil
}
