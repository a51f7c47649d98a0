package simulation

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"regulars/shared/loyalty"
	"regulars/shared/storefront"
)

// Purchase is one order of history and who bought.
type Purchase struct {
	Member string        `cbor:"1,keyasint"`
	Order  loyalty.Order `cbor:"2,keyasint"`
}

// ParseLine reads a line of a history file: the body of POST /v1/orders, as
// strictly as the API. The second answer is false for what earns nothing in
// production either: an order of nobody, or without any time.
//
// Who bought is the member that is named, else the customer's external id
// within the source, else the e-mail, else the phone. Addresses of people are
// not shown in reports: their members go by a digest.
func ParseLine(line []byte) (Purchase, bool, error) {
	o, err := storefront.ParseOrder(line)
	if err != nil {
		return Purchase{}, false, err
	}
	p := Purchase{Member: who(&o), Order: o}
	p.Order.Member, p.Order.Customer = "", nil
	return p, p.Member != "" && !(o.PaidAt.IsZero() && o.PlacedAt.IsZero() && o.FulfilledAt.IsZero()), nil
}

// Lines reads a history file, or a part of one that begins with line number
// from, and leaves out what earns nothing. The error names the line.
func Lines(part []byte, from int) iter.Seq2[Purchase, error] {
	return func(yield func(Purchase, error) bool) {
		n := from
		for line := range bytes.Lines(part) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				p, counts, err := ParseLine(line)
				if err != nil {
					yield(Purchase{}, fmt.Errorf("line %d of the history: %w", n, err))
					return
				}
				if counts && !yield(p, nil) {
					return
				}
			}
			n++
		}
	}
}

func who(o *loyalty.Order) string {
	c := o.Customer
	switch {
	case o.Member != "":
		return o.Member
	case c.Anonymous():
		return ""
	case c.ExternalID != "":
		return o.Source + "/" + c.ExternalID
	case c.Email != "":
		return digest("email", c.Email)
	}
	return digest("phone", c.Phone)
}

func digest(kind, address string) string {
	sum := sha256.Sum256([]byte(kind + "/" + address))
	return kind + "_" + hex.EncodeToString(sum[:8])
}

// Told is history as a table keeps it: the records of orders that have a
// member and ever counted, of these members only where any are named.
func Told(records iter.Seq2[*loyalty.Record, error], members []string) iter.Seq2[Purchase, error] {
	return func(yield func(Purchase, error) bool) {
		for rec, err := range records {
			if err != nil {
				yield(Purchase{}, err)
				return
			}
			p := Purchase{Member: "mem_" + rec.Member, Order: rec.Order}
			if rec.Member == "" || rec.At == 0 || len(members) > 0 && !slices.Contains(members, p.Member) {
				continue
			}
			if at := time.Unix(rec.At, 0); p.Order.PaidAt.After(at) {
				p.Order.PaidAt = at // told as paid in the future, it counted when it came
			}
			if p.Order.PaidAt.IsZero() && p.Order.PlacedAt.IsZero() && p.Order.FulfilledAt.IsZero() {
				p.Order.PlacedAt = time.Unix(rec.At, 0) // it counted from when it came
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

// ShardOf is where a member's orders belong, of n shards.
func ShardOf(member string, n int) int {
	h := fnv.New32a()
	io.WriteString(h, member)
	return int(h.Sum32() % uint32(n))
}

// Shards are a CBOR sequence (RFC 8742) of purchases.
var (
	encoder = must(cbor.EncOptions{Time: cbor.TimeUnix}.EncMode())
	decoder = must(cbor.DecOptions{MaxArrayElements: 1 << 20}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Append writes a purchase behind those of a shard.
func Append(shard *bytes.Buffer, p *Purchase) error { return encoder.NewEncoder(shard).Encode(p) }

// Purchases reads a shard.
func Purchases(shard []byte) iter.Seq2[*Purchase, error] {
	return func(yield func(*Purchase, error) bool) {
		for d := decoder.NewDecoder(bytes.NewReader(shard)); ; {
			p := &Purchase{}
			err := d.Decode(p)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				err = fmt.Errorf("a shard of history does not hold what was written: %w", err)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// PlayShard plays all members of a shard, which may lie in several pieces.
func (q *Question) PlayShard(pieces [][]byte) (*Partial, error) {
	members := map[string][]loyalty.Order{}
	for _, piece := range pieces {
		for p, err := range Purchases(piece) {
			if err != nil {
				return nil, err
			}
			members[p.Member] = append(members[p.Member], p.Order)
		}
	}
	out := &Partial{}
	for member, orders := range members {
		q.Play(member, orders, out)
	}
	return out, nil
}
