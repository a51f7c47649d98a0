package strict

import (
	"reflect"
	"strings"
)

// Nearest is the known word that a mistaken one most likely stands for: the
// one that it shortens ("fri"), or the one with the fewest letters to put in,
// leave out, change or swap with the next, about a third at most. "" is none.
func Nearest(word string, known []string) string {
	best, fewest := "", len([]rune(word))/3+2
	if strings.TrimSpace(word) == "" {
		return ""
	}
	for _, k := range known {
		if len(word) >= 3 && strings.HasPrefix(strings.ToLower(k), strings.ToLower(word)) {
			return k
		}
	}
	for _, k := range known {
		if n := distance([]rune(strings.ToLower(word)), []rune(strings.ToLower(k))); n < fewest {
			best, fewest = k, n
		}
	}
	return best
}

// distance is how many letters differ, two that are swapped being one. Words
// longer than any name are not compared.
func distance(a, b []rune) int {
	if len(a) > 100 || len(b) > 100 {
		return 100
	}
	rows := make([][]int, len(a)+1) // how many of the first i letters of a and j of b
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					rows[i][j] = min(rows[i][j], 1+rows[i-2][j-2])
				}
			}
		}
	}
	return rows[len(a)][len(b)]
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
