// Package importer takes in files of history: orders, members, and balances of
// another system, row by row. Each row is one transaction of what it says and
// of how far the import has come, so a run that is cut off anywhere is
// continued where it was, and nothing is done or counted twice; nor by two
// workers at the same file. It is started when a file has come, and by a
// schedule for whatever is not finished.
package importer

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"regulars/shared/loyalty"
	"regulars/shared/table"
)

// Handler works on imports.
type Handler struct {
	Store *table.Store
	Clock func() time.Time // business time
	Files Files
	NewID func() string // makes the part of a member's id behind its prefix; nil: a ULID
}

// Files are where uploads lie.
type Files interface {
	// Open reads a file, named program/id, from a byte on. ErrNoFile when
	// there is none.
	Open(ctx context.Context, name string, from int64) (*File, error)
}

// File is an upload that is being read.
type File struct {
	io.ReadCloser
	Tag  string // another one for another content
	Size int64  // bytes of the whole file
}

// ErrNoFile says that a file has not been uploaded.
var ErrNoFile = errors.New("importer: no such file")

// Event starts a run: on the file that has come, else on all that is open.
type Event struct {
	Schedule string `json:"schedule,omitempty"` // a name of the topology's schedules
	File     string `json:"file,omitempty"`     // program/id
}

// Report says what a run did.
type Report struct {
	Imports  int64 `json:"imports"`  // that were open
	Rows     int64 `json:"rows"`     // that this run took
	Complete bool  `json:"complete"` // false: time ran out, the next run continues
}

const (
	margin = 5 * time.Second // before the deadline, in which no row is begun
	tries  = 8               // runs that may get no further than the one before
)

// Run takes in what has come.
func (h *Handler) Run(ctx context.Context, e Event) (Report, error) {
	report := Report{Complete: true}
	open := [][2]string{}
	if program, id, ok := strings.Cut(e.File, "/"); ok {
		open = append(open, [2]string{program, id})
	} else {
		var err error
		if open, err = h.Store.OpenImports(ctx); err != nil {
			return report, fmt.Errorf("read what is open: %w", err)
		}
	}
	var all error
	for _, of := range open {
		report.Imports++
		w := worker{Handler: h, program: of[0], id: of[1]}
		err := w.run(ctx)
		report.Rows += w.rows
		switch {
		case errors.Is(err, errTime), ctx.Err() != nil:
			report.Complete = false
			return report, all
		case errors.Is(err, errOther), errors.Is(err, ErrNoFile):
		case err != nil:
			slog.ErrorContext(ctx, "import cut off", "program", of[0], "import", of[1], "error", err)
			all = errors.Join(all, fmt.Errorf("import %s: %w", of[1], err))
		}
	}
	return report, all
}

// What ends a run early without anything being wrong.
var (
	errTime  = errors.New("out of time")
	errOther = errors.New("another worker is further, or it is over")
)

// worker is at work on one import.
type worker struct {
	*Handler
	program, id string
	at          table.Import // as this worker left it
	rows        int64
}

// row is one row of a file.
type row struct {
	body  []byte  // JSON
	lines []int64 // on which it begins, and each of its further records
	last  int64   // line on which it ends
	end   int64   // bytes of the file up to and with it
	err   *rowError
}

// rowError is why a row cannot be taken, and which of its records.
type rowError struct {
	*loyalty.Error
	record int
}

func (w *worker) run(ctx context.Context) error {
	err := w.Store.View(ctx, w.program, func(tx *table.Tx) error {
		j, err := tx.Import(w.id)
		if err == nil {
			w.at = *j
		}
		return err
	})
	if err != nil {
		return err
	}
	if !w.at.Open() {
		return errOther
	}
	f, err := w.Files.Open(ctx, w.program+"/"+w.id, w.at.Offset)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := w.begin(ctx, f); err != nil {
		return err
	}
	read := &lines{r: bufio.NewReaderSize(f, 64<<10), n: w.at.Line, at: w.at.Offset}
	if w.at.Format == "csv" && w.at.Columns == nil {
		if err := w.header(ctx, read); err != nil {
			return err
		}
	}
	for {
		if left, ok := ctx.Deadline(); ok && time.Until(left) < margin {
			return errTime
		}
		r, err := w.next(read)
		if err == io.EOF {
			return w.step(ctx, func(_ *table.Tx, j *table.Import) error {
				j.Status, j.Line, j.Offset = table.ImportDone, read.n, read.at
				return nil
			})
		}
		if err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
		if err := w.take(ctx, r); err != nil {
			return err
		}
		w.rows++
	}
}

// step changes the import as this worker left it, in a transaction with what
// change puts. errOther when it is not as this worker left it: what another
// worker has done is not done again.
func (w *worker) step(ctx context.Context, change func(*table.Tx, *table.Import) error) error {
	var after table.Import
	err := w.Store.Update(ctx, w.program, func(tx *table.Tx) error {
		if err := tx.Fresh(); err != nil { // what becomes of a row is counted: nothing it depends on may be old
			return err
		}
		j, err := tx.Import(w.id)
		if err != nil {
			return err
		}
		if !j.Open() || j.Offset != w.at.Offset {
			return errOther
		}
		if err := change(tx, j); err != nil {
			return err
		}
		tx.PutImport(j)
		after = *j
		return nil
	})
	if err == nil {
		w.at = after
	}
	return err
}

// begin notes that a worker begins where the import stands, and with what
// file. One that gets no further however often it is begun is given up, and so
// is one whose file is another now.
func (w *worker) begin(ctx context.Context, f *File) error {
	err := w.step(ctx, func(_ *table.Tx, j *table.Import) error {
		if j.Status == table.ImportWaiting {
			j.Status, j.Tag, j.Size = table.ImportRunning, f.Tag, f.Size
		}
		if j.Begun != j.Offset {
			j.Begun, j.Begins = j.Offset, 0
		}
		j.Begins++
		switch {
		case j.Tag != f.Tag:
			j.Fail(table.Refusal{Line: j.Line + 1, Code: "file_replaced", Reason: "another file was uploaded while this one was being read"})
		case j.Begins > tries:
			j.Fail(table.Refusal{Line: j.Line + 1, Code: "stopped", Reason: "the work got no further than this line however often it was begun"})
		}
		return nil
	})
	return w.unless(ctx, err)
}

// unless is err, or that the import has failed.
func (w *worker) unless(ctx context.Context, err error) error {
	if err == nil && w.at.Status == table.ImportFailed {
		slog.WarnContext(ctx, "import failed", "program", w.program, "import", w.id, "line", w.at.Why.Line, "code", w.at.Why.Code)
		return errOther
	}
	return err
}

// header reads the names of the columns.
func (w *worker) header(ctx context.Context, read *lines) error {
	r, err := read.record()
	if err != nil && err != io.EOF {
		return fmt.Errorf("read the file: %w", err)
	}
	var wrong *loyalty.Error
	if err == io.EOF {
		wrong = loyalty.Malformed("/", "", "the file is empty: its first line names the columns")
	} else {
		wrong = header(&w.at, r)
	}
	err = w.step(ctx, func(_ *table.Tx, j *table.Import) error {
		if wrong != nil {
			j.Fail(refusal(wrong, max(r.first, 1)))
			return nil
		}
		j.Columns, j.Line, j.Offset = r.cells, r.last.n, r.last.end
		return nil
	})
	return w.unless(ctx, err)
}

// next reads the next row.
func (w *worker) next(read *lines) (row, error) {
	if w.at.Format == "csv" {
		return read.fromCSV(&w.at)
	}
	return read.fromJSON()
}

// fromJSON reads the next line that is not empty.
func (s *lines) fromJSON() (row, error) {
	for {
		l, err := s.next()
		if err != nil {
			return row{}, err
		}
		r := row{body: l.text, lines: []int64{l.n}, last: l.n, end: l.end}
		if l.text == nil {
			r.err = &rowError{tooLong(), 0}
		} else if len(strings.TrimSpace(string(l.text))) == 0 {
			continue
		}
		return r, nil
	}
}

// take decides one row. What is refused is counted in a transaction of its
// own, for a decision that is refused writes nothing.
func (w *worker) take(ctx context.Context, r row) error {
	refused := r.err
	if refused == nil {
		taken := takers[w.at.Kind](w, r.body)
		err := w.step(ctx, func(tx *table.Tx, j *table.Import) error {
			j.Line, j.Offset = r.last, r.end
			return taken(tx, j)
		})
		var e *loyalty.Error
		if !errors.As(err, &e) {
			return err
		}
		refused = &rowError{Error: e}
	}
	return w.step(ctx, func(tx *table.Tx, j *table.Import) error {
		j.Line, j.Offset = r.last, r.end
		w.refuse(tx, j, r, refused)
		return nil
	})
}

func (h *Handler) newID() string {
	if h.NewID != nil {
		return h.NewID()
	}
	return ulid.Make().String()
}

// seed is a secret that nobody can guess: voucher codes come from it.
func (h *Handler) seed() string {
	if h.NewID != nil {
		return h.NewID()
	}
	return rand.Text()
}
