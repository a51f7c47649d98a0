package local_test

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// process is the host as a process of its own.
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
