package refresh

import (
	"encoding/binary"

	"regulars/shared/segment"
)

// counted are members with the same purchases, and how often they bought in
// the months of the holdout.
type counted struct {
	Key    uint64
	N      int64
	Actual int64
}

// key packs purchase days after the first (17 bits), days from the first to the
// end (16, until the year 2149), and to the last (16): numbers sort by themselves.
func key(x, tx, t int64) uint64 {
	return uint64(min(x, 1<<17-1))<<32 | uint64(min(t, 1<<16-1))<<16 | uint64(min(tx, 1<<16-1))
}

func (c counted) purchases() segment.Purchases {
	days := func(n uint64) float64 { return float64(uint16(n)) / 7 }
	return segment.Purchases{X: int64(c.Key >> 32), Tx: days(c.Key), T: days(c.Key >> 16), N: c.N}
}

// sumBits are those of a sum of spend behind an X: more than 175 billion of a
// currency's larger unit are taken for so many.
const sumBits = 44

// spendKey packs purchase days after the first, and what was spent on them, in minor units.
func spendKey(x, sum int64) uint64 {
	return uint64(min(x, 1<<(64-sumBits)-1))<<sumBits | uint64(min(sum, 1<<sumBits-1))
}

func (c counted) spend() segment.Spend {
	x := int64(c.Key >> sumBits)
	return segment.Spend{X: x, Mean: float64(c.Key&(1<<sumBits-1)) / float64(x), N: c.N}
}

// counts are counted in the order of their keys, packed: each key as its distance from
// the last. A list of millions is never unpacked as a whole.
type counts []byte

// actualBits are those of an Actual behind a key: days of some months.
const actualBits = 15

// countAll packs what was gathered of members: keys, with an Actual behind each of so
// many bits. spare is room for as many.
func countAll(gathered, spare []uint64, actualBits int) (out counts) {
	gathered = sortNumbers(gathered, spare)
	var last uint64
	for len(gathered) > 0 {
		c := counted{Key: gathered[0] >> actualBits}
		for len(gathered) > 0 && gathered[0]>>actualBits == c.Key {
			c.N++
			c.Actual += int64(gathered[0] & (1<<actualBits - 1))
			gathered = gathered[1:]
		}
		out = binary.AppendUvarint(out, c.Key-last)
		out = binary.AppendUvarint(out, uint64(c.N))
		out = binary.AppendUvarint(out, uint64(c.Actual))
		last = c.Key
	}
	return out
}

// sortNumbers sorts by one byte after the other, the lowest first, and passes over those
// that are the same in all. It needs as much room again, and answers one of the two.
func sortNumbers(numbers, spare []uint64) []uint64 {
	var places [8][256]int // how often each byte stands at each place; then where it goes
	for _, n := range numbers {
		for i := range places {
			places[i][byte(n>>(8*i))]++
		}
	}
	spare = spare[:len(numbers)]
	for i := range places {
		at, next := &places[i], 0
		if len(numbers) == 0 || at[byte(numbers[0]>>(8*i))] == len(numbers) {
			continue
		}
		for b, n := range at {
			at[b] = next
			next += n
		}
		for _, n := range numbers {
			b := byte(n >> (8 * i))
			spare[at[b]] = n
			at[b]++
		}
		numbers, spare = spare, numbers
	}
	return numbers
}

// cursor reads one list of many.
type cursor struct {
	counted
	rest counts
}

// next tells whether there is one more.
func (c *cursor) next() (more bool, err error) {
	if len(c.rest) == 0 {
		return false, nil
	}
	var n [3]uint64
	for i := range n {
		v, size := binary.Uvarint(c.rest)
		if size <= 0 {
			return false, errShort
		}
		n[i], c.rest = v, c.rest[size:]
	}
	c.counted = counted{c.Key + n[0], int64(n[1]), int64(n[2])}
	return true, nil
}

// most is how many lists may come to, for room: a counted takes three bytes or more.
func most(lists []counts) (n int) {
	for _, l := range lists {
		n += len(l) / 3
	}
	return n
}

// eachCounted calls visit with what lists count together, in the order of keys.
func eachCounted(lists []counts, visit func(counted)) error {
	var heap []*cursor // the one with the smallest key first
	down := func(i int) {
		for {
			least := 2*i + 1
			if least >= len(heap) {
				return
			}
			if least+1 < len(heap) && heap[least+1].Key < heap[least].Key {
				least++
			}
			if heap[i].Key <= heap[least].Key {
				return
			}
			heap[i], heap[least] = heap[least], heap[i]
			i = least
		}
	}
	for _, l := range lists {
		c := &cursor{rest: l}
		switch more, err := c.next(); {
		case err != nil:
			return err
		case more:
			heap = append(heap, c)
		}
	}
	for i := len(heap) / 2; i >= 0; i-- {
		down(i)
	}
	var sum counted
	for len(heap) > 0 {
		c := heap[0]
		if c.Key != sum.Key && sum.N > 0 {
			visit(sum)
			sum = counted{}
		}
		sum = counted{c.Key, sum.N + c.N, sum.Actual + c.Actual}
		more, err := c.next()
		if err != nil {
			return err
		}
		if !more {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		down(0)
	}
	if sum.N > 0 {
		visit(sum)
	}
	return nil
}
