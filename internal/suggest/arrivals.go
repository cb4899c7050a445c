package suggest

import (
	"sync"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/recommend"
)

// newFor is how long something counts as new.
const newFor = 60 * 24 * time.Hour

// arrivals is since when things are sold. What was there when the room first looked
// is not new.
type arrivals struct {
	mu    sync.Mutex
	since map[string]event.Time // zero: from before
}

func (a *arrivals) init() { a.since = map[string]event.Time{} }

// see notes what is sold now. What is gone and comes again is new again.
func (a *arrivals) see(names []string, now event.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := len(a.since) == 0
	next := make(map[string]event.Time, len(names))
	for _, n := range names {
		at, known := a.since[n]
		if !known && !first {
			at = now
		}
		next[n] = at
	}
	if len(next) > 0 {
		a.since = next
	}
}

// list appends what is new, the newest first: of two that came together, what is
// more in demand.
func (a *arrivals) list(dst []recommend.Item, now event.Time, demand func(name string) float64) []recommend.Item {
	a.mu.Lock()
	defer a.mu.Unlock()
	for n, at := range a.since {
		if age := now.Sub(at); at != 0 && age < newFor {
			dst = append(dst, recommend.Item{Name: n, Score: 1 - float64(age)/float64(newFor) + demand(n)})
		}
	}
	recommend.Sort(dst)
	return dst
}
