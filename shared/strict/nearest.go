package strict

import (
	"reflect"
	"strings"
)

// Nearest is the known word that a mistaken one most likely stands for: the
// one with the fewest letters to put in, leave out or change, at most a third
// of them. "" is none.
func Nearest(word string, known []string) string {
	best, fewest := "", len([]rune(word))/3+2
	for _, k := range known {
		if n := distance([]rune(strings.ToLower(word)), []rune(strings.ToLower(k))); n < fewest {
			best, fewest = k, n
		}
	}
	return best
}

// distance is how many letters differ (Levenshtein). Words longer than any
// name are not compared.
func distance(a, b []rune) int {
	if len(a) > 100 || len(b) > 100 {
		return 100
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		before := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := before
			if x != y {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// keys are the names that an object of a type may have.
func keys(t reflect.Type) []string {
	var out []string
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			out = append(out, keys(f.Type)...)
		case f.IsExported() && name != "" && name != "-":
			out = append(out, name)
		}
	}
	return out
}
