package table

import (
	"context"
	"errors"
	"slices"
	"strings"

	"regulars/shared/loyalty"
)

// SegmentRun is a refresh of the segments of all members.
type SegmentRun struct {
	ID     string `cbor:"1,keyasint"`
	At     int64  `cbor:"2,keyasint"` // the instant that it is of, unix seconds
	Stage  Stage  `cbor:"3,keyasint"`
	Reason string `cbor:"4,keyasint,omitempty"` // why it failed
	Ended  int64  `cbor:"5,keyasint,omitempty"` // unix seconds
	Result []byte `cbor:"6,keyasint,omitempty"` // JSON, see package refresh
}

// Cuts are what the newest finished run judges members by.
type Cuts struct {
	Run  string `cbor:"1,keyasint"` // id
	At   int64  `cbor:"2,keyasint"` // unix seconds
	JSON []byte `cbor:"3,keyasint"` // see package refresh
}

// defined is a segment that the program defines itself.
type defined struct {
	JSON []byte `cbor:"1,keyasint"` // see package refresh
}

func runsPK(program string) string           { return program + "#SEGMENT#RUNS" }
func runKey(program, id string) Key          { return Key{runsPK(program), "RUN#" + id} }
func segmentPK(program string) string        { return program + "#SEGMENT" }
func cutsKey(program string) Key             { return Key{segmentPK(program), "CURRENT"} }
func newestKey(program string) Key           { return Key{segmentPK(program), "NEWEST"} }
func definedKey(program, segment string) Key { return Key{segmentPK(program), "DEFINED#" + segment} }

// SegmentRun reads a run by its id without prefix. Missing when there is none.
func (tx *Tx) SegmentRun(id string) (*SegmentRun, error) {
	r, err := get[SegmentRun](tx, runKey(tx.program, id))
	if r == nil && err == nil {
		err = loyalty.NotFound("segment run")
	}
	return r, err
}

// PutSegmentRun writes a run that was read in this transaction.
func (tx *Tx) PutSegmentRun(r *SegmentRun) { tx.put(runKey(tx.program, r.ID), encode(r)) }

// BeginSegmentRun writes a new run. It is the newest from now on: whatever
// began before it decides nothing any more.
func (tx *Tx) BeginSegmentRun(r *SegmentRun) error {
	if _, err := tx.NewestSegmentRun(); err != nil {
		return err
	}
	tx.put(newestKey(tx.program), encode(r.ID))
	tx.PutSegmentRun(r)
	return nil
}

// NewestSegmentRun is the id of the run that began last, "" before there is one.
func (tx *Tx) NewestSegmentRun() (string, error) {
	id, err := fresh[string](tx, newestKey(tx.program))
	if id == nil {
		return "", err
	}
	return *id, err
}

// SegmentRuns lists runs, newest first, from after an id on ("": the newest).
// The last answer is the id to go on after, "" at the end.
func (tx *Tx) SegmentRuns(after string, limit int) ([]*SegmentRun, string, error) {
	if after != "" {
		after = "RUN#" + after
	}
	page, err := tx.store.Engine.Query(tx.ctx, Query{PK: runsPK(tx.program), Prefix: "RUN#", After: after, Desc: true, Limit: limit, Consistent: true})
	if err != nil {
		return nil, "", err
	}
	out := make([]*SegmentRun, 0, len(page.Items))
	for _, it := range page.Items {
		r, err := Decode[SegmentRun](it)
		if err != nil {
			return nil, "", err
		}
		out = append(out, r)
	}
	return out, strings.TrimPrefix(page.Cursor, "RUN#"), nil
}

// Cuts reads what the newest finished run judges by; nil before there is one.
func (tx *Tx) Cuts() (*Cuts, error) { return get[Cuts](tx, cutsKey(tx.program)) }

// PutCuts writes it, in the place of an older run's that was read in this transaction.
func (tx *Tx) PutCuts(c *Cuts) { tx.put(cutsKey(tx.program), encode(c)) }

// DefinedSegments are the segments that the program defines itself, as JSON by
// their ids' order.
func (tx *Tx) DefinedSegments() ([][]byte, error) {
	var out [][]byte
	for after := ""; ; {
		page, err := tx.store.Engine.Query(tx.ctx, Query{PK: segmentPK(tx.program), Prefix: "DEFINED#", After: after, Limit: 100, Consistent: true})
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			d, err := Decode[defined](it)
			if err != nil {
				return nil, err
			}
			out = append(out, d.JSON)
		}
		if after = page.Cursor; after == "" {
			return out, nil
		}
	}
}

// DefinedSegment reads one of them; nil when there is none.
func (tx *Tx) DefinedSegment(id string) ([]byte, error) {
	d, err := get[defined](tx, definedKey(tx.program, id))
	if d == nil {
		return nil, err
	}
	return d.JSON, err
}

// PutDefinedSegment writes one that was read in this transaction.
func (tx *Tx) PutDefinedSegment(id string, json []byte) {
	tx.put(definedKey(tx.program, id), encode(&defined{JSON: json}))
}

// Sides calls visit with every member of a group: the id, the side of the
// account, and the attributes where they are asked for, which costs as much
// as the sides once more. They may be a little old. What visit is given but
// the id may not be kept.
func (s *Store) Sides(ctx context.Context, program string, group int, attributes bool, visit func(member string, side []byte, attributes map[string]string) error) error {
	for after := (Key{}); ; {
		keys, more, err := s.Engine.Members(ctx, MemberGroup(program, group), after, MaxPage)
		if err != nil {
			return err
		}
		if err := s.sidesOf(ctx, program, keys, attributes, visit); err != nil {
			return err
		}
		if !more {
			return nil
		}
		after = keys[len(keys)-1]
	}
}

// SidesAfter is Sides of a part of a group, without attributes: at most so many
// members after one of them, "" for from the first on. The answer is the member
// to go on after, "" at the end.
func (s *Store) SidesAfter(ctx context.Context, program string, group int, member string, limit int, visit func(member string, side []byte) error) (string, error) {
	var after Key
	if member != "" {
		after = accountKey(program, member)
	}
	keys, more, err := s.Engine.Members(ctx, MemberGroup(program, group), after, limit)
	if err != nil {
		return "", err
	}
	last := ""
	if more {
		last = keys[len(keys)-1].PK[len(memberPK(program, "")):]
	}
	return last, s.sidesOf(ctx, program, keys, false, func(member string, side []byte, _ map[string]string) error { return visit(member, side) })
}

func (s *Store) sidesOf(ctx context.Context, program string, keys []Key, attributes bool, visit func(member string, side []byte, attributes map[string]string) error) error {
	before := len(memberPK(program, ""))
	if !attributes {
		for part := range slices.Chunk(keys, MaxSides) {
			if err := s.Engine.Sides(ctx, part, func(k Key, side []byte) error { return visit(k.PK[before:], side, nil) }); err != nil {
				return err
			}
		}
		return nil
	}
	sides := make(map[string][]byte, len(keys)) // profiles are read when no walk is under way
	if err := s.sidesOf(ctx, program, keys, false, func(member string, side []byte, _ map[string]string) error {
		sides[member] = slices.Clone(side)
		return nil
	}); err != nil {
		return err
	}
	for _, k := range keys {
		member := k.PK[before:]
		side, there := sides[member]
		if !there {
			continue
		}
		var p Profile
		switch it, err := s.Engine.Get(ctx, profileKey(program, member), false); {
		case errors.Is(err, ErrNotFound): // then there are none
		case err != nil:
			return err
		default:
			read, err := Decode[Profile](it)
			if err != nil {
				return err
			}
			p = *read
		}
		if err := visit(member, side, p.Attributes); err != nil {
			return err
		}
	}
	return nil
}
