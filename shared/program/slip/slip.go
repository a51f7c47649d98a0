// Package slip makes mistakes in JSON documents, as people and programs make
// them: something left out, swapped, written twice, of another type, by a
// name of one wrong letter, far too large. It is for tests only.
package slip

import (
	_ "embed" // a document
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
)

// Rich is a program that says something of everything that one can say.
//
//go:embed rich.json
var Rich []byte

// Mutate makes n mistakes in a document, always the same ones for a seed.
func Mutate(doc []byte, seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	var root any
	dec := json.NewDecoder(strings.NewReader(string(doc)))
	dec.UseNumber()
	if err := dec.Decode(&root); err != nil {
		panic(err)
	}
	for range n {
		places := places(&root)
		places[r.IntN(len(places))].slip(r)
	}
	out, err := json.Marshal(root)
	if err != nil {
		panic(err)
	}
	return out
}

// place is a value in the document, and what it stands in.
type place struct {
	value any
	set   func(any)
	in    any // the map[string]any or *sequence that it stands in; nil for the root
	key   string
	index int
}

// places are all values of a document in a fixed order.
func places(root *any) []place {
	var out []place
	var walk func(p place)
	walk = func(p place) {
		out = append(out, p)
		switch v := p.value.(type) {
		case map[string]any:
			keys := make([]string, 0, len(v))
			for k := range v {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			for _, k := range keys {
				walk(place{value: v[k], set: func(x any) { v[k] = x }, in: v, key: k})
			}
		case []any:
			for i := range v {
				walk(place{value: v[i], set: func(x any) { v[i] = x }, in: &sequence{v, p.set}, index: i})
			}
		}
	}
	walk(place{value: *root, set: func(x any) { *root = x }})
	return out
}

// sequence is a list and how it is put back when it changes its length.
type sequence struct {
	list []any
	set  func(any)
}

var odd = []any{
	nil, true, false, "", "none", "P1D", "P100Y", "P0D", "PT0.5S", "\u0000", "\u202e", strings.Repeat("x", 2000), json.Number("0"), json.Number("-1"), json.Number("1.5"),
	json.Number("9223372036854775807"), json.Number("9223372036854775808"), json.Number("-9223372036854775808"), json.Number("1e18"), json.Number("1e400"), json.Number("-0"),
	json.Number("1000000000000"), json.Number("1000000"),
	[]any{},
	map[string]any{},
	[]any{nil},
	[]any{"x"},
	map[string]any{"x": "y"},
	"0000-01-01", "9999-12-31", "24:00", "999999999.999999999",
}

func (p *place) slip(r *rand.Rand) {
	switch r.IntN(5) {
	case 0: // left out
		switch in := p.in.(type) {
		case map[string]any:
			delete(in, p.key)
		case *sequence:
			in.set(slices.Delete(slices.Clone(in.list), p.index, p.index+1))
		}
	case 1: // swapped with a neighbor
		switch in := p.in.(type) {
		case map[string]any:
			if k := next(in, p.key); k != "" {
				in[p.key], in[k] = in[k], p.value
			}
		case *sequence:
			i := r.IntN(len(in.list))
			in.list[p.index], in.list[i] = in.list[i], in.list[p.index]
		}
	case 2: // written twice
		switch in := p.in.(type) {
		case map[string]any:
			in[p.key+"s"] = p.value
		case *sequence:
			in.set(append(slices.Clone(in.list), p.value))
		}
	case 3: // of another type, or extreme
		p.set(odd[r.IntN(len(odd))])
	case 4: // one letter of its name or text
		if in, ok := p.in.(map[string]any); ok && r.IntN(2) == 0 {
			delete(in, p.key)
			in[misspelled(r, p.key)] = p.value
			return
		}
		if s, ok := p.value.(string); ok {
			p.set(misspelled(r, s))
		}
	}
}

// next is the key after another, in the order of letters.
func next(in map[string]any, key string) string {
	least := ""
	for k := range in {
		if k > key && (least == "" || k < least) {
			least = k
		}
	}
	return least
}

func misspelled(r *rand.Rand, word string) string {
	letters := []rune(word)
	if len(letters) == 0 {
		return "x"
	}
	i := r.IntN(len(letters))
	switch r.IntN(3) {
	case 0:
		return string(slices.Delete(letters, i, i+1))
	case 1:
		letters[i] = rune("abcdefghijklmnopqrstuvwxyz0123456789_-"[r.IntN(38)])
		return string(letters)
	}
	return string(slices.Insert(letters, i, letters[i]))
}
