package runtimeapi

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regulars/infra/topology"
)

// What no other test runs is here: the mains, the environment they read, the
// events of the cloud as bytes. What the functions do with them is tested
// elsewhere.

func TestBuiltAsShipped(t *testing.T) {
	root, err := Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(flags[:len(flags)-1], " ") + ` "` + flags[len(flags)-1] + `"`
	if !bytes.Contains(makefile, []byte(want)) {
		t.Errorf("the Makefile does not build with %s", want)
	}
}

// webhook is a signed Standard Webhook.
func webhook(body string, encoded bool) Request {
	stamp := fmt.Sprint(time.Now().Unix())
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "msg_1.%s.%s", stamp, body)
	return Request{Method: "POST", Path: "/v1/webhooks/standard", Body: []byte(body), Base64: encoded, Header: map[string]string{
		"Content-Type": "application/json", "webhook-id": "msg_1", "webhook-timestamp": stamp,
		"webhook-signature": "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	}}
}

func orderOf(id, member string) string {
	return fmt.Sprintf(`{"source":"till","id":%q,"version":1,"state":"paid","currency":"ILS","member":%q,"lines":[{"id":"1","title":"קפה","amount":12000}]}`, id, member)
}

func TestEarn(t *testing.T) {
	d := deploy(t)
	member := d.must(201, "members", "POST", "/v1/members", `{"name":"נועה"}`)["id"].(string)
	if got := d.read(200, d.send("earn", webhook(orderOf("1", member), false))); got["status"] != "applied" || got["points"] != 120.0 {
		t.Errorf("the webhook: %v", got)
	}
	if got := d.must(200, "earn", "POST", "/v1/orders", orderOf("2", member)); got["status"] != "applied" || got["points"] != 120.0 {
		t.Errorf("the order: %v", got)
	}
	if got := d.must(200, "earn", "POST", "/v1/orders", orderOf("2", member)); got["status"] != "duplicate" {
		t.Errorf("the order again: %v", got)
	}
	forged := webhook(orderOf("3", member), false)
	forged.Body = bytes.Replace(forged.Body, []byte("12000"), []byte("92000"), 1)
	if r := d.send("earn", forged); r.Status != 401 {
		t.Errorf("a forged webhook is answered %d: %s", r.Status, r.Body)
	}
}

// Signatures are over bytes, so a body must come through as it was sent:
// escaped or not, in any script, with any white space, encoded by the gateway
// or not.
func TestBodiesArriveByteForByte(t *testing.T) {
	d := deploy(t)
	for i, title := range []string{`\u003cb\u003e tea`, `<b>&amp; "quoted"`, "קפה הפוך\u2028", "é and e\u0301", "  \\/ \\u05e7", "\U0001F600 \\ud83d\\ude00", "\u007f\u0085\ufeff"} {
		for j, encoded := range []bool{false, true} {
			title := strings.ReplaceAll(title, `"`, `\"`)
			body := fmt.Sprintf("\r\n{ \"source\" : \"till\",\t\"id\":\"%d-%d\",\"version\":1,\"state\":\"paid\",\"currency\":\"ILS\",\"customer\":{\"external_id\":\"7\"},\"lines\":[{\"id\":\"1\",\"title\":\"%s\",\"amount\":100}]}\n ", i, j, title)
			if got := d.read(200, d.send("earn", webhook(body, encoded))); got["status"] != "applied" {
				t.Errorf("%q, encoded %v: %v", title, encoded, got)
			}
		}
	}
}

func TestRedeem(t *testing.T) {
	d := deploy(t)
	member := d.must(201, "members", "POST", "/v1/members", `{"name":"נועה"}`)["id"].(string)
	d.must(200, "earn", "POST", "/v1/orders", orderOf("1", member))
	hold := d.must(201, "redeem", "POST", "/v1/holds", fmt.Sprintf(`{"member":%q,"points":100}`, member))
	if got := d.must(200, "redeem", "POST", "/v1/holds/"+hold["id"].(string)+"/capture", ""); got["status"] != "captured" {
		t.Errorf("the capture: %v", got)
	}
	if got := d.must(200, "members", "GET", "/v1/members/"+member, ""); got["points"].(object)["available"] != 20.0 {
		t.Errorf("the member: %v", got)
	}
}

// A member token is verified by the secret of the deployment, and revoked in
// the table.
func TestMemberToken(t *testing.T) {
	d := deploy(t)
	member := d.must(201, "members", "POST", "/v1/members", `{"name":"נועה"}`)["id"].(string)
	path := "/v1/members/" + member
	token := d.must(201, "members", "POST", path+"/tokens", "")["token"].(string)
	read := func() int {
		return d.send("members", Request{Method: "GET", Path: path, Header: map[string]string{"authorization": "Bearer " + token}}).Status
	}
	if status := read(); status != 200 {
		t.Errorf("with its token: %d", status)
	}
	if got := d.must(200, "members", "DELETE", path+"/tokens", ""); got["member"] != member || got["revoked"] != true {
		t.Errorf("revoked: %v", got)
	}
	if status := read(); status != 401 {
		t.Errorf("with a revoked token: %d", status)
	}
}

func TestProgram(t *testing.T) {
	d := deploy(t)
	if got := d.must(200, "program", "GET", "/v1/program", ""); got["version"] != 1.0 || got["currency"] != "ILS" {
		t.Errorf("the program: %v", got)
	}
	if got := d.must(404, "program", "GET", "/no/such/place", ""); got["code"] != "not_found" {
		t.Errorf("nowhere: %v", got)
	}
}

// streamed is what the test reads of a record of the stream.
type streamed struct {
	DynamoDB struct {
		SequenceNumber string
		NewImage       map[string]map[string]any
	}
}

func TestAnnounce(t *testing.T) {
	d := deploy(t)
	member := d.must(201, "members", "POST", "/v1/members", `{"name":"נועה"}`)["id"].(string)
	d.must(200, "earn", "POST", "/v1/orders", orderOf("1", member))
	d.must(201, "redeem", "POST", "/v1/redemptions", fmt.Sprintf(`{"member":%q,"points":10}`, member))
	records, err := d.Changes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	batch := Batch(records, topology.Announced)

	if failed := d.announce(batch); len(failed) != 0 {
		t.Errorf("%v failed", failed)
	}
	want := []string{"member.enrolled", "points.earned", "segment.entered", "redemption.captured"}
	var got []string
	for _, e := range d.Cloud.Taken() {
		got = append(got, e.DetailType)
		var detail struct{ Source, Type string }
		if err := json.Unmarshal([]byte(e.Detail), &detail); err != nil || detail.Type != e.DetailType || e.Source != "regulars/local" || e.EventBusName != "local" {
			t.Errorf("%+v: %v", e, err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the bus took %v, want %v", got, want)
	}

	// The answer names the first record whose event the bus did not take, so
	// that Lambda gives it again and what comes after it.
	var b struct{ Records []streamed }
	if err := json.Unmarshal(batch, &b); err != nil {
		t.Fatal(err)
	}
	d.Cloud.Refuse("points.earned")
	failed := d.announce(batch)
	earned := slices.IndexFunc(b.Records, func(r streamed) bool {
		return r.DynamoDB.NewImage["sk"]["S"] == "ACCOUNT" && r.DynamoDB.NewImage["v"]["N"] == "2"
	})
	if earned < 0 || !slices.Equal(failed, []string{b.Records[earned].DynamoDB.SequenceNumber}) {
		t.Errorf("%v failed, want the record at %d", failed, earned)
	}
	d.Cloud.Refuse("")
	if failed := d.announce(batch); len(failed) != 0 {
		t.Errorf("given again, %v failed", failed)
	}
}

// announce hands a batch of the stream over and answers which record failed.
func (d *deployment) announce(batch []byte) []string {
	d.t.Helper()
	var out struct {
		BatchItemFailures *[]struct{ ItemIdentifier string } `json:"batchItemFailures"`
	}
	a := d.invoke("announce", batch)
	if err := json.Unmarshal(a.Body, &out); err != nil || out.BatchItemFailures == nil {
		d.t.Fatalf("announce answered %s: %v", a.Body, err)
	}
	var failed []string
	for _, f := range *out.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

func TestMaintain(t *testing.T) {
	d := deploy(t)
	d.must(200, "program", "PUT", "/v1/program", `{"hold":{"timeout":"PT1S"}}`)
	member := d.must(201, "members", "POST", "/v1/members", `{"name":"נועה"}`)["id"].(string)
	d.must(200, "earn", "POST", "/v1/orders", orderOf("1", member))
	d.must(201, "redeem", "POST", "/v1/holds", fmt.Sprintf(`{"member":%q,"points":100}`, member))
	time.Sleep(2 * time.Second)
	for _, holds := range []float64{1, 0} {
		var report object
		a := d.invoke("maintain", []byte(`{"schedule":"expire"}`))
		if err := json.Unmarshal(a.Body, &report); err != nil {
			t.Fatal(err)
		}
		if report["schedule"] != "expire" || report["holds"] != holds || report["failed"] != 0.0 || report["complete"] != true {
			t.Errorf("the report: %s", a.Body)
		}
	}
}

// A file of several parts is uploaded to a signed address, started on by an
// event, and finished by the schedule.
func TestImports(t *testing.T) {
	d := deploy(t)
	asked := d.must(202, "imports", "POST", "/v1/imports", `{"kind":"members","format":"ndjson"}`)
	id := asked["id"].(string)
	run := func(event string) object {
		t.Helper()
		var report object
		a := d.invoke("importer", []byte(event))
		if err := json.Unmarshal(a.Body, &report); err != nil {
			t.Fatalf("%s: %v", a.Body, err)
		}
		return report
	}
	if got := run(`{"schedule":"imports"}`); got["imports"] != 1.0 || got["rows"] != 0.0 {
		t.Errorf("before the file has come: %v", got)
	}
	to := asked["upload"].(object)
	var file strings.Builder
	for i := range 3 {
		fmt.Fprintf(&file, `{"external_ids":{"till":"%d"},"name":"נועה"}%s`, i, strings.Repeat(" ", 600<<10)+"\n")
	}
	req, err := http.NewRequestWithContext(t.Context(), to["method"].(string), to["url"].(string), strings.NewReader(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %v", res, err)
	}
	res.Body.Close()
	if got := run(fmt.Sprintf(`{"file":"local/%s"}`, strings.TrimPrefix(id, "imp_"))); got["rows"] != 3.0 || got["complete"] != true {
		t.Errorf("the file: %v", got)
	}
	if got := d.must(200, "imports", "GET", "/v1/imports/"+id, ""); got["status"] != "done" || got["members_made"] != 3.0 || got["progress"].(object)["bytes"] != float64(file.Len()) {
		t.Errorf("the import: %v", got)
	}
	if got := run(`{"schedule":"imports"}`); got["imports"] != 0.0 {
		t.Errorf("afterwards: %v", got)
	}
}

// Every function answers its routes of the topology and no other's: a route
// that leads to the wrong function is a 404 that only the cloud would show.
func TestRoutes(t *testing.T) {
	d := deploy(t)
	var answering []string
	for _, r := range topology.Routes {
		if !slices.Contains(answering, r.Function) {
			answering = append(answering, r.Function)
		}
	}
	for _, name := range answering {
		for _, r := range topology.Routes {
			path := strings.NewReplacer("{", "", "}", "").Replace(r.Path)
			out := d.send(name, Request{Method: r.Method, Path: path, Header: map[string]string{}})
			// Our own answers are JSON; the mux's 404 and 405 are plain text.
			var problem struct{ Code string }
			answered := strings.Contains(out.Header.Get("Content-Type"), "json")
			if json.Unmarshal(out.Body, &problem) == nil && problem.Code == "not_found" && strings.Contains(string(out.Body), "nothing answers") {
				answered = false // the default's word for it
			}
			if answered != (r.Function == name) {
				t.Errorf("%s answers %s %s: %v (%d %s)", name, r.Method, r.Path, answered, out.Status, out.Body)
			}
		}
	}
	for _, f := range topology.Functions {
		d.function(f.Name) // starts, whether or not a test above needed it
	}
}
