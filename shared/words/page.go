package words

import (
	"bytes"
	_ "embed" // the page
	"html"
	"html/template"
	"strings"
	"sync"
	"time"
)

//go:embed page.html
var layout string

// page is parsed when the first is wanted: most functions never show one.
var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("terms").Funcs(template.FuncMap{"bdi": bdi}).Parse(layout))
})

// bdi is a text with its isolates as elements. They are balanced: what was
// given has none of its own (see given).
func bdi(text string) template.HTML {
	return template.HTML(strings.NewReplacer(isolate, "<bdi>", end, "</bdi>").Replace(html.EscapeString(text)))
}

// Page is the terms of a version as a page of HTML without scripts, to be read
// on a phone too. published is in the program's zone.
func (l *Language) Page(version int64, published time.Time, terms []Section) ([]byte, error) {
	var b bytes.Buffer
	err := page().Execute(&b, struct {
		Language                   *Language
		Title, Published, Contents string
		Sections                   []Section
	}{l, l.say("title.page"), l.say("page.version", "n", l.number(version), "date", l.date(published)), l.say("page.contents"), terms})
	return b.Bytes(), err
}
