package web

import (
	"strconv"
	"testing"
)

// However many members come, few are remembered.
func TestStandingsAreForgottenBeforeTheyAreMany(t *testing.T) {
	var known tokens
	under := "x"
	reads := 0
	for i := range 3*mostStandings + 1 {
		for range 2 {
			if _, err := known.remembered(strconv.Itoa(i), func() (*string, error) { reads++; return &under, nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	n := 0
	known.known.Range(func(any, any) bool { n++; return true })
	if n > mostStandings || reads != 3*mostStandings+1 {
		t.Errorf("%d are remembered, %d were read", n, reads)
	}
}
