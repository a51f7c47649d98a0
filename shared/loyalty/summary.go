package loyalty

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Summary is what segments and reports are computed from: a small part of a
// member's account, kept beside it, so that a walk over all members reads
// little.
type Summary struct {
	Merged     bool   // into another member: nothing of it counts
	Into       string // that member
	Born       int64  // month of birth, 1 to 12; 0 when it is not known
	Orders     int64  // that count
	Balance    int64  // points, as of the last entry
	Advocate   string // member who sent this one; "" for nobody, and of one who was merged
	Friends    int64  // that this one sent and that qualified
	Segmented  int64
	SegmentSeq int64
	Segments   []string
	Purchases
}

// shipped are the names of segments that are written as a number. The places
// are stored: add at the end only.
var shipped = []string{
	"regular_heavy", "regular_light", "infrequent_heavy", "infrequent_light", "former", "top_20", "next_40", "declining", "at_risk", "new", "repeat",
	"multi_store", "birthday_month", "advocates",
}

// named is what stands for a name that is written out.
const named = 255

var errSummary = errors.New("loyalty: a summary that ends early or is of another format")

// Summary is that part of the account.
func (a *Account) Summary() Summary {
	s := Summary{
		Merged: a.Into != "", Into: a.Into, Born: a.Born, Orders: a.Orders, Balance: a.Balance, Friends: a.Advocacy.Friends,
		Segmented: a.Segmented, SegmentSeq: a.SegmentSeq, Segments: a.Segments, Purchases: a.Purchases,
	}
	if a.Referred != nil && !s.Merged {
		s.Advocate = a.Referred.Advocate
	}
	return s
}

// Side packs the summary.
func (a *Account) Side() []byte {
	s := a.Summary()
	flags, other := byte(s.Born)<<1, s.Advocate
	if s.Merged {
		flags, other = flags|1, s.Into
	}
	b := []byte{1, flags}
	for _, n := range []int64{s.Orders, s.Friends, s.Segmented, s.SegmentSeq} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendVarint(b, s.Balance)
	b = append(append(b, byte(len(other))), other...)
	b = append(b, byte(len(s.Segments)))
	for _, name := range s.Segments {
		if i := slices.Index(shipped, name); i >= 0 {
			b = append(b, byte(i))
		} else {
			b = append(append(b, named, byte(len(name))), name...)
		}
	}
	packed, _ := s.Purchases.MarshalBinary() // never fails
	return append(b, packed...)
}

// ReadSummary unpacks a side; the zero Summary is of none. Purchases keep
// parts of b where that saves copying, so b may not be changed while they are used.
func ReadSummary(b []byte) (Summary, error) {
	var s Summary
	if len(b) == 0 {
		return s, nil
	}
	if len(b) < 2 || b[0] != 1 {
		return s, errSummary
	}
	s.Merged, s.Born, b = b[1]&1 != 0, int64(b[1]>>1), b[2:]
	if err := unpackCounts(&b, &s.Orders, &s.Friends, &s.Segmented, &s.SegmentSeq); err != nil {
		return s, err
	}
	balance, n := binary.Varint(b)
	if n <= 0 {
		return s, errSummary
	}
	s.Balance, b = balance, b[n:]
	text := func() (string, bool) {
		if len(b) == 0 || len(b) <= int(b[0]) {
			return "", false
		}
		out := string(b[1 : 1+b[0]])
		b = b[1+len(out):]
		return out, true
	}
	other, ok := text()
	if !ok || len(b) == 0 {
		return s, errSummary
	}
	if s.Merged {
		s.Into = other
	} else {
		s.Advocate = other
	}
	count := int(b[0])
	b = b[1:]
	for range count {
		if len(b) == 0 {
			return s, errSummary
		}
		place := b[0]
		b = b[1:]
		name := ""
		switch {
		case int(place) < len(shipped):
			name = shipped[place]
		case place == named:
			if name, ok = text(); !ok {
				return s, errSummary
			}
		default:
			return s, errSummary
		}
		s.Segments = append(s.Segments, name)
	}
	return s, s.Purchases.UnmarshalBinary(b)
}

// SetSide takes over what is kept beside the account.
func (a *Account) SetSide(b []byte) error {
	s, err := ReadSummary(b)
	a.Segments, a.Segmented, a.SegmentSeq, a.Purchases, a.Born = s.Segments, s.Segmented, s.SegmentSeq, s.Purchases, s.Born
	return err
}
