package local_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// process is the host as a process of its own, to be killed.
type process struct {
	*shop
	cmd *exec.Cmd
}

var listening = regexp.MustCompile(`listening on (http://\S+),`)

func start(t *testing.T, binary, data string) *process {
	t.Helper()
	cmd := exec.Command(binary, "run")
	cmd.Env = append(os.Environ(), "PORT=0", "DATA_DIR="+data, "API_KEY="+key, "WEBHOOK_SECRET="+secret, "TABLE_ENDPOINT=")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() { // or the pipe fills
				}
			}()
			return &process{&shop{t: t, url: m[1]}, cmd}
		}
	}
	t.Fatal("the host did not say where it listens")
	return nil
}

// A kill in the middle of 1,000 orders loses no acknowledged order and
// doubles none.
func TestKillLosesNothingAndDoublesNothing(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "regulars")
	if out, err := exec.Command("go", "build", "-o", binary, "./regulars").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data := t.TempDir()
	p := start(t, binary, data)
	members := make([]string, 10)
	for i := range members {
		members[i] = p.enrol(fmt.Sprint("m", i))
	}
	const orders = 1000
	body := func(i int) []byte {
		raw, err := json.Marshal(order(fmt.Sprint(i), members[i%len(members)], int64(100*(1+i%50))))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	send := func(url string, i int) (status string, ok bool) {
		req, err := http.NewRequest("POST", url+"/v1/orders", bytes.NewReader(body(i)))
		if err != nil {
			t.Error(err)
			return "", false
		}
		req.Header.Set("Authorization", "Bearer "+key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", false
		}
		defer res.Body.Close()
		var a struct{ Status string }
		return a.Status, json.NewDecoder(res.Body).Decode(&a) == nil && res.StatusCode == 200
	}
	acknowledged := make([]atomic.Bool, orders)
	var done, next atomic.Int64
	storm := func(url string, then func()) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := int(next.Add(1)) - 1; i < orders; i = int(next.Add(1)) - 1 {
					if _, ok := send(url, i); ok {
						acknowledged[i].Store(true)
						done.Add(1)
					}
				}
			})
		}
		then()
		wg.Wait()
	}
	storm(p.url, func() {
		for done.Load() < orders/2 {
			time.Sleep(time.Millisecond)
		}
		if err := p.cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		p.cmd.Wait()
	})
	if n := done.Load(); n == orders {
		t.Fatal("the kill came too late to prove anything")
	}

	p = start(t, binary, data)
	for i := range orders {
		a := p.do("GET", fmt.Sprintf("/v1/orders/till/%d", i), nil)
		if acknowledged[i].Load() && (a.status != 200 || a.num("points") != int64(1+i%50)) {
			t.Errorf("order %d was acknowledged, now: %d %s", i, a.status, a.raw)
		}
	}
	for i := range orders { // every storefront tries again what it has no answer for
		if _, ok := send(p.url, i); !ok {
			t.Fatalf("order %d was not taken again", i)
		}
	}
	var want, got int64
	for i := range orders {
		want += int64(1 + i%50)
	}
	for _, m := range members {
		got += p.member(m).num("points.available")
		p.holds(m)
	}
	if got != want {
		t.Errorf("%d points, want %d", got, want)
	}
	if n := p.events()["points.earned"]; n != orders {
		t.Errorf("%d events points.earned, want %d", n, orders)
	}
	p.cmd.Process.Kill()
	p.cmd.Wait()
	verify := exec.Command(binary, "verify")
	verify.Env = append(os.Environ(), "DATA_DIR="+data, "TABLE_ENDPOINT=")
	if out, err := verify.CombinedOutput(); err != nil || !strings.Contains(string(out), " 0 do not hold") {
		t.Errorf("%v\n%s", err, out)
	}
}
