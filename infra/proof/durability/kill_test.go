package durability

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// The host is ended at random moments under load, mostly by kill -9, and
// started again on what it left: nothing that it acknowledged is lost, nothing
// is done twice.
func TestTheHostKilledUnderLoad(t *testing.T) {
	t.Parallel()
	t.Logf("-seed %d", *seed)
	rng := rand.New(rand.NewPCG(*seed, 0))
	env := env(t.TempDir(), "", "")
	s := &shop{t: t}
	p := start(t, env)
	s.url.Store(p.url)
	old := s.enrol(2) // take part in every round

	begin := time.Now()
	kills, stops, lost := 0, 0, 0
	for round := range *rounds {
		from, guests := len(s.journal), len(s.guests)
		members := append(s.enrol(3), old...)
		all := s.storm(members, 8, *seed+uint64(round), nil)
		time.Sleep(20*time.Millisecond + time.Duration(rng.Int64N(int64(300*time.Millisecond))))
		if round%5 == 4 {
			stops++
			if err := p.end(syscall.SIGTERM); err != nil {
				t.Errorf("SIGTERM: %v", err)
			}
		} else {
			kills++
			p.end(syscall.SIGKILL)
		}
		all.Wait()
		lost += len(s.unanswered())
		for again := true; again; {
			verify(t, env) // as the kill left it
			p = start(t, env)
			s.url.Store(p.url)
			s.everythingAcknowledgedIsThere(from)
			s.balances()
			s.answersAreRepeated(s.journal[from:])
			again = rng.IntN(4) == 0
			if again { // and once more, while the clients send again what they have no answer for
				time.AfterFunc(time.Duration(rng.Int64N(int64(8*time.Millisecond))), func() { p.cmd.Process.Kill() })
				kills++
			}
			each(s.unanswered(), func(r *request) { s.again(r) })
			if again {
				p.end(syscall.SIGKILL)
			}
		}
		if n := len(s.unanswered()); n > 0 {
			t.Fatalf("round %d: %d requests were not taken again", round, n)
		}
		s.everythingAcknowledgedIsThere(from)
		s.balances()
		s.answersAreRepeated(s.journal[from:])
		s.ledgersHold(append(members, s.guests[guests:]...))
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	if s.unwell.Load() > 0 {
		t.Errorf("%d answers were 5xx", s.unwell.Load())
	}
	if lost == 0 {
		t.Error("every kill came when nothing was under way, so nothing is proven")
	}
	events, _ := s.eventsTellEveryMovementOnce(true)
	s.answersAreRepeated(s.journal)
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	verify(t, env)
	t.Logf("%d rounds in %v: %d kills, %d stops, %d requests by 8 clients, %d of them not answered at first; %d members and guests, %d events",
		*rounds, time.Since(begin).Round(time.Millisecond), kills, stops, len(s.journal), lost, len(s.members)+len(s.guests), events)
}
