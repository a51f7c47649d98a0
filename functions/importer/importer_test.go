package importer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/functions/importer"
	"regulars/infra/local"
	"regulars/infra/proof/simulate/memory"
	"regulars/shared/loyalty"
	"regulars/shared/table"
	"regulars/shared/table/tabletest"
)

var start = time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC)

// files are uploads in memory.
type files map[string]string

func (f files) Open(_ context.Context, name string, from int64) (*importer.File, error) {
	text, ok := f[name]
	if !ok {
		return nil, importer.ErrNoFile
	}
	return &importer.File{ReadCloser: io.NopCloser(strings.NewReader(text[from:])), Tag: fmt.Sprint(len(text)), Size: int64(len(text))}, nil
}

// desk is a table with a program, on which imports are worked.
type desk struct {
	t      *testing.T
	engine table.Engine
	files  files
	ids    int
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, engine: memory.New(), files: files{}}
	if err := local.Setup(t.Context(), table.NewStore(d.engine), local.Deployment{Program: "p", AdminKey: "sk", Now: start}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) handler(e table.Engine) *importer.Handler {
	return &importer.Handler{Store: table.NewStore(e), Clock: func() time.Time { return start }, Files: d.files, NewID: func() string { d.ids++; return fmt.Sprintf("%04d", d.ids) }}
}

// ask makes an import whose file has come.
func (d *desk) ask(id, kind, format, file string) {
	d.t.Helper()
	d.files["p/"+id] = file
	if err := table.NewStore(d.engine).Update(d.t.Context(), "p", func(tx *table.Tx) error {
		tx.PutImport(&table.Import{ID: id, Kind: kind, Format: format, Source: "till", At: start.Unix(), Status: table.ImportWaiting})
		return nil
	}); err != nil {
		d.t.Fatal(err)
	}
}

// state is an import and the rows that it refused.
func (d *desk) state(id string) (table.Import, []table.Refusal) {
	d.t.Helper()
	var out table.Import
	var refused []table.Refusal
	if err := table.NewStore(d.engine).View(d.t.Context(), "p", func(tx *table.Tx) error {
		j, err := tx.Import(id)
		if err != nil {
			return err
		}
		out = *j
		refused, err = tx.Refusals(id, 100)
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	return out, refused
}

// whole imports a file and answers what became of it.
func (d *desk) whole(id, kind, format, file string) (table.Import, []table.Refusal) {
	d.t.Helper()
	d.ask(id, kind, format, file)
	if _, err := d.handler(d.engine).Run(d.t.Context(), importer.Event{File: "p/" + id}); err != nil {
		d.t.Fatal(err)
	}
	return d.state(id)
}

func order(id string, version, amount int, customer string) string {
	return fmt.Sprintf(`{"source":"till","id":%q,"version":%d,"state":"paid","currency":"ILS","paid_at":"2026-03-01T08:00:00Z","customer":{"external_id":%q},"lines":[{"id":"1","amount":%d}]}`, id, version, customer, amount)
}

const people = "\ufeffexternal_id,email,email_verified,name,birth_date,birth_calendar,consent_email\r\n" +
	"77,noa@example.com,TRUE,\"נועה לוי\",1990-02-28,,true\r\n" +
	"78,,,مريم,5750-06-03,hebrew,\r\n" +
	"79,zara@example.com,false,\"زهرا \"\"ز\"\"\nاحمدی\",,,\r\n"

func TestWhatBecomesOfRows(t *testing.T) {
	long := strings.Repeat("x", importer.MaxRow)
	for _, c := range []struct {
		name, kind, format, file string
		want                     table.Tally
		refused                  []string // line code path
	}{
		{
			"orders, again, older, of nobody", "orders", "ndjson",
			order("1", 2, 12000, "a") + "\n" + order("1", 2, 12000, "a") + "\r\n\n" + order("1", 1, 100, "a") + "\n" + `{"source":"till","id":"2","version":1,"state":"paid","currency":"ILS","lines":[{"id":"1","amount":100}]}`,
			table.Tally{Applied: 1, Duplicate: 1, Stale: 1, Ignored: 1, Members: 1, Before: 240, After: 360},
			nil,
		},
		{
			"the points of a newer version are the difference", "orders", "ndjson",
			order("1", 1, 12000, "a") + "\n" + order("1", 2, 7500, "a"),
			table.Tally{Applied: 2, Members: 1, Before: 120, After: 195},
			nil,
		},
		{
			"bad rows are told of and the rest goes on", "orders", "ndjson",
			"{\n" + strings.Replace(order("1", 1, 100, "a"), `"amount":100`, `"amount":"x"`, 1) + "\n" + order("2", 1, 200, "a") + "\n" + order("2", 1, 300, "a") + "\n" + strings.Replace(order("3", 1, 100, "a"), "ILS", "USD", 1),
			table.Tally{Applied: 1, Refused: 4, Members: 1, After: 2},
			[]string{"1 invalid_request /", "2 invalid_request /lines/0/amount", "4 version_conflict ", "5 currency_not_accepted "},
		},
		{
			"a line that is too long, and what is not UTF-8", "orders", "ndjson",
			order(long, 1, 100, "a") + "\n" + strings.Replace(order("1", 1, 100, "a"), "paid", "\xe0\xe1", 1) + "\n" + order("2", 1, 200, "a"),
			table.Tally{Applied: 1, Refused: 2, Members: 1, After: 2},
			[]string{"1 row_too_long /", "2 invalid_request /state"},
		},
		{
			"members, and again", "members", "csv", people + "77,,,,,,\r\n,,,nobody,,,\r\n80,a@,,,,,\r\n81,,,,1990-02-30,,\r\n82,,,,,,perhaps\r\n",
			table.Tally{Applied: 2, Duplicate: 1, Refused: 5, Members: 2},
			[]string{"4 invalid_request /name", "7 no_identity ", "8 invalid_request /email", "9 invalid_request /birth_date/date", "10 invalid_request /consents/email"},
		},
		{
			"members of JSON", "members", "ndjson", `{"external_ids":{"till":"1"},"name":"a"}` + "\n" + `{"external_ids":{"web":"2"},"points":5}`,
			table.Tally{Applied: 1, Refused: 1, Members: 1},
			[]string{"2 invalid_request /points"},
		},
		{
			"orders of several lines", "orders", "csv",
			"order_id,version,state,currency,external_id,line_id,amount,refunded_amount,discount\n" +
				"1,1,paid,ILS,a,1,10000,,1000\n1,1,paid,ILS,,2,2000,,\n" +
				"2,2026-03-01T08:00:00Z,paid,ILS,b,1,5000,1000,\n",
			table.Tally{Applied: 2, Members: 2, After: 110 + 40},
			nil,
		},
		{
			"a row of an order that is wrong takes the order along", "orders", "csv",
			"order_id,version,state,currency,external_id,line_id,amount\n" +
				"1,1,paid,ILS,a,1,100\n1,1,paid,ILS,a,2,many\n" +
				"2,1,paid,ILS,a,1,100\n2,1,paid,ILS,b,2,100\n" +
				"3,1,paid,ILS,a,1,100\n3,1,paid,ILS,\"a,2,100\n3,1,paid,ILS,a,3,100\n" +
				"4,1,paid,ILS,a,1,100\n4,1,paid\n" +
				"5,1,paid,ILS,a,1,100\n",
			table.Tally{Refused: 4},
			[]string{"3 invalid_request /lines/1/amount", "5 invalid_request /external_id", "7 invalid_request /", "10 invalid_request /"},
		},
		{
			"an order that is too long", "orders", "csv",
			"order_id,version,state,currency,external_id,line_id,amount,title\n" +
				"1,1,paid,ILS,a,1,100," + long[:600<<10] + "\n1,1,paid,ILS,a,2,100," + long[:600<<10] + "\n1,1,paid,ILS,a,3,100,\n" + "2,1,paid,ILS,a,1,200,\n3,1,paid,ILS,a,1,200," + long + "\n4,1,paid,ILS,a,1,200,\n5,1,paid,ILS,a,1,200,",
			table.Tally{Refused: 2, Applied: 1, Members: 1, After: 2},
			[]string{"2 row_too_long /", "6 row_too_long /"},
		},
		{"only the header", "balances", "csv", "points,member", table.Tally{}, nil},
		{"nothing", "balances", "ndjson", "", table.Tally{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, refused := newDesk(t).whole("J", c.kind, c.format, c.file)
			if j.Status != table.ImportDone || j.Offset != int64(len(c.file)) {
				t.Errorf("%+v %+v", j, j.Why)
			}
			var told []string
			for _, r := range refused {
				told = append(told, fmt.Sprint(r.Line, " ", r.Code, " ", r.Path))
				if r.Reason == "" || len(r.Value) > 300 {
					t.Errorf("%+v", r)
				}
			}
			if diff := cmp.Diff(c.want, j.Tally); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.refused, told); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
		})
	}
}

// A balance is opened once for ever, whichever file says it again; what the
// file states is what was opened, now or before, and what was refused.
func TestBalancesAreOpenedOnce(t *testing.T) {
	d := newDesk(t)
	d.whole("M", "members", "csv", people+"90,,,merged,,,\n")
	const first = "external_id,email,phone,points,expires_at,key\n" +
		"77,,,100,2027-01-01T00:00:00Z,\n" +
		",NOA@example.com,,50,,\n" + // another key: the file's own
		"78,,,0,,\n78,,,-5,,\n78,,,9223372036854775807,,\n78,,,many,,\n" +
		"78,,,30,2026-03-15T08:00:00Z,\n" +
		",zara@example.com,,30,,\n404,,,30,,\n,,,30,,\n78,a@b,,30,,\n"
	j, refused := d.whole("A", "balances", "csv", first)
	if diff := cmp.Diff(table.Tally{Applied: 2, Refused: 9, After: 150, Stated: 150 - 5 + 5*30, Withheld: -5 + 5*30}, j.Tally); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	var told []string
	for _, r := range refused {
		told = append(told, fmt.Sprint(r.Line, " ", r.Code, " ", r.Path, " ", r.Value))
	}
	if diff := cmp.Diff([]string{
		"4 invalid_request /points 0", "5 invalid_request /points -5", "6 invalid_request /points 9223372036854775807", "7 invalid_request /points many",
		"8 invalid_request /expires_at 2026-03-15T08:00:00Z", "9 unknown_member /email zara@example.com", "10 unknown_member /external_id 404",
		"11 invalid_request /external_id ", "12 invalid_request /external_id 78",
	}, told); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}

	again, refused := d.whole("B", "balances", "ndjson", `{"external_id":"77","points":100}`+"\n"+`{"email":"noa@EXAMPLE.com","points":51}`+"\n"+`{"external_id":"78","key":"k","points":7}`)
	if diff := cmp.Diff(table.Tally{Applied: 1, Duplicate: 1, Refused: 1, Before: 100, After: 107, Stated: 158, Withheld: 51}, again.Tally); diff != "" {
		t.Errorf("counts of the second file (-want +got):\n%s", diff)
	}
	if len(refused) != 1 || refused[0].Code != "opened_otherwise" || refused[0].Line != 2 {
		t.Errorf("%+v", refused)
	}
	if err := table.NewStore(d.engine).View(t.Context(), "p", func(tx *table.Tx) error {
		known, err := tx.Match("till", &loyalty.Customer{ExternalID: "77"})
		if err != nil {
			return err
		}
		a, err := tx.Account(known)
		if err != nil {
			return err
		}
		e := a.Tail[0]
		if a.Balance != 150 || e.Type != loyalty.Adjust || e.Reason != "import" || e.Ref != "imp_A" || e.Lots[0].Expires != time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).Unix() {
			t.Errorf("%+v", a)
		}
		if e := a.Tail[1]; e.Lots[0].Expires != time.Date(2027, 3, 15, 22, 0, 0, 0, time.UTC).Unix() { // the program's own: twelve months, to the end of the day
			t.Errorf("%+v", e)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// end is where a process ends: before or after one of its calls of the store.
type end struct {
	table.Engine
	calls, at int
}

var errEnd = errors.New("the process ended")

func (e *end) over() bool { e.calls++; return e.at > 0 && e.calls >= e.at }

func (e *end) Get(ctx context.Context, k table.Key, consistent bool) (table.Item, error) {
	if e.over() {
		return table.Item{}, errEnd
	}
	return e.Engine.Get(ctx, k, consistent)
}

func (e *end) Write(ctx context.Context, writes ...table.Write) error {
	if e.over() {
		return errEnd
	}
	err := e.Engine.Write(ctx, writes...)
	if e.over() { // written, and nobody was told
		return errEnd
	}
	return err
}

// mixed are files of every kind in which every outcome is.
var mixed = []struct{ kind, format, file string }{
	{"members", "csv", people + "77,,,again,,,\n,,,nobody,,,\n"},
	{"orders", "ndjson", order("1", 1, 12000, "77") + "\n" + order("1", 2, 6000, "77") + "\n" + order("1", 1, 12000, "77") + "\n{\n" + order("1", 2, 6000, "77") + "\n" + order("2", 1, 500, "new") + "\n"},
	{"orders", "csv", "order_id,version,state,currency,external_id,line_id,amount\n3,1,paid,ILS,77,1,100\n3,1,paid,ILS,77,2,900\n\n4,1,paid,ILS,newer,1,x\n5,1,paid,ILS,newer,1,700\n"},
	{"balances", "csv", "external_id,points,key\n77,100,\n78,10,\n77,100,\n78,11,\n404,5,\n78,10,other\n"},
}

// content is all that a table holds, but for when things were begun and
// which ids members got.
func (d *desk) content() (out []string) {
	d.t.Helper()
	var ledgers strings.Builder
	if err := local.Verify(d.t.Context(), d.engine, &ledgers); err != nil {
		d.t.Errorf("%v\n%s", err, &ledgers)
	}
	for i := range mixed {
		j, refused := d.state(fmt.Sprint(i))
		j.Begun, j.Begins = 0, 0
		for _, v := range []any{j, refused} {
			raw, err := json.Marshal(v)
			if err != nil {
				d.t.Fatal(err)
			}
			out = append(out, string(raw))
		}
	}
	return append(out, ledgers.String())
}

func (d *desk) everything(run func(id string)) {
	for i, m := range mixed {
		d.ask(fmt.Sprint(i), m.kind, m.format, m.file)
		run(fmt.Sprint(i))
	}
}

// A process that ends at any call of the store, before it or after it wrote,
// is followed by another, and the report and the table are as if it had not:
// nothing was done or counted twice.
func TestACrashAtEveryCallOfTheStore(t *testing.T) {
	plain := newDesk(t)
	whole := &end{Engine: plain.engine}
	plain.everything(func(id string) {
		if _, err := plain.handler(whole).Run(t.Context(), importer.Event{File: "p/" + id}); err != nil {
			t.Fatal(err)
		}
	})
	want := plain.content()
	for at := 1; at <= whole.calls; at++ {
		d := newDesk(t)
		cut := &end{Engine: d.engine, at: at}
		d.everything(func(id string) {
			_, err := d.handler(cut).Run(t.Context(), importer.Event{File: "p/" + id})
			if errors.Is(err, errEnd) {
				cut.at = 0 // the next process
				_, err = d.handler(cut).Run(t.Context(), importer.Event{Schedule: "imports"})
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		if diff := cmp.Diff(want, d.content()); diff != "" {
			t.Fatalf("with an end at call %d (-without +with):\n%s", at, diff)
		}
	}
	t.Logf("%d crashes", whole.calls)
}

// The same where each process does no more than a few calls before it ends:
// it gets on, row by row.
func TestProcessesThatNeverLiveLong(t *testing.T) {
	plain := newDesk(t)
	plain.everything(func(id string) {
		if _, err := plain.handler(plain.engine).Run(t.Context(), importer.Event{File: "p/" + id}); err != nil {
			t.Fatal(err)
		}
	})
	d := newDesk(t)
	lives := 0
	d.everything(func(id string) {
		for {
			lives++
			_, err := d.handler(&end{Engine: d.engine, at: 20}).Run(t.Context(), importer.Event{Schedule: "imports"})
			if err == nil {
				return
			}
			if !errors.Is(err, errEnd) || lives > 1000 {
				t.Fatal(err)
			}
		}
	})
	if diff := cmp.Diff(plain.content(), d.content()); diff != "" {
		t.Errorf("(-one +%d lives):\n%s", lives, diff)
	}
	if lives < 10 {
		t.Errorf("%d lives", lives)
	}
}

// Many workers at one file do what one would.
func TestWorkersSideBySide(t *testing.T) {
	plain := newDesk(t)
	plain.everything(func(id string) {
		if _, err := plain.handler(plain.engine).Run(t.Context(), importer.Event{File: "p/" + id}); err != nil {
			t.Fatal(err)
		}
	})
	d := newDesk(t)
	d.everything(func(id string) {
		var wg sync.WaitGroup
		for n := range 6 {
			h := d.handler(d.engine)
			made := 0
			h.NewID = func() string { made++; return fmt.Sprintf("%s%d%04d", id, n, made) }
			wg.Go(func() {
				if _, err := h.Run(t.Context(), importer.Event{File: "p/" + id}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, err := d.handler(d.engine).Run(t.Context(), importer.Event{Schedule: "imports"}); err != nil {
			t.Error(err)
		}
	})
	if diff := cmp.Diff(plain.content(), d.content()); diff != "" {
		t.Errorf("(-one +six workers):\n%s", diff)
	}
}

func TestWhatEndsAnImport(t *testing.T) {
	run := func(d *desk, ctx context.Context, e table.Engine) (importer.Report, error) {
		return d.handler(e).Run(ctx, importer.Event{Schedule: "imports"})
	}
	for _, c := range []struct{ name, kind, file, code, path string }{
		{"a column that is none", "orders", "order_id,version,state,currency,price\n", "invalid_request", "/4"},
		{"a column twice", "members", "name,name\n", "invalid_request", "/1"},
		{"a column that is missing", "orders", "order_id,version,state\n", "invalid_request", "/currency"},
		{"no first line", "members", "\n\n", "invalid_request", "/"},
		{"another encoding", "members", "name,\xe0\n", "invalid_request", "/"},
		{"a sheet with semicolons", "members", "name;email\n", "invalid_request", "/0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, _ := newDesk(t).whole("J", c.kind, "csv", c.file)
			if j.Status != table.ImportFailed || j.Why.Code != c.code || j.Why.Path != c.path || j.Rows() != 0 {
				t.Errorf("%+v %+v", j, j.Why)
			}
		})
	}
	t.Run("another file in its place", func(t *testing.T) {
		d := newDesk(t)
		d.ask("J", "orders", "ndjson", mixed[1].file)
		if _, err := run(d, t.Context(), &end{Engine: d.engine, at: 30}); !errors.Is(err, errEnd) {
			t.Fatal(err)
		}
		d.files["p/J"] += order("9", 1, 100, "a")
		if _, err := run(d, t.Context(), d.engine); err != nil {
			t.Fatal(err)
		}
		if j, _ := d.state("J"); j.Status != table.ImportFailed || j.Why.Code != "file_replaced" || j.Rows() == 0 {
			t.Errorf("%+v %+v", j, j.Why)
		}
	})
	t.Run("no progress", func(t *testing.T) {
		d := newDesk(t)
		d.ask("J", "orders", "ndjson", mixed[1].file)
		stuck := tabletest.Faulty(d.engine, func(writes []table.Write) tabletest.Fault {
			if len(writes) > 1 { // not how far it is
				return tabletest.Failed
			}
			return tabletest.None
		})
		for n := range 100 {
			_, err := run(d, t.Context(), stuck)
			if j, _ := d.state("J"); j.Status == table.ImportFailed {
				if err != nil || j.Why.Code != "stopped" || j.Why.Line != 1 || n < 5 {
					t.Errorf("%v %+v %+v after %d runs", err, j, j.Why, n)
				}
				return
			}
			if !errors.Is(err, tabletest.ErrFailed) {
				t.Fatal(err)
			}
		}
		t.Error("it is begun for ever")
	})
	t.Run("no time", func(t *testing.T) {
		d := newDesk(t)
		d.ask("J", "orders", "ndjson", mixed[1].file)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r, err := run(d, ctx, d.engine); err != nil || r.Complete || r.Rows != 0 {
			t.Errorf("%+v %v", r, err)
		}
		if r, err := run(d, t.Context(), d.engine); err != nil || !r.Complete || r.Rows != 6 {
			t.Errorf("%+v %v", r, err)
		}
	})
	t.Run("no file", func(t *testing.T) {
		d := newDesk(t)
		d.ask("J", "orders", "ndjson", "")
		delete(d.files, "p/J")
		if r, err := run(d, t.Context(), d.engine); err != nil || r.Imports != 1 || !r.Complete {
			t.Errorf("%+v %v", r, err)
		}
		if j, _ := d.state("J"); j.Status != table.ImportWaiting {
			t.Errorf("%+v", j)
		}
	})
}
