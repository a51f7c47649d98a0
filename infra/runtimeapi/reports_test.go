package runtimeapi

import (
	"strings"
	"testing"
)

// What the ledgers come to is counted of the stream, once however often that
// tells it, and reported in every form.
func TestReports(t *testing.T) {
	d := deploy(t)
	member := d.must(201, "members", "POST", "/v1/members", `{"name":"נועה"}`)["id"].(string)
	d.must(200, "earn", "POST", "/v1/orders", orderOf("1", member))
	for range 2 {
		d.qualify()
	}
	got := d.must(200, "reports", "GET", "/v1/reports/liability", "")
	if got["ties"] != true || got["counted"] != 120.0 || got["balances"] != 120.0 {
		t.Errorf("the liability: %v", got)
	}
	for form, kind := range map[string]string{"csv": "text/csv", "svg": "image/svg+xml"} {
		r := d.send("reports", Request{Method: "GET", Path: "/v1/reports/liability?format=" + form})
		if r.Status != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), kind) || len(r.Body) == 0 {
			t.Errorf("as %s it is answered %d, %s", form, r.Status, r.Header.Get("Content-Type"))
		}
	}
}
