package engine

import (
	"sync"
	"time"
)

// pace says how long whoever looks at histories in turn rests.
type pace struct {
	mu  sync.Mutex
	due time.Time // when the next customers are
}

const (
	// breath is the least of it, and restOf so much for each part of work. The processor then
	// takes what waits at another one that is away in C or at the disk, which it does not
	// while it has work of its own.
	breath, restOf = 100 * time.Microsecond, 3.0 / 8
	// perCustomer is how long a customer may take, of all lanes together: a million are to
	// be done in 90 s, and to be done sooner would take time from whoever is live.
	perCustomer = 85 * time.Microsecond
	// mostBehind is how far a sweep makes up for having been slower.
	mostBehind = time.Second
)

// begin notes that a sweep begins: nothing is to be made up for.
func (p *pace) begin(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due = now
}

// after returns how long to rest after so many customers who took so long.
func (p *pace) after(customers int, work time.Duration, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if least := now.Add(-mostBehind); p.due.Before(least) {
		p.due = least
	}
	p.due = p.due.Add(time.Duration(customers) * perCustomer)
	return max(p.due.Sub(now), time.Duration(restOf*float64(work)), breath)
}
