package loyalty

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Glance is a Summary that is read many times into the same memory: what a
// walk over all members looks at. It says what ReadSummary says, but has no
// strings: what it holds of a side is good until the next Read.
type Glance struct {
	Merged    bool
	Born      int64
	Orders    int64
	Friends   int64
	Segmented int64
	Seq       int64
	Balance   int64
	Other     []byte   // the advocate; of one who was merged, into whom
	Shipped   uint32   // segments with a place: bit n is the nth, see SegmentBit
	Named     [][]byte // all other segments, by name

	Spent  int64
	Away   int64
	Oldest Span
	Next   int64
	From   int64
	Months Spans
	Newest Spans
	Stores int64 // how many different ones are known

	oldest Spans
}

// SegmentBit is the bit of a shipped segment in Glance.Shipped; 0 of any other.
func SegmentBit(name string) uint32 {
	if i := slices.Index(shipped, name); i >= 0 {
		return 1 << i
	}
	return 0
}

// SegmentNames of bits, in the order in which an account keeps them.
func SegmentNames(shippedBits uint32) []string {
	var names []string
	shippedBits &= 1<<len(shipped) - 1
	for ; shippedBits != 0; shippedBits &= shippedBits - 1 {
		names = append(names, shipped[bits.TrailingZeros32(shippedBits)])
	}
	return names
}

// Days is on how many days the member bought something.
func (g *Glance) Days() int64 { return g.Away + int64(len(g.Newest)) }

// Read takes a side. It allocates only what the longest lists so far did not need.
func (g *Glance) Read(b []byte) error {
	*g = Glance{Named: g.Named[:0], Months: g.Months[:0], Newest: g.Newest[:0], oldest: g.oldest[:0]}
	if len(b) == 0 {
		return nil
	}
	if len(b) < 2 || b[0] != 1 {
		return errSummary
	}
	g.Merged, g.Born = b[1]&1 != 0, int64(b[1]>>1)
	r := packed{b: b[2:]}
	g.Orders, g.Friends, g.Segmented, g.Seq = r.count(), r.count(), r.count(), r.count()
	g.Balance = r.number()
	g.Other = r.text(int64(r.byte()))
	for range r.byte() {
		switch place := r.byte(); {
		case int(place) < len(shipped):
			g.Shipped |= 1 << place
		case place == named:
			g.Named = append(g.Named, r.text(int64(r.byte())))
		default:
			return errSummary
		}
	}
	if g.purchases(&r); r.short {
		return errSummary
	}
	return nil
}

func (g *Glance) purchases(r *packed) {
	g.Spent, g.Away = r.count(), r.count()
	if g.Away > 0 {
		if g.oldest = r.spans(g.oldest); len(g.oldest) != 1 {
			r.short = true
			return
		}
		g.Oldest, g.Next, g.From = g.oldest[0], r.count(), r.count()
		g.Months = r.spans(g.Months)
	}
	g.Newest = r.spans(g.Newest)
	if r.count() > 0 { // orders elsewhere
		g.Stores++
	}
	for len(r.b) > 0 && !r.short {
		r.text(r.count())
		r.count()
		g.Stores++
	}
}

// packed is what is still to be read. Once it was too short it stays so, and
// everything read from it is nothing.
type packed struct {
	b     []byte
	short bool
}

func (p *packed) byte() byte {
	if len(p.b) == 0 {
		p.short = true
		return 0
	}
	c := p.b[0]
	p.b = p.b[1:]
	return c
}

func (p *packed) count() int64 {
	if len(p.b) > 0 && p.b[0] < 0x80 { // most are small
		c := p.b[0]
		p.b = p.b[1:]
		return int64(c)
	}
	n, size := binary.Uvarint(p.b)
	if size <= 0 {
		p.short, p.b = true, nil
		return 0
	}
	p.b = p.b[size:]
	return int64(n)
}

func (p *packed) number() int64 {
	n, size := binary.Varint(p.b)
	if size <= 0 {
		p.short, p.b = true, nil
		return 0
	}
	p.b = p.b[size:]
	return n
}

func (p *packed) text(n int64) []byte {
	if n < 0 || n > int64(len(p.b)) {
		p.short, p.b = true, nil
		return nil
	}
	t := p.b[:n:n]
	p.b = p.b[n:]
	return t
}

// spans appends what stands behind its length.
func (p *packed) spans(into Spans) Spans {
	b := p.text(p.count())
	next := func() int64 { // as count does, of a b that no pointer leads to: most of a member stands here
		n, size := binary.Uvarint(b)
		if size <= 0 {
			p.short, b = true, nil
			return 0
		}
		b = b[size:]
		return int64(n)
	}
	var before int64
	for len(b) > 0 {
		head := uint64(next())
		x := Span{Number: before + int64(head>>2), Days: 1}
		if head&1 != 0 {
			x.Days = next()
		}
		x.Orders = x.Days
		if head&2 != 0 {
			x.Orders = next()
		}
		x.Spent = next()
		before = x.Number
		into = append(into, x)
	}
	return into
}
