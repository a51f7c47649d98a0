package loyalty

import (
	"encoding/binary"
	"errors"
)

// Lots, parts, tallies and months are stored packed: numbers as varints, each
// instant as its distance from the one before, of one name in a row only the
// first. A shopper who comes every day and never spends has hundreds of lots,
// and an account costs by its bytes.
//
// Points mostly die when a day ends, which is on a quarter of an hour in every
// time zone. Where all expiries of a list are, they are counted in quarters.

// What leads a list of lots or parts.
const (
	inQuarters = 1 << iota // expiries are counted in quarters of an hour, not in seconds
	withActive             // some are pending
)

// unit is what expiries are counted in, in seconds.
func unit(quarters bool) int64 {
	if quarters {
		return 15 * 60
	}
	return 1
}

func onQuarter(from, to int64) bool { return (to-from)%unit(true) == 0 }

// Lots are an account's lots in the order in which they are spent.
type Lots []Lot

// MarshalBinary implements encoding.BinaryMarshaler.
func (ls Lots) MarshalBinary() ([]byte, error) {
	if len(ls) == 0 {
		return nil, nil
	}
	lead := byte(inQuarters)
	var before int64
	for _, l := range ls {
		if !onQuarter(before, l.Expires) {
			lead &^= inQuarters
		}
		if l.Active != 0 {
			lead |= withActive
		}
		before = l.Expires
	}
	b := []byte{lead}
	before = 0
	for _, l := range ls {
		b = binary.AppendVarint(b, (l.Expires-before)/unit(lead&inQuarters != 0))
		if lead&withActive != 0 {
			b = binary.AppendVarint(b, l.Active)
		}
		b = binary.AppendVarint(b, l.Points)
		before = l.Expires
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (ls *Lots) UnmarshalBinary(b []byte) error {
	*ls = nil
	if len(b) == 0 {
		return nil
	}
	lead, b := b[0], b[1:]
	var before int64
	for len(b) > 0 {
		var l Lot
		fields := []*int64{&l.Expires, &l.Active, &l.Points}
		if lead&withActive == 0 {
			fields = []*int64{&l.Expires, &l.Points}
		}
		if err := unpack(&b, fields...); err != nil {
			return err
		}
		l.Expires = l.Expires*unit(lead&inQuarters != 0) + before
		before = l.Expires
		*ls = append(*ls, l)
	}
	return nil
}

// Parts are points of several lots.
type Parts []Part

// MarshalBinary implements encoding.BinaryMarshaler.
func (ps Parts) MarshalBinary() ([]byte, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	quarters := ps.onQuarters(0)
	b := []byte{0}
	if quarters {
		b[0] = inQuarters
	}
	var before int64
	for _, p := range ps {
		b = binary.AppendVarint(b, (p.Expires-before)/unit(quarters))
		b = binary.AppendVarint(b, p.Points)
		before = p.Expires
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (ps *Parts) UnmarshalBinary(b []byte) error {
	*ps = nil
	if len(b) == 0 {
		return nil
	}
	lead, b := b[0], b[1:]
	var before int64
	for len(b) > 0 {
		var p Part
		if err := unpack(&b, &p.Expires, &p.Points); err != nil {
			return err
		}
		p.Expires = p.Expires*unit(lead&inQuarters != 0) + before
		before = p.Expires
		*ps = append(*ps, p)
	}
	return nil
}

// onQuarters tells whether each part dies whole quarters of an hour from the
// one before, the first from an instant.
func (ps Parts) onQuarters(from int64) bool {
	for _, p := range ps {
		if !onQuarter(from, p.Expires) {
			return false
		}
		from = p.Expires
	}
	return true
}

// Tallies are an account's tallies, or what an order added to them.
type Tallies []Tally

// MarshalBinary implements encoding.BinaryMarshaler.
func (ts Tallies) MarshalBinary() ([]byte, error) {
	var b []byte
	var before Tally
	for i, t := range ts {
		if i > 0 && t.ID == before.ID {
			b = binary.AppendUvarint(b, 0)
		} else {
			b = append(binary.AppendUvarint(b, uint64(len(t.ID))+1), t.ID...)
		}
		b = binary.AppendVarint(b, t.Period-before.Period)
		b = binary.AppendVarint(b, t.N)
		b = binary.AppendVarint(b, t.Points)
		before = t
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (ts *Tallies) UnmarshalBinary(b []byte) error {
	*ts = nil
	var before Tally
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if b = b[max(0, size):]; size <= 0 || n > uint64(len(b))+1 || n == 0 && len(*ts) == 0 {
			return errEarly
		}
		t := Tally{ID: before.ID}
		if n > 0 {
			t.ID, b = string(b[:n-1]), b[n-1:]
		}
		if err := unpack(&b, &t.Period, &t.N, &t.Points); err != nil {
			return err
		}
		t.Period += before.Period
		before = t
		*ts = append(*ts, t)
	}
	return nil
}

// Months are what qualifies by month, oldest first.
type Months []Month

// MarshalBinary implements encoding.BinaryMarshaler.
func (ms Months) MarshalBinary() ([]byte, error) {
	var b []byte
	var before int64
	for _, m := range ms {
		b = binary.AppendVarint(b, m.Number-before)
		b = binary.AppendVarint(b, m.Points)
		before = m.Number
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (ms *Months) UnmarshalBinary(b []byte) error {
	*ms = nil
	var before int64
	for len(b) > 0 {
		var m Month
		if err := unpack(&b, &m.Number, &m.Points); err != nil {
			return err
		}
		m.Number += before
		before = m.Number
		*ms = append(*ms, m)
	}
	return nil
}

var errEarly = errors.New("loyalty: what is packed ends too early")

func unpack(b *[]byte, into ...*int64) error {
	for _, v := range into {
		n, size := binary.Varint(*b)
		if size <= 0 {
			return errEarly
		}
		*v, *b = n, (*b)[size:]
	}
	return nil
}
