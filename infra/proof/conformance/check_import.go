package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// POST /v1/imports: history from a file, each row once.
var history = Scenario{"history", "a file is taken in row by row, every row told of, and nothing counts twice", func(s *shop) {
	s.part("orders, the bad rows told of", func() {
		order := func(name string, amount int) string {
			return fmt.Sprintf(`{"source":%q,"id":%q,"version":1,"state":"paid","currency":%q,"customer":{"external_id":%q},"lines":[{"id":"1","amount":%d}]}`, source, s.id(name), s.currency, s.id("customer"), amount)
		}
		file := order("1", 12000) + "\r\n\r\n" + order("2", 3000) + "\n" + strings.Replace(order("3", 1), `"amount":1`, `"amount":-1`, 1) + "\n" + order("1", 12000)
		q := object{"kind": "orders", "format": "ndjson"}
		a := s.bring(q, file)
		s.tally(a, "read", 4, "applied", 2, "duplicate", 1, "refused", 1)
		s.eq(a, "points.delta", 150, wrong{270: "an order counted twice"})
		s.eq(a, "members_made", 1)
		s.eq(a, "refused.0.line", 4)
		s.eq(a, "refused.0.path", "/lines/0/amount")
		s.eq(a, "refused.0.value", "-1")
		again := s.bring(q, file)
		s.tally(again, "read", 4, "applied", 0, "duplicate", 3, "refused", 1)
		s.eq(again, "points.delta", 0)
		live := s.earn(s.order("1", "", 12000, object{"member": nil, "customer": object{"external_id": s.id("customer")}, "version": 2, "state": "cancelled"}))
		s.eq(live, "points", 0)
		s.points(s.text(live, "member"), 30)
		s.holds(s.text(live, "member"))
	})
	s.part("balances, opened once", func() {
		name := "עדי " + s.run + " \"الزهراء\" زهرا"
		people := "\ufeffexternal_id,name\r\n" + s.id("77") + ",\"" + strings.ReplaceAll(name, `"`, `""`) + "\"\r\n"
		a := s.bring(object{"kind": "members", "format": "csv", "source": source}, people)
		s.tally(a, "read", 1, "applied", 1, "refused", 0)
		file := "points,external_id\n500," + s.id("77") + "\n60," + s.id("nobody") + "\n"
		q := object{"kind": "balances", "format": "csv", "source": source}
		a = s.bring(q, file)
		s.tally(a, "read", 2, "applied", 1, "duplicate", 0, "refused", 1)
		s.eq(a, "balances.stated", 560)
		s.eq(a, "balances.opened", 500)
		s.eq(a, "balances.already_opened", 0)
		s.eq(a, "balances.refused", 60)
		again := s.bring(q, file)
		s.tally(again, "read", 2, "applied", 0, "duplicate", 1, "refused", 1)
		s.eq(again, "balances.already_opened", 500)
		m := s.must("GET", "/v1/members?source="+source+"&external_id="+s.id("77"), nil)
		s.eq(m, "data.0.name", name)
		member := s.text(m, "data.0.id")
		s.points(member, 500, wrong{1000: "the balance was opened twice"})
		s.ledger(member, "adjust 500")
	})
}}

// bring imports a file and answers what became of it.
func (s *shop) bring(q object, file string) answer {
	asked := s.must("POST", "/v1/imports", q)
	s.eq(asked, "status", "waiting")
	r, err := http.NewRequestWithContext(s.ctx, s.text(asked, "upload.method"), s.text(asked, "upload.url"), strings.NewReader(file))
	if err != nil {
		s.fail("%v", err)
	}
	res, err := client.Do(r)
	s.goOn()
	if err != nil {
		s.fail("the file cannot be sent: %v", err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		s.fail("the upload was answered %s", res.Status)
	}
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		a := s.must("GET", "/v1/imports/"+s.text(asked, "id"), nil)
		switch a.str("status") {
		case "done":
			return a
		case "failed":
			s.fail("the import failed: %v", a)
		}
	}
	s.fail("the import does not end within a minute")
	return answer{}
}

// tally compares what became of the rows.
func (s *shop) tally(a answer, want ...any) {
	for i := 0; i < len(want); i += 2 {
		s.eq(a, "rows."+want[i].(string), want[i+1])
	}
}
