package durability

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"regulars/infra/local"
	"regulars/shared/table/tabletest"
)

// settling is how long DynamoDB Local is let alone between its last answer and
// its end. It answers a transaction a moment before its SQLite commits it: a
// kill in that moment loses an acknowledged write, which DynamoDB never does.
const settling = time.Second

// The database is killed beneath a running host and started again. Meanwhile
// requests are told that it does not work, and afterwards all goes on: what
// was acknowledged is there, what was not is sent again and done once.
func TestTheDatabaseKilledUnderLoad(t *testing.T) {
	t.Parallel()
	t.Logf("-seed %d", *seed)
	rng := rand.New(rand.NewPCG(*seed, 1))
	dir := t.TempDir()
	var emulator *tabletest.Emulator
	begin := func(port int) *tabletest.Emulator {
		t.Helper()
		e, err := tabletest.StartEmulator(port, dir)
		if errors.Is(err, tabletest.ErrNoJava) {
			t.Skipf("SKIPPED: the database was not killed: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.End(syscall.SIGKILL) })
		return e
	}
	emulator = begin(0)
	at, err := url.Parse(emulator.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	wire := lay(t, emulator.Endpoint)
	h, err := local.Open(context.Background(), local.Config{DataDir: t.TempDir(), APIKey: apiKey, WebhookSecret: "whsec-test", TableEndpoint: wire.endpoint(), AccessKey: "durability"})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		client.CloseIdleConnections()
		srv.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})

	var over atomic.Bool
	s := &shop{t: t, insist: func() bool { return !over.Load() }}
	s.url.Store(srv.URL)
	members := s.enrol(5)
	kills := max(2, *rounds/10)
	started := time.Now()
	var down time.Duration
	for kill := range kills {
		from := len(s.journal)
		stop := make(chan struct{})
		all := s.storm(members, 8, *seed+uint64(kill), stop)
		time.Sleep(300*time.Millisecond + time.Duration(rng.Int64N(int64(700*time.Millisecond))))
		unwell := s.unwell.Load()
		fell := time.Now()
		wire.set(true)
		time.Sleep(settling)
		emulator.End(syscall.SIGKILL)
		// A short while is bridged by the engine's own repetitions. Every other
		// time it is down for so long that callers, readers too, are told.
		if kill%2 == 1 {
			status, header, raw, err := s.call("GET", "/v1/members/"+members[0], "", nil)
			if err != nil || status != 500 && status != 503 || header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("without a database, a balance is %d %s %v", status, raw, err)
			}
			for waited := time.Duration(0); s.unwell.Load() < unwell+8 && waited < 30*time.Second; waited += 10 * time.Millisecond {
				time.Sleep(10 * time.Millisecond)
			}
		}
		emulator = begin(port)
		wire.set(false)
		down += time.Since(fell)
		time.Sleep(300 * time.Millisecond)
		close(stop)
		deadline := time.AfterFunc(time.Minute, func() { over.Store(true) })
		all.Wait() // every client has its answer, by sending again
		deadline.Stop()
		if kill%2 == 1 && s.unwell.Load() < unwell+8 {
			t.Error("the database was down, and nobody was told")
		}
		if n := len(s.unanswered()); n > 0 {
			t.Fatalf("kill %d: %d requests were not taken again", kill, n)
		}
		s.everythingAcknowledgedIsThere(from)
		s.balances()
		s.answersAreRepeated(s.journal[from:])
	}
	s.ledgersHold(append(members, s.guests...))
	s.answersAreRepeated(s.journal)
	if s.broken.Load() > 0 {
		t.Errorf("%d requests got no answer at all from the host", s.broken.Load())
	}
	events, _ := s.eventsTellEveryMovementOnce(false)
	t.Logf("%d kills in %v, down for %v: %d requests by 8 clients, %d answers 5xx; %d events",
		kills, time.Since(started).Round(time.Millisecond), down.Round(time.Millisecond), len(s.journal), s.unwell.Load(), events)
}
