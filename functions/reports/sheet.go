package reports

import (
	"encoding/csv"
	"strconv"
	"strings"

	"regulars/shared/web"
)

// sheet is a table for a spreadsheet: its first row has the names.
type sheet [][]any // text and whole numbers; nil is an empty cell

func (s *sheet) row(cells ...any) { *s = append(*s, cells) }

func (s sheet) csv() web.CSV {
	var out strings.Builder
	w := csv.NewWriter(&out)
	for _, row := range s {
		line := make([]string, len(row))
		for i, cell := range row {
			switch c := cell.(type) {
			case int64:
				line[i] = strconv.FormatInt(c, 10)
			case *int64:
				if c != nil {
					line[i] = strconv.FormatInt(*c, 10)
				}
			case string:
				line[i] = harmless(c)
			}
		}
		_ = w.Write(line) // a builder takes everything
	}
	w.Flush()
	return web.CSV(out.String())
}

// harmless keeps a spreadsheet from running a text as a formula (OWASP, "CSV
// Injection"). A number that is below zero is one.
func harmless(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return s
	}
	if s[0] == '-' && strings.Trim(s[1:], "0123456789.") == "" {
		return s
	}
	return "'" + s
}
