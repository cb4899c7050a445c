// Package clock is the time of a data directory: that of the wall, or a virtual one
// for the demo, stories and rehearsals, which moves only in steps.
package clock

import (
	"sync/atomic"
	"time"

	"rapport/internal/core/event"
)

// Clock is the one clock of a data directory: the wall's, or a virtual one that
// stands still until somebody moves it.
type Clock struct {
	virtual atomic.Bool
	now     atomic.Int64 // virtual: the time; else: how far it is from the wall's
}

// Wall returns the clock on the wall.
func Wall() *Clock { return &Clock{} }

// Virtual returns a clock that stands at the instant.
func Virtual(at event.Time) *Clock {
	c := &Clock{}
	c.virtual.Store(true)
	c.now.Store(int64(at))
	return c
}

// Now returns the time.
func (c *Clock) Now() event.Time {
	if c.virtual.Load() {
		return event.Time(c.now.Load())
	}
	return event.At(time.Now()) + event.Time(c.now.Load())
}

// Set moves a virtual clock forward. Time never runs backwards: an earlier
// instant changes nothing. Nobody sets the wall's clock, nor a virtual one that
// was released: that changes nothing either.
func (c *Clock) Set(at event.Time) {
	for c.virtual.Load() {
		old := c.now.Load()
		if int64(at) <= old || c.now.CompareAndSwap(old, int64(at)) {
			return
		}
	}
}

// Release lets a virtual clock run from where it stands, at the pace of the
// wall's. Nobody may be reading it for a decision meanwhile: the node stands.
func (c *Clock) Release() {
	if c.virtual.Load() {
		c.now.Store(c.now.Load() - time.Now().UnixMilli())
		c.virtual.Store(false)
	}
}

// Virtual reports whether the clock stands still until somebody moves it.
func (c *Clock) Virtual() bool { return c.virtual.Load() }
