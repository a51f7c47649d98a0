package refresh

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"regulars/shared/segment"
)

// outlooks say what is to come of a member who still buys, in purchase days discounted
// over a year (segment.Outlook), by her purchase days and the days since the first. They
// are few beside the members, so the merge makes them for all shards: a hash table with
// open addressing, looked into as it lies in its file.
type outlooks []byte

// outlookBytes are a place's: one more than what it is of, 0 of none, and the float.
const outlookBytes = 16

// outlookOf is what an outlook is of: purchase days after the first, and days since it.
func outlookOf(x, t int64) uint64 { return key(x, 0, t) >> 16 }

// newOutlooks of purchases in order.
func newOutlooks(bought []segment.Purchases, l *segment.Lifetime) outlooks {
	var of []uint64
	for _, p := range bought {
		if k := outlookOf(p.X, int64(math.Round(p.T*7))); len(of) == 0 || of[len(of)-1] != k {
			of = append(of, k)
		}
	}
	o := make(outlooks, outlookBytes<<bits.Len(uint(len(of)+len(of)/2))) // a third of it empty, or more
	for _, k := range of {
		place := o.place(k)
		binary.LittleEndian.PutUint64(place, k+1)
		binary.LittleEndian.PutUint64(place[8:], math.Float64bits(yearOf(k, l)))
	}
	return o
}

func yearOf(k uint64, l *segment.Lifetime) float64 {
	return l.Outlook(int64(k>>16), float64(uint16(k))/7).Sum365
}

// place of an outlook, or where it would be.
func (o outlooks) place(k uint64) []byte {
	last := uint64(len(o)/outlookBytes - 1)
	for at := k * 0x9E3779B97F4A7C15 >> 32; ; at++ {
		place := o[(at&last)*outlookBytes:][:outlookBytes]
		if stored := binary.LittleEndian.Uint64(place); stored == k+1 || stored == 0 {
			return place
		}
	}
}

// year is what is to come in a year of who has x purchase days after the first, t days ago.
func (o outlooks) year(x, t int64, l *segment.Lifetime) float64 {
	k := outlookOf(x, t)
	if place := o.place(k); binary.LittleEndian.Uint64(place) != 0 {
		return math.Float64frombits(binary.LittleEndian.Uint64(place[8:]))
	}
	return yearOf(k, l) // of who has bought since the rows were read
}

// putOutlooks writes those of the run; nothing without models.
func (w Work) putOutlooks(ctx context.Context, bought []segment.Purchases, c *Cuts) error {
	var o outlooks
	if l := c.lifetime(); l != nil {
		o = newOutlooks(bought, l)
	}
	return w.Files.Put(ctx, w.outlooks(), o)
}

// readOutlooks of the run.
func (w Work) readOutlooks(ctx context.Context) (outlooks, error) {
	raw, err := w.Files.Get(ctx, w.outlooks())
	if err == nil && bits.OnesCount(uint(len(raw))) > 1 {
		err = fmt.Errorf("%s does not hold what was written", w.outlooks())
	}
	return raw, err
}
