package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// reportScale is what a refresh of segments takes. All figures are CPU of one
// thread, but those of DuckDB, which has its own.
func reportScale(ctx context.Context, w io.Writer, endpoint string, n sizes, progress func(string)) error {
	progress(fmt.Sprintf("segments of %d members in memory", n.crowd))
	s, err := scoring(ctx, n.crowd)
	if err != nil {
		return err
	}
	t := sheet{{"members", "CPU seconds", "read", "merge", "refine", "score", "models", "MB at most", "in a group", "with an RFM score"}}
	grouped, scored := int64(0), int64(0)
	for _, g := range []string{"regular_heavy", "regular_light", "infrequent_heavy", "infrequent_light", "former"} {
		grouped += s.result.Groups[g]
	}
	for _, count := range s.result.RFM {
		scored += count
	}
	t.row(s.members, s.all().Seconds(), s.read.Seconds(), s.merge.Seconds(), s.refine.Seconds(), s.score.Seconds(), s.fit.Seconds(), s.memory>>20, grouped, scored)
	t.print(w, "Exact groups, fifths, deciles and values of synthetic members: CPU seconds, the fit of the models apart")

	progress(fmt.Sprintf("segments of %d members from the pages of a table", n.paged))
	p, err := pages(ctx, n.paged)
	if err != nil {
		return err
	}
	million := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(n.paged) }
	t = sheet{{"CPU seconds a million members", "pages to changes", "read", "merge", "refine", "score", "requests", "changed"}}
	for _, one := range []struct {
		name string
		*refreshed
	}{{"as we read pages", p.lean}, {"through the SDK's maps of attributes", p.maps}} {
		t.row(one.name, million(one.all()-p.asking), million(one.read-p.asking), million(one.merge), million(one.refine), million(one.score), million(p.asking), one.result.Writes)
	}
	progress("the same in DuckDB, if there is one")
	cpu, there, err := duckdb(ctx, n.paged)
	switch {
	case err != nil:
		return err
	case there:
		t.row("DuckDB, fifths only, from its own table", million(cpu), "", "", "", million(cpu), "", "")
	default:
		t.row("DuckDB: there is none here", "", "", "", "", "", "", "")
	}
	t.print(w, fmt.Sprintf("From raw pages to who changed, of %d members; requests are what asking takes, and the models' fit is apart", n.paged))

	progress("units of a refresh")
	u, err := walk(ctx, endpoint, n.walked)
	if err != nil {
		return err
	}
	t = sheet{{"members", "read units a million", "changed", "written", "write units a change", "read units a change", "bytes of an account"}}
	changes := float64(max(1, u.changed))
	t.row(n.walked, fmt.Sprintf("%.0f", u.read.Read*1e6/float64(n.walked)), u.changed, u.decided, u.score.Write/changes, u.score.Read/changes, u.score.Sizes["ACCOUNT"])
	t.print(w, "Units of DynamoDB of a refresh")
	return nil
}
