package durability

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"regulars/infra/local"
	"regulars/shared/table/tabletest"
)

// Nothing is announced for an hour of the business clock in which much
// happens. Then the announcer catches up, is killed several times in the
// midst of it, and in the end everything was told once, in order.
func TestTheAnnouncerDownForAnHour(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) { anHour(t, "", "", 4000, true) })
	t.Run("dynamodb", func(t *testing.T) {
		endpoint, access := tabletest.DynamoDBLocal(t)
		anHour(t, endpoint, access+"hour", 400, false)
	})
}

func anHour(t *testing.T, endpoint, access string, requests int, inOne bool) {
	data, begin := t.TempDir(), time.Now()
	s := &shop{t: t}
	h, err := local.Open(context.Background(), local.Config{DataDir: data, APIKey: apiKey, WebhookSecret: "whsec-test", TableEndpoint: endpoint, AccessKey: access})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h) // which serves, and drains nothing by itself
	s.url.Store(srv.URL)
	now := time.Now().Add(-2 * time.Hour).Truncate(time.Second)
	clock := func() {
		s.must("PUT", "/_local/clock", object{"now": now.UTC().Format(time.RFC3339)})
	}
	clock()
	members := s.enrol(6)
	for minute := range 60 {
		stop := make(chan struct{})
		all := s.storm(members, 8, *seed+uint64(minute), stop)
		for s.sent() < requests*(minute+1)/60 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		close(stop)
		all.Wait()
		now = now.Add(time.Minute)
		clock()
	}
	now = now.Add(15 * time.Minute) // and all holds that were left end
	clock()
	s.must("POST", "/_local/schedules/expire/run", object{})
	left := s.leftHolds()
	for _, r := range left {
		r.moves = nil
	}
	s.balances()
	s.ledgersHold(append(members, s.guests...))
	srv.Close()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)

	kills, inTheMidst := 0, 0
	for wait := 10 * time.Millisecond; kills < 6 || inTheMidst == 0 && kills < 30; kills++ {
		before := announced(t, data)
		p := start(t, env(data, endpoint, access))
		s.url.Store(p.url)
		asked := make(chan bool, 1)
		go func() {
			_, _, _, err := s.call("GET", "/_local/events", "", nil) // waits until all is announced
			asked <- err == nil
		}()
		time.Sleep(wait)
		p.end(syscall.SIGKILL)
		if whole := <-asked; whole {
			break
		}
		if after := announced(t, data); after > before {
			inTheMidst++
		}
		wait = min(wait*3/2, time.Second)
	}
	if inTheMidst == 0 {
		t.Error("no kill came in the midst of catching up, so nothing is proven")
	}
	p := start(t, env(data, endpoint, access))
	s.url.Store(p.url)
	events, ended := s.eventsTellEveryMovementOnce(inOne)
	if ended != len(left) || ended == 0 {
		t.Errorf("%d holds were left, %d events tell that one expired", len(left), ended)
	}
	if again, _ := s.eventsTellEveryMovementOnce(inOne); again != events {
		t.Errorf("%d events, then %d", events, again)
	}
	p.end(syscall.SIGTERM)
	verify(t, env(data, endpoint, access))
	t.Logf("%d requests in %v, then %d events, %d kills of which %d in the midst of catching up", len(s.journal), took.Round(time.Millisecond), events, kills, inTheMidst)
}

// leftHolds are the holds that were neither captured nor released.
func (s *shop) leftHolds() (left []*request) {
	last := map[string]*request{}
	for _, r := range s.journal {
		last[r.look] = r
	}
	for _, r := range last {
		if r.shows == "held" {
			left = append(left, r)
		}
	}
	return left
}

// sent is how many requests there were.
func (s *shop) sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.journal)
}

// announced is how many events the stopped host's outbox holds.
func announced(t *testing.T, data string) (n int) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(data, "events.db"), 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(tx *bbolt.Tx) error {
		n = tx.Bucket([]byte("events")).Stats().KeyN
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
