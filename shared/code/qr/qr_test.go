package qr_test

import (
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"

	"regulars/shared/code/qr"
)

type svg struct {
	ViewBox   string     `xml:"viewBox,attr"`
	Rendering string     `xml:"shape-rendering,attr"`
	Title     string     `xml:"title"`
	Paths     []struct { // each with its data
		D string `xml:"d,attr"`
	} `xml:"path"`
}

// picture paints an SVG as a browser does, some pixels a module.
func picture(raw []byte, pixels int) (svg, *image.Gray, error) {
	var s svg
	if err := xml.Unmarshal(raw, &s); err != nil {
		return s, nil, err
	}
	var side, high int
	if _, err := fmt.Sscanf(s.ViewBox, "0 0 %d %d", &side, &high); err != nil || side != high {
		return s, nil, fmt.Errorf("viewBox %q: %w", s.ViewBox, err)
	}
	if len(s.Paths) != 1 {
		return s, nil, fmt.Errorf("%d paths", len(s.Paths))
	}
	img := image.NewGray(image.Rect(0, 0, side*pixels, side*pixels))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for run := range strings.SplitAfterSeq(s.Paths[0].D, "z") {
		if run == "" {
			continue
		}
		var x, y, n, back int
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%dz", &x, &y, &n, &back); err != nil || n != back {
			return s, nil, fmt.Errorf("run %q: %w", run, err)
		}
		if x < 4 || y < 4 || x+n > side-4 || y+1 > side-4 {
			return s, nil, fmt.Errorf("run %q is in the quiet zone", run)
		}
		draw.Draw(img, image.Rect(x*pixels, y*pixels, (x+n)*pixels, (y+1)*pixels), image.NewUniform(color.Black), image.Point{}, draw.Src)
	}
	return s, img, nil
}

// read scans a picture. It looks for the code in it first; a straight one is
// taken as it lies, pixel by pixel.
func read(img image.Image, straight bool) (text, level string, err error) {
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", "", err
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_CHARACTER_SET: "UTF-8"}
	if straight {
		hints[gozxing.DecodeHintType_PURE_BARCODE] = true
	}
	got, err := qrcode.NewQRCodeReader().Decode(bits, hints)
	if err != nil {
		return "", "", err
	}
	return got.GetText(), fmt.Sprint(got.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL]), nil
}

// A scanner reads what was drawn.
func TestScanned(t *testing.T) {
	for name, text := range map[string]string{
		"one letter": "A",
		"digits":     "20262026",
		"capitals":   "HTTPS://SHOP.EXAMPLE/R/CDFGHJKM",
		"link":       "https://shop.example/r/CDFGHJKM?utm_source=friend&lang=he",
		"markup":     `https://shop.example/?a=<b>"c"&d='e'`,
		"hebrew":     "https://shop.example/r/נועה25",
		"arabic":     "https://shop.example/r/احمد25",
		"long":       "https://shop.example/r/" + strings.Repeat("x", 800),
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := qr.SVG(text)
			if err != nil {
				t.Fatal(err)
			}
			s, img, err := picture(raw, 4)
			if err != nil {
				t.Fatal(err)
			}
			if s.Title != text || s.Rendering != "crispEdges" {
				t.Errorf("title %q, rendering %q", s.Title, s.Rendering)
			}
			if got, level, err := read(img, false); err != nil || got != text || level != "M" {
				t.Errorf("read %q at level %s: %v", got, level, err)
			}
		})
	}
}

// Every link is drawn as it is. The codes are read straight: looking for one
// in a picture, this scanner misses some in a thousand of any encoder, with
// any mask, where a phone that moves has its next frame.
func TestLinksAreScanned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := "https://" + rapid.StringMatching(`[a-z0-9.-]{1,40}/[A-Za-z0-9?&=%_/-]{0,160}`).Draw(t, "link")
		raw, err := qr.SVG(text)
		if err != nil {
			t.Fatal(err)
		}
		_, img, err := picture(raw, 3)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := read(img, true); err != nil || got != text {
			t.Errorf("%q was read as %q: %v", text, got, err)
		}
	})
}

func TestWhatIsNotDrawn(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "control": "a\x00b", "line": "a\nb", "invalid UTF-8": "a\xff", "no character": "a\uffff", "too long": strings.Repeat("x", 2332),
	} {
		if raw, err := qr.SVG(text); err == nil {
			t.Errorf("%s: %d bytes", name, len(raw))
		}
	}
	for name, text := range map[string]string{
		"longest": strings.Repeat("x", 2331), "longest of capitals": strings.Repeat("X", 3391), "longest of digits": strings.Repeat("7", 5596),
	} {
		if _, err := qr.SVG(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
