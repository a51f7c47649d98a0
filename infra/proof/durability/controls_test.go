package durability

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// listener hears what checks complain of.
type listener struct {
	testing.TB
	mu   sync.Mutex
	said []string
}

func (l *listener) Helper() {}

func (l *listener) Errorf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, fmt.Sprintf(format, args...))
}

// complains fails the test unless a check complains.
func complains(t *testing.T, s *shop, what string, check func()) {
	t.Helper()
	ear := &listener{TB: t}
	s.t = ear
	check()
	s.t = t
	if len(ear.said) == 0 {
		t.Errorf("%s finds nothing", what)
	} else {
		t.Logf("%s finds %d faults, as %.200s", what, len(ear.said), ear.said[0])
	}
}

// A host that lost what it had acknowledged, because its table is an older
// one, and one whose announcements are not the ledger's, are found by every
// check that should find them.
func TestALossIsFound(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	env := env(data, "", "")
	table, outbox, older := filepath.Join(data, "table.db"), filepath.Join(data, "events.db"), filepath.Join(data, "older")
	s := &shop{t: t}
	var p *process
	begin := func() {
		p = start(t, env)
		s.url.Store(p.url)
	}
	stop := func() {
		if err := p.end(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	storm := func(members []string, seed uint64) {
		end := make(chan struct{})
		all := s.storm(members, 8, seed, end)
		time.Sleep(100 * time.Millisecond)
		close(end)
		all.Wait()
	}
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}

	begin()
	members := s.enrol(3)
	storm(members, *seed)
	stop()
	raw, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(older, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	begin()
	from := len(s.journal)
	storm(members, *seed+1)
	if len(s.journal) == from {
		t.Fatal("nothing was sent after the copy")
	}
	s.eventsTellEveryMovementOnce(true)
	stop()
	if t.Failed() {
		t.Fatal("it was wrong before anything was lost")
	}

	newer := table + ".newer"
	move(table, newer)
	move(older, table)
	begin()
	complains(t, s, "what is acknowledged", func() { s.everythingAcknowledgedIsThere(from) })
	complains(t, s, "balances", s.balances)
	complains(t, s, "events", func() { s.eventsTellEveryMovementOnce(true) })
	complains(t, s, "repetition", func() { s.answersAreRepeated(s.journal[from:]) })
	stop()

	move(newer, table)
	swap(t, outbox)
	begin()
	complains(t, s, "events in another order", func() { s.eventsTellEveryMovementOnce(true) })
	stop()
	forget(t, outbox)
	begin()
	complains(t, s, "events of which one is missing", func() { s.eventsTellEveryMovementOnce(true) })
	stop()
}

// swap reverses the order of all events of a stopped host.
func swap(t *testing.T, outbox string) {
	events(t, outbox, func(b *bbolt.Bucket, keys, values [][]byte) error {
		for i, k := range keys {
			if err := b.Put(k, values[len(values)-1-i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// forget drops one event of a stopped host.
func forget(t *testing.T, outbox string) {
	events(t, outbox, func(b *bbolt.Bucket, keys, _ [][]byte) error { return b.Delete(keys[len(keys)/2]) })
}

func events(t *testing.T, outbox string, change func(b *bbolt.Bucket, keys, values [][]byte) error) {
	t.Helper()
	db, err := bbolt.Open(outbox, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		var keys, values [][]byte
		b := tx.Bucket([]byte("events"))
		if err := b.ForEach(func(k, v []byte) error {
			keys, values = append(keys, append([]byte{}, k...)), append(values, append([]byte{}, v...))
			return nil
		}); err != nil {
			return err
		}
		return change(b, keys, values)
	})
	if err != nil {
		t.Fatal(err)
	}
}
