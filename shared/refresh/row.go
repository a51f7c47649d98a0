package refresh

import (
	"encoding/binary"
	"slices"

	"regulars/shared/loyalty"
	"regulars/shared/segment"
)

// A row is what a run keeps of a member between reading and scoring: so many
// bytes, whoever she is.
const rowBytes = 144

const idMost = 40 // bytes of a member's id, as loyalty.OwnID has it

// row is one of them, of use until the bytes that it was read from change.
type row struct {
	id      []byte
	m       segment.Member // without ID
	balance int64
	friends int64  // whom she sent and who qualified
	shipped uint32 // segments that she is in, by loyalty.SegmentBit
	custom  uint64 // by place in Plan.Defined
	leaves  uint64 // which lists and attributes of the plan's conditions hold, see conditions
	born    int64  // month, 1 to 12; 0 when it is not known
	sent    bool   // by another member
	foreign bool   // is in a segment that there is no more

	scratch [idMost]byte // where id is while the row is made
}

const (
	flagSent = 1 << iota
	flagForeign
)

// append writes the row behind the others.
func (r *row) append(b []byte) []byte {
	var flags byte
	if r.sent {
		flags |= flagSent
	}
	if r.foreign {
		flags |= flagForeign
	}
	b = slices.Grow(b, rowBytes)[:len(b)+rowBytes]
	out := b[len(b)-rowBytes:]
	clear(out[:1+idMost])
	out[0] = byte(copy(out[1:1+idMost], r.id))
	out[41], out[42], out[43] = flags, byte(r.born), byte(min(r.m.Stores, 255))
	m := &r.m
	for i, v := range [...]int64{int64(m.First), int64(m.Second), int64(m.Last), m.Days, m.Orders, r.friends, m.WindowDays, m.WindowOrders, int64(r.shipped)} {
		binary.LittleEndian.PutUint32(out[44+4*i:], uint32(min(v, 1<<31-1)))
	}
	for i, v := range [...]int64{m.Spent, m.FirstSpent, m.WindowSpent, m.Recent, m.Before, r.balance, int64(r.custom), int64(r.leaves)} {
		binary.LittleEndian.PutUint64(out[80+8*i:], uint64(v))
	}
	return b
}

// read takes a row's bytes.
func (r *row) read(b []byte) {
	n32 := func(i int) int64 { return int64(binary.LittleEndian.Uint32(b[44+4*i:])) }
	n64 := func(i int) int64 { return int64(binary.LittleEndian.Uint64(b[80+8*i:])) }
	*r = row{
		id: b[1 : 1+b[0]], sent: b[41]&flagSent != 0, foreign: b[41]&flagForeign != 0, born: int64(b[42]),
		friends: n32(5), shipped: uint32(n32(8)), balance: n64(5), custom: uint64(n64(6)), leaves: uint64(n64(7)),
		m: segment.Member{
			First: int32(n32(0)), Second: int32(n32(1)), Last: int32(n32(2)), Days: n32(3), Orders: n32(4), WindowDays: n32(6), WindowOrders: n32(7),
			Spent: n64(0), FirstSpent: n64(1), WindowSpent: n64(2), Recent: n64(3), Before: n64(4), Stores: int(b[43]),
		},
	}
}

// eachRow calls visit with the rows of a file, which it may not keep.
func eachRow(file []byte, visit func(*row) error) error {
	if len(file)%rowBytes != 0 {
		return errShort
	}
	var r row
	for ; len(file) > 0; file = file[rowBytes:] {
		r.read(file[:rowBytes:rowBytes])
		if err := visit(&r); err != nil {
			return err
		}
	}
	return nil
}

// calendar is where the plan's stretches of months begin, by day: a member's
// newest days are counted into them without asking which month each is of.
type calendar struct {
	month                  int64
	window, recent, before int64 // first days: twelve months back, three, six
	current, next          int64 // of this month, of the one after it
	held                   int64 // of the months that a holdout is of

	since int32   // first day of which known tells
	known []int32 // months, counted from January 1970: asked for more often than worth reckoning
}

const windowMonths = 12

func newCalendar(month int64) calendar {
	c := calendar{
		month: month, window: firstDay(month - windowMonths), recent: firstDay(month - 3), before: firstDay(month - 6), current: firstDay(month), next: firstDay(month + 1),
		held: firstDay(month - HoldoutMonths), since: int32(firstDay(month - knownMonths)),
	}
	for m := month - knownMonths; m <= month; m++ {
		for range firstDay(m+1) - firstDay(m) {
			c.known = append(c.known, int32(m-monthZero))
		}
	}
	return c
}

// knownMonths is about as far back as accounts tell of single days.
const knownMonths = 60

// monthOf a day, as segment.Month has it.
func (c *calendar) monthOf(day int32) int32 {
	if i := day - c.since; i >= 0 && int(i) < len(c.known) {
		return c.known[i]
	}
	return segment.Month(day)
}

// figures of a member as the models and groups take them.
func (c *calendar) figures(g *loyalty.Glance, m *segment.Member) {
	*m = segment.Member{Days: g.Days(), Orders: g.Orders, Spent: g.Spent, Stores: int(g.Stores)}
	newest := g.Newest
	if m.Days == 0 {
		return
	}
	first, second := g.Oldest, g.Next
	if g.Away == 0 {
		first = newest[0]
	}
	if i := 1 - int(min(g.Away, 2)); i >= 0 && i < len(newest) {
		second = newest[i].Number
	}
	m.First, m.Second, m.FirstSpent = int32(first.Number), int32(second), first.Spent
	if len(newest) > 0 {
		m.Last = int32(newest[len(newest)-1].Number)
	}
	for i := range g.Months {
		s := &g.Months[i]
		if s.Number < c.month-windowMonths || s.Number > c.month {
			continue
		}
		m.WindowDays, m.WindowOrders, m.WindowSpent = m.WindowDays+s.Days, m.WindowOrders+s.Orders, m.WindowSpent+s.Spent
		switch {
		case s.Number == c.month || s.Number < c.month-6:
		case s.Number >= c.month-3:
			m.Recent += s.Spent
		default:
			m.Before += s.Spent
		}
	}
	for i := range newest {
		s := &newest[i]
		if s.Number < c.window || s.Number >= c.next {
			continue
		}
		m.WindowDays, m.WindowOrders, m.WindowSpent = m.WindowDays+s.Days, m.WindowOrders+s.Orders, m.WindowSpent+s.Spent
		switch {
		case s.Number >= c.current || s.Number < c.before:
		case s.Number >= c.recent:
			m.Recent += s.Spent
		default:
			m.Before += s.Spent
		}
	}
}
