package engine

import (
	"sync"
	"time"
)

// pace says how long whoever looks at a range rests.
type pace struct {
	tempo
	mu  sync.Mutex
	due time.Time // when the next customers are
}

// tempo is how fast a sweep may go.
type tempo struct {
	// perCustomer is how long a customer may take, of all lanes together: to be done
	// sooner than is promised would take time from whoever is live.
	perCustomer time.Duration
	// restOf is the least rest for each part of work. The processor then takes what waits
	// at another one that is away in C or at the disk, which it does not while it has work
	// of its own.
	restOf float64
}

// A million customers are promised in 15 s where no histories are read, and in 90 s where
// they are.
func tempoOf(light bool) tempo {
	if light {
		return tempo{14400 * time.Nanosecond, 1.0 / 8}
	}
	return tempo{85 * time.Microsecond, 1.0 / 12}
}

const (
	// breath is the shortest rest: a shorter one takes as long.
	breath = 100 * time.Microsecond
	// mostBehind is how far a sweep makes up for having been slower.
	mostBehind = time.Second
)

// begin notes that a sweep begins: nothing is to be made up for.
func (p *pace) begin(at tempo, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tempo, p.due = at, now
}

// after returns how long to rest after so many customers who took so long.
func (p *pace) after(customers int, work time.Duration, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if least := now.Add(-mostBehind); p.due.Before(least) {
		p.due = least
	}
	p.due = p.due.Add(time.Duration(customers) * p.perCustomer)
	return max(p.due.Sub(now), time.Duration(p.restOf*float64(work)), breath)
}

// rest rests for about so long from now on, and returns by how much it was longer. A kernel
// may look at its clock once in a millisecond, so that rests are twice as long as wanted:
// the next one is to be shorter.
func rest(d time.Duration, now time.Time) (over time.Duration) {
	if d <= 0 {
		return -d
	}
	time.Sleep(d)
	return min(time.Since(now)-d, mostOver)
}

// mostOver is how much of a rest that was too long is made up for: whoever had the processor
// meanwhile may want it still.
const mostOver = 2 * time.Millisecond
