package loyalty

import (
	"encoding/binary"
	"errors"
)

// Lots and parts are stored packed: numbers as varints, each expiry as its
// distance from the one before. A shopper who comes every day and never
// spends has hundreds of lots, and an account costs by its bytes.

// Lots are an account's lots in the order in which they are spent.
type Lots []Lot

// MarshalBinary implements encoding.BinaryMarshaler.
func (ls Lots) MarshalBinary() ([]byte, error) {
	var b []byte
	var before int64
	for _, l := range ls {
		b = binary.AppendVarint(b, l.Expires-before)
		b = binary.AppendVarint(b, l.Active)
		b = binary.AppendVarint(b, l.Points)
		before = l.Expires
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (ls *Lots) UnmarshalBinary(b []byte) error {
	*ls = nil
	var before int64
	for len(b) > 0 {
		var l Lot
		if err := unpack(&b, &l.Expires, &l.Active, &l.Points); err != nil {
			return err
		}
		l.Expires += before
		before = l.Expires
		*ls = append(*ls, l)
	}
	return nil
}

// Parts are points of several lots.
type Parts []Part

// MarshalBinary implements encoding.BinaryMarshaler.
func (ps Parts) MarshalBinary() ([]byte, error) {
	var b []byte
	var before int64
	for _, p := range ps {
		b = binary.AppendVarint(b, p.Expires-before)
		b = binary.AppendVarint(b, p.Points)
		before = p.Expires
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (ps *Parts) UnmarshalBinary(b []byte) error {
	*ps = nil
	var before int64
	for len(b) > 0 {
		var p Part
		if err := unpack(&b, &p.Expires, &p.Points); err != nil {
			return err
		}
		p.Expires += before
		before = p.Expires
		*ps = append(*ps, p)
	}
	return nil
}

func unpack(b *[]byte, into ...*int64) error {
	for _, v := range into {
		n, size := binary.Varint(*b)
		if size <= 0 {
			return errors.New("loyalty: packed lots end too early")
		}
		*v, *b = n, (*b)[size:]
	}
	return nil
}
