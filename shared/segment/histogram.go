package segment

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// The buckets of the first pass: values under 2048 have one each, larger ones share
// it with those that have the same leading eleven bits. Negative values mirror them.
const (
	coarseBits = 10
	coarseHalf = (64 - coarseBits) << coarseBits // buckets of the values that are not negative
	coarse     = 2 * coarseHalf
	fineBits   = 14 // a later pass cuts a bucket into this many bits of cells
)

// bucket is the place of a value in the first pass. It rises with the value.
func bucket(v int64) int {
	sign := v >> 63 // of a negative value the complement is taken, and mirrored
	u := uint64(v ^ sign)
	shift := max(bits.Len64(u)-coarseBits-1, 0)
	at := shift<<coarseBits + int(u>>shift)
	return coarseHalf + (at ^ int(sign))
}

// bucketRange is the lowest value of a bucket, and how many bits its values differ in.
func bucketRange(at int) (low int64, width uint8) {
	at -= coarseHalf
	sign := int64(at) >> 63
	u := int64(at) ^ sign
	shift := max(u>>coarseBits-1, 0)
	low = (u - shift<<coarseBits) << shift
	if sign < 0 {
		low = ^(low + 1<<shift - 1)
	}
	return low, uint8(shift)
}

// A Range is a stretch of values that a pass counts in cells: Low and the
// 2^Width values from it on, all of one bucket.
type Range struct {
	Low   int64 `json:"low"`
	Width uint8 `json:"width"`
}

// coarser is how many bits the values of one cell of the range differ in.
func (r Range) coarser() uint8 { return max(r.Width, fineBits) - fineBits }

func (r Range) endsBefore(v int64) bool {
	return r.Low < v && (uint64(v)-uint64(r.Low))>>r.Width > 0
}

// Histogram counts and sums the values of a shard: in buckets over all values in the
// first pass, in cells of a few ranges in a later one. It is plain data: each shard fills
// its own, and any order of merging gives the same. The sum of all values must fit int64.
type Histogram struct {
	ranges []Range // in order; none in the first pass
	starts []int   // of each range's cells
	owner  []uint8 // of a bucket: its first range, counted from 1
	cells  []cell
	first  int // the place of the first cell; all others of the first pass are empty
}

type cell struct{ count, sum int64 }

// NewHistogram is an empty one for the first pass. It takes 16 KB for each power of two
// from its smallest value to its largest; encoded, only what it counted.
func NewHistogram() *Histogram { return &Histogram{} }

// places is how many cells there may be.
func (h *Histogram) places() int {
	if h.owner == nil {
		return coarse
	}
	return len(h.cells)
}

// at is the cell at one of the places.
func (h *Histogram) at(place int) *cell {
	if i := place - h.first; i >= 0 && i < len(h.cells) {
		return &h.cells[i]
	}
	h.reach(place)
	return &h.cells[place-h.first]
}

// reach makes room for a place, a power of two at a time.
func (h *Histogram) reach(place int) {
	first := place &^ (1<<coarseBits - 1)
	end := first + 1<<coarseBits
	if n := len(h.cells); n > 0 {
		first, end = min(first, h.first), max(end, h.first+n)
	} else {
		h.first = first
	}
	cells := make([]cell, end-first)
	copy(cells[h.first-first:], h.cells)
	h.cells, h.first = cells, first
}

// mostRanges is what fits an owner.
const mostRanges = 255

// refining is an empty histogram that counts in ranges, or an error where
// they cannot be: they must be in order, apart, and each within a bucket.
func refining(ranges []Range) (*Histogram, error) {
	if len(ranges) > mostRanges {
		return nil, fmt.Errorf("%d ranges, at most %d", len(ranges), mostRanges)
	}
	h := &Histogram{ranges: ranges, owner: make([]uint8, coarse)}
	n := 0
	for i, r := range ranges {
		at := bucket(r.Low)
		low, width := bucketRange(at)
		aligned := r.Width >= 1 && r.Width <= width && (r.Low-low)&(1<<r.Width-1) == 0
		if !aligned || i > 0 && !ranges[i-1].endsBefore(r.Low) {
			return nil, fmt.Errorf("range %+v cannot be", r)
		}
		h.starts = append(h.starts, n)
		n += 1 << (r.Width - r.coarser())
		if h.owner[at] == 0 {
			h.owner[at] = uint8(i + 1)
		}
	}
	h.cells = make([]cell, n)
	return h, nil
}

// Add counts values. It allocates only where they reach further than those before.
func (h *Histogram) Add(values ...int64) {
	if h.owner == nil {
		for _, v := range values {
			c := h.at(bucket(v))
			c.count++
			c.sum += v
		}
		return
	}
	owner := h.owner
	for _, v := range values {
		first := owner[bucket(v)]
		if first == 0 {
			continue
		}
		for i := int(first) - 1; i < len(h.ranges) && h.ranges[i].Low <= v; i++ {
			r := h.ranges[i]
			if at := uint64(v - r.Low); at>>r.Width == 0 { // Low and v are of one sign
				c := &h.cells[h.starts[i]+int(at>>r.coarser())]
				c.count++
				c.sum += v
				break
			}
		}
	}
}

// Count of the values, and their sum.
func (h *Histogram) Count() (count, sum int64) {
	for _, c := range h.cells {
		count += c.count
		sum += c.sum
	}
	return count, sum
}

// Merge adds what another shard counted in the same pass. The error is of one from
// another pass.
func (h *Histogram) Merge(other *Histogram) error {
	if !slices.Equal(h.ranges, other.ranges) {
		return errors.New("histograms of different passes")
	}
	for i, c := range other.cells {
		if c.count != 0 {
			h.at(other.first + i).add(c)
		}
	}
	return nil
}

func (c *cell) add(o cell) {
	c.count += o.count
	c.sum += o.sum
}

// plain is a histogram as JSON has it: [place, count, sum] of each cell that is not empty.
type plain struct {
	Ranges []Range    `json:"ranges,omitempty"`
	Cells  [][3]int64 `json:"cells"`
}

// MarshalJSON writes what was counted.
func (h *Histogram) MarshalJSON() ([]byte, error) {
	p := plain{Ranges: h.ranges, Cells: [][3]int64{}}
	for i, c := range h.cells {
		if c.count != 0 {
			p.Cells = append(p.Cells, [3]int64{int64(h.first + i), c.count, c.sum})
		}
	}
	return json.Marshal(p)
}

// UnmarshalJSON reads it back, and refuses what no histogram can be.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	return h.fill(p)
}

func (h *Histogram) fill(p plain) error {
	empty := NewHistogram()
	if len(p.Ranges) > 0 {
		var err error
		if empty, err = refining(p.Ranges); err != nil {
			return err
		}
	}
	for _, c := range p.Cells {
		if c[0] < 0 || c[0] >= int64(empty.places()) || c[1] <= 0 || empty.at(int(c[0])).count != 0 {
			return fmt.Errorf("cell %v cannot be", c)
		}
		*empty.at(int(c[0])) = cell{c[1], c[2]}
	}
	*h = *empty
	return nil
}

// MarshalBinary writes the same compactly, as varints: the ranges, then each cell that is
// not empty as its distance from the last, its count, and its sum.
func (h *Histogram) MarshalBinary() ([]byte, error) {
	out := binary.AppendUvarint(nil, uint64(len(h.ranges)))
	for _, r := range h.ranges {
		out = binary.AppendUvarint(binary.AppendVarint(out, r.Low), uint64(r.Width))
	}
	last := 0
	for i, c := range h.cells {
		if c.count != 0 {
			out = binary.AppendUvarint(out, uint64(h.first+i-last))
			out = binary.AppendUvarint(out, uint64(c.count))
			out = binary.AppendVarint(out, c.sum)
			last = h.first + i
		}
	}
	return out, nil
}

// UnmarshalBinary reads it back, and refuses what no histogram can be.
func (h *Histogram) UnmarshalBinary(data []byte) error {
	var p plain
	rest, err := readRanges(data, &p.Ranges)
	if err != nil {
		return err
	}
	if err := readCells(rest, func(at int64, c cell) error {
		p.Cells = append(p.Cells, [3]int64{at, c.count, c.sum})
		return nil
	}); err != nil {
		return err
	}
	return h.fill(p)
}

// MergeBinary is Merge with what MarshalBinary wrote of another shard: it looks
// only at what that counted. After an error the histogram is of no use.
func (h *Histogram) MergeBinary(data []byte) error {
	var ranges []Range
	rest, err := readRanges(data, &ranges)
	if err != nil {
		return err
	}
	if !slices.Equal(h.ranges, ranges) {
		return errors.New("histograms of different passes")
	}
	return readCells(rest, func(at int64, c cell) error {
		if at >= int64(h.places()) || c.count <= 0 {
			return fmt.Errorf("cell %d cannot be", at)
		}
		h.at(int(at)).add(c)
		return nil
	})
}

var errShort = errors.New("a histogram ends too soon")

func readRanges(data []byte, into *[]Range) ([]byte, error) {
	n, size := binary.Uvarint(data)
	if size <= 0 || n > mostRanges {
		return nil, errShort
	}
	data = data[size:]
	for range n {
		low, size := binary.Varint(data)
		if size <= 0 {
			return nil, errShort
		}
		width, more := binary.Uvarint(data[size:])
		if more <= 0 {
			return nil, errShort
		}
		*into, data = append(*into, Range{Low: low, Width: uint8(min(width, 64))}), data[size+more:]
	}
	return data, nil
}

// readCells calls visit with each cell that is not empty, at its place.
func readCells(data []byte, visit func(at int64, c cell) error) error {
	at := int64(0)
	for len(data) > 0 {
		step, a := binary.Uvarint(data)
		count, b := binary.Uvarint(data[max(a, 0):])
		if a <= 0 || b <= 0 || step > 1<<31 || count > 1<<63-1 {
			return errShort
		}
		sum, c := binary.Varint(data[a+b:])
		if c <= 0 {
			return errShort
		}
		data, at = data[a+b+c:], at+int64(step)
		if err := visit(at, cell{int64(count), sum}); err != nil {
			return err
		}
	}
	return nil
}
