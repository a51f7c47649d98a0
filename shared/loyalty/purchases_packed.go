package loyalty

import "encoding/binary"

// Purchases are packed as lots are. Most days have one order and most months
// as many orders as days with a purchase: then neither number is written.

// MarshalBinary implements encoding.BinaryMarshaler.
func (s Spans) MarshalBinary() ([]byte, error) { return s.pack(nil), nil }

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (s *Spans) UnmarshalBinary(b []byte) error {
	*s = nil
	var before int64
	for len(b) > 0 {
		var head int64
		if err := unpackCounts(&b, &head); err != nil {
			return err
		}
		x := Span{Number: before + int64(uint64(head)>>2), Days: 1}
		if head&1 != 0 {
			if err := unpackCounts(&b, &x.Days); err != nil {
				return err
			}
		}
		x.Orders = x.Days
		if head&2 != 0 {
			if err := unpackCounts(&b, &x.Orders); err != nil {
				return err
			}
		}
		if err := unpackCounts(&b, &x.Spent); err != nil {
			return err
		}
		before = x.Number
		*s = append(*s, x)
	}
	return nil
}

func (s Spans) pack(b []byte) []byte {
	var before int64
	for _, x := range s {
		head := uint64(x.Number-before) << 2
		if x.Days != 1 {
			head |= 1
		}
		if x.Orders != x.Days {
			head |= 2
		}
		b = binary.AppendUvarint(b, head)
		if x.Days != 1 {
			b = binary.AppendUvarint(b, uint64(x.Days))
		}
		if x.Orders != x.Days {
			b = binary.AppendUvarint(b, uint64(x.Orders))
		}
		b = binary.AppendUvarint(b, uint64(x.Spent))
		before = x.Number
	}
	return b
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (p Purchases) MarshalBinary() ([]byte, error) {
	var b []byte
	part := func(s Spans) {
		packed := s.pack(nil)
		b = append(binary.AppendUvarint(b, uint64(len(packed))), packed...)
	}
	b = binary.AppendUvarint(b, uint64(p.Spent))
	b = binary.AppendUvarint(b, uint64(p.Away))
	if p.Away > 0 {
		part(Spans{p.Oldest})
		b = binary.AppendUvarint(b, uint64(p.Next))
		b = binary.AppendUvarint(b, uint64(p.From))
		part(p.Months)
	}
	part(p.Newest)
	b = binary.AppendUvarint(b, uint64(p.Elsewhere))
	for _, v := range p.Stores {
		b = append(binary.AppendUvarint(b, uint64(len(v.Store))), v.Store...)
		b = binary.AppendUvarint(b, uint64(v.Orders))
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (p *Purchases) UnmarshalBinary(b []byte) error {
	*p = Purchases{}
	if err := unpackCounts(&b, &p.Spent, &p.Away); err != nil {
		return err
	}
	if p.Away > 0 {
		var oldest Spans
		if err := unpackSpans(&b, &oldest); err != nil {
			return err
		}
		if len(oldest) != 1 {
			return errEarly
		}
		p.Oldest = oldest[0]
		if err := unpackCounts(&b, &p.Next, &p.From); err != nil {
			return err
		}
		if err := unpackSpans(&b, &p.Months); err != nil {
			return err
		}
	}
	if err := unpackSpans(&b, &p.Newest); err != nil {
		return err
	}
	if err := unpackCounts(&b, &p.Elsewhere); err != nil {
		return err
	}
	for len(b) > 0 {
		store, err := unpackPart(&b)
		if err != nil {
			return err
		}
		v := Visits{Store: string(store)}
		if err := unpackCounts(&b, &v.Orders); err != nil {
			return err
		}
		p.Stores = append(p.Stores, v)
	}
	return nil
}

func unpackSpans(b *[]byte, into *Spans) error {
	part, err := unpackPart(b)
	if err != nil {
		return err
	}
	return into.UnmarshalBinary(part)
}

// unpackPart reads what stands behind its length.
func unpackPart(b *[]byte) ([]byte, error) {
	n, size := binary.Uvarint(*b)
	if size <= 0 || n > uint64(len(*b)-size) {
		return nil, errEarly
	}
	part := (*b)[size:][:n]
	*b = (*b)[size:][n:]
	return part, nil
}

// unpackCounts is unpack for numbers that are never below zero.
func unpackCounts(b *[]byte, into ...*int64) error {
	for _, v := range into {
		n, size := binary.Uvarint(*b)
		if size <= 0 {
			return errEarly
		}
		*v, *b = int64(n), (*b)[size:]
	}
	return nil
}
