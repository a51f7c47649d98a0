package loyalty

import (
	"encoding/binary"
	"errors"
	"strconv"
)

// Ledger entries are packed as lots are: of each only what does not follow
// from those before it. The balance is the sum unless it is said not to be, so
// that a ledger that was tampered with unpacks as it is and Verify finds where.

// Entries are a run of ledger entries, oldest first.
type Entries []Entry

// What is written of an entry beside its type, points, time and hash.
const (
	withOrder = 1 << iota // source and order
	withRef
	withReason
	withTerms      // they are not those of the entry before
	withBalance    // it is not the sum, or the first is not the ledger's
	withLots       // each with its points
	withLot        // one, which has all of the entry's points
	lotsInQuarters // as lots have them
)

// run is what the entries before leave to the next.
type run struct {
	balance, at, terms, expires int64
	number                      int64    // the newest name that was a number
	names                       []string // all that were not
}

// The forms of a name, by the lower two bits of what leads it.
const (
	newName    = iota // its length leads
	seenName          // its place among the names before
	numberName        // its distance from the number before
)

// MarshalBinary implements encoding.BinaryMarshaler.
func (es Entries) MarshalBinary() ([]byte, error) {
	var b []byte
	var r run
	places := map[string]int{}
	name := func(s string) {
		if n, ok := asNumber(s); ok {
			b = binary.AppendUvarint(b, zigzag(n-r.number)<<2|numberName)
			r.number = n
		} else if i, ok := places[s]; ok {
			b = binary.AppendUvarint(b, uint64(i)<<2|seenName)
		} else {
			b = append(binary.AppendUvarint(b, uint64(len(s))<<2), s...)
			places[s] = len(places)
		}
	}
	for i := range es {
		e := &es[i]
		flags := r.flags(e)
		b = append(b, byte(e.Type), flags)
		b = binary.AppendVarint(b, e.Points)
		b = binary.AppendVarint(b, e.At-r.at)
		if flags&withBalance != 0 {
			b = binary.AppendVarint(b, e.Balance)
		}
		if flags&withTerms != 0 {
			b = binary.AppendVarint(b, e.Terms-r.terms)
		}
		if flags&withOrder != 0 {
			name(e.Source)
			name(e.Order)
		}
		if flags&withRef != 0 {
			name(e.Ref)
		}
		if flags&withReason != 0 {
			name(e.Reason)
		}
		if flags&withLots != 0 {
			b = binary.AppendUvarint(b, uint64(len(e.Lots)))
		}
		for _, l := range e.Lots {
			b = binary.AppendVarint(b, (l.Expires-r.expires)/unit(flags&lotsInQuarters != 0))
			r.expires = l.Expires
			if flags&withLots != 0 {
				b = binary.AppendVarint(b, l.Points)
			}
		}
		b = append(b, e.Hash[:]...)
		r.balance, r.at, r.terms = e.Balance, e.At, e.Terms
	}
	return b, nil
}

// flags tells what has to be written of an entry.
func (r *run) flags(e *Entry) (flags byte) {
	mark := func(flag byte, when bool) {
		if when {
			flags |= flag
		}
	}
	mark(withOrder, e.Source != "" || e.Order != "")
	mark(withRef, e.Ref != "")
	mark(withReason, e.Reason != "")
	mark(withTerms, e.Terms != r.terms)
	mark(withBalance, e.Balance != r.balance+e.Points)
	one := len(e.Lots) == 1 && e.Lots[0].Points == e.Points
	mark(withLot, one)
	mark(withLots, len(e.Lots) > 0 && !one)
	mark(lotsInQuarters, e.Lots.onQuarters(r.expires))
	return flags
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (es *Entries) UnmarshalBinary(b []byte) error {
	*es = nil
	var r run
	for len(b) > 0 {
		e, err := r.unpack(&b)
		if err != nil {
			return err
		}
		*es = append(*es, e)
	}
	return nil
}

func (r *run) unpack(b *[]byte) (e Entry, err error) {
	if len(*b) < 2 {
		return e, errEarly
	}
	flags := (*b)[1]
	e.Type, *b = EntryType((*b)[0]), (*b)[2:]
	if err := unpack(b, &e.Points, &e.At); err != nil {
		return e, err
	}
	e.At += r.at
	e.Balance = r.balance + e.Points
	if flags&withBalance != 0 {
		if err := unpack(b, &e.Balance); err != nil {
			return e, err
		}
	}
	if flags&withTerms != 0 {
		if err := unpack(b, &e.Terms); err != nil {
			return e, err
		}
	}
	e.Terms += r.terms
	for _, n := range []struct {
		flag byte
		into *string
	}{{withOrder, &e.Source}, {withOrder, &e.Order}, {withRef, &e.Ref}, {withReason, &e.Reason}} {
		if flags&n.flag == 0 {
			continue
		}
		if *n.into, err = r.name(b); err != nil {
			return e, err
		}
	}
	if e.Lots, err = r.lots(b, flags, e.Points); err != nil {
		return e, err
	}
	if len(*b) < len(e.Hash) {
		return e, errEarly
	}
	e.Hash, *b = Hash(*b), (*b)[len(e.Hash):]
	r.balance, r.at, r.terms = e.Balance, e.At, e.Terms
	return e, nil
}

func (r *run) lots(b *[]byte, flags byte, all int64) (lots Parts, err error) {
	var n int64
	switch {
	case flags&withLots != 0:
		err = unpackCounts(b, &n)
	case flags&withLot != 0:
		n = 1
	}
	for ; n > 0 && err == nil; n-- {
		l := Part{Points: all}
		err = unpack(b, &l.Expires)
		if err == nil && flags&withLots != 0 {
			err = unpack(b, &l.Points)
		}
		l.Expires = l.Expires*unit(flags&lotsInQuarters != 0) + r.expires
		r.expires = l.Expires
		lots = append(lots, l)
	}
	return lots, err
}

func (r *run) name(b *[]byte) (string, error) {
	lead, size := binary.Uvarint(*b)
	if size <= 0 {
		return "", errEarly
	}
	*b = (*b)[size:]
	n := lead >> 2
	switch lead & 3 {
	case newName:
		if n > uint64(len(*b)) {
			return "", errEarly
		}
		s := string((*b)[:n])
		r.names, *b = append(r.names, s), (*b)[n:]
		return s, nil
	case seenName:
		if n >= uint64(len(r.names)) {
			return "", errName
		}
		return r.names[n], nil
	case numberName:
		r.number += int64(n>>1) ^ -int64(n&1)
		return strconv.FormatInt(r.number, 10), nil
	}
	return "", errName
}

var errName = errors.New("loyalty: what is packed names nothing")

// asNumber is the number that a name is, as most ids of storefronts are. It
// is below 10^18, so that a distance leaves room for the form.
func asNumber(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && len(s) <= 18 && strconv.FormatInt(n, 10) == s
}

// zigzag writes small numbers below zero as small ones above, as varints do.
func zigzag(n int64) uint64 { return uint64(n)<<1 ^ uint64(n>>63) }
