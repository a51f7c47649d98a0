package local

import (
	"sync"
	"time"
)

// Clock is the business clock of every function on this host: real time until
// it is set, then standing still. It is set for tests of what time does.
type Clock struct {
	mu  sync.RWMutex
	set time.Time
}

// Now is the business time.
func (c *Clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.set.IsZero() {
		return time.Now()
	}
	return c.set
}

// Set makes the clock stand at t; the zero time lets it run again.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set = t
}
