// Package durability ends the system's processes at bad moments, under load:
// the host, its database, its announcer. What was acknowledged must be there
// afterwards, what was not must have its effect once when it is sent again,
// and the world must be told of all of it once.
package durability

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

var (
	rounds = flag.Int("rounds", 10, "how often the host is killed")
	seed   = flag.Uint64("seed", rand.Uint64(), "of what is sent and of when is killed")
)

const apiKey = "sk_durability"

// process is the local host as a process of its own.
type process struct {
	url string
	cmd *exec.Cmd
}

var binary string // of the host

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "durability-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "regulars")
	code := 1
	if out, err := exec.Command("go", "build", "-o", binary, "../../local/regulars").CombinedOutput(); err != nil {
		fmt.Printf("%v\n%s", err, out)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// env is the environment of a host; endpoint "" means a table in a file.
func env(data, endpoint, access string) []string {
	return append(os.Environ(), "PORT=0", "DATA_DIR="+data, "API_KEY="+apiKey, "TABLE_ENDPOINT="+endpoint, "AWS_ACCESS_KEY_ID="+access)
}

var listening = regexp.MustCompile(`listening on (http://\S+),`)

// start starts a host, which ends with the test at the latest.
func start(t *testing.T, env []string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(binary, "run")}
	p.cmd.Env = env
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	p.cmd.Stderr = &complaints
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.end(syscall.SIGKILL) })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			p.url = m[1]
			go func() {
				for lines.Scan() { // or the pipe fills
				}
			}()
			return p
		}
	}
	p.end(syscall.SIGKILL)
	t.Fatalf("the host did not say where it listens: %s", complaints.String())
	return nil
}

// end sends a signal and waits until the process is gone. Again, it does nothing.
func (p *process) end(signal syscall.Signal) error {
	if p.cmd.ProcessState != nil {
		return nil
	}
	p.cmd.Process.Signal(signal) // it may have gone by itself
	return p.cmd.Wait()
}

// verify recomputes every ledger of a stopped host's table.
func verify(t *testing.T, env []string) {
	t.Helper()
	cmd := exec.Command(binary, "verify")
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), " 0 do not hold") {
		t.Fatalf("regulars verify: %v\n%s", err, out)
	}
}
