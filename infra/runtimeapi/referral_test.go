package runtimeapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A friend from the link to the reward, by the binaries that ship: the API,
// what reads the stream, and the schedule.
func TestReferral(t *testing.T) {
	d := deploy(t)
	d.must(200, "program", "PUT", "/v1/program",
		`{"shop":{"url":"https://shop.example/"},"referral":{"advocate":[{"rank":1,"points":100}],"friend":{"points":50},"hold":"PT1S"}}`)
	advocate := d.must(201, "members", "POST", "/v1/members", `{"name":"נועה"}`)["id"].(string)
	link := d.must(200, "refer", "POST", "/v1/members/"+advocate+"/referral-code", `{"code":"NOA7"}`)
	if link["code"] != "NOA7" || link["url"] != "https://api.example.com/r/NOA7" {
		t.Errorf("the code: %v", link)
	}

	// The link and its picture are anybody's.
	follow := func(path string) Response {
		return d.send("refer", Request{Method: "GET", Path: path, Header: map[string]string{}})
	}
	if r := follow("/r/NOA7?utm=spring"); r.Status != 302 || r.Header.Get("Location") != "https://shop.example/?ref=NOA7&utm=spring" {
		t.Errorf("the link is answered %d, to %q", r.Status, r.Header.Get("Location"))
	}
	if r := follow("/r/NOA7/qr.svg"); r.Status != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), "image/svg+xml") || !strings.Contains(string(r.Body), "<svg") {
		t.Errorf("the picture is answered %d, %s", r.Status, r.Header.Get("Content-Type"))
	}

	friend := `{"external_id":"8","email":"dana@example.com"}`
	registered := d.must(201, "refer", "POST", "/v1/referrals", fmt.Sprintf(`{"code":"NOA7","source":"till","customer":%s}`, friend))
	id := registered["id"].(string)
	status := func(want string) {
		t.Helper()
		if got := d.must(200, "refer", "GET", "/v1/referrals/"+id, ""); got["status"] != want {
			t.Errorf("the referral is %v, want %s: %v", got["status"], want, got)
		}
	}
	status("registered")
	d.must(200, "earn", "POST", "/v1/orders", fmt.Sprintf(
		`{"source":"till","id":"1","version":1,"state":"paid","currency":"ILS","customer":%s,"lines":[{"id":"1","amount":12000}]}`, friend))
	status("registered") // until the change is read

	for range 2 { // Lambda may hand a batch over again
		d.qualify()
	}
	status("pending")
	time.Sleep(2 * time.Second) // of business time, over which the hold is
	for _, qualified := range []float64{1, 0} {
		var report object
		a := d.invoke("qualify", []byte(`{"schedule":"referrals"}`))
		if err := json.Unmarshal(a.Body, &report); err != nil {
			t.Fatal(err)
		}
		if report["qualified"] != qualified || report["points"] != 150*qualified || report["failed"] != 0.0 || report["complete"] != true {
			t.Errorf("the report: %s", a.Body)
		}
	}
	status("qualified")
	if got := d.must(200, "members", "GET", "/v1/members/"+advocate, ""); got["points"].(object)["available"] != 100.0 {
		t.Errorf("the advocate: %v", got)
	}
}
