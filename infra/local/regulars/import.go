package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"regulars/functions/imports"
	"regulars/shared/table"
	"regulars/shared/web"
)

// bringIn imports a file into a running system, shows how far it is and tells
// what became of it. The import is asked for under a key that the file itself
// gives: the command, interrupted and run again, goes on with the same one.
func bringIn(ctx context.Context, out io.Writer, file string, args []string) error {
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	var q imports.Request
	flags.StringVar(&q.Kind, "kind", "", "orders, members or balances")
	flags.StringVar(&q.Format, "format", "", "ndjson or csv; by the file's name if left out")
	flags.StringVar(&q.Source, "source", "", "of which the orders of a CSV file, the external ids of members, the balances are")
	url := flags.String("url", "http://127.0.0.1:"+env("PORT", "8080"), "where the API answers; its admin key is API_KEY")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("import: what is %q?", flags.Arg(0))
	}
	if q.Format == "" {
		q.Format = "ndjson"
		if strings.HasSuffix(strings.ToLower(file), ".csv") {
			q.Format = "csv"
		}
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	c := client{url: strings.TrimSuffix(*url, "/"), key: env("API_KEY", "sk_local"), bar: &bar{out: out}}
	job, err := c.job(ctx, q, f)
	if err != nil {
		return err
	}
	if job.Status == table.ImportWaiting {
		if err := c.upload(ctx, *job.Upload, f); err != nil {
			return fmt.Errorf("%w\nRun the same command again: nothing was imported yet", err)
		}
	}
	for job.Status == table.ImportWaiting || job.Status == table.ImportRunning {
		select {
		case <-time.After(c.pause):
		case <-ctx.Done():
			return fmt.Errorf("import %s goes on by itself; the same command shows how far it is", job.ID)
		}
		c.pause = min(c.pause+50*time.Millisecond, time.Second)
		if err := c.ask(ctx, http.MethodGet, "/v1/imports/"+job.ID, nil, "", &job); err != nil {
			return err
		}
		c.bar.show(fmt.Sprintf("import, %d rows", job.Rows.Read), job.Progress.Bytes, job.Progress.Of)
	}
	c.bar.end()
	return told(out, file, job)
}

// client speaks to the API.
type client struct {
	url, key string
	pause    time.Duration
	bar      *bar
}

// job is the import of a file: the one that was asked for before, unless that
// one failed or its file never came in time.
func (c *client) job(ctx context.Context, q imports.Request, f io.ReadSeeker) (imports.Shape, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return imports.Shape{}, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return imports.Shape{}, err
	}
	for n := 1; ; n++ {
		var asked, now imports.Shape
		key := fmt.Sprintf("import %s %s %s %x %d", q.Kind, q.Format, q.Source, hash.Sum(nil), n)
		if err := c.ask(ctx, http.MethodPost, "/v1/imports", q, key, &asked); err != nil {
			return asked, err
		}
		err := c.ask(ctx, http.MethodGet, "/v1/imports/"+asked.ID, nil, "", &now)
		var p problem
		switch late := now.Status == table.ImportWaiting && time.Until(asked.Upload.ExpiresAt) < time.Minute; {
		case errors.As(err, &p) && p.Status == http.StatusNotFound, err == nil && (late || now.Status == table.ImportFailed):
			continue
		case err != nil:
			return now, err
		}
		now.Upload = asked.Upload
		return now, nil
	}
}

// problem is a refusal of the API.
type problem struct{ web.Problem }

func (p problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

func (c *client) ask(ctx context.Context, method, path string, body any, key string, answer any) error {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		p := problem{web.Problem{Status: res.StatusCode, Code: res.Status}}
		if err := json.NewDecoder(res.Body).Decode(&p.Problem); err != nil {
			return fmt.Errorf("%s answers %s", c.url, res.Status)
		}
		return p
	}
	return json.NewDecoder(res.Body).Decode(answer)
}

func (c *client) upload(ctx context.Context, to imports.Upload, f *os.File) error {
	is, err := f.Stat()
	if err != nil {
		return err
	}
	body := &counted{f, 0, func(n int64) { c.bar.show("upload", n, is.Size()) }}
	r, err := http.NewRequestWithContext(ctx, to.Method, to.URL, body)
	if err != nil {
		return err
	}
	if r.ContentLength = is.Size(); r.ContentLength == 0 {
		r.Body = http.NoBody
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		return fmt.Errorf("the upload is answered %s: %s", res.Status, why)
	}
	return nil
}

// counted tells how much was read.
type counted struct {
	io.Reader
	n    int64
	tell func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}

// told writes what became of an import, and what to do next.
func told(out io.Writer, file string, j imports.Shape) error {
	fmt.Fprintf(out, "%s of %s, %s: %s\n\n", j.ID, file, j.Kind, j.Status)
	fmt.Fprintf(out, "  rows     %d read = %d applied + %d duplicate + %d stale + %d ignored + %d refused\n",
		j.Rows.Read, j.Rows.Applied, j.Rows.Duplicate, j.Rows.Stale, j.Rows.Ignored, j.Rows.Refused)
	fmt.Fprintf(out, "  members  %d made\n", j.Members)
	if j.Kind != "members" {
		fmt.Fprintf(out, "  points   %+d, from %d to %d\n", j.Points.Delta, j.Points.Before, j.Points.After)
	}
	if b := j.Balances; b != nil {
		fmt.Fprintf(out, "  stated   %d = %d opened + %d opened before + %d refused\n", b.Stated, b.Opened, b.Already, b.Refused)
	}
	if len(j.Refused) > 0 {
		fmt.Fprint(out, "\nRefused:\n")
	}
	for _, r := range j.Refused {
		fmt.Fprintf(out, "  line %d: %s\n", r.Line, say(r))
	}
	if more := j.Rows.Refused - int64(len(j.Refused)); more > 0 {
		fmt.Fprintf(out, "  and %d more\n", more)
	}
	switch {
	case j.Failure != nil:
		return fmt.Errorf("the import failed at line %d: %s\nPut it right and run the command again; rows that were taken are known again and do nothing", j.Failure.Line, say(*j.Failure))
	case j.Rows.Refused > 0:
		fmt.Fprint(out, "\nNext: put these rows right, in this file or in one of their own, and import it. Rows that\nwere taken are known again and do nothing.\n")
	default:
		fmt.Fprint(out, "\nEvery row was taken. The same file again would do nothing.\n")
	}
	return nil
}

// say is a refusal in a line.
func say(r imports.Refusal) string {
	where := r.Path
	if r.Value != "" {
		where = strings.TrimSpace(fmt.Sprintf("%s %q", r.Path, r.Value))
	}
	if where == "" || where == "/" {
		return r.Code + ": " + r.Reason
	}
	return r.Code + " at " + where + ": " + r.Reason
}
