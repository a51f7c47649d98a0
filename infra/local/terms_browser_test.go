package local_test

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is a real Chromium; the test is skipped, and says so, where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("NO BROWSER: pages are not tested. apt-get install chromium")
	}
	// In a container there is no user namespace for the sandbox to be made of.
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox)
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, timeout := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(timeout)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	return ctx
}

// keyed lets a browser, which sends no key, read what a key may.
func keyed(s *shop) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+key)
		s.host.ServeHTTP(w, r)
	})
}

// measured is what a page is once it is laid out.
type measured struct {
	Direction string   `json:"direction"`
	Scroll    int      `json:"scroll"` // how wide it is
	Beyond    []string `json:"beyond"` // texts of elements that leave the window
	Items     []string `json:"items"`
	Headings  int      `json:"headings"`
	Scripts   int      `json:"scripts"`
	Small     []string `json:"small"` // texts that are too small to be read on a phone
}

const measure = `(() => {
	const all = [...document.querySelectorAll('body *')];
	return {
		direction: getComputedStyle(document.body).direction,
		scroll: document.documentElement.scrollWidth,
		beyond: all.filter(e => { const b = e.getBoundingClientRect(); return b.left < -0.5 || b.right > innerWidth + 0.5 }).map(e => e.textContent.slice(0, 80)),
		items: [...document.querySelectorAll('main li')].map(e => e.textContent),
		headings: document.querySelectorAll('main h2').length,
		scripts: document.scripts.length,
		small: all.filter(e => parseFloat(getComputedStyle(e).fontSize) < 14).map(e => e.textContent.slice(0, 80)),
	};
})()`

// The page of a rich program in a real browser, as wide as a phone.
func TestTermsPageInABrowser(t *testing.T) {
	ctx := browser(t)
	s := embedded(t)
	s.richProgram()
	srv := serve(t, keyed(s))
	plain := strings.NewReplacer("\u2068", "", "\u2069", "")
	for _, c := range []struct{ language, direction string }{{"en", "ltr"}, {"he", "rtl"}, {"ar", "rtl"}, {"fa", "rtl"}} {
		t.Run(c.language, func(t *testing.T) {
			tab, done := chromedp.NewContext(ctx)
			defer done()
			if err := chromedp.Do(tab, chromedp.EmulateViewport(360, 740)); err != nil {
				t.Fatal(err)
			}
			console := chromedp.Console(tab)
			if err := chromedp.Do(tab, chromedp.Navigate(srv+"/v1/program/terms?format=html&language="+c.language)); err != nil {
				t.Fatal(err)
			}
			got, err := chromedp.Run(tab, chromedp.Evaluate[measured](measure))
			if err != nil {
				t.Fatal(err)
			}
			if got.Direction != c.direction || got.Scroll > 360 || len(got.Beyond) > 0 || got.Scripts != 0 || len(got.Small) > 0 {
				t.Errorf("%s, %d wide, beyond the window %q, %d scripts, small %q", got.Direction, got.Scroll, got.Beyond, got.Scripts, got.Small)
			}
			terms := s.must("GET", "/v1/program/terms?language="+c.language, nil)
			n := 0
			for _, section := range terms.body["sections"].([]any) {
				for _, x := range section.(object)["sentences"].([]any) {
					text := plain.Replace(x.(object)["text"].(string))
					if n < len(got.Items) && got.Items[n] != text {
						t.Errorf("the page says %q, the terms %q", got.Items[n], text)
					}
					n++
				}
			}
			if n != len(got.Items) || n < 80 || got.Headings != len(terms.body["sections"].([]any)) {
				t.Errorf("%d sentences of %d, %d headings", len(got.Items), n, got.Headings)
			}
			// What was logged before the mark is all that the page gave cause for.
			if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](`console.log("mark"), true`)); err != nil {
				t.Fatal(err)
			}
			for m, err := range console {
				if err != nil {
					t.Fatal(err)
				}
				if m.Text == "mark" {
					break
				}
				t.Error(fmt.Sprint(m.Type, ": ", m.Text))
			}
		})
	}
}
