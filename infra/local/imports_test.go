package local_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regulars/infra/local"
)

// upload sends a file to where an import wants it.
func (s *shop) upload(asked answer, file string) answer {
	s.t.Helper()
	r, err := http.NewRequest(asked.str("upload.method"), asked.str("upload.url"), strings.NewReader(file))
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	res.Body.Close()
	return answer{status: res.StatusCode}
}

// over waits until an import has ended and answers what became of it.
func (s *shop) over(id string) answer {
	s.t.Helper()
	for range 1000 {
		if a := s.must("GET", "/v1/imports/"+id, nil); a.str("status") == "done" || a.str("status") == "failed" {
			return a
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("import %s does not end", id)
	return answer{}
}

// imported brings a file in as a whole.
func (s *shop) imported(request object, file string) answer {
	s.t.Helper()
	asked := s.must("POST", "/v1/imports", request)
	if a := s.upload(asked, file); a.status != 200 {
		s.t.Fatalf("the upload is answered %d", a.status)
	}
	return s.over(asked.str("id"))
}

// History of another system: members, what they had, what they bought. Brought
// in again it changes nothing, and what comes live afterwards joins it.
func TestHistoryIsBroughtIn(t *testing.T) {
	engines(t, func(t *testing.T, s *shop) {
		s.clock("2026-03-15T08:00:00Z")
		const (
			people   = "\ufeffexternal_id,email,email_verified,name\r\n77,noa@example.com,true,נועה לוי\r\n78,,,فاطمة الزهراء\r\n79,,,مریم احمدی\r\n"
			balances = `{"external_id":"77","points":500,"expires_at":"2026-12-31T22:00:00Z"}` + "\n" + `{"external_id":"78","points":40}` + "\n" + `{"external_id":"none","points":60}`
			orders   = "order_id,version,state,currency,paid_at,external_id,line_id,amount\n" +
				"1,1,paid,ILS,2026-03-01T08:00:00Z,77,1,10000\n1,1,paid,ILS,2026-03-01T08:00:00Z,77,2,2000\n2,1,paid,ILS,2026-03-02T08:00:00Z,80,1,5000\n"
		)
		files := []struct {
			request object
			file    string
			want    []string // of the first time, of the second
		}{
			{object{"kind": "members", "format": "csv", "source": "till"}, people, []string{"3 applied 0 duplicate 0 refused 3 made 0 points", "0 applied 3 duplicate 0 refused 0 made 0 points"}},
			{object{"kind": "balances", "format": "ndjson", "source": "till"}, balances, []string{"2 applied 0 duplicate 1 refused 0 made 540 points", "0 applied 2 duplicate 1 refused 0 made 0 points"}},
			{object{"kind": "orders", "format": "csv", "source": "till"}, orders, []string{"2 applied 0 duplicate 0 refused 1 made 170 points", "0 applied 2 duplicate 0 refused 0 made 0 points"}},
		}
		for time := range 2 {
			for _, f := range files {
				a := s.imported(f.request, f.file)
				got := fmt.Sprintf("%d applied %d duplicate %d refused %d made %d points", a.num("rows.applied"), a.num("rows.duplicate"), a.num("rows.refused"), a.num("members_made"), a.num("points.delta"))
				if got != f.want[time] || a.str("status") != "done" || a.num("progress.bytes") != int64(len(f.file)) || a.num("progress.of") != int64(len(f.file)) {
					t.Errorf("%v, time %d: %s\n%s", f.request, time, got, a.raw)
				}
				if f.request["kind"] == "balances" {
					if a.num("balances.stated") != 600 || a.num("balances.opened")+a.num("balances.already_opened") != 540 || a.num("balances.refused") != 60 {
						t.Errorf("%s", a.raw)
					}
					if a.num("refused.0.line") != 3 || a.str("refused.0.code") != "unknown_member" || a.str("refused.0.value") != "none" {
						t.Errorf("%s", a.raw)
					}
				}
			}
		}
		for id, want := range map[string]struct {
			name   string
			points int64
		}{"77": {"נועה לוי", 620}, "78": {"فاطمة الزهراء", 40}, "79": {"مریم احمدی", 0}, "80": {"", 50}} {
			m := s.must("GET", "/v1/members?source=till&external_id="+id, nil)
			if m.str("data.0.name") != want.name || m.num("data.0.points.available") != want.points {
				t.Errorf("%s: %s", id, m.raw)
			}
			s.holds(m.str("data.0.id"))
		}
		// A refund of an imported order, told live.
		o := order("1", "", 12000, object{"version": 2, "state": "cancelled"})
		delete(o, "member")
		if a := s.earn(o); a.str("status") != "applied" || a.num("points") != 0 {
			t.Errorf("%s", a.raw)
		}
	})
}

func TestAnImportIsAskedForProperly(t *testing.T) {
	s := embedded(t)
	for _, c := range []struct {
		body object
		path string
	}{
		{object{}, "/kind"},
		{object{"kind": "points", "format": "csv"}, "/kind"},
		{object{"kind": "orders", "format": "xml"}, "/format"},
		{object{"kind": "orders", "format": "csv"}, "/source"},
		{object{"kind": "balances", "format": "ndjson"}, "/source"},
		{object{"kind": "orders", "format": "csv", "source": "The Till"}, "/source"},
		{object{"kind": "orders", "format": "ndjson", "source": "till"}, "/source"},
		{object{"kind": "orders", "format": "ndjson", "url": "http://169.254.169.254/"}, "/url"},
	} {
		if a := s.refused(400, "invalid_request", "POST", "/v1/imports", c.body); a.str("details.path") != c.path {
			t.Errorf("%v: %s", c.body, a.raw)
		}
	}
	ask := func() answer {
		return s.must("POST", "/v1/imports", object{"kind": "members", "format": "ndjson"}, "Idempotency-Key", "once")
	}
	first, again := ask(), ask()
	if first.status != 202 || first.str("id") != again.str("id") || first.str("upload.url") != again.str("upload.url") || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s\n%s", first.raw, again.raw)
	}
}

// Only who was given the address can send the file, and only that file.
func TestUploadsAreSigned(t *testing.T) {
	s := embedded(t)
	one := s.must("POST", "/v1/imports", object{"kind": "members", "format": "ndjson"})
	two := s.must("POST", "/v1/imports", object{"kind": "members", "format": "ndjson"})
	address := one.str("upload.url")
	bare := func(a answer) string { return strings.TrimPrefix(a.str("id"), "imp_") }
	for name, url := range map[string]string{
		"no token":          address[:strings.Index(address, "?")],
		"another token":     address[:len(address)-4] + "0000",
		"a later end":       strings.Replace(address, "expires=", "expires=9", 1),
		"another import":    strings.Replace(address, bare(one), bare(two), 1),
		"another program":   strings.Replace(address, "/local/", "/other/", 1),
		"a path that leads": strings.Replace(address, bare(one), "..%2F..%2Ftable.db", 1),
	} {
		r := httptest.NewRequest("PUT", url, strings.NewReader(`{"email":"a@b"}`))
		w := httptest.NewRecorder()
		if s.host.ServeHTTP(w, r); w.Code != 403 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if a := s.upload(one, `{"email":"a@b.example"}`); a.status != 200 {
		t.Errorf("%d", a.status)
	}
	if a := s.over(one.str("id")); a.num("members_made") != 1 {
		t.Errorf("%s", a.raw)
	}
	if a := s.must("GET", "/v1/imports/"+two.str("id"), nil); a.str("status") != "waiting" {
		t.Errorf("%s", a.raw)
	}
}

// A host that is stopped in the middle of a file goes on with it when it is
// started again, and removes the file in the end.
func TestAnImportGoesOnAfterAStop(t *testing.T) {
	t.Parallel()
	c := local.Config{Addr: "127.0.0.1:0", DataDir: t.TempDir(), APIKey: key, WebhookSecret: secret}
	const rows = 3000
	var file strings.Builder
	for i := range rows {
		fmt.Fprintf(&file, `{"external_ids":{"till":"%d"}}`+"\n", i)
	}
	life := func(test func(s *shop)) {
		h, err := local.Open(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		up, down := make(chan string), make(chan error)
		go func() { down <- h.Run(ctx, c, func(url string) { up <- url }) }()
		test(&shop{t, <-up, h})
		stop()
		if err := <-down; err != nil {
			t.Error(err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	var id string
	lives := 0
	life(func(s *shop) {
		asked := s.must("POST", "/v1/imports", object{"kind": "members", "format": "ndjson"})
		id = asked.str("id")
		s.upload(asked, file.String())
	})
	for done := false; !done; lives++ {
		if lives > 200 {
			t.Fatal("it does not get on")
		}
		life(func(s *shop) {
			time.Sleep(200 * time.Millisecond)
			a := s.must("GET", "/v1/imports/"+id, nil)
			if done = a.str("status") == "done"; done && (a.num("rows.applied") != rows || a.num("rows.read") != rows || a.num("members_made") != rows) {
				t.Errorf("%s", a.raw)
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(c.DataDir, "uploads", "*", "*")); err != nil || len(left) != 0 {
		t.Errorf("%v are left, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(c.DataDir, "uploads", "key")); err != nil {
		t.Error(err)
	}
	t.Logf("%d lives", lives)
}
