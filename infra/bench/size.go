package main

import (
	"maps"
	"strings"

	"regulars/shared/table"
)

// item is an item as DynamoDB's JSON has it; this table has no other types.
type item map[string]struct {
	S, N *string
	B    []byte
}

func (it item) text(name string) string {
	if s := it[name].S; s != nil {
		return *s
	}
	return ""
}

// size is what units are counted by: names and values.
func (it item) size() int {
	n := 0
	for name, v := range it {
		n += len(name) + len(v.B)
		if v.S != nil {
			n += len(*v.S)
		}
		if v.N != nil {
			n += numberSize(*v.N)
		}
	}
	return n
}

// numberSize is one byte, one for each pair of digits, counted from the right
// and without pairs of zeros at the end, and one for a sign. Numbers here are
// whole.
func numberSize(n string) int {
	digits := strings.TrimLeft(strings.TrimPrefix(n, "-"), "0")
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	for strings.HasSuffix(digits, "00") {
		digits = digits[:len(digits)-2]
	}
	size := 1 + len(digits)/2
	if strings.HasPrefix(n, "-") {
		size++
	}
	return size
}

func (it item) key() table.Key {
	return table.Key{PK: it.text(table.AttrPK), SK: it.text(table.AttrSK)}
}

// indexes are what puts an item into each of them.
var indexes = [][]string{{table.AttrDueShard, table.AttrDueAt}, {table.AttrGroup}}

// index is the item's row in an index, nil when it has none.
func (it item) index(names []string) item {
	row := item{}
	for _, name := range append([]string{table.AttrPK, table.AttrSK}, names...) {
		v, ok := it[name]
		if !ok {
			return nil
		}
		row[name] = v
	}
	return row
}

func writeUnits(size int) float64 { return float64(max(1, (size+1023)/1024)) }

func readUnits(size int, consistent bool) float64 {
	n := float64(max(1, (size+4095)/4096))
	if consistent {
		return n
	}
	return n / 2
}

// indexUnits is one write to enter, one to leave, both to move. A row that
// stays as it is costs nothing.
func indexUnits(before, after item, names []string) (n float64) {
	same := before != nil && after != nil
	for _, name := range names {
		same = same && before.text(name) == after.text(name)
	}
	if same {
		return 0
	}
	if before != nil {
		n += writeUnits(before.size())
	}
	if after != nil {
		n += writeUnits(after.size())
	}
	return n
}

// stored is how many bytes the items of a partition take, by kind, and how
// many items there are of it.
func (m *meter) stored(pk string) (bytes, count map[string]int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	bytes, count = map[string]int{}, map[string]int{}
	for key, it := range maps.All(m.items) {
		if kind, _, _ := strings.Cut(key.SK, "#"); key.PK == pk || pk == "" {
			bytes[kind] += it.size()
			count[kind]++
		}
	}
	return bytes, count
}
