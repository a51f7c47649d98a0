// Package qr draws a text, such as the link of a referral code, as a QR code
// (ISO/IEC 18004). It stands apart from package code so that only who shows
// one links it. Logos and colours are not for it: both cost readability.
package qr

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"rsc.io/qr"
)

// quiet is the margin that the standard asks for, in modules.
const quiet = 4

// SVG is an image of a text as a QR code at error correction level M (15 % of
// it may be damaged), black on white with its quiet zone, one unit a module,
// titled with the text. The mask is always the first of the eight. It scales
// to whatever size it is given. The error is for a text that is empty, is no
// UTF-8, has control characters, or is longer than a code can hold (2331
// bytes; 3391 when all are capitals and digits, 5596 digits).
func SVG(text string) ([]byte, error) {
	if text == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, unreadable) {
		return nil, errors.New("qr: the text must have characters, none of control")
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("qr: %w", err)
	}
	side := code.Size + 2*quiet
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges" role="img"><title>%s</title>`, side, side, escape.Replace(text))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/><path d="`, side, side)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for code.Black(x, y) {
				x++
			}
			if n := x - from; n > 0 { // a run of n black modules
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, n, n)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes(), nil
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// unreadable characters cannot stand in XML.
func unreadable(r rune) bool { return unicode.IsControl(r) || r == '\ufffe' || r == '\uffff' }
