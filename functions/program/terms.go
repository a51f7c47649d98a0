package program

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"regulars/shared/loyalty"
	"regulars/shared/program"
	"regulars/shared/table"
	"regulars/shared/web"
	"regulars/shared/words"
	"regulars/shared/words/page"
)

// Terms are a version of the program in words.
type Terms struct {
	Version     int64           `json:"version"`
	Language    string          `json:"language"`  // that was used: the one asked for, if it is spoken
	Direction   string          `json:"direction"` // ltr or rtl
	PublishedAt time.Time       `json:"published_at"`
	Sections    []words.Section `json:"sections"`
}

// asked is which version the terms are wanted of.
type asked struct {
	party   table.Party
	version int64     // 0: the one in force
	at      time.Time // zero: now
}

// terms says the program in words, as JSON or as a page.
func (h *Handler) terms(ctx context.Context, r *web.Request) (web.Answer, error) {
	q := r.URL.Query()
	asPage, err := wantsPage(r, q.Get("format"))
	if err != nil {
		return web.Answer{}, err
	}
	a, err := ask(q)
	if err != nil {
		return web.Answer{}, err
	}
	member := q.Get("member")
	if r.Scope == web.Member {
		if member != "" && member != r.Self {
			return web.Answer{}, loyalty.NotFound("member")
		}
		member = r.Self
	}
	var out web.Answer
	err = h.Gate.Store.View(ctx, r.Program, func(tx *table.Tx) error {
		if member != "" {
			holder, err := tx.HolderOf(member)
			if err != nil {
				return err
			}
			a.party.Member = holder.Member
		}
		v, err := a.read(tx)
		if err != nil {
			return err
		}
		doc, err := program.Parse(v.Doc, nil)
		if err != nil {
			return err
		}
		l := words.Choose(append([]string{q.Get("language")}, doc.Languages...)...)
		t := Terms{Version: v.Number, Language: l.Code, Direction: l.Direction, PublishedAt: web.Instant(v.At), Sections: l.Terms(&doc)}
		if out.Body = t; asPage {
			out.Body, err = paged(l, &t, doc.TimeZone)
		}
		return err
	})
	return out, err
}

// paged is the terms as a page.
func paged(l *words.Language, t *Terms, zone string) (web.HTML, error) {
	local, err := time.LoadLocation(zone)
	if err != nil {
		return nil, err
	}
	return page.Of(l, l.Heading(t.Version, t.PublishedAt.In(local)), t.Sections)
}

// wantsPage tells whether to answer with a page: as format= says, else when a
// browser asks.
func wantsPage(r *web.Request, format string) (bool, error) {
	switch format {
	case "html":
		return true, nil
	case "json":
		return false, nil
	case "":
		return strings.Contains(r.Header.Get("Accept"), "text/html"), nil
	}
	return false, loyalty.Malformed("format", format, "must be json or html")
}

func ask(q url.Values) (asked, error) {
	a := asked{party: table.Party{Store: q.Get("store"), Region: q.Get("region")}}
	if s := q.Get("version"); s != "" {
		var err error
		if a.version, err = strconv.ParseInt(s, 10, 64); err != nil || a.version < 1 {
			return a, loyalty.Malformed("version", s, "must be the number of a version")
		}
	}
	if s := q.Get("at"); s != "" {
		if a.version != 0 {
			return a, loyalty.Malformed("at", s, "must not stand beside version")
		}
		var err error
		if a.at, err = time.Parse(time.RFC3339, s); err != nil || a.at.Year() < 1970 || a.at.Year() > 9999 {
			return a, loyalty.Malformed("at", s, "must be a time such as 2027-03-26T12:00:00Z")
		}
	}
	return a, nil
}

func (a *asked) read(tx *table.Tx) (*table.Version, error) {
	switch {
	case a.version != 0:
		return tx.Version(a.version)
	case !a.at.IsZero():
		return tx.VersionAt(a.party, a.at)
	}
	return tx.VersionFor(a.party)
}
