package tabletest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The emulator's version, and the older one that npm carries.
const (
	mavenVersion = "2.6.1"
	npmVersion   = "2.9.30"
)

var (
	local     = sync.OnceValues(endpoint)
	accessKey = rand.Text() // letters and digits, as DynamoDB Local wants
	// ErrNoJava is why DynamoDB Local cannot be started.
	ErrNoJava = errors.New("it needs Java 17 or newer")

	shared *Emulator // held for ever: collected, its pipe would be closed
)

// DynamoDBLocal is the endpoint of a DynamoDB and the access key of this test
// process: DynamoDB Local keeps a database for each key, so packages tested in
// parallel do not see each other's tables.
//
// TABLE_ENDPOINT or REGULARS_DYNAMODB_LOCAL name one that runs already.
// Otherwise AWS's emulator is fetched, once for this user and never into the
// repository (its licence forbids handing it on), and started once for the
// process, with which it ends. Without Java the test is skipped.
func DynamoDBLocal(t testing.TB) (endpoint, key string) {
	t.Helper()
	endpoint, err := local()
	if errors.Is(err, ErrNoJava) {
		t.Skipf("SKIPPED: the DynamoDB suite was not run: %v", err)
	}
	if err != nil {
		t.Fatalf("DynamoDB Local: %v", err)
	}
	return endpoint, accessKey
}

func endpoint() (string, error) {
	for _, name := range []string{"TABLE_ENDPOINT", "REGULARS_DYNAMODB_LOCAL"} {
		if v := os.Getenv(name); v != "" {
			return v, nil
		}
	}
	return StartDynamoDBLocal()
}

// StartDynamoDBLocal starts an emulator on a free port, with its data in memory.
func StartDynamoDBLocal() (endpoint string, err error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	if shared, err = StartEmulator(port, ""); err != nil {
		return "", err
	}
	return shared.Endpoint, nil
}

// Emulator is a process of DynamoDB Local.
type Emulator struct {
	Endpoint string
	PID      int // of Java

	shell    *exec.Cmd
	lifeline io.Closer
}

// StartEmulator fetches the emulator if need be, starts it on a port (0 is a
// free one), with its data in dir or, when that is "", in memory, and waits
// until it answers. It ends with this process, however that ends.
func StartEmulator(port int, dir string) (*Emulator, error) {
	if err := exec.Command("java", "-version").Run(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoJava, err)
	}
	jars, err := fetch()
	if err != nil {
		return nil, err
	}
	if port == 0 {
		if port, err = freePort(); err != nil {
			return nil, err
		}
	}
	data := []string{"-inMemory"}
	if dir != "" {
		data = []string{"-dbPath", dir}
	}
	// The shell's standard input is a pipe that only this process holds: it
	// ends when this process does, even by kill -9, and the shell ends Java.
	e := &Emulator{
		Endpoint: fmt.Sprintf("http://127.0.0.1:%d", port),
		shell: exec.Command("sh", append([]string{
			"-c", `"$@" >/dev/null 2>&1 & echo $!; read end; kill $!; wait $!`, "sh",
			"java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.library.path=" + jars,
			"-cp", filepath.Join(jars, "*"), "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
			"-disableTelemetry", "-port", strconv.Itoa(port),
		}, data...)...),
	}
	if e.lifeline, err = e.shell.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := e.shell.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.shell.Start(); err != nil {
		return nil, err
	}
	if _, err := fmt.Fscan(out, &e.PID); err != nil {
		return nil, errors.Join(err, e.lifeline.Close())
	}
	for range 300 {
		if res, err := http.Get(e.Endpoint); err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
			return e, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	e.End(syscall.SIGKILL)
	return nil, fmt.Errorf("no answer within 30 s from %q", e.shell.Args)
}

// End ends it by a signal and waits until it is gone. It may be called again.
func (e *Emulator) End(signal syscall.Signal) {
	if e.shell.ProcessState == nil {
		syscall.Kill(e.PID, signal)
		e.lifeline.Close()
		e.shell.Wait() // its exit code tells of the signal only
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// fetch is the directory of the emulator's jars, in the user's cache. Only
// one process fetches; the others wait for it.
func fetch() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "regulars")
	dir := filepath.Join(cache, "dynamodb-local-"+mavenVersion)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	lock, err := os.Create(filepath.Join(cache, "lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close() // and with it the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	tmp, err := os.MkdirTemp(cache, "fetch")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	jars, err := fetchMaven(tmp)
	if err != nil {
		var npmErr error
		if jars, npmErr = fetchNpm(tmp); npmErr != nil {
			return "", errors.Join(err, npmErr)
		}
	}
	return dir, os.Rename(jars, dir)
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>regulars</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>` + mavenVersion + `</version>
  </dependency></dependencies>
</project>`

func fetchMaven(dir string) (jars string, err error) {
	if err := os.WriteFile(filepath.Join(dir, "pom.xml"), []byte(pom), 0o644); err != nil {
		return "", err
	}
	jars = filepath.Join(dir, "jars")
	return jars, run(dir, "mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+jars)
}

// fetchNpm is for machines with Java and Node but no Maven: an older version.
func fetchNpm(dir string) (jars string, err error) {
	const name = "amplify-dynamodb-simulator"
	if err := run(dir, "npm", "install", "--silent", "--ignore-scripts", "--prefix", dir, name+"@"+npmVersion); err != nil {
		return "", err
	}
	emulator := filepath.Join(dir, "node_modules", name, "emulator")
	jars = filepath.Join(emulator, "DynamoDBLocal_lib")
	return jars, os.Rename(filepath.Join(emulator, "DynamoDBLocal.jar"), filepath.Join(jars, "DynamoDBLocal.jar"))
}

func run(dir, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch with %s: %w\n%s", name, err, out)
	}
	return nil
}
