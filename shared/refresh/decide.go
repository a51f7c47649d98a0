package refresh

import (
	"errors"
	"sync"
	"sync/atomic"

	"regulars/shared/loyalty"
)

// Decide reads a member's account, and her attributes where they are asked for,
// as they are now, lets judge decide about the account, and writes it if that
// says so: in one transaction. Of one who is gone it does nothing. It is called
// by as many at once as Work.Writers says.
type Decide func(member string, attributes bool, judge func(a *loyalty.Account, attributes map[string]string) (write bool, err error)) error

// decider gives accounts the segments that they are in now, by the cuts of the run.
type decider struct {
	*judge
	plan     *Plan
	calendar calendar
}

func (d *decider) decide(a *loyalty.Account, attributes map[string]string) (bool, error) {
	var g loyalty.Glance
	if err := g.Read(a.Side()); err != nil || g.Merged {
		return false, err
	}
	var r row
	d.conditions.row(&g, &d.calendar, a.Member, attributes, &r)
	return a.Resegment(d.names(d.of(&r), d.plan.Defined), d.plan.At), nil
}

// writers decide about members, several at once: each waits for the table.
type writers struct {
	free   chan struct{}
	do     func(member string, attributes bool) error
	group  sync.WaitGroup
	failed atomic.Bool
	mu     sync.Mutex
	errs   []error
}

func (w Work) writers(decide Decide, judge func(*loyalty.Account, map[string]string) (bool, error)) *writers {
	return &writers{
		free: make(chan struct{}, max(1, w.Writers)),
		do:   func(member string, attributes bool) error { return decide(member, attributes, judge) },
	}
}

var errFailed = errors.New("refresh: a change failed")

// add begins to decide about a member, as soon as a place is free.
func (w *writers) add(member string, attributes bool) error {
	w.free <- struct{}{}
	if w.failed.Load() {
		return errFailed
	}
	w.group.Go(func() {
		defer func() { <-w.free }()
		if err := w.do(member, attributes); err != nil {
			w.failed.Store(true)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.errs = append(w.errs, err)
		}
	})
	return nil
}

// wait ends when all are decided.
func (w *writers) wait() error {
	w.group.Wait()
	return errors.Join(w.errs...)
}
