package announce_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/events"
	"regulars/functions/announce"
	"regulars/shared/table"
)

// bus takes events but for those it refuses by id, and fails from its call
// number `down` on.
type bus struct {
	refuses string
	down    int
	calls   int
	largest int
	took    []string
}

var errDown = errors.New("the bus is down")

func (b *bus) Put(_ context.Context, batch []events.Event) ([]bool, error) {
	b.calls++
	b.largest = max(b.largest, len(batch))
	if b.down > 0 && b.calls >= b.down {
		return nil, errDown
	}
	taken := make([]bool, len(batch))
	for i, e := range batch {
		if taken[i] = e.ID != b.refuses; taken[i] {
			b.took = append(b.took, e.ID)
		}
	}
	return taken, nil
}

// crowd is n changes that each tell of a new member.
func crowd(t *testing.T, n int) []table.Change {
	t.Helper()
	l := begin(t)
	l.publish("{}")
	for i := range n {
		l.enrol(fmt.Sprintf("M%03d", i), false)
	}
	return slices.DeleteFunc(l.changes(), func(c table.Change) bool { return c.SK != "PROFILE" })
}

func enrolled(n int) string { return fmt.Sprintf("evt_enrol_M%03d", n) }

func TestAnnounceAll(t *testing.T) {
	b := &bus{}
	done, err := (&announce.Handler{Bus: b}).Announce(t.Context(), crowd(t, 25))
	if done != 25 || err != nil || len(b.took) != 25 || b.calls != 3 || b.largest != announce.BatchSize {
		t.Errorf("%d done (%v), %d taken in %d calls of at most %d", done, err, len(b.took), b.calls, b.largest)
	}
	if done, err := (&announce.Handler{Bus: b}).Announce(t.Context(), nil); done != 0 || err != nil {
		t.Errorf("nothing to tell: %d done (%v)", done, err)
	}
}

// What the bus did not take is the place to go on from, wherever it stands.
func TestAnnounceUntilTheBusRefuses(t *testing.T) {
	changes := crowd(t, 25)
	for _, at := range []int{0, 1, 9, 10, 24} {
		b := &bus{refuses: enrolled(at)}
		done, err := (&announce.Handler{Bus: b}).Announce(t.Context(), changes)
		if done != at || err == nil {
			t.Errorf("event %d was not taken: %d done (%v)", at, done, err)
		}
		// Given again from there, all is told; what was told twice has the same id.
		first := slices.Clone(b.took)
		b.refuses = ""
		rest, err := (&announce.Handler{Bus: b}).Announce(t.Context(), changes[done:])
		if rest != 25-at || err != nil {
			t.Errorf("after event %d: %d done (%v)", at, rest, err)
		}
		unique := slices.Compact(slices.Sorted(slices.Values(b.took)))
		var want []string
		for i := range 25 {
			want = append(want, enrolled(i))
		}
		if diff := cmp.Diff(want, unique); diff != "" {
			t.Errorf("told in all (-want +got):\n%s", diff)
		}
		if twice := len(b.took) - 25; twice > announce.BatchSize || twice < 0 {
			t.Errorf("%d of %d were told twice", twice, len(first))
		}
	}
}

func TestAnnounceUntilTheBusIsDown(t *testing.T) {
	for call, want := range map[int]int{1: 0, 2: 10, 3: 20} {
		done, err := (&announce.Handler{Bus: &bus{down: call}}).Announce(t.Context(), crowd(t, 25))
		if done != want || !errors.Is(err, errDown) {
			t.Errorf("down at call %d: %d done (%v), want %d", call, done, err, want)
		}
	}
}

// A bus that answers for fewer events than it was given has not taken the rest.
func TestAnnounceToABusThatForgets(t *testing.T) {
	for n, want := range map[int]int{5: 5, 6: 6, 8: 6} { // it is asked three times
		done, err := (&announce.Handler{Bus: forgetful{}}).Announce(t.Context(), crowd(t, n))
		if done != want || (err == nil) != (want == n) {
			t.Errorf("of %d, %d done (%v)", n, done, err)
		}
	}
}

type forgetful struct{}

func (forgetful) Put(_ context.Context, batch []events.Event) ([]bool, error) {
	return []bool{true, true}[:min(2, len(batch))], nil
}

// What is refused beside others is put again by itself, without them.
func TestAnnounceAgainWhatWasRefused(t *testing.T) {
	b := &bus{refuses: enrolled(3)}
	once := relenting{b}
	done, err := (&announce.Handler{Bus: once}).Announce(t.Context(), crowd(t, 10))
	if done != 10 || err != nil || len(b.took) != 10 || b.calls != 2 {
		t.Errorf("%d done (%v), %d taken in %d calls", done, err, len(b.took), b.calls)
	}
}

// relenting refuses an event once.
type relenting struct{ *bus }

func (r relenting) Put(ctx context.Context, batch []events.Event) ([]bool, error) {
	taken, err := r.bus.Put(ctx, batch)
	r.refuses = ""
	return taken, err
}

// An item that cannot be decoded holds up what comes after it, not before.
func TestAnnounceUntilAnItemIsBroken(t *testing.T) {
	for _, at := range []int{0, 7, 14} {
		changes := crowd(t, 15)
		changes[at].New.Body = []byte("not CBOR")
		b := &bus{}
		done, err := (&announce.Handler{Bus: b}).Announce(t.Context(), changes)
		if done != at || err == nil || len(b.took) != at {
			t.Errorf("item %d is broken: %d done, %d told (%v)", at, done, len(b.took), err)
		}
	}
	changes := crowd(t, 15)
	changes[7].New.Body = nil
	done, err := (&announce.Handler{Bus: &bus{refuses: enrolled(3)}}).Announce(t.Context(), changes)
	if done != 3 || err == nil {
		t.Errorf("the bus refuses before the broken item: %d done (%v)", done, err)
	}
}

// A change that makes several events is done when all of them are taken.
func TestAnnounceAChangeOfSeveralEvents(t *testing.T) {
	l := whole(t)
	changes := l.changes()
	at := slices.IndexFunc(changes, func(c table.Change) bool { return len(facts(t, []table.Change{c})) > 1 })
	if at < 0 {
		t.Fatal("no change tells more than one event")
	}
	b := &bus{refuses: facts(t, changes[at:at+1])[1].ID}
	if done, err := (&announce.Handler{Bus: b}).Announce(t.Context(), changes); done != at || err == nil {
		t.Errorf("%d done (%v), want %d", done, err, at)
	}
}
