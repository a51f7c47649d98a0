package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"regulars/functions/importer"
	"regulars/functions/imports"
	"regulars/shared/table"
)

// A shop brings in a file of orders: new ones, and some that it told of before.
// Two workers begin on the file at once.
var importOrders = Kind{Name: "import", Weight: 1, Draw: func(w *world, p *programme, r *rand.Rand) *message {
	if r.IntN(3) > 0 {
		return nil
	}
	file := &workImport{}
	for range 1 + r.IntN(6) {
		o := w.anOrder(p, false, r)
		if o == nil || r.IntN(2) == 0 {
			o = &shopOrder{source: "old-till", id: fmt.Sprint(w.number()), channel: byAPI, customer: fmt.Sprint("old", r.IntN(40))}
			n := money(r)
			o.editions = []*edition{{version: 1, state: "paid", placedAt: w.clock - r.Int64N(30*24*3600), lines: []int64{n}, goods: n}}
			o.editions[0].paidAt = o.editions[0].placedAt
		}
		told := *o
		told.channel = byAPI
		file.rows = append(file.rows, &tellOrder{&told, o.editions[r.IntN(len(o.editions))]})
	}
	m := &message{op: &askImport{}, program: p, key: w.key("import")}
	m.acked = func(body map[string]any) {
		file.id = body["id"].(string)[4:]
		p.files[p.name+"/"+file.id] = file
		work := &message{step: m.step, kind: "import's work", op: file, program: p}
		w.deliver(work, w.clock+1)
		w.deliver(work, w.clock+1)
	}
	return m
}}

type askImport struct{}

func (*askImport) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/v1/imports", `{"kind":"orders","format":"ndjson"}`)
}

func (*askImport) Decide(_ *programme, _ time.Time, id string) (answer, func()) {
	return answer{202, "", []value{{"id", "imp_" + id}, {"status", "waiting"}}}, func() {}
}

// address stands for what signs addresses.
func address(r *http.Request, name string) (imports.Upload, error) {
	return imports.Upload{URL: "http://simulated/" + name, Method: http.MethodPut}, nil
}

// workImport is the work on a file, each row a transaction of its own.
type workImport struct {
	id   string
	rows []*tellOrder

	done  int // rows that the product has taken
	tally table.Tally
	wrong string

	now   time.Time // and the id of whoever is new, at the last decision
	guest string
}

func (f *workImport) Request(p *programme, _ time.Time) *http.Request {
	return request(p, "POST", "/work/"+p.name+"/"+f.id, "")
}

func (f *workImport) Decide(_ *programme, now time.Time, id string) (answer, func()) {
	f.now, f.guest = now, id
	return answer{200, "", []value{{"status", "over"}}}, func() {}
}

// Wrote implements inParts: the model decides each row when the product has.
// What was refused was so a moment before, when the row was decided.
func (f *workImport) Wrote(p *programme, writes []table.Write) {
	for _, w := range writes {
		if w.Item.SK != "IMPORT" {
			continue
		}
		j, err := table.Decode[table.Import](w.Item)
		if err != nil {
			f.wrong = err.Error()
			return
		}
		if j.Line > int64(f.done) && f.done < len(f.rows) {
			f.follow(p, f.rows[f.done], j)
			f.done++
		}
		if j.Tally != f.tally || j.Rows() != int64(f.done) || j.Status == table.ImportDone && f.done != len(f.rows) {
			f.wrong = fmt.Sprintf("import %s tells %+v after %d rows, and should tell %+v", f.id, j.Tally, f.done, f.tally)
		}
	}
}

func (f *workImport) follow(p *programme, row *tellOrder, j *table.Import) {
	if j.Refused > f.tally.Refused {
		f.tally.Refused++
		return
	}
	worth := func() int64 {
		if o := p.orders[row.order.ref()]; o != nil {
			return o.points
		}
		return 0
	}
	before, known := worth(), len(p.people)
	is, do := row.Decide(p, f.now, f.guest)
	if do != nil {
		do()
	}
	switch is.values[0].want {
	case "applied":
		f.tally.Applied++
	case "duplicate":
		f.tally.Duplicate++
	case "stale":
		f.tally.Stale++
	default:
		f.wrong = fmt.Sprintf("a row was taken that is to be answered %v", is)
	}
	f.tally.Members += int64(len(p.people) - known)
	f.tally.Before += before
	f.tally.After += worth()
}

// Left implements inParts.
func (f *workImport) Left(*programme, map[string]any) string { return f.wrong }

// Open implements importer.Files.
func (w *world) Open(_ context.Context, name string, from int64) (*importer.File, error) {
	for _, p := range w.programmes {
		if f := p.files[name]; f != nil {
			var text strings.Builder
			for _, row := range f.rows {
				text.Write(row.body())
				text.WriteByte('\n')
			}
			return &importer.File{ReadCloser: io.NopCloser(strings.NewReader(text.String()[from:])), Tag: "1", Size: int64(text.Len())}, nil
		}
	}
	return nil, importer.ErrNoFile
}

// work runs the importer on a file until it is over.
func (w *world) work(in *instance) http.HandlerFunc {
	h := &importer.Handler{Store: in.store, Clock: func() time.Time { return in.task.now }, Files: w, NewID: func() string { return in.task.id() }}
	return func(rw http.ResponseWriter, r *http.Request) {
		for open := true; open; {
			_, err := h.Run(r.Context(), importer.Event{File: r.PathValue("program") + "/" + r.PathValue("id")})
			if err == nil {
				err = in.store.View(r.Context(), r.PathValue("program"), func(tx *table.Tx) error {
					j, err := tx.Import(r.PathValue("id"))
					open = err == nil && j.Open()
					return err
				})
			}
			if err != nil {
				rw.WriteHeader(http.StatusInternalServerError)
				return
			}
		}
		rw.WriteHeader(http.StatusOK)
		io.WriteString(rw, `{"status":"over"}`)
	}
}
