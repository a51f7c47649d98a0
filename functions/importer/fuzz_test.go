package importer

import (
	"bufio"
	"io"
	"reflect"
	"strings"
	"testing"

	"regulars/shared/table"
)

// Whatever a file holds: every row ends further on than the one before, the
// last at the end of what is not blank, and reading on from where any row
// ended gives the rows that reading on gives.
func FuzzRows(f *testing.F) {
	for _, text := range []string{
		"", "\n", "\r\n\r\n", "{}\n{\"a\":1}", "\ufeffa,b\r\n1,2\r\n", "1,\"a\nb\",3\n2,\"x\n3,y,\"z\n\"", "1,1,a\n1,1,b\n2,1,c\n\"\n3,1,\"\"\"\n", "1,1\n1,1,2,3\n\xff,1,x\n", "\"\"\"\"\n\"\n\"",
	} {
		for format := range uint8(3) {
			f.Add(text, format)
		}
	}
	f.Fuzz(func(t *testing.T, text string, format uint8) {
		j := &table.Import{Kind: "orders", Format: "csv", Source: "till", Columns: []string{"order_id", "version", "amount"}}
		switch format % 3 {
		case 1:
			j.Kind, j.Columns = "members", []string{"external_id", "name"}
		case 2:
			j.Format = "ndjson"
		}
		rows := func(at, line int64) (all []row) {
			w := worker{at: *j}
			read := &lines{r: bufio.NewReaderSize(strings.NewReader(text[at:]), 16), n: line, at: at}
			for {
				r, err := w.next(read)
				if err == io.EOF {
					if read.at != int64(len(text)) {
						t.Fatalf("ended at byte %d of %d", read.at, len(text))
					}
					return all
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(r.lines) == 0 || r.end <= at || r.last <= line || r.lines[0] <= line || r.lines[len(r.lines)-1] > r.last {
					t.Fatalf("after byte %d of line %d comes %+v", at, line, r)
				}
				at, line = r.end, r.last
				all = append(all, r)
			}
		}
		whole := rows(0, 0)
		for i, r := range whole {
			if rest := rows(r.end, r.last); len(rest) != len(whole)-i-1 || len(rest) > 0 && !reflect.DeepEqual(rest, whole[i+1:]) {
				t.Fatalf("from row %d on: %+v, and in one go %+v", i+1, rest, whole[i+1:])
			}
		}
	})
}
