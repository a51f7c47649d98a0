// Package page shows a program's terms to people: a page of HTML without
// scripts, to be read on a phone too. It stands beside package words, which
// says them, because few of those who need words need a page.
package page

import (
	"bytes"
	_ "embed" // the page
	"html"
	"html/template"
	"strings"

	"regulars/shared/words"
)

//go:embed page.html
var layout string

var parsed = template.Must(template.New("terms").Funcs(template.FuncMap{"bdi": bdi}).Parse(layout))

// isolates are what words puts around names and numbers. They are balanced:
// what was given has none of its own.
var isolates = strings.NewReplacer("\u2068", "<bdi>", "\u2069", "</bdi>")

// bdi is a text with its isolates as elements.
func bdi(text string) template.HTML { return template.HTML(isolates.Replace(html.EscapeString(text))) }

// Of is the page of the terms that a language says under a heading.
func Of(l *words.Language, h words.Heading, terms []words.Section) ([]byte, error) {
	var b bytes.Buffer
	err := parsed.Execute(&b, struct {
		Language *words.Language
		words.Heading
		Sections []words.Section
	}{l, h, terms})
	return b.Bytes(), err
}
